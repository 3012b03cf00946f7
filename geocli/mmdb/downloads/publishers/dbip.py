"""DB-IP Lite (https://db-ip.com/db/lite.php): monthly, free, without a key.

One file a month and kind, out around the first: until then, the month before has the newest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geocli.mmdb.downloads.publishers.base import Offer, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geocli.config.settings import Settings

_URL = "https://download.db-ip.com/free"
_GIVES = {"country": ("country",), "city": ("country", "city"), "asn": ("asn",)}
_LICENCE = """\
IP Geolocation by DB-IP, https://db-ip.com

DB-IP {kind} Lite is licensed under the Creative Commons Attribution 4.0 International licence (CC BY 4.0),
https://creativecommons.org/licenses/by/4.0/. A page that shows results from it has to link back to db-ip.com.
"""

NAMES = tuple(f"dbip-{kind}" for kind in _GIVES)
USUAL = ("dbip-country", "dbip-asn")


def offer(name: str, settings: Settings, today: date, _ask: Callable[[Source], bytes]) -> Offer:
    """The file of this month, else that of the last."""
    kind = name.removeprefix("dbip-")
    base = (settings.publisher("dbip").url or _URL).rstrip("/")
    months = (today, today.replace(day=1) - timedelta(days=1))
    sources = tuple(Source(f"{base}/dbip-{kind}-lite-{month:%Y-%m}.mmdb.gz") for month in months)
    return Offer(sources, _GIVES[kind], _LICENCE.format(kind=kind.upper() if kind == "asn" else kind))

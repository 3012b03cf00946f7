"""MaxMind GeoLite2 (https://dev.maxmind.com/geoip/updating-databases/): twice a week, for a free account.

What there is, is asked first: its date and the MD5 of the unpacked file. Downloads alone are counted, 30 a
day, so what is here already is not fetched. A download is a redirect to another host, which gets no key.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from geocli.mmdb.downloads.publishers.base import Offer, Source
from geocli.model.errors import TryAgainError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geocli.config.settings import Settings

_URL = "https://updates.maxmind.com"
_EDITIONS = {
    "maxmind-country": ("GeoLite2-Country", ("country",)),
    "maxmind-city": ("GeoLite2-City", ("country", "city")),
    "maxmind-asn": ("GeoLite2-ASN", ("asn",)),
}
_SETTING = "account_id and licence_key in [maxmind] (GEOCLI_MAXMIND_ACCOUNT_ID, GEOCLI_MAXMIND_LICENCE_KEY)"
_LICENCE = """\
This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com

{edition} is used under the GeoLite2 End User License Agreement, https://www.maxmind.com/en/geolite2/eula,
and the Creative Commons Attribution-ShareAlike 4.0 International licence that it incorporates. It asks that a
database is deleted within 30 days after a newer one has come out.
"""

NAMES = tuple(_EDITIONS)
USUAL = ("maxmind-country", "maxmind-asn")


def offer(name: str, settings: Settings, _today: date, ask: Callable[[Source], bytes]) -> Offer:
    """The newest build.

    Raises ``UsageError`` without an account, and ``TryAgainError`` for an answer that makes no sense.
    """
    edition, gives = _EDITIONS[name]
    chosen = settings.publisher("maxmind")
    if chosen.account_id is None or chosen.licence_key is None:
        raise UsageError(f"{name} needs a free account at MaxMind: set {_SETTING}")
    account = (chosen.account_id, str(chosen.licence_key))
    base = (chosen.url or _URL).rstrip("/")
    asked = Source(f"{base}/geoip/updates/metadata", {"edition_id": edition}, account, _SETTING)
    day, md5 = _newest(ask(asked), edition)
    parameters = {"date": day, "suffix": "tar.gz"}
    source = Source(f"{base}/geoip/databases/{edition}/download", parameters, account, _SETTING)
    return Offer((source,), gives, _LICENCE.format(edition=edition), md5)


def _newest(body: bytes, edition: str) -> tuple[str, str]:
    """Date (``YYYYMMDD``) and MD5 of the newest build."""
    try:
        (found,) = [item for item in json.loads(body)["databases"] if item["edition_id"] == edition]
        day = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", found["date"])
        md5 = re.fullmatch("[0-9a-fA-F]{32}", found["md5"])
    except (ValueError, KeyError, TypeError, RecursionError):
        day = md5 = None
    if day is None or md5 is None:
        raise TryAgainError(f"what MaxMind says about {edition} makes no sense")
    return "".join(day.groups()), md5[0].lower()

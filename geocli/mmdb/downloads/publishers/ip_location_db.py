"""ip-location-db (https://github.com/sapics/ip-location-db): daily releases on GitHub, free, without a key.

The release ``latest`` has each database as ``NAME.mmdb``, for IPv4 and IPv6, and is replaced every day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.mmdb.downloads.publishers.base import Offer, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geocli.config.settings import Settings

_URL = "https://github.com/sapics/ip-location-db/releases/download/latest"
_GIVES = {"iptoasn-country": "country", "server-country": "country", "origin-asn": "asn"}
_LICENCE = """\
{name} by ip-location-db, https://github.com/sapics/ip-location-db

Licensed under the Open Data Commons Public Domain Dedication and License (PDDL) 1.0,
https://opendatacommons.org/licenses/pddl/1-0/. No attribution is asked for.
"""

NAMES = tuple(_GIVES)
USUAL = ("server-country", "origin-asn")


def offer(name: str, settings: Settings, _today: date, _ask: Callable[[Source], bytes]) -> Offer:
    """Today's file."""
    base = (settings.publisher("ip_location_db").url or _URL).rstrip("/")
    return Offer((Source(f"{base}/{name}.mmdb"),), (_GIVES[name],), _LICENCE.format(name=name))

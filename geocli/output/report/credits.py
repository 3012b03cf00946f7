"""Whom a page owes a line: the sources of its answers, and of its map, as their licences ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.config.publishers import PUBLISHERS
from geocli.config.sources import PROVIDERS, Credit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geocli.mmdb.reader import Description


_DAY = 86400  # seconds

_ASKED_FOR = {
    **{publisher.mark: publisher.credit for publisher in PUBLISHERS},
    **{provider.name: provider.credit for provider in PROVIDERS if provider.credit is not None},
    "ip2location-lite": Credit(
        "This page includes IP2Location LITE data available from",
        "lite.ip2location.com",
        "https://lite.ip2location.com",
    ),
}
"""What a word in a database's name, description or licence, or in a record's source, stands for.

The wordings and links are those of the publishers' terms: DB-IP Lite (CC BY 4.0), GeoLite2 end user licence
section 2, IPinfo Lite (CC BY-SA 4.0), IP2Location LITE (CC BY-SA 4.0).
"""

MAP = Credit("Map:", "Natural Earth", "https://www.naturalearthdata.com")


def credits_of(sources: Iterable[str], databases: Iterable[Description], now: float) -> list[Credit]:
    """The lines for the sources of some records and the databases that were asked, with their age."""
    asked = list(databases)
    words = [*sources, *(f"{d.type} {d.description} {d.licence}" for d in asked)]
    everything = " ".join(words).lower().replace("ip2location lite", "ip2location-lite")
    licences = dict.fromkeys(
        f"{database.type} {database.edition}, {_age(database, now)}"
        + (f": {database.licence}" if database.licence else "")
        for database in asked
    )
    return [
        *(Credit(text) for text in licences),
        *(credit for word, credit in _ASKED_FOR.items() if word in everything),
        MAP,
    ]


def _age(database: Description, now: float) -> str:
    days = max(0, int((now - database.built) // _DAY))
    return f"{days} day{'' if days == 1 else 's'} old"

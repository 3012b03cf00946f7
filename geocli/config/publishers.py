"""Who publishes databases, in one table.

Completion, errors, settings, the manual, reports and the tests read it. A publisher costs one file, which has
what ``mmdb/downloads/publishers/base.py`` says, and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.config.parsers import parse_account, parse_secret, parse_url
from geocli.config.sources import ONLINE, Credit
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable


class PublisherChoice(Value):
    """A publisher of databases: what their names begin with, the module that has it, and its settings.

    ``databases`` are those whose names begin otherwise. Its settings are in the section of its name, with
    those of a provider of that name.

    ``mark`` is a word that its databases have in their names or descriptions: where one answered, pages carry
    the ``credit``.
    """

    name: str
    module: str
    settings: dict[str, Callable[[str], object]]
    mark: str
    credit: Credit
    databases: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """Its section in the configuration file."""
        return self.name.replace("-", "_")


_PUBLISHERS = "geocli.mmdb.downloads.publishers."

PUBLISHERS: tuple[PublisherChoice, ...] = (
    PublisherChoice(
        "dbip",
        _PUBLISHERS + "dbip",
        {"url": parse_url},
        "db-ip",
        Credit("", "IP Geolocation by DB-IP", "https://db-ip.com"),
    ),
    PublisherChoice(
        "ip-location-db",
        _PUBLISHERS + "ip_location_db",
        {"url": parse_url},
        "ip-location-db",
        Credit("IP data of", "ip-location-db", "https://github.com/sapics/ip-location-db"),
        databases=("iptoasn-country", "server-country", "origin-asn"),
    ),
    PublisherChoice(
        "ipinfo",
        _PUBLISHERS + "ipinfo",
        {"data_url": parse_url},
        "ipinfo",
        Credit("IP address data is powered by", "IPinfo", "https://ipinfo.io"),
    ),
    PublisherChoice(
        "maxmind",
        _PUBLISHERS + "maxmind",
        {"url": parse_url, "account_id": parse_account, "licence_key": parse_secret},
        "geolite",
        Credit("This page includes GeoLite data created by", "MaxMind", "https://www.maxmind.com"),
    ),
)

PUBLISHERS_ALONE = frozenset(publisher.section for publisher in PUBLISHERS) - ONLINE.keys()
"""The sections of those that are no providers too."""

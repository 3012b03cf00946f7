"""Where data comes from: the providers of answers, and the publishers of databases. One table each.

Help, completion, errors, settings, the manual, reports and the tests read them. A provider or a publisher
costs one file, which has what its ``base`` says, and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.config.parsers import count_up_to, parse_account, parse_secret, parse_timeout, parse_url

if TYPE_CHECKING:
    from collections.abc import Callable


class Credit(NamedTuple):
    """What a source's terms ask pages to say: ``text`` and, on ``link_text``, a link."""

    text: str = ""
    link_text: str = ""
    url: str = ""


class ProviderChoice(NamedTuple):
    """A value of ``--provider``: the module that has it, and what its help says.

    ``online``: addresses leave the machine, and it has a section of settings, in which its key, if it takes
    one, is called ``key``.
    """

    name: str
    module: str
    help: str
    online: bool = True
    key: str | None = None
    credit: Credit | None = None

    @property
    def section(self) -> str:
        """Its section in the configuration file."""
        return self.name.replace("-", "_")

    @property
    def settings(self) -> dict[str, Callable[[str], object]]:
        """What can be set in its section, and how that is read."""
        if not self.online:
            return {}
        keys: dict[str, Callable[[str], object]] = {"url": parse_url}
        if self.key is not None:
            keys[self.key] = parse_secret
        return {
            **keys,
            "timeout": parse_timeout,
            "batch_size": count_up_to(1000),
            "concurrency": count_up_to(32),
        }


PROVIDERS: tuple[ProviderChoice, ...] = (
    ProviderChoice("mmdb", "geocli.providers.mmdb", "the local databases", online=False),
    ProviderChoice("ip-api", "geocli.providers.ip_api", "ip-api.com", key="key"),
    ProviderChoice("country-is", "geocli.providers.country_is", "country.is"),
    ProviderChoice(
        "ipinfo",
        "geocli.providers.ipinfo",
        "ipinfo.io",
        key="token",
        credit=Credit("IP address data is powered by", "IPinfo", "https://ipinfo.io"),
    ),
)

ONLINE = {provider.name: provider for provider in PROVIDERS if provider.online}
"""The providers that ask a server."""


class PublisherChoice(NamedTuple):
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

"""Where answers come from: the providers, in one table.

Help, completion, errors, settings, the manual, reports and the tests read it. A provider costs one file,
which has what its ``base`` says, and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable


class Credit(Value):
    """What a source's terms ask pages to say: ``text`` and, on ``link_text``, a link."""

    text: str = ""
    link_text: str = ""
    url: str = ""


class ProviderChoice(Value):
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
        from geocli.config.parsers import count_up_to, parse_secret, parse_timeout, parse_url

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

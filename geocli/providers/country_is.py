"""country.is: country, AS and organisation. No key, commercial use allowed, 10 requests a second.

``POST /?fields=asn`` takes an array of at most 100 addresses. An address without a country is left out of the
answer, and one invalid address fails the whole batch. https://country.is
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.normalize import asn, country, text
from geocli.model.records import NOTHING, Answer
from geocli.providers.online.base import (
    TEXT,
    TEXT_OR_NUMBER,
    Limit,
    MalformedError,
    complete,
    target_of,
    values_of,
)
from geocli.providers.online.provider import OnlineProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.config.settings import Settings


class CountryIs:
    """The source."""

    name = "country-is"
    batch_size = 100
    key_setting = "GEOCLI_COUNTRY_IS_URL, or url in [country_is]: it takes no key"
    limit = Limit(10, 1)
    parameters = {"fields": "asn"}  # noqa: RUF012 (never changed)

    def __init__(self, settings: Settings) -> None:
        self.url = settings.source(self.name).url or "https://api.country.is/"

    def read(self, body: Any, targets: Sequence[str]) -> dict[str, Answer]:
        """What the array says. Who is left out has no country, unless the rest makes no sense either."""
        if not isinstance(body, list):
            raise MalformedError("the answer is no array")
        found = dict.fromkeys(targets, NOTHING)
        for item in body[: len(targets)]:
            (ip,) = values_of(item, _ADDRESS)
            target = target_of(ip, found)
            if target is None:
                raise MalformedError("another address than asked about")
            try:
                found[target] = _answer(item)
            except MalformedError:
                del found[target]  # that address was not answered
        return found


_ADDRESS = {"ip": TEXT}
_TYPES = {"country": TEXT, "asn": frozenset({dict})}
_HOLDER_TYPES = {"number": TEXT_OR_NUMBER, "organization": TEXT}


def _answer(item: Any) -> Answer:
    code, holder = values_of(item, _TYPES)
    number, name = values_of(holder or {}, _HOLDER_TYPES)
    return complete(Answer(*country(code), asn=asn(number), org=text(name)), code, number, name)


def create(settings: Settings) -> OnlineProvider:
    """The provider for these settings. Nothing is asked yet."""
    return OnlineProvider(CountryIs(settings), settings)

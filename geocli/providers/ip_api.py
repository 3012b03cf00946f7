"""ip-api.com: country, region, city, coordinates, AS and organisation. Free over plain HTTP, or with a key.

``POST /batch`` takes an array of at most 100 addresses and answers with an array; the free service allows 15
batches a minute and says in ``X-Rl`` and ``X-Ttl`` what is left. https://ip-api.com/docs/api:batch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.normalize import asn, country, place, text
from geocli.model.records import NOTHING, Answer
from geocli.providers.online.base import NUMBER, TEXT, Limit, MalformedError, complete, target_of, values_of
from geocli.providers.online.provider import OnlineProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.config.settings import Settings

_FREE = "http://ip-api.com/batch"
_PAID = "https://pro.ip-api.com/batch"
_FIELDS = 4255235 | 8 | 16 | 64 | 128
"""status, message, query, country, countryCode, isp, org, as, asname; regionName, city, lat, lon."""


class IpApi:
    """The source; with a key the paid one, which has no limit by the minute."""

    name = "ip-api"
    batch_size = 100
    key_setting = "GEOCLI_IP_API_KEY, or key in [ip_api]"

    def __init__(self, settings: Settings) -> None:
        chosen = settings.source(self.name)
        self.url = chosen.url or (_PAID if chosen.key else _FREE)
        self.parameters = {"fields": str(_FIELDS)} | ({"key": str(chosen.key)} if chosen.key else {})
        self.limit = None if chosen.key else Limit(15, 60)

    def read(self, body: Any, targets: Sequence[str]) -> dict[str, Answer]:
        """What the array says: items name the address that they are about."""
        if not isinstance(body, list):
            raise MalformedError("the answer is no array")
        wanted, found = frozenset(targets), {}
        for item in body[: len(targets)]:
            try:
                target, answer = _answer(item)
            except MalformedError:
                continue  # that address was not answered
            if (known := target_of(target, wanted)) is not None:
                found[known] = answer
        return found


_TYPES = {
    "query": TEXT, "status": TEXT, "message": TEXT, "countryCode": TEXT, "country": TEXT, "regionName": TEXT,
    "city": TEXT, "lat": NUMBER, "lon": NUMBER, "as": TEXT, "org": TEXT, "isp": TEXT, "asname": TEXT,
}  # fmt: skip
_NO_DATA = frozenset({"private range", "reserved range", "invalid query"})


def _answer(item: Any) -> tuple[str, Answer]:
    query, status, message, code, _, region, city, lat, lon, holder, *names = values_of(item, _TYPES)
    if status != "success":
        if message not in _NO_DATA:
            raise MalformedError("neither success nor a known failure")
        return query, NOTHING
    number, _, holder_name = (holder or "").partition(" ")
    org = next(filter(None, map(text, (holder_name, *names))), None)
    answer = Answer(*country(code), text(region), text(city), *place(lat, lon), asn(number), org)
    return query, complete(answer, code, holder, *names)


def create(settings: Settings) -> OnlineProvider:
    """The provider for these settings. Nothing is asked yet."""
    return OnlineProvider(IpApi(settings), settings)

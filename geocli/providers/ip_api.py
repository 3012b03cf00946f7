"""ip-api.com: country, region, city, coordinates, AS and organisation. Free over plain HTTP, or with a key.

``POST /batch`` takes an array of at most 100 addresses and answers with an array; the free service allows 15
batches a minute and says in ``X-Rl`` and ``X-Ttl`` what is left. https://ip-api.com/docs/api:batch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.addresses import parse_target
from geocli.answers import NOTHING, Answer, asn, country, place, text
from geocli.online import Limit, MalformedError, OnlineProvider, complete, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.settings import Settings

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
        wanted, found = set(targets), {}
        for item in body[: len(targets)]:
            try:
                target = parse_target(field(item, "query", str) or "")
                if target in wanted:
                    found[target] = _answer(item)
            except ValueError:
                continue  # that address was not answered
        return found


def _answer(item: Any) -> Answer:
    if field(item, "status", str) != "success":
        if field(item, "message", str) not in {"private range", "reserved range", "invalid query"}:
            raise MalformedError("neither success nor a known failure")
        return NOTHING
    code, holder = field(item, "countryCode", str), field(item, "as", str) or ""
    number, _, name = holder.partition(" ")
    names = [field(item, key, str) for key in ("asname", "isp", "org")]
    answer = Answer(
        *country(code, field(item, "country", str)),
        text(field(item, "regionName", str)),
        text(field(item, "city", str)),
        *place(field(item, "lat", int, float), field(item, "lon", int, float)),
        asn(number),
        text(field(item, "org", str)) or text(name) or next(filter(None, map(text, names)), None),
    )
    return complete(answer, code, holder, *names)


def create(settings: Settings) -> OnlineProvider:
    """The provider for these settings. Nothing is asked yet."""
    return OnlineProvider(IpApi(settings), settings)

"""ipinfo.io, the free "lite" batch: country, AS and organisation. Needs a token, which is free.

``POST /batch/lite?token=`` takes an array of at most 1,000 addresses and answers with an object that has a
value for each. https://ipinfo.io/developers/lite-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.answers import NOTHING, Answer, asn, country, text
from geocli.errors import UsageError
from geocli.online import MalformedError, OnlineProvider, complete, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.settings import Settings

_URL = "https://api.ipinfo.io/batch/lite"


class Ipinfo:
    """The source."""

    name = "ipinfo"
    batch_size = 1000
    key_setting = "GEOCLI_IPINFO_TOKEN, or token in [ipinfo]"
    limit = None

    def __init__(self, settings: Settings) -> None:
        chosen = settings.source(self.name)
        if chosen.key is None:
            raise UsageError(f"ipinfo needs a token: set {self.key_setting}")
        self.url = chosen.url or _URL
        self.parameters = {"token": str(chosen.key)}

    def read(self, body: Any, targets: Sequence[str]) -> dict[str, Answer]:
        """What the object says: its keys are the addresses as they were asked for."""
        if not isinstance(body, dict):
            raise MalformedError("the answer is no object")
        found = {}
        for target in targets:
            if target in body:
                try:
                    found[target] = _answer(body[target], target)
                except ValueError:
                    continue  # that address was not answered
        return found


def _answer(item: Any, target: str) -> Answer:
    if field(item, "ip", str) not in {None, target}:
        raise MalformedError("another address than asked about")
    if field(item, "bogon", bool):
        return NOTHING
    code, number = field(item, "country_code", str), field(item, "asn", str, int)
    name = field(item, "as_name", str)
    answer = Answer(*country(code, field(item, "country", str)), asn=asn(number), org=text(name))
    return complete(answer, code, number, name)


def create(settings: Settings) -> OnlineProvider:
    """The provider for these settings. Nothing is asked yet. Raises ``UsageError`` without a token."""
    return OnlineProvider(Ipinfo(settings), settings)

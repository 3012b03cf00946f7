"""ipinfo.io, the free "lite" batch: country, AS and organisation. Needs a token, which is free.

``POST /batch/lite?token=`` takes an array of at most 1,000 addresses and answers with an object that has a
value for each. https://ipinfo.io/developers/lite-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.errors import UsageError
from geocli.model.normalize import asn, country, text
from geocli.model.records import NOTHING, Answer
from geocli.providers.online.base import TEXT, TEXT_OR_NUMBER, MalformedError, complete, target_of, values_of
from geocli.providers.online.provider import OnlineProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.config.settings import Settings

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
                except MalformedError:
                    continue  # that address was not answered
        return found


_TYPES = {
    "ip": TEXT, "bogon": frozenset({bool}), "country_code": TEXT, "country": TEXT, "asn": TEXT_OR_NUMBER,
    "as_name": TEXT,
}  # fmt: skip


def _answer(item: Any, target: str) -> Answer:
    ip, bogon, code, _, number, holder = values_of(item, _TYPES)
    if target_of(ip, {target}) is None:
        raise MalformedError("another address than asked about")
    if bogon:
        return NOTHING
    return complete(Answer(*country(code), asn=asn(number), org=text(holder)), code, number, holder)


def create(settings: Settings) -> OnlineProvider:
    """The provider for these settings. Nothing is asked yet. Raises ``UsageError`` without a token."""
    return OnlineProvider(Ipinfo(settings), settings)

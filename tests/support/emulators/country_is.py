"""country.is, the batch service.

- ``POST /`` with a JSON array of 1 to 100 addresses; no key.
- The answer is an array of ``{"ip", "country"}``, where ``country`` is a code; with ``?fields=asn``
  also ``"asn": {"number", "organization"}``.
- An address without a country - unknown, private, reserved - is left out: the answer is to be
  joined by ``ip``, never by position.
- One invalid address, and the whole batch fails: 422 with ``{"error": {"code", "message"}}``.
- 10 requests a second, then 429, without a header that says for how long.
"""

from __future__ import annotations

from typing import Any

from tests.support.emulators.base import Emulator
from tests.support.emulators.whereabouts import is_bogon, parse, whereabouts
from tests.support.emulators.wire import Answer, Request

MOST_TARGETS = 100


class CountryIs(Emulator):
    """country.is; see the module for its rules.

    ``limit``: requests in a window of ``window`` seconds, None for no limit. ``retry_after``: seconds
    that a 429 tells in ``Retry-After``; None leaves the header out.
    """

    path = "/"

    def __init__(
        self,
        *,
        limit: int | None = 10,
        window: float = 1.0,
        retry_after: int | None = None,
        latency: float = 0.0,
        port: int = 0,
    ) -> None:
        super().__init__(limit=limit, window=window, latency=latency, port=port)
        self.retry_after = retry_after

    def respond(self, request: Request) -> Answer:
        quota = self.quota(request)
        if quota and quota.over:
            headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
            return Answer(429, _error("RATE_LIMITED", "Too many requests"), headers)
        if not 1 <= len(request.targets) <= MOST_TARGETS:
            return Answer(422, _error("INVALID_BATCH", f"1 to {MOST_TARGETS} addresses"))
        for target in request.targets:
            if parse(target) is None:
                return Answer(422, _error("INVALID_IP", f"Not an IP address: {target}"))

        items = [item for target in request.targets if (item := self._item(target))]
        if "asn" not in request.query.get("fields", "").split(","):
            items = [{name: value for name, value in item.items() if name != "asn"} for item in items]
        return Answer(200, items)

    def _item(self, target: str) -> dict[str, Any] | None:
        """All that is known about a valid address; None if it has no country."""
        if target in self.answers:
            return {**self.answers[target], "ip": target}
        address = parse(target)
        if address is None or target in self.unknown or is_bogon(address):
            return None
        found = whereabouts(address)
        return {
            "ip": target,
            "country": found.country.code,
            "asn": {"number": found.as_number, "organization": found.organisation},
        }


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}

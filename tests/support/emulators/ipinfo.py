"""ipinfo.io, the batch service of IPinfo Lite.

- ``POST /batch/lite?token=`` with a JSON array of 1 to 1,000 addresses; tokens are free.
- The answer is an object: under each text of the request what is known about it. ``country`` is a
  name, ``country_code`` the code, ``asn`` a text such as "AS15169".
- What nobody on the Internet has: ``{"ip", "bogon": true}``. What is unknown: ``{"ip"}``.
- An unknown token, or none: 403. Over the limit: 429. Neither says more in its headers.

Not documented, so a guess: 400 for a body that is not such an array, and the item of an invalid
address, which is what its single look-ups answer.
"""

from __future__ import annotations

from typing import Any

from tests.support.emulators.base import Emulator
from tests.support.emulators.whereabouts import is_bogon, parse, whereabouts
from tests.support.emulators.wire import Answer, Request

MOST_TARGETS = 1_000


class Ipinfo(Emulator):
    """ipinfo.io; see the module for its rules.

    ``token``: the one that is known; None takes any but not none at all. ``limit``: requests in a
    window of ``window`` seconds, None for no limit.
    """

    path = "/batch/lite"

    def __init__(
        self,
        *,
        token: str | None = None,
        limit: int | None = None,
        window: float = 60.0,
        latency: float = 0.0,
        port: int = 0,
    ) -> None:
        super().__init__(limit=limit, window=window, latency=latency, port=port)
        self.token = token

    def respond(self, request: Request) -> Answer:
        token = request.query.get("token")
        if not token or self.token not in {None, token}:
            return Answer(403, _error("Unknown token", "Please provide a valid token"))
        quota = self.quota(request)
        if quota and quota.over:
            return Answer(429, _error("Rate limit exceeded", "You have sent too many requests"))
        if not 1 <= len(request.targets) <= MOST_TARGETS:
            return Answer(400, _error("Wrong batch", f"Please provide 1 to {MOST_TARGETS} addresses"))
        return Answer(200, {target: self._item(target) for target in request.targets})

    def _item(self, target: str) -> dict[str, Any]:
        if target in self.answers:
            return {**self.answers[target], "ip": target}
        address = parse(target)
        if address is None:
            return {"status": 404, **_error("Wrong ip", "Please provide a valid IP address")}
        if target in self.unknown:
            return {"ip": target}
        if is_bogon(address):
            return {"ip": target, "bogon": True}
        found = whereabouts(address)
        return {
            "ip": target,
            "asn": f"AS{found.as_number}",
            "as_name": found.organisation,
            "as_domain": f"as{found.as_number}.example",
            "country_code": found.country.code,
            "country": found.country.name,
            "continent_code": found.country.continent_code,
            "continent": found.country.continent,
        }


def _error(title: str, message: str) -> dict[str, Any]:
    return {"error": {"title": title, "message": message}}

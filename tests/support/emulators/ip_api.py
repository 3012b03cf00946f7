"""ip-api.com, the batch service.

- ``POST /batch`` with a JSON array of 1 to 100 addresses, as texts or as objects with ``query``.
  More than 100: 422.
- The answer is an array in the order of the request. ``?fields=`` is a number whose bits say what is
  in it (``FIELDS``), or the names; nothing else is. ``message`` is only in items that failed.
- An item that failed is ``{"status": "fail", "message": ..., "query": ...}``, with the message
  "private range", "reserved range" or "invalid query".
- Without a key: 15 requests a minute for each client. The minute begins with the first request and
  does not slide. Every answer says how many requests are left (``X-Rl``) and in how many whole
  seconds there will be 15 again (``X-Ttl``). Over the limit: 429, with ``X-Rl: 0``.
- Who goes on asking over the limit is banned: 403 for ever, without these headers.
- The last request within the limit may be answered with 200 and an empty body.
- With a key (``?key=``): no limit. A wrong key: 403 with a message in plain text.
"""

from __future__ import annotations

import math
from types import EllipsisType
from typing import Any

from tests.support.emulators.base import Emulator
from tests.support.emulators.limits import Quota
from tests.support.emulators.whereabouts import is_bogon, is_private, parse, whereabouts
from tests.support.emulators.wire import Answer, Request

MOST_TARGETS = 100
FREE_LIMIT = 15

FIELDS = {
    "country": 1,
    "countryCode": 2,
    "region": 4,
    "regionName": 8,
    "city": 16,
    "lat": 64,
    "lon": 128,
    "isp": 512,
    "org": 1024,
    "as": 2048,
    "query": 8192,
    "status": 16384,
    "message": 32768,
    "asname": 4194304,
}
USUAL_FIELDS = "61439"
"""What one gets who does not ask for ``fields``: all of these but ``asname``."""


class IpApi(Emulator):
    """ip-api.com; see the module for its rules.

    ``limit``: requests in a window of ``window`` seconds; None for no limit, and ``...`` for that of the
    plan: 15 without a key, none with one. ``ban_after``: so many requests over the limit, within one
    window, are forgiven. ``round_ttl_up``: whether ``X-Ttl`` is the next whole second or the last.
    ``empty_at_boundary``: the last request within the limit gets an empty body.
    """

    path = "/batch"

    def __init__(
        self,
        *,
        limit: int | EllipsisType | None = ...,
        window: float = 60.0,
        key: str | None = None,
        ban_after: int = 5,
        round_ttl_up: bool = True,
        empty_at_boundary: bool = False,
        latency: float = 0.0,
        port: int = 0,
    ) -> None:
        if isinstance(limit, EllipsisType):
            limit = FREE_LIMIT if key is None else None
        super().__init__(limit=limit, window=window, latency=latency, port=port)
        self.key = key
        self.ban_after = ban_after
        self.round_ttl_up = round_ttl_up
        self.empty_at_boundary = empty_at_boundary

    def respond(self, request: Request) -> Answer:
        if request.client in self.banned:
            return Answer(403, "You have been banned")
        if self.key is not None and request.query.get("key") != self.key:
            return Answer(403, "Invalid or expired key")

        quota = self.quota(request)
        headers = self._limit_headers(quota) if quota else {}
        if quota and quota.over > self.ban_after:
            self.banned.add(request.client)
            return Answer(403, "You have been banned")
        if quota and quota.over:
            return Answer(429, "Too many requests", headers)
        if not 1 <= len(request.targets) <= MOST_TARGETS:
            return Answer(422, f"1 to {MOST_TARGETS} queries", headers)
        if quota and quota.left == 0 and self.empty_at_boundary:
            return Answer(200, b"", headers)

        wanted = self._wanted_fields(request)
        items = [
            {name: value for name, value in self._item(target).items() if name in wanted}
            for target in request.targets
        ]
        return Answer(200, items, headers)

    def target(self, entry: object) -> str:
        """Texts, and objects with "query"."""
        if isinstance(entry, dict) and isinstance(entry.get("query"), str):
            return str(entry["query"])
        return super().target(entry)

    def _limit_headers(self, quota: Quota) -> dict[str, str]:
        rounded = math.ceil(quota.resets_in) if self.round_ttl_up else math.floor(quota.resets_in)
        return {"X-Rl": str(quota.left), "X-Ttl": str(rounded)}

    def _wanted_fields(self, request: Request) -> set[str]:
        fields = request.query.get("fields", USUAL_FIELDS)
        if not fields.isdecimal():
            return set(fields.split(","))
        return {name for name, bit in FIELDS.items() if int(fields) & bit}

    def _item(self, target: str) -> dict[str, Any]:
        """All that is known about an address; ``fields`` has not been looked at."""
        if target in self.answers:
            return {"status": "success", **self.answers[target], "query": target}
        if target in self.unknown:
            texts = ("country", "countryCode", "region", "regionName", "city", "isp", "org", "as", "asname")
            return {"status": "success", **dict.fromkeys(texts, ""), "lat": 0, "lon": 0, "query": target}
        address = parse(target)
        if address is None:
            return {"status": "fail", "message": "invalid query", "query": target}
        if is_bogon(address):
            kind = "private" if is_private(address) else "reserved"
            return {"status": "fail", "message": f"{kind} range", "query": target}
        found = whereabouts(address)
        return {
            "status": "success",
            "country": found.country.name,
            "countryCode": found.country.code,
            "region": "01",
            "regionName": found.country.city,
            "city": found.country.city,
            "lat": found.country.latitude,
            "lon": found.country.longitude,
            "isp": found.organisation,
            "org": found.organisation,
            "as": f"AS{found.as_number} {found.organisation}",
            "asname": found.as_name,
            "query": target,
        }

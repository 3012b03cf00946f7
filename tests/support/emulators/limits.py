"""How many requests a client may send: the window that all three services use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """Where a client stands after a request has been counted."""

    left: int
    """Requests it may still send in this window."""
    over: int
    """Requests above the limit in this window, this one included; 0 if it is within the limit."""
    resets_in: float
    """Seconds to the end of this window."""


@dataclass
class _Window:
    began: float
    requests: int = 0


class RateLimit:
    """At most ``limit`` requests in ``window`` seconds, for each client.

    A window begins with the first request and does not slide: the first request after its end
    begins another, with the whole limit. Requests above the limit do not make it longer.
    """

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self.window = window
        self._windows: dict[str, _Window] = {}

    def count(self, client: str, now: float) -> Quota:
        current = self._windows.get(client)
        if current is None or now - current.began >= self.window:
            current = self._windows[client] = _Window(began=now)
        current.requests += 1
        left = self.limit - current.requests
        return Quota(
            left=max(0, left),
            over=max(0, -left),
            # This order of the terms: (now + 60) - now may be a trifle above 60, and would be told as 61.
            resets_in=self.window - (now - current.began),
        )

"""From where bans are: each address is asked about once, however often it was banned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.inputs.in_text import plain_targets
from geocli.model.addresses import is_reserved, is_target
from geocli.model.records import GeoRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.lookup.cache import Cache
    from geocli.lookup.pipeline import Pipeline

AT_ONCE = 4096
"""Addresses that are best located at once, where nobody says otherwise."""


_MOST_KNOWN = 40_000
"""Addresses at hand: some 20 MB. What was asked about before them, journal and databases know."""


class Locator:
    """Says where addresses are, with what ``pipeline`` finds out, if there is one.

    ``known``: what geocli knows already serves first, however old it is. So it is with bans of the past.
    """

    def __init__(self, pipeline: Pipeline | None, size: int = AT_ONCE, known: Cache | None = None) -> None:
        self._pipeline = pipeline
        self._size = size
        self._cache = known
        self._known: dict[str, GeoRecord] = {}

    def locate(self, ips: Iterable[str]) -> dict[str, GeoRecord]:
        """Return a record for each; ``unknown`` for what is no address and for what no source has."""
        wanted = dict.fromkeys(ips)
        found = {ip: self._known[ip] for ip in wanted if ip in self._known}
        new = [ip for ip in wanted if ip not in found]
        for begin in range(0, len(new), self._size):
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            part = new[begin : begin + self._size]
            self._learn(part)
            found.update((ip, self._known[ip]) for ip in part)
        return found

    def _learn(self, ips: Sequence[str]) -> None:
        asked = list(ips)
        if plain_targets(asked) != asked:  # as most are
            asked = [ip for ip in ips if is_target(ip)]
        self._known.update((ip, GeoRecord(ip, "unknown")) for ip in ips)
        if self._cache is not None:
            asked = self._recalled(self._cache, asked)
        if asked and self._pipeline is not None:
            for records in self._pipeline.records(asked):
                self._known.update((record.ip, record) for record in records)

    def _recalled(self, cache: Cache, ips: Sequence[str]) -> list[str]:
        """Learn what is known already; return the others."""
        self._known.update((ip, GeoRecord(ip, "reserved")) for ip in ips if is_reserved(ip))
        asked = [ip for ip in ips if self._known[ip].status != "reserved"]
        if asked:
            blocks = cache.known(asked)
            self._known.update((record.ip, record) for block in blocks for record in block.records())
        return [ip for ip in asked if self._known[ip].status == "unknown"]

"""The way of an address: reserved? → journal → store → providers → journal → output.

Batches of targets in, batches of records out, in the order of the input and with its repetitions. A
batch is asked about and journalled as a whole before any record of it is handed on: what was printed
is in the journal.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from geocli.addresses import split_reserved
from geocli.errors import UnanswerableError
from geocli.records import GeoRecord, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.cache import Cache
    from geocli.errors import Problems
    from geocli.providers import Provider
    from geocli.settings import Settings


class Resolver:
    """Answers batches with a chain of providers, a cache in front of them or none.

    A source that cannot be asked does not stop it: the error is noted in ``problems``, the next
    provider in the chain is asked, and what nobody could be asked about has the status ``error``.
    """

    def __init__(
        self,
        chain: Sequence[Provider],
        cache: Cache | None,
        settings: Settings,
        problems: Problems,
        *,
        refresh: bool = False,
    ) -> None:
        self._chain = chain
        self._cache = cache
        self._settings = settings
        self._problems = problems
        self._refresh = refresh
        self._sources = frozenset[str]().union(*(provider.sources for provider in chain))

    def resolve(self, batches: Iterable[list[str]]) -> Iterator[list[GeoRecord]]:
        """The records of each batch of canonical targets. Raises ``DamagedFileError``."""
        for batch in batches:
            answers = self._answers(dict.fromkeys(batch))
            yield [answers[target] for target in batch]

    def _answers(self, targets: Iterable[str]) -> dict[str, GeoRecord]:
        reserved, asked = split_reserved(targets)
        answers = {target: GeoRecord(target, "reserved") for target in reserved}
        now = time.time()
        if asked and self._cache is not None and not self._refresh:
            answers.update(self._cache.find(asked, self._usable(now)))
            asked = [target for target in asked if target not in answers]
        if asked:
            fresh = self._ask(asked, utc_text(now))
            if self._cache is not None and (kept := [record for record in fresh if record.status != "error"]):
                self._cache.remember(kept)
            answers.update(zip(asked, fresh, strict=True))
        return answers

    def _usable(self, now: float) -> Callable[[GeoRecord], bool]:
        """Which stored answers still serve: fresh, and from the chain as it is today."""
        sources = self._sources
        oldest = utc_text(now - self._settings.ttl)
        oldest_unknown = utc_text(now - self._settings.ttl_unknown)

        def usable(record: GeoRecord) -> bool:
            if record.source is None or record.resolved_at is None:
                return False
            if record.status == "unknown":
                # Nobody had it: that serves only if all of today's sources were among those asked.
                return record.resolved_at >= oldest_unknown and sources.issubset(record.source.split(","))
            return record.resolved_at >= oldest and record.source in sources

        return usable

    def _ask(self, targets: list[str], resolved_at: str) -> list[GeoRecord]:
        answers: dict[str, GeoRecord] = {}
        missing = targets
        for provider in self._chain:
            try:
                records = provider.resolve(missing, resolved_at)
            except UnanswerableError as error:
                self._problems.note(error)
                records = [GeoRecord(target, "error") for target in missing]
            if answers:
                records = [_chained(answers[record.ip], record) for record in records]
            answers.update(zip(missing, records, strict=True))
            missing = [target for target in missing if answers[target].status != "ok"]
            if not missing:
                break
        return [answers[target] for target in targets]


def _chained(before: GeoRecord, record: GeoRecord) -> GeoRecord:
    """What is known after one more provider was asked.

    An answer beats everything. "Unknown" needs everybody's word: when one source could not be asked,
    it is not known that nobody has it.
    """
    if record.status == "ok":
        return record
    if before.status == record.status == "unknown":
        return before._replace(source=f"{before.source},{record.source}")
    return GeoRecord(record.ip, "error")

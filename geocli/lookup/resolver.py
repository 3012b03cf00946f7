"""The way of an address: reserved? → journal → store → providers, one after the other.

Batches of targets in, records out, in the order of the input and with its repetitions, as soon as they
are known. What is new among them has to be journalled before it is shown; ``pipeline`` does both.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from geocli.model.addresses import split_reserved
from geocli.model.clocks import latest_believed
from geocli.model.errors import UnanswerableError
from geocli.model.record_batch import DatedAnswers, RecordBatch, arranged
from geocli.model.records import GeoRecord, utc_text
from geocli.model.value import Value
from geocli.providers.base import BulkProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from geocli.config.settings import Settings
    from geocli.lookup.cache import Cache
    from geocli.providers.base import Provider
    from geocli.system.reporter import Reporter


BATCH = 4096
"""Targets that are best resolved at once: one segment of the journal, one disk wait."""

_ONLINE_BATCH = 20_000  # an online source is asked in full batches of its own


class Answers(Value):
    """What became known: ``fresh`` is new and to be kept, ``shown`` is next to be shown."""

    fresh: RecordBatch
    shown: RecordBatch


class Hint(Value):
    """What is known about a batch before it is answered, and may be answered elsewhere.

    ``at`` is the ``resolved_at`` of new answers, ``None`` for now. ``kept`` are those targets of which the
    journal has the answer that would be given, with its ``resolved_at``; ``None`` if nobody looked. It has
    those of the store too where that was asked (``is_whole``).
    """

    at: str | None = None
    kept: Mapping[str, str] | None = None
    is_whole: bool = False


_NOTHING_TOLD = Hint()


class Resolver:
    """Answers batches with a chain of providers, a cache in front of them or none.

    A source that cannot be asked does not stop it: ``reporter`` is told, the next
    provider in the chain is asked, and what nobody could be asked about has the status ``error``.
    """

    def __init__(
        self,
        chain: Sequence[Provider],
        cache: Cache | None,
        settings: Settings,
        reporter: Reporter,
        *,
        refresh: bool = False,
    ) -> None:
        self._chain = chain
        self._cache = cache
        self._settings = settings
        self._reporter = reporter
        self._refresh = refresh
        self._sources = frozenset[str]().union(*(provider.sources for provider in chain))
        self.local = all(provider.local for provider in chain)
        # One that asks nobody has all answers at once, and has them by column.
        self._bulk = chain[0] if len(chain) == 1 and isinstance(chain[0], BulkProvider) else None
        self.steady = self._bulk is not None
        """Whether it would answer the same again."""
        self._dated = DatedAnswers()
        self.clock = reporter.clock
        self.batch_size = BATCH if self.local else _ONLINE_BATCH

    def answer(self, batch: Sequence[str], told: Hint = _NOTHING_TOLD) -> Iterator[Answers]:
        """All answers about a batch of canonical targets; a local chain gives them at once.

        Raises ``DamagedFileError``.
        """
        reserved, asked = split_reserved(dict.fromkeys(batch))
        known = [RecordBatch.of(GeoRecord(target, "reserved") for target in reserved)]
        kept = told.kept
        if asked and self._cache is not None and not self._refresh:
            if told.is_whole:
                pass
            elif self._bulk is not None and kept is not None:
                doubtful = [target for target in asked if target not in kept] if kept else asked
                if stored := self._cache.stored(doubtful, self._usable(time.time())):
                    kept = {**kept, **stored}
            else:
                found = self._cache.find(asked, self._usable(time.time()))
                if there := set().union(*(block.ips for block in found)):
                    known += found
                    asked = [target for target in asked if target not in there]
        if self._bulk is None:
            yield from self._as_they_come(batch, known, asked)
            return
        answered = self._bulk.batch(asked, told.at or self._reporter.clock()) if asked else RecordBatch.of([])
        said = self._dated.batch(answered, kept or {})
        blocks = [block for block in (said, *known) if block.ips]
        yield Answers(answered.without(kept or ()), arranged(blocks, batch))

    def with_stored(self, batches: Sequence[Sequence[str]], told: Sequence[Hint]) -> Sequence[Hint]:
        """Return what is known about some batches, with what the store has of them, which is asked once."""
        known = [hint.kept for hint in told if hint.kept is not None]
        if self._cache is None or self._refresh or self._bulk is None or len(known) < len(batches):
            return told
        both = zip(batches, known, strict=True)
        doubtful = dict.fromkeys(target for batch, kept in both for target in batch if target not in kept)
        stored = self._cache.stored(doubtful, self._usable(time.time()))
        wholes = ({**kept, **stored} if kept else stored for kept in known)
        return [Hint(hint.at, whole, is_whole=True) for hint, whole in zip(told, wholes, strict=True)]

    def _as_they_come(
        self, batch: Sequence[str], known: Sequence[RecordBatch], asked: list[str]
    ) -> Iterator[Answers]:
        answers = {record.ip: record for block in known for record in block.records()}
        shown = _known(batch, 0, answers)
        if shown or not asked:
            yield Answers(RecordBatch.of([]), RecordBatch.of([answers[target] for target in batch[:shown]]))
        if asked:
            for part in self._ask(asked, self._chain):
                answers.update((record.ip, record) for record in part)
                begin, shown = shown, _known(batch, shown, answers)
                fresh = [record for record in part if record.status != "error"]
                yield Answers(
                    RecordBatch.of(fresh), RecordBatch.of([answers[target] for target in batch[begin:shown]])
                )

    def serves(self, at: str) -> Callable[[GeoRecord], bool]:
        """Which answers in the journal serve for one that would be given ``at`` this moment.

        Also where none does because it is asked again: what was answered at this moment, in this run.
        """
        usable, sources = self._usable(time.time()), self._sources
        if self._refresh:
            return lambda record: record.resolved_at == at and record.source in sources
        return lambda record: usable(record) or (record.resolved_at == at and record.source in sources)

    def _usable(self, now: float) -> Callable[[GeoRecord], bool]:
        """Which stored answers still serve: fresh, and from the chain as it is today."""
        sources = self._sources
        oldest = utc_text(now - self._settings.ttl)
        oldest_unknown = utc_text(now - self._settings.ttl_unknown)
        latest = latest_believed(utc_text(now))

        def usable(record: GeoRecord) -> bool:
            if record.source is None or record.resolved_at is None:
                return False
            if record.status == "unknown":
                # Nobody had it: that serves only if all of today's sources were among those asked.
                is_fresh = oldest_unknown <= record.resolved_at <= latest
                return is_fresh and sources.issubset(record.source.split(","))
            return oldest <= record.resolved_at <= latest and record.source in sources

        return usable

    def _ask(self, targets: list[str], chain: Sequence[Provider]) -> Iterator[list[GeoRecord]]:
        """The chain's last word on each target, in parts. What one does not know, the next is asked."""
        provider, *others = chain
        if not others:
            yield from self._parts(provider, targets)
            return
        waiting: list[GeoRecord] = []
        size = others[0].batch_size
        for part in self._parts(provider, targets):
            if answered := [record for record in part if record.status == "ok"]:
                yield answered
            waiting += [record for record in part if record.status != "ok"]
            if full := len(waiting) // size * size:
                yield from self._ask_on(waiting[:full], others)
                del waiting[:full]
        if waiting:
            yield from self._ask_on(waiting, others)

    def _ask_on(self, before: list[GeoRecord], chain: Sequence[Provider]) -> Iterator[list[GeoRecord]]:
        said = {record.ip: record for record in before}
        for part in self._ask(list(said), chain):
            yield [_chained(said[record.ip], record) for record in part]

    def _parts(self, provider: Provider, targets: list[str]) -> Iterator[list[GeoRecord]]:
        answered: list[list[GeoRecord]] = []
        try:
            for part in provider.resolve(targets, self._reporter):
                answered.append(part)
                yield part
        except UnanswerableError as error:
            self._reporter.problem(error)
            done = {record.ip for part in answered for record in part}
            if left := [GeoRecord(target, "error") for target in targets if target not in done]:
                yield left


def _known(batch: Sequence[str], begin: int, answers: dict[str, GeoRecord]) -> int:
    """Where in the batch the first target stands, from ``begin`` on, that has no answer yet."""
    for index in range(begin, len(batch)):
        if batch[index] not in answers:
            return index
    return len(batch)


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

"""Batches of targets in, lines out: what is new is journalled, then it may be shown. On all processors.

A batch goes through two halves. ``_prepare`` reads, computes and renders: it writes nothing, so it may run
in a worker. ``_keep`` puts what is new on disk. Only then the text is handed on. Large inputs that
no source on the network has to be asked about are prepared in workers (``workers``), several batches at a
time, and kept and handed on in their order.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, NamedTuple

from geocli.lookup.resolver import Hint
from geocli.model.record_batch import COUNTRY_CODE, STATUS
from geocli.model.value import Value
from geocli.storage.journal.finder import FEW
from geocli.storage.journal.segments import Segment, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.lookup.cache import Cache
    from geocli.lookup.resolver import Resolver
    from geocli.model.errors import Problems
    from geocli.model.record_batch import RecordBatch, Shared
    from geocli.model.records import GeoRecord
    from geocli.system.process_pool import Workers

_TOGETHER = 3  # batches that are looked for in the store at once: they find the same pages of it
_ALONE = 2  # full batches before workers pay for themselves: they cost as much as one


class Batch(NamedTuple):
    """Targets that are looked up at once, and what is to stand ``beside`` their records for who renders them.

    Of a source on the network answers come in parts, and so nothing may be beside them.
    """

    targets: list[str]
    beside: bytes = b""


class Rows(Value):
    """Rendered rows, and what they were: how many of which status, how many without a country."""

    data: bytes
    statuses: Counter[str]
    without_country: int


class _Prepared(Value):
    """Something to show, after the segment is on disk."""

    rows: Rows
    segment: Segment | None

    def to_parts(self) -> list[bytes]:
        texts = () if self.segment is None else (self.segment.value, self.segment.tag)
        parts = [self.rows.data, *(text.encode() for text in texts)]
        head = [self.rows.statuses, self.rows.without_country, list(map(len, parts))]
        return [json.dumps(head).encode() + b"\n", *parts]

    @classmethod
    def from_bytes(cls, data: bytes | bytearray, place: int) -> _Prepared:
        begin = data.index(b"\n", place) + 1
        statuses, without_country, lengths = json.loads(data[place:begin])
        parts, view = [], memoryview(data)  # a megabyte is not copied once more
        for length in lengths:
            parts.append(view[begin : begin + length])
            begin += length
        rows = Rows(bytes(parts[0]), Counter(statuses), without_country)
        return cls(rows, Segment(*(str(part, "utf-8") for part in parts[1:])) if parts[1:] else None)


class Pipeline:
    """Resolves batches with ``resolver``; ``render`` makes of records, and what is beside, what is shown.

    Batches of the resolver's size are worth a worker; a smaller or empty one says that the input pauses. All
    that comes without a pause is answered as of one moment. So an address that comes again is answered as
    before without a look at what the journal says, and need not be journalled again.
    """

    def __init__(
        self,
        resolver: Resolver,
        cache: Cache | None,
        render: Callable[[RecordBatch, bytes], bytes],
        problems: Problems,
    ) -> None:
        self._resolver = resolver
        self._cache = cache
        self._render = render
        self._problems = problems
        self._full = resolver.batch_size
        self._at: str | None = None
        self._statuses = _Statuses()

    def run(self, batches: Iterable[list[str]]) -> Iterator[Rows]:
        """What to show, in order; what is new in it is in the journal. Raises ``DamagedFileError``."""
        return self.run_beside(map(Batch, batches))

    def run_beside(self, batches: Iterable[Batch]) -> Iterator[Rows]:
        """The same with what is beside."""
        full_batches = 0
        batches = iter(batches)
        for batch in batches:
            yield from self._alone(batch)
            full_batches += len(batch.targets) >= self._full
            if full_batches == _ALONE and self._resolver.local:
                yield from self._with_workers(batches)

    def records(self, batch: list[str]) -> Iterator[list[GeoRecord]]:
        """The records of one batch themselves, in order, for whoever counts them instead of showing them."""
        for answers in self._resolver.answer(batch, self._told(batch)):
            if answers.fresh.ips and self._cache is not None:
                self._cache.remember(encode(answers.fresh))
            yield answers.shown.records()
        self._end_moment(batch)

    def _alone(self, batch: Batch) -> Iterator[Rows]:
        targets = batch.targets
        for prepared in self._prepare(batch, self._told(targets)):
            if targets and not prepared.rows.data and not prepared.segment and self._cache is not None:
                self._cache.make_ready()  # a source is thinking at this moment
            yield self._keep(prepared)
        self._end_moment(targets)

    def _end_moment(self, batch: list[str]) -> None:
        if len(batch) < self._full:
            self._at = None

    def _told(self, batch: list[str]) -> Hint:
        if not self._resolver.steady:
            return Hint()
        self._at = self._at or self._resolver.clock()
        if self._cache is None or len(batch) <= FEW:
            return Hint(self._at)
        return Hint(self._at, self._cache.journalled(batch, self._resolver.serves(self._at)))

    def _with_workers(self, batches: Iterator[Batch]) -> Iterator[Rows]:
        """The same, until there are no more batches or a worker fails; nothing on one processor."""
        from geocli.system.process_pool import WorkerFailedError, Workers, processors  # few need it

        if processors() < 2:
            return
        if self._cache is not None:
            self._cache.close()  # a child may not share a database that is open
        together = _TOGETHER if self._cache is not None and self._cache.has_most_stored else 1
        given: deque[list[Batch]] = deque()  # the last may wait for more before a worker has it
        try:
            with Workers(self._work) as workers:
                for batch in batches:
                    waits = len(given) > workers.waiting
                    if len(batch.targets) < self._full:  # the input pauses or ends: show everything now
                        if waits:
                            yield from self._give(workers, given)
                        given.append([batch])
                        while workers.waiting:
                            yield from self._take(workers, given)
                        yield from self._alone(given.popleft()[0])
                        continue
                    if not waits:
                        given.append([])
                    given[-1].append(batch)
                    if len(given[-1]) == together:
                        yield from self._give(workers, given)
                if len(given) > workers.waiting:
                    yield from self._give(workers, given)
                while workers.waiting:
                    yield from self._take(workers, given)
        except WorkerFailedError:
            for batch in chain.from_iterable(given):
                yield from self._alone(batch)

    def _give(self, workers: Workers, given: deque[list[Batch]]) -> Iterator[Rows]:
        """Have a worker do the last batches."""
        if not workers.has_room:
            yield from self._take(workers, given)
        tasks = [_task(batch, self._told(batch.targets)) for batch in given[-1]]
        workers.give(b"".join(_with_lengths(tasks)))

    def _take(self, workers: Workers, given: deque[list[Batch]]) -> Iterator[Rows]:
        results = workers.take()
        given.popleft()
        for begin, _ in _parts(results):
            yield self._keep(_Prepared.from_bytes(results, begin))

    def _work(self, task: bytes) -> list[bytes]:
        """What a worker does with some batches. Whatever is wrong, the parent is to find out by itself."""
        before = len(self._problems)
        tasks = [_task_of(task[begin:end]) for begin, end in _parts(task)]
        batches, told = [batch for batch, _ in tasks], [hint for _, hint in tasks]
        known = self._resolver.with_stored([batch.targets for batch in batches], told)
        results = []
        for batch, hint in zip(batches, known, strict=True):
            (prepared,) = self._prepare(batch, hint)
            results.append(prepared.to_parts())
        if len(self._problems) > before:
            from geocli.system.process_pool import WorkerFailedError  # the same

            raise WorkerFailedError
        return _with_lengths(results)

    def _prepare(self, batch: Batch, told: Hint) -> Iterator[_Prepared]:
        for answers in self._resolver.answer(batch.targets, told):
            fresh, shown = answers.fresh, answers.shown
            rows = Rows(self._render(shown, batch.beside), *self._statuses.count(shown))
            yield _Prepared(rows, encode(fresh) if fresh.ips and self._cache is not None else None)

    def _keep(self, prepared: _Prepared) -> Rows:
        if prepared.segment is not None and self._cache is not None:
            self._cache.remember(prepared.segment)
        return prepared.rows


class _Statuses:
    """Counts the statuses of records. Blocks may share answers, so what each counts for is remembered."""

    def __init__(self) -> None:
        self._answers: Sequence[Shared] = ()
        self._kinds: list[tuple[str, bool]] = []  # status, and whether there is a country: less than 256
        self._kind_of = bytearray()  # by the number of an answer

    def count(self, block: RecordBatch) -> tuple[Counter[str], int]:
        """Return how many records are of which status, and how many are without a country."""
        if block.answers is not self._answers:
            self._answers, self._kind_of = block.answers, bytearray()
        for answer in block.answers[len(self._kind_of) :]:
            kind = (answer[STATUS], answer[COUNTRY_CODE] is not None)
            if kind not in self._kinds:
                self._kinds.append(kind)
            self._kind_of.append(self._kinds.index(kind))
        kinds = bytes(map(self._kind_of.__getitem__, block.numbers))
        statuses, without_country = Counter[str](), 0
        for number, (status, has_country) in enumerate(self._kinds):
            if times := kinds.count(number):
                statuses[status] += times
                without_country += 0 if has_country else times
        return statuses, without_country


def _with_lengths(messages: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Messages, each in parts, one after the other, with how long each is before them."""
    lengths = [sum(map(len, message)) for message in messages]
    return [json.dumps(lengths).encode() + b"\n", *chain.from_iterable(messages)]


def _parts(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where each of such messages begins and ends."""
    end = data.index(b"\n") + 1
    for length in json.loads(data[:end]):
        begin, end = end, end + length
        yield begin, end


def _task(batch: Batch, told: Hint) -> tuple[bytes, bytes, bytes]:
    return _hint(batch.targets, told), f"{' '.join(batch.targets)}\n".encode(), batch.beside


def _hint(targets: list[str], told: Hint) -> bytes:
    kept = told.kept
    if kept and len({*kept.values()}) == 1 and all(map(kept.__contains__, targets)):  # as most often
        return json.dumps([told.at, kept[targets[0]], None]).encode() + b"\n"
    times = ["", *dict.fromkeys(kept.values())] if kept else []
    number_of = dict(zip(times, count(), strict=False)).get
    numbers = list(map(number_of, map((kept or {}).get, targets, repeat(""))))
    return json.dumps([told.at, None if kept is None else times, numbers if kept else []]).encode() + b"\n"


def _task_of(task: bytes) -> tuple[Batch, Hint]:
    head, texts, beside = task.split(b"\n", 2)
    at, times, numbers = json.loads(head)
    targets = texts.decode().split(" ")
    batch = Batch(targets, beside)
    if numbers is None:
        return batch, Hint(at, dict.fromkeys(targets, times))
    kept = {target: times[number] for target, number in zip(targets, numbers, strict=False) if number}
    return batch, Hint(at, None if times is None else kept)

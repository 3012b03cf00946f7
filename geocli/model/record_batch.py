"""Records by column: of many answers, what they have in common stands once.

Bulk work lives on this. Thousands of addresses come from some hundreds of networks of some dozens of
holders, so country, AS and organisation are checked, rendered and written once for each answer, not for each
address. It is also what a journal segment looks like.
"""

from __future__ import annotations

from itertools import count, repeat
from operator import itemgetter
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.records import FIELDS, Answer, GeoRecord, check_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from geocli.model.records import Status

Shared = tuple[Any, ...]
"""All fields of a record but ``ip`` and ``network``, in their order: what addresses may have in common."""

MOST_SHARED = 36_000
"""Answers that are worth being kept for the next block: some 20 MB, rendered too, for each process."""

_NETWORK = FIELDS.index("network")
SHARED = tuple(name for name in FIELDS if name not in {"ip", "network"})
"""The names of the values of a ``Shared``."""

STATUS, COUNTRY_CODE, RESOLVED_AT = map(SHARED.index, ("status", "country_code", "resolved_at"))
"""Where in a ``Shared`` these are."""

_ARRANGED = itemgetter(*map(("status", "source", "resolved_at", *Answer._fields).index, SHARED))


def shared_of(status: Status, answer: Answer, source: str | None, resolved_at: str | None) -> Shared:
    """Return what all addresses have in common that have this answer."""
    values: Shared = _ARRANGED((status, source, resolved_at, *answer))
    return values


class RecordBatch(NamedTuple):
    """Records. ``ips``, ``networks``, ``numbers`` have a value for each; ``answers[number]`` is the rest.

    Blocks may share a list of answers that grows from one to the next: then it has more than are named.
    """

    ips: Sequence[str]
    networks: Sequence[str | None]
    numbers: Sequence[int]
    answers: Sequence[Shared]

    @classmethod
    def of(cls, records: Iterable[Sequence[Any]]) -> RecordBatch:
        """The same records by column."""
        columns = list(zip(*records, strict=True))
        if not columns:
            return cls((), (), (), ())
        numbers: dict[Shared, int] = {}
        shared = zip(*(columns[FIELDS.index(name)] for name in SHARED), strict=True)
        # 1, 1.0 and True are equal: a column has values of one type, or this would mix them up.
        chosen = [numbers.setdefault(answer, len(numbers)) for answer in shared]
        return cls(columns[0], columns[_NETWORK], chosen, list(numbers))

    def check(self) -> None:
        """See that what was read back from disk is what records may be, else raise ``ValueError``."""
        numbers, answers = self.numbers, self.answers
        if {len(self.ips)} != {len(self.networks), len(numbers)}:
            raise ValueError("columns are not of one length")
        if not numbers:
            return
        if {*map(type, numbers)} != {int} or min(numbers) < 0 or max(numbers) >= len(answers):
            raise ValueError("the number of an answer is none")
        if {*map(type, answers)} != {tuple} or {*map(len, answers)} != {len(SHARED)}:
            raise ValueError(f"an answer does not have {len(SHARED)} values")
        columns = dict(zip(SHARED, zip(*answers, strict=True), strict=True))
        check_columns({**columns, "ip": self.ips, "network": self.networks})

    def compact(self) -> RecordBatch:
        """The same records, with no answers but theirs."""
        order = dict(zip(dict.fromkeys(self.numbers), count(), strict=False))
        if len(order) == len(self.answers):
            return self
        answers = [self.answers[number] for number in order]
        return RecordBatch(self.ips, self.networks, list(map(order.__getitem__, self.numbers)), answers)

    def without(self, ips: Collection[str]) -> RecordBatch:
        """The records of all other addresses."""
        if not ips:
            return self
        if len(ips) >= len(self.ips) and all(map(ips.__contains__, self.ips)):
            return RecordBatch((), (), (), ())
        return self._of_which(row for row in self._heads() if row[0] not in ips)

    def only(self, keeps: Callable[[GeoRecord], bool]) -> RecordBatch:
        """The records that are kept: asked once for each answer, of a record without address and network."""
        kept = {number: keeps(record) for number, record in self.nowhere().items()}
        return self if all(kept.values()) else self._of_which(row for row in self._heads() if kept[row[2]])

    def nowhere(self, known: Collection[int] = ()) -> dict[int, GeoRecord]:
        """One record for each answer that is named, without address and network, by its number.

        Those of numbers that are ``known`` are left out.
        """
        named = [number for number in dict.fromkeys(self.numbers) if number not in known]
        block = RecordBatch([""] * len(named), [None] * len(named), named, self.answers)
        return dict(zip(named, block.records(), strict=True))

    def _heads(self) -> Iterable[tuple[str, str | None, int]]:
        return zip(self.ips, self.networks, self.numbers, strict=True)

    def _of_which(self, heads: Iterable[tuple[str, str | None, int]]) -> RecordBatch:
        left = list(heads)
        if not left:
            return RecordBatch((), (), (), ())
        ips, networks, numbers = zip(*left, strict=True)
        return RecordBatch(ips, networks, numbers, self.answers)

    def rows(self) -> list[tuple[Any, ...]]:
        """The values of one record for each address, for whoever needs no names for them."""
        ips, networks, numbers, answers = self.compact()
        parts = [(answer[: _NETWORK - 1], answer[_NETWORK - 1 :]) for answer in answers]
        chosen = map(parts.__getitem__, numbers)
        return [
            (ip, *before, network, *after)
            for ip, network, (before, after) in zip(ips, networks, chosen, strict=True)
        ]

    def records(self) -> list[GeoRecord]:
        """One record for each address."""
        # As GeoRecord._make does it, without counting the values again.
        return list(map(tuple.__new__, repeat(GeoRecord), self.rows()))


class AnswerDictionary:
    """Answers read back from disk, each understood, checked and kept once for all blocks that have it.

    ``understand`` makes answers of the texts that they are kept as; equal texts are one answer.
    """

    def __init__(self, understand: Callable[[Sequence[str]], Iterable[Shared]]) -> None:
        self._understand = understand
        self._answers: list[Shared] = []
        self._numbers: dict[str, int] = {}

    def batch(self, ips: Sequence[str], networks: Sequence[str | None], texts: Sequence[str]) -> RecordBatch:
        """A record of each address. Raises ``ValueError`` for what no record may be."""
        if len(self._answers) + len(texts) > MOST_SHARED:
            self._answers, self._numbers = [], {}  # not cleared: blocks share the old list
        known = self._numbers
        new = list(dict.fromkeys(text for text in texts if text not in known))
        answers = [tuple(map(_one, answer)) for answer in self._understand(new)]
        columns = zip(*answers, strict=True) if answers else repeat(())
        check_columns({**dict(zip(SHARED, columns, strict=False)), "ip": ips, "network": networks})
        known.update(zip(new, count(len(self._answers)), strict=False))
        self._answers += answers
        return RecordBatch(ips, networks, list(map(known.__getitem__, texts)), self._answers)


class DatedAnswers:
    """Answers as they were given at other moments, each made once for all blocks that have it."""

    def __init__(self) -> None:
        self._of: Sequence[Shared] = ()
        self._answers: list[Shared] = []
        self._numbers: dict[str, dict[int, int]] = {}  # by moment and number

    def batch(self, block: RecordBatch, times: Mapping[str, str]) -> RecordBatch:
        """Return the same records with the ``resolved_at`` that ``times`` has of some addresses."""
        if not block.ips or not (times or self._answers):
            return block
        if block.answers is not self._of or len(self._answers) + len(block.ips) > MOST_SHARED:
            self._of, self._answers, self._numbers = (
                block.answers,
                [],
                {},
            )  # not cleared: blocks share the list
        own = block.answers[block.numbers[0]][RESOLVED_AT]
        moments = list(map(times.get, block.ips, repeat(own)))
        if len({*moments}) == 1:  # most were answered in one go
            known = self._known(moments[0], dict.fromkeys(block.numbers), block.answers)
            numbers = list(map(known.__getitem__, block.numbers))
        else:
            pairs = list(zip(moments, block.numbers, strict=True))
            by_moment: dict[str, list[int]] = {}
            for moment, number in dict.fromkeys(pairs):
                by_moment.setdefault(moment, []).append(number)
            found = {moment: self._known(moment, those, block.answers) for moment, those in by_moment.items()}
            numbers = [found[moment][number] for moment, number in pairs]
        return block._replace(numbers=numbers, answers=self._answers)

    def _known(self, moment: str, numbers: Iterable[int], answers: Sequence[Shared]) -> dict[int, int]:
        """Return where the answers with these numbers are, as they were given at a moment, among others."""
        known = self._numbers.setdefault(moment, {})
        for number in numbers:
            if number not in known:
                known[number] = len(self._answers)
                answer = answers[number]
                self._answers.append((*answer[:RESOLVED_AT], moment, *answer[RESOLVED_AT + 1 :]))
        return known


def _one(value: object) -> object:
    """The same value; equal texts are one object."""
    return intern(value) if type(value) is str else value


def arranged(blocks: Sequence[RecordBatch], order: Sequence[str]) -> RecordBatch:
    """The records of all blocks in this order, which may repeat addresses. Each is in exactly one block."""
    together = blocks[0] if len(blocks) == 1 else _joined(blocks)
    if together.ips == order:
        return together
    where = dict(zip(together.ips, count(), strict=False))
    indexes = list(map(where.__getitem__, order))
    networks = list(map(together.networks.__getitem__, indexes))
    return RecordBatch(order, networks, list(map(together.numbers.__getitem__, indexes)), together.answers)


def _joined(blocks: Sequence[RecordBatch]) -> RecordBatch:
    ips, networks = list[str](), list[str | None]()
    numbers, answers = list[int](), list[Shared]()
    if len({id(block.answers) for block in blocks}) == 1:
        for block in blocks:
            ips += block.ips
            networks += block.networks
            numbers += block.numbers
        return RecordBatch(ips, networks, numbers, blocks[0].answers)
    for block in map(RecordBatch.compact, blocks):
        numbers += [number + len(answers) for number in block.numbers]
        ips += block.ips
        networks += block.networks
        answers += block.answers
    return RecordBatch(ips, networks, numbers, answers)

"""The forest of networks that banned addresses build up: every network that could be worth a rule.

Of all prefixes that hold the same banned addresses, the longest blocks the least. So only those are
candidates: the addresses themselves and the points where two of them part, at most twice as many as there
are addresses, whatever the length of a prefix may be. They form trees below the shortest prefix allowed.

What is inside a network comes before it. So a forest is a sequence of rows that is read from begin to end
with a stack of what is not yet inside anything, and may be in a file: nothing holds all candidates together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.prefix import BITS, Prefix
from geocli.system.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_AT_ONCE = 4096  # rows that are put away together

CandidateRow = tuple[int, int, int, int, int, int, int, int, int, bool]
"""A candidate in a forest: version, first unit and length of its prefix, and its size; banned units in it,
bans, weight, cost; how many candidates are right inside it, which are the last ones that are in nothing yet;
and whether what comes next has nothing in common with what came so far."""


class Banned(NamedTuple):
    """A banned address, /64 or network, with what its bans count.

    ``bans`` are those that were seen, ``weight`` what they count in the choice, ``care`` how much an
    innocent neighbour counts: 1 and more, by who holds it.
    """

    prefix: Prefix
    bans: int
    weight: int
    care: int = 1


class Candidate(NamedTuple):
    """A network that may be chosen.

    ``units`` are its banned addresses; ``cost`` is the innocent ones, each as often as ``care`` says.
    """

    prefix: Prefix
    units: int
    bans: int
    weight: int
    cost: int

    @classmethod
    def of_row(cls, row: CandidateRow) -> Candidate:
        """Return the one that a row is of."""
        version, first, length, _, *figures, _, _ = row
        return cls(Prefix(version, first, length), *figures)

    @property
    def innocent(self) -> int:
        """Addresses that it blocks and nobody banned."""
        return self.prefix.units - self.units


class Limits(NamedTuple):
    """What a network must be to be advised.

    ``shortest`` is the length of the largest one by version of IP, ``bans`` the fewest in it, ``price`` how
    much weight an innocent address costs, ``is_free`` whether nobody is in it who must not be banned.
    """

    shortest: Mapping[int, int]
    bans: int
    price: int
    is_free: Callable[[Prefix], bool]


class Forest:
    """Candidates, in memory or, when they are many, in a file in the ``directory``."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self._rows = Rows(directory)
        self._recent: list[CandidateRow] = []

    def __len__(self) -> int:
        return len(self._rows) + len(self._recent)

    def add(self, row: CandidateRow) -> None:
        """Add a candidate, after all that are inside it. Raises ``GeocliError``, where the disk is full."""
        self._recent.append(row)
        if len(self._recent) > _AT_ONCE:
            self._rows.add(self._recent[:-1])
            self._recent = self._recent[-1:]  # which may yet be the last of its tree

    def end_tree(self) -> None:
        """Say that nothing that comes will hold the last candidate."""
        self._recent[-1] = (*self._recent[-1][:-1], True)

    def __iter__(self) -> Iterator[CandidateRow]:
        yield from self._whole()

    def parts(self, spans: Iterable[tuple[int, int]]) -> Iterator[list[CandidateRow]]:
        """Yield the rows of each span: from one place to before another. Spans are in order, and apart."""
        yield from self._whole().parts(spans)

    def _whole(self) -> Rows:
        self._rows.add(self._recent)
        self._recent = []
        return self._rows


def merge(banned: Iterable[Banned]) -> Iterator[Banned]:
    """The same without repetitions and overlaps: what is in a banned network counts for that.

    Both are sorted.
    """
    last: Banned | None = None
    of, end = 0, -1  # its version and its last unit
    for item in banned:
        version, first, _ = item.prefix
        if last is not None and first <= end and version == of:
            last = Banned(
                last.prefix, last.bans + item.bans, last.weight + item.weight, max(last.care, item.care)
            )
            continue
        if last is not None:
            yield last
        last, of, end = item, version, item.prefix.last
    if last is not None:
        yield last


def grow(banned: Iterable[Banned], limits: Limits, directory: Path | None = None) -> Forest:
    """The forest over ``banned``, which ``merge`` has been through. Time is linear in it.

    Left out is what could not be part of the best choice at this price of an innocent address, or a higher
    one: what is not within the limits, costs as much as it is worth, or is worth no more than something
    inside it. Raises ``GeocliError``, where the disk is full.
    """
    forest = Forest(directory)
    waiting: list[tuple[int, _Branch]] = []  # left halves, and how many bits both halves have in common
    items = iter(banned)
    after = next(items, None)
    while after is not None:
        item, after = after, next(items, None)
        (version, first, length), bans, weight, care = item
        alone = _Branch(first, 1, 1 << (BITS[version] - length), bans, weight, care, 0, 0, 0)
        branch = alone if bans < limits.bans else _closed(alone, version, length, limits, forest)
        shared = -1 if after is None else _shared(item.prefix, after.prefix)
        if shared < limits.shortest[version]:
            shared = -1
        while waiting and waiting[-1][0] > shared:
            length, left = waiting.pop()
            branch = _closed(_both(left, branch), version, length, limits, forest)
        if shared >= 0:
            waiting.append((shared, branch))
        elif branch.parts:
            forest.end_tree()
    return forest


def thinned(forest: Forest, innocent: int, each: int, largest: int) -> Forest:
    """The same without what is not worth choosing where every address costs ``each`` as well, or more.

    Nor what has more addresses than ``largest``. ``innocent`` is the price that the forest was grown for.
    """
    kept = Forest(forest.directory)
    # Of what is in nothing yet: how many are kept of it that are in nothing, and the value of the best.
    outer: list[int] = []
    best: list[int] = []
    for version, first, length, size, units, bans, weight, cost, parts, is_last in forest:
        inside = most = 0
        if parts:
            inside = sum(outer[-parts:])
            most = max(best[-parts:])
            del outer[-parts:], best[-parts:]
        value = weight - innocent * cost - each * size
        if value > most and size <= largest:
            kept.add((version, first, length, size, units, bans, weight, cost, inside, False))
            inside, most = 1, value
        outer.append(inside)
        best.append(most)
        if is_last:
            if any(outer):
                kept.end_tree()
            outer.clear()
            best.clear()
    return kept


class _Branch(NamedTuple):
    """What has been found in a part of the banned that begins with the unit ``first``.

    That is the ``number`` of them with their sums; the value of the ``best`` candidate, what the part
    ``cost`` at least, and how many ``parts`` of it are its outermost candidates.
    """

    first: int
    number: int
    units: int
    bans: int
    weight: int
    care: int
    best: int
    cost: int
    parts: int


def _both(one: _Branch, other: _Branch) -> _Branch:
    first, number, units, bans, weight, care, best, cost, parts = one
    return _Branch(
        first,
        number + other.number,
        units + other.units,
        bans + other.bans,
        weight + other.weight,
        care + other.care,
        max(best, other.best),
        cost + other.cost,
        parts + other.parts,
    )


def _closed(branch: _Branch, version: int, length: int, limits: Limits, forest: Forest) -> _Branch:
    """Look at the network of this length that holds the branch."""
    first, number, units, bans, weight, care, best, least, parts = branch
    size = 1 << (BITS[version] - length)
    # As much care as its banned neighbours ask for on average, and no less than what is inside costs.
    cost = max(least, -(-(size - units) * care // number))
    value = weight - limits.price * cost
    if value > best and bans >= limits.bans:
        prefix = Prefix(version, first & -size, length)
        if limits.is_free(prefix):
            forest.add((version, prefix.first, length, size, units, bans, weight, cost, parts, False))
            return _Branch(first, number, units, bans, weight, care, value, cost, 1)
    return _Branch(first, number, units, bans, weight, care, best, cost, parts)


def _shared(one: Prefix, other: Prefix) -> int:
    """How many bits two prefixes have in common that do not overlap; -1 for two versions of IP."""
    if one.version != other.version:
        return -1
    return BITS[one.version] - (one.first ^ other.first).bit_length()

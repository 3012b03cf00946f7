"""The forest of networks that banned addresses build up: every network that could be worth a rule.

Of all prefixes that hold the same banned addresses, the longest blocks the least. So only those are
candidates: the addresses themselves and the points where two of them part, at most twice as many as there
are addresses, whatever the length of a prefix may be. They form trees below the shortest prefix allowed.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.prefix import BITS, Prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


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

    ``units`` are its banned addresses; ``cost`` is the innocent ones, each as often as ``care`` says;
    ``inside`` are the candidates right below it, as indexes.
    """

    prefix: Prefix
    units: int
    bans: int
    weight: int
    cost: int
    inside: tuple[int, ...]

    @property
    def innocent(self) -> int:
        """Addresses that it blocks and nobody banned."""
        return self.prefix.units - self.units


class Forest(NamedTuple):
    """Candidates, what is inside a network before the network; ``roots`` are in no other."""

    candidates: Sequence[Candidate]
    roots: Sequence[int]


def merge(banned: Iterable[Banned]) -> list[Banned]:
    """The same without repetitions and overlaps, sorted: what is in a banned network counts for that."""
    merged: list[Banned] = []
    for item in sorted(banned):
        last = merged[-1] if merged else None
        if (
            last is not None
            and item.prefix.version == last.prefix.version
            and item.prefix.first <= last.prefix.last
        ):
            merged[-1] = Banned(
                last.prefix, last.bans + item.bans, last.weight + item.weight, max(last.care, item.care)
            )
        else:
            merged.append(item)
    return merged


class Limits(NamedTuple):
    """What a network must be to be advised.

    ``shortest`` is the length of the largest one by version of IP, ``bans`` the fewest in it, ``price`` how
    much weight an innocent address costs, ``is_free`` whether nobody is in it who must not be banned.
    """

    shortest: Mapping[int, int]
    bans: int
    price: int
    is_free: Callable[[Prefix], bool]


def grow(banned: Sequence[Banned], limits: Limits) -> Forest:
    """The forest over ``banned``, which ``merge`` has been through. Time and memory are linear in it.

    Left out is what could not be part of the best choice at this price of an innocent address, or a higher
    one: what is not within the limits, costs as much as it is worth, or is worth no more than something
    inside it.
    """
    grower = _Grower(banned, limits)
    roots: list[int] = []
    waiting: list[tuple[int, _Branch]] = []  # left halves, and how many bits both halves have in common
    for index, item in enumerate(banned):
        prefix = item.prefix
        branch = grower.close(_Branch(index, (), 0, 0), index, prefix.length)
        shared = _shared(prefix, banned[index + 1].prefix) if index + 1 < len(banned) else -1
        if shared < limits.shortest[prefix.version]:
            shared = -1
        while waiting and waiting[-1][0] > shared:
            length, left = waiting.pop()
            both = _Branch(
                left.begin,
                left.inside + branch.inside,
                max(left.best, branch.best),
                left.cost + branch.cost,
            )
            branch = grower.close(both, index, length)
        if shared >= 0:
            waiting.append((shared, branch))
        else:
            roots.extend(branch.inside)
    return Forest(grower.candidates, roots)


def thinned(forest: Forest, innocent: int, each: int, largest: int) -> Forest:
    """The same without what is not worth choosing where every address costs ``each`` as well, or more.

    Nor what has more addresses than ``largest``. ``innocent`` is the price that the forest was grown for.
    """
    kept: list[Candidate] = []
    # By old index: the outermost that are kept of it and all inside it, and the value of the best of them.
    outer: list[tuple[int, ...]] = []
    best: list[int] = []
    for prefix, units, bans, weight, cost, parts in forest.candidates:
        inside: tuple[int, ...] = ()
        most = 0
        for part in parts:
            inside += outer[part]
            most = max(most, best[part])
        size = prefix.units
        value = weight - innocent * cost - each * size
        if value > most and size <= largest:
            kept.append(Candidate(prefix, units, bans, weight, cost, inside))
            inside, most = (len(kept) - 1,), value
        outer.append(inside)
        best.append(most)
    return Forest(kept, [index for root in forest.roots for index in outer[root]])


class _Branch(NamedTuple):
    """What has been found in a part of the banned from ``begin`` on.

    That is its outermost candidates, the value of the best of all, and what the part costs at least.
    """

    begin: int
    inside: tuple[int, ...]
    best: int
    cost: int


class _Grower:
    def __init__(self, banned: Sequence[Banned], limits: Limits) -> None:
        self._banned = banned
        self._limits = limits
        # Sums up to each, so that those of any part are a subtraction.
        self._units = [0, *accumulate(item.prefix.units for item in banned)]
        self._bans = [0, *accumulate(item.bans for item in banned)]
        self._weights = [0, *accumulate(item.weight for item in banned)]
        self._care = [0, *accumulate(item.care for item in banned)]
        self.candidates: list[Candidate] = []

    def close(self, branch: _Branch, last: int, length: int) -> _Branch:
        """Look at the network of this length that holds the branch, which ends with ``last``."""
        begin, end = branch.begin, last + 1
        version, first, _ = self._banned[begin].prefix
        size = 1 << (BITS[version] - length)
        units = self._units[end] - self._units[begin]
        innocent = size - units
        # As much care as its banned neighbours ask for on average, and no less than what is inside costs.
        care = self._care[end] - self._care[begin]
        cost = max(branch.cost, -(-innocent * care // (end - begin)))
        weight = self._weights[end] - self._weights[begin]
        bans = self._bans[end] - self._bans[begin]
        value = weight - self._limits.price * cost
        if value > branch.best and bans >= self._limits.bans:
            prefix = Prefix(version, first & -size, length)
            if self._limits.is_free(prefix):
                self.candidates.append(Candidate(prefix, units, bans, weight, cost, branch.inside))
                return _Branch(begin, (len(self.candidates) - 1,), value, cost)
        return _Branch(begin, branch.inside, branch.best, cost)


def _shared(one: Prefix, other: Prefix) -> int:
    """How many bits two prefixes have in common that do not overlap; -1 for two versions of IP."""
    if one.version != other.version:
        return -1
    return BITS[one.version] - (one.first ^ other.first).bit_length()

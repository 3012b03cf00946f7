"""The allow list: who must never be banned, and why. What holds one of them is never advised."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.prefix import BITS, Prefix, prefix_of
from geocli.model.reserved import reserved_networks
from geocli.system.rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Allowed(NamedTuple):
    """An address or network that must not be banned; ``why`` is for people: ``ignoreip of the jail sshd``."""

    prefix: Prefix
    why: str


def allowed(targets: Iterable[str], why: str) -> list[Allowed]:
    """Canonical addresses and networks as parts of an allow list. Raises ``ValueError``."""
    return [Allowed(prefix_of(target), why) for target in targets]


class Spared:
    """Banned networks that must not be banned because of who holds them. ``directory``: the data's.

    There may be as many as there are bans. What is read may raise ``GeocliError``, where the disk is full.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._rows = SortedRows(directory)
        self._numbers: dict[str, int] = {}  # of what is said of them

    def add(self, key: int, place: int, why: str) -> None:
        """Take one in, by ``Prefix.key``. ``place`` says which is told of first."""
        self._rows.add((key, self._numbers.setdefault(why, len(self._numbers)), place))

    def __iter__(self) -> Iterator[tuple[Prefix, int, str]]:
        """Yield them sorted, each once, with their places."""
        reasons = [*self._numbers]
        last: tuple[int, int] | None = None
        for key, number, place in self._rows:
            if (key, number) != last:
                last = key, number
                yield Prefix.of_key(key), place, reasons[number]


class AllowList:
    """Says whether a network is free of everybody who is allowed. Private and reserved space always is.

    Beside ``items`` these are the ``spared``, who are told of after the first ``place`` items.
    """

    def __init__(self, items: Iterable[Allowed], spared: Spared | None = None, place: int = 0) -> None:
        given = list(items)
        self.items = [*dict.fromkeys(given)]
        self.place = len(set(given[:place]))
        self.spared = Spared() if spared is None else spared
        self._reserved = allowed(reserved_networks(), "private or reserved space")
        # By version: where allowed space begins and ends, sorted and without overlaps.
        self._begins = {version: array("Q") for version in BITS}
        self._ends = {version: array("Q") for version in BITS}
        alone = sorted(item.prefix for item in (*self.items, *self._reserved))
        for prefix in merge(alone, (prefix for prefix, _, _ in self.spared)):
            version, first_unit, _ = prefix
            last = prefix.last
            ends = self._ends[version]
            if ends and first_unit <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            else:
                self._begins[version].append(first_unit)
                ends.append(last)

    def __len__(self) -> int:
        return len(self.items)

    def is_free(self, prefix: Prefix) -> bool:
        """Whether nobody who is allowed is in it."""
        index = bisect_right(self._begins[prefix.version], prefix.last) - 1
        return index < 0 or self._ends[prefix.version][index] < prefix.first

    def reasons(self, prefix: Prefix) -> tuple[str, ...]:
        """Who is in it, or holds it: for people."""
        version, first, last = prefix.version, prefix.first, prefix.last
        found: dict[str, list[Prefix]] = {}
        spared = sorted(
            (place, other, why)
            for other, place, why in self.spared
            if other.version == version and other.first <= last and first <= other.last
        )
        everything = (
            *self.items[: self.place],
            *(Allowed(other, why) for _, other, why in spared),
            *self.items[self.place :],
            *self._reserved,
        )
        for item in everything:
            if item.prefix.version == version and item.prefix.first <= last and first <= item.prefix.last:
                found.setdefault(item.why, []).append(item.prefix)
        return tuple(
            f"{parts[0]} ({why})" if len(parts) == 1 else f"{parts[0]} and {len(parts) - 1} more ({why})"
            for why, parts in found.items()
        )

    def without(self, prefix: Prefix) -> list[tuple[int, int]]:
        """The first and last units of what is left of a network when all who are allowed are taken out."""
        left, begin = [], prefix.first
        begins, ends = self._begins[prefix.version], self._ends[prefix.version]
        index = bisect_right(ends, prefix.first - 1)
        while index < len(begins) and begins[index] <= prefix.last:
            if begins[index] > begin:
                left.append((begin, begins[index] - 1))
            begin = max(begin, ends[index] + 1)
            index += 1
        if begin <= prefix.last:
            left.append((begin, prefix.last))
        return left

"""The allow list: who must never be banned, and why. What holds one of them is never advised."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.prefix import BITS, Prefix, prefix_of
from geocli.model.reserved import reserved_networks

if TYPE_CHECKING:
    from collections.abc import Iterable


class Allowed(NamedTuple):
    """An address or network that must not be banned; ``why`` is for people: ``ignoreip of the jail sshd``."""

    prefix: Prefix
    why: str


def allowed(targets: Iterable[str], why: str) -> list[Allowed]:
    """Canonical addresses and networks as parts of an allow list. Raises ``ValueError``."""
    return [Allowed(prefix_of(target), why) for target in targets]


class AllowList:
    """Says whether a network is free of everybody who is allowed. Private and reserved space always is."""

    def __init__(self, items: Iterable[Allowed]) -> None:
        self.items = [*dict.fromkeys(items)]
        everything = [*self.items, *allowed(reserved_networks(), "private or reserved space")]
        # By version: where allowed space begins and ends, sorted and without overlaps.
        self._begins: dict[int, list[int]] = {version: [] for version in BITS}
        self._ends: dict[int, list[int]] = {version: [] for version in BITS}
        for (version, first, length), _ in sorted(everything):
            last = Prefix(version, first, length).last
            ends = self._ends[version]
            if ends and first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            else:
                self._begins[version].append(first)
                ends.append(last)
        self._all = everything

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
        for item in self._all:
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

"""Which number goes with an address: some bytes for each, for bulk look-ups beside a journal of millions.

A hash table in arrays. An address is told by 64 bits of a hash that has another key in each process: that one
of a million is taken for one of another million happens once in 10^7 runs. Nothing is ever taken out.
"""

from __future__ import annotations

import sys
from array import array
from itertools import compress, repeat
from operator import and_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SMALLEST = 1 << 12  # slots
_FULLEST = 0.6


def _print_of_halves(address: str) -> int:
    """Two hashes as one, where those of the system have 32 bits."""
    return (hash(address) & 0x7FFFFFFF) << 32 | hash(f"{address} ") & 0xFFFFFFFF


_print = hash if sys.hash_info.width >= 64 else _print_of_halves


def prints_of(addresses: Iterable[str]) -> list[int]:
    """Return what an index knows of these addresses; the same in all processes forked from one."""
    marks = list(map(_print, addresses))
    return marks if all(marks) else [mark or 1 for mark in marks]


class AddressIndex:
    """Addresses (any text) and numbers, the last that each was added with."""

    def __init__(self) -> None:
        self._prints = array("q", bytes(8 * _SMALLEST))  # 0 is an empty slot
        self._numbers = array("I", bytes(4 * _SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def reserve(self, count: int) -> None:
        """Make room for so many more addresses at once: growing costs as much as adding them."""
        size = len(self._prints)
        while self._count + count > _FULLEST * size:
            size *= 2
        if size > len(self._prints):
            self._grow(size)

    def add(self, addresses: Iterable[str], number: int) -> None:
        """Say that this number goes with these."""
        self.add_prints(prints_of(addresses), number)

    def add_prints(self, marks: Sequence[int], number: int) -> None:
        """The same for addresses of which there is only what ``prints_of`` gives."""
        self.reserve(len(marks))
        prints, numbers = self._prints, self._numbers
        mask = len(prints) - 1
        for mark in marks:
            slot = mark & mask
            while (there := prints[slot]) and there != mark:
                slot = (slot + 1) & mask
            if not there:
                prints[slot] = mark
                self._count += 1
            numbers[slot] = number

    def find(self, addresses: Iterable[str]) -> dict[str, int]:
        """The number of each address that was added."""
        addresses = list(addresses)
        if not self._count:
            return {}
        prints, numbers = self._prints, self._numbers
        mask = len(prints) - 1
        marks = prints_of(addresses)
        slots = list(map(and_, marks, repeat(mask)))
        found = {}
        # Most are where they would be first, or nowhere.
        for address, mark, slot, there in zip(
            addresses, marks, slots, map(prints.__getitem__, slots), strict=True
        ):
            while there:
                if there == mark:
                    found[address] = numbers[slot]
                    break
                slot = (slot + 1) & mask
                there = prints[slot]
        return found

    def _grow(self, size: int) -> None:
        old_prints, old_numbers = self._prints, self._numbers
        prints, numbers = array("q", bytes(8 * size)), array("I", bytes(4 * size))
        mask = size - 1
        if self._count:
            for mark, number in compress(zip(old_prints, old_numbers, strict=True), old_prints):
                slot = mark & mask
                while prints[slot]:
                    slot = (slot + 1) & mask
                prints[slot], numbers[slot] = mark, number
        self._prints, self._numbers = prints, numbers

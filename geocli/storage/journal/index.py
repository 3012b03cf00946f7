"""Which segment holds an address: some bytes for each, for bulk look-ups beside a journal of millions.

A hash table of 32-bit prints in arrays: a print says where an address probably is, the segment itself says
whether. Nothing is ever taken out: what a flush forgot is found to be gone where it was.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PRINT = 0xFFFFFFFF
_SMALLEST = 1 << 12  # slots
_FULLEST = 0.6


class AddressIndex:
    """Addresses (any text) and numbers, the last that each was added with."""

    def __init__(self) -> None:
        self._prints = array("I", bytes(4 * _SMALLEST))  # 0 is an empty slot
        self._numbers = array("I", bytes(4 * _SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, addresses: list[str], number: int) -> None:
        """Say that these are in the segment with this number."""
        while self._count + len(addresses) > _FULLEST * len(self._prints):
            self._grow()
        prints, numbers = self._prints, self._numbers
        mask = len(prints) - 1
        for address in addresses:
            mark = hash(address) & _PRINT or 1
            slot = mark & mask
            while (there := prints[slot]) and there != mark:
                slot = (slot + 1) & mask
            if not there:
                prints[slot] = mark
                self._count += 1
            numbers[slot] = number

    def find(self, addresses: Iterable[str]) -> dict[str, int]:
        """The number of each address that was added, and rarely of one that was not."""
        prints, numbers = self._prints, self._numbers
        mask = len(prints) - 1
        found = {}
        for address in addresses:
            mark = hash(address) & _PRINT or 1
            slot = mark & mask
            while there := prints[slot]:
                if there == mark:
                    found[address] = numbers[slot]
                    break
                slot = (slot + 1) & mask
        return found

    def _grow(self) -> None:
        old_prints, old_numbers = self._prints, self._numbers
        size = 2 * len(old_prints)
        prints, numbers = array("I", bytes(4 * size)), array("I", bytes(4 * size))
        mask = size - 1
        for mark, number in zip(old_prints, old_numbers, strict=True):
            if mark:
                slot = mark & mask
                while prints[slot]:
                    slot = (slot + 1) & mask
                prints[slot], numbers[slot] = mark, number
        self._prints, self._numbers = prints, numbers

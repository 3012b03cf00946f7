"""The search tree of a new MMDB file, made from below in one pass over ascending ranges.

A range is cut into blocks of 2^n addresses. Two blocks of equal size that make the next larger one become a
node, like the digits of a binary counter: so there are never more than 128 blocks at hand. Equal subtrees are
one node, which is stored once: a reader only follows the tree downwards, so it cannot tell. Equal leaves that
are neighbours are one leaf.

The format: MaxMind DB File Format Specification 2.0, "Binary Search Tree Section".
"""

from __future__ import annotations

from typing import NamedTuple

EMPTY = 0
"""The record of a block about which nothing is known."""

_BITS = 128
_SEPARATOR = 16  # the number of zero bytes behind the tree, which records that lead to data count with


class Growth(NamedTuple):
    """A finished tree: its nodes, each a left and a right record, and how many networks were put into it."""

    nodes: list[tuple[int, int]]
    networks: int


class TreeBuilder:
    """Takes ranges of 128-bit addresses in ascending order, without overlaps.

    A record above 0 is a node, counted from 1 in the order in which they were made; one below is a leaf.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int], int] = {}
        self._blocks: list[int] = []  # records of the blocks at hand
        self._next = 0  # the first address that is in none of them
        self._networks = 0

    def add(self, start: int, end: int, leaf: int) -> None:
        """Put an inclusive range into the tree. ``leaf`` is below 0."""
        if start < self._next:
            raise ValueError("ranges do not ascend")
        self._fill(start - 1, EMPTY)
        self._networks += self._fill(end, leaf)

    def finish(self) -> Growth:
        """Return the tree; its root is the last node."""
        self._fill((1 << _BITS) - 1, EMPTY)
        (root,) = self._blocks
        if root <= EMPTY:  # the format knows no tree without a node
            self._nodes[root, root] = 1
        return Growth(list(self._nodes), self._networks)

    def _fill(self, end: int, record: int) -> int:
        """Add blocks up to and with ``end``; return how many."""
        count, at = 0, self._next
        while at <= end:
            bits = (end + 1 - at).bit_length() - 1  # of the largest block that is not too long
            if at:
                bits = min(bits, (at & -at).bit_length() - 1)  # and may begin here
            at += 1 << bits
            self._push(at, bits, record)
            count += 1
        self._next = at
        return count

    def _push(self, end: int, bits: int, record: int) -> None:
        blocks, nodes = self._blocks, self._nodes
        while not end >> bits & 1 and bits < _BITS:  # it is the right half of the next larger block
            left = blocks.pop()
            if left != record or record > EMPTY:
                pair = left, record
                record = nodes.setdefault(pair, len(nodes) + 1)
            bits += 1
        blocks.append(record)


def write_tree(growth: Growth, places: list[int], data_size: int) -> tuple[bytes, int]:
    """Return the bytes of a tree, and how many bits a record has in it.

    ``places`` are where the data of the leaves -1, -2, ... begin, in a data section of ``data_size`` bytes.
    """
    count = len(growth.nodes)
    first = count + _SEPARATOR
    bits = next(bits for bits in (24, 28, 32) if first + data_size <= 1 << bits)

    def number(record: int) -> int:
        if record == EMPTY:
            return count
        return count - record if record > EMPTY else first + places[-record - 1]

    numbers = [(number(left), number(right)) for left, right in reversed(growth.nodes)]  # the root is node 0
    if bits == 28:
        packed = (
            (left & 0xFFFFFF) << 32 | (left >> 24) << 28 | (right >> 24) << 24 | right & 0xFFFFFF
            for left, right in numbers
        )
        return b"".join(node.to_bytes(7) for node in packed), bits
    return b"".join((left << bits | right).to_bytes(bits // 4) for left, right in numbers), bits

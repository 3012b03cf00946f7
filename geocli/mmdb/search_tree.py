"""The search tree of an MMDB file, walked for thousands of addresses at once.

Where many addresses are asked about, most of a database's work is to make the same record again and again.
The tree alone says which record it would be, and for which network that holds, in a fraction of the time.
Making the tree ready takes a tenth of a second, so it is for many. Nothing in the file is trusted: a record
that leads nowhere is an ``IndexError``.

The format: MaxMind DB File Format Specification 2.0, "Binary Search Tree Section".
"""

from __future__ import annotations

import sys
from array import array
from functools import cache
from itertools import chain, compress, count, repeat
from operator import add, and_
from socket import AF_INET6, inet_aton, inet_ntoa, inet_ntop, inet_pton
from struct import iter_unpack, pack, unpack
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_T = TypeVar("_T")

_HIGH_NIBBLE = bytes(octet >> 4 for octet in range(256))
_LOW_NIBBLE = bytes(octet & 15 for octet in range(256))
_PLACES = (0, 1, 2, 3) if sys.byteorder == "big" else (3, 2, 1, 0)
"""Where in a number of 32 bits each of its bytes lies, the most significant first."""
_NODES_AT_ONCE = 4096  # what is made of them fits into the processor's cache
_MASKS = [(0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF for bits in range(33)]
_UPPER_MASKS = [((1 << 64) - 1 << max(64 - bits, 0)) & (1 << 64) - 1 for bits in range(129)]
_LOWER_MASKS = [((1 << 64) - 1 << 128 - bits) & (1 << 64) - 1 if bits > 64 else 0 for bits in range(129)]
_TAILS = [f"/{bits}" for bits in range(129)]
_TOP = 16
"""Bits that one look in a table decides."""
_THIRD = 24  # bits
_UNDECIDED = _TOP + 1
"""Stands for how many bits decide, where more than those do."""
_REST = range(31 - _TOP, -1, -1)
"""How far the other bits are from the end."""
_MOST_TOPS = 50_000
"""First halves of IPv6 prefixes that are remembered: some 10 MB."""


class Forest:
    """The search trees of several files, walked together."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._trees = trees
        # The longest prefix: only there do all files say this.
        bits = [tree.top_bits for tree in trees]
        longest = bytes(map(max, *bits)) if len(bits) > 1 else bits[0]
        # Of most addresses, the first 16 bits decide. Their network is written once; that of others is how
        # it begins.
        self._networks = _top_networks(longest)
        self._is_open = bytes(depth > _TOP for depth in longest)

    def find(self, addresses: Sequence[str]) -> tuple[Sequence[Any], list[str]]:
        """For each canonical IPv4 address what it leads to, and the network this holds for, as CIDR text.

        What is equal leads to the same records in all files. Raises ``IndexError`` when a tree leads nowhere.
        """
        packed = _packed(addresses)
        tops = unpack(">" + "H2x" * len(addresses), packed)
        networks = list(map(self._networks.__getitem__, tops))
        pointers = [list(map(tree.tops.__getitem__, tops)) for tree in self._trees]
        undecided = list(compress(count(), map(self._is_open.__getitem__, tops)))
        if undecided:
            numbers = list(map(_numbers(packed).__getitem__, undecided))
            found, prefixes = zip(*(tree.find(numbers) for tree in self._trees), strict=True)
            for column, records in zip(pointers, found, strict=True):
                _put(column, undecided, records)
            longest = list(map(max, *prefixes)) if len(prefixes) > 1 else prefixes[0]
            _put(networks, undecided, self._texts(numbers, longest))
        return (list(zip(*pointers, strict=True)) if len(pointers) > 1 else pointers[0]), networks

    def _texts(self, numbers: Sequence[int], prefixes: Sequence[int]) -> list[str]:
        """The networks of addresses of which more than the first bits decide: of most, the third octet."""
        heads, tails = self._networks, _third_octets()
        return [
            heads[number >> _TOP] + tails[bits][number >> 8 & 255]
            if bits <= _THIRD
            else _texts([number], [bits])[0]
            for number, bits in zip(numbers, prefixes, strict=True)
        ]

    def find_v6(self, addresses: Sequence[str]) -> tuple[Sequence[Any], list[str]]:
        """The same for canonical IPv6 addresses of which none begins with zeros."""
        upper, lower = _halves(addresses)
        found, prefixes = zip(*(tree.find_v6(upper, lower) for tree in self._trees), strict=True)
        longest = list(map(max, *prefixes)) if len(prefixes) > 1 else prefixes[0]
        pointers = list(zip(*found, strict=True)) if len(found) > 1 else found[0]
        return pointers, _texts_v6(upper, lower, longest)


def _top_networks(longest: bytes) -> list[str]:
    """For each value of the first 16 bits the network that it decides, or how the text of one begins."""
    networks: list[str] = []
    while (top := len(networks)) < len(longest):
        bits = longest[top]
        head = f"{top >> 8}.{top & 255}."
        if bits > _TOP:
            networks.append(head)
        else:
            networks += [f"{head}0.0/{bits}"] * (1 << _TOP - bits)
    return networks


@cache
def _third_octets() -> dict[int, list[str]]:
    """How a network of 17 to 24 bits ends in text, by its bits and the third octet of an address in it."""
    return {
        bits: [f"{octet & _MASKS[bits] >> 8}.0/{bits}" for octet in range(256)]
        for bits in range(_TOP + 1, _THIRD + 1)
    }


def _put(column: list[_T], indexes: Sequence[int], values: Sequence[_T]) -> None:
    for index, value in zip(indexes, values, strict=True):
        column[index] = value


def network_texts(addresses: Sequence[str], prefixes: Sequence[int]) -> list[str]:
    """The network of so many bits that each canonical IPv4 address is in, as CIDR text."""
    return _texts(_numbers(_packed(addresses)), prefixes)


def network_texts_v6(addresses: Sequence[str], prefixes: Sequence[int]) -> list[str]:
    """The same of canonical IPv6 addresses of which none begins with zeros."""
    return _texts_v6(*_halves(addresses), prefixes)


def _halves(addresses: Sequence[str]) -> tuple[Sequence[int], Sequence[int]]:
    """The upper and the lower 64 bits of each IPv6 address."""
    numbers = unpack(f">{2 * len(addresses)}Q", b"".join(map(inet_pton, repeat(AF_INET6), addresses)))
    return numbers[::2], numbers[1::2]


def _texts_v6(upper: Sequence[int], lower: Sequence[int], prefixes: Sequence[int]) -> list[str]:
    columns = [map(and_, upper, map(_UPPER_MASKS.__getitem__, prefixes))]
    if max(prefixes, default=0) > 64:
        columns.append(map(and_, lower, map(_LOWER_MASKS.__getitem__, prefixes)))
        packed = pack(f">{2 * len(upper)}Q", *chain.from_iterable(zip(*columns, strict=True)))
        octets: Iterable[bytes] = chain.from_iterable(iter_unpack("16s", packed))
    else:
        packed = pack(f">{len(upper)}Q", *columns[0])
        octets = map(add, chain.from_iterable(iter_unpack("8s", packed)), repeat(bytes(8)))
    return list(map(add, map(inet_ntop, repeat(AF_INET6), octets), map(_TAILS.__getitem__, prefixes)))


def _packed(addresses: Sequence[str]) -> bytes:
    return b"".join(map(inet_aton, addresses))


def _numbers(packed: bytes) -> Sequence[int]:
    return unpack(f">{len(packed) // 4}I", packed)


def _texts(numbers: Sequence[int], prefixes: Sequence[int]) -> list[str]:
    packed = pack(f">{len(numbers)}I", *map(and_, numbers, map(_MASKS.__getitem__, prefixes)))
    octets = chain.from_iterable(iter_unpack("4s", packed))
    return list(map(add, map(inet_ntoa, octets), map(_TAILS.__getitem__, prefixes)))


class Tree:
    """A file's search tree, ready for IPv4 and for IPv6 addresses.

    ``data`` is the file, ``node_count`` and ``record_size`` (bits: 24, 28 or 32) are what its metadata says.
    Raises ``ValueError`` for what cannot be.
    """

    def __init__(self, data: bytes, node_count: int, record_size: int, ip_version: int) -> None:
        size = node_count * record_size // 4
        if record_size not in {24, 28, 32} or not node_count > 0 or size > len(data):
            raise ValueError("the search tree is larger than the file")
        self.empty = node_count
        """The record that says that nothing is known."""
        self.records = _records(data[:size], record_size)
        """The left and the right record of each node, one after the other: below ``empty``, another node."""
        self.tops, self.top_bits = self._first_bits(96 if ip_version == 6 else 0)
        """What the first 16 bits of an IPv4 address lead to, a record or a node, and how many decide."""
        self._has_v6 = ip_version == 6
        self._tops_v6: dict[
            int, tuple[int, int]
        ] = {}  # by the first 32 bits: where they lead, and how many did

    def find(self, numbers: Sequence[int]) -> tuple[list[int], list[int]]:
        """For each address its record, ``empty`` or a pointer into the data, and how long its prefix is.

        Raises ``IndexError`` when the tree leads nowhere.
        """
        records, empty, tops, top_bits = self.records, self.empty, self.tops, self.top_bits
        found, prefixes = [], []
        for number in numbers:
            node = tops[number >> _TOP]
            if node >= empty:  # here the first bits decide, in another tree they do not
                found.append(node)
                prefixes.append(top_bits[number >> _TOP])
                continue
            for shift in _REST:
                node = records[node + node + (number >> shift & 1)]
                if node >= empty:
                    break
            else:
                raise IndexError("an address has more than 32 bits")
            found.append(node)
            prefixes.append(32 - shift)
        return found, prefixes

    def find_v6(self, upper: Sequence[int], lower: Sequence[int]) -> tuple[list[int], list[int]]:
        """The same for IPv6 addresses, of which these are the halves, 64 bits each."""
        records, count, tops = self.records, self.empty, self._tops_v6
        if not self._has_v6:
            return [count] * len(upper), [0] * len(upper)
        if len(tops) > _MOST_TOPS:
            tops.clear()
        found, prefixes = [], []
        for index, number in enumerate(upper):
            top = number >> 32
            known = tops.get(top)
            if known is None:
                known = tops[top] = self._walk(0, top, 0, 32)
            node, bits = known
            if node < count:
                shift = 31
                while node < count and shift >= 0:
                    node = records[node + node + (number >> shift & 1)]
                    shift -= 1
                bits = 63 - shift
                if node < count:
                    node, bits = self._walk(node, lower[index], 64, 64)
                    if node < count:
                        raise IndexError("an address has more than 128 bits")
            found.append(node)
            prefixes.append(bits)
        return found, prefixes

    def _walk(self, node: int, number: int, decided: int, width: int) -> tuple[int, int]:
        """Where so many more bits lead from a node, and how many have decided then."""
        for shift in range(width - 1, -1, -1):
            if node >= self.empty:
                break
            node = self.records[node + node + (number >> shift & 1)]
            decided += 1
        return node, decided

    def _first_bits(self, skipped: int) -> tuple[array[int], bytes]:
        """What the first 16 bits lead to, for each value of theirs: a record, and how many bits decided."""
        records, empty = self.records, self.empty
        node = 0
        for _ in range(skipped):
            if node < empty:
                node = records[2 * node]
        if node >= empty:
            return array("I", [node]) * (1 << _TOP), bytes(1 << _TOP)
        tops, bits = array("I", bytes(4 << _TOP)), bytearray([_UNDECIDED]) * (1 << _TOP)
        nodes = {0: node}  # by the first value that leads to it
        for depth in range(1, _TOP + 1):
            size = 1 << _TOP - depth
            following = {}
            for begin, node in nodes.items():
                for first, record in ((begin, records[2 * node]), (begin + size, records[2 * node + 1])):
                    if record < empty:
                        following[first] = record
                    elif size == 1:
                        tops[first], bits[first] = record, depth
                    else:
                        tops[first : first + size] = array("I", [record]) * size
                        bits[first : first + size] = bytes([depth]) * size
            nodes = following
        for top, node in nodes.items():
            tops[top] = node
        return tops, bytes(bits)


def _records(tree: bytes, record_size: int) -> array[int]:
    """The left and the right record of each node, one after the other."""
    # In place: a large tree takes 40 MB, and a copy as much again.
    size = record_size // 4
    nodes = len(tree) // size
    records = array("I", [0]) * (2 * nodes)
    with memoryview(records).cast("B") as wide:
        for node in range(0, nodes, _NODES_AT_ONCE):
            following = min(node + _NODES_AT_ONCE, nodes)
            wide[8 * node : 8 * following] = _widened(tree[size * node : size * following], record_size)
    return records


def _widened(nodes: bytes, record_size: int) -> bytearray:
    """Records as numbers of 32 bits, in the machine's own order of bytes."""
    widened = bytearray(len(nodes) * 32 // record_size)
    if record_size == 28:
        widened[_PLACES[0] :: 8] = nodes[3::7].translate(_HIGH_NIBBLE)
        widened[_PLACES[0] + 4 :: 8] = nodes[3::7].translate(_LOW_NIBBLE)
        for octet in range(3):
            widened[_PLACES[octet + 1] :: 8] = nodes[octet::7]
            widened[_PLACES[octet + 1] + 4 :: 8] = nodes[octet + 4 :: 7]
    else:
        size = record_size // 8
        for octet in range(size):
            widened[_PLACES[octet + 4 - size] :: 4] = nodes[octet::size]
    return widened

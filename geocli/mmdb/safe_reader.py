"""Reads MMDB files that nobody vouches for: it ends in an answer or a ``BrokenError``, whatever is in them.

It has that part of the interface of maxminddb's C extension that ``file`` uses. The extension may crash, hang
or eat all memory over a file that was made to do harm. Here what an address costs is bounded: a step through
the search tree for each bit, and a record as ``decoding`` bounds it.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.mmdb.decoder import HEAVIEST_KEPT, BrokenError, Decoder
from geocli.mmdb.file_bytes import Content
from geocli.mmdb.layouts import mistyped
from geocli.mmdb.reader import FARTHEST, MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEPARATOR = 16
"""Bytes of zeros between search tree and data."""
_MOST_NODES = 1 << 25  # to check all of them takes 13 bytes of memory each; the largest files have 5,000,000
_AGES = range(631152000, 4102444800)  # 1990 to 2100, seconds: no database of networks is of another time
_MOST_KEPT = 1 << 16  # places in the tree to begin at


class Metadata(NamedTuple):
    """What a file says of itself, as far as a reader needs it. ``build_epoch``: seconds since 1970."""

    node_count: int
    record_size: int
    ip_version: int
    database_type: str
    description: dict[str, str]
    build_epoch: int


class SafeReader:
    """One file, open. Raises ``OSError`` when it cannot be read, ``BrokenError`` when it is no database."""

    def __init__(self, path: Path) -> None:
        content = Content(path)
        self.check = content.check
        """To be called before ``content`` is used."""
        self.content = content.data
        self.data_end = self.content.rfind(MARKER, max(0, len(self.content) - FARTHEST))
        if self.data_end < 0:
            raise BrokenError("it has no metadata")
        begin = self.data_end + len(MARKER)
        self._metadata = _checked(Decoder(self.content, begin, len(self.content)).value(0))
        self.nodes = self._metadata.node_count
        self.bits = 128 if self._metadata.ip_version == 6 else 32
        self.record_size = self._metadata.record_size
        self.tree_size = self.nodes * self.record_size // 4
        self.data_size = self.data_end - self.tree_size - SEPARATOR
        if self.data_size < 0:
            raise BrokenError("its search tree would be larger than the file")
        if any(self.content[self.tree_size : self.tree_size + SEPARATOR]):
            raise BrokenError("there are no zeros between its search tree and its data")
        self.decoder = Decoder(self.content, self.tree_size + SEPARATOR, self.data_end)
        self._records: dict[int, Any] = {}
        self._begins: dict[bytes, tuple[int, int]] = {}  # keys of 2 bytes are IPv4, of 4 IPv6
        self._weight = 0
        self._ipv4, _ = self._walk(0, 0, self.bits - 32)  # IPv4 is ::/96 in a tree of IPv6

    def metadata(self) -> Metadata:
        """What the file says of itself."""
        return self._metadata

    def get_with_prefix_len(self, address: str) -> tuple[Any, int]:
        """The record of an address, or ``None``, and the length of the prefix it holds for."""
        self.check()
        if ":" in address:
            if self.bits == 32:
                raise BrokenError("a database of IPv4 was asked about an IPv6 address")
            record, depth = self._end(inet_pton(AF_INET6, address), 4, 0)
        else:
            record, depth = self._end(inet_pton(AF_INET, address), 2, self._ipv4)
        return (None if record == self.nodes else self.record(record)), depth

    def record(self, number: int) -> Any:
        """The data that a record of the search tree leads to. Raises ``BrokenError``."""
        try:
            return self._records[number]
        except KeyError:
            data = self.data(number)
        self._weight += self.decoder.weight
        if self._weight > HEAVIEST_KEPT:
            self._records.clear()
            self._weight = self.decoder.weight
        self._records[number] = data
        return data

    def data(self, number: int) -> Any:
        """The same for whoever asks once about each record: it is not kept. Raises ``BrokenError``."""
        if number < self.nodes + SEPARATOR:
            raise BrokenError(f"a record of the search tree leads nowhere ({number})")
        self.check()
        data = self.decoder.value(number - self.nodes - SEPARATOR)
        if isinstance(data, dict) and (wrong := mistyped(data)) is not None:
            place = self.tree_size + number - self.nodes
            raise BrokenError(f"{wrong} in the record at byte {place} is of a type that it cannot be")
        return data

    def some_addresses(self, most: int) -> Iterator[tuple[bytes, int]]:
        """Addresses (packed) in ``most`` networks that have data, and the number of the record of each.

        Each record once, from different parts of the tree.
        """
        paths = [(0, 0, 0)]
        seen: set[int] = set()
        for step in range(most * self.bits):  # a tree that was made to do harm may have no end
            if not paths or len(seen) >= most:
                return
            # Mostly straight down, but time and again from the other half of what is left.
            node, value, depth = paths.pop(-1 if step % self.bits else 0)
            if node < self.nodes and depth < self.bits:
                left, right = self.pair(node)
                paths += [(right, value << 1 | 1, depth + 1), (left, value << 1, depth + 1)]
            elif node > self.nodes and node not in seen:
                seen.add(node)
                yield (value << self.bits - depth).to_bytes(self.bits // 8), node

    def pair(self, node: int) -> tuple[int, int]:
        """Both records of a node of the search tree."""
        self.check()
        return self._record(node, 0), self._record(node, 1)

    def _record(self, node: int, right: int) -> int:
        size, content = self.record_size, self.content
        if size == 28:
            at = node * 7
            middle = content[at + 3]
            if right:
                return (middle & 15) << 24 | int.from_bytes(content[at + 4 : at + 7])
            return middle >> 4 << 24 | int.from_bytes(content[at : at + 3])
        width = size >> 3
        at = (node * 2 + right) * width
        return int.from_bytes(content[at : at + width])

    def _end(self, packed: bytes, known: int, begin: int) -> tuple[int, int]:
        """Where an address leads from a node: a record that is no node, and after how many bits.

        Addresses whose first ``known`` bytes are the same take so many bits together.
        """
        place = self._begins.get(packed[:known])
        value, bits = int.from_bytes(packed), (len(packed) - known) * 8
        if place is None:
            if len(self._begins) >= _MOST_KEPT:
                self._begins.clear()
            self._begins[packed[:known]] = place = self._walk(begin, value >> bits, known * 8)
        node, depth = place
        if node < self.nodes:
            node, more = self._walk(node, value, bits)
            depth += more
            if node < self.nodes:
                raise BrokenError("the search tree goes on behind the last bit of an address")
        return node, depth

    def _walk(self, node: int, value: int, bits: int) -> tuple[int, int]:
        """The same for the last ``bits`` bits of ``value``; it may end in a node."""
        nodes, size, content = self.nodes, self.record_size, self.content
        for shift in range(bits - 1, -1, -1):
            if node >= nodes:
                return node, bits - 1 - shift
            if size == 28:
                node = self._record(node, value >> shift & 1)
            else:
                at = (node * 2 + (value >> shift & 1)) * (size >> 3)
                node = int.from_bytes(content[at : at + (size >> 3)])
        return node, bits


def _checked(found: Any) -> Metadata:
    if type(found) is not dict:
        raise BrokenError("its metadata is no map")
    values = [found.get(name, {} if name == "description" else None) for name in Metadata._fields]
    for name, value, kind in zip(Metadata._fields, values, (int, int, int, str, dict, int), strict=True):
        if type(value) is not kind:
            raise BrokenError(f"{name} in its metadata is missing, or of the wrong type")
    metadata = Metadata._make(values)
    if found.get("binary_format_major_version") != 2:
        raise BrokenError("it is of another version of the format than 2")
    if metadata.record_size not in {24, 28, 32}:
        raise BrokenError(f"record_size in its metadata is {metadata.record_size}")
    if metadata.ip_version not in {4, 6}:
        raise BrokenError(f"ip_version in its metadata is {metadata.ip_version}")
    if metadata.node_count < 1:
        raise BrokenError("its search tree is empty")
    if metadata.node_count > _MOST_NODES:
        raise BrokenError(f"its search tree has {metadata.node_count} nodes: more than can be checked")
    if not all(isinstance(text, str) for text in metadata.description.values()):
        raise BrokenError("a description in its metadata is no text")
    if metadata.build_epoch not in _AGES:
        raise BrokenError(f"build_epoch in its metadata is {metadata.build_epoch}: no time that has been")
    return metadata

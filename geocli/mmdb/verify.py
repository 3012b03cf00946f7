"""Walks a whole MMDB file: the search tree, every record that it leads to, and what the file says of itself.

A file that passes holds nothing that could harm the quick reader in C. Equal parts of a tree may be stored
once, so a node that two others lead to is no loop; a path longer than an address is.
"""

from __future__ import annotations

import sys
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.mmdb.decoder import BrokenError
from geocli.mmdb.downloads.installed import KINDS
from geocli.mmdb.embedded import EMBEDDED
from geocli.mmdb.layouts import FIELDS, answer_of, mistyped
from geocli.mmdb.reader import unreadable
from geocli.mmdb.safe_reader import SEPARATOR, SafeReader
from geocli.model.errors import ClosedDirectoryError, DamagedFileError, TryAgainError, UsageError
from geocli.system.files import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geocli.mmdb.trusted import TrustedFiles

_WORK = 4  # by how much more than once data may be decoded: values that pointers lead to are, now and then
_SLACK = 1 << 20
_CHUNK = 1 << 16  # nodes
_STEP = 1 << 14  # records from one word about progress to the next
_TELLING = 10_000  # records that are looked at closely; of the others, some
_HIGH = bytes(byte >> 4 for byte in range(256))
_LOW = bytes(byte & 15 for byte in range(256))


class Verified(NamedTuple):
    """What a whole file has: nodes of its tree, distinct records, and which of ``KINDS`` these give."""

    nodes: int
    records: int
    gives: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"whole; {self.nodes} nodes, {self.records} records; gives {', '.join(self.gives) or 'nothing'}"
        )


def _silent(*_: object) -> None:
    pass


def check(path: Path, progress: Callable[[str, int, int], None] = _silent) -> Verified:
    """Check everything in a file. Raises ``BrokenError``, which says what is wrong where, and ``OSError``."""
    reader = SafeReader(path)
    numbers = _check_tree(reader)
    return Verified(reader.nodes, len(numbers), _check_records(reader, numbers, progress))


def verify(path: Path, progress: Callable[[str, int, int], None] = _silent) -> Verified:
    """The same for a user's file. Raises ``DamagedFileError``, ``TryAgainError`` when not now."""
    try:
        return check(path, progress)
    except (OSError, MemoryError) as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # BrokenError, and a name that no file can have
        raise DamagedFileError(path, str(error), "get it again") from None


def vet(path: Path, vetted: TrustedFiles, progress: Callable[[str, int, int], None] = _silent) -> Verified:
    """Check a file, and put it on the list of those that are whole. Raises what ``verify`` does."""
    try:
        before = path.stat()
        checked = verify(path, progress)
        after = path.stat()
    except (OSError, ValueError):
        return verify(path)  # it has the words for what is wrong
    if fingerprint(before) != fingerprint(after):
        raise DamagedFileError(path, "was changed while it was checked", "check it again")
    if path.parent != EMBEDDED:
        with suppress(TryAgainError, ClosedDirectoryError, UsageError):  # it is whole all the same
            vetted.remember(path, before)
    return checked


def gives(reader: SafeReader, most: int = 200) -> tuple[str, ...]:
    """Which of ``KINDS`` a file gives, as far as some of its records tell. Raises ``BrokenError``."""
    found: set[str] = set()
    for _, number in reader.some_addresses(most):
        found |= kinds_of(reader.record(number))
    return tuple(kind for kind in KINDS if kind in found)


def is_of_use(reader: SafeReader, most: int = 1000) -> bool:
    """Whether a file may have fields of geocli's, as far as some of its records tell.

    MaxMind's Anonymous-IP, Connection-Type and Domain files have none. Raises ``BrokenError``.
    """
    records = (reader.record(number) for _, number in reader.some_addresses(most))
    other = False
    for data in records:
        if not isinstance(data, dict) or not data or not FIELDS.isdisjoint(data):
            return True
        other = True
    return not other


def kinds_of(data: Any) -> set[str]:
    """Which of ``KINDS`` a record gives."""
    if not isinstance(data, dict):
        return set()
    answer = answer_of(data)
    values = zip(KINDS, (answer.country_code, answer.city, answer.asn), strict=True)
    return {kind for kind, value in values if value is not None}


def _check_tree(reader: SafeReader) -> list[int]:
    """See that every path ends within an address. The records that lead to data, in order of the data."""
    nodes, records = reader.nodes, _records(reader)
    numbers = sorted({number for number in records if number > nodes})
    if numbers:
        for wrong in (numbers[0], numbers[-1]):
            if not nodes + SEPARATOR <= wrong < nodes + SEPARATOR + reader.data_size:
                node = records.index(wrong) >> 1
                raise BrokenError(f"node {node} of its search tree leads outside of the data ({wrong})")
    parents = array("I", bytes(4 * nodes))
    for number in records:
        if number < nodes:
            parents[number] += 1
    depths = bytearray(nodes)
    waiting = [node for node, count in enumerate(parents) if not count]
    done, deepest = 0, reader.bits
    # A node's turn is when all its parents had theirs: in a loop, no node's ever is.
    while waiting:
        node = waiting.pop()
        done += 1
        depth = depths[node] + 1
        for number in (records[2 * node], records[2 * node + 1]):
            if number < nodes:
                if depths[number] < depth:
                    if depth >= deepest:
                        raise BrokenError(f"node {number} of its search tree is behind an address's last bit")
                    depths[number] = depth
                parents[number] -= 1
                if not parents[number]:
                    waiting.append(number)
    if done < nodes:
        loop = next(node for node, count in enumerate(parents) if count)
        raise BrokenError(f"its search tree has a loop: node {loop} is on it, or behind it")
    return numbers


def _records(reader: SafeReader) -> array[int]:
    """All records of the tree, two a node: their bytes are moved together, not looked at one by one."""
    found = array("I")
    size = reader.record_size // 4
    for begin in range(0, reader.nodes, _CHUNK):
        reader.check()
        count = min(_CHUNK, reader.nodes - begin)
        tree = reader.content[begin * size : (begin + count) * size]
        little = bytearray(8 * count)
        if size == 7:
            for byte, (left, right) in enumerate(((2, 6), (1, 5), (0, 4))):
                little[byte::8], little[byte + 4 :: 8] = tree[left::7], tree[right::7]
            little[3::8], little[7::8] = tree[3::7].translate(_HIGH), tree[3::7].translate(_LOW)
        else:
            width = size // 2
            for byte in range(width):
                little[byte::4] = tree[width - 1 - byte :: width]
        found.frombytes(little)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _check_records(
    reader: SafeReader, numbers: list[int], progress: Callable[[str, int, int], None]
) -> tuple[str, ...]:
    decoder, base = reader.decoder, reader.nodes + SEPARATOR
    most = _WORK * reader.data_size + _SLACK
    found: set[str] = set()
    for done, number in enumerate(numbers):
        if done % _STEP == 0:
            progress("checking records", done, len(numbers))
        reader.check()
        data = decoder.value(number - base)
        if decoder.work > most:
            raise BrokenError("its records lie across each other: there is more in them than in the file")
        if isinstance(data, dict):
            if (wrong := mistyped(data)) is not None:
                place = reader.tree_size + number - reader.nodes
                raise BrokenError(f"{wrong} in the record at byte {place} is of a type that it cannot be")
            if done < _TELLING or (len(found) < len(KINDS) and done % 10 == 0):
                found |= kinds_of(data)
    return tuple(kind for kind in KINDS if kind in found)

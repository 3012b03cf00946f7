"""The values in an MMDB file, decoded with every size, pointer and type checked before it is used.

The format is https://maxmind.github.io/MaxMind-DB/: a control byte says type and size, a pointer leads to a
value that is used several times. So a few bytes can say "a list of ten lists of ten lists ..."; what a value
weighs when it is written out, and how deep it goes, is bounded. Whatever is wrong is a ``BrokenError``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmap import mmap

HEAVIEST = 1 << 16
"""What a record may weigh: one for each value, and its bytes for text. Vendors' largest have 5,000.

The reader in C takes no record of more values ("Reader Resource Limits" in the format's specification).
"""

DEEPEST = 128
"""Levels of lists and maps in a record. Vendors need five; the C library bears at 512."""

HEAVIEST_KEPT = 1 << 20
"""Weight of all values that may be kept for the next time: some 50 MB."""

_POINTER, _TEXT, _DOUBLE, _BYTES, _UINT16, _UINT32, _MAP = 1, 2, 3, 4, 5, 6, 7
_INT32, _UINT64, _UINT128, _ARRAY, _BOOLEAN, _FLOAT = 8, 9, 10, 11, 14, 15
_WIDEST = {_UINT16: 2, _UINT32: 4, _INT32: 4, _UINT64: 8, _UINT128: 16}  # bytes

_Decoded = tuple[Any, int, int]  # a value, where it ends, how many levels it has


class BrokenError(ValueError):
    """The bytes are not what the format promises. The message says what is wrong, and where."""


class Decoder:
    """Decodes the values in ``content`` from byte ``begin`` to ``end``; pointers count from ``begin``.

    Values that pointers lead to are decoded once and shared: nobody may change them.
    """

    def __init__(self, content: bytes | mmap, begin: int, end: int) -> None:
        self._content = content
        self._begin = begin
        self._end = end
        self._shared: dict[int, tuple[Any, int, int]] = {}  # by place: value, weight, levels
        self._kept = 0
        self._left = 0
        self.weight = 0
        """What the value decoded last weighs."""
        self.work = 0
        """How much has been decoded in all, by weight: not what was shared."""

    def value(self, place: int, heaviest: int = HEAVIEST) -> Any:
        """The value at ``place``, counted from the begin of the section. Raises ``BrokenError``."""
        self._left = heaviest
        value = self._decode(self._begin + place, 0)[0]
        self.weight = heaviest - self._left
        return value

    def _decode(self, at: int, depth: int) -> _Decoded:
        content, end = self._content, self._end
        if not self._begin <= at < end:
            raise BrokenError(f"a value at byte {at} is outside of the data")
        control = content[at]
        begin, at = at, at + 1
        kind, size = control >> 5, control & 31
        if kind == _POINTER:
            return self._follow(begin, at, control, depth)
        if kind == 0:
            if at >= end:
                raise BrokenError(f"the value at byte {begin} is cut off")
            kind, at = content[at] + 7, at + 1
        if size > 28:
            width = size - 28
            size = (29, 285, 65821)[width - 1] + int.from_bytes(content[at : at + width])
            at += width
        if kind == _TEXT:
            self._weigh(1 + size, begin)
            if at + size > end:
                raise BrokenError(f"the text at byte {begin} is longer than the data")
            try:
                return str(content[at : at + size], "utf-8"), at + size, 0
            except UnicodeDecodeError:
                raise BrokenError(f"the text at byte {begin} is not UTF-8") from None
        if kind == _MAP:
            return self._map(begin, at, size, depth)
        if kind == _ARRAY:
            return self._array(begin, at, size, depth)
        return self._scalar(begin, at, kind, size), at + (0 if kind == _BOOLEAN else size), 0

    def _map(self, begin: int, at: int, size: int, depth: int) -> _Decoded:
        self._enter(begin, size, depth)
        decode, levels = self._decode, 0
        found = {}
        for _ in range(size):
            key, at, _ = decode(at, depth + 1)
            if type(key) is not str:  # the C extension takes it for text without asking, and dies of it
                raise BrokenError(f"a key in the map at byte {begin} is no text")
            found[key], at, below = decode(at, depth + 1)
            if below > levels:
                levels = below
        return found, at, levels + 1

    def _array(self, begin: int, at: int, size: int, depth: int) -> _Decoded:
        self._enter(begin, size, depth)
        levels = 0
        found = []
        for _ in range(size):
            value, at, below = self._decode(at, depth + 1)
            found.append(value)
            if below > levels:
                levels = below
        return found, at, levels + 1

    def _enter(self, begin: int, size: int, depth: int) -> None:
        if depth >= DEEPEST:
            raise BrokenError(f"the values at byte {begin} are nested more than {DEEPEST} deep")
        if size > self._end - begin:  # each has a byte at least
            raise BrokenError(f"the value at byte {begin} has more parts than the data has bytes")
        self._weigh(1, begin)

    def _weigh(self, weight: int, at: int) -> None:
        self._left -= weight
        self.work += weight
        if self._left < 0:
            raise BrokenError(f"the record that has the value at byte {at} is too large")

    def _follow(self, begin: int, at: int, control: int, depth: int) -> _Decoded:
        width = (control >> 3 & 3) + 1
        if at + width > self._end:
            raise BrokenError(f"the pointer at byte {begin} is cut off")
        number = int.from_bytes(self._content[at : at + width])
        place = number if width == 4 else ((control & 7) << 8 * width | number) + (0, 0, 2048, 526336)[width]
        shared = self._shared.get(place)
        if shared is None:
            target = self._begin + place
            if target < self._end and self._content[target] >> 5 == _POINTER:
                raise BrokenError(f"the pointer at byte {begin} leads to another pointer")
            before = self._left
            value, _, levels = self._decode(target, depth)
            weight = before - self._left
            self._kept += weight
            if self._kept > HEAVIEST_KEPT:
                self._shared.clear()
                self._kept = weight
            self._shared[place] = value, weight, levels
            return value, at + width, levels
        value, weight, levels = shared
        self._left -= weight
        if self._left < 0:
            raise BrokenError(f"the record that has the pointer at byte {begin} is too large")
        if depth + levels > DEEPEST:
            raise BrokenError(f"the values at byte {begin} are nested more than {DEEPEST} deep")
        return value, at + width, levels

    def _scalar(self, begin: int, at: int, kind: int, size: int) -> object:
        self._weigh(1 + (size if kind == _BYTES else 0), begin)
        if kind == _BOOLEAN:
            if size > 1:
                raise BrokenError(f"the boolean at byte {begin} is neither true nor false")
            return size == 1
        if at + size > self._end:
            raise BrokenError(f"the value at byte {begin} is longer than the data")
        data = self._content[at : at + size]
        if kind in _WIDEST:
            if size > _WIDEST[kind]:
                raise BrokenError(f"the integer at byte {begin} has {size} bytes")
            number = int.from_bytes(data)
            return number - (1 << 32) if kind == _INT32 and number >> 31 else number
        if (kind, size) == (_DOUBLE, 8):
            return struct.unpack(">d", data)[0]
        if (kind, size) == (_FLOAT, 4):
            return struct.unpack(">f", data)[0]
        if kind == _BYTES:
            return data
        raise BrokenError(f"the value at byte {begin} has a type or a size that there is none of")

"""Writes values of the MMDB format. What was written before is pointed to.

The format: MaxMind DB File Format Specification 2.0, "Output Data Section".
"""

from __future__ import annotations

from typing import Any, NamedTuple

_POINTER, _TEXT, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 1, 2, 5, 6, 7, 9, 11
_EXTENDED = 7  # types above are written as 0, and the rest in a byte of its own
_POINTERS = ((11, 0), (19, 2048), (27, 526336))  # bits of a pointer of 2, 3, 4 bytes, and where it begins


class Uint(NamedTuple):
    """An integer of so many bits: 16, 32 or 64. Readers mind in which type metadata are."""

    value: int
    bits: int


class Encoder:
    """One section of data, growing."""

    def __init__(self, *, sharing: bool = True) -> None:
        self.data = bytearray()
        self._sharing = sharing
        self._places: dict[Any, int] = {}

    def add(self, value: Any) -> int:
        """Write a value if it is new. Return where it is."""
        key = _key(value)
        place = self._places.get(key)
        if place is None:
            # What is inside comes first, so that it can be pointed to.
            parts = b"".join(self._parts(value)) if isinstance(value, dict) else self._plain(value)
            place = self._places[key] = len(self.data)
            self.data += parts
        return place

    def _parts(self, values: dict[str, Any]) -> list[bytes]:
        found = [_control(_MAP, len(values))]
        for key, value in values.items():
            found += [self._part(key), self._part(value)]
        return found

    def _part(self, value: Any) -> bytes:
        """A value inside of another: a pointer where that is shorter."""
        if not self._sharing or not isinstance(value, str | dict):
            return b"".join(self._parts(value)) if isinstance(value, dict) else self._plain(value)
        if isinstance(value, str) and len(value.encode()) < 2:
            return self._plain(value)
        return _pointer(self.add(value))

    def _plain(self, value: Any) -> bytes:
        if isinstance(value, str):
            text = value.encode()
            return _control(_TEXT, len(text)) + text
        if isinstance(value, Uint):
            digits = value.value.to_bytes((value.value.bit_length() + 7) // 8)
            return _control({16: _UINT16, 32: _UINT32, 64: _UINT64}[value.bits], len(digits)) + digits
        return _control(_ARRAY, len(value)) + b"".join(map(self._plain, value))


def _key(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _key(inner)) for key, inner in value.items())
    return tuple(value) if isinstance(value, list) else value


def _control(kind: int, size: int) -> bytes:
    first, extended = (kind << 5, b"") if kind <= _EXTENDED else (0, bytes([kind - _EXTENDED]))
    for width, (least, code) in enumerate(((0, None), (29, 29), (285, 30), (65821, 31))):
        if code is None and size < 29:
            return bytes([first | size]) + extended
        if code is not None and size - least < 1 << 8 * width:
            return bytes([first | code]) + extended + (size - least).to_bytes(width)
    raise ValueError(f"a value of {size} parts is too large")


def _pointer(place: int) -> bytes:
    for width, (bits, least) in enumerate(_POINTERS, 1):
        if place - least < 1 << bits:
            number = place - least
            first = _POINTER << 5 | (width - 1) << 3 | number >> 8 * width
            return bytes([first]) + (number & (1 << 8 * width) - 1).to_bytes(width)
    return bytes([_POINTER << 5 | 3 << 3]) + place.to_bytes(4)

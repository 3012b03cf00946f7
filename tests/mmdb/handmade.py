"""MMDB files put together byte by byte: right ones of any record size, wrong ones of any kind."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geocli.mmdb.safe_reader import SafeReader

MARKER = b"\xab\xcd\xefMaxMind.com"
BUILT = 1_790_812_800  # 2026-10-01


def head(kind: int, size: int) -> bytes:
    """The control bytes of a value."""
    first, extended = (kind << 5, b"") if kind < 8 else (0, bytes([kind - 7]))
    if size < 29:
        return bytes([first | size]) + extended
    if size < 285:
        return bytes([first | 29]) + extended + bytes([size - 29])
    if size < 65821:
        return bytes([first | 30]) + extended + (size - 285).to_bytes(2)
    return bytes([first | 31]) + extended + (size - 65821).to_bytes(3)


def encode(value: Any) -> bytes:
    """A value without any pointers; bytes stand for themselves, already encoded."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return head(14, value)
    if isinstance(value, str):
        return head(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return head(3, 8) + struct.pack(">d", value)
    if isinstance(value, dict):
        return head(7, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
    if isinstance(value, list):
        return head(11, len(value)) + b"".join(map(encode, value))
    data: bytes = value.to_bytes((value.bit_length() + 7) // 8)
    return head(6 if value < 2**32 else 10, len(data)) + data


def pointer(place: int) -> bytes:
    """A pointer to a place in the data, of the widest kind."""
    return b"\x38" + place.to_bytes(4)


def tree(pairs: Sequence[tuple[int, int]], size: int = 24) -> bytes:
    """Nodes of a search tree."""
    parts = []
    for left, right in pairs:
        if size == 28:
            middle = (left >> 24) << 4 | right >> 24
            parts.append((left & 0xFFFFFF).to_bytes(3) + bytes([middle]) + (right & 0xFFFFFF).to_bytes(3))
        else:
            parts.append(left.to_bytes(size // 8) + right.to_bytes(size // 8))
    return b"".join(parts)


def metadata(nodes: int, size: int = 24, **changes: Any) -> bytes:
    """What stands at the end of a file. A value that is ``None`` is left out."""
    values = {
        "node_count": nodes, "record_size": size, "ip_version": 4, "database_type": "Handmade",
        "languages": ["en"], "binary_format_major_version": 2, "binary_format_minor_version": 0,
        "build_epoch": BUILT, "description": {"en": "made by hand"},
    } | changes  # fmt: skip
    widths = {"record_size": 5, "ip_version": 5, "build_epoch": 9}
    widths |= {"binary_format_major_version": 5, "binary_format_minor_version": 5}
    for key, kind in widths.items():  # as the format has them
        if type(value := values[key]) is int:
            data = value.to_bytes((value.bit_length() + 7) // 8)
            values[key] = head(kind, len(data)) + data
    return MARKER + encode({key: value for key, value in values.items() if value is not None})


def write(path: Path, pairs: Sequence[tuple[int, int]], data: bytes, size: int = 24, **changes: Any) -> Path:
    """A file of these nodes, this data and this metadata."""
    path.write_bytes(tree(pairs, size) + bytes(16) + data + metadata(len(pairs), size, **changes))
    return path


def one_record(path: Path, data: bytes, **changes: Any) -> Path:
    """A file in which every IPv4 address has the record that begins where ``data`` does."""
    return write(path, [(17, 17)], data, **changes)


def repacked(source: Path, target: Path, size: int) -> Path:
    """The same database with records of another size in its tree."""
    reader = SafeReader(source)
    data = reader.content[reader.tree_size + 16 : reader.data_end]
    pairs = [reader.pair(node) for node in range(reader.nodes)]
    version = reader.metadata().ip_version
    return write(target, pairs, data, size, ip_version=version)

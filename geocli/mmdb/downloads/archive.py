"""Unpacks what was downloaded: an MMDB file as it is, gzipped, or in a gzipped tar archive.

Which of these it is, its bytes tell. Nothing in an archive decides where anything is written, and a few bytes
cannot become a full disk.
"""

from __future__ import annotations

import gzip
import os
import zlib
from typing import TYPE_CHECKING, BinaryIO

from geocli.mmdb.decoder import BrokenError
from geocli.system.files import open_private

if TYPE_CHECKING:
    from pathlib import Path

_GZIP = b"\x1f\x8b"
_RATIO = 50  # unpacked to packed: databases have 2 to 5
_FREE = 32 << 20  # bytes that may be unpacked before the ratio counts
_BLOCK = 512  # of a tar archive
_PIECE = 1 << 18
_MOST_MEMBERS = 1000
_REGULAR = {b"0", b"\0"}
_NAMES = {b"L", b"x"}
_LONGEST_NAME = 64 << 10  # bytes of a member that holds a name


def unpack(packed: Path, target: Path, most: int) -> Path:
    """The database in ``packed``: that file itself, or ``target``, newly written, of ``most`` bytes at most.

    Raises ``BrokenError`` for what cannot be unpacked, and ``OSError`` where it cannot be written.
    """
    with packed.open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            return packed
        file.seek(0)
        stream = _Bounded(gzip.GzipFile(fileobj=file), os.fstat(file.fileno()).st_size, most)
        with os.fdopen(open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as out:
            head = stream.read(_BLOCK)
            if _is_tar(head):
                _take_member(head, stream, out)
            else:
                while head:
                    out.write(head)
                    head = stream.read(_PIECE)
    return target


class _Bounded:
    """A gzip stream that ends in a ``BrokenError`` when there is too much in it."""

    def __init__(self, stream: gzip.GzipFile, packed: int, most: int) -> None:
        self._stream = stream
        self._left = min(most, max(_FREE, packed * _RATIO))

    def read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise BrokenError("it is cut off or damaged: it cannot be unpacked") from None
        self._left -= len(data)
        if self._left < 0:
            raise BrokenError("far too much comes out when it is unpacked")
        return data


def _is_tar(head: bytes) -> bool:
    return len(head) == _BLOCK and head[257:262] == b"ustar"


def _take_member(head: bytes, stream: _Bounded, out: BinaryIO) -> None:
    """Copy the first regular member whose name ends in .mmdb. Other kinds of members are passed over."""
    long_name = None
    for _ in range(_MOST_MEMBERS):
        if not head.strip(b"\0"):
            break
        size = _size(head)
        kind, name = head[156:157], long_name or head[:100].rstrip(b"\0")
        long_name = None
        if (
            kind in _NAMES and size <= _LONGEST_NAME
        ):  # the next member's name, which its header has no room for
            long_name = _long_name(kind, _member(stream, size))
            head = stream.read(_BLOCK)
            continue
        # macOS adds files of its own: "._GeoLite2.mmdb" holds the other's attributes.
        base = name.rpartition(b"/")[2]
        is_database = kind in _REGULAR and base.endswith(b".mmdb") and not base.startswith(b"._")
        left = size if is_database else -(-size // _BLOCK) * _BLOCK
        while left:
            piece = stream.read(min(left, _PIECE))
            if not piece:
                raise BrokenError("the archive is cut off")
            left -= len(piece)
            if is_database:
                out.write(piece)
        if is_database:
            while stream.read(_PIECE):  # to the end: only there gzip says whether all of it was right
                pass
            return
        head = stream.read(_BLOCK)
    raise BrokenError("there is no .mmdb file in the archive")


def _member(stream: _Bounded, size: int) -> bytes:
    data = b""
    while len(data) < -(-size // _BLOCK) * _BLOCK:
        piece = stream.read(_BLOCK)
        if not piece:
            raise BrokenError("the archive is cut off")
        data += piece
    return data[:size]


def _long_name(kind: bytes, text: bytes) -> bytes | None:
    """The next member's name as GNU tar (L) or POSIX (x: ``LENGTH path=NAME``, a line each) tells it."""
    if kind == b"L":
        return text.rstrip(b"\0")
    paths = [line.partition(b" path=")[2] for line in text.split(b"\n") if b" path=" in line]
    return paths[-1] if paths else None


def _size(head: bytes) -> int:
    """How many bytes the member has whose header this is. The header's sum has to be right."""
    try:
        size, stated = (int(field.strip(b"\0 ") or b"0", 8) for field in (head[124:136], head[148:156]))
    except ValueError:
        size = stated = -1
    if size < 0 or stated != sum(head) - sum(head[148:156]) + 8 * ord(" "):
        raise BrokenError("the archive is damaged")
    return size

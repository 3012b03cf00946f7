"""Rows that wait until they are read: in memory or, when they are many, in a file without a name."""

from __future__ import annotations

import marshal
import struct
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir
from typing import TYPE_CHECKING, Any

from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST = 8 << 20  # bytes in memory
_SIZE = struct.Struct(">Q")
_PLAIN = 2
"""The version of ``marshal`` that does not look whether a value was there before: half the time."""


class RowFile:
    """Rows of texts, bytes, numbers and ``None``, to be read in their order, as often as is wanted.

    ``directory`` is where they go when they are many, if it is there; else it is where temporary files are.
    """

    def __init__(self, directory: Path | None = None, most: int = _MOST) -> None:
        place = directory if directory is not None and directory.is_dir() else None
        self._place = place or Path(gettempdir())
        self._file = SpooledTemporaryFile(most, dir=None if place is None else str(place))  # noqa: SIM115 (it ends with this)
        self._has_rows = False

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add some rows, which are read together again. Raises ``GeocliError`` where the disk is full."""
        if rows:
            self._has_rows = True
            data = marshal.dumps(list(rows), _PLAIN)
            with translated(self._place):
                self._file.write(_SIZE.pack(len(data)) + data)

    def __bool__(self) -> bool:
        return self._has_rows

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows, as they were added. To be read to the end before more is added."""
        place = 0
        while True:
            with translated(self._place):
                self._file.seek(place)
                head = self._file.read(_SIZE.size)
                if not head:
                    return
                (size,) = _SIZE.unpack(head)
                data = self._file.read(size)
            place += _SIZE.size + size
            yield marshal.loads(data)  # noqa: S302 (what this process wrote, where nobody else can)

    def close(self) -> None:
        """Let go of it."""
        with suppress(OSError):
            self._file.close()

"""The bytes of a file that somebody may write over at any time, ``cp`` of a new edition for one.

Who touches a mapped page that the file no longer has dies of SIGBUS. So files of usual size are read whole;
only larger ones are mapped, and their size is looked at again before they are.
"""

from __future__ import annotations

import mmap
import os
import stat
from typing import TYPE_CHECKING

from geocli.mmdb.decoder import BrokenError

if TYPE_CHECKING:
    from pathlib import Path

_READ_WHOLE = 64 << 20  # bytes: takes 20 ms
_LARGEST = 8 << 30  # bytes: the largest there are have 1 or 2 GB


class Content:
    """One file's bytes. Raises ``OSError`` when they cannot be read, ``BrokenError`` for no regular file.

    ``data`` is all of them; ``check`` is to be called before each use of it, and costs next to nothing.
    """

    data: bytes | mmap.mmap

    def __init__(self, path: Path) -> None:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BrokenError("is not a regular file")
            self._size = status.st_size
            self._descriptor: int | None = None
            if not self._size:
                raise BrokenError("the file is empty")
            if self._size > _LARGEST:
                raise BrokenError(f"the file is larger than any database ({self._size >> 30} GiB)")
            if self._size > _READ_WHOLE:
                self.data = mmap.mmap(file.fileno(), self._size, access=mmap.ACCESS_READ)
                self._descriptor = os.dup(file.fileno())
                return
            self.data = file.read(self._size)
            now = os.fstat(file.fileno())
        if len(self.data) < self._size or (now.st_size, now.st_mtime_ns) != (self._size, status.st_mtime_ns):
            raise BrokenError("the file was written to while it was read")

    def __del__(self) -> None:
        descriptor: int | None = getattr(self, "_descriptor", None)  # there is none when opening failed
        if descriptor is not None:
            os.close(descriptor)

    def check(self) -> None:
        """See that the file has not become shorter. Raises ``BrokenError``."""
        if self._descriptor is not None and os.fstat(self._descriptor).st_size < self._size:
            raise BrokenError("the file became shorter while it was read")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a FIFO's writer may never come

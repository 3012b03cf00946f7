"""What is set aside of a journal: bad segments, each in a file that a person can read, and damaged files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from geocli.system.files import make_private_directory, replacing
from geocli.system.presence import exists
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20  # bytes
_KIND = "SELECT typeof(value), CAST(filename AS BLOB) FROM Cache WHERE rowid = ?"


def keep_segment(directory: Path, key: int, reader: sqlite3.Connection | None) -> Path:
    """Copy a bad segment of an open journal to a file; return where it is.

    One file, however often this is asked. Raises ``GeocliError``.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(reader, key):
        digest.update(chunk)
    path = directory / f"segment-{key}-{digest.hexdigest()[:16]}.txt"
    with translated(path):
        make_private_directory(directory)
        if not exists(path):
            with replacing(path) as file:
                file.writelines(_chunks(reader, key))
    return path


def _chunks(reader: sqlite3.Connection | None, key: int) -> Iterator[bytes]:
    """What a bad segment holds, of any size; where that is neither text nor bytes, what its row says."""
    if reader is None:
        return  # somebody removed the journal
    for row in reader.execute(_KIND, (key,)):
        if row[0] not in {"text", "blob"}:
            yield repr(row).encode()
            continue
        with reader.blobopen("Cache", "value", key, readonly=True) as blob:
            while chunk := blob.read(_CHUNK):
                yield chunk

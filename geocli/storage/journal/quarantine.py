"""What is set aside of a journal: bad segments, each in a file that a person can read, and damaged files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from geocli.system.files import make_private_directory, replacing
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def keep_segment(directory: Path, key: int, read: Callable[[], Iterator[bytes]]) -> Path:
    """Copy a bad segment, which ``read`` gives anew each time, to a file; return where it is.

    One file, however often this is asked. Raises ``GeocliError``.
    """
    digest = hashlib.sha256()
    for chunk in read():
        digest.update(chunk)
    path = directory / f"segment-{key}-{digest.hexdigest()[:16]}.txt"
    with translated(path):
        make_private_directory(directory)
        if not path.exists():
            with replacing(path) as file:
                file.writelines(read())
    return path

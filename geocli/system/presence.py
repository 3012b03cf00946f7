"""What is at a path, or that this cannot be known.

From Python 3.14 on, ``Path.exists`` and its like say ``False`` where a directory on the way may not be
entered, or its disk fails. What cannot be looked at is not absent: here it is an ``OSError``, as it was.
"""

from __future__ import annotations

import stat
from contextlib import contextmanager
from errno import ELOOP
from typing import TYPE_CHECKING

from geocli.model.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def exists(path: Path) -> bool:
    """Whether anything is there, behind a symbolic link too. Raises ``OSError``."""
    return _mode(path) is not None


def is_directory(path: Path) -> bool:
    """Whether it is a directory, behind a symbolic link too. Raises ``OSError``."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def is_file(path: Path) -> bool:
    """Whether it is a regular file, behind a symbolic link too. Raises ``OSError``."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


@contextmanager
def named_by_user(path: Path) -> Iterator[None]:
    """Let an ``OSError`` out as an ``InputError``: the user gave ``path``, so it is for the user to mend."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == ELOOP:  # links in a circle lead nowhere
            return None
        raise

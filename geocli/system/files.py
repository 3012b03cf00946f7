"""Whose a file is. What others than its owner may write is not trusted, whatever is in it.

geocli runs as root in cron: a journal, a store or a configuration that somebody else can write would be a way
for them to have root read what they like.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from geocli.model.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BY_GROUP, _BY_ALL = 0o020, 0o002


def check_trusted(paths: Iterable[Path]) -> None:
    """See that each of these that exists belongs to this user or to root, and that nobody else may write it.

    Raises ``DamagedFileError`` for the first that is not so.
    """
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # it does not exist; or whoever opens it will find out
            continue
        if status.st_uid not in {os.geteuid(), 0}:
            reason = f"belongs to another user (number {status.st_uid})"
            raise DamagedFileError(path, reason, "let its owner run geocli, or give another with --data-dir")
        # A group of one's own has nobody else in it: most systems give a user one.
        writable = _BY_ALL if status.st_gid == os.getegid() else _BY_ALL | _BY_GROUP
        if status.st_mode & writable:
            raise DamagedFileError(path, "can be written by other users", f"chmod go-w {path}")

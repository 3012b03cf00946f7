"""Files that a user asked for: whole or not at all.

They are written beside their place under a name of their own, and renamed: whoever reads or serves
the old one never sees half of a new one, and a full disk leaves the old one as it is.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from errno import EIO
from typing import TYPE_CHECKING

from geocli.model.errors import NO_ROOM, TryAgainError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def check_place(path: Path) -> None:
    """See that a file can stand there, before the work. Raises ``UsageError``.

    A symbolic link, a device or a pipe is not replaced: the link might be ``/dev/stdout``.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: {path.parent} is no directory") from None
        return
    except (OSError, ValueError) as error:
        raise _refused(path, error) from None
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a link or a device, not a file"
        raise UsageError(f"cannot write {path}: it is {kind}; - is standard output")


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Put a file there, with these permissions, on disk when this returns.

    Raises ``UsageError`` when it cannot be there, ``TryAgainError`` when there is no room.
    """
    check_place(path)
    new = path.with_name(f".geocli-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(descriptor, mode)  # not what the umask leaves of it: a web server is to read it
                os.fsync(descriptor)
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        _sync_directory(path.parent)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error


def _sync_directory(directory: Path) -> None:
    """Without this, a power cut may bring the old name back. Not every file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refused(path: Path, error: OSError | ValueError) -> UsageError | TryAgainError:
    if isinstance(error, OSError) and error.errno in {*NO_ROOM, EIO}:
        return TryAgainError(f"cannot write {path}: {error.strerror}; what was there is as it was")
    return UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")

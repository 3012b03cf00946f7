"""Files and directories: whose they are, private directories, locks, files written whole or not at all.

geocli runs as root in cron: a journal, a store or a configuration that somebody else can write would be a way
for them to have root read what they like. So what others than its owner may write is not trusted.

Errors of the operating system leave as geocli's, naming the path; ``sqlite_file`` does the same for SQLite's.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from errno import EIO, ENOMEM
from typing import TYPE_CHECKING, BinaryIO

from geocli.model.errors import NO_FILES, NO_ROOM, DamagedFileError, GeocliError, TryAgainError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

UNFINISHED = ".part"
"""How the names of files end that are being written; they begin with a full stop."""

_BY_GROUP, _BY_ALL = 0o020, 0o002
_SHARED = 0o2050
"""The mode of a data directory that a group may read: what is made in it gets its group."""
_POLL = 0.01  # seconds between two tries to get a lock
_BUSY = "locked by another process; try again"


def os_error_of(error: OSError, path: Path) -> GeocliError:
    """Return an operating system's error about ``path`` as one of geocli's."""
    if error.errno in NO_ROOM:
        return TryAgainError(f"{path}: the disk is full; make room and try again")
    if error.errno == ENOMEM:
        return TryAgainError(f"{path}: there is not enough memory; try again")
    if error.errno in NO_FILES:
        return TryAgainError(f"{path}: too many files are open; try again")
    reason = error.strerror or str(error)
    return DamagedFileError(path, f"cannot be used ({reason})", "check its owner and permissions")


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Let an ``OSError`` out as geocli's, naming ``path``."""
    try:
        yield
    except OSError as error:
        raise os_error_of(error, path) from error


# Whose a file is


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


def is_shared(directory: Path) -> bool:
    """Whether a group may read what is in there: ``geocli setup --group`` marks a data directory so."""
    try:
        return directory.stat().st_mode & _SHARED == _SHARED
    except OSError:
        return False


def file_mode(directory: Path) -> int:
    """The mode of a new file in a data directory: for its owner, and for a group that may read it."""
    return 0o640 if is_shared(directory) else 0o600


def directory_mode(parent: Path) -> int:
    """The mode of a new directory below a data directory, as that of files."""
    return 0o2750 if is_shared(parent) else 0o700


def is_lent(directory: Path) -> bool:
    """Whether a data directory is another user's that this one may read, and not write."""
    try:
        status = directory.stat()
    except OSError:
        return False
    return (
        status.st_uid != os.geteuid()
        and is_shared(directory)
        and os.access(directory, os.R_OK | os.X_OK)
        and not os.access(directory, os.W_OK)
    )


def make_private_directory(path: Path) -> None:
    """Make ``path`` and what is above it, whatever the umask: mode 0700, or for a group that may read above.

    Raises ``GeocliError``.
    """
    with os_errors(path):
        if not path.is_dir():
            if not path.parent.is_dir():
                make_private_directory(path.parent)
            try:
                path.mkdir(0o700)
                path.chmod(directory_mode(path.parent))
            except FileExistsError:
                if not path.is_dir():
                    raise UsageError(f"{path} is in the way: it is not a directory") from None


# Locks: flock(2), which the system lets go of when a process ends, however it ends


def try_lock(descriptor: int) -> bool:
    """Lock an open file or directory, and return whether it is: ``False`` while another process has it.

    Raises ``OSError`` where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def lock_file(path: Path, patience: float, busy: str = _BUSY) -> Iterator[None]:
    """Keep other processes out that want to lock the same file, which is made where there is none.

    Waits ``patience`` seconds for them, then raises ``TryAgainError``, which says ``busy``.
    Raises ``GeocliError``.
    """
    with os_errors(path):
        flags = os.O_CREAT | os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    with _locked(descriptor, path, patience, busy):
        yield


@contextmanager
def lock_directory(directory: Path, patience: float) -> Iterator[None]:
    """Keep other processes out that want to lock the same directory. Raises ``GeocliError``."""
    with os_errors(directory):
        descriptor = open_directory(directory)
    with _locked(descriptor, directory, patience, _BUSY):
        yield


def open_directory(directory: Path) -> int:
    """Return a descriptor of a directory, to lock or to sync. Raises ``OSError``."""
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


@contextmanager
def _locked(descriptor: int, path: Path, patience: float, busy: str) -> Iterator[None]:
    deadline = time.monotonic() + patience
    try:
        with os_errors(path):
            while not try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise TryAgainError(f"{path}: {busy}")
                time.sleep(_POLL)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


# Writing whole or not at all


@contextmanager
def replacing(path: Path, mode: int | None = None, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a file beside ``path``, and rename it to ``path`` at the end, unless something was raised.

    Whoever reads the old file never sees half of a new one, and a full disk leaves the old one as it is.
    ``mode`` is that of a data directory's files without more. ``durable``: it is on disk when this ends.
    Raises ``OSError``.
    """
    unfinished = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}{UNFINISHED}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(
                descriptor, file_mode(path.parent) if mode is None else mode
            )  # not what the umask leaves of it: a web server is to read it
            if durable:
                os.fsync(descriptor)
        unfinished.rename(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on disk: without this, a power cut may bring an old one back.

    Not every file system can: then nothing is done.
    """
    with suppress(OSError):
        descriptor = open_directory(directory)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_place(path: Path) -> None:
    """See that a file that a user asked for can stand there, before the work. Raises ``UsageError``.

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
    """Put a file that a user asked for there, with these permissions, on disk when this returns.

    Raises ``UsageError`` when it cannot be there, ``TryAgainError`` when there is no room.
    """
    check_place(path)
    try:
        with replacing(path, mode) as file:
            file.write(data)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError | ValueError) -> UsageError | TryAgainError:
    if isinstance(error, OSError) and error.errno in {*NO_ROOM, EIO}:
        return TryAgainError(f"cannot write {path}: {error.strerror}; what was there is as it was")
    return UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")

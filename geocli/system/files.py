"""Files and directories: private ones, locks, and files written whole or not at all.

Errors of the operating system leave as geocli's, naming the path; ``sqlite_file`` does the same for SQLite's.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from errno import EINVAL, EIO, ENOLCK, ENOSYS, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING, BinaryIO

from geocli.model.errors import NO_ROOM, ClosedDirectoryError, DamagedFileError, TryAgainError, UsageError
from geocli.system.ownership import (
    check_owner,
    check_trusted,
    file_mode,
    is_shared,
    os_error_of,
    os_errors,
    owner_text,
)
from geocli.system.presence import is_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNFINISHED = ".part"
"""How the names of files end that are being written; they begin with a full stop."""

_NO_LOCKS = frozenset({ENOLCK, EOPNOTSUPP, ENOSYS, EPERM, EINVAL})
"""What ``flock`` says on NFS without its lock service, on FUSE and 9p, and under some sandboxes."""

_SHARED_DIRECTORY = 0o2750
_POLL = 0.01  # seconds between two tries to get a lock
_BUSY = "locked by another process; try again"


Fingerprint = list[int]


def fingerprint(status: os.stat_result) -> Fingerprint:
    """What tells a file from any other that was ever at its path."""
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


# What is for its owner alone


@contextmanager
def _for_owner() -> Iterator[None]:
    """Have what is made meanwhile be for its owner alone, and for that one: a umask may be 777."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def open_private(path: Path | str, flags: int) -> int:
    """Open a file, made with mode 0600 where ``flags`` say so. A link is not followed. Raises ``OSError``."""
    with _for_owner():
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def make_private_directory(path: Path) -> None:
    """Make ``path`` and what is above it, whatever the umask: mode 0700, or for a group that may read above.

    Nothing is made where others could put something else in its place. Raises ``GeocliError``.
    """
    with os_errors(path):
        if is_directory(path):
            return
        check_trusted([path])
        missing, there = [path.name], path.parent
        while not is_directory(there):
            if os.path.lexists(there):
                raise UsageError(f"{there} is in the way: it is not a directory")
            missing.append(there.name)
            there = there.parent
        descriptor = os.open(there, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            while missing:
                inside = _make_in(descriptor, missing[-1], there)
                if len(missing) > 1:
                    # All that is in it would be lost with its name. What is in ``path`` itself SQLite syncs.
                    sync_directory(there)
                os.close(descriptor)
                descriptor = inside
                there /= missing.pop()
        finally:
            os.close(descriptor)


def _make_in(parent: int, name: str, path: Path) -> int:
    """Return a descriptor of the directory of that name, which is made where there is none.

    ``path`` is what the parent is called.
    """
    how = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with _for_owner():
            os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        how |= os.O_PATH
    except PermissionError as error:
        raise ClosedDirectoryError(path, owner_text(path), "write in it") from error
    try:
        descriptor = os.open(name, how, dir_fd=parent)
    except NotADirectoryError:
        raise UsageError(f"{path / name} is in the way: it is not a directory") from None
    try:
        check_owner(path / name, os.fstat(descriptor))  # somebody may have been quicker
    except DamagedFileError:
        os.close(descriptor)
        raise
    if not how & os.O_PATH and is_shared(path):
        os.fchmod(descriptor, _SHARED_DIRECTORY)
    return descriptor


# Locks: flock(2), which the system lets go of when a process ends, however it ends


def try_lock(descriptor: int, path: Path) -> bool:
    """Lock an open file or directory, and return whether it is: ``False`` while another process has it.

    ``path`` is what it is called. Raises ``DamagedFileError`` where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise no_locks(path, os.strerror(error.errno or 0)) from error
        raise os_error_of(error, path) from error
    return True


def missing_record_locks(directory: Path) -> str | None:
    """Return why there are no locks of fcntl(2) in a directory, which are SQLite's; ``None`` where there are.

    NFS without its lock service has those of flock(2) alone, where it is mounted with local_lock=flock.
    """
    from tempfile import TemporaryFile  # only where something is wrong

    with suppress(OSError), TemporaryFile(dir=directory) as file:  # that none can be made says nothing
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return os.strerror(error.errno)
    return None


def no_locks(path: Path, reason: str) -> DamagedFileError:
    """Return what is said where a file system has no locks. It never will: trying again is of no use."""
    return DamagedFileError(
        path, f"is on a file system without locks ({reason})", "give a local directory with --data-dir"
    )


@contextmanager
def lock_file(path: Path, patience: float, busy: str = _BUSY) -> Iterator[None]:
    """Keep other processes out that want to lock the same file, which is made where there is none.

    Waits ``patience`` seconds for them, then raises ``TryAgainError``, which says ``busy``.
    Raises ``GeocliError``.
    """
    with os_errors(path):
        descriptor = open_private(path, os.O_CREAT | os.O_RDONLY)
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
        while not try_lock(descriptor, path):
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
    descriptor = open_private(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            # Not what the umask leaves of it: a web server is to read it.
            os.fchmod(descriptor, file_mode(path.parent) if mode is None else mode)
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
        if not is_directory(path.parent):
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

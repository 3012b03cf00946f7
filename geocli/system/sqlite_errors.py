"""What can go wrong with a SQLite file, as errors of geocli's."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from geocli.model.errors import NO_FILES, CorruptFileError, DamagedFileError, GeocliError, TryAgainError
from geocli.system.ownership import os_error_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PLAIN = frozenset(b"/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_FILES = 8  # for two databases: it, its log, the log's index, and the directory to sync
_LOCK_FAILED = {
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
}
_PERHAPS_NO_LOCKS = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PERM}
"""What SQLite makes of ENOLCK and EPERM, too."""

_CORRUPT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def uri_of(path: Path, query: str) -> str:
    """Return the URI by which SQLite opens a file (https://www.sqlite.org/uri.html).

    ``Path.as_uri`` imports half of ``urllib`` from Python 3.14 on, for every look-up.
    """
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in os.fsencode(path.absolute()))
    return f"file://{name}?{query}"


def error_of(error: Exception, path: Path) -> GeocliError:
    """A ``sqlite3`` or operating system error about ``path`` as one of geocli's."""
    if _is_of_a_lost_transaction(error) and isinstance(error.__context__, Exception):
        error = error.__context__  # why SQLite had rolled back of itself
    if isinstance(error, MemoryError):
        return TryAgainError(f"{path}: there is not enough memory; try again")
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in _PERHAPS_NO_LOCKS or code in _LOCK_FAILED:
        from geocli.system.files import missing_record_locks, no_locks  # only then

        reason = str(error) if code in _LOCK_FAILED else missing_record_locks(path.parent)
        if reason is not None:
            return no_locks(path, reason)
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return TryAgainError(f"{path}: locked by another process; try again")
    if primary in _CORRUPT or (primary == sqlite3.SQLITE_FULL and is_damaged(path)):
        return CorruptFileError(path, "is not SQLite, or damaged", "the next geocli flush sets it aside")
    if isinstance(error, OSError):
        return os_error_of(error, path)
    if primary == sqlite3.SQLITE_TOOBIG:
        return DamagedFileError(path, "holds a value that is larger than any of geocli's", "delete it")
    if primary == sqlite3.SQLITE_FULL:
        return TryAgainError(f"{path}: the disk is full; make room and try again")
    if primary == sqlite3.SQLITE_IOERR:
        return TryAgainError(f"{path}: the disk could not be written or read ({error}); try again")
    if primary == sqlite3.SQLITE_ERROR:  # no such table, no such column
        return DamagedFileError(path, f"was not made by geocli ({error})", "move it away")
    if primary == sqlite3.SQLITE_PROTOCOL:  # a reader cannot repair the index of the log; set_aside() can
        return CorruptFileError(path, "its write-ahead log is damaged", "the next geocli flush sees to it")
    if primary == sqlite3.SQLITE_NOMEM:
        return TryAgainError(f"{path}: there is not enough memory; try again")
    if primary == sqlite3.SQLITE_CANTOPEN and _no_files_left():
        return TryAgainError(f"{path}: too many files are open; try again")
    return DamagedFileError(path, f"cannot be used ({error})", "check its owner and permissions")


def _is_of_a_lost_transaction(error: Exception) -> bool:
    """Whether a ROLLBACK failed: SQLite does that itself where memory or disk are short."""
    return isinstance(error, sqlite3.OperationalError) and "no transaction is active" in str(error)


def _no_files_left() -> bool:
    """Whether that was why: SQLite does not say, and has let go of its own by then."""
    try:
        with ExitStack() as files:
            for _ in range(_FILES):
                files.callback(os.close, os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in NO_FILES
    return False


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Let ``sqlite3`` and operating system errors out as geocli's, naming ``path``."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise error_of(error, path) from error


def is_damaged(path: Path) -> bool:
    """Return whether SQLite finds a file damaged."""
    try:
        with closing(sqlite3.connect(uri_of(path, "mode=rw"), uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)])
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT

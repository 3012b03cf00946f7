"""What the journal's and the store's SQLite files have in common: how to open them, and what can go wrong.

Readers never create, change or checkpoint anything. Writers make a file under another name, and it appears
complete: what a process that was killed leaves half-made, readers could not mend. While they write, a second,
read-only connection stays open: the *last* connection to close would checkpoint the
write-ahead log (two disk waits) and delete it, and the next reader would have to create it again.

One process may not write a file while it has a connection from ``open_for_reading`` to it: SQLite shares
the index of the log within a process, and a reader leaves that read-only.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Literal

from geocli.model.errors import CorruptFileError, DamagedFileError, TryAgainError
from geocli.model.value import Value
from geocli.system.ownership import file_mode, is_lent
from geocli.system.presence import exists
from geocli.system.sqlite_errors import is_damaged, translated, uri_of
from geocli.system.sqlite_guard import foreign_part, guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_MAGIC = b"SQLite format 3\0"
_LOG_HEADER = 32  # bytes
_LOG_MAGIC = 0x377F0682
_MOMENT = 0.01  # seconds
_LARGEST = 1 << 20  # bytes of a value in the schema
_MOST_FOUND = 10  # faults of a file that are told
_STEPS = 1_000_000  # of SQLite's virtual machine, which does so many in 0.1 s


def interruptible(connection: sqlite3.Connection) -> None:
    """Let an interrupt end a statement that takes long, as ``KeyboardInterrupt`` out of ``translated``.

    Python looks for signals only where it runs itself. What is raised there, SQLite makes an error of its.
    """
    connection.set_progress_handler(_look_for_signals, _STEPS)


def _look_for_signals() -> int:
    return 0  # go on


def open_for_reading(path: Path, busy_timeout: float, largest: int) -> sqlite3.Connection | None:
    """A read-only connection that leaves no trace, or ``None`` when there is no such file.

    A value of more than ``largest`` bytes is an error. Nothing in the file is trusted (``sqlite_guard``).

    The first connection to a file in WAL mode writes its -shm file anew, even a reader's, unless it is told
    not to: then it keeps that index in its own memory. Raises ``GeocliError``.
    """
    with translated(path):
        query = "mode=ro"
        if _has_index(path):
            query = "mode=ro&readonly_shm=1"
        elif is_lent(path.parent) and log_size(path) == 0:  # it cannot make a -shm file
            query = "mode=ro&immutable=1"
    return _connect(path, query, busy_timeout, largest)


def _has_index(path: Path) -> bool:
    # A -shm file that is not there has to be made all the same: this is the first reader ever. And a log that
    # ends with its header, because its writer was killed, keeps a reader without -shm waiting in vain.
    try:
        path.with_name(path.name + "-shm").stat()
    except OSError:  # also a directory that is closed to this user: whoever opens the file says so
        return False
    return len(_log_start(path)) != _LOG_HEADER


def _log_start(path: Path) -> bytes:
    """The header of a file's write-ahead log and a byte more; less where there is less."""
    try:
        with path.with_name(path.name + "-wal").open("rb", buffering=0) as log:
            return log.read(_LOG_HEADER + 1)
    except OSError:
        return b""


def _has_damaged_log(path: Path) -> bool:
    """Whether the write-ahead log holds something, but does not begin as one does.

    SQLite's readers would look at it for ten seconds, and its writers would empty it without a word.
    """
    if _can_be_log(_log_start(path)):
        return False
    time.sleep(_MOMENT)  # it may have been begun anew this very moment
    return not _can_be_log(_log_start(path))


def _can_be_log(start: bytes) -> bool:
    # https://www.sqlite.org/fileformat.html#the_write_ahead_log: a header of eight words, of which the last
    # two are a checksum of the others. Writers write it together with what follows.
    if len(start) <= _LOG_HEADER:
        return True
    magic = int.from_bytes(start[:4])
    words = _words(start[:24], "big" if magic & 1 else "little")
    one = other = 0
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + other) & 0xFFFFFFFF
        other = (other + second + one) & 0xFFFFFFFF
    return magic & ~1 == _LOG_MAGIC and _words(start[24:_LOG_HEADER], "big") == [one, other]


def _words(data: bytes, order: Literal["big", "little"]) -> list[int]:
    return [int.from_bytes(data[at : at + 4], order) for at in range(0, len(data), 4)]


class _Reader(sqlite3.Connection):
    """A connection that may read. ``query`` is what follows the file's name in a SQLite URI."""

    def __init__(self, path: Path, query: str, busy_timeout: float, largest: int) -> None:
        super().__init__(uri_of(path, query), uri=True, timeout=busy_timeout, isolation_level=None)
        self._reopening = path, "mode=ro", busy_timeout  # after it: beginning anew takes all attributes away
        self._largest = largest
        interruptible(self)
        guard(self, largest)

    def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        """That of ``sqlite3``, also when the log's index was begun anew and is not filled yet.

        The first process to open the file does that, and may be slow or killed over it. Meanwhile who may
        not write the index hears "readonly database", and has to become one who may: this connection does.
        """
        # What is asked for may be longer than what is there: a list of addresses.
        asked = sum(4 * len(value) for value in parameters if isinstance(value, str))
        if asked > self._largest:
            self._largest = asked
            self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, asked)
        try:
            return super().execute(statement, parameters)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
                raise
        self.__init__(*self._reopening, self._largest)  # type: ignore[misc]  # which closes it first
        return super().execute(statement, parameters)


def _connect(path: Path, query: str, busy_timeout: float, largest: int) -> sqlite3.Connection | None:
    with translated(path):
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(mode):  # SQLite would wait for whoever opens the other end
            raise DamagedFileError(path, "is not a regular file", "move it away, or give another")
        if _has_damaged_log(path):
            raise CorruptFileError(path, "its write-ahead log is damaged", "the next geocli flush sees to it")
        connection = _Reader(path, query, busy_timeout, largest)
        try:
            part = foreign_part(connection)
        except BaseException:
            connection.close()
            raise
        if part is not None:
            connection.close()
            raise DamagedFileError(path, f"holds {part}, which geocli did not make", "drop it")
        return connection


def create(
    path: Path,
    data_dir: Path,
    busy_timeout: float,
    *,
    pragmas: tuple[str, ...] = (),
    fill: Callable[[Path], None] | None = None,
) -> None:
    """Make a SQLite file in WAL mode, private, safely on disk, if there is none.

    ``pragmas`` are those that must precede the first table. ``fill`` writes what a new file is to hold; it
    gets the path of an empty file, with the same name as ``path``, in a directory of its own. One disk wait:
    nothing can be lost in a file that has no answers yet, so it is synced once, when it is complete.
    Raises ``GeocliError``.
    """
    with translated(path):
        if _is_there(path):
            return
        from geocli.system.files import lock_directory, make_private_directory, open_private  # only then

        with lock_directory(data_dir, busy_timeout):
            if _is_there(path):
                return
            scratch = path.with_name(f".{path.name}.new")  # a crash may have left one
            shutil.rmtree(scratch, ignore_errors=True)
            make_private_directory(scratch)
            try:
                new = scratch / path.name
                descriptor = open_private(new, os.O_CREAT | os.O_EXCL | os.O_RDWR)
                try:
                    os.fchmod(descriptor, file_mode(path.parent))
                    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                        for pragma in ("synchronous = OFF", *pragmas, "journal_mode = WAL"):
                            connection.execute(f"PRAGMA {pragma}")
                    if fill is not None:
                        fill(new)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                new.rename(path)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


def _is_there(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        if path.is_symlink():  # somebody's trap, or somebody's plan: not to be followed, not to be replaced
            raise DamagedFileError(path, "is a symbolic link to nothing", "remove it") from None
        return False


class FileId(Value):
    """Which file, and which write-ahead log beside it, are at a path. ``None``: there is none.

    A connection goes on with the files that it opened, also when somebody has removed or replaced them:
    nobody would ever find what it writes then.
    """

    file: tuple[int, int] | None
    log: tuple[int, int] | None


def file_id(path: Path) -> FileId:
    """Return which files are at this path now. Raises ``OSError`` other than that there are none."""
    return FileId(_id_of(path), _id_of(path.with_name(path.name + "-wal")))


def _id_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


class ReplacedError(TryAgainError):
    """A file was removed or replaced while it was in use."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: was removed or replaced meanwhile; nothing is lost, try again")


def expect_same(before: FileId, path: Path) -> None:
    """See that these are still the files at this path. Raises ``ReplacedError``."""
    if file_id(path) != before:
        raise ReplacedError(path)


def hold_open(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """A read-only connection to close after a writer, so that the writer is not the last (see above)."""
    connection = _connect(path, "mode=ro", busy_timeout, _LARGEST)
    if connection is None:
        raise DamagedFileError(path, "is gone", "something removed it just now: try again")
    return connection


def empty_log(
    path: Path,
    connection: sqlite3.Connection | None = None,
    *,
    larger_than: int = 0,
    patience: float = 0,
) -> bool:
    """Bring what is in the write-ahead log into the file, empty the log, and return whether that was done.

    A reader may be in the way: it is waited for ``patience`` seconds, and what cannot be done now, the next
    writer does. ``connection`` is one that has just written, and that nobody needs any more: a new one would
    sync the directory once more.
    """
    if log_size(path) <= larger_than:
        return True
    own = connection or sqlite3.connect(path)
    try:
        own.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        ((busy, _, _),) = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        if connection is None:
            own.close()
    return not busy


def in_the_way(path: Path) -> TryAgainError:
    """Return the error for what was deleted, but can still be read in a log that somebody is reading."""
    return TryAgainError(
        f"{path}-wal: what was deleted can still be read here, because another process reads it; try again"
    )


def log_size(path: Path) -> int:
    """Bytes of a SQLite file's write-ahead log; 0 when there is none."""
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if exists(log) else 0


def set_aside(path: Path, directory: Path, data_dir: Path, busy_timeout: float) -> CorruptFileError | None:
    """Move a SQLite file that is damaged into ``directory``, with its log, and say so; delete nothing.

    Where only the log is damaged, that alone is moved. ``None`` when nothing is damaged, or not any more:
    another process was here first. Raises ``GeocliError``.
    """
    from geocli.system.files import lock_directory, make_private_directory  # hardly ever

    with translated(path), lock_directory(data_dir, busy_timeout):
        log_only = _has_damaged_log(path) and _begins_as_sqlite(path)
        if not log_only and not is_damaged(path):
            return None
        make_private_directory(directory)
        aside = directory / f"{path.name}.damaged-{time.time_ns()}"
        # The file itself last: a crash in between leaves it damaged.
        for suffix in ("-shm", "-wal") if log_only else ("-shm", "-wal", ""):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    if log_only:
        return CorruptFileError(path, f"its write-ahead log was damaged and is now {aside}-wal", "begun anew")
    return CorruptFileError(path, f"was damaged and is now {aside}", "a new one was begun")


def _begins_as_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def integrity(path: Path, connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with a file and its indexes, in sentences. Raises ``GeocliError``."""
    with translated(path):
        found = [str(text) for (text,) in connection.execute(f"PRAGMA integrity_check({_MOST_FOUND})")]
    return [] if found == ["ok"] else [f"{path}: {text}" for text in found]


def size_on_disk(path: Path) -> int:
    """Bytes of a SQLite file together with its write-ahead log; 0 when there is none."""
    return log_size(path) + (path.stat().st_size if exists(path) else 0)

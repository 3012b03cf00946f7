"""Writing the journal through diskcache. The only module that imports it.

diskcache's defaults are a cache's: it evicts above 1 GiB, expires, pickles whatever is not text, moves
long values to files that are never synced, and unpickles whatever it finds. ``_SETTINGS`` and
``TextDisk`` turn all of that off.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import diskcache
from diskcache.core import MODE_RAW

from geocli.model.errors import DamagedFileError
from geocli.system.files import make_private_directory
from geocli.system.sqlite_errors import error_of, translated
from geocli.system.sqlite_file import (
    ReplacedError,
    create,
    empty_log,
    expect_same,
    file_id,
    hold_open,
    in_the_way,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_SETTINGS: dict[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 1 << 62,
    "statistics": 0,
    "tag_index": 0,
    "disk_min_file_size": 1 << 62,  # a segment never leaves the database
    "sqlite_cache_size": 512,  # pages: 2 MB. What is appended is not read again; diskcache would keep 32 MB
    "sqlite_auto_vacuum": 1,
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # a mapped file that is truncated kills the process with SIGBUS
    # Making the file takes many commits: not worth a disk wait each. append() and forget() run with FULL.
    "sqlite_synchronous": 1,
    # SQLite would copy the write-ahead log into the file in the midst of any commit, with three disk
    # waits. append() and forget() say when.
    "sqlite_wal_autocheckpoint": 0,
}
_IF_NOT_STORED = {
    "INSERT OR REPLACE INTO Settings VALUES (?, ?)": "SELECT 1 FROM Settings WHERE (key, value) = (?, ?)",
    "UPDATE Settings SET value = ? WHERE key = ?": "SELECT 1 FROM Settings WHERE (value, key) = (?, ?)",
    "INSERT OR IGNORE INTO Settings VALUES (?, ?)": "SELECT ?2 FROM Settings WHERE key = ?1",
}
"""How diskcache stores a setting, and the question whether that would change anything."""

_KNOWN = tuple({*diskcache.DEFAULT_SETTINGS, *diskcache.core.METADATA, *_SETTINGS})
_FOREIGN = (
    f"FROM Settings WHERE typeof(key) != 'text' OR key NOT IN ({', '.join('?' * len(_KNOWN))}) "
    "OR typeof(value) NOT IN ('integer', 'text') OR length(value) > 100"
)

_FULL = 2
_LARGEST_LOG = 64 << 20  # bytes of write-ahead log that may stay while much is written


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no type information
    """Text under integer keys, inside the database, and nothing else: no pickle, no files.

    diskcache 5.6.3 unpickles rows of mode 4 and keys that are not raw, whoever wrote them
    (CVE-2025-69872), and deletes the file that a row names. Here such a row is an error.
    """

    # Names and signatures are diskcache's; what they refuse is the point.

    def put(self, key: object) -> tuple[int, bool]:
        """A segment's key as it is stored."""
        if type(key) is not int:
            raise ValueError("a journal's keys are integers")
        return key, True

    def get(self, key: object, raw: object) -> int:
        """A segment's key as it was stored."""
        if type(key) is not int or not raw:
            raise ValueError("a key that geocli did not write")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[int, int, None, str]:  # noqa: ARG002, FBT001 (diskcache's signature)
        """A segment's text as it is stored: in the row."""
        if type(value) is not str or read:
            raise ValueError("a journal's values are text")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: int, filename: object, value: object, read: bool) -> str:  # noqa: FBT001 (the same)
        """A segment's text as it was stored."""
        if mode != MODE_RAW or filename is not None or type(value) is not str or read:
            raise ValueError("a value that geocli did not write")
        return value

    def filename(self, key: object = None, value: object = None) -> tuple[str, str]:  # noqa: ARG002 (the same)
        """Never: a segment has no file."""
        raise ValueError("a journal has no files")

    def remove(self, file_path: object) -> None:
        """Nothing: a file name in a row is not geocli's, whatever it points at."""


class _Cache(diskcache.Cache):  # type: ignore[misc]  # the same
    """A ``Cache`` in just this directory, which must be there, that stores no setting that is stored already.

    At each opening, diskcache stores all of them again, in 34 commits. Fifty look-ups at once would wait for
    each other most of the time, and some of them longer than their timeout.
    """

    def __init__(self, directory: Path, timeout: float, settings: Mapping[str, Any]) -> None:
        self._place = str(directory)
        # diskcache replaces $NAME and ~ in what it is given, and makes that directory: nothing of it here.
        super().__init__(os.sep, timeout=timeout, disk=TextDisk, **settings)

    @property
    def _directory(self) -> str:
        """Where the database is; diskcache says otherwise, and is not heard."""
        return self._place

    @_directory.setter
    def _directory(self, _: str) -> None:
        pass

    @property
    def _sql_retry(self) -> Any:
        execute = super()._sql_retry

        def execute_if_needed(statement: str, *parameters: Any) -> Any:
            question = _IF_NOT_STORED.get(statement)
            if question and execute(question, *parameters).fetchone():
                return None
            return execute(statement, *parameters)

        return execute_if_needed

    def append(self, value: str, tag: str) -> int:
        """Append a segment; the number of its row."""
        self.push(value, tag=tag)
        ((number,),) = self._sql("SELECT last_insert_rowid()").fetchall()
        return int(number)

    def drop(self, rows: Iterable[int]) -> None:
        """Delete rows by their numbers, all or none: a key may be anything where geocli did not write it."""
        with self.transact():
            for row in rows:
                self._sql("DELETE FROM Cache WHERE rowid = ?", (row,))

    def empty_log(self, patience: float) -> bool:
        """Do what ``sqlite_file.empty_log`` does, on the connection that has written: one disk wait less."""
        self.reset("sqlite_busy_timeout", int(patience * 1000), update=False)
        ((busy, _, _),) = self._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.reset("sqlite_busy_timeout", int(self.timeout * 1000), update=False)
        return not busy

    def rewrite(self) -> None:
        """Write the whole file anew, so that nothing is left in it of what was deleted."""
        self._sql("VACUUM")


class SegmentWriter:
    """One open ``Cache``. Raises geocli's errors, never diskcache's.

    The path of the directory is taken as it is, whatever is in it: diskcache would replace ``$NAME`` in it,
    and then write where nobody looks.
    """

    def __init__(self, directory: Path, busy_timeout: float) -> None:
        self._path = directory / "cache.db"
        make_private_directory(directory)
        create(self._path, directory.parent, busy_timeout, pragmas=("auto_vacuum = FULL",), fill=_fill)
        with translated(self._path):
            before = file_id(self._path)
        self._keeper = hold_open(self._path, busy_timeout)
        with translated(self._path):
            self.mended = self._remove_foreign_settings(busy_timeout)
            self._cache = _Cache(directory, busy_timeout, _SETTINGS)
            self._cache.reset("sqlite_synchronous", _FULL, update=False)
            self._cache.reset("sqlite_secure_delete", 1, update=False)
            self.file_id = file_id(self._path)
        if self.file_id.file != before.file:
            self.close()
            raise ReplacedError(self._path)

    def append(self, value: str, tag: str) -> int:
        """Append one segment, on disk when this returns; the number of its row.

        Raises ``ReplacedError`` when the file it went into is not the journal any more.
        """
        with self._translated():
            number = self._cache.append(value, tag)
            empty_log(self._path, larger_than=_LARGEST_LOG)
            expect_same(self.file_id, self._path)
        return number

    def forget(self, rows: Iterable[int]) -> None:
        """Drop segments, all or none, and what the log has of them, unless somebody is reading it."""
        with self._translated():
            self._cache.drop(rows)
            self._cache.empty_log(patience=0)

    def erase(self) -> None:
        """Leave nothing on the disk of what was dropped. Raises ``TryAgainError``: a reader is in the way."""
        with self._translated():
            self._cache.rewrite()
            if not self._cache.empty_log(patience=self._cache.timeout):
                raise in_the_way(self._path)

    def close(self) -> None:
        """Close the cache, and after it the reader that kept the write-ahead log (``sqlite_file``)."""
        self._cache.close()
        self._keeper.close()

    def _remove_foreign_settings(self, busy_timeout: float) -> DamagedFileError | None:
        """Leave no setting that is not diskcache's; the error to say so, where there was one."""
        # Cache() turns every stored "sqlite_..." into a PRAGMA and every "disk_..." into an argument. And
        # opening it tries for a minute to get the lock, whatever its timeout is.
        with closing(sqlite3.connect(self._path, timeout=busy_timeout, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = NORMAL")  # it is seen to at each opening: no disk wait
            connection.execute("BEGIN IMMEDIATE")
            select = f"SELECT CAST(substr(key, 1, 40) AS TEXT) {_FOREIGN} LIMIT 1"
            foreign = connection.execute(select, _KNOWN).fetchone()
            if foreign is not None:
                connection.execute(f"DELETE {_FOREIGN}", _KNOWN)
            others = [
                (_SETTINGS[key], key)
                for key, value in connection.execute("SELECT key, value FROM Settings").fetchall()
                if value != _SETTINGS.get(key, value)
            ]
            # Each connection begins with what is stored, whatever it is told afterwards.
            connection.executemany("UPDATE Settings SET value = ? WHERE key = ?", others)
            connection.execute("COMMIT" if foreign is not None or others else "ROLLBACK")
        if foreign is None:
            return None
        reason = f"had settings that geocli did not write, {ascii(foreign[0])} for one"
        return DamagedFileError(self._path, reason, "removed, and nothing is lost; see who may write there")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated(self._path):
            try:
                yield
            except diskcache.Timeout as timeout:
                # diskcache says "timeout" for whatever kept a transaction from beginning.
                cause = timeout.__context__
                raise error_of(cause if isinstance(cause, Exception) else timeout, self._path) from timeout


def _fill(new: Path) -> None:
    """Let diskcache write its tables. ``create`` syncs them."""
    settings = _SETTINGS | {"sqlite_synchronous": 0}
    _Cache(new.parent, 60, settings).close()

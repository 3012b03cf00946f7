"""How a SQLite store is written: one connection, one transaction, and afterwards no trace of what went."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from geocli.model.clocks import latest_believed
from geocli.storage.store import sqlite_arrivals, sqlite_bans
from geocli.storage.store.base import Forgotten
from geocli.storage.store.clocks import mend_answers, mend_bans
from geocli.storage.store.sqlite_schema import bring_up_to_date
from geocli.system.files import make_private_directory
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import (
    ReplacedError,
    create,
    empty_log,
    expect_same,
    file_id,
    hold_open,
    in_the_way,
    interruptible,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from geocli.storage.batch import Batch

# KiB of pages in memory: with the usual 2 MB, a flush of a million writes and reads each page many times.
# What SQLite sorts in memory is bounded by the same number, the rest of it is sorted in temporary files.
_ROOM = "PRAGMA cache_size = -16000"
_IN_FILES = "PRAGMA temp_store = FILE"  # some are built to keep all of it in memory
_TO_WRITE = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA synchronous = FULL",
    # Of itself, SQLite would copy a large log into the file in the midst of COMMIT.
    "PRAGMA wal_autocheckpoint = 0",
    # Without, addresses could be read in the file's free pages until these are used again.
    "PRAGMA secure_delete = ON",
)
# That something was deleted, of which the file may still have traces: it survives an end in the midst.
_TO_ERASE = "INSERT OR REPLACE INTO geo_state (name, value) VALUES ('to_erase', '1')"
_ERASED = "DELETE FROM geo_state WHERE name = 'to_erase'"
_FORGET = {
    "answers": (
        mend_answers("geo_cache", ":latest", ":now"),
        "DELETE FROM geo_cache WHERE resolved_at < :before",
    ),
    "bans": (mend_bans("bans", ":latest", ":now"), sqlite_bans.FORGET),
}
_MEND_ARRIVED = (sqlite_arrivals.MEND, mend_bans("temp.sighted", ":latest", ":now"))


class SqliteWriter:
    """Writes ``geo.db``. No connection of this process may read it meanwhile (``sqlite_file`` says why)."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """See ``Store``."""
        make_private_directory(self._path.parent)
        create(self._path, self._path.parent, self._busy_timeout)
        with self._writing(_ROOM, _IN_FILES) as connection:
            self._keep_temporary_files_here(connection)
            count = sqlite_arrivals.collect(connection, batches)
            with self._transaction(connection):
                times = {"latest": latest_believed(flushed_at), "now": flushed_at}
                for statement in (*_MEND_ARRIVED, sqlite_arrivals.REPLAY, sqlite_bans.REPLAY):
                    connection.execute(statement, times)
                connection.execute(
                    "INSERT INTO geo_state (name, value) VALUES ('last_flush', ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (flushed_at,),
                )
        return count

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """See ``Store``; of a store that is there."""
        times = {"before": before, "latest": latest_believed(now), "now": now}
        gone = dict.fromkeys(_FORGET, 0)
        with self._writing() as connection, self._transaction(connection):
            for kind in gone.keys() & kinds:
                mend, delete = _FORGET[kind]
                connection.execute(mend, times)
                gone[kind] = connection.execute(delete, times).rowcount
            if any(gone.values()):
                connection.execute(_TO_ERASE)
        return Forgotten(**gone)

    def erase(self) -> None:
        """Write the file anew: SQLite overwrites what it deletes, not what it moved to other pages before."""
        with self._writing(_IN_FILES) as connection:
            self._keep_temporary_files_here(connection)
            connection.execute("VACUUM")
            if not empty_log(self._path, connection, patience=self._busy_timeout):
                raise in_the_way(self._path)
            connection.execute(_ERASED)

    @contextmanager
    def _writing(self, *pragmas: str) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction. Raises ``ReplacedError`` when that was one in another file."""
        with translated(self._path):
            before = file_id(self._path)
            with closing(hold_open(self._path, self._busy_timeout)):
                connection = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
                try:
                    interruptible(connection)
                    for pragma in (*_TO_WRITE, *pragmas):
                        connection.execute(pragma)
                    connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # now all files are open
                    opened = file_id(self._path)
                    if opened.file != before.file:
                        raise ReplacedError(self._path)
                    yield connection
                    empty_log(self._path, connection)  # so that a copy of geo.db alone is complete
                    expect_same(opened, self._path)
                finally:
                    connection.close()

    def _keep_temporary_files_here(self, connection: sqlite3.Connection) -> None:
        """They hold addresses, and need room: both are matters of the data directory, not of /var/tmp."""
        directory = str(self._path.parent.absolute()).replace("'", "''")
        with suppress(UnicodeEncodeError, sqlite3.Error):  # a name that is not UTF-8; files, but no new ones
            connection.execute(f"PRAGMA temp_store_directory = '{directory}'")

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """The one transaction, which is committed in the end, all of it or nothing."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            bring_up_to_date(connection, self._path)
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

"""The store in one SQLite file, ``geo.db``: WAL mode, STRICT tables, readable with the ``sqlite3`` shell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from geocli.errors import DamagedFileError
from geocli.records import FIELDS, GeoRecord, check_rows
from geocli.sqlite_file import (
    create,
    empty_log,
    hold_open,
    make_private_directory,
    open_for_reading,
    set_aside,
    size_on_disk,
    translated,
)
from geocli.store import StoreState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.errors import CorruptFileError
    from geocli.store import Outlived

SCHEMA_VERSION = 1
"""``PRAGMA user_version`` of a store with all of ``migrations`` applied. A test holds the two together."""

_COLUMNS = ", ".join(FIELDS)
_FIND = f"SELECT {_COLUMNS} FROM geo_cache WHERE ip IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants)
_ALL = f"SELECT {_COLUMNS} FROM geo_cache WHERE ip > ? ORDER BY ip LIMIT ?"  # noqa: S608 (the same)
_BATCH = 10_000  # rows read at once; nothing is held in between
_OUTLIVED = (
    "SELECT ip, resolved_at FROM geo_cache WHERE resolved_at < iif(status = 'ok', ?, ?) "
    "AND (resolved_at, ip) > (?, ?) ORDER BY resolved_at, ip LIMIT ?"
)
_REPLAY = (
    f"INSERT INTO geo_cache ({_COLUMNS}) VALUES ({', '.join('?' * len(FIELDS))}) "  # noqa: S608 (the same)
    f"ON CONFLICT (ip) DO UPDATE SET {', '.join(f'{f} = excluded.{f}' for f in FIELDS[1:])} "
    "WHERE (excluded.status = 'ok', excluded.resolved_at) >= (geo_cache.status = 'ok', geo_cache.resolved_at)"
)


class SqliteStore:
    """``geo.db`` in the data directory; made by the first flush."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._reader: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the database file; it is opened again when asked."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            return {}
        import json  # an idle flush does without

        with translated(self._path):
            rows = connection.execute(_FIND, (json.dumps(list(targets)),)).fetchall()
        return {record.ip: record for record in self._records(rows)}

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches. Raises ``GeocliError``."""
        last = ""
        while (connection := self._reading()) is not None:
            with translated(self._path):
                rows = connection.execute(_ALL, (last, _BATCH)).fetchall()
            if not rows:
                return
            yield self._records(rows)
            last = rows[-1][0]

    def _records(self, rows: list[tuple[Any, ...]]) -> list[GeoRecord]:
        try:
            check_rows(rows)
        except ValueError as error:
            raise DamagedFileError(
                self._path, f"holds a row that geocli did not write: {error}", "correct or delete it"
            ) from None
        return [GeoRecord._make(row) for row in rows]

    def outlived(self, wanted: Outlived, size: int) -> Iterator[list[str]]:
        """Targets whose answers are old, oldest first, ``size`` at a time. Raises ``GeocliError``."""
        last = ("", "")
        while (connection := self._reading()) is not None:
            with translated(self._path):
                rows = connection.execute(_OUTLIVED, (*wanted, *last, size)).fetchall()
            if not rows:
                return
            yield [str(ip) for ip, _ in rows]
            last = (rows[-1][1], rows[-1][0])

    def replay(self, batches: Iterable[Sequence[tuple[Any, ...]]], flushed_at: str) -> int:
        """Write all batches in one transaction, making the store if need be. Raises ``GeocliError``."""
        make_private_directory(self._path.parent)
        create(self._path, self._path.parent, self._busy_timeout)
        count = 0
        self.close()  # sqlite_file says why
        with translated(self._path), closing(hold_open(self._path, self._busy_timeout)):
            connection = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._bring_up_to_date(connection)
                    for batch in batches:
                        connection.executemany(_REPLAY, batch)
                        count += len(batch)
                    connection.execute(
                        "INSERT INTO geo_state (name, value) VALUES ('last_flush', ?) "
                        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        (flushed_at,),
                    )
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            finally:
                connection.close()
            empty_log(self._path)  # so that a copy of geo.db alone is complete
        return count

    def set_aside(self) -> CorruptFileError | None:
        """Rename a damaged file and say so; ``None`` when it is not damaged. Raises ``GeocliError``."""
        self.close()
        return set_aside(self._path, self._path.parent, self._path.parent, self._busy_timeout)

    def state(self) -> StoreState:
        """Counts for people and monitoring. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            return StoreState(0, 0, None, 0)
        with translated(self._path):
            (stored,) = connection.execute("SELECT count(*) FROM geo_cache").fetchone()
            (unknown,) = connection.execute(
                "SELECT count(*) FROM geo_cache WHERE status = 'unknown'"
            ).fetchone()
            flush = connection.execute("SELECT value FROM geo_state WHERE name = 'last_flush'").fetchone()
            return StoreState(stored, unknown, str(flush[0]) if flush else None, size_on_disk(self._path))

    def _reading(self) -> sqlite3.Connection | None:
        if self._reader is None:
            reader = open_for_reading(self._path, self._busy_timeout)
            if reader is None:
                return None
            with translated(self._path):
                version = self._version(reader)
            if version == 0:  # made, but never flushed to
                reader.close()
                return None
            self._reader = reader
        return self._reader

    def _version(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise DamagedFileError(self._path, "was written by a newer geocli", "use that one")
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise DamagedFileError(self._path, "is a database, but not geocli's", "move it away")
        return int(version)

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        if self._version(connection) < SCHEMA_VERSION:
            from geocli.store.migrations import migrate  # 100 ms that only a new geocli needs, once

            migrate(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

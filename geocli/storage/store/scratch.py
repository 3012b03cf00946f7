"""A store for as long as it is asked: what is too much for memory, in a temporary file without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.clocks import latest_believed
from geocli.storage.store import sqlite_arrivals, sqlite_bans
from geocli.storage.store.sqlite import SqliteStore
from geocli.storage.store.sqlite_schema import SCHEMA_VERSION
from geocli.system.spill import temporary_file
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from geocli.storage.batch import Batch


class ScratchStore(SqliteStore):
    """Takes in and answers as ``geo.db`` does, and is gone when it is closed. ``directory``: the data's."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, busy_timeout=0)
        from geocli.storage.store.migrations import migrate  # 100 ms, where there is much

        self._connection = self._reader = temporary_file(directory)
        with translated(directory):
            self._connection.execute("BEGIN")
            migrate(self._connection)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._connection.execute("COMMIT")

    def replay(self, batches: Iterable[Batch], flushed_at: str = "") -> int:
        """Take in all batches; without a moment, every time in them is believed.

        Raises ``GeocliError``, where the disk is full for one.
        """
        connection = self._connection
        with translated(self._path):
            count = sqlite_arrivals.collect(connection, batches)
            connection.execute("BEGIN")
            times = {"latest": latest_believed(flushed_at)}
            for statement in (sqlite_arrivals.MEND, sqlite_arrivals.REPLAY, sqlite_bans.REPLAY):
                connection.execute(statement, times)
            for table in sqlite_arrivals.TABLES:
                connection.execute(f"DROP TABLE temp.{table}")
            connection.execute("COMMIT")
        return count

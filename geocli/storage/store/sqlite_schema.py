"""The version of the tables of a SQLite store: which it has, and which is this geocli's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.errors import DamagedFileError
from geocli.storage.store.columns import ADDED, lacking

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_FIRST_VERSION = 2  # before any of ``ADDED``

SCHEMA_VERSION = _FIRST_VERSION + len(ADDED)
"""``PRAGMA user_version`` of a store with all of ``migrations`` applied. A test holds the two together."""

WITH_BANS = 2
"""The first version that has them."""

IS_TO_BE_ERASED = "SELECT 1 FROM geo_state WHERE name = 'to_erase'"
"""Gives a row where something was deleted of which the file may still have traces."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return a file's version; 0 where nothing was flushed to it. Raises ``GeocliError``."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise DamagedFileError(path, "was written by a newer geocli", "use that one")
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise DamagedFileError(path, "is a database, but not geocli's", "move it away")
    return int(version)


def lacks(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    """Return the columns that a store of an older geocli does not have."""
    return lacking(max(version_of(connection, path) - _FIRST_VERSION, 0)) if ADDED else frozenset()


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Give an older store, or a new one, the tables of now, within a transaction that has begun."""
    if version_of(connection, path) < SCHEMA_VERSION:
        from geocli.storage.store.migrations import migrate  # 100 ms that only a new geocli needs, once

        migrate(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

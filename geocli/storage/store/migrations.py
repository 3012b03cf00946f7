"""The schema of ``geo.db``, step by step. The only module that imports sqlite-utils.

A step that was released is never changed: the next change is a new step, and ``SCHEMA_VERSION`` in
``sqlite`` goes up by one. A new column is a line in ``columns``, which makes it a step. All pending steps run
inside the transaction of the flush that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from geocli.storage.store.columns import ADDED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from geocli.storage.store.columns import Column

_migrations = Migrations("geocli")
_TYPES = {"TEXT": "TEXT", "BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL"}  # those of STRICT tables


@_migrations()
def m001_answers(db: Database) -> None:
    """One row an address; what ``replay`` last did."""
    db.conn.execute(
        """
        CREATE TABLE geo_cache (
            ip TEXT PRIMARY KEY,
            status TEXT NOT NULL CHECK (status IN ('ok', 'unknown')),
            country_code TEXT,
            country_name TEXT,
            region TEXT,
            city TEXT,
            latitude REAL,
            longitude REAL,
            asn INTEGER,
            org TEXT,
            network TEXT,
            source TEXT,
            resolved_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.conn.execute("CREATE INDEX geo_cache_country_code ON geo_cache (country_code)")
    db.conn.execute("CREATE INDEX geo_cache_asn ON geo_cache (asn)")
    db.conn.execute("CREATE TABLE geo_state (name TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID")


@_migrations()
def m002_bans(db: Database) -> None:
    """One row a ban. The indexes: the bans of a time; how many each address had, without sorting."""
    db.conn.execute(
        """
        CREATE TABLE bans (
            host TEXT NOT NULL,
            jail TEXT NOT NULL,
            ip TEXT NOT NULL,
            banned_at TEXT NOT NULL,
            expires_at TEXT,
            ban_count INTEGER,
            timed INTEGER NOT NULL CHECK (timed IN (0, 1)),
            first_seen TEXT NOT NULL,
            last_seen TEXT NOT NULL,
            PRIMARY KEY (host, jail, ip, banned_at)
        ) STRICT, WITHOUT ROWID
        """
    )
    # Without row numbers, an index holds the primary key anyway: these two have all that is counted.
    db.conn.execute("CREATE INDEX bans_banned_at ON bans (banned_at, host, jail, ip)")
    db.conn.execute("CREATE INDEX bans_ip ON bans (ip, banned_at, host, jail)")


def _adding(column: Column) -> Callable[[Database], None]:
    def add(db: Database) -> None:
        db.conn.execute(f"ALTER TABLE {column.table} ADD COLUMN {column.name} {_TYPES[column.type]}")

    return add


for _number, _column in enumerate(ADDED, 3):
    _migrations(name=f"m{_number:03}_{_column.table}_{_column.name}")(_adding(_column))


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is pending, inside the caller's open transaction."""
    _migrations.apply(Database(connection))

"""The tables on the server, step by step, in SQL that PostgreSQL 15, Citus and CockroachDB all take.

What that leaves out: column collations and ``ON COMMIT DROP`` (CockroachDB refuses them), ``DO`` blocks and
advisory locks (PostgreSQL only), functions that tell sizes (each has others). So texts are ordered by the
database's collation. Nothing depends on which that is: times are ordered the same by all of them, being
digits in fixed places, and of addresses any order will do that is the same for everybody.

The keys begin with, or contain, ``ip``: Citus and CockroachDB distribute by it. A step that was released is
never changed: the next change is a new step. Each statement can be repeated, because twenty hosts may begin
at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.errors import DamagedFileError
from geocli.storage.store.columns import ADDED, added_to, lacking
from geocli.storage.store.postgres.connection import NotThereError, made_once, not_here, translated

if TYPE_CHECKING:
    from geocli.storage.store.postgres.connection import Connection

_ANSWER = """
    country_code TEXT,
    country_name TEXT,
    region TEXT,
    city TEXT,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    asn BIGINT,
    org TEXT,
    network TEXT,
    source TEXT,
    resolved_at TEXT NOT NULL
"""

_BAN = """
    host TEXT NOT NULL,
    jail TEXT NOT NULL,
    ip TEXT NOT NULL,
    banned_at TEXT NOT NULL,
    expires_at TEXT,
    ban_count BIGINT,
    timed BIGINT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL
"""

_STEPS = (
    (
        "CREATE TABLE IF NOT EXISTS geo_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        f"""
        CREATE TABLE IF NOT EXISTS geo_cache (
            ip TEXT PRIMARY KEY,
            status TEXT NOT NULL CHECK (status IN ('ok', 'unknown')),
            {_ANSWER}
        )
        """,
        "CREATE INDEX IF NOT EXISTS geo_cache_country_code ON geo_cache (country_code)",
        "CREATE INDEX IF NOT EXISTS geo_cache_asn ON geo_cache (asn)",
        f"CREATE TABLE IF NOT EXISTS bans ({_BAN}, PRIMARY KEY (host, jail, ip, banned_at))",
        "CREATE INDEX IF NOT EXISTS bans_banned_at ON bans (banned_at)",
        "CREATE INDEX IF NOT EXISTS bans_ip ON bans (ip, banned_at)",
    ),
    *(
        (f"ALTER TABLE {column.table} ADD COLUMN IF NOT EXISTS {column.name} {column.type}",)
        for column in ADDED
    ),
)
_FIRST_VERSION = len(_STEPS) - len(ADDED)
SCHEMA_VERSION = len(_STEPS)
"""``schema_version`` in ``geo_state`` of a store with all steps applied."""


def _later(table: str) -> str:
    return "".join(f", {column.name} {column.type}" for column in added_to(table))


INCOMING_ANSWERS = (
    "CREATE TEMPORARY TABLE geo_incoming "
    f"(number BIGINT, ip TEXT, status TEXT, {_ANSWER}{_later('geo_cache')})"
)
"""What a flush copies answers into; ``number`` counts them, in the order in which they were journalled."""

INCOMING_BANS = f"CREATE TEMPORARY TABLE bans_incoming ({_BAN}{_later('bans')})"
"""And bans, in no order: of two sightings, their own times tell which is the newer."""

VERSION = "SELECT value FROM geo_state WHERE name = 'schema_version'"
_SET_VERSION = (
    "INSERT INTO geo_state (name, value) VALUES ('schema_version', %s) ON CONFLICT (name) DO UPDATE "
    "SET value = excluded.value WHERE CAST(geo_state.value AS BIGINT) < CAST(excluded.value AS BIGINT)"
)


def check_version(rows: list[tuple[str]], name: str) -> int:
    """The version in what ``VERSION`` selected; 0 when there is none. Raises ``DamagedFileError``."""
    text = rows[0][0] if rows else "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DamagedFileError(name, "has a schema_version that is none", "give geocli a database of its own")
    if int(text) > SCHEMA_VERSION:
        raise DamagedFileError(name, "was written by a newer geocli", "use that one")
    return int(text)


def lacks(version: int) -> frozenset[str]:
    """Return the columns that a store of this version does not have."""
    return lacking(max(version - _FIRST_VERSION, 0))


def _version(connection: Connection, name: str) -> int:
    """The version of the store, 0 where there is none. Raises ``UsageError`` on a worker of Citus.

    That has the tables that are distributed, and no others: ``geo_state``, which geocli makes first, would be
    there and nowhere else.
    """
    asked = False
    while True:
        try:
            with translated(name):
                return check_version(connection.execute(VERSION).fetchall(), name)
        except NotThereError:
            if asked:
                raise not_here(name, "it has geo_cache and no geo_state") from None
        try:
            with translated(name):
                connection.execute("SELECT 1 FROM geo_cache LIMIT 1")
        except NotThereError:
            return 0
        asked = True  # once more: both may have been made this very moment


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Apply the steps that are missing, each statement by itself.

    Raises ``CollisionError`` when others do the same just now, which ends well when it is repeated, and
    ``GeocliError``.
    """
    version = _version(connection, name)
    if version < SCHEMA_VERSION:
        with made_once(name):
            for step in _STEPS[version:]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(_SET_VERSION, (str(SCHEMA_VERSION),))

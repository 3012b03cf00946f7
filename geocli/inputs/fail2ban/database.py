"""fail2ban's own database: who is banned now, by fail2ban 0.9 and later, running or not.

A reader can make fail2ban lose a ban: while one holds a read transaction, fail2ban's writes wait, and after
a few seconds they fail. So it is opened read-only, asked once, read to the end at once, and closed. It is
not copied and not called immutable, because then a write at that moment gives damaged rows.

Tables: ``bips`` has the last ban of each (address, jail), with ``bantime`` in seconds: -1 permanent, -2 not
known. fail2ban 0.9 and 0.10 have only ``bans``, a row for each ban, without ``bantime`` and ``bancount``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.inputs.fail2ban.times import moment_text
from geocli.model.bans import Ban
from geocli.model.errors import GeocliError, TryAgainError, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_PATIENCE = 4
"""Seconds to wait for a lock of fail2ban's, which keeps one for milliseconds."""

_COLUMNS = ("jail", "ip", "timeofban", "bantime", "bancount")


def read_database(path: Path, now: float) -> list[Ban]:
    """The bans that hold at ``now`` (seconds since the epoch), in the order in which they began.

    A ban of a jail that the database calls disabled does not hold: fail2ban disables them all when it
    stops, and enables those of its configuration when it starts. Where no end is known, everybody whose ban
    was not lifted is banned. Raises ``UsageError`` and ``TryAgainError``.
    """
    import sqlite3

    try:
        _check_readable(path)
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            rows = connection.execute(_question(connection, path), {"now": now}).fetchall()
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise _error_of(error, path) from error
    return [_ban(*row) for row in rows]


def _check_readable(path: Path) -> None:
    # SQLite's one message for all of these is "unable to open database file".
    if not path.is_file():
        path.stat()
        raise UsageError(f"{path} is not a file")
    with path.open("rb"):
        pass


def _question(connection: sqlite3.Connection, path: Path) -> str:
    """The one SELECT for what this database has: tables and columns came over the years."""
    tables = {
        name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})").fetchall()}
        for name in ("bips", "bans", "jails")
    }
    table = "bips" if tables["bips"] else "bans"
    if not {"jail", "ip"} <= tables[table]:
        raise UsageError(f"{path} is not fail2ban's database: it has no table of bans")
    has = tables[table].__contains__
    conditions = ["1"]
    if {"bantime", "timeofban"} <= tables[table]:
        conditions.append("(bantime < 0 OR timeofban + bantime > :now)")
    if table == "bans":
        conditions.append("rowid IN (SELECT max(rowid) FROM bans GROUP BY ip, jail)")
    if {"name", "enabled"} <= tables["jails"]:
        conditions.append("NOT EXISTS (SELECT 1 FROM jails WHERE name = jail AND enabled = 0)")
    return (
        f"SELECT {', '.join(name if has(name) else 'NULL' for name in _COLUMNS)}"  # noqa: S608 - names from here
        f" FROM {table} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {'timeofban, rowid' if has('timeofban') else 'rowid'}"
    )


def _ban(jail: Any, ip: Any, begin: Any, seconds: Any, count: Any) -> Ban:
    # SQLite keeps any type in any column.
    has_end = isinstance(seconds, int | float) and seconds >= 0 and isinstance(begin, int | float)
    return Ban(
        _text(jail),
        _text(ip),
        moment_text(begin),
        moment_text(begin + seconds) if has_end else None,
        count if isinstance(count, int) else None,
    )


def _text(value: str | bytes | float | None) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return clean_text("" if value is None else str(value))


def _error_of(error: Exception, path: Path) -> GeocliError:
    import sqlite3

    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UsageError(
            f"there is no {path}: fail2ban says where its database is (fail2ban-client get dbfile)"
        )
    if isinstance(error, PermissionError):
        return UsageError(f"{path} may be read by root only: use sudo")
    if isinstance(error, OSError):
        return UsageError(f"cannot read {path}: {error.strerror}")
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return TryAgainError(f"{path}: fail2ban has been writing for {_PATIENCE} seconds; try again")
    if primary in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return UsageError(f"{path} is not fail2ban's database: it is not SQLite, or damaged")
    return UsageError(f"cannot read {path} as fail2ban's database: {clean_text(str(error))}")

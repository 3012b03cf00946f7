"""SQLite files that somebody else may have written: what may stand in their schema, how large a value may be.

A file can hold more than data. A view, a virtual table or a generated column runs SQL of its author's where
it is read, a trigger or an index on an expression where it is written: without an end, with values that fill
the memory, or against other tables. geocli makes none of these; diskcache makes five triggers that count.
"""

from __future__ import annotations

import sqlite3

_SCHEMA = "SELECT type, name, sql, rootpage FROM sqlite_master"
_GENERATED = (
    "SELECT t.name FROM sqlite_master AS t JOIN pragma_table_xinfo(t.name) AS c "
    "WHERE t.type = 'table' AND c.hidden > 0 LIMIT 1"
)
_COUNTING_TRIGGERS = frozenset(
    f"CREATE TRIGGER Settings_{key}_{event.lower()} AFTER {event} ON Cache FOR EACH ROW "  # noqa: S608 (constants)
    f'BEGIN UPDATE Settings SET value = value {change} WHERE key = "{key}"; END'
    for key, event, change in (
        ("count", "INSERT", "+ 1"),
        ("count", "DELETE", "- 1"),
        ("size", "INSERT", "+ NEW.size"),
        ("size", "UPDATE", "+ NEW.size - OLD.size"),
        ("size", "DELETE", "- OLD.size"),
    )
)
"""diskcache's own, as SQLite keeps them."""


_BETWEEN_NAMES = str.maketrans("", "", '_", ')


def guard(connection: sqlite3.Connection, largest: int) -> None:
    """Have a new connection trust nothing in its file, and refuse values of more than ``largest`` bytes."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, largest)


def foreign_part(connection: sqlite3.Connection) -> str | None:
    """Return what in the schema would run SQL of its author's, like ``a trigger``; ``None``: nothing does.

    Raises ``sqlite3.Error``.
    """
    for kind, name, sql, page in connection.execute(_SCHEMA):
        text = " ".join(sql.split()) if isinstance(sql, str) else ""
        if kind == "table" and not page:
            return "a virtual table"
        if kind == "index" and text and not _is_of_columns(text):
            return "an index on an expression"
        if kind not in {"table", "index"} and text not in _COUNTING_TRIGGERS:
            return f"a {kind}" if kind in {"view", "trigger"} else f"something called {ascii(name)[:80]}"
    if connection.execute(_GENERATED).fetchone() is not None:
        return "a generated column"
    return None


def _is_of_columns(index: str) -> bool:
    """Whether nothing but names stands between the parentheses of an index, and nothing behind them."""
    _, _, columns = index.partition("(")
    names = columns[:-1].translate(_BETWEEN_NAMES)
    return columns.endswith(")") and names.isalnum()

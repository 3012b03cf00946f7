"""Groups that are too many for memory: in a temporary file, which also sorts them.

Values of groups are texts, whole numbers and ``None``. What decides their order is computed in Python, as for
groups in memory, and compared by SQLite as bytes.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from geocli.model.row_order import rank, sortable
from geocli.system.spill import temporary_file
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from geocli.model.group_by import Grouping
    from geocli.model.row_order import RowOrder

_TABLE = (
    "CREATE TABLE groups (key TEXT PRIMARY KEY, vals TEXT, addresses INTEGER, count INTEGER) WITHOUT ROWID"
)
_ADD = (
    "INSERT INTO groups VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "vals = filled(vals, excluded.vals), addresses = addresses + excluded.addresses, "
    "count = count + excluded.count"
)
_AT_ONCE = 10_000
_LARGEST = "count DESC, addresses DESC, in_order(vals)"


class GroupFile:
    """Groups of a grouping in a file without a name. ``directory``: the data's. Raises ``GeocliError``."""

    def __init__(self, by: Grouping, directory: Path) -> None:
        self._by = by
        self._directory = directory
        self._connection: sqlite3.Connection = temporary_file(directory)
        with translated(directory):
            self._connection.execute(_TABLE)
            for name, number, function in (
                ("filled", 2, _filled),
                ("in_order", 1, self._in_order),
                ("ranked", 2, self._ranked),
            ):
                self._connection.create_function(name, number, function, deterministic=True)

    def add(self, groups: Iterable[tuple[tuple[Any, ...], int, int]]) -> None:
        """Add values, addresses and counts to what is there."""
        rows = [
            (json.dumps(self._by.key(values)), json.dumps(values), addresses, count)
            for values, addresses, count in groups
        ]
        with translated(self._directory):
            self._connection.execute("BEGIN")
            self._connection.executemany(_ADD, sorted(rows, key=itemgetter(0)))
            self._connection.execute("COMMIT")

    def __len__(self) -> int:
        with translated(self._directory):
            return int(self._connection.execute("SELECT count(*) FROM groups").fetchone()[0])

    def batches(
        self, total: int, top: int | None = None, at_least: int = 0, order: RowOrder | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield what ``Groups.rows`` returns, part by part."""
        limit = -1 if top is None else top
        largest = f"SELECT * FROM groups WHERE count >= ? ORDER BY {_LARGEST}"  # noqa: S608 (constants, as below)
        by_default = "in_order(vals)" if self._by.in_order else _LARGEST
        if order is not None:
            ordered = ", ".join([*self._ordered(order, total), by_default])
            select = f"SELECT * FROM groups WHERE count >= ? ORDER BY {ordered} LIMIT ?"  # noqa: S608
        elif self._by.in_order:
            select = f"SELECT * FROM ({largest} LIMIT ?) ORDER BY {by_default}"  # noqa: S608
        else:
            select = f"{largest} LIMIT ?"
        with translated(self._directory):
            cursor = self._connection.execute(select, (at_least, limit))
            while rows := cursor.fetchmany(_AT_ONCE):
                yield [
                    (*json.loads(values), addresses, count, round(count / total, 4))
                    for _, values, addresses, count in rows
                ]

    def _ordered(self, order: RowOrder, total: int) -> Iterator[str]:
        counted = ("addresses", "count", f"round(CAST(count AS REAL) / {total}, 4)")
        for index, _, is_descending in order.keys:
            place = index - len(self._by.names)
            value = f"ranked(vals, {index})" if place < 0 else counted[place]
            yield f"{value} IS NULL, {value}{' DESC' if is_descending else ''}"

    def _in_order(self, values: str) -> bytes:
        return sortable(self._by.order(tuple(json.loads(values))))

    def _ranked(self, values: str, index: int) -> bytes | None:
        value = json.loads(values)[index]
        return None if value is None else sortable(rank(self._by.names[index], value))


def _filled(old: str, new: str) -> str:
    """The values with those of others where there are none."""
    if "null" not in old:
        return old
    filled = [a if a is not None else b for a, b in zip(json.loads(old), json.loads(new), strict=True)]
    return json.dumps(filled)

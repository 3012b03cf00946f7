"""Numbers for jails and identifiers, of which a log may have millions: many are in a temporary file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocli.inputs.fail2ban.times import identifier_text
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_MOST = 100_000  # in memory: some 20 MB
_AT_ONCE = 500
_BETWEEN = b"\n"  # no jail has a line end in it


class Names:
    """Pairs of jail and identifier, each with its number from 0 on. Raises ``GeocliError``: a full disk."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._recent: dict[bytes, int] = {}
        self._in_order: list[bytes] = []
        self._saved = 0  # those with smaller numbers are in the file
        self._file: sqlite3.Connection | None = None
        self._place = Path()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def number(self, jail: bytes, identifier: bytes) -> int:
        """Return the number of a pair, the next one for a pair that is new."""
        name = jail + _BETWEEN + identifier
        number = self._recent.get(name)
        if number is None:
            if len(self._recent) >= self._most:
                self._save()
            number = self._numbered(name)
            if number is None:
                number = self._size
                self._size += 1
            self._recent[name] = number
        return number

    def texts(self, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return jails and identifiers as a ``Ban`` has them, by their numbers."""
        if self._file is None:
            if len(self._in_order) < self._size:
                self._in_order = list(self._recent)
            return {number: _texts(self._in_order[number]) for number in set(numbers)}
        self._save()
        found: dict[int, tuple[str, str]] = {}
        wanted = iter(sorted(set(numbers)))
        while part := list(islice(wanted, _AT_ONCE)):
            places = ", ".join("?" * len(part))
            rows = self._asked(f"SELECT * FROM names WHERE number IN ({places})", part)  # noqa: S608 (question marks)
            found.update((number, _texts(name)) for number, name in rows)
        return found

    def _numbered(self, name: bytes) -> int | None:
        if self._file is None:
            return None
        rows = self._asked("SELECT number FROM names WHERE name = ?", [name])
        return int(rows[0][0]) if rows else None

    def _save(self) -> None:
        if self._file is None:
            from tempfile import gettempdir  # most logs have few

            from geocli.system.spill import temporary_file

            self._place = Path(gettempdir())
            self._file = temporary_file(self._place)
            self._asked("CREATE TABLE names (number INTEGER PRIMARY KEY, name BLOB UNIQUE)", [])
        new = [(name, number) for name, number in self._recent.items() if number >= self._saved]
        with translated(self._place):
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO names (name, number) VALUES (?, ?)", sorted(new))
            self._file.execute("COMMIT")
        self._saved = self._size
        self._recent.clear()

    def _asked(self, statement: str, parameters: Sequence[object]) -> list[Any]:
        assert self._file is not None  # noqa: S101 (for mypy)
        with translated(self._place):
            return self._file.execute(statement, parameters).fetchall()


def _texts(name: bytes) -> tuple[str, str]:
    jail, _, identifier = name.partition(_BETWEEN)
    return identifier_text(jail), identifier_text(identifier)

"""Numbers for jails and identifiers, of which a log may have millions: many are in a temporary file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocli.inputs.fail2ban.times import identifier_texts
from geocli.system.marks import Marks
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

_MOST = 50_000  # in memory: some 10 MB
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
        self._saved_marks: Marks

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

    def texts(self, numbers: Sequence[int]) -> tuple[list[str], list[str]]:
        """Return the jail and the identifier of each number, as a ``Ban`` has them."""
        names = list(map(self._names(numbers).__getitem__, numbers))
        pairs = [name.partition(_BETWEEN) for name in names]
        return identifier_texts([pair[0] for pair in pairs]), identifier_texts([pair[2] for pair in pairs])

    def _names(self, numbers: Sequence[int]) -> Mapping[int, bytes] | Sequence[bytes]:
        if self._file is None:
            if len(self._in_order) < self._size:
                self._in_order = list(self._recent)
            return self._in_order
        self._save()
        wanted = sorted(set(numbers))
        if wanted[-1] - wanted[0] < 2 * len(wanted):  # as in a log of which each line is about another
            return dict(
                self._asked("SELECT * FROM names WHERE number BETWEEN ? AND ?", [wanted[0], wanted[-1]])
            )
        found: dict[int, bytes] = {}
        rest = iter(wanted)
        while part := list(islice(rest, _AT_ONCE)):
            places = ", ".join("?" * len(part))
            found.update(self._asked(f"SELECT * FROM names WHERE number IN ({places})", part))  # noqa: S608 (question marks)
        return found

    def _numbered(self, name: bytes) -> int | None:
        if self._file is None or not self._saved_marks.may_have(name):
            return None
        rows = self._asked("SELECT number FROM names WHERE name = ?", [name])
        return int(rows[0][0]) if rows else None

    def _save(self) -> None:
        if self._file is None:
            from tempfile import gettempdir  # most logs have few

            from geocli.system.spill import temporary_file

            self._place = Path(gettempdir())
            self._file = temporary_file(self._place)
            self._saved_marks = Marks()
            self._asked("CREATE TABLE names (number INTEGER PRIMARY KEY, name BLOB UNIQUE)", [])
        if not self._recent:
            return
        new = [(name, number) for name, number in self._recent.items() if number >= self._saved]
        with translated(self._place):
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO names (name, number) VALUES (?, ?)", sorted(new))
            self._file.execute("COMMIT")
        self._saved_marks.add(name for name, _ in new)
        self._saved = self._size
        self._recent.clear()

    def _asked(self, statement: str, parameters: Sequence[object]) -> list[Any]:
        assert self._file is not None  # noqa: S101 (for mypy)
        with translated(self._place):
            return self._file.execute(statement, parameters).fetchall()

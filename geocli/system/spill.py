"""Collections that grow with the input, in memory that does not: the rest goes into a temporary file.

The file is SQLite's, in the data directory, else where temporary files are (``TMPDIR``). It has no name from
the moment it is made, so nothing of it is left, however the process ends. Keys are texts.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from geocli.system.marks import Marks
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST = 150_000
"""Keys in memory: addresses take some 15 MB."""

_MOST_SPANS = 60_000  # keys with their times in memory: some 20 MB
_CACHE = 16_000  # KiB


def temporary_file(directory: Path) -> sqlite3.Connection:
    """Return an empty database, in a file that has no name. ``directory``: the data's.

    Raises ``GeocliError``.
    """
    with translated(directory):
        connection = sqlite3.connect("", isolation_level=None)
        interruptible(connection)
        if directory.is_dir():
            name = str(directory.absolute()).replace("'", "''")
            with suppress(UnicodeEncodeError, sqlite3.Error):  # built without it, or not to be written
                connection.execute(f"PRAGMA temp_store_directory = '{name}'")
        for pragma in ("temp_store = FILE", f"cache_size = -{_CACHE}", "journal_mode = OFF"):
            connection.execute(f"PRAGMA {pragma}")
    return connection


class _Scratch:
    """A temporary file of keys with counts."""

    _TABLE = "CREATE TABLE keys (key TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID"
    _ADD = "INSERT INTO keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET count = count + excluded.count"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._connection = temporary_file(directory)
        with translated(directory):
            self._connection.execute(self._TABLE)

    def add(self, counts: Iterable[tuple[Any, ...]]) -> None:
        """Add to the counts of keys. Raises ``GeocliError``, where the disk is full for one."""
        with translated(self._directory):
            self._connection.execute("BEGIN")
            self._connection.executemany(self._ADD, sorted(counts, key=itemgetter(0)))
            self._connection.execute("COMMIT")

    def has(self, key: str) -> bool:
        with translated(self._directory):
            return self._connection.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None

    def top(self, number: int) -> list[tuple[str, int]]:
        with translated(self._directory):
            select = "SELECT key, count FROM keys ORDER BY count DESC, key LIMIT ?"
            return self._connection.execute(select, (number,)).fetchall()


class _ScratchOfSpans(_Scratch):
    """The same, with the first and the last moment of each key; empty where none is known."""

    _TABLE = "CREATE TABLE keys (key TEXT PRIMARY KEY, count INTEGER, first TEXT, last TEXT) WITHOUT ROWID"
    _ADD = (
        "INSERT INTO keys VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
        "count = count + excluded.count, last = max(last, excluded.last), "
        "first = ifnull(min(nullif(first, ''), nullif(excluded.first, '')), max(first, excluded.first))"
    )

    def spans(self, number: int) -> list[tuple[str, int, str, str]]:
        with translated(self._directory):
            select = "SELECT * FROM keys ORDER BY count DESC, last DESC, key LIMIT ?"
            return self._connection.execute(select, (number,)).fetchall()


class SeenSet:
    """A set to which keys are added, and which says of each whether it was new. ``directory``: the data's."""

    def __init__(self, directory: Path, most: int = MOST) -> None:
        self._directory = directory
        self._most = most
        self._recent: set[str] = set()
        self._scratch: _Scratch | None = None
        self._marks: Marks | None = None  # of what is in it

    def new_of(self, keys: Iterable[str]) -> list[str]:
        """Add keys, and return those that were new, each once, in order. Raises ``GeocliError``."""
        recent = self._recent
        new = [key for key in dict.fromkeys(keys) if key not in recent]
        if self._scratch is not None:
            new = [key for key in new if not self._has_saved(key)]
        recent.update(new)
        if len(recent) > self._most:
            self._spill()
        return new

    def add(self, key: str) -> bool:
        """Add one key, and return whether it was new. Raises ``GeocliError``."""
        if key in self._recent or self._has_saved(key):
            return False
        self._recent.add(key)
        if len(self._recent) > self._most:
            self._spill()
        return True

    def __contains__(self, key: str) -> bool:
        return key in self._recent or self._has_saved(key)

    def _has_saved(self, key: str) -> bool:
        if self._scratch is None or self._marks is None:
            return False
        return self._marks.may_have(key) and self._scratch.has(key)

    def _spill(self) -> None:
        if self._scratch is None or self._marks is None:
            self._scratch, self._marks = _Scratch(self._directory), Marks()
        self._scratch.add((key, 1) for key in self._recent)
        self._marks.add(self._recent)
        self._recent.clear()


class Tally:
    """How often each key was counted. ``directory``: the data's."""

    def __init__(self, directory: Path, most: int = MOST) -> None:
        self._directory = directory
        self._most = most
        self._recent: Counter[str] = Counter()
        self._scratch: _Scratch | None = None
        self._size = 0

    def __len__(self) -> int:
        """How many keys there are."""
        return self._size

    @property
    def in_memory(self) -> Counter[str] | None:
        """All counts, unless some of them are in the file."""
        return self._recent if self._scratch is None else None

    def add(self, key: str, count: int = 1) -> bool:
        """Count a key so often, and return whether it was new. Raises ``GeocliError``."""
        recent = self._recent
        if key in recent:
            recent[key] += count
            return False
        is_new = self._scratch is None or not self._scratch.has(key)
        recent[key] = count
        self._size += is_new
        if len(recent) > self._most:
            self._spill()
        return is_new

    def top(self, number: int) -> list[tuple[str, int]]:
        """Return the keys that count most, with their counts. Raises ``GeocliError``."""
        if self._scratch is None:
            return sorted(self._recent.items(), key=lambda item: -item[1])[:number]
        self._spill()
        return self._scratch.top(number)

    def _spill(self) -> None:
        self._scratch = self._scratch or _Scratch(self._directory)
        self._scratch.add(self._recent.items())
        self._recent.clear()


class SpanTally:
    """How often each key was counted, and when first and last. ``directory``: the data's.

    Moments are texts that compare as time does; empty where none is known.
    """

    def __init__(self, directory: Path, most: int = _MOST_SPANS) -> None:
        self._directory = directory
        self._most = most
        self._recent: dict[str, list[Any]] = {}
        self._scratch: _ScratchOfSpans | None = None
        self._size = 0

    def __len__(self) -> int:
        """How many keys there are."""
        return self._size

    def add(self, key: str, count: int, moment: str) -> bool:
        """Count a key so often, and return whether it was new. Raises ``GeocliError``."""
        known = self._recent.get(key)
        if known is not None:
            known[0] += count
            if moment:
                known[1] = min(known[1] or moment, moment)
                known[2] = max(known[2], moment)
            return False
        is_new = self._scratch is None or not self._scratch.has(key)
        self._recent[key] = [count, moment, moment]
        self._size += is_new
        if len(self._recent) > self._most:
            self._spill()
        return is_new

    def top(self, number: int) -> list[tuple[str, int, str, str]]:
        """Return the keys that count most, with count, first and last moment. Raises ``GeocliError``.

        Of two that count the same, the later comes first.
        """
        if self._scratch is not None:
            self._spill()
            return self._scratch.spans(number)
        rows = sorted(((key, *span) for key, span in self._recent.items()), key=itemgetter(0))
        rows.sort(key=itemgetter(1, 3), reverse=True)
        return rows[:number]

    def _spill(self) -> None:
        self._scratch = self._scratch or _ScratchOfSpans(self._directory)
        self._scratch.add((key, *span) for key, span in self._recent.items())
        self._recent.clear()

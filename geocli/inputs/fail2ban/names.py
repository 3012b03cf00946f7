"""Numbers for jails and identifiers, of which a log may have millions: many are in a temporary file.

The file has them one behind the other, without anything between. What finds a name there is a hash table in
arrays: 4 MB, and 12 bytes a name.
"""

from __future__ import annotations

import os
from array import array
from itertools import accumulate
from pathlib import Path
from typing import IO, TYPE_CHECKING

from geocli.inputs.fail2ban.times import identifier_texts
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST = 50_000  # in memory: some 10 MB
_SLOTS = 1 << 20
_BETWEEN = b"\n"  # no jail has a line end in it


class Names:
    """Pairs of jail and identifier, each with its number from 0 on. Raises ``GeocliError``: a full disk."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._recent: dict[bytes, int] = {}
        self._in_order: list[bytes] = []
        self._size = 0
        self._file: _NameFile | None = None

    def __len__(self) -> int:
        return self._size

    def number(self, jail: bytes, identifier: bytes) -> int:
        """Return the number of a pair, the next one for a pair that is new."""
        name = jail + _BETWEEN + identifier
        number = self._recent.get(name)
        if number is None:
            if len(self._recent) >= self._most:
                self._saved()
            number = None if self._file is None else self._file.number(name)
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
        if self._file is not None:
            return self._saved().names(numbers)
        if len(self._in_order) < self._size:
            self._in_order = list(self._recent)
        return self._in_order

    def _saved(self) -> _NameFile:
        if self._file is None:
            self._file = _NameFile()
        if self._recent:
            known = len(self._file)
            self._file.add([name for name, number in self._recent.items() if number >= known])
            self._recent.clear()
        return self._file


class _NameFile:
    """Names in a file, each with its number from 0 on."""

    def __init__(self) -> None:
        from tempfile import TemporaryFile, gettempdir  # most logs have few names

        self._place = Path(gettempdir())
        with translated(self._place):
            self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 (it ends with this)
        self._ends = array("Q", [0])  # where each name ends, behind where the first begins
        # One more than the number of the last name of each slot, and of the name before each name there.
        self._last = array("I", bytes(4 * _SLOTS))
        self._before = array("I")

    def __len__(self) -> int:
        return len(self._before)

    def add(self, names: Sequence[bytes]) -> None:
        """Add names, none of which is there."""
        with translated(self._place):
            self._file.write(b"".join(names))
            self._file.flush()
        self._ends.extend(accumulate(map(len, names), initial=self._ends.pop()))
        last, before = self._last, self._before
        for number, name in enumerate(names, len(before) + 1):
            slot = hash(name) & _SLOTS - 1
            before.append(last[slot])
            last[slot] = number

    def number(self, name: bytes) -> int | None:
        """Return the number of a name; ``None`` where it is not there."""
        following = self._last[hash(name) & _SLOTS - 1]
        while following:
            begin, end = self._ends[following - 1 : following + 1]
            if end - begin == len(name) and self._read(begin, end) == name:
                return following - 1
            following = self._before[following - 1]
        return None

    def names(self, numbers: Sequence[int]) -> Mapping[int, bytes]:
        """Return the names that have these numbers."""
        ends, wanted = self._ends, sorted(set(numbers))
        first, last = wanted[0], wanted[-1]
        if last - first >= 2 * len(wanted):
            return {number: self._read(*ends[number : number + 2]) for number in wanted}
        # As in a log of which each line is about another.
        begin = ends[first]
        text = self._read(begin, ends[last + 1])
        return {number: text[ends[number] - begin : ends[number + 1] - begin] for number in wanted}

    def _read(self, begin: int, end: int) -> bytes:
        with translated(self._place):
            return os.pread(self._file.fileno(), end - begin, begin)

"""Rows in memory or, when they are many, in files without a name: as they were added, or sorted.

They are of texts, bytes, numbers and ``None``. A ``directory`` is where the files go, if it is there; else it
is where temporary files are. Whatever touches a file may raise ``GeocliError``, where the disk is full.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from geocli.system.row_file import RowFile

MOST = 100_000
"""Rows in memory: of some numbers each, they take 15 to 30 MB."""

AT_ONCE = 4096
"""Rows that are read from a file together."""
MOST_RUNS = 64
"""Files that are open at once."""

Row = tuple[Any, ...]


class Rows:
    """Rows that can be read in their order, as often as is wanted."""

    def __init__(self, directory: Path | None = None, most: int | None = None) -> None:
        self._directory = directory
        self._most = MOST if most is None else most
        self._recent: list[Row] = []
        self._file: RowFile | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, rows: list[Row]) -> None:
        """Add some."""
        self._recent += rows
        self._size += len(rows)
        if len(self._recent) > (self._most if self._file is None else AT_ONCE):
            if self._file is None:
                from geocli.system.row_file import RowFile  # only then: it takes as long as a short history

                self._file = RowFile(self._directory, most=1)
            for begin in range(0, len(self._recent), AT_ONCE):
                self._file.add(self._recent[begin : begin + AT_ONCE])
            self._recent = []

    def batches(self) -> Iterator[list[Row]]:
        """Yield them, some at a time. To be read to the end before more are added."""
        if self._file is not None:
            yield from self._file.batches()
        if self._recent:
            yield self._recent

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from batch

    def parts(self, spans: Iterable[tuple[int, int]]) -> Iterator[list[Row]]:
        """Yield the rows of each span: from one place to before another. Spans are in order, and apart."""
        batches = self.batches()
        batch: list[Row] = []
        begins = ends = 0  # the places of the batch
        for first, last in spans:
            found: list[Row] = []
            while True:
                found += batch[max(0, first - begins) : max(0, last - begins)]
                if last <= ends:
                    break
                batch = next(batches)
                begins, ends = ends, ends + len(batch)
            yield found


class SortedRows:
    """Rows that come in any order and are read sorted. The first values of a row tell it from the others."""

    def __init__(self, directory: Path | None = None, most: int | None = None) -> None:
        self._directory = directory
        self._most = MOST if most is None else most
        self._recent: list[Row] = []
        self._is_sorted = True
        self._runs: list[Rows] = []

    def add(self, row: Row) -> None:
        """Add one."""
        self._recent.append(row)
        self._is_sorted = False
        if len(self._recent) > self._most:
            self._end_run()

    def batches(self) -> Iterator[list[Row]]:
        """Yield them in order, some at a time. To be read to the end before more are added."""
        if not self._runs:
            if not self._is_sorted:
                self._recent.sort()
                self._is_sorted = True
            if self._recent:
                yield self._recent
            return
        if self._recent:
            self._end_run()
        if len(self._runs) > 1:
            self._join()
        yield from self._runs[0].batches()

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from batch

    def _end_run(self) -> None:
        self._recent.sort()
        run = Rows(self._directory, 0)
        run.add(self._recent)
        self._recent = []
        self._runs.append(run)
        if len(self._runs) >= MOST_RUNS:
            self._join()

    def _join(self) -> None:
        whole = Rows(self._directory, 0)
        for batch in joined(self._runs):
            whole.add(batch)
        self._runs = [whole]


def joined(runs: Iterable[Rows]) -> Iterator[list[Row]]:
    """Yield the rows of runs, each of which is sorted, in order."""
    streams = [run.batches() for run in runs]
    heads = [(batch, stream) for stream in streams if (batch := next(stream, []))]
    while heads:
        # Nothing that is still to come is before the first of these ends.
        limit = min(batch[-1] for batch, _ in heads)
        rows: list[Row] = []
        left = []
        for batch, stream in heads:
            end = bisect_right(batch, limit)
            rows += batch[:end]
            if rest := batch[end:] or next(stream, []):
                left.append((rest, stream))
        heads = left
        rows.sort()
        yield rows

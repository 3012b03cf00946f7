"""How often each target was counted: in memory, the rest in sorted files that are read side by side."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from geocli.system.rows import AT_ONCE, MOST_RUNS, Rows, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MOST = 250_000  # targets in memory: some 40 MB


class HitCounts:
    """Counts of targets, to be read once when all is counted. ``directory``: the data's.

    Whatever touches a file may raise ``GeocliError``, where the disk is full.
    """

    def __init__(self, directory: Path, most: int | None = None) -> None:
        self._directory = directory
        self._most = _MOST if most is None else most
        self._recent: Counter[str] = Counter()
        self._files: list[Rows] = []
        self._in_files = 0

    def __len__(self) -> int:
        """How many targets there are; where they are not all in memory, at most so many."""
        return self._in_files + len(self._recent)

    @property
    def are_in_memory(self) -> bool:
        """Whether none of them are in files."""
        return not self._files

    def update(self, targets: Iterable[str]) -> None:
        """Count each of these once."""
        self._recent.update(targets)
        if len(self._recent) > self._most:
            self._write()

    def batches(self, size: int) -> Iterator[dict[str, int]]:
        """Yield all counts, ``size`` at a time: in the order of their first time or, from files, sorted."""
        if not self._files:
            items = iter(self._recent.items())
            while batch := dict(islice(items, size)):
                yield batch
            return
        self._write()
        waiting = Counter[str]()
        for rows in joined(self._files):
            found: dict[str, int] = dict(rows)
            if len(found) == len(rows) and waiting.keys().isdisjoint(found):
                dict.update(waiting, found)
            else:  # some are in several files
                for target, count in rows:
                    waiting[target] += count
            while len(waiting) > size:  # the last may be in what comes next
                yield dict(islice(waiting.items(), size))
                waiting = Counter(dict(islice(waiting.items(), size, None)))
        yield dict(waiting)

    def _write(self) -> None:
        self._in_files += len(self._recent)
        file = Rows(self._directory, 0)
        ordered = sorted(self._recent)
        counts = self._recent
        self._recent = Counter()
        for begin in range(0, len(ordered), AT_ONCE):
            file.add([(target, counts[target]) for target in ordered[begin : begin + AT_ONCE]])
        self._files.append(file)
        if len(self._files) >= MOST_RUNS:
            whole = Rows(self._directory, 0)
            for rows in joined(self._files):
                whole.add(rows)
            self._files = [whole]

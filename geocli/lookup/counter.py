"""How often each target occurs in some inputs: in one pass, on all processors, whatever the size.

Whole lines of text can be looked through anywhere and in any order, so large inputs are given to workers
in parts; what spans parts (a ban list of one line, a comment, a line of megabytes) is read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.inputs.bulk_text import BulkText
from geocli.inputs.in_text import find_targets
from geocli.inputs.stream import Piece, pieces
from geocli.inputs.targets import TargetReader
from geocli.lookup.hit_counts import HitCounts
from geocli.model.errors import UsageError
from geocli.system.process_pool import WorkerFailedError, Workers, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from geocli.inputs.targets import Stream
    from geocli.model.errors import Problems

_ALONE = 4 << 20  # bytes before workers pay for themselves
_PART = 1 << 18  # bytes that a worker is given at once


class TargetCounter:
    """Counts the targets of streams. What cannot be read to its end is noted in ``problems``."""

    def __init__(self, directory: Path, problems: Problems, progress: Callable[[int], None]) -> None:
        """``progress`` hears now and then how many targets there are.

        ``directory`` is the data's: what is too much for memory goes into a temporary file there.
        """
        self._hits = HitCounts(directory)
        self._problems = problems
        self._progress = progress
        self._workers: Workers | None = None
        self._given: list[bytes] = []
        self._size = 0
        self._found = 0
        self._failed = processors() < 2

    def count(self, streams: Iterable[Stream]) -> HitCounts:
        """How often each target occurs, and in each stream. Raises ``GeocliError`` where the disk is full."""
        last, before = None, 0
        try:
            for stream in streams:
                try:
                    self._count(pieces(stream.chunks()))
                except UsageError as error:
                    self._problems.note(error)
                if stream.counts_lines:
                    self._finish()  # else what workers still have is counted with the last one
                stream.addresses, before, last = self._found - before, self._found, stream
            self._finish()
            if last is not None:
                last.addresses += self._found - before
        finally:
            if self._workers is not None:
                self._workers.close()
        return self._hits

    def _count(self, found: Iterable[Piece]) -> None:
        reader, part = TargetReader(), bytearray()
        for piece in found:
            self._size += len(piece.text)
            if not (self._size > _ALONE and not self._failed and reader.is_stateless(piece)):
                self._learn(target for targets in reader.read(piece) for target in targets)
                continue
            part += piece.text
            if len(part) >= _PART:
                self._give(bytes(part))
                part.clear()
        self._learn(find_targets(bytes(part)))

    def _learn(self, targets: Iterable[str]) -> None:
        found = list(targets)
        self._found += len(found)
        self._hits.update(found)
        self._progress(len(self._hits))

    def _give(self, part: bytes) -> None:
        if self._failed:
            self._learn(find_targets(part))
            return
        self._given.append(part)
        try:
            if self._workers is None:
                in_worker = BulkText()
                self._workers = Workers(lambda text: [in_worker.find(text)])
            if not self._workers.has_room:
                self._take()
            self._workers.give(part)
        except WorkerFailedError:
            self._finish()

    def _take(self) -> None:
        assert self._workers is not None  # noqa: S101 (for mypy)
        found = self._workers.take().decode()
        del self._given[0]
        self._learn(found.split("\n") if found else ())

    def _finish(self) -> None:
        """Take what is still out; a worker that failed leaves its part and all later ones to be done here."""
        try:
            while self._given and not self._failed and self._workers is not None:
                self._take()
        except WorkerFailedError:
            self._failed = True
        for part in self._given:
            self._failed = True
            self._learn(find_targets(part))
        self._given.clear()

"""The dirty journal: every answer, from the moment it is printed, and every ban, until a flush committed it.

Segments are immutable and append-only; one segment is one batch of answers or of bans, durable when
``append`` returns. Written through diskcache (``writer``, imported only when there is something to write:
opening a ``Cache`` writes), read straight from its SQLite table, so that reading leaves no trace on disk.

A row of diskcache's ``Cache`` table is a segment: ``key`` counts up, ``store_time`` says when, ``value``
is a header line and JSON (``segments``), ``tag`` is all addresses of answers, each between spaces. Tags
come before values in the row, so a look-up reads 16 bytes an address and only the segments it needs. The tag
of bans is ``BANS_TAG`` and how many: nothing that a look-up could take for an address.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from geocli.model.bans import SeenBan
from geocli.model.errors import DamagedFileError
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.journal.finder import Finder
from geocli.storage.journal.segments import (
    BANS_TAG,
    BadSegmentError,
    NewerSegmentError,
    Segment,
    decode,
    encode,
)
from geocli.system.files import lock_file, make_private_directory, open_directory, open_private, try_lock
from geocli.system.ownership import is_lent
from geocli.system.sqlite_file import (
    expect,
    open_for_reading,
    set_aside,
    size_on_disk,
    translated,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from geocli.model.errors import CorruptFileError
    from geocli.storage.journal.writer import SegmentWriter

_HAS_BANS = f"(substr(tag, 1, {len(BANS_TAG)}) = ?)"
_RAW = 1  # diskcache's MODE_RAW: the value is in the row, as it is


class JournalState(NamedTuple):
    """How many answers (``dirty``) and bans wait, the oldest since when (seconds since the epoch)."""

    dirty: int
    bans: int
    quarantined: int
    oldest: float | None
    size: int


class Journal:
    """The journal in one directory, made when the first segment is written.

    Use as a context manager: leaving it closes the database files.
    """

    def __init__(self, directory: Path, busy_timeout: float) -> None:
        self._directory = directory
        self._path = directory / "cache.db"
        self._busy_timeout = busy_timeout
        self._reader: sqlite3.Connection | None = None
        self._writer: SegmentWriter | None = None
        self._finder = Finder(self._path, self._rows, self._answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database files; the journal opens them again when asked."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def append(self, records: Sequence[GeoRecord]) -> None:
        """Make one segment of these records. On disk when this returns; raises ``GeocliError``."""
        from geocli.model.record_batch import RecordBatch  # most who write have one already

        self.write(encode(RecordBatch.of(records)))

    @property
    def is_lent(self) -> bool:
        """Whether it is another user's, who lets this one read it (``geocli setup --group``)."""
        return is_lent(self._directory.parent)

    def make_ready(self) -> None:
        """Open the files for writing, which takes 30 ms where they are new. Raises ``GeocliError``."""
        self._writing()

    def write(self, segment: Segment) -> int:
        """Write a segment that is ready; its key. On disk when this returns; raises ``GeocliError``."""
        key = self._writing().append(segment.value, segment.tag)
        self._finder.wrote(key)
        return key

    def find(
        self,
        targets: Collection[str],
        usable: Callable[[GeoRecord], bool],
        where: Mapping[str, int] | None = None,
    ) -> dict[str, GeoRecord]:
        """The newest usable record of each target that has one (``Finder``). Raises ``DamagedFileError``."""
        return self._finder.find(targets, usable, where)

    def locate(self, targets: Collection[str], *, steady: bool = False) -> dict[str, int]:
        """The key of the newest segment that holds each target, if any does (``Finder``).

        Raises ``DamagedFileError``.
        """
        return self._finder.locate(targets, steady=steady)

    def _answers(self, key: int) -> Sequence[tuple[Any, ...]]:
        """The answers of one segment, none if it is bad: the flush sets it aside and says so."""
        with suppress(BadSegmentError):
            return self.read(key).answers
        return ()

    def keys(self) -> list[int]:
        """The keys of all segments, oldest first. What is appended later is not among them."""
        with translated(self._path):
            keys = [key for (key,) in self._rows("SELECT key FROM Cache ORDER BY key")]
        expect(all(type(key) is int for key in keys), self._path)
        return keys

    def read(self, key: int) -> Batch:
        """What one segment holds, as checked rows, none if it is gone.

        Raises ``BadSegmentError`` when it is text that geocli did not write, ``DamagedFileError`` when
        it is not even text.
        """
        text = self.text(key)
        if text is None:
            return Batch()

        try:
            return decode(text)
        except NewerSegmentError:
            raise DamagedFileError(self._path, "was written by a newer geocli", "use that one") from None

    def everything(self) -> Iterator[list[GeoRecord]]:
        """The records of all segments, the newest first; what cannot be read is left out."""
        for batch in self._batches(f"NOT {_HAS_BANS}"):
            yield [GeoRecord._make(row) for row in batch.answers]

    def addresses(self) -> set[str]:
        """What there is an answer about, in any segment."""
        found: set[str] = set()
        with translated(self._path):
            for (tag,) in self._rows(f"SELECT tag FROM Cache WHERE NOT {_HAS_BANS}", (BANS_TAG,)):  # noqa: S608 (a constant)
                expect(type(tag) is str, self._path)
                found.update(tag.split())
        return found

    def bans(self, known: set[tuple[int, float]] | None = None) -> Iterator[list[SeenBan]]:
        """The bans of all segments, the newest first; what cannot be read is left out.

        Of segments in ``known`` nothing; the others are added to it, for whoever asks again.
        """
        for batch in self._batches(_HAS_BANS, known):
            yield [SeenBan._make(row) for row in batch.bans]

    def _batches(self, condition: str, known: set[tuple[int, float]] | None = None) -> Iterator[Batch]:
        select = f"SELECT key, store_time FROM Cache WHERE {condition} ORDER BY key DESC"  # noqa: S608 (a constant)
        with translated(self._path):
            segments = list(self._rows(select, (BANS_TAG,)))
        expect(all(type(key) is int for key, _ in segments), self._path)
        for segment in segments:
            if known is None or segment not in known:
                with suppress(BadSegmentError):  # the flush sets it aside and says so
                    yield self.read(segment[0])
        if known is not None:
            known.update(segments)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Keep others from recording meanwhile. Raises ``GeocliError``, also when somebody takes too long."""
        make_private_directory(self._directory)
        with lock_file(self._directory / "recording.lock", self._busy_timeout):
            yield

    def text(self, key: int) -> str | None:
        """A segment as it is on disk. Raises ``DamagedFileError`` when it is not text."""
        with translated(self._path):
            select = "SELECT raw, mode, filename, value FROM Cache WHERE key = ?"
            for raw, mode, filename, value in self._rows(select, (key,)):
                expect((raw, mode, filename) == (1, _RAW, None) and type(value) is str, self._path)
                return str(value)
        return None

    def forget(self, keys: Iterable[int]) -> None:
        """Drop exactly these segments, in one transaction. Raises ``GeocliError``."""
        self._writing().forget(keys)

    def quarantine(self, key: int) -> Path:
        """Copy a bad segment to a text file that a person can read; the caller then forgets it."""
        directory = self._directory / "quarantine"
        path = directory / f"segment-{key}-{time.time_ns()}.txt"
        with translated(path):
            make_private_directory(directory)
            descriptor = open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(self.text(key) or "")
                file.flush()
                os.fsync(descriptor)
        return path

    def set_aside(self) -> CorruptFileError | None:
        """Move a damaged journal into the quarantine and say so; ``None`` when it is not damaged."""
        self.close()
        quarantine = self._directory / "quarantine"
        return set_aside(self._path, quarantine, self._directory.parent, self._busy_timeout)

    def oldest(self) -> float | None:
        """When the oldest segment was written, seconds since the epoch. Raises ``GeocliError``."""
        with translated(self._path):
            for (since,) in self._rows("SELECT store_time FROM Cache ORDER BY key LIMIT 1"):
                expect(type(since) in {float, int}, self._path)
                return float(since)
        return None

    def state(self) -> JournalState:
        """Counts for people and monitoring."""
        dirty, bans, oldest = 0, 0, None
        with translated(self._path):
            # The tag of bans has one space, and so counts for no answer.
            select = "SELECT sum(length(tag) - length(replace(tag, ' ', '')) - 1), min(store_time) FROM Cache"
            for count, since in self._rows(select):
                dirty, oldest = int(count or 0), since
            select = f"SELECT sum(CAST(substr(tag, ?) AS INTEGER)) FROM Cache WHERE {_HAS_BANS}"  # noqa: S608 (constant)
            for (count,) in self._rows(select, (len(BANS_TAG) + 1, BANS_TAG)):
                bans = int(count or 0)
            quarantine = self._directory / "quarantine"
            files = list(quarantine.iterdir()) if quarantine.is_dir() else []
            quarantined = sum(not file.name.endswith(("-wal", "-shm")) for file in files)
            return JournalState(dirty, bans, quarantined, oldest, size_on_disk(self._path))

    @contextmanager
    def flushing(self) -> Iterator[bool]:
        """Whether this process may flush: ``False`` while another one does. No file is made for it."""
        with translated(self._directory):
            descriptor = open_directory(self._directory)
        try:
            yield try_lock(descriptor, self._directory)
        finally:
            os.close(descriptor)  # and with it the lock

    def _rows(self, select: str, parameters: tuple[Any, ...] = ()) -> Iterator[Any]:
        if self._reader is None:
            self._reader = open_for_reading(self._path, self._busy_timeout)
        if self._reader is None:
            return iter(())
        return self._reader.execute(select, parameters)

    def _writing(self) -> SegmentWriter:
        if self._writer is None:
            with _uninterrupted():
                from geocli.storage.journal.writer import (
                    SegmentWriter,  # 25 ms that a cached look-up does not need
                )
            if self._reader is not None:
                self._reader.close()  # sqlite_file says why; _rows opens it again
                self._reader = None
            self._writer = SegmentWriter(self._directory, self._busy_timeout)
        return self._writer


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold an interrupt back: one that comes in the midst of an import, Python may lose."""
    import signal  # an idle flush does without

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

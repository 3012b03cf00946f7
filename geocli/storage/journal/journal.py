"""The dirty journal: every answer, from the moment it is printed, and every ban, until a flush committed it.

Segments are immutable and append-only; one segment is one batch of answers or of bans, durable when
``append`` returns. Written through diskcache (``writer``, imported only when there is something to write:
opening a ``Cache`` writes), read straight from its SQLite table, so that reading leaves no trace on disk.

A row of diskcache's ``Cache`` table is a segment: ``store_time`` says when, ``value`` is a header line and
JSON (``segments``), ``tag`` is all addresses of answers, each between spaces. Tags come before values in the
row, so a look-up reads 16 bytes an address and only the segments it needs. The tag of bans is ``BANS_TAG``
and how many: nothing that a look-up could take for an address. What is called a key here is the number of
the row (``rowid``), which counts up and is a number whatever else somebody may have written into a row; a row
that is not as geocli writes it is a bad segment, like text that is not, and holds nobody up.

Somebody may remove the journal, or put another one into its place, while it is open. So whoever has written
sees that it went into the file that is there now, and keys are good for no other file than that they are of.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from geocli.model.errors import DamagedFileError
from geocli.storage.batch import BadSegmentError, Batch, NewerSegmentError
from geocli.system.ownership import is_lent
from geocli.system.presence import exists, is_directory
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import (
    ReplacedError,
    file_id,
    integrity,
    open_for_reading,
    set_aside,
    size_on_disk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.model.bans import SeenBan
    from geocli.model.errors import CorruptFileError
    from geocli.model.records import GeoRecord
    from geocli.storage.journal.answer_times import AnswerTimes
    from geocli.storage.journal.segments import Segment
    from geocli.storage.journal.state import JournalState
    from geocli.storage.journal.writer import SegmentWriter
    from geocli.system.sqlite_file import FileId

_RAW = 1  # diskcache's MODE_RAW: the value is in the row, as it is
_LARGEST = 64 << 20  # bytes of a segment: four times the largest that geocli writes


class Journal:
    """The journal in one directory, made when the first segment is written.

    Use as a context manager: leaving it closes the database files.
    """

    def __init__(self, directory: Path, busy_timeout: float) -> None:
        self._directory = directory
        self._path = directory / "cache.db"
        self._busy_timeout = busy_timeout
        self._reader: sqlite3.Connection | None = None
        self._reads: FileId | None = None
        self._read: set[FileId] = set()  # what keys and segments were read from, since keys() was asked
        self._writer: SegmentWriter | None = None
        self.mended: DamagedFileError | None = None
        """What was wrong with the file, and is not any more: to be said."""
        self._readings = 0  # how often the file was opened for reading
        self._times: AnswerTimes | None = None

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
        from geocli.model.record_batch import RecordBatch
        from geocli.storage.journal.segments import encode

        self.write(encode(RecordBatch.of(records)))

    @property
    def directory(self) -> Path:
        """Where it is, or will be."""
        return self._directory

    @property
    def is_lent(self) -> bool:
        """Whether it is another user's, who lets this one read it (``geocli setup --group``)."""
        return is_lent(self._directory.parent)

    def make_ready(self) -> None:
        """Open the files for writing, which takes 30 ms where they are new. Raises ``GeocliError``."""
        self._writing()

    def write(self, segment: Segment) -> int:
        """Write a segment that is ready; its key. On disk when this returns; raises ``GeocliError``."""
        try:
            key = self._writing().append(segment.value, segment.tag)
        except ReplacedError:  # it went with the file that was there before: once more, into the one of today
            self.close()
            key = self._writing().append(segment.value, segment.tag)
        if self._times is not None:
            self._times.wrote(key, segment)
        return key

    def find(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, GeoRecord]:
        """The newest usable record of each target that has one (``Finder``). Raises ``DamagedFileError``."""
        from geocli.storage.journal.finder import Finder  # an idle flush does without

        self._leave_replaced_file()
        return Finder(self._path, self._rows, self._answers).find(targets, usable)

    def times(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When the newest usable answer about each target that has one was given (``AnswerTimes``).

        Raises ``DamagedFileError``.
        """
        self._leave_replaced_file()
        if self._times is None:
            from geocli.storage.journal.answer_times import AnswerTimes  # a few addresses do without

            self._times = AnswerTimes(self._path, self._rows, self._text, self._version, self.close)
        return self._times.find(targets, usable)

    def _answers(self, key: int) -> Sequence[tuple[Any, ...]]:
        """The answers of one segment, none if it is bad: the flush sets it aside and says so."""
        with suppress(BadSegmentError):
            return self.read(key).rows()
        return ()

    def _version(self) -> object:
        """Another one after each change of the file by anybody."""
        versions = [version for (version,) in self._rows("PRAGMA data_version")]
        return self._readings, versions

    def keys(self) -> list[int]:
        """The keys of all segments, oldest first. What is appended later is not among them."""
        self._leave_replaced_file()
        self._read.clear()
        with translated(self._path):
            return [key for (key,) in self._rows("SELECT rowid FROM Cache ORDER BY rowid")]

    def read(self, key: int) -> Batch:
        """What one segment holds, checked; nothing if it is gone.

        Raises ``BadSegmentError`` when it is not what geocli writes, ``DamagedFileError`` when a newer one
        wrote it.
        """
        with translated(self._path):
            text = self._text(key)
        if text is None:
            return Batch()
        from geocli.storage.journal.segments import decode  # an idle flush does without

        try:
            return decode(text)
        except NewerSegmentError:
            raise DamagedFileError(self._path, "was written by a newer geocli", "use that one") from None

    def everything(self) -> Iterator[list[GeoRecord]]:
        """The records of all segments, the newest first; what cannot be read is left out."""
        from geocli.model.records import GeoRecord
        from geocli.storage.journal.rows import HAS_BANS

        for batch in self._batches(f"NOT {HAS_BANS}"):
            yield [GeoRecord._make(row) for row in batch.rows()]

    def addresses(self) -> set[str]:
        """What there is an answer about, in any segment."""
        from geocli.storage.journal.rows import BANS_TAG, HAS_BANS

        found: set[str] = set()
        select = f"SELECT CAST(tag AS BLOB) FROM Cache WHERE typeof(tag) = 'text' AND NOT {HAS_BANS}"  # noqa: S608 (a constant)
        with translated(self._path):
            for (tag,) in self._rows(select, (BANS_TAG,)):
                found.update(str(tag, "utf-8", "replace").split())
        return found

    def bans(self, known: set[tuple[int, float]] | None = None) -> Iterator[list[SeenBan]]:
        """The bans of all segments, the newest first; what cannot be read is left out.

        Of segments in ``known`` nothing; the others are added to it, for whoever asks again.
        """
        from geocli.model.bans import SeenBan  # a look-up asks about none
        from geocli.storage.journal.rows import HAS_BANS

        for batch in self._batches(HAS_BANS, known):
            yield [SeenBan._make(row) for row in batch.bans]

    def _batches(self, condition: str, known: set[tuple[int, float]] | None = None) -> Iterator[Batch]:
        from geocli.storage.journal.rows import BANS_TAG, STORED

        select = f"SELECT rowid, {STORED} FROM Cache WHERE {condition} ORDER BY rowid DESC"  # noqa: S608 (a constant)
        with translated(self._path):
            segments = list(self._rows(select, (BANS_TAG,)))
        for segment in segments:
            if known is None or segment not in known:
                with suppress(BadSegmentError):  # the flush sets it aside and says so
                    yield self.read(segment[0])
        if known is not None:
            known.update(segments)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Keep others from recording meanwhile. Raises ``GeocliError``, also when somebody takes too long."""
        from geocli.system.files import lock_file, make_private_directory  # look-ups do without

        make_private_directory(self._directory)
        with lock_file(self._directory / "recording.lock", self._busy_timeout):
            yield

    def _text(self, key: int) -> str | None:
        """A segment as it is on disk. Raises ``BadSegmentError`` when it is not text in a row of geocli's."""
        is_right = f"raw IS 1 AND mode IS {_RAW} AND filename IS NULL AND typeof(value) = 'text'"
        select = f"SELECT {is_right}, CAST(value AS BLOB) FROM Cache WHERE rowid = ?"  # noqa: S608 (constants)
        try:
            for right, value in self._rows(select, (key,)):
                if right:
                    return str(value, "utf-8")
                raise BadSegmentError("the row is not geocli's")
        except (sqlite3.DataError, UnicodeDecodeError) as error:  # too large; bytes that are no text
            raise BadSegmentError(str(error)) from None
        return None

    def forget(self, keys: Iterable[int]) -> None:
        """Drop exactly these segments of the file that ``keys`` told of, in one transaction.

        Raises ``GeocliError``; ``ReplacedError`` where another file is in its place: nothing is dropped.
        """
        writer = self._writing()
        if any(read.file != writer.file_id.file for read in self._read):
            raise ReplacedError(self._path)
        writer.forget(keys)

    def erase(self, before: float) -> None:
        """Leave nothing on the disk of what was forgotten, nor of what was set aside before a moment.

        Raises ``GeocliError``.
        """
        with translated(self._quarantine):
            for file in self._set_aside():
                if file.lstat().st_mtime < before:
                    file.unlink()
        if exists(self._path):
            self._writing().erase()

    def quarantine(self, key: int) -> Path:
        """Copy a bad segment to a file that a person can read; the caller then forgets it.

        One file, however often this is asked.
        """
        from geocli.storage.journal.quarantine import keep_segment  # hardly ever

        with translated(self._path):
            self._rows("SELECT 1")  # opens the file
            return keep_segment(self._quarantine, key, self._reader)

    def set_aside(self) -> CorruptFileError | None:
        """Move a damaged journal into the quarantine and say so; ``None`` when it is not damaged."""
        self.close()
        return set_aside(self._path, self._quarantine, self._directory.parent, self._busy_timeout)

    def oldest(self) -> float | None:
        """When the oldest segment was written, seconds since the epoch. Raises ``GeocliError``."""
        from geocli.storage.journal.state import oldest_of  # scripts do without

        with translated(self._path):
            return oldest_of(self._rows)

    def state(self) -> JournalState:
        """Counts for people and monitoring."""
        from geocli.storage.journal.state import JournalState, count

        with translated(self._path):
            dirty, bans, oldest = count(self._rows)
            quarantined = sum(not file.name.endswith(("-wal", "-shm")) for file in self._set_aside())
            return JournalState(dirty, bans, quarantined, oldest, size_on_disk(self._path))

    @property
    def _quarantine(self) -> Path:
        return self._directory / "quarantine"

    def _set_aside(self) -> list[Path]:
        return list(self._quarantine.iterdir()) if is_directory(self._quarantine) else []

    def integrity(self) -> list[str]:
        """Return what is wrong with the file, in sentences. Raises ``GeocliError``."""
        with translated(self._path):
            self._rows("SELECT 1")
        return [] if self._reader is None else integrity(self._path, self._reader)

    @contextmanager
    def flushing(self) -> Iterator[bool]:
        """Whether this process may flush: ``False`` while another one does. No file is made for it."""
        from geocli.system.files import open_directory, try_lock  # the same

        with translated(self._directory):
            descriptor = open_directory(self._directory)
        try:
            yield try_lock(descriptor, self._directory)
        finally:
            os.close(descriptor)  # and with it the lock

    def _rows(self, select: str, parameters: tuple[Any, ...] = ()) -> Iterator[Any]:
        if self._reader is None:
            self._reads = file_id(self._path)
            self._reader = open_for_reading(self._path, self._busy_timeout, _LARGEST)
            if self._reader is None:
                return iter(())
            self._readings += 1
        if self._reads is not None:
            self._read.add(self._reads)
        return self._reader.execute(select, parameters)

    def _leave_replaced_file(self) -> None:
        """Close the file if it is not the one at its path any more: the next to read opens that."""
        if self._reader is not None and self._reads is not None:
            with translated(self._path):
                if file_id(self._path).file != self._reads.file:
                    self._reader.close()
                    self._reader = None

    def _writing(self) -> SegmentWriter:
        if self._writer is None:
            from geocli.system.interrupts import uninterrupted

            with uninterrupted():  # a cached look-up does without
                from geocli.storage.journal.writer import SegmentWriter
            if self._reader is not None:
                self._reader.close()  # sqlite_file says why; _rows opens it again
                self._reader = None
            self._writer = SegmentWriter(self._directory, self._busy_timeout)
            self.mended = self.mended or self._writer.mended
        return self._writer

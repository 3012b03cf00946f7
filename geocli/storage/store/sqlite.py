"""The store in one SQLite file, ``geo.db``: WAL mode, STRICT tables, readable with the ``sqlite3`` shell."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from geocli.model.clocks import END_OF_TIME
from geocli.model.errors import DamagedFileError
from geocli.model.records import GeoRecord, check_rows, is_time
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import (
    integrity,
    open_for_reading,
    set_aside,
    size_on_disk,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from geocli.model.bans import BanQuery, SeenBan
    from geocli.model.errors import CorruptFileError
    from geocli.model.group_by import Grouping
    from geocli.model.record_batch import RecordBatch
    from geocli.storage.batch import Batch
    from geocli.storage.store.base import BanCount, BanSpan, Forgotten, Outlived, StoreState
    from geocli.storage.store.sqlite_answers import AnswerReader
    from geocli.storage.store.sqlite_writer import SqliteWriter

_Read = TypeVar("_Read")
_Checked = TypeVar("_Checked")

_BATCH = 10_000  # rows read at once; nothing is held in between
# Rows after which it is seen whether they can be geocli's, before there are more in memory.
_ROWS_CHECKED = 200
_LARGEST = 32 << 10  # bytes of a value: all texts of an answer together, in JSON, have half as many
_COUNT_BANS = "SELECT (SELECT count(*) FROM bans), (SELECT count(*) FROM bans WHERE banned_at > ?)"


class SqliteStore:
    """``geo.db`` in the data directory; made by the first flush."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._reader: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the database file; it is opened again when asked."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @cached_property
    def _answers(self) -> AnswerReader:
        from geocli.storage.store.sqlite_answers import AnswerReader  # an idle flush does without

        return AnswerReader(self._path)

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one. Raises ``GeocliError``."""
        return {record.ip: record for record in self.batch(targets).records()}

    def batch(self, targets: Collection[str]) -> RecordBatch:
        """The same by column, in no order; each target once. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            from geocli.model.record_batch import RecordBatch

            return RecordBatch.of([])
        return self._answers.batch(connection, targets)

    def times(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When each target's answer was given, of those that have a usable one. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            return {}
        return self._answers.times(connection, targets, usable)

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches. Raises ``GeocliError``, at the end for what geocli did not write."""
        from geocli.storage.store import sqlite_answers  # a look-up asks about few
        from geocli.storage.store.sound_rows import Sieve

        last, sieve = "", Sieve(self._path)
        while (connection := self._reading()) is not None:
            with translated(self._path):
                cursor = sqlite_answers.every(connection, last, _BATCH, self._lacks(connection))
                rows, end = self._read(cursor, lambda part: sieve.known(part, check_rows, 0))
            if end is None:
                break
            if rows:
                yield [GeoRecord._make(row) for row in rows]
            last = end[0]
        sieve.end()

    def _read(
        self,
        cursor: sqlite3.Cursor,
        known: Callable[[list[tuple[Any, ...]]], list[tuple[Any, ...] | None]],
    ) -> tuple[list[tuple[Any, ...]], tuple[Any, ...] | None]:
        """The good rows of a batch, looked at before they can fill the memory, and the last of all."""
        rows: list[tuple[Any, ...]] = []
        end = None
        while part := cursor.fetchmany(_ROWS_CHECKED):
            rows += [row for row in known(part) if row is not None]
            end = part[-1]
        return rows, end

    def _bans(self, rows: list[tuple[Any, ...]]) -> list[SeenBan]:
        from geocli.model.bans import SeenBan, check_bans  # the same

        self._checked(rows, check_bans)
        return [SeenBan._make(row) for row in rows]

    def _checked(self, read: _Read, check: Callable[[_Read], _Checked]) -> _Checked:
        try:
            return check(read)
        except ValueError as error:
            raise DamagedFileError(
                self._path, f"holds a row that geocli did not write: {error}", "correct or delete it"
            ) from None

    def outlived(self, wanted: Outlived, size: int) -> Iterator[list[str]]:
        """Targets whose answers are old, oldest first, ``size`` at a time. Raises ``GeocliError``."""
        from geocli.storage.store import sqlite_answers

        asked = {**wanted._asdict(), "last": "", "last_ip": "", "size": size}
        while (connection := self._reading()) is not None:
            with translated(self._path):
                rows = connection.execute(sqlite_answers.OUTLIVED, asked).fetchall()
            if not rows:
                return
            yield [str(ip) for ip, _ in rows]
            asked["last_ip"], asked["last"] = rows[-1]

    def every_ban(self) -> Iterator[list[SeenBan]]:
        """All bans, in batches, ordered by their keys. Raises ``GeocliError``."""
        from geocli.model.bans import SeenBan, check_bans
        from geocli.storage.store import sqlite_bans  # a look-up asks about none
        from geocli.storage.store.sound_rows import WHO, Sieve

        last, sieve = ("", "", "", ""), Sieve(self._path)
        while (connection := self._reading_bans()) is not None:
            with translated(self._path):
                cursor = sqlite_bans.every(connection, last, _BATCH, self._lacks(connection))
                rows, end = self._read(cursor, lambda part: sieve.known(part, check_bans, WHO))
            if end is None:
                break
            if rows:
                yield [SeenBan._make(row) for row in rows]
            last = end[:4]
        sieve.end()

    def seen_bans(self, spans: Collection[BanSpan]) -> list[SeenBan]:
        """The bans in these spans, in no order. Raises ``GeocliError``."""
        from geocli.storage.store import sqlite_bans  # the same

        connection = self._reading_bans()
        if connection is None:
            return []
        with translated(self._path):
            rows = sqlite_bans.seen(connection, spans, self._lacks(connection))
        return self._bans(rows)

    def bans(self, question: BanQuery) -> Iterator[list[tuple[SeenBan, GeoRecord | None]]]:
        """Bans with their answers, the oldest first, in batches. Raises ``GeocliError``."""
        from geocli.storage.store import sqlite_bans  # look-ups do without
        from geocli.storage.store.sound_rows import Sieve

        last, sieve = ("", "", "", ""), Sieve(self._path)
        while (connection := self._reading_bans()) is not None:
            with translated(self._path):
                rows = sqlite_bans.rows_after(connection, question, last, _BATCH, self._lacks(connection))
            if not rows:
                break
            bans, answers = zip(*map(sqlite_bans.split, rows), strict=True)
            if located := sieve.located(bans, answers):
                yield located
            host, jail, ip, banned_at = bans[-1][:4]
            last = (banned_at, host, jail, ip)
        sieve.end()

    def count_bans(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """Bans counted by a grouping, in no order. Raises ``GeocliError``."""
        return self._counted(question, by, None, with_times=False)

    def spans(self, question: BanQuery, by: Grouping, top: int | None = None) -> Iterator[BanCount]:
        """The same, and when the first and the last of each group began. Raises ``GeocliError``."""
        return self._counted(question, by, top, with_times=True)

    def _counted(
        self, question: BanQuery, by: Grouping, top: int | None, *, with_times: bool
    ) -> Iterator[BanCount]:
        from geocli.storage.store import sqlite_bans  # the same
        from geocli.storage.store.sound_rows import check_span

        connection = self._reading_bans()
        if connection is not None:
            asked = sqlite_bans.Counting(by, top, with_times)
            with translated(self._path):
                for count in sqlite_bans.count(connection, question, asked):
                    if with_times:
                        self._checked(count, check_span)
                    yield count

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write all batches in one transaction, making the store if need be. Raises ``GeocliError``."""
        return self._writing().replay(batches, flushed_at)

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """Delete what is older, of ``answers``, ``bans`` or both, in one transaction.

        Raises ``GeocliError``.
        """
        if self._reading() is None:
            from geocli.storage.store.base import Forgotten

            return Forgotten()
        return self._writing().forget(before, kinds, now)

    def erase(self, before: float) -> None:
        """Leave nothing on the disk of what was forgotten, nor of files set aside before a moment.

        The file is written anew, unless nothing was deleted since that was done last. Raises ``GeocliError``.
        """
        with translated(self._path):
            for file in self._path.parent.glob(f"{self._path.name}.damaged-*"):
                if file.lstat().st_mtime < before:
                    file.unlink()
        reader = self._reading()
        if reader is None:
            return
        from geocli.storage.store import sqlite_schema

        with translated(self._path):
            if reader.execute(sqlite_schema.IS_TO_BE_ERASED).fetchone() is None:
                return
        self._writing().erase()

    def integrity(self) -> list[str]:
        """What is wrong with the file, and whether something forgotten is not erased yet, in sentences.

        Raises ``GeocliError``.
        """
        connection = self._reading()
        if connection is None:
            return []
        from geocli.storage.store import sqlite_schema

        found = integrity(self._path, connection)
        with translated(self._path):
            if not found and connection.execute(sqlite_schema.IS_TO_BE_ERASED).fetchone() is not None:
                found = [
                    f"{self._path}: geocli forget was interrupted: run it again, to erase what was deleted"
                ]
        return found

    def set_aside(self) -> CorruptFileError | None:
        """Rename a damaged file and say so; ``None`` when it is not damaged. Raises ``GeocliError``."""
        self.close()
        return set_aside(self._path, self._path.parent, self._path.parent, self._busy_timeout)

    def state(self, latest: str = END_OF_TIME) -> StoreState:
        """Counts for people and monitoring. Raises ``GeocliError``."""
        from geocli.storage.store.base import StoreState

        connection = self._reading()
        if connection is None:
            return StoreState(0, 0, 0, None, 0)
        from geocli.storage.store import sqlite_answers

        with translated(self._path):
            stored, unknown, future = connection.execute(sqlite_answers.COUNT, (latest,)).fetchone()
            flush = connection.execute("SELECT value FROM geo_state WHERE name = 'last_flush'").fetchone()
            bans = future_bans = 0
            if self._reading_bans() is not None:
                bans, future_bans = connection.execute(_COUNT_BANS, (latest,)).fetchone()
            last_flush = flush[0] if flush and type(flush[0]) is str and is_time(flush[0]) else None
            size = size_on_disk(self._path)
            return StoreState(stored, unknown, bans, last_flush, size, future + future_bans)

    def _writing(self) -> SqliteWriter:
        from geocli.storage.store.sqlite_writer import SqliteWriter  # a look-up writes nothing

        self.close()  # sqlite_file says why
        return SqliteWriter(self._path, self._busy_timeout)

    def _reading(self) -> sqlite3.Connection | None:
        if self._reader is None:
            reader = open_for_reading(self._path, self._busy_timeout, _LARGEST)
            if reader is None:
                return None
            from geocli.storage.store import sqlite_schema  # an idle flush opens nothing

            with translated(self._path):
                version = sqlite_schema.version_of(reader, self._path)
            if version == 0:  # made, but never flushed to
                reader.close()
                return None
            self._reader = reader
        return self._reader

    def _reading_bans(self) -> sqlite3.Connection | None:
        """The same, if there are bans: a reader cannot bring an older schema up to date."""
        connection = self._reading()
        if connection is None:
            return None
        from geocli.storage.store import sqlite_schema

        with translated(self._path):
            return (
                connection
                if sqlite_schema.version_of(connection, self._path) >= sqlite_schema.WITH_BANS
                else None
            )

    def _lacks(self, connection: sqlite3.Connection) -> frozenset[str]:
        """The columns that the file does not have, since an older geocli made it."""
        from geocli.storage.store.sqlite_schema import lacks

        return lacks(connection, self._path)

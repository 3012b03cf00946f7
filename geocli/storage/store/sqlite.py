"""The store in one SQLite file, ``geo.db``: WAL mode, STRICT tables, readable with the ``sqlite3`` shell."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from geocli.model.bans import SeenBan, check_bans
from geocli.model.clocks import END_OF_TIME, latest_believed
from geocli.model.errors import DamagedFileError
from geocli.model.record_batch import SHARED, AnswerDictionary, RecordBatch, Shared
from geocli.model.records import FIELDS, GeoRecord, check_rows, is_time
from geocli.storage.store import sqlite_bans
from geocli.storage.store.base import Forgotten, StoreState
from geocli.storage.store.clocks import NO_TIME, believed, mend_answers, mend_bans
from geocli.storage.store.columns import ADDED, lacking, selection
from geocli.storage.store.sound_rows import sound
from geocli.storage.store.times import COLUMNS, NO_KIND, most_frequent, times_of, usable_times
from geocli.system.files import make_private_directory
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import (
    ReplacedError,
    create,
    empty_log,
    expect_same,
    file_id,
    hold_open,
    in_the_way,
    integrity,
    interruptible,
    open_for_reading,
    set_aside,
    size_on_disk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.model.bans import BanQuery
    from geocli.model.errors import CorruptFileError
    from geocli.model.group_by import Grouping
    from geocli.storage.batch import Batch
    from geocli.storage.store.base import BanCount, BanSpan, Outlived

_Read = TypeVar("_Read")
_Checked = TypeVar("_Checked")

_FIRST_VERSION = 2  # before any of ``ADDED``

SCHEMA_VERSION = _FIRST_VERSION + len(ADDED)
"""``PRAGMA user_version`` of a store with all of ``migrations`` applied. A test holds the two together."""

_WITH_BANS = 2  # the first version that has them

_COLUMNS = ", ".join(FIELDS)
# What addresses have in common comes as one text, which most have in common too: a third less to be read.
_DEGREES = frozenset({"latitude", "longitude"})  # in JSON they would be rounded
# Asked in the order of the index, one after the other.
_FIND = (
    "SELECT ip, network, json_array({}) FROM json_each(?) AS asked CROSS JOIN geo_cache ON ip = asked.value"
)
# Of many answers most are of one kind. What is as expected need not be said: a fifth of the time.
_UNEXPECTED = (
    f"SELECT asked.key, {COLUMNS} FROM json_each(?) AS asked LEFT JOIN geo_cache ON ip = asked.value "  # noqa: S608 (constants)
    "WHERE (status, source, resolved_at) IS NOT (?, ?, ?)"
)
_ALL = "SELECT {} FROM geo_cache WHERE ip > ? ORDER BY ip LIMIT ?"
# KiB of pages in memory: with the usual 2 MB, a flush of a million writes and reads each page many times.
# What SQLite sorts in memory is bounded by the same number, the rest of it is sorted in temporary files.
_ROOM = "PRAGMA cache_size = -16000"
_IN_FILES = "PRAGMA temp_store = FILE"  # some are built to keep all of it in memory
_BATCH = 10_000  # rows read at once; nothing is held in between
_ROWS_CHECKED = (
    200  # rows after which it is seen whether they can be geocli's, before there are more in memory
)
_LARGEST = 32 << 10  # bytes of a value: all texts of an answer together, in JSON, have half as many
_OUTLIVED = (
    f"SELECT ip, {believed('resolved_at', ':latest')} AS since FROM geo_cache "  # noqa: S608 (constants)
    "WHERE since < iif(status = 'ok', :before, :unknown_before) AND (since, ip) > (:last, :last_ip) "
    "ORDER BY since, ip LIMIT :size"
)
_COUNT = (
    "SELECT count(*), count(*) FILTER (WHERE status = 'unknown'), count(*) FILTER (WHERE resolved_at > ?) "
    "FROM geo_cache"
)
_COUNT_BANS = "SELECT (SELECT count(*) FROM bans), (SELECT count(*) FROM bans WHERE banned_at > ?)"
_TO_WRITE = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA synchronous = FULL",
    # Of itself, SQLite would copy a large log into the file in the midst of COMMIT.
    "PRAGMA wal_autocheckpoint = 0",
    # Without, addresses could be read in the file's free pages until these are used again.
    "PRAGMA secure_delete = ON",
)
# That something was deleted, of which the file may still have traces: it survives an end in the midst.
_TO_ERASE = "INSERT OR REPLACE INTO geo_state (name, value) VALUES ('to_erase', '1')"
_IS_TO_BE_ERASED = "SELECT 1 FROM geo_state WHERE name = 'to_erase'"
_ERASED = "DELETE FROM geo_state WHERE name = 'to_erase'"
_FORGET = {
    "answers": (
        mend_answers("geo_cache", ":latest", ":now"),
        "DELETE FROM geo_cache WHERE resolved_at < :before",
    ),
    "bans": (mend_bans("bans", ":latest", ":now"), sqlite_bans.FORGET),
}
MEND_ANSWERS = mend_answers("temp.arrived", ":latest", NO_TIME)
"""Of answers that were collected, what has a time that cannot be right."""

_MEND_ARRIVED = (MEND_ANSWERS, mend_bans("temp.sighted", ":latest", ":now"))
# What a flush has is collected in temporary tables first, without touching the store, and sorted before it
# meets the indexes, which are then walked once: one by one, each of millions would find another page of them.
_COLLECT = f"CREATE TEMP TABLE arrived ({_COLUMNS})"
_ARRIVE = f"INSERT INTO temp.arrived VALUES ({', '.join('?' * len(FIELDS))})"  # noqa: S608 (the same)
REPLAY = (
    f"INSERT INTO geo_cache ({_COLUMNS}) SELECT {_COLUMNS} FROM temp.arrived WHERE true ORDER BY ip, rowid "  # noqa: S608 (the same); of two about one address, the later still comes later
    f"ON CONFLICT (ip) DO UPDATE SET {', '.join(f'{f} = excluded.{f}' for f in FIELDS[1:])} "
    "WHERE (excluded.status = 'ok', excluded.resolved_at) >= "
    f"(geo_cache.status = 'ok', {believed('geo_cache.resolved_at', ':latest')})"
)
"""All answers that were collected, and those that are there: of each address the better one."""


def _understood(texts: Sequence[str]) -> Iterable[Shared]:
    """The answers that ``_FIND`` gives as texts."""
    import json  # an idle flush does without

    for values in json.loads(f"[{','.join(texts)}]"):
        answer = dict(zip(SHARED, values, strict=True))
        for name in _DEGREES:
            answer[name] = None if answer[name] == "NULL" else float(answer[name])
        yield tuple(answer.values())


def collect(connection: sqlite3.Connection, batches: Iterable[Batch]) -> int:
    """Put all batches into temporary tables, which are files only when they are large; how many rows."""
    # By itself: with a log, a transaction of two databases may be committed in the one and fail in the other.
    connection.execute("BEGIN")
    connection.execute(_COLLECT)
    connection.execute(sqlite_bans.COLLECT)
    count = 0
    for batch in batches:
        connection.executemany(_ARRIVE, batch.answers)
        connection.executemany(sqlite_bans.ARRIVE, batch.bans)
        count += len(batch.answers) + len(batch.bans)
    connection.execute("COMMIT")
    return count


class SqliteStore:
    """``geo.db`` in the data directory; made by the first flush."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._reader: sqlite3.Connection | None = None
        self._answers = AnswerDictionary(_understood)
        self._usual = NO_KIND  # of the answers asked about last

    def close(self) -> None:
        """Close the database file; it is opened again when asked."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one. Raises ``GeocliError``."""
        return {record.ip: record for record in self.batch(targets).records()}

    def batch(self, targets: Collection[str]) -> RecordBatch:
        """The same by column, in no order; each target once. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            return RecordBatch.of([])
        import json  # an idle flush does without

        with translated(self._path):
            lacks = self._lacks(connection)
            answer = ", ".join(
                f"quote({name})" if name in _DEGREES else selection([name], lacks) for name in SHARED
            )
            rows = connection.execute(_FIND.format(answer), (json.dumps(sorted(targets)),)).fetchall()
        targets = [ip for ip, *_ in rows]
        return sound(self._path, targets, rows, lambda numbers: self._block([rows[n] for n in numbers]))

    def times(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When each target's answer was given, of those that have a usable one. Raises ``GeocliError``."""
        connection = self._reading()
        if connection is None:
            return {}
        import json  # the same

        with translated(self._path):
            ordered, usual = sorted(targets), self._usual
            rows = connection.execute(_UNEXPECTED, (json.dumps(ordered), *usual)).fetchall()
        if not rows:  # then one of them speaks for all
            found = usable_times(ordered[:1], [usual], usable)  # which was right for others
            return dict.fromkeys(ordered, *found.values()) if found else {}
        kinds = [usual] * len(ordered)
        for place, *kind in rows:
            kinds[place] = tuple(kind)
        times = sound(self._path, ordered, kinds, partial(times_of, ordered, kinds, usable))
        self._usual = most_frequent(kinds)  # none that is bad
        return times

    def _block(self, rows: list[tuple[Any, ...]]) -> RecordBatch:
        ips, networks, texts = zip(*rows, strict=True) if rows else ((), (), ())
        return self._answers.batch(ips, networks, texts)

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches. Raises ``GeocliError``."""
        last = ""
        while (connection := self._reading()) is not None:
            with translated(self._path):
                columns = selection(FIELDS, self._lacks(connection))
                rows = self._read(connection.execute(_ALL.format(columns), (last, _BATCH)), check_rows)
            if not rows:
                return
            yield [GeoRecord._make(row) for row in rows]
            last = rows[-1][0]

    def _read(
        self, cursor: sqlite3.Cursor, check: Callable[[list[tuple[Any, ...]]], None]
    ) -> list[tuple[Any, ...]]:
        """All rows of a batch, checked before they can fill the memory."""
        rows: list[tuple[Any, ...]] = []
        while part := cursor.fetchmany(_ROWS_CHECKED):
            self._checked(part, check)
            rows += part
        return rows

    def _bans(self, rows: list[tuple[Any, ...]]) -> list[SeenBan]:
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
        asked = {**wanted._asdict(), "last": "", "last_ip": "", "size": size}
        while (connection := self._reading()) is not None:
            with translated(self._path):
                rows = connection.execute(_OUTLIVED, asked).fetchall()
            if not rows:
                return
            yield [str(ip) for ip, _ in rows]
            asked["last_ip"], asked["last"] = rows[-1]

    def every_ban(self) -> Iterator[list[SeenBan]]:
        """All bans, in batches, ordered by their keys. Raises ``GeocliError``."""
        last = ("", "", "", "")
        while (connection := self._reading_bans()) is not None:
            with translated(self._path):
                cursor = sqlite_bans.every(connection, last, _BATCH, self._lacks(connection))
                rows = self._read(cursor, check_bans)
            if not rows:
                return
            yield [SeenBan._make(row) for row in rows]
            last = rows[-1][:4]

    def seen_bans(self, spans: Collection[BanSpan]) -> list[SeenBan]:
        """The bans in these spans, in no order. Raises ``GeocliError``."""
        connection = self._reading_bans()
        if connection is None:
            return []
        with translated(self._path):
            rows = sqlite_bans.seen(connection, spans, self._lacks(connection))
        return self._bans(rows)

    def bans(self, question: BanQuery) -> Iterator[list[tuple[SeenBan, GeoRecord | None]]]:
        """Bans with their answers, the oldest first, in batches. Raises ``GeocliError``."""
        last = ("", "", "", "")
        while (connection := self._reading_bans()) is not None:
            with translated(self._path):
                rows = sqlite_bans.rows_after(connection, question, last, _BATCH, self._lacks(connection))
            if not rows:
                return
            bans, answers = zip(*map(sqlite_bans.split, rows), strict=True)
            self._checked([answer for answer in answers if answer is not None], check_rows)
            seen = self._bans(list(bans))
            yield [
                (ban, None if answer is None else GeoRecord._make(answer))
                for ban, answer in zip(seen, answers, strict=True)
            ]
            last = (seen[-1].banned_at, seen[-1].host, seen[-1].jail, seen[-1].ip)

    def count_bans(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """Bans counted by a grouping, in no order. Raises ``GeocliError``."""
        return self._counted(question, by, None, with_times=False)

    def spans(self, question: BanQuery, by: Grouping, top: int | None = None) -> Iterator[BanCount]:
        """The same, and when the first and the last of each group began. Raises ``GeocliError``."""
        return self._counted(question, by, top, with_times=True)

    def _counted(
        self, question: BanQuery, by: Grouping, top: int | None, *, with_times: bool
    ) -> Iterator[BanCount]:
        connection = self._reading_bans()
        if connection is not None:
            asked = sqlite_bans.Counting(by, top, with_times)
            with translated(self._path):
                yield from sqlite_bans.count(connection, question, asked)

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write all batches in one transaction, making the store if need be. Raises ``GeocliError``."""
        make_private_directory(self._path.parent)
        create(self._path, self._path.parent, self._busy_timeout)
        with self._writing(_ROOM, _IN_FILES) as connection:
            self._keep_temporary_files_here(connection)
            count = collect(connection, batches)
            with self._transaction(connection):
                times = {"latest": latest_believed(flushed_at), "now": flushed_at}
                for statement in (*_MEND_ARRIVED, REPLAY, sqlite_bans.REPLAY):
                    connection.execute(statement, times)
                connection.execute(
                    "INSERT INTO geo_state (name, value) VALUES ('last_flush', ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (flushed_at,),
                )
        return count

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """Delete what is older, of ``answers``, ``bans`` or both, in one transaction.

        Raises ``GeocliError``.
        """
        if self._reading() is None:
            return Forgotten()
        times = {"before": before, "latest": latest_believed(now), "now": now}
        gone = dict.fromkeys(_FORGET, 0)
        with self._writing() as connection, self._transaction(connection):
            for kind in gone.keys() & kinds:
                mend, delete = _FORGET[kind]
                connection.execute(mend, times)
                gone[kind] = connection.execute(delete, times).rowcount
            if any(gone.values()):
                connection.execute(_TO_ERASE)
        return Forgotten(**gone)

    def erase(self, before: float) -> None:
        """Leave nothing on the disk of what was forgotten, nor of files set aside before a moment.

        SQLite overwrites what it deletes, but not what it moved to other pages before. So the file is
        written anew, unless nothing was deleted since that was done last. Raises ``GeocliError``.
        """
        with translated(self._path):
            for file in self._path.parent.glob(f"{self._path.name}.damaged-*"):
                if file.lstat().st_mtime < before:
                    file.unlink()
        reader = self._reading()
        if reader is None:
            return
        with translated(self._path):
            if reader.execute(_IS_TO_BE_ERASED).fetchone() is None:
                return
        with self._writing(_IN_FILES) as connection:
            self._keep_temporary_files_here(connection)
            connection.execute("VACUUM")
            if not empty_log(self._path, connection, patience=self._busy_timeout):
                raise in_the_way(self._path)
            connection.execute(_ERASED)

    @contextmanager
    def _writing(self, *pragmas: str) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction. Raises ``ReplacedError`` when that was one in another file."""
        self.close()  # sqlite_file says why
        with translated(self._path):
            before = file_id(self._path)
            with closing(hold_open(self._path, self._busy_timeout)):
                connection = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
                try:
                    interruptible(connection)
                    for pragma in (*_TO_WRITE, *pragmas):
                        connection.execute(pragma)
                    connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # now all files are open
                    opened = file_id(self._path)
                    if opened.file != before.file:
                        raise ReplacedError(self._path)
                    yield connection
                    empty_log(self._path, connection)  # so that a copy of geo.db alone is complete
                    expect_same(opened, self._path)
                finally:
                    connection.close()

    def _keep_temporary_files_here(self, connection: sqlite3.Connection) -> None:
        """They hold addresses, and need room: both are matters of the data directory, not of /var/tmp."""
        directory = str(self._path.parent.absolute()).replace("'", "''")
        with suppress(UnicodeEncodeError, sqlite3.Error):  # a name that is not UTF-8; files, but no new ones
            connection.execute(f"PRAGMA temp_store_directory = '{directory}'")

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """The one transaction, which is committed in the end, all of it or nothing."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._bring_up_to_date(connection)
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def integrity(self) -> list[str]:
        """What is wrong with the file, and whether something forgotten is not erased yet, in sentences.

        Raises ``GeocliError``.
        """
        connection = self._reading()
        if connection is None:
            return []
        found = integrity(self._path, connection)
        with translated(self._path):
            if not found and connection.execute(_IS_TO_BE_ERASED).fetchone() is not None:
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
        connection = self._reading()
        if connection is None:
            return StoreState(0, 0, 0, None, 0)
        with translated(self._path):
            stored, unknown, future = connection.execute(_COUNT, (latest,)).fetchone()
            flush = connection.execute("SELECT value FROM geo_state WHERE name = 'last_flush'").fetchone()
            bans = future_bans = 0
            if self._reading_bans() is not None:
                bans, future_bans = connection.execute(_COUNT_BANS, (latest,)).fetchone()
            last_flush = flush[0] if flush and type(flush[0]) is str and is_time(flush[0]) else None
            size = size_on_disk(self._path)
            return StoreState(stored, unknown, bans, last_flush, size, future + future_bans)

    def _reading(self) -> sqlite3.Connection | None:
        if self._reader is None:
            reader = open_for_reading(self._path, self._busy_timeout, _LARGEST)
            if reader is None:
                return None
            with translated(self._path):
                version = self._version(reader)
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
        with translated(self._path):
            return connection if self._version(connection) >= _WITH_BANS else None

    def _lacks(self, connection: sqlite3.Connection) -> frozenset[str]:
        """Columns that a store of an older geocli does not have."""
        return lacking(max(self._version(connection) - _FIRST_VERSION, 0)) if ADDED else frozenset()

    def _version(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise DamagedFileError(self._path, "was written by a newer geocli", "use that one")
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise DamagedFileError(self._path, "is a database, but not geocli's", "move it away")
        return int(version)

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        if self._version(connection) < SCHEMA_VERSION:
            from geocli.storage.store.migrations import migrate  # 100 ms that only a new geocli needs, once

            migrate(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

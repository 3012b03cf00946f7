"""The store of a fleet: one PostgreSQL server (or Citus, or CockroachDB) for the answers of many machines.

A connection is opened when it is needed and belongs to the process that opened it: ``close`` comes before a
fork. psycopg costs 200 ms to import, so what the journal answers alone, and a flush of nothing, do without.
Reading takes one round trip for each batch, and ``read_timeout`` seconds at most, connecting included.
``writing`` writes.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from geocli.config.store_url import shown
from geocli.model.bans import SeenBan, check_bans
from geocli.model.clocks import END_OF_TIME
from geocli.model.errors import DamagedFileError, StoreAwayError, UsageError
from geocli.model.record_batch import RecordBatch
from geocli.model.records import FIELDS, GeoRecord, check_rows, clean_text, is_time
from geocli.storage.store.base import StoreState
from geocli.storage.store.clocks import believed
from geocli.storage.store.columns import selection
from geocli.storage.store.postgres import bans
from geocli.storage.store.postgres.bans import Query
from geocli.storage.store.sound_rows import WHO, Sieve, check_span, sound
from geocli.storage.store.times import COLUMNS, times_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.model.bans import BanQuery
    from geocli.model.errors import CorruptFileError
    from geocli.model.group_by import Grouping
    from geocli.storage.batch import Batch
    from geocli.storage.store.base import BanCount, BanSpan, Forgotten, Outlived
    from geocli.storage.store.postgres.connection import Connection

_Read = TypeVar("_Read")
_Checked = TypeVar("_Checked")

_BATCH = 10_000  # rows read at once; nothing is held in between

_FIND = "SELECT {} FROM geo_cache WHERE ip = ANY(%s)"
_TIMES = f"SELECT ip, {COLUMNS} FROM geo_cache WHERE ip = ANY(%s)"  # noqa: S608 (constants)
_ALL = "SELECT {} FROM geo_cache WHERE ip > %s ORDER BY ip LIMIT %s"
_OUTLIVED = (
    f"SELECT ip, since FROM (SELECT ip, status, {believed('resolved_at', '%s')} AS since FROM geo_cache) a "  # noqa: S608 (constants)
    "WHERE since < CASE WHEN status = 'ok' THEN %s ELSE %s END "
    "AND (since, ip) > (%s, %s) ORDER BY since, ip LIMIT %s"
)
# Joined, because Citus refuses a sub-select in the list of what is selected from a distributed table.
_STATE = (
    "SELECT answers.stored, answers.unknown, bans.stored, flush.value, answers.future + bans.future "
    "FROM (SELECT count(*) AS stored, count(*) FILTER (WHERE status = 'unknown') AS unknown, "
    "count(*) FILTER (WHERE resolved_at > %s) AS future FROM geo_cache) AS answers CROSS JOIN "
    "(SELECT count(*) AS stored, count(*) FILTER (WHERE banned_at > %s) AS future FROM bans) AS bans "
    "LEFT JOIN (SELECT value FROM geo_state WHERE name = 'last_flush') AS flush ON TRUE"
)


_Columns = Callable[[Collection[str]], Query]
"""A query for tables that lack some columns."""


def _of_answers(query: str, *parameters: object) -> _Columns:
    return lambda lacks: (query.format(selection(FIELDS, lacks)), parameters)


def create(url: str, read_timeout: float, busy_timeout: float) -> PostgresStore:
    """Return the store behind this URL. Raises ``UsageError`` where psycopg is not installed."""
    return PostgresStore(url, read_timeout, busy_timeout)


def _block(rows: Sequence[tuple[Any, ...]], numbers: Iterable[int]) -> RecordBatch:
    chosen = [rows[number] for number in numbers]
    check_rows(chosen)
    return RecordBatch.of(map(GeoRecord._make, chosen))


class PostgresStore:
    """The store behind a ``postgresql://`` URL; its tables are made by the first flush.

    ``read_timeout`` is for a look-up's batch, ``busy_timeout`` for everything that somebody waits for
    anyway: a flush's locks, statistics, reading all there is. Both are seconds. Raises ``UsageError`` where
    psycopg is not installed.
    """

    def __init__(self, url: str, read_timeout: float, busy_timeout: float) -> None:
        if importlib.util.find_spec("psycopg") is None:
            raise UsageError("a store on a server needs one more package: pip install 'geocli[postgres]'")
        self._url = url
        self._name = shown(url)
        self._read_timeout = read_timeout
        self._busy_timeout = busy_timeout
        self._connection: Connection | None = None
        self._is_checked = False
        self._lacks = frozenset[str]()  # columns that tables of an older geocli turned out not to have

    def close(self) -> None:
        """Close the connection; there is another one when asked."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one. Raises ``GeocliError``."""
        return {record.ip: record for record in self.batch(targets).records()}

    def batch(self, targets: Collection[str]) -> RecordBatch:
        """The same by column, in no order; each target once. Raises ``GeocliError``."""
        rows = self._select(_of_answers(_FIND, list(targets)), self._read_timeout)
        return sound(self._name, [str(row[0]) for row in rows], rows, partial(_block, rows))

    def times(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When each target's answer was given, of those that have a usable one. Raises ``GeocliError``."""
        rows = self._select((_TIMES, (list(targets),)), self._read_timeout)
        ips, kinds = [ip for ip, *_ in rows], [(status, source, time) for _, status, source, time in rows]
        return sound(self._name, ips, kinds, partial(times_of, ips, kinds, usable))

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches. Raises ``GeocliError``."""
        last, sieve = "", Sieve(self._name)
        while rows := self._select(_of_answers(_ALL, last, _BATCH), self._busy_timeout):
            good = [GeoRecord._make(row) for row in sieve.known(rows, check_rows, 0) if row is not None]
            if good:
                yield good
            last = rows[-1][0]
        sieve.end()

    def outlived(self, wanted: Outlived, size: int) -> Iterator[list[str]]:
        """Targets whose answers are old, oldest first, ``size`` at a time. Raises ``GeocliError``."""
        last = ("", "")
        before, unknown_before, latest = wanted
        times = latest, before, unknown_before
        while rows := self._select((_OUTLIVED, (*times, *last, size)), self._busy_timeout):
            yield [ip for ip, _ in rows]
            last = (rows[-1][1], rows[-1][0])

    def every_ban(self) -> Iterator[list[SeenBan]]:
        """All bans, in batches, ordered by their keys. Raises ``GeocliError``."""
        last, sieve = ("", "", "", ""), Sieve(self._name)
        while rows := self._select(partial(bans.every, last, _BATCH), self._busy_timeout):
            seen = [SeenBan._make(row) for row in sieve.known(rows, check_bans, WHO) if row is not None]
            if seen:
                yield seen
            last = rows[-1][:4]
        sieve.end()

    def seen_bans(self, spans: Collection[BanSpan]) -> list[SeenBan]:
        """The bans in these spans, in no order. Raises ``GeocliError``."""
        return self._bans(self._select(partial(bans.seen, spans), self._busy_timeout)) if spans else []

    def bans(self, question: BanQuery) -> Iterator[list[tuple[SeenBan, GeoRecord | None]]]:
        """Bans, the oldest first, in batches, with the store's answer where it has one that is ``ok``.

        Holds nothing between two batches. Raises ``GeocliError``.
        """
        last, sieve = ("", "", "", ""), Sieve(self._name)
        while rows := self._select(partial(bans.rows_after, question, last, _BATCH), self._busy_timeout):
            found, answers = zip(*map(bans.split, rows), strict=True)
            if located := sieve.located(found, answers):
                yield located
            last = (found[-1][3], *found[-1][:3])
        sieve.end()

    def count_bans(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """Bans counted by a grouping, in no order. Raises ``GeocliError``."""
        for row in self._select(bans.count(question, by), self._busy_timeout):
            yield bans.counted(row, by)._replace(first="", last="")

    def spans(self, question: BanQuery, by: Grouping, top: int | None = None) -> Iterator[BanCount]:
        """The same, and when the first and the last of each group began. Raises ``GeocliError``."""
        for row in self._select(bans.count(question, by, top), self._busy_timeout):
            count = bans.counted(row, by)
            self._check(count, check_span)
            yield count

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """Delete what is older, of ``answers``, ``bans`` or both, in one transaction.

        Raises ``GeocliError``.
        """
        self.close()
        self._need_library()
        from geocli.storage.store.postgres.writer import PostgresWriter

        return PostgresWriter(self._url, self._name, self._busy_timeout).forget(before, kinds, now)

    def erase(self, before: float) -> None:
        """Nothing: it is all on the server, which vacuums by itself."""

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write all batches in one transaction, making the tables if need be. Raises ``GeocliError``."""
        self.close()
        self._need_library()
        from geocli.storage.store.postgres.writer import PostgresWriter

        return PostgresWriter(self._url, self._name, self._busy_timeout).replay(batches, flushed_at)

    def integrity(self) -> list[str]:
        """Nothing: a server's files are not geocli's to judge."""
        return []

    def set_aside(self) -> CorruptFileError | None:
        """``None``: a server's files are not geocli's to judge."""
        return None

    def state(self, latest: str = END_OF_TIME) -> StoreState:
        """Counts for people and monitoring. Raises ``GeocliError``."""
        rows = self._select((_STATE, (latest, latest)), self._busy_timeout)
        stored, unknown, seen, last_flush, future = rows[0] if rows else (0, 0, 0, None, 0)
        last_flush = last_flush if type(last_flush) is str and is_time(last_flush) else None
        return StoreState(stored, unknown, seen, last_flush, None, future)

    def _bans(self, rows: list[tuple[Any, ...]]) -> list[SeenBan]:
        self._check(rows, check_bans)
        return [SeenBan._make(row) for row in rows]

    def _check(self, rows: _Read, check: Callable[[_Read], _Checked]) -> _Checked:
        try:
            return check(rows)
        except ValueError as error:
            reason = f"holds a row that geocli did not write: {error}"
            raise DamagedFileError(self._name, reason, "correct or delete it") from None

    def _select(self, query: Query | _Columns, seconds: float) -> list[tuple[Any, ...]]:
        """What a query gives within so many seconds; nothing where there are no tables yet.

        One that names columns is made for those that the tables have.
        """
        self._need_library()  # before the clock runs: its import takes as long as many an answer
        deadline = time.monotonic() + seconds
        if self._connection is not None:
            try:
                return self._ask(query, deadline)
            except StoreAwayError:
                # Perhaps the server was restarted since the last batch: a new connection will tell.
                if time.monotonic() > deadline:
                    raise
        return self._ask(query, deadline)

    def _ask(self, query: Query | _Columns, deadline: float) -> list[tuple[Any, ...]]:
        from geocli.storage.store.postgres.connection import NoColumnError, NotThereError, connect, translated
        from geocli.storage.store.postgres.schema import VERSION, check_version

        seconds = max(deadline - time.monotonic(), 0)
        try:
            if self._connection is None:
                self._connection = connect(self._url, self._name, seconds)
            connection = self._connection
            connection.deadline = deadline
            try:
                with translated(self._name), connection.pipeline():  # one round trip for all of it
                    connection.execute("BEGIN")
                    # A client that gives up is not noticed by a server that waits for a lock.
                    connection.execute(f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}")
                    version = None if self._is_checked else connection.execute(VERSION)
                    cursor = connection.execute(*(query(self._lacks) if callable(query) else query))
                    connection.execute("COMMIT")
            except NoColumnError as error:
                self._learn_columns(connection, error)
                return self._ask(query, deadline)
            except NotThereError:
                with translated(self._name):
                    connection.rollback()
                return []
            if version is not None:
                check_version(version.fetchall(), self._name)
                self._is_checked = True
            return cursor.fetchall()
        except BaseException:
            self.close()  # in whatever state it is
            raise

    def _learn_columns(self, connection: Connection, error: Exception) -> None:
        """Find out which columns tables of an older geocli lack. Raises ``DamagedFileError``."""
        from geocli.storage.store.postgres.connection import NotThereError, translated
        from geocli.storage.store.postgres.schema import VERSION, check_version, lacks

        lacking = self._lacks
        with suppress(NotThereError), translated(self._name):
            connection.rollback()
            lacking = lacks(check_version(connection.execute(VERSION).fetchall(), self._name))
        if lacking == self._lacks:
            reason = f"is not as geocli made it ({error})"
            raise DamagedFileError(self._name, reason, "give geocli a database of its own") from None
        self._lacks = lacking

    def _need_library(self) -> None:
        try:
            import geocli.storage.store.postgres.connection  # noqa: F401 (only to see whether it can be)
        except ImportError as error:
            # Installed, but for instance without the library of PostgreSQL's that it stands on.
            reason = clean_text(str(error).partition("\n")[0])
            raise UsageError(f"psycopg cannot be used ({reason}): pip install 'geocli[postgres]'") from None

"""Writing to the server: the journal is copied into temporary tables and becomes one upsert of each kind.

All of it is one transaction. Rows are locked in the order of their keys, so that machines that flush at once
wait for each other and never in a circle. Where the server finds a collision all the same (CockroachDB does,
and PostgreSQL in a stricter isolation level than its default), everything is done again, a few times.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self, TypeVar

from geocli.model.clocks import latest_believed
from geocli.model.errors import DamagedFileError, StoreAwayError
from geocli.model.records import FIELDS
from geocli.storage.store.base import Forgotten
from geocli.storage.store.clocks import NO_TIME, believed, mend_answers, mend_bans
from geocli.storage.store.postgres import bans
from geocli.storage.store.postgres.connection import CollisionError, NotThereError, connect, translated
from geocli.storage.store.postgres.schema import (
    INCOMING_ANSWERS,
    INCOMING_BANS,
    VERSION,
    bring_up_to_date,
    check_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from types import TracebackType

    from psycopg import Copy

    from geocli.storage.batch import Batch
    from geocli.storage.store.postgres.connection import Connection

_T = TypeVar("_T")

_BANS_AT_ONCE = 10_000  # rows that are held until they are copied
_TRIES = 8
_PAUSE = 0.05  # seconds before the second try at most; twice as long before each further one
_CONNECTING = 2.0  # seconds that connecting may take at least, whatever is said about locks
_LONGEST_STATEMENT = 600.0  # seconds that the server may take for an upsert
_ABANDONED = 60.0  # seconds until it ends the transaction of a client that is gone, and frees its rows

_COLUMNS = ", ".join(FIELDS)
COPY_ANSWERS = f"COPY geo_incoming (number, {_COLUMNS}) FROM STDIN"
"""Where a flush sends answers."""

UPSERT_ANSWERS = (
    f"INSERT INTO geo_cache ({_COLUMNS}) SELECT DISTINCT ON (ip) {_COLUMNS} FROM geo_incoming "  # noqa: S608 (constants)
    "ORDER BY ip, (status = 'ok') DESC, resolved_at DESC, number DESC "
    f"ON CONFLICT (ip) DO UPDATE SET {', '.join(f'{f} = excluded.{f}' for f in FIELDS[1:])} "
    "WHERE (excluded.status = 'ok', excluded.resolved_at) >= "
    f"(geo_cache.status = 'ok', {believed('geo_cache.resolved_at', '%(latest)s')})"
)
"""All answers that were copied, and those that are there: of each address the better one."""

# The last statement of all: every flush of the fleet updates this one row.
_LAST_FLUSH = (
    "INSERT INTO geo_state (name, value) VALUES ('last_flush', %(now)s) ON CONFLICT (name) DO UPDATE "  # noqa: S608 (the same)
    f"SET value = excluded.value WHERE {believed('geo_state.value', '%(latest)s')} < excluded.value"
)
_FORGET = {
    "answers": (
        mend_answers("geo_cache", "%(latest)s", "%(now)s"),
        "DELETE FROM geo_cache WHERE resolved_at < %(before)s",
    ),
    "bans": (mend_bans("bans", "%(latest)s", "%(now)s"), bans.FORGET),
}
_MEND_ANSWERS = mend_answers("geo_incoming", "%(latest)s", NO_TIME)
_MEND_BANS = mend_bans("bans_incoming", "%(latest)s", "%(now)s")


class PostgresWriter:
    """Writes to the server of this URL. Locks are waited for as long as ``busy_timeout`` seconds."""

    def __init__(self, url: str, name: str, busy_timeout: float) -> None:
        self._url = url
        self._name = name
        self._busy_timeout = busy_timeout

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write all batches in one transaction; how many rows that were. Raises ``GeocliError``.

        ``batches`` are gone through once more after a collision, if they can be.
        """

        def write(connection: Connection) -> int:
            self._repeated(lambda: bring_up_to_date(connection, self._name), _TRIES)
            return self._replay(connection, batches, flushed_at)

        can_be_repeated = iter(batches) is not batches
        return self._repeated(lambda: self._connected(write), _TRIES if can_be_repeated else 1)

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """Delete what is older, of ``answers``, ``bans`` or both; how much. Raises ``GeocliError``."""

        def delete(connection: Connection) -> Forgotten:
            connection.execute("BEGIN")
            check_version(connection.execute(VERSION).fetchall(), self._name)
            self._set_limits(connection)
            connection.longest = _LONGEST_STATEMENT
            times = {"before": before, "latest": latest_believed(now), "now": now}
            counts = {}
            for kind, (mend, delete) in _FORGET.items():
                if kind in kinds:
                    connection.execute(mend, times)
                    counts[kind] = connection.execute(delete, times).rowcount
            connection.execute("COMMIT")
            return Forgotten(**counts)

        try:
            return self._repeated(lambda: self._connected(delete), _TRIES)
        except NotThereError:
            return Forgotten()

    def _connected(self, work: Callable[[Connection], _T]) -> _T:
        connection = connect(self._url, self._name, max(self._busy_timeout, _CONNECTING))
        # Closing ends whatever transaction is open, also where nothing else could be said any more.
        with closing(connection), translated(self._name):
            return work(connection)

    def _repeated(self, work: Callable[[], _T], most: int) -> _T:
        """Do it until it collides with nobody. Raises ``StoreAwayError`` when it did so ``most`` times."""
        reason = ""
        for number in range(most):
            if number:
                time.sleep(random.uniform(0, _PAUSE * 2**number))  # noqa: S311 (not a secret)
            try:
                return work()
            except CollisionError as error:
                reason = str(error)
        raise StoreAwayError(self._name, reason)

    def _set_limits(self, connection: Connection) -> None:
        """What the server is to put up with in this transaction."""
        limits = {
            "lock_timeout": self._busy_timeout,
            "statement_timeout": _LONGEST_STATEMENT,
            "idle_in_transaction_session_timeout": _ABANDONED,
        }
        for setting, seconds in limits.items():
            connection.execute(f"SET LOCAL {setting} = {max(int(seconds * 1000), 1)}")

    def _replay(self, connection: Connection, batches: Iterable[Batch], flushed_at: str) -> int:
        try:
            with translated(self._name):
                with connection.pipeline():
                    connection.execute("BEGIN")
                    self._set_limits(connection)
                connection.longest = _LONGEST_STATEMENT
                with _Incoming(connection) as incoming:
                    for batch in batches:
                        incoming.add(batch)
                with connection.pipeline():
                    # Dropped because a pooled session would have them in the next flush too.
                    times = {"latest": latest_believed(flushed_at), "now": flushed_at}
                    if incoming.answers:
                        connection.execute(_MEND_ANSWERS, times)
                        connection.execute(UPSERT_ANSWERS, times)
                        connection.execute("DROP TABLE geo_incoming")
                    if incoming.bans:
                        connection.execute(_MEND_BANS, times)
                        connection.execute(bans.UPSERT, times)
                        connection.execute("DROP TABLE bans_incoming")
                    connection.execute(_LAST_FLUSH, times)
                    connection.execute("COMMIT")
        except NotThereError as error:
            reason = f"is not as geocli made it ({error})"
            way_out = "delete schema_version from geo_state, and the next flush makes what is missing"
            raise DamagedFileError(self._name, reason, way_out) from None
        return incoming.answers + incoming.bans


class _Incoming:
    """Copies batches into temporary tables, as they come. Use as a context manager.

    A connection copies into one table at a time, so bans wait until there are many, or nothing else comes. A
    kind that does not come makes no table: each costs the server a few rows of its catalogue.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._copying = ExitStack()
        self._copy: Copy | None = None
        self._bans: list[tuple[Any, ...]] = []
        self.answers = 0
        self.bans = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._send_bans()
        else:
            self._copying.__exit__(kind, error, trace)

    def add(self, batch: Batch) -> None:
        """Send one batch on its way."""
        if rows := batch.rows():
            if not self.answers:
                self._connection.execute(INCOMING_ANSWERS)
            if self._copy is None:
                self._copy = self._copying.enter_context(self._connection.cursor().copy(COPY_ANSWERS))
            for number, row in enumerate(rows, self.answers):
                self._copy.write_row((number, *row))
            self.answers += len(rows)
        self._bans += batch.bans
        if len(self._bans) >= _BANS_AT_ONCE:
            self._send_bans()

    def _send_bans(self) -> None:
        self._copying.close()
        self._copy = None
        if self._bans:
            if not self.bans:
                self._connection.execute(INCOMING_BANS)
            with self._connection.cursor().copy(bans.COPY) as copy:
                for row in self._bans:
                    copy.write_row(row)
            self.bans += len(self._bans)
            self._bans = []

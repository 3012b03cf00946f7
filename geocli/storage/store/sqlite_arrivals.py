"""What a flush brings to a SQLite store, collected in temporary tables without touching the store.

It is sorted before it meets the store's indexes, which are then walked once: one by one, each of millions of
addresses would find another page of them. An address is collected with its network and the number of its
answer, and what many addresses have in common is kept once, so that little is written and sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.record_batch import MOST_SHARED, SHARED
from geocli.model.records import FIELDS
from geocli.storage.store import sqlite_bans
from geocli.storage.store.clocks import NO_TIME, believed, mend_answers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from geocli.model.record_batch import RecordBatch, Shared
    from geocli.storage.batch import Batch

TABLES = ("arrived", "ordered", "given", "sighted")
"""The temporary tables that ``collect`` makes."""

MEND = mend_answers("temp.given", ":latest", NO_TIME)
"""Of answers that were collected, what has a time that cannot be right."""

_COLUMNS = ", ".join(FIELDS)
REPLAY = (
    f"INSERT INTO geo_cache ({_COLUMNS}) SELECT {_COLUMNS} FROM temp.ordered "  # noqa: S608 (constants, here and below)
    "CROSS JOIN temp.given ON number = answer WHERE true ORDER BY ordered.rowid "
    f"ON CONFLICT (ip) DO UPDATE SET {', '.join(f'{f} = excluded.{f}' for f in FIELDS[1:])} "
    "WHERE (excluded.status = 'ok', excluded.resolved_at) >= "
    f"(geo_cache.status = 'ok', {believed('geo_cache.resolved_at', ':latest')})"
)
"""All answers that were collected, and those that are there: of each address the better one."""

_COLLECT = (
    "CREATE TEMP TABLE arrived (ip, network, answer)",
    f"CREATE TEMP TABLE given (number INTEGER PRIMARY KEY, {', '.join(SHARED)})",
    sqlite_bans.COLLECT,
)
_FEW = 1000  # addresses in a batch, of which the order of their answers does not matter
_ARRIVE = "INSERT INTO temp.arrived VALUES (?, ?, ?)"
_GIVE = f"INSERT INTO temp.given VALUES (NULL{', ?' * len(SHARED)})"  # noqa: S608 (the same)
# By itself: sorted while it is joined, SQLite would sort whole answers. Of two about one address, the later
# still comes later.
_ORDER = "CREATE TEMP TABLE ordered AS SELECT ip, network, answer FROM temp.arrived ORDER BY ip, rowid"


def collect(connection: sqlite3.Connection, batches: Iterable[Batch]) -> int:
    """Put all batches into temporary tables, which are files only when they are large; how many rows."""
    # By itself: with a log, a transaction of two databases may be committed in the one and fail in the other.
    connection.execute("BEGIN")
    for statement in _COLLECT:
        connection.execute(statement)
    answers, count = _Answers(connection), 0
    for batch in batches:
        if batch.answers is not None:
            answers.add(batch.answers)
        if batch.bans:
            connection.executemany(sqlite_bans.ARRIVE, batch.bans)
        count += batch.count
    connection.execute(_ORDER)
    connection.execute("COMMIT")
    return count


class _Answers:
    """Takes in answers, each of which becomes one row, or another one when many others came in between."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[Shared, int] = {}
        self._count = 1

    def add(self, batch: RecordBatch) -> None:
        """Take in these."""
        numbers: dict[int, int] = dict.fromkeys(batch.numbers, 0)
        if 2 * len(numbers) > len(batch.ips) > _FEW:
            # Where most have an answer of their own, each batch's are asked for one after the other: so they
            # stand, and are not looked for all over a large table.
            order = sorted(range(len(batch.ips)), key=batch.ips.__getitem__)
            numbers = dict.fromkeys(map(batch.numbers.__getitem__, order), 0)
        if len(self._known) + len(numbers) > MOST_SHARED:
            self._known.clear()
        new: list[Shared] = []
        for number in numbers:
            answer = batch.answers[number]
            numbers[number] = known = self._known.setdefault(answer, self._count)
            if known == self._count:
                new.append(answer)
                self._count += 1
        self._connection.executemany(_GIVE, new)
        chosen = map(numbers.__getitem__, batch.numbers)
        self._connection.executemany(_ARRIVE, zip(batch.ips, batch.networks, chosen, strict=True))

"""The history of bans in SQL: questions to the tables ``bans`` and ``geo_cache`` of an open ``geo.db``.

Bans are counted address by address, along the index that begins with the address: nothing is sorted but the
addresses' totals, and the answers are looked up once for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.bans import SEEN_FIELDS
from geocli.model.group_by import iso_week
from geocli.model.records import FIELDS
from geocli.storage.store.base import BanCount
from geocli.storage.store.clocks import believed
from geocli.storage.store.columns import selection

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from geocli.model.bans import BanQuery
    from geocli.model.group_by import Grouping
    from geocli.storage.store.base import BanSpan

_KEY = "host, jail, ip, banned_at"
_JOINED = "LEFT JOIN geo_cache g ON g.ip = b.ip AND g.status = 'ok'"

_ALL = f"SELECT {{}} FROM bans b WHERE ({_KEY}) > (?, ?, ?, ?) ORDER BY {_KEY} LIMIT ?"  # noqa: S608 (constants, here and below)

COLLECT = f"CREATE TEMP TABLE sighted ({', '.join(SEEN_FIELDS)})"
"""Room for sightings."""

ARRIVE = f"INSERT INTO temp.sighted VALUES ({', '.join('?' * len(SEEN_FIELDS))})"  # noqa: S608 (the same)
"""One sighting into it."""

# The order of ``seen.merged``.
_RANK = "({1}, ifnull({0}.expires_at, ''), ifnull({0}.ban_count, -1))"
_STORED = _RANK.format("bans", believed("bans.last_seen", ":latest"))
_NEWER = f"{_RANK.format('excluded', 'excluded.last_seen')} > {_STORED}"
_NEWEST = ("expires_at", "ban_count", "last_seen")
REPLAY = (
    f"INSERT INTO bans ({', '.join(SEEN_FIELDS)}) SELECT {', '.join(SEEN_FIELDS)} "  # noqa: S608 (the same)
    f"FROM temp.sighted WHERE true ORDER BY {_KEY} "
    f"ON CONFLICT ({_KEY}) DO UPDATE SET "
    + "".join(f"{name} = iif({_NEWER}, excluded.{name}, bans.{name}), " for name in _NEWEST)
    + "timed = max(bans.timed, excluded.timed), first_seen = min(bans.first_seen, excluded.first_seen) "
    f"WHERE {_NEWER} OR excluded.timed > bans.timed OR excluded.first_seen < bans.first_seen"
)
"""All that is there: of each ban, what ``seen.merged`` makes of its sightings and of what is stored."""

FORGET = (
    "DELETE FROM bans WHERE (banned_at < :before AND (timed = 1 OR last_seen < :before)) "
    "OR (banned_at > :latest AND last_seen < :before)"
)
"""Bans that began before, and that were seen before only if nobody says, or can say, when they began."""

_SEEN = (
    "SELECT {} FROM json_each(?) w CROSS JOIN bans b "
    "ON b.host = json_extract(w.value, '$[0]') AND b.jail = json_extract(w.value, '$[1]') "
    "AND b.ip = json_extract(w.value, '$[2]') "
    "AND b.banned_at BETWEEN json_extract(w.value, '$[3]') AND json_extract(w.value, '$[4]')"
)
_ARRAY = " IN (SELECT value FROM json_each(?))"
_IN_TIME = frozenset({"date_hour", "day", "week", "month"})
_FIRST, _LAST = "min(b.banned_at)", "max(b.banned_at)"
_FEW = 500  # addresses up to which their own index is quicker than that of the time

# Taking the largest name of a group costs half as much as all the rest: it is looked up afterwards.
_NAME = "SELECT {} FROM geo_cache WHERE {} = ? AND {} IS NOT NULL LIMIT 1"


def every(
    connection: sqlite3.Connection, last: tuple[str, str, str, str], size: int, lacks: Collection[str]
) -> sqlite3.Cursor:
    """At most ``size`` bans behind the key ``last``. ``lacks``: columns that this store does not have."""
    return connection.execute(_ALL.format(selection(SEEN_FIELDS, lacks, "b.")), (*last, size))


def seen(
    connection: sqlite3.Connection, spans: Collection[BanSpan], lacks: Collection[str]
) -> list[tuple[Any, ...]]:
    """The rows in these spans."""
    return connection.execute(_SEEN.format(selection(SEEN_FIELDS, lacks, "b.")), (_array(spans),)).fetchall()


def rows_after(
    connection: sqlite3.Connection,
    question: BanQuery,
    last: tuple[str, str, str, str],
    size: int,
    lacks: Collection[str],
) -> list[tuple[Any, ...]]:
    """At most ``size`` bans with their answers, oldest first, behind ``last`` (moment, host, jail, ip)."""
    # One lower bound: of two, SQLite would begin at the other one each time.
    conditions, parameters = _conditions(question._replace(since=max(question.since or "", last[0])))
    conditions += _of_answers(question, parameters)
    columns = f"{selection(SEEN_FIELDS, lacks, 'b.')}, {selection(FIELDS, lacks, 'g.')}"
    select = (
        f"SELECT {columns} FROM bans b {_JOINED} WHERE {' AND '.join(conditions)} "  # noqa: S608
        "AND (b.banned_at, b.host, b.jail, b.ip) > (?, ?, ?, ?) "
        "ORDER BY b.banned_at, b.host, b.jail, b.ip LIMIT ?"
    )
    return connection.execute(select, (*parameters, *last, size)).fetchall()


class Counting(NamedTuple):
    """What to count by, the most groups (those with most bans), and whether to tell when they began."""

    by: Grouping
    top: int | None
    with_times: bool

    @property
    def times(self) -> str:
        """SQL for when the first and the last ban of a group began."""
        return f"{_FIRST} AS first, {_LAST} AS last" if self.with_times else "'' AS first, '' AS last"


def count(connection: sqlite3.Connection, question: BanQuery, asked: Counting) -> Iterator[BanCount]:
    """The groups. Go through it to the end."""
    by = asked.by
    # KiB: with the usual 2 MB, pages are read again and again.
    connection.execute("PRAGMA cache_size = -24000")
    # Bytes: most of an index is read once, and need not be copied for that. What is mapped counts as memory.
    connection.execute("PRAGMA mmap_size = 33554432")
    connection.create_function("iso_week", 1, iso_week, deterministic=True)
    keys = [by.names[index] for index in by.keys]
    named = {
        index: _Names(connection, column.name, column.named_by, by.names.index(column.named_by))
        for index, column in enumerate(by.columns)
        if column.named_by in keys and column.name not in keys
    }
    conditions, parameters = _conditions(question)
    of_answers = _of_answers(question, parameters)
    where = " AND ".join(conditions), " AND ".join(["1", *of_answers])
    select = _select(question, asked, named)
    width = len(by.columns)
    readers = [(index, column.read) for index, column in enumerate(by.columns) if column.read is not None]
    for row in connection.execute(select.format(*where), parameters):
        values = row[:width]
        if readers or named:
            known = list(values)
            for index, read in readers:
                known[index] = read(known[index])
            for index, names in named.items():
                known[index] = names.of(known)
            values = tuple(known)
        yield BanCount(values, *row[width:])


class _Names:
    """The names in ``column`` that go with what is in the column ``of``."""

    def __init__(self, connection: sqlite3.Connection, column: str, of: str, index: int) -> None:
        self._connection = connection
        self._select = _NAME.format(column, of, column)
        self._index = index
        self._known: dict[object, object] = {}

    def of(self, values: Sequence[object]) -> object:
        decisive = values[self._index]
        if decisive not in self._known:
            row = self._connection.execute(self._select, (decisive,)).fetchone()
            self._known[decisive] = row[0] if row else None
        return self._known[decisive]


def _select(question: BanQuery, asked: Counting, named: Collection[int]) -> str:
    """What to ask. ``{0}`` is what a ban must be, ``{1}`` its answer. Columns of ``named`` stay empty."""
    by, times = asked.by, asked.times
    keys = [by.columns[index].name for index in by.keys]
    unanswered = "iif(g.ip IS NULL, b.ip, NULL)"
    of_bans = [column for column in by.columns if not column.answered and column.name != "ip"]
    width = len(by.columns)
    most = "" if asked.top is None else f" ORDER BY {width + 3} DESC, {width + 5} DESC, 1 LIMIT {asked.top}"
    if not (by.answered or question.countries or question.asns):
        values = ", ".join(column.sqlite for column in by.columns)
        distinct = "count(DISTINCT b.ip)" if by.with_addresses else "0"
        addresses = "1" if "ip" in keys else distinct
        # What comes in the order of its groups is sorted in a third of the time.
        index = "INDEXED BY bans_banned_at " if keys[0] in _IN_TIME and question.ips is None else ""
        return (
            f"SELECT {values}, NULL, {addresses}, count(*), {times} FROM bans b {index}"  # noqa: S608
            f"WHERE {{0}} AND {{1}} GROUP BY {values}{most}"
        )
    # First address by address, so that the answer is looked up once for each.
    each = "".join(f", {column.sqlite} AS {column.name}_value" for column in of_bans)
    groups = "".join(f", {column.sqlite}" for column in of_bans)
    index = "" if of_bans else "INDEXED BY bans_ip "
    if question.since is not None and question.ips is None and "date_hour" in keys:
        index = "INDEXED BY bans_banned_at "  # of itself, SQLite would go through all bans there are
    outside = {column.name: f"b.{column.name}_value" for column in of_bans}
    values = ", ".join(
        "NULL"
        if number in named
        else outside.get(
            column.name, column.sqlite if column.name in keys or "ip" in keys else f"max({column.sqlite})"
        )
        for number, column in enumerate(by.columns)
    )
    inside = (
        f"FROM (SELECT ip, count(*) AS bans, {times}{each} FROM bans b {index}WHERE {{0}} "  # noqa: S608
        f"GROUP BY ip{groups}) b {_JOINED} WHERE {{1}}"
    )
    if "ip" in keys:  # an address has one answer: its groups are whole already
        return f"SELECT {values}, {unanswered}, 1, b.bans, b.first, b.last {inside}{most}"
    grouped = [outside.get(column.name, column.sqlite) for column in by.columns if column.name in keys]
    return (
        f"SELECT {values}, {unanswered}, count(*), sum(b.bans), min(b.first), max(b.last) "
        f"{inside} GROUP BY {', '.join([*grouped, unanswered])}{most}"
    )


def _conditions(question: BanQuery) -> tuple[list[str], list[object]]:
    """What a ban itself must be: SQL, and its parameters in order."""
    conditions, parameters = ["1"], list[object]()
    if question.since is not None:
        conditions.append("b.banned_at >= ?")
        parameters.append(question.since)
    if question.until is not None:
        conditions.append("b.banned_at < ?")
        parameters.append(question.until)
    if question.starting:
        # The index of addresses serves: no text that begins so is outside.
        conditions.append("b.ip >= ? AND b.ip < ?")
        parameters += [question.starting, question.starting + "\U0010ffff"]
    lists: list[tuple[str, Collection[str]]] = [
        ("b.host", question.hosts),
        ("b.jail", question.jails),
        ("b.ip NOT", question.without),
    ]
    if question.ips is not None:
        lists.append(("b.ip" if len(question.ips) <= _FEW else "+b.ip", question.ips))
    for condition, names in lists:
        if names or names is question.ips:
            conditions.append(condition + _ARRAY)
            parameters.append(_array(names))
    return conditions, parameters


def _of_answers(question: BanQuery, parameters: list[object]) -> list[str]:
    """What an answer must be, if there is one; its parameters go to the end of the others."""
    conditions = []
    wanted: list[tuple[str, Collection[object]]] = [
        ("g.country_code", question.countries),
        ("g.asn", question.asns),
    ]
    for column, names in wanted:
        if names:
            conditions.append("(g.ip IS NULL OR " + column + _ARRAY + ")")
            parameters.append(_array(names))
    return conditions


def _array(values: Iterable[object]) -> str:
    import json  # an idle flush does without

    return json.dumps(list(values))


def split(row: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """A row of ``rows_after`` as a ban and its answer."""
    ban, answer = tuple(row[: len(SEEN_FIELDS)]), tuple(row[len(SEEN_FIELDS) :])
    return ban, None if answer[0] is None else answer

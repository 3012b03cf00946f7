"""The history of bans in SQL: questions to the tables ``bans`` and ``geo_cache`` of an open ``geo.db``.

Bans are counted address by address, along the index that begins with the address: nothing is sorted but the
addresses' totals, and the answers are looked up once for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.bans import SEEN_FIELDS, iso_week
from geocli.model.records import FIELDS
from geocli.storage.store.base import BanCount
from geocli.storage.store.columns import selection

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from geocli.storage.store.base import BanQuestion, BanSpan

_KEY = "host, jail, ip, banned_at"
_JOINED = "LEFT JOIN geo_cache g ON g.ip = b.ip AND g.status = 'ok'"

_ALL = f"SELECT {{}} FROM bans b WHERE ({_KEY}) > (?, ?, ?, ?) ORDER BY {_KEY} LIMIT ?"  # noqa: S608 (constants, here and below)

COLLECT = f"CREATE TEMP TABLE sighted ({', '.join(SEEN_FIELDS)})"
"""Room for sightings."""

ARRIVE = f"INSERT INTO temp.sighted VALUES ({', '.join('?' * len(SEEN_FIELDS))})"  # noqa: S608 (the same)
"""One sighting into it."""

# The order of ``seen.merged``.
_RANK = "({0}.last_seen, ifnull({0}.expires_at, ''), ifnull({0}.ban_count, -1))"
_NEWER = f"{_RANK.format('excluded')} > {_RANK.format('bans')}"
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

FORGET = "DELETE FROM bans WHERE banned_at < :before AND (timed = 1 OR last_seen < :before)"
"""Bans that began before, and that were seen before only if nobody says when they began."""

_SEEN = (
    "SELECT {} FROM json_each(?) w CROSS JOIN bans b "
    "ON b.host = json_extract(w.value, '$[0]') AND b.jail = json_extract(w.value, '$[1]') "
    "AND b.ip = json_extract(w.value, '$[2]') "
    "AND b.banned_at BETWEEN json_extract(w.value, '$[3]') AND json_extract(w.value, '$[4]')"
)
_ARRAY = " IN (SELECT value FROM json_each(?))"
_FEW = 500  # addresses up to which their own index is quicker than that of the time

# Values of a group that the answer tells: the first tells groups apart. A name that goes with it is looked up
# afterwards where an index helps: taking the largest of a group costs half as much as all the rest.
_BY_ANSWER = {
    "country": ("g.country_code",),
    "asn": ("g.asn",),
    "network": ("ifnull(g.network, b.ip)", "max(g.country_code)", "max(g.asn)", "max(g.org)"),
}
_NAME = "SELECT {1} FROM geo_cache WHERE {0} = ? AND {1} IS NOT NULL LIMIT 1"
_NAMES = {"country": _NAME.format("country_code", "country_name"), "asn": _NAME.format("asn", "org")}
# What the ban itself tells.
_BY_BAN = {
    "jail": "b.jail",
    "host": "b.host",
    "address": "b.ip",
    "day": "substr(b.banned_at, 1, 10)",
    "week": "iso_week(substr(b.banned_at, 1, 10))",
    "month": "substr(b.banned_at, 1, 7)",
}


def every(
    connection: sqlite3.Connection, last: tuple[str, str, str, str], size: int, lacks: Collection[str]
) -> list[tuple[Any, ...]]:
    """At most ``size`` bans behind the key ``last``. ``lacks``: columns that this store does not have."""
    return connection.execute(_ALL.format(selection(SEEN_FIELDS, lacks, "b.")), (*last, size)).fetchall()


def seen(
    connection: sqlite3.Connection, spans: Collection[BanSpan], lacks: Collection[str]
) -> list[tuple[Any, ...]]:
    """The rows in these spans."""
    return connection.execute(_SEEN.format(selection(SEEN_FIELDS, lacks, "b.")), (_array(spans),)).fetchall()


def rows_after(
    connection: sqlite3.Connection,
    question: BanQuestion,
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


def count(connection: sqlite3.Connection, question: BanQuestion, by: str, first: str) -> Iterator[BanCount]:
    """The groups; ``first`` is SQL for when the first ban of one began. Go through it to the end."""
    # KiB: with the usual 2 MB, pages are read again and again.
    connection.execute("PRAGMA cache_size = -32000")
    # Bytes: most of an index is read once, and need not be copied for that.
    connection.execute("PRAGMA mmap_size = 268435456")
    # SQLite learned to name ISO weeks in 3.46 only.
    connection.create_function("iso_week", 1, iso_week, deterministic=True)
    values, select = _select(question, by, first)
    conditions, parameters = _conditions(question)
    of_answers = _of_answers(question, parameters)
    where = " AND ".join(conditions), " AND ".join(["1", *of_answers])
    names: dict[object, object] = {}
    for row in connection.execute(select.format(*where), parameters):
        group = row[:values]
        if by in _NAMES:
            if group[0] not in names:
                (names[group[0]],) = connection.execute(_NAMES[by], group).fetchone() or (None,)
            group += (names[group[0]],)
        yield BanCount(group, *row[values:])


def _select(question: BanQuestion, by: str, first: str) -> tuple[int, str]:
    """How many values a group has, and what to ask. ``{0}`` is what a ban must be, ``{1}`` its answer."""
    unanswered = "iif(g.ip IS NULL, b.ip, NULL)"
    each = f"SELECT ip, count(*) AS bans, {first} AS first"
    totals = f"{unanswered}, count(*), sum(b.bans), min(b.first)"
    if by in _BY_ANSWER:
        values = _BY_ANSWER[by]
        return len(values), (
            f"SELECT {', '.join(values)}, {totals} "  # noqa: S608
            f"FROM ({each} FROM bans b INDEXED BY bans_ip WHERE {{0}} GROUP BY ip) b {_JOINED} "
            f"WHERE {{1}} GROUP BY {values[0]}, {unanswered}"
        )
    value = _BY_BAN[by]
    if question.countries or question.asns:
        return 1, (
            f"SELECT b.value, {totals} "  # noqa: S608
            f"FROM ({each}, {value} AS value FROM bans b WHERE {{0}} GROUP BY ip, {value}) b {_JOINED} "
            f"WHERE {{1}} GROUP BY b.value, {unanswered}"
        )
    addresses = "1" if by == "address" else "count(DISTINCT b.ip)"
    return 1, (
        f"SELECT {value}, NULL, {addresses}, count(*), {first} FROM bans b "  # noqa: S608
        f"WHERE {{0}} AND {{1}} GROUP BY {value}"
    )


def _conditions(question: BanQuestion) -> tuple[list[str], list[object]]:
    """What a ban itself must be: SQL, and its parameters in order."""
    conditions, parameters = ["1"], list[object]()
    if question.since is not None:
        conditions.append("b.banned_at >= ?")
        parameters.append(question.since)
    if question.until is not None:
        conditions.append("b.banned_at < ?")
        parameters.append(question.until)
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


def _of_answers(question: BanQuestion, parameters: list[object]) -> list[str]:
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

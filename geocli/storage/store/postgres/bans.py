"""The history of bans in SQL that PostgreSQL, Citus and CockroachDB take: what ``sqlite_bans`` is for a file.

Bans and answers are joined by ``ip`` only, by which both tables are distributed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geocli.model.bans import SEEN_FIELDS
from geocli.model.records import FIELDS
from geocli.storage.store.base import BanCount
from geocli.storage.store.clocks import believed
from geocli.storage.store.columns import selection

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from geocli.model.bans import BanQuery
    from geocli.model.group_by import Grouping
    from geocli.storage.store.base import BanSpan

Query = tuple[str, tuple[Any, ...]]
"""A statement and its parameters."""

_KEY = "host, jail, ip, banned_at"
_NAMES = ", ".join(SEEN_FIELDS)
_JOINED = "LEFT JOIN geo_cache g ON g.ip = b.ip AND g.status = 'ok'"
_UNKNOWN = "CASE WHEN g.ip IS NULL THEN b.ip END"

_ALL = f"SELECT {{}} FROM bans b WHERE ({_KEY}) > (%s, %s, %s, %s) ORDER BY {_KEY} LIMIT %s"  # noqa: S608 (constants, here and below)

COPY = f"COPY bans_incoming ({_NAMES}) FROM STDIN"
"""Where a flush sends bans."""

# The order of ``seen.merged``.
_RANK = "({1}, COALESCE({0}.expires_at, ''), COALESCE({0}.ban_count, -1))"
_STORED = _RANK.format("bans", believed("bans.last_seen", "%(latest)s"))
_NEWER = f"{_RANK.format('excluded', 'excluded.last_seen')} > {_STORED}"
_NEWEST = ("expires_at", "ban_count", "last_seen")
UPSERT = (
    f"INSERT INTO bans ({_NAMES}) SELECT DISTINCT ON ({_KEY}) {_KEY}, expires_at, ban_count, "  # noqa: S608
    f"max(timed) OVER (PARTITION BY {_KEY}), min(first_seen) OVER (PARTITION BY {_KEY}), last_seen "
    f"FROM bans_incoming ORDER BY {_KEY}, last_seen DESC, COALESCE(expires_at, '') DESC, "
    f"COALESCE(ban_count, -1) DESC ON CONFLICT ({_KEY}) DO UPDATE SET "
    + "".join(f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE bans.{name} END, " for name in _NEWEST)
    + "timed = GREATEST(bans.timed, excluded.timed), "
    "first_seen = LEAST(bans.first_seen, excluded.first_seen) "
    f"WHERE {_NEWER} OR excluded.timed > bans.timed OR excluded.first_seen < bans.first_seen"
)
"""Of each ban, what ``seen.merged`` makes of all sightings that were copied and the one that is there."""

FORGET = (
    "DELETE FROM bans WHERE (banned_at < %(before)s AND (timed = 1 OR last_seen < %(before)s)) "
    "OR (banned_at > %(latest)s AND last_seen < %(before)s)"
)
"""Bans that began before, and that were seen before only if nobody says, or can say, when they began."""

_SPANS = (
    "unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) AS w (host, jail, ip, since, till)"
)
_SEEN = (
    f"SELECT {{}} FROM {_SPANS} JOIN bans b ON b.host = w.host AND b.jail = w.jail AND b.ip = w.ip "  # noqa: S608
    "AND b.banned_at >= w.since AND b.banned_at <= w.till"
)


def every(last: tuple[str, str, str, str], size: int, lacks: Collection[str]) -> Query:
    """Asks for at most ``size`` bans behind the key ``last``. ``lacks``: columns that the table has not."""
    return _ALL.format(selection(SEEN_FIELDS, lacks, "b.")), (*last, size)


def seen(spans: Collection[BanSpan], lacks: Collection[str]) -> Query:
    """Asks for the rows in these spans, of which there is at least one."""
    return _SEEN.format(selection(SEEN_FIELDS, lacks, "b.")), tuple(map(list, zip(*spans, strict=True)))


def rows_after(
    question: BanQuery, last: tuple[str, str, str, str], size: int, lacks: Collection[str]
) -> Query:
    """Asks for ``size`` bans with their answers, oldest first, behind ``last`` (moment, host, jail, ip)."""
    conditions, parameters = _conditions(question)
    conditions += _of_answers(question, parameters)
    columns = f"{selection(SEEN_FIELDS, lacks, 'b.')}, {selection(FIELDS, lacks, 'g.')}"
    select = (
        f"SELECT {columns} FROM bans b {_JOINED} WHERE {' AND '.join(conditions)} "  # noqa: S608
        "AND (b.banned_at, b.host, b.jail, b.ip) > (%s, %s, %s, %s) "
        "ORDER BY b.banned_at, b.host, b.jail, b.ip LIMIT %s"
    )
    return select, (*parameters, *last, size)


def count(question: BanQuery, by: Grouping, top: int | None = None) -> Query:
    """Asks for the groups, or for the ``top`` of them by their bans; ``counted`` reads the rows."""
    width = len(by.columns)
    most = "" if top is None else f" ORDER BY {width + 3} DESC, {width + 5} DESC, 1 LIMIT {top}"
    keys = [by.columns[index].name for index in by.keys]
    conditions, parameters = _conditions(question)
    answers = _of_answers(question, parameters)
    of_bans = [column for column in by.columns if not column.answered and column.name != "ip"]
    if not (by.answered or answers):
        values = ", ".join(column.postgres for column in by.columns)
        select = (
            f"SELECT {values}, NULL, {'count(DISTINCT b.ip)' if by.with_addresses else '0'}, count(*), "  # noqa: S608
            f"min(b.banned_at), max(b.banned_at) FROM bans b WHERE {' AND '.join(conditions)} "
            f"GROUP BY {values}{most}"
        )
        return select, tuple(parameters)
    each = "".join(f", {column.postgres} AS {column.name}_value" for column in of_bans)
    groups = "".join(f", {column.postgres}" for column in of_bans)
    outside = {column.name: f"b.{column.name}_value" for column in of_bans}
    values = ", ".join(
        outside.get(column.name, column.postgres if column.name in keys else f"max({column.postgres})")
        for column in by.columns
    )
    grouped = [outside.get(column.name, column.postgres) for column in by.columns if column.name in keys]
    select = (
        f"SELECT {values}, {_UNKNOWN}, count(*), CAST(sum(b.bans) AS BIGINT), min(b.first), max(b.last) "  # noqa: S608
        "FROM (SELECT b.ip, count(*) AS bans, min(b.banned_at) AS first, max(b.banned_at) AS last"
        f"{each} FROM bans b WHERE {' AND '.join(conditions)} GROUP BY b.ip{groups}) b {_JOINED} "
        f"WHERE {' AND '.join(['TRUE', *answers])} GROUP BY {', '.join([*grouped, _UNKNOWN])}{most}"
    )
    return select, tuple(parameters)


def counted(row: tuple[Any, ...], by: Grouping) -> BanCount:
    """A row of what ``count`` asked for."""
    *values, ip, addresses, bans, first, last = row
    read = [
        column.read(value) if column.read is not None else value
        for column, value in zip(by.columns, values, strict=True)
    ]
    return BanCount(tuple(read), ip, addresses, bans, first, last)


def _conditions(question: BanQuery) -> tuple[list[str], list[object]]:
    """What a ban itself must be: SQL, and its parameters in order."""
    conditions, parameters = ["TRUE"], list[object]()
    wanted: list[tuple[str, object]] = [
        ("b.banned_at >= %s", question.since),
        ("b.banned_at < %s", question.until),
        ("b.host = ANY(%s)", list(question.hosts) or None),
        ("b.jail = ANY(%s)", list(question.jails) or None),
        ("b.ip = ANY(%s::text[])", None if question.ips is None else list(question.ips)),
        # In all dialects, and along the index where its order is that of bytes.
        ("b.ip LIKE %s", _beginning(question.starting) if question.starting else None),
        ("b.ip <> ALL(%s)", list(question.without) or None),
    ]
    for condition, value in wanted:
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    return conditions, parameters


def _beginning(text: str) -> str:
    """The pattern of what begins with a text."""
    return re.sub(r"([%_\\])", r"\\\1", text) + "%"


def _of_answers(question: BanQuery, parameters: list[object]) -> list[str]:
    """What an answer must be, if there is one; its parameters go to the end of the others."""
    conditions = []
    for column, names in (("g.country_code", question.countries), ("g.asn", question.asns)):
        if names:
            conditions.append(f"(g.ip IS NULL OR {column} = ANY(%s))")
            parameters.append(list(names))
    return conditions


def split(row: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """A row of ``rows_after`` as a ban and its answer."""
    ban, answer = tuple(row[: len(SEEN_FIELDS)]), tuple(row[len(SEEN_FIELDS) :])
    return ban, None if answer[0] is None else answer

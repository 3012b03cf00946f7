"""What changed in the history: whom it knows since lately only, and two periods compared.

There may be a group for each address. So groups are put together, and put in order, in a temporary file where
they are many.
"""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from geocli.model.group_by import ADDRESS
from geocli.storage.store.base import BanCount
from geocli.system.rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.bans.history import History
    from geocli.model.bans import BanQuery
    from geocli.model.group_by import Grouping

COMPARED = ("addresses", "addresses_before", "bans", "bans_before", "change", "growth", "trend")
"""What is said of a group in two periods. ``growth`` is of its bans, 0.5 for half as many again; ``trend`` is
``new``, ``gone``, ``up``, ``down`` or ``same``."""

_MOST = 25_000  # rows with their texts in memory: some 10 MB, and there may be two such lists

_Row = tuple[Any, ...]
_Part = tuple[tuple[Any, ...], int, int]  # values, addresses, bans


def new(history: History, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
    """Yield what had its first ban since ``question.since``, with its bans since; most bans first.

    The question's other filters say in which part of the history it is new. Raises ``GeocliError``.
    """
    asked, since = question._replace(since=None), question.since or ""
    parts: Iterator[tuple[int, BanCount]] = enumerate(history.parts(asked, by))
    if by.keys != ADDRESS.keys or by.names[0] != "ip":  # an address is in one part
        parts = _whole(parts, by, history.directory)
    found = SortedRows(history.directory, _MOST)
    for place, count in parts:
        # A country that nobody knows is no new country.
        if count.first >= since and (not by.answered or None not in by.key(count.values)):
            found.add((-count.bans, count.first, str(count.values[0]), place, *_row_of(count)))
    for row in found:
        yield _count_of(row[4:])


def compare(history: History, now: BanQuery, before: BanQuery, by: Grouping) -> Iterator[_Row]:
    """Yield ``(*values, *COMPARED)`` of each group in two periods, the largest change first.

    Raises ``GeocliError``.
    """
    width = len(by.names)
    parts = SortedRows(history.directory, _MOST)
    place = 0
    for period, question in enumerate((now, before)):
        for count in history.counts(question, by):
            key = json.dumps(by.key(count.values))
            parts.add((key, period, place, count.addresses, count.bans, *count.values))
            place += 1
    found = SortedRows(history.directory, _MOST)
    for _, group in groupby(parts, key=itemgetter(0)):
        periods: list[_Part | None] = [None, None]
        first: _Row = ()
        for row in group:
            first = first or row[1:3]
            periods[row[1]] = _added(periods[row[1]], row)
        compared = _compared(*periods)
        # Of equal ones those of now first, as they came.
        order = -abs(compared[width + 4]), -compared[width + 2], compared[0] is None, str(compared[0])
        found.add((*order, *first, *compared))
    for row in found:
        yield row[6:]


def _whole(
    parts: Iterable[tuple[int, BanCount]], by: Grouping, directory: Path
) -> Iterator[tuple[int, BanCount]]:
    """The groups of which parts come in any order, each with the place of its first part."""
    sorted_parts = SortedRows(directory, _MOST)
    for place, count in parts:
        sorted_parts.add((json.dumps(by.key(count.values)), place, *_row_of(count)))
    for _, group in groupby(sorted_parts, key=itemgetter(0)):
        first, whole = 0, None
        for _, place, *row in group:
            part = _count_of(row)
            first, whole = (place, part) if whole is None else (first, summed(whole, part))
        if whole is not None:
            yield first, whole


def summed(one: BanCount, other: BanCount) -> BanCount:
    """Return two parts of a group as one."""
    addresses, bans = one.addresses + other.addresses, one.bans + other.bans
    first, last = min(one.first, other.first), max(one.last, other.last)
    return BanCount(_filled(one.values, other.values), None, addresses, bans, first, last)


def _filled(values: _Row, other: _Row) -> _Row:
    """The values, with those of another part where one has none: a name that it does not know."""
    return tuple(a if a is not None else b for a, b in zip(values, other, strict=True))


def _row_of(count: BanCount) -> _Row:
    return (count.addresses, count.bans, count.first, count.last, *count.values)


def _count_of(row: Sequence[Any]) -> BanCount:
    addresses, bans, first, last, *values = row
    return BanCount((*values,), None, addresses, bans, first, last)


def _added(whole: _Part | None, row: _Row) -> _Part:
    """A group in a period with another part of it, as ``compare`` sorts them."""
    _, _, _, addresses, bans, *values = row
    if whole is None:
        return (*values,), addresses, bans
    return _filled(whole[0], (*values,)), whole[1] + addresses, whole[2] + bans


def _compared(now: _Part | None, before: _Part | None) -> _Row:
    values = (now or before or ((), 0, 0))[0]
    addresses, bans = now[1:] if now else (0, 0)
    addresses_before, bans_before = before[1:] if before else (0, 0)
    change = bans - bans_before
    growth = round(change / bans_before, 4) if bans_before else None
    if not before:
        trend = "new"
    elif not now:
        trend = "gone"
    else:
        trend = "up" if change > 0 else "down" if change < 0 else "same"
    return (*values, addresses, addresses_before, bans, bans_before, change, growth, trend)

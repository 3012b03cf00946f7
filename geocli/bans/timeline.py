"""Bans over time: how many in each hour, day, week or month, and what the last period brought that is new.

Times are a record's (UTC), so that text compares as time does; periods are UTC's, weeks begin on Mondays.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.records import utc_text
from geocli.system.spill import SeenSet

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

PERIODS = ("hour", "day", "week", "month")
"""How long a period may be, shortest first."""

_MOST_BARS = 120
_MOST_KNOWN = 20_000  # groups of each kind in memory: some 6 MB
_FEWEST_DAYS = {"day": 2, "week": 62, "month": 2 * 366}
"""How many days a list must span before the period is that long, unless somebody says how long it is."""
_LAST = {"hour": ("24 hours", 1), "day": ("24 hours", 1), "week": ("7 days", 7), "month": ("30 days", 30)}
_SECONDS = 86400
TO_THE_HOUR = 13
"""Characters of a time."""

_HOUR = 3600


class Dated(NamedTuple):
    """A ban of which is known when it began, its jail, and what it counts for: groups by their kind."""

    banned_at: str
    jail: str | None
    groups: Mapping[str, Hashable]


class Timeline(NamedTuple):
    """Counts by period and jail.

    ``starts`` are the periods' first moments, oldest first and without gaps; ``counts`` has for each of them
    one number for each of ``jails``, which are the largest first. ``left_out`` bans are older, or dated in
    the future. The last period may be ``running``, the first one ``cut`` by where somebody let time begin:
    both have fewer bans than they would have as a whole.
    """

    period: str
    starts: Sequence[str]
    jails: Sequence[str | None]
    counts: Sequence[Sequence[int]]
    left_out: int
    running: bool = False
    cut: bool = False

    @property
    def totals(self) -> list[int]:
        """The bans of each period."""
        return [sum(counts) for counts in self.counts]


class News(NamedTuple):
    """What the time from ``begin`` to ``end`` brought, against all that was before.

    ``bans`` began in it, ``before`` in the time of the same length before it (``None``: the list does not
    reach back so far). ``new`` has for each kind of group those that first occur in it, with how many bans
    they have, most first; it is ``None`` when there is nothing before to compare with.
    """

    length: str
    begin: str
    end: str
    bans: int
    before: int | None
    new: Mapping[str, Sequence[tuple[Hashable, int]]] | None


class Hours(NamedTuple):
    """How many bans began in each hour (``2026-11-25T06``) and jail; when the first and the last did.

    ``left_out`` others are dated in the future.
    """

    counts: Mapping[tuple[str, str | None], int]
    first: str
    last: str
    left_out: int = 0


class Window(NamedTuple):
    """The last day, week or month: its ``length`` in words, where it begins and ends, and the one before."""

    length: str
    earlier: str
    begin: str
    end: str


def latest(now: float) -> str:
    """The last moment that a ban may have begun at ``now``: clocks differ."""
    return utc_text(now + _HOUR)


def timeline(bans: Collection[Dated], now: float, since: str | None, period: str | None) -> Timeline | None:
    """The bans by period: as long as ``period`` says, else as fits. ``None`` when there are none by ``now``.

    ``now`` is seconds since the epoch; ``since`` is where time begins, when somebody asked for that.
    """
    end = latest(now)
    span = _span(bans, end)
    if span is None:
        return None
    counts = Counter((ban.banned_at[:TO_THE_HOUR], ban.jail) for ban in bans if ban.banned_at <= end)
    return timeline_of(Hours(counts, *span, len(bans) - counts.total()), now, since, period)


def timeline_of(hours: Hours, now: float, since: str | None, period: str | None) -> Timeline:
    """The same of bans that are counted by hours already."""
    first = since or hours.first
    last = _end(hours.last, now)
    period = period or _fitting(first, last)
    starts = _starts(period, first, last)
    index = {start: number for number, start in enumerate(starts)}
    counted: Counter[tuple[str, str | None]] = Counter()
    jails: Counter[str | None] = Counter()
    left_out = hours.left_out
    start_of = cache(partial(_start, period))
    for (hour, jail), count in hours.counts.items():
        if (start := start_of(hour)) in index:
            counted[start, jail] += count
            jails[jail] += count
        else:
            left_out += count
    ranked = sorted(jails, key=lambda jail: (-jails[jail], jail or ""))
    counts = [[counted[start, jail] for jail in ranked] for start in starts]
    running = starts[-1] == _start(period, utc_text(now))
    cut = since is not None and starts[0] == _start(period, since) and not _is_start(since, starts[0])
    return Timeline(period, starts, ranked, counts, left_out, running, cut)


def window(period: str, last: str, now: float) -> Window:
    """The time whose news are told beside a timeline with such periods, whose last ban began then."""
    length, days = _LAST[period]
    end = _end(last, now)
    earlier, begin = (utc_text(_seconds(end) - times * days * _SECONDS) for times in (2, 1))
    return Window(length, earlier, begin, end)


def news(bans: Collection[Dated], now: float, period: str, directory: Path = Path(os.devnull)) -> News | None:
    """What is new in the last day, week or month (which of them, a timeline's ``period`` says).

    ``directory``, the data's, is where groups are kept that are many. Raises ``GeocliError``.
    """
    last = latest(now)
    span = _span(bans, last)
    if span is None:
        return None
    length, earlier, begin, end = window(period, span[1], now)
    known: dict[str, _Known] = {}
    recent = before = 0
    for ban in bans:
        if ban.banned_at <= begin:
            before += ban.banned_at > earlier
            for kind, group in ban.groups.items():
                known.setdefault(kind, _Known(directory)).add(group)
        elif ban.banned_at <= last:
            recent += 1
    if span[0] > begin:
        return News(length, begin, end, recent, None, None)
    found: dict[str, Counter[Hashable]] = {}
    for ban in bans:
        if begin < ban.banned_at <= last:
            for kind, group in ban.groups.items():
                counts = found.setdefault(kind, Counter())
                if kind not in known or group not in known[kind]:
                    counts[group] += 1
    new = {kind: found.get(kind, Counter()).most_common() for kind in dict.fromkeys((*known, *found))}
    return News(length, begin, end, recent, before if span[0] <= earlier else None, new)


class _Known:
    """Groups that occurred, of which the latest are at hand."""

    def __init__(self, directory: Path) -> None:
        self._latest: set[Hashable] = set()
        self._all = SeenSet(directory, _MOST_KNOWN)

    def add(self, group: Hashable) -> None:
        if group not in self._latest:
            if len(self._latest) >= _MOST_KNOWN:
                self._latest.clear()
            self._latest.add(group)
            self._all.add(repr(group))

    def __contains__(self, group: Hashable) -> bool:
        return group in self._latest or repr(group) in self._all


def _span(bans: Iterable[Dated], latest: str) -> tuple[str, str] | None:
    """When the first and the last of those began that began by ``latest``."""
    first = last = None
    for ban in bans:
        moment = ban.banned_at
        if moment <= latest:
            first = moment if first is None or moment < first else first
            last = moment if last is None or moment > last else last
    return None if first is None or last is None else (first, last)


def _end(last: str, now: float) -> str:
    """Now, or when the last ban was if that is long ago: an old log has news of its own."""
    return utc_text(now) if last >= utc_text(now - _SECONDS) else last


def _fitting(first: str, last: str) -> str:
    days = (_seconds(last) - _seconds(first)) / _SECONDS
    return max(
        (name for name, fewest in _FEWEST_DAYS.items() if days >= fewest), default="hour", key=PERIODS.index
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _start(period: str, moment: str) -> str:
    """The first moment of the period that a moment is in, shortened to what tells periods apart."""
    if period == "hour":
        return f"{moment[:TO_THE_HOUR]}:00"
    if period == "day":
        return moment[:10]
    if period == "month":
        return f"{moment[:7]}-01"
    day = date.fromisoformat(moment[:10])
    return str(day - timedelta(days=day.weekday()))


def _is_start(moment: str, start: str) -> bool:
    """Whether a moment is the very first of the period that begins so."""
    return moment == start + "T00:00:00Z"[len(start) - 10 :]


def _starts(period: str, first: str, last: str) -> list[str]:
    """The periods from ``first`` to ``last``, the latest of them when they are too many."""
    starts = [_start(period, last)]
    begin = _start(period, first)
    while starts[-1] > begin and len(starts) < _MOST_BARS:
        before = datetime.fromisoformat(starts[-1]).replace(tzinfo=UTC) - timedelta(hours=1)
        starts.append(_start(period, before.strftime("%Y-%m-%dT%H:%M:%SZ")))
    return starts[::-1]

"""A report's picture of the history: the stores count, and no ban is looked at by itself.

The result is what ``summary.Counted`` makes of the same bans one by one. News are told against everything
that was recorded before, whatever time the question is about.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans.timeline import TO_THE_HOUR, Hours, News, latest, timeline_of, window
from geocli.lookup.groups import Groups
from geocli.model.group_by import DATE_HOUR_AND_JAIL, GROUPS, PLACE, Grouping, parse_by
from geocli.model.records import GeoRecord, utc_text
from geocli.output.report.summary import (
    MOST_ADDRESSES,
    MOST_GROUPS,
    TABLES,
    BusyAddress,
    Summary,
    is_person,
    largest_of,
    places_of,
)
from geocli.storage.store.base import BanCount
from geocli.system.row_file import RowFile
from geocli.system.spill import SeenSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from geocli.bans.history import History
    from geocli.bans.timeline import Timeline, Window
    from geocli.model.bans import BanQuery

_AT_ONCE = 1000
_HOST = parse_by("host")
_HOST_ALONE = Grouping([GROUPS["host"]], with_addresses=False)


_STEPS = 6


class _Place(NamedTuple):
    """What is counted in one group of answers: the record that they have in common, and its groups."""

    record: GeoRecord
    groups: Mapping[str, tuple[Any, ...]]
    counted: BanCount


class _Places:
    """The places of a question's bans, from beginning to end as often as is wanted: there may be many.

    A place may come in several parts, which have no address in common.
    """

    def __init__(self, history: History, question: BanQuery, *, anonymous: bool) -> None:
        self._anonymous = anonymous
        self._rows = RowFile(history.directory)
        counts = history.parts(question, PLACE)
        while part := list(islice(counts, _AT_ONCE)):
            self._rows.add([tuple(count) for count in part])

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __iter__(self) -> Iterator[_Place]:
        for rows in self._rows.batches():
            yield from map(self._place, map(BanCount._make, rows))

    def _place(self, count: BanCount) -> _Place:
        values = dict(zip(PLACE.names, count.values, strict=True))
        record = GeoRecord(values["network"], **values)
        groups = places_of(record, is_person=is_person(record), anonymous=self._anonymous)
        return _Place(record, groups, count)


def _silent(*_: int) -> None:
    pass


def history_summary(
    history: History,
    question: BanQuery,
    now: float,
    period: str | None,
    *,
    anonymous: bool = False,
    progress: Callable[[int, int], None] = _silent,
) -> Summary:
    """The picture of a question's bans (``now``: seconds since the epoch; ``period``: see ``timeline``).

    ``progress`` hears how many questions of how many the stores have answered.
    Raises ``GeocliError``.
    """
    progress(0, _STEPS)
    places = _Places(history, question, anonymous=anonymous)
    progress(1, _STEPS)
    groups = {by: Groups(grouping, history.directory, MOST_GROUPS) for by, grouping in TABLES.items()}
    elsewhere: Counter[str] = Counter()
    total, addresses, sources = 0, 0, set[str]()
    for record, place, count in places:
        total += count.bans
        addresses += count.addresses
        if record.source:
            sources.add(record.source)
        for by, values in place.items():
            groups[by].add(values, count.addresses, count.bans)
        if record.country_code is None:
            elsewhere[record.status] += count.bans
    for part in history.count(question, TABLES["jail"]).parts():
        groups["jail"].add(*part)
    progress(2, _STEPS)
    span = _span(places, history, question, now, anonymous=anonymous)
    lines = news = None
    if span is not None:
        lines = _timeline(history, question, span, now, period)
        progress(3, _STEPS)
        everything = (
            places
            if question.since is None
            else _Places(history, question._replace(since=None), anonymous=anonymous)
        )
        news = _news(history, question, window(lines.period, span[1], now), everything)
    progress(4, _STEPS)
    busiest = () if anonymous else _busiest(history, question)
    progress(5, _STEPS)
    tables, beyond = largest_of(groups)
    return Summary(
        total=total,
        addresses=addresses,
        tables=tables,
        beyond=beyond,
        busiest=busiest,
        elsewhere=elsewhere,
        sources=sorted(sources),
        untimed=0,
        timeline=lines,
        news=news,
        anonymous=anonymous,
        hosts=_hosts(history, question),
    )


def _span(
    places: _Places, history: History, question: BanQuery, now: float, *, anonymous: bool
) -> tuple[str, str] | None:
    """When the first and the last of those began that began by now."""
    end = latest(now)
    if any(place.counted.last > end for place in places):
        after = utc_text(datetime.fromisoformat(end).timestamp() + 1)
        capped = question._replace(until=min(question.until or after, after))
        places = _Places(history, capped, anonymous=anonymous)
    if not places:
        return None
    return min(place.counted.first for place in places), max(place.counted.last for place in places)


def _timeline(
    history: History, question: BanQuery, span: tuple[str, str], now: float, period: str | None
) -> Timeline:
    end = latest(now)[:TO_THE_HOUR]
    counts: Counter[tuple[str, str | None]] = Counter()
    left_out = 0
    for part in history.counts(question, DATE_HOUR_AND_JAIL):
        hour, jail = part.values
        if hour <= end:
            counts[hour, jail] += part.bans
        else:
            left_out += part.bans
    return timeline_of(Hours(counts, *span, left_out), now, question.since, period)


def _news(history: History, question: BanQuery, seen: Window, everything: _Places) -> News:
    earliest = min(place.counted.first for place in everything)
    recent = _bans(history, question._replace(since=seen.begin))
    if earliest >= seen.begin:
        return News(seen.length, seen.begin, seen.end, recent, None, None)
    before = None
    if earliest <= seen.earlier:
        before = _bans(history, question._replace(since=seen.earlier, until=seen.begin))
    known = {by: SeenSet(history.directory, MOST_GROUPS) for by in TABLES if by != "jail"}
    for _, place, count in everything:
        if count.first < seen.begin:
            for by, values in place.items():
                known[by].add(repr(TABLES[by].key(values)))
    found: dict[str, Counter[tuple[Any, ...]]] = {by: Counter() for by in known}
    for _, place, count in everything:
        if count.first >= seen.begin:
            for by, values in place.items():
                key = TABLES[by].key(values)
                if None not in key and repr(key) not in known[by]:
                    found[by][values] += count.bans
    new = {by: counts.most_common() for by, counts in found.items()}
    return News(seen.length, seen.begin, seen.end, recent, before, new)


def _bans(history: History, question: BanQuery) -> int:
    return sum(bans for _, _, bans in history.count(question, TABLES["jail"]).parts())


def _hosts(history: History, question: BanQuery) -> Sequence[tuple[object, ...]]:
    if len(history.count(question, _HOST_ALONE).parts()) < 2:
        return ()  # of one machine, nobody asks which it was
    return history.count(question, _HOST).rows(None)


def _busiest(history: History, question: BanQuery) -> Sequence[BusyAddress]:
    counts = history.busiest(question, MOST_ADDRESSES)
    ips = [str(count.values[0]) for count in counts]
    records = history.locate(ips)
    return [
        BusyAddress(
            *(ip, records[ip].country_code, records[ip].country_name, records[ip].org),
            *(count.bans, count.first, count.last),
        )
        for ip, count in zip(ips, counts, strict=True)
    ]

"""What a report shows: totals, groups, days and what is new, out of located bans or counted addresses.

Everything is counted once, as it comes. ``Summary`` is the result: numbers and checked text, and nothing
about how it looks.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans.moments import Moments
from geocli.bans.timeline import News, Timeline, news, timeline
from geocli.lookup.groups import Groups
from geocli.model.addresses import is_target
from geocli.model.group_by import parse_by
from geocli.system.spill import SeenSet, SpanTally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from geocli.model.bans import LocatedBan
    from geocli.model.records import GeoRecord

TABLES = {by: parse_by(by) for by in ("country", "asn", "network", "jail")}
"""What is counted by."""

_LONGEST_PREFIX = {4: 24, 6: 48}
"""Of the networks in an anonymous report: what is narrower may be one person's."""

MOST_ADDRESSES = 5000
"""Addresses that a report names."""

MOST_ROWS = 5000
"""Rows of each of its tables."""

MOST_GROUPS = 20_000
"""Groups of each kind in memory: some 12 MB."""

_MOST_PLACES = 20_000  # addresses whose groups are at hand
_BETWEEN = "\t"  # of texts that have no tabs


NOTHING_BEYOND: Mapping[str, tuple[int, int]] = dict.fromkeys(TABLES, (0, 0))
"""Tables that have all their rows."""


class Summary(NamedTuple):
    """Everything that a report shows.

    ``tables`` has the rows ``(*values, addresses, count, share)`` for each of ``TABLES``, largest first, at
    most ``MOST_ROWS``, and ``beyond`` how many more groups there are with how much of ``total``.
    ``busiest`` are the addresses that count most, at most ``MOST_ADDRESSES``, none if ``anonymous``.
    ``elsewhere`` is how much of ``total`` is from no country, by the status of its records. ``sources`` are
    those that gave the answers. ``untimed`` of ``total`` do not say when they were. ``hosts`` are rows like
    those of ``tables``, where the history tells of several.
    """

    total: int
    addresses: int
    tables: Mapping[str, Sequence[tuple[object, ...]]]
    busiest: Sequence[BusyAddress]
    elsewhere: Mapping[str, int]
    sources: Sequence[str]
    untimed: int
    timeline: Timeline | None
    news: News | None
    anonymous: bool = False
    hosts: Sequence[tuple[object, ...]] = ()
    beyond: Mapping[str, tuple[int, int]] = NOTHING_BEYOND


class BusyAddress(NamedTuple):
    """An address, where it is, how often it counts, and when it first and last did (empty: not known)."""

    ip: str
    country_code: str | None
    country_name: str | None
    org: str | None
    total: int
    first: str
    last: str


class Counted:
    """Counts for a ``Summary``. When ``anonymous``, networks go into it, and no address.

    ``directory`` is the data's: what is too much for memory goes into a temporary file there.
    """

    def __init__(self, directory: Path, *, anonymous: bool = False) -> None:
        self._anonymous = anonymous
        self._groups = {by: Groups(grouping, directory, MOST_GROUPS) for by, grouping in TABLES.items()}
        self._addresses = SpanTally(directory)
        self._in_jails = SeenSet(directory, 2 * MOST_GROUPS)
        self._directory = directory
        self._moments = Moments([by for by in TABLES if by != "jail"], directory)
        self._elsewhere: Counter[str] = Counter()
        self._sources: set[str] = set()
        self._places: dict[str, dict[str, tuple[Any, ...]]] = {}
        self.total = 0
        """How much was counted."""

    def add_ban(self, located: LocatedBan) -> None:
        """Count one ban: of an input, or of the history. Raises ``GeocliError``, as what else counts."""
        ban, record, _ = located
        place = self._add(record, 1, located.began or "", is_person=is_person(record))
        is_new = self._in_jails.add(f"{record.ip}{_BETWEEN}{ban.jail!r}")
        self._groups["jail"].add((ban.jail,), int(is_new), 1)
        if located.began is not None:
            self._moments.add(located.began, ban.jail, place)

    def add_hits(self, record: GeoRecord, hits: int) -> None:
        """Count an address that occurs so often in a log."""
        self._add(record, hits, "", is_person=False)

    def _add(
        self, record: GeoRecord, count: int, moment: str, *, is_person: bool
    ) -> dict[str, tuple[Any, ...]]:
        """Count it, and return its groups."""
        known = (record.ip, record.country_code or "", record.country_name or "", record.org or "")
        shown = _BETWEEN.join(known)
        is_new = self._addresses.add(shown, count, moment)
        place = self._places.get(shown)
        if place is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            place = self._places[shown] = places_of(record, is_person=is_person, anonymous=self._anonymous)
        for by, values in place.items():
            self._groups[by].add(values, int(is_new), count)
        if record.country_code is None:
            self._elsewhere[record.status] += count
        if record.source:
            self._sources.add(record.source)
        self.total += count
        return place

    def summary(self, now: float, since: str | None = None, period: str | None = None) -> Summary:
        """The result (``now``: seconds since the epoch; ``since`` and ``period``: see ``timeline``)."""
        lines = timeline(self._moments, now, since, period)
        tables, beyond = largest_of(self._groups)
        return Summary(
            total=self.total,
            addresses=len(self._addresses),
            tables=tables,
            beyond=beyond,
            busiest=() if self._anonymous else self._busiest(),
            elsewhere=self._elsewhere,
            sources=sorted(self._sources),
            untimed=self.total - len(self._moments),
            timeline=lines,
            news=None if lines is None else news(self._moments, now, lines.period, self._directory),
            anonymous=self._anonymous,
        )

    def _busiest(self) -> Sequence[BusyAddress]:
        rows = list[BusyAddress]()
        for shown, count, first, last in self._addresses.top(MOST_ADDRESSES):
            ip, code, country, org = shown.split(_BETWEEN)
            rows.append(BusyAddress(ip, code or None, country or None, org or None, count, first, last))
        return rows


def largest_of(
    groups: Mapping[str, Groups],
) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, tuple[int, int]]]:
    """Return the tables of these groups, and what is beyond each."""
    tables = {by: group.rows(MOST_ROWS) for by, group in groups.items()}
    beyond = {
        by: (len(group) - len(tables[by]), group.total - sum(row[-2] for row in tables[by]))
        for by, group in groups.items()
    }
    return tables, beyond


def is_person(record: GeoRecord) -> bool:
    """Whether it is of a user or a host that was banned by its name."""
    return record.status == "unknown" and not is_target(record.ip)


def places_of(record: GeoRecord, *, is_person: bool, anonymous: bool) -> dict[str, tuple[Any, ...]]:
    """The groups of an address, by all of ``TABLES`` but the jail. A person, or a host, has no network."""
    place = {by: TABLES[by].of_record(record) for by in ("country", "asn")}
    if not is_person:
        network = TABLES["network"].of_record(record)
        place["network"] = (_widened(str(network[0])), *network[1:]) if anonymous else network
    return place


def _widened(network: str) -> str:
    """The network, or the wider one that an anonymous report shows instead."""
    known = ip_network(network, strict=False)
    longest = _LONGEST_PREFIX[known.version]
    return str(known if known.prefixlen <= longest else known.supernet(new_prefix=longest))

"""What a report shows: totals, groups, days and what is new, out of located bans or counted addresses.

Everything is counted once, as it comes. ``Picture`` is the result: numbers and checked text, and nothing
about how it looks.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from geocli.grouping import Groups, key_of
from geocli.timeline import Dated, News, Timeline, news, timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geocli.banned import LocatedBan
    from geocli.records import GeoRecord

TABLES = ("country", "asn", "network", "jail")
"""What is counted by, as in ``banned.GROUPS``."""

_LONGEST_PREFIX = {4: 24, 6: 48}
"""Of the networks in an anonymous report: what is narrower may be one person's."""

_MOST_REPEATED = 1000


class Picture(NamedTuple):
    """Everything that a report shows.

    ``tables`` has the rows ``(*GROUPS[by], addresses, count, share)`` for each of ``TABLES``, largest first.
    ``repeated`` are addresses that count more than once, ``(ip, country_name, org, count)``. ``elsewhere`` is
    how much of ``total`` is from no country, by the status of its records. ``sources`` are those that gave
    the answers. ``untimed`` of ``total`` do not say when they were.
    """

    total: int
    addresses: int
    tables: Mapping[str, Sequence[tuple[object, ...]]]
    repeated: Sequence[tuple[object, ...]]
    elsewhere: Mapping[str, int]
    sources: Sequence[str]
    untimed: int
    timeline: Timeline | None
    news: News | None


class Counted:
    """Counts for a ``Picture``. When ``anonymous``, networks go into it, and no address."""

    def __init__(self, *, anonymous: bool = False) -> None:
        self._anonymous = anonymous
        self._groups = {by: Groups(by) for by in TABLES}
        self._places: dict[str, dict[str, tuple[object, ...]]] = {}
        self._in_jail: set[tuple[str | None, str]] = set()
        self._records: dict[str, GeoRecord] = {}
        self._counts: Counter[str] = Counter()
        self._dated: list[Dated] = []
        self._total = 0

    @property
    def total(self) -> int:
        """How much was counted."""
        return self._total

    def add_ban(self, located: LocatedBan) -> None:
        """Count one ban."""
        ban, record = located
        # A user or a host has no network.
        self._add(record, 1, has_network=record.status != "unknown" or bool(ban.targets()))
        self._groups["jail"].add((ban.jail,), int((ban.jail, record.ip) not in self._in_jail), 1)
        self._in_jail.add((ban.jail, record.ip))
        if ban.banned_at is not None:
            self._dated.append(Dated(ban.banned_at, ban.jail, self._places[record.ip]))

    def add_hits(self, record: GeoRecord, hits: int) -> None:
        """Count an address that occurs so often in a log."""
        self._add(record, hits, has_network=True)

    def _add(self, record: GeoRecord, count: int, *, has_network: bool) -> None:
        address = record.ip
        place = self._places.get(address)
        is_new = place is None
        if place is None:
            place = {"country": key_of("country", record), "asn": key_of("asn", record)}
            if has_network:
                network = key_of("network", record)
                place["network"] = (_widened(str(network[0])), *network[1:]) if self._anonymous else network
            self._places[address] = place
            self._records[address] = record
        for by, values in place.items():
            self._groups[by].add(values, int(is_new), count)
        self._counts[address] += count
        self._total += count

    def picture(self, now: float, since: str | None = None, period: str | None = None) -> Picture:
        """The result (``now``: seconds since the epoch; ``since`` and ``period``: see ``timeline``)."""
        elsewhere: Counter[str] = Counter()
        for address, record in self._records.items():
            if record.country_code is None:
                elsewhere[record.status] += self._counts[address]
        lines = timeline(self._dated, now, since, period)
        return Picture(
            total=self._total,
            addresses=len(self._counts),
            tables={by: groups.rows(None) for by, groups in self._groups.items()},
            repeated=() if self._anonymous else self._repeated(),
            elsewhere=elsewhere,
            sources=sorted({record.source for record in self._records.values() if record.source}),
            untimed=self._total - len(self._dated),
            timeline=lines,
            news=None if lines is None else news(self._dated, now, lines.period),
        )

    def _repeated(self) -> Sequence[tuple[object, ...]]:
        return [
            (address, record.country_name, record.org, count)
            for address, count in self._counts.most_common(_MOST_REPEATED)
            if count > 1
            for record in (self._records[address],)
        ]


def _widened(network: str) -> str:
    """The network, or the wider one that an anonymous report shows instead."""
    known = ip_network(network, strict=False)
    longest = _LONGEST_PREFIX[known.version]
    return str(known if known.prefixlen <= longest else known.supernet(new_prefix=longest))

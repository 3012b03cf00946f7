"""What a report shows: totals, groups, days and what is new, out of located bans or counted addresses.

Everything is counted once, as it comes. ``Summary`` is the result: numbers and checked text, and nothing
about how it looks.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans.timeline import Dated, News, Timeline, news, timeline
from geocli.lookup.groups import Groups
from geocli.model.addresses import is_target
from geocli.model.group_by import parse_by
from geocli.model.records import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geocli.bans.history import History
    from geocli.model.bans import BanQuery, LocatedBan
    from geocli.model.records import GeoRecord

TABLES = {by: parse_by(by) for by in ("country", "asn", "network", "jail")}
"""What is counted by."""

_LONGEST_PREFIX = {4: 24, 6: 48}
"""Of the networks in an anonymous report: what is narrower may be one person's."""

_MOST_REPEATED = 1000


class Summary(NamedTuple):
    """Everything that a report shows.

    ``tables`` has the rows ``(*values, addresses, count, share)`` for each of ``TABLES``, largest first.
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
    anonymous: bool = False


class Counted:
    """Counts for a ``Summary``. When ``anonymous``, networks go into it, and no address."""

    def __init__(self, *, anonymous: bool = False) -> None:
        self._anonymous = anonymous
        self._records: dict[str, GeoRecord] = {}
        self._without_network: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._in_jails: Counter[tuple[str | None, str]] = Counter()
        self._moments: list[tuple[str, str | None, str]] = []
        self.total = 0
        """How much was counted."""

    def add_ban(self, located: LocatedBan) -> None:
        """Count one ban: of an input, or of the history."""
        ban, record, _ = located
        if record.status == "unknown" and not is_target(record.ip):
            self._without_network.add(record.ip)  # a user, a host
        self.add_hits(record, 1)
        self._in_jails[ban.jail, record.ip] += 1
        if located.began is not None:
            self._moments.append((located.began, ban.jail, record.ip))

    def add_hits(self, record: GeoRecord, hits: int) -> None:
        """Count an address that occurs so often in a log."""
        self._records.setdefault(record.ip, record)
        self._counts[record.ip] += hits
        self.total += hits

    def summary(self, now: float, since: str | None = None, period: str | None = None) -> Summary:
        """The result (``now``: seconds since the epoch; ``since`` and ``period``: see ``timeline``)."""
        groups = {by: Groups(grouping) for by, grouping in TABLES.items()}
        places: dict[str, dict[str, tuple[Any, ...]]] = {}
        elsewhere: Counter[str] = Counter()
        for address, record in self._records.items():
            place = places[address] = self._place(record)
            for by, values in place.items():
                groups[by].add(values, 1, self._counts[address])
            if record.country_code is None:
                elsewhere[record.status] += self._counts[address]
        for (jail, _), count in self._in_jails.items():
            groups["jail"].add((jail,), 1, count)
        dated = [Dated(moment, jail, places[address]) for moment, jail, address in self._moments]
        lines = timeline(dated, now, since, period)
        return Summary(
            total=self.total,
            addresses=len(self._counts),
            tables={by: group.rows(None) for by, group in groups.items()},
            repeated=() if self._anonymous else self._repeated(),
            elsewhere=elsewhere,
            sources=sorted({record.source for record in self._records.values() if record.source}),
            untimed=self.total - len(dated),
            timeline=lines,
            news=None if lines is None else news(dated, now, lines.period),
            anonymous=self._anonymous,
        )

    def _place(self, record: GeoRecord) -> dict[str, tuple[Any, ...]]:
        """The groups of an address, by all of ``TABLES`` but the jail."""
        place = {by: TABLES[by].of_record(record) for by in ("country", "asn")}
        if record.ip not in self._without_network:
            network = TABLES["network"].of_record(record)
            place["network"] = (_widened(str(network[0])), *network[1:]) if self._anonymous else network
        return place

    def _repeated(self) -> Sequence[tuple[object, ...]]:
        return [
            (address, record.country_name, record.org, count)
            for address, count in self._counts.most_common(_MOST_REPEATED)
            if count > 1
            for record in (self._records[address],)
        ]


def with_all_news(picture: Summary, history: History, question: BanQuery) -> Summary:
    """The picture of a question's bans, with news against everything that was recorded before.

    What is new since a moment must not have been there before the question's ``since`` either. Networks of an
    anonymous picture cannot be asked about, and are left out. Raises ``GeocliError``.
    """
    said = picture.news
    if said is None or question.since is None:
        return picture
    days = datetime.fromisoformat(said.end) - datetime.fromisoformat(said.begin)
    earlier = utc_text((datetime.fromisoformat(said.begin) - days).timestamp())
    old = history.count(question._replace(since=None, until=said.begin), TABLES["jail"]).parts()
    before = history.count(question._replace(since=earlier, until=said.begin), TABLES["jail"]).parts()
    kinds = [by for by in TABLES if by != "jail" and not (picture.anonymous and by == "network")]
    asked = question._replace(since=said.begin)
    return picture._replace(
        news=said._replace(
            before=sum(bans for _, _, bans in before) if old else None,
            new={by: [(count.values, count.bans) for count in history.new(asked, TABLES[by])] for by in kinds}
            if old
            else None,
        )
    )


def _widened(network: str) -> str:
    """The network, or the wider one that an anonymous report shows instead."""
    known = ip_network(network, strict=False)
    longest = _LONGEST_PREFIX[known.version]
    return str(known if known.prefixlen <= longest else known.supernet(new_prefix=longest))

"""The history of bans: what the store has and what still waits in the journal, as one.

The two are put together by address. What the journal says anything about (a ban, a newer answer) is read row
by row and counted here; of everything else the store counts, which is the work. Where an address is, is what
geocli knows, however old that is: the journal's answer, else the store's. What neither has is looked up in
the local databases of the chain as usual; nobody on the network is asked about the past.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans.current import HISTORY_GROUPS
from geocli.lookup.groups import Groups, key_of
from geocli.model.addresses import is_reserved, is_target
from geocli.model.bans import SeenBan, iso_week, merged
from geocli.model.records import FIELDS, GeoRecord
from geocli.storage.store.base import BanCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.lookup.cache import Cache
    from geocli.lookup.pipeline import Pipeline
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import BanQuestion, Store

COLUMNS = (
    "host", "jail", "ip", "banned_at", "expires_at", "ban_count", "first_seen", "last_seen", *FIELDS[1:],
)  # fmt: skip
IN_TIME = frozenset({"day", "week", "month"})
COMPARED = ("addresses", "addresses_before", "bans", "bans_before", "change", "growth", "trend")
"""What is said of a group in two periods. ``growth`` is of its bans, 0.5 for half as many again; ``trend`` is
``new``, ``gone``, ``up``, ``down`` or ``same``."""

_Part = tuple[tuple[object, ...], int, int]  # values, addresses, bans
_BY_ANSWER = frozenset({"country", "asn", "network"})
_AT_ONCE = 4096  # addresses that are located at once


class PastBan(NamedTuple):
    """A ban of the history, and what is known about its address."""

    seen: SeenBan
    record: GeoRecord

    @property
    def row(self) -> tuple[object, ...]:
        """The values of ``COLUMNS``. A list without times does not say when a ban began."""
        seen, record = self
        banned_at = seen.banned_at if seen.timed else None
        return (
            seen.host, seen.jail or None, seen.ip, banned_at, seen.expires_at, seen.ban_count,
            seen.first_seen, seen.last_seen, *record[1:],
        )  # fmt: skip


class Atlas:
    """Says where addresses are: what is known already, else what ``pipeline`` finds out, if there is one."""

    def __init__(self, cache: Cache, pipeline: Pipeline | None) -> None:
        self._cache = cache
        self._pipeline = pipeline
        self._known: dict[str, GeoRecord] = {}

    def locate(self, ips: Iterable[str]) -> dict[str, GeoRecord]:
        """A record for each of these; ``unknown`` for what is no address and for what nobody has."""
        wanted = dict.fromkeys(ips)
        new = [ip for ip in wanted if ip not in self._known]
        for begin in range(0, len(new), _AT_ONCE):
            self._learn(new[begin : begin + _AT_ONCE])
        return {ip: self._known[ip] for ip in wanted}

    def _learn(self, ips: Sequence[str]) -> None:
        self._known.update((ip, GeoRecord(ip, "unknown")) for ip in ips)
        targets = [ip for ip in ips if is_target(ip)]
        reserved = [ip for ip in targets if is_reserved(ip)]
        self._known.update((ip, GeoRecord(ip, "reserved")) for ip in reserved)
        asked = [ip for ip in targets if self._known[ip].status != "reserved"]
        if not asked:
            return
        blocks = self._cache.find(asked, lambda record: record.status == "ok")
        found = {record.ip: record for block in blocks for record in block.records()}
        self._known.update(found)
        left = [ip for ip in asked if ip not in found]
        if left and self._pipeline is not None:
            for records in self._pipeline.records(left):
                self._known.update((record.ip, record) for record in records if record.status != "error")


class History:
    """Answers questions about all recorded bans. Reads only; raises ``GeocliError``."""

    def __init__(self, journal: Journal, store: Store, atlas: Atlas) -> None:
        self._store = store
        self._atlas = atlas
        self._waiting: dict[tuple[str, str, str, str], SeenBan] = {}
        # The journal first: what a flush moves between the two looks is in the store by then.
        for batch in journal.bans():
            for ban in batch:
                before = self._waiting.get(ban.key)
                self._waiting[ban.key] = ban if before is None else merged(before, ban)
        self._touched = sorted({ban.ip for ban in self._waiting.values()} | journal.addresses())

    def bans(self, question: BanQuestion) -> Iterator[list[PastBan]]:
        """The bans, the oldest first, in batches."""
        here = [(past.seen, past.record) for past in self._touched_bans(question)] if self._touched else []
        for batch in _interleaved(self._store.bans(question._replace(without=self._touched)), here):
            missing = self._atlas.locate(seen.ip for seen, record in batch if record is None)
            located = (PastBan(seen, record or missing[seen.ip]) for seen, record in batch)
            yield [past for past in located if _keeps(question, past.record)]

    def count(self, question: BanQuestion, by: str) -> Groups:
        """Bans and addresses by one of ``HISTORY_GROUPS`` or ``address``."""
        groups = Groups(by)
        for count in self._counts(self._store.count_bans, question, by):
            groups.add(count.values, count.addresses, count.bans)
        return groups

    def new(self, question: BanQuestion, by: str) -> list[BanCount]:
        """What had its first ban since ``question.since``, with its bans since; most bans first.

        The question's other filters say in which part of the history it is new.
        """
        whole: dict[object, BanCount] = {}
        for count in self._counts(self._store.first_bans, question._replace(since=None), by):
            key = count.values[0]
            whole[key] = _sum(whole[key], count) if key in whole else count
        since = question.since or ""
        # A country that nobody knows is no new country.
        new = [
            count
            for value, count in whole.items()
            if count.first >= since and (value is not None or by not in _BY_ANSWER)
        ]
        return sorted(new, key=lambda count: (-count.bans, count.first, str(count.values[0])))

    def locate(self, ips: Iterable[str]) -> dict[str, GeoRecord]:
        """Where these addresses are."""
        return self._atlas.locate(ips)

    def compare(self, now: BanQuestion, before: BanQuestion, by: str) -> list[tuple[object, ...]]:
        """``(*values, *COMPARED)`` of each group in two periods, the largest change first."""
        counted = {part[0][0]: part for part in self.count(now, by).parts()}
        earlier = {part[0][0]: part for part in self.count(before, by).parts()}
        rows = [_compared(counted.get(key), earlier.get(key)) for key in dict.fromkeys((*counted, *earlier))]
        width = len(HISTORY_GROUPS[by])
        return sorted(
            rows, key=lambda row: (-abs(row[width + 4]), -row[width + 2], row[0] is None, str(row[0]))
        )

    def _counts(
        self, ask: Callable[[BanQuestion, str], Iterator[BanCount]], question: BanQuestion, by: str
    ) -> Iterator[BanCount]:
        """The groups in parts that have no address in common."""
        unanswered: list[BanCount] = []
        for count in ask(question._replace(without=self._touched), by):
            if count.ip is None:
                yield count._replace(values=_without_empty(by, count.values))
            else:
                unanswered.append(count)
        records = self._atlas.locate(count.ip for count in unanswered if count.ip is not None)
        for count in unanswered:
            record = records[str(count.ip)]
            if _keeps(question, record) and (values := _values(by, record, count.values)) is not None:
                yield count._replace(values=values, ip=None)
        seen: set[tuple[object, str]] = set()
        for ban, record in self._touched_bans(question) if self._touched else ():
            values = _values(by, record, (_of_ban(by, ban),))
            if values is not None:
                yield BanCount(values, None, int((values[0], ban.ip) not in seen), 1, ban.banned_at)
                seen.add((values[0], ban.ip))

    def _touched_bans(self, question: BanQuestion) -> Iterator[PastBan]:
        """The bans of what the journal says anything about, the oldest first."""
        bans = {ban.key: ban for ban in self._waiting.values() if _takes(question, ban)}
        here = question._replace(ips=self._touched, countries=frozenset(), asns=frozenset())
        for batch in self._store.bans(here):
            for ban, _ in batch:
                before = bans.get(ban.key)
                bans[ban.key] = ban if before is None else merged(before, ban)
        records = self._atlas.locate(ban.ip for ban in bans.values())
        for ban in sorted(bans.values(), key=_order):
            if _keeps(question, records[ban.ip]):
                yield PastBan(ban, records[ban.ip])


def _compared(now: _Part | None, before: _Part | None) -> tuple[Any, ...]:
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


def _values(by: str, record: GeoRecord, values: tuple[object, ...]) -> tuple[object, ...] | None:
    """What says to which group a ban of this address belongs; ``None``: to none."""
    if by not in _BY_ANSWER:
        return _without_empty(by, values)
    if by == "network" and not is_target(record.ip):
        return None  # a user or a host has no network
    return key_of(by, record)


def _without_empty(by: str, values: tuple[object, ...]) -> tuple[object, ...]:
    return (values[0] or None,) if by == "jail" else values


def _of_ban(by: str, ban: SeenBan) -> object:
    if by == "day":
        return ban.banned_at[:10]
    if by == "week":
        return iso_week(ban.banned_at[:10])
    if by == "month":
        return ban.banned_at[:7]
    return {"jail": ban.jail, "host": ban.host, "address": ban.ip}.get(by)


def _takes(question: BanQuestion, ban: SeenBan) -> bool:
    return (
        (question.since is None or ban.banned_at >= question.since)
        and (question.until is None or ban.banned_at < question.until)
        and (not question.hosts or ban.host in question.hosts)
        and (not question.jails or ban.jail in question.jails)
    )


def _keeps(question: BanQuestion, record: GeoRecord) -> bool:
    return (not question.countries or record.country_code in question.countries) and (
        not question.asns or record.asn in question.asns
    )


def _sum(one: BanCount, other: BanCount) -> BanCount:
    values = tuple(a if a is not None else b for a, b in zip(one.values, other.values, strict=True))
    addresses, bans = one.addresses + other.addresses, one.bans + other.bans
    return BanCount(values, None, addresses, bans, min(one.first, other.first))


_Row = tuple[SeenBan, GeoRecord | None]


def _order(ban: SeenBan) -> tuple[str, str, str, str]:
    return ban.banned_at, ban.host, ban.jail, ban.ip


def _interleaved(batches: Iterable[list[_Row]], others: Sequence[_Row]) -> Iterator[list[_Row]]:
    """The rows of both, in order, in batches."""
    begin = 0
    for batch in batches:
        end = begin
        last = _order(batch[-1][0])
        while end < len(others) and _order(others[end][0]) < last:
            end += 1
        yield (
            list(heapq.merge(batch, others[begin:end], key=lambda row: _order(row[0])))
            if end > begin
            else batch
        )
        begin = end
    if begin < len(others):
        yield list(others[begin:])

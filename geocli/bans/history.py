"""The history of bans: what the store has and what still waits in the journal, as one.

The two are put together by address. What the journal says anything about (a ban, a newer answer) is read row
by row and counted here; of everything else the store counts, which is the work. Where an address is, is what
geocli knows, however old that is: the journal's answer, else the store's. What neither has is looked up in
the local databases of the chain as usual; nobody on the network is asked about the past.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from geocli.bans.changes import summed
from geocli.bans.locator import AT_ONCE
from geocli.lookup.groups import Groups
from geocli.model.addresses import is_target
from geocli.model.bans import LocatedBan, SeenBan, merged
from geocli.model.group_by import ADDRESS
from geocli.model.records import FIELDS, GeoRecord, utc_text
from geocli.storage.store.base import BanCount
from geocli.system.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.bans.locator import Locator
    from geocli.model.bans import BanQuery
    from geocli.model.group_by import Grouping
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Store

MOST_WAITING = 50_000
"""Bans and answers in the journal up to which they are held in memory: some 50 MB.

More of them are put together with the store in a temporary file, as a flush would do it."""

COLUMNS = (
    "host", "jail", "ip", "banned_at", "expires_at", "ban_count", "first_seen", "last_seen", *FIELDS[1:],
)  # fmt: skip


def row_of(located: LocatedBan) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``."""
    ban, record, seen = located
    host, first_seen, last_seen = (
        (None,) * 3 if seen is None else (seen.host, seen.first_seen, seen.last_seen)
    )
    return (
        host, ban.jail, ban.text, ban.banned_at, ban.expires_at, ban.ban_count, first_seen, last_seen,
        *record[1:],
    )  # fmt: skip


class History:
    """Answers questions about all recorded bans. Reads only; raises ``GeocliError``."""

    def __init__(self, journal: Journal, store: Store, locator: Locator) -> None:
        self._store = store
        self._locator = locator
        self.directory = journal.directory.parent
        """Where what is too much for memory goes."""
        self._waiting: dict[tuple[str, str, str, str], SeenBan] = {}
        self._touched: list[str] = []
        self._is_whole = False
        waiting = journal.state()
        if waiting.bans + waiting.dirty > MOST_WAITING:
            from geocli.storage.as_flushed import as_flushed  # only then

            self._store = as_flushed(journal, store, utc_text(time.time()))
            self._is_whole = True
            return
        # The journal first: what a flush moves between the two looks is in the store by then.
        for batch in journal.bans():
            for ban in batch:
                before = self._waiting.get(ban.key)
                self._waiting[ban.key] = ban if before is None else merged(before, ban)
        self._touched = sorted({ban.ip for ban in self._waiting.values()} | journal.addresses())

    def is_empty(self) -> bool:
        """Whether no ban was ever recorded, or all were forgotten."""
        return not self._waiting and next(self._store.every_ban(), None) is None

    def bans(self, question: BanQuery) -> Iterator[list[LocatedBan]]:
        """The bans, the oldest first, in batches."""
        here = list(self._touched_bans(question)) if self._touched else []
        for batch in _interleaved(self._store.bans(question._replace(without=self._touched)), here):
            missing = self._locator.locate(seen.ip for seen, record in batch if record is None)
            located = (LocatedBan.of_history(seen, record or missing[seen.ip]) for seen, record in batch)
            yield [past for past in located if question.keeps(past.record)]

    def count(self, question: BanQuery, by: Grouping) -> Groups:
        """Bans and addresses by a grouping."""
        groups = Groups(by, self.directory)
        for count in self.counts(question, by):
            groups.add(count.values, count.addresses, count.bans)
        return groups

    def counts(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """The same as it comes: a group may come in several parts, of different addresses."""
        return self._counts(self._store.count_bans, question, by)

    def spans(self, question: BanQuery, by: Grouping) -> dict[tuple[Any, ...], BanCount]:
        """Bans and addresses by a grouping, and when the first and the last of each group began."""
        whole: dict[tuple[Any, ...], BanCount] = {}
        for count in self.parts(question, by):
            key = by.key(count.values)
            whole[key] = summed(whole[key], count) if key in whole else count
        return whole

    def parts(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """The same as it comes, in parts as those of ``counts``."""
        return self._counts(self._store.spans, question, by)

    def busiest(self, question: BanQuery, number: int) -> list[BanCount]:
        """The addresses with most bans, of two the one that was banned last."""
        # Whom the store has no answer about may yet be of another country: then all have to be looked at.
        top = None if question.countries or question.asns else number
        counts = self._counts(partial(self._store.spans, top=top), question, ADDRESS)
        # Sorted twice, as texts cannot be turned round.
        by_address = sorted(
            heapq.nlargest(number, counts, key=lambda count: (count.bans, count.last)),
            key=lambda count: str(count.values[0]),
        )
        return sorted(by_address, key=lambda count: (count.bans, count.last), reverse=True)

    def addresses(self, question: BanQuery) -> Counter[str]:
        """How many bans each address or whatever else was banned has."""
        found: Counter[str] = Counter()
        for count in self._counts(self._store.count_bans, question, ADDRESS):
            found[str(count.values[0])] += count.bans
        return found

    def locate(self, ips: Iterable[str]) -> dict[str, GeoRecord]:
        """Where these addresses are."""
        wanted = list(ips)
        known: dict[str, GeoRecord] = {}
        if self._is_whole:  # the journal would be gone through for each batch
            known = {ip: record for ip, record in self._store.find(wanted).items() if record.status == "ok"}
        return known | self._locator.locate(ip for ip in wanted if ip not in known)

    def _counts(
        self, ask: Callable[[BanQuery, Grouping], Iterator[BanCount]], question: BanQuery, by: Grouping
    ) -> Iterator[BanCount]:
        """The groups in parts that have no address in common."""
        unanswered = Rows(self.directory)
        for count in ask(question._replace(without=self._touched), by):
            if count.ip is None:
                yield count
            else:
                figures = count.addresses, count.bans, count.first, count.last
                unanswered.add([(count.ip, *figures, count.values)])
        for batch in unanswered.batches():
            for begin in range(0, len(batch), AT_ONCE):
                part = batch[begin : begin + AT_ONCE]
                records = self._locator.locate(row[0] for row in part)
                for ip, addresses, bans, first, last, values in part:
                    record = records[ip]
                    if question.keeps(record) and not (by.has_network and not is_target(record.ip)):
                        answered = by.answered_by(record, values)
                        yield BanCount(answered, None, addresses, bans, first, last)
        yield from self._touched_counts(question, by)

    def _touched_counts(self, question: BanQuery, by: Grouping) -> Iterable[BanCount]:
        seen: set[tuple[Any, str]] = set()
        groups: dict[tuple[Any, ...], BanCount] = {}
        for ban, record in self._touched_bans(question) if self._touched else ():
            if not (by.has_network and not is_target(ban.ip)):
                values = by.of_ban(LocatedBan.of_history(ban, record))
                key = by.key(values)
                address = (key, ban.ip)
                count = BanCount(values, None, int(address not in seen), 1, ban.banned_at, ban.banned_at)
                groups[key] = summed(groups[key], count) if key in groups else count
                seen.add(address)
        return groups.values()

    def _touched_bans(self, question: BanQuery) -> Iterator[tuple[SeenBan, GeoRecord]]:
        """The bans of what the journal says anything about, the oldest first, with their answers."""
        wanted = None if question.ips is None else frozenset(question.ips)
        touched = [
            ip
            for ip in self._touched
            if (wanted is None or ip in wanted) and ip.startswith(question.starting)
        ]
        if not touched:
            return
        there = frozenset(touched)
        bans = {ban.key: ban for ban in self._waiting.values() if ban.ip in there and question.takes(ban)}
        here = question._replace(ips=touched, starting="", countries=frozenset(), asns=frozenset())
        for batch in self._store.bans(here):
            for ban, _ in batch:
                before = bans.get(ban.key)
                bans[ban.key] = ban if before is None else merged(before, ban)
        records = self._locator.locate(ban.ip for ban in bans.values())
        for ban in sorted(bans.values(), key=_order):
            if question.keeps(records[ban.ip]):
                yield ban, records[ban.ip]


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

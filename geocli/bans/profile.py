"""Profiles: all that is known about an address, a network, an AS or a country.

Bans come from the history and, where one was asked, from the running server. Only so many of them are kept
as are to be shown; all are counted. Reads only.
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.subject import Kind
from geocli.inputs.in_text import ban_targets
from geocli.model.bans import BanQuery
from geocli.model.blocks import block_of
from geocli.model.group_by import parse_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geocli.bans.history import History
    from geocli.bans.subject import Subject
    from geocli.model.bans import Ban, LocatedBan
    from geocli.model.blocks import Block
    from geocli.model.records import GeoRecord

_NEAR = {4: 24, 6: 64}
"""Bits of the network that neighbours are in: an IPv4 /24 and an IPv6 /64 have one holder nearly always."""

_JAIL = parse_by("jail")


class Crowd(NamedTuple):
    """The banned addresses of something in the history: how many, with how many bans, the ``worst`` of them.

    ``banned_now`` is how many the running server bans, ``None`` where none was asked; ``now`` are some of
    them, those first that are among the worst.
    """

    addresses: int
    bans: int
    worst: Sequence[tuple[str, int]]
    banned_now: int | None
    now: Sequence[str]


class Past(NamedTuple):
    """The bans in the history: how many in which jail, and when the first and the last began.

    Times are a record's. A jail that nobody told is empty.
    """

    bans: int
    jails: Mapping[str, int]
    first: str | None
    last: str | None


class Profile(NamedTuple):
    """What is known about ``subject``.

    ``record`` is the answer about what can be looked up, ``name`` the country's or the AS holder's. Of an
    address ``latest`` are the last bans of the history, those of networks that it is in among them, the
    oldest first, and ``neighbours`` who else was banned, by what they have in common. Of all else ``crowd``
    are its banned addresses, and ``records`` say where the worst of them are. ``covering`` are the running
    server's bans of it, or of a network that it is in; ``None`` where none was asked, or none can cover it.
    ``tags`` are what lists say of an address or a network.
    """

    subject: Subject
    record: GeoRecord | None
    name: str | None
    past: Past
    latest: Sequence[LocatedBan]
    neighbours: Mapping[str, Crowd]
    crowd: Crowd | None
    records: Mapping[str, GeoRecord]
    covering: Sequence[Ban] | None
    tags: Sequence[str] = ()


class Profiler:
    """Makes profiles. ``current`` are the running server's bans, ``None`` where none was asked.

    ``most``: how many bans and addresses of a list are kept. Raises ``GeocliError``.
    """

    def __init__(self, history: History, current: Iterable[Ban] | None, most: int) -> None:
        self._history = history
        self._most = most
        self._current = (
            None if current is None else [(ban, ban_targets(ban) or [ban.text]) for ban in current]
        )

    def profile(self, subject: Subject, record: GeoRecord | None) -> Profile:
        """Return what is known; ``record`` is the answer about what can be looked up."""
        profile = self._profile(subject, record)
        if not subject.is_target:
            return profile
        from geocli.lookup.tags import values as tags_of  # and with it the list

        return profile._replace(tags=tags_of([subject.name])[0] or ())

    def _profile(self, subject: Subject, record: GeoRecord | None) -> Profile:
        if subject.kind is Kind.ADDRESS:
            return self._of_address(subject, record)
        block = block_of(subject.name) if subject.kind is Kind.NETWORK else None
        query = _query(subject)
        found = self._history.addresses(query) if block is None else self._inside(block)
        if block is not None:
            query = BanQuery(ips=list(found))
        now = self._now_in(subject) if block is None else self._now_inside(block)
        crowd = self._crowd(found, now)
        records = self._history.locate(ip for ip, _ in crowd.worst)
        return Profile(
            *(subject, record, _name(subject, records.values()), self._past(query), [], {}, crowd, records),
            None if block is None else self._covering(block),
        )

    def _of_address(self, subject: Subject, record: GeoRecord | None) -> Profile:
        block = block_of(subject.name)
        assert block is not None  # noqa: S101 (for mypy)
        latest: deque[LocatedBan] = deque(maxlen=self._most)
        query = BanQuery(ips=block.covering())
        for batch in self._history.bans(query):
            latest += batch
        past = self._past(query)
        near = block.around(_NEAR[block.version])
        neighbours = {
            near.text: self._crowd(
                _without(self._inside(near), subject.name),
                self._now_inside(near, besides=subject.name),
            )
        }
        if record is not None and record.asn is not None:
            system = subject._replace(kind=Kind.ASN, name=str(record.asn))
            found = self._history.addresses(_query(system))
            neighbours[str(system)] = self._crowd(
                _without(found, subject.name), self._now_in(system, besides=subject.name)
            )
        name = None if record is None else record.org
        covering = self._covering(block)
        return Profile(subject, record, name, past, latest, neighbours, None, {}, covering)

    def _inside(self, block: Block) -> Counter[str]:
        """The bans of each address and network in a block."""
        found = self._history.addresses(BanQuery(starting=block.starting))
        return Counter({ip: bans for ip, bans in found.items() if block.holds(ip)})

    def _past(self, query: BanQuery) -> Past:
        if query.ips is not None and not query.ips:
            return Past(0, {}, None, None)  # no store is asked about nothing
        spans = self._history.spans(query, _JAIL).values()
        jails = {str(span.values[0] or ""): span.bans for span in spans}
        first = min((span.first for span in spans), default=None)
        return Past(sum(jails.values()), jails, first, max((span.last for span in spans), default=None))

    def _crowd(self, found: Counter[str], now: set[str] | None) -> Crowd:
        worst = nsmallest(self._most, found.items(), key=lambda item: (-item[1], item[0]))
        # In the order of the worst, then by their text.
        some = nsmallest(self._most, now or (), key=lambda ip: (-found[ip], ip))
        return Crowd(len(found), found.total(), worst, None if now is None else len(now), some)

    def _covering(self, block: Block) -> list[Ban] | None:
        if self._current is None:
            return None
        names = set(block.covering())
        return [ban for ban, targets in self._current if not names.isdisjoint(targets)]

    def _now_inside(self, block: Block, besides: str | None = None) -> set[str] | None:
        if self._current is None:
            return None
        begin = block.starting
        return {
            target
            for _, targets in self._current
            for target in targets
            if target.startswith(begin) and target != besides and block.holds(target)
        }

    def _now_in(self, subject: Subject, besides: str | None = None) -> set[str] | None:
        if self._current is None:
            return None
        query = _query(subject)
        records = self._history.locate(target for _, targets in self._current for target in targets)
        return {target for target, record in records.items() if query.keeps(record) and target != besides}


def _query(subject: Subject) -> BanQuery:
    """Which bans are of an AS or of a country."""
    if subject.kind is Kind.ASN:
        return BanQuery(asns=frozenset({int(subject.name)}))
    if subject.kind is Kind.COUNTRY:
        return BanQuery(countries=frozenset({subject.name}))
    return BanQuery()


def _name(subject: Subject, records: Iterable[GeoRecord]) -> str | None:
    if subject.kind is Kind.COUNTRY:
        from geocli.model.countries import country_name

        return country_name(subject.name)
    if subject.kind is Kind.ASN:
        return next((record.org for record in records if record.org is not None), None)
    return None


def _without(found: Counter[str], ip: str) -> Counter[str]:
    found.pop(ip, None)
    return found

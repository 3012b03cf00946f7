"""Who is banned, and from where: bans with an answer each, filtered, as rows or counted in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.in_text import ban_targets
from geocli.lookup.groups import KEYS, Groups, key_of
from geocli.model.bans import Ban  # noqa: TC001 (LocatedBan's fields are evaluated)
from geocli.model.records import FIELDS, GeoRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geocli.lookup.pipeline import Pipeline

COLUMNS = ("jail", "ip", "banned_at", "expires_at", "ban_count", *FIELDS[1:])
GROUPS = {
    "country": KEYS["country"],
    "asn": KEYS["asn"],
    "jail": ("jail",),
    "network": KEYS["network"],
    "day": ("day",),
}
"""What bans can be counted by, and the columns that say of what a group is."""

HISTORY_GROUPS = {**GROUPS, "host": ("host",), "week": ("week",), "month": ("month",)}
"""The same for those that were recorded."""


class LocatedBan(NamedTuple):
    """A ban of one address, network or other identifier, and what is known about it."""

    ban: Ban
    record: GeoRecord

    @property
    def row(self) -> tuple[object, ...]:
        """The values of ``COLUMNS``."""
        ban, record = self
        return (ban.jail, record.ip, ban.banned_at, ban.expires_at, ban.ban_count, *record[1:])


class Filter(NamedTuple):
    """Which bans count. Empty sets and ``None`` let everything through.

    ``since`` and later, before ``until``: a record's time.
    """

    jails: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    asns: frozenset[int] = frozenset()
    since: str | None = None
    until: str | None = None

    @property
    def needs_time(self) -> bool:
        """Whether a ban without a time cannot count."""
        return self.since is not None or self.until is not None

    def takes(self, ban: Ban) -> bool:
        """Whether a ban may count, before it is known from where it is."""
        if self.jails and ban.jail not in self.jails:
            return False
        if not self.needs_time:
            return True
        moment = ban.banned_at
        return (
            moment is not None
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment < self.until)
        )

    def keeps(self, record: GeoRecord) -> bool:
        """Whether a ban counts that is from there."""
        return (not self.countries or record.country_code in self.countries) and (
            not self.asns or record.asn in self.asns
        )


class Locator:
    """Finds out from where bans are; the same address in two jails is asked about once."""

    def __init__(self, pipeline: Pipeline, size: int) -> None:
        self._pipeline = pipeline
        self._size = size
        self._known: dict[str, GeoRecord] = {}

    def locate(self, bans: Iterable[Ban], wanted: Filter) -> Iterator[LocatedBan]:
        """One for each address or network in a ban; an identifier without any is ``unknown`` as it is."""
        found = [(ban, ban_targets(ban)) for ban in bans if wanted.takes(ban)]
        targets = dict.fromkeys(target for _, in_ban in found for target in in_ban)
        new = [target for target in targets if target not in self._known]
        for begin in range(0, len(new), self._size):
            for records in self._pipeline.records(new[begin : begin + self._size]):
                self._known.update((record.ip, record) for record in records)
        for ban, in_ban in found:
            records = [self._known[target] for target in in_ban] or [GeoRecord(ban.text, "unknown")]
            yield from (LocatedBan(ban, record) for record in records if wanted.keeps(record))


class BanGroups:
    """Counts bans and distinct addresses by one of ``GROUPS``."""

    def __init__(self, by: str) -> None:
        self._by = by
        self._groups = Groups(by)
        self._seen: set[tuple[object, str]] = set()

    def add(self, located: LocatedBan) -> None:
        """Count one ban."""
        ban, record = located
        if self._by == "jail":
            values: tuple[object, ...] = (ban.jail,)
        elif self._by == "day":
            values = (ban.banned_at and ban.banned_at[:10],)
        elif self._by == "network" and not ban_targets(ban):
            return  # a user or a host has no network
        else:
            values = key_of(self._by, record)
        address = (values[0], record.ip)
        self._groups.add(values, int(address not in self._seen), 1)
        self._seen.add(address)

    def rows(self, top: int | None) -> list[tuple[object, ...]]:
        """``(*GROUPS[by], addresses, bans, share)``, the largest first; days in their order."""
        return self._groups.rows(top, by_name=self._by == "day")

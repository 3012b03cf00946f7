"""Who is banned, and from where: bans of an input, each with its answer, as rows or counted in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.inputs.in_text import ban_targets
from geocli.lookup.groups import Groups
from geocli.model.addresses import is_target
from geocli.model.bans import LocatedBan
from geocli.model.records import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geocli.bans.locator import Locator
    from geocli.model.bans import Ban, BanQuery
    from geocli.model.group_by import Grouping

COLUMNS = ("jail", "ip", "banned_at", "expires_at", "ban_count", *FIELDS[1:])
"""Of a row."""


def row_of(located: LocatedBan) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``."""
    ban, record, _ = located
    return (ban.jail, record.ip, ban.banned_at, ban.expires_at, ban.ban_count, *record[1:])


def locate_bans(bans: Iterable[Ban], query: BanQuery, locator: Locator) -> Iterator[LocatedBan]:
    """Yield a ban for each address or network in those that the query takes.

    An identifier without any is ``unknown`` as it is.
    """
    found = [(ban, ban_targets(ban) or [ban.text]) for ban in bans if query.takes(ban)]
    records = locator.locate(ip for _, ips in found for ip in ips)
    for ban, ips in found:
        yield from (LocatedBan(ban, records[ip]) for ip in ips if query.keeps(records[ip]))


class BanGroups:
    """Counts bans and distinct addresses by a grouping."""

    def __init__(self, by: Grouping) -> None:
        self._by = by
        self._groups = Groups(by)
        self._seen: set[tuple[Any, str]] = set()

    def add(self, located: LocatedBan) -> None:
        """Count one ban."""
        ip = located.record.ip
        if self._by.has_network and not is_target(ip):
            return
        values = self._by.of_ban(located)
        address = (self._by.key(values), ip)
        self._groups.add(values, int(address not in self._seen), 1)
        self._seen.add(address)

    def rows(self, top: int | None, at_least: int = 0) -> list[tuple[Any, ...]]:
        """Return ``(*values, addresses, bans, share)`` of each group, as ``Groups.rows`` orders them."""
        return self._groups.rows(top, at_least)

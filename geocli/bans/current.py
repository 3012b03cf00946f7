"""Who is banned, and from where: bans of an input, each with its answer, as rows or counted in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.bans.locator import AT_ONCE
from geocli.inputs.in_text import ban_targets, plain_targets
from geocli.lookup.groups import Groups
from geocli.model.addresses import is_target
from geocli.model.bans import LocatedBan
from geocli.model.records import FIELDS
from geocli.system.spill import SeenSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.bans.locator import Locator
    from geocli.model.bans import Ban, BanQuery
    from geocli.model.group_by import Grouping

BESIDE = ("jail", "banned_at", "expires_at", "ban_count")
"""What a row has beside the record of its address."""

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
    taken = list(filter(query.takes, bans))
    plain = plain_targets([ban.text for ban in taken])  # as most are
    targets = [ban_targets(ban) or [ban.text] for ban in taken] if plain is None else [[ip] for ip in plain]
    found = list(zip(taken, targets, strict=True))
    records = locator.locate(ip for _, ips in found for ip in ips)
    for ban, ips in found:
        yield from (LocatedBan(ban, records[ip]) for ip in ips if query.keeps(records[ip]))


def locate_batches(
    batches: Iterable[Sequence[Ban]], query: BanQuery, locator: Locator
) -> Iterator[list[LocatedBan]]:
    """Yield the same for each batch, in parts: a server tells all that it has at once."""
    for bans in batches:
        for begin in range(0, max(len(bans), 1), AT_ONCE):
            yield list(locate_bans(bans[begin : begin + AT_ONCE], query, locator))


class BanGroups:
    """Counts bans and distinct addresses by a grouping."""

    def __init__(self, by: Grouping, directory: Path) -> None:
        """``directory`` is the data's: what is too much for memory goes into a temporary file there."""
        self._by = by
        self._about_bans = bool(by.about_bans)
        self._groups = Groups(by, directory)
        self._seen = SeenSet(directory)

    def add(self, located: LocatedBan) -> None:
        """Count one ban. Raises ``GeocliError`` where the disk is full."""
        ip = located.record.ip
        if self._by.has_network and not is_target(ip):
            return
        values = self._by.of_ban(located)
        # Where nothing hangs on the ban, an address is in one group.
        address = f"{ip}\t{self._by.key(values)}" if self._about_bans else ip
        self._groups.add(values, int(self._seen.add(address)), 1)

    @property
    def groups(self) -> Groups:
        """The groups, with their addresses and bans."""
        return self._groups

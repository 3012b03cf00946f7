"""Bans as figures for monitoring: how many hold now of whom, and how many began, each kind in bounded number.

What monitoring keeps, it keeps for each set of labels: so the largest have one, and the rest is counted
together as ``OTHER``. Sums over all sets are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.group_by import parse_by
from geocli.model.records import utc_text
from geocli.system.spill import SeenSet, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from geocli.bans.history import History
    from geocli.lookup.groups import Groups
    from geocli.model.bans import BanQuery, LocatedBan

MOST = 100
"""Sets of labels, unless somebody says otherwise."""

UNKNOWN, OTHER = "unknown", "other"
"""What stands for a value that is not known, and for those of all that are beyond the largest."""

_JAIL = parse_by("jail")
_BETWEEN = "\t"  # no value has one
_DAY = 10  # characters of a time


class Held(NamedTuple):
    """Bans that hold at a moment: by (country, AS number, jail), the largest first, and ``OTHER`` last.

    ``holders`` has the name of each AS in it, ``addresses`` is how many different ones are banned.
    """

    bans: Mapping[tuple[str, str, str], int]
    holders: Mapping[str, str]
    addresses: int


class Begun(NamedTuple):
    """Bans of the history by jail: all of them, and those that began since midnight (UTC)."""

    recorded: Mapping[str, int]
    today: Mapping[str, int]


class HeldCounter:
    """Counts bans that hold at a moment. ``directory``: the data's; ``now``: seconds since the epoch."""

    def __init__(self, directory: Path, now: float) -> None:
        self._now = utc_text(now)
        self._sets = Tally(directory)
        self._addresses = SeenSet(directory)
        self._count = self._different = 0
        self._holders: dict[str, str] = {}

    def add(self, bans: Iterable[LocatedBan]) -> None:
        """Count those of these that hold. Raises ``GeocliError`` where the disk is full."""
        for ban, record, _ in bans:
            if ban.expires_at is not None and ban.expires_at <= self._now:
                continue  # a log tells of those that ended too
            system = UNKNOWN if record.asn is None else str(record.asn)
            if record.org is not None and record.asn is not None:
                self._holders.setdefault(system, record.org)
            self._sets.add(_BETWEEN.join((record.country_code or UNKNOWN, system, ban.jail or UNKNOWN)))
            self._different += self._addresses.add(record.ip)
            self._count += 1

    def result(self, most: int = MOST) -> Held:
        """Return the ``most`` largest sets, and the rest as one. Raises ``GeocliError``."""
        everything = self._sets.in_memory
        largest = self._sets.top(most) if everything is None else _largest(everything, most)
        found = {(*key.split(_BETWEEN),): count for key, count in largest}
        if rest := self._count - sum(found.values()):
            found[OTHER, OTHER, OTHER] = rest
        systems = dict.fromkeys(system for _, system, _ in found)
        holders = {system: self._holders.get(system, system) for system in systems}
        return Held(found, holders, self._different)  # type: ignore[arg-type]  # three parts, always


def begun(history: History, query: BanQuery, now: float, most: int = MOST) -> Begun | None:
    """Return what the history has; ``None`` where it has nothing. Raises ``GeocliError``.

    A day's bans count up, and from nothing again at midnight, as a counter may: what is forgotten is of
    other days, and would look like a new beginning in a count of everything.
    """
    recorded = _by_jail(history.count(query, _JAIL))
    if not recorded:
        return None
    midnight = f"{utc_text(now)[:_DAY]}T00:00:00Z"
    today = _by_jail(history.count(query._replace(since=midnight), _JAIL))
    named = [jail for jail, _ in _largest(recorded, most)]
    # Jails without a ban today too: what begins with its first ban has not counted it.
    return Begun(_bounded(recorded, named), _bounded({**dict.fromkeys(recorded, 0), **today}, named))


def _by_jail(groups: Groups) -> dict[str, int]:
    return {str(jail or UNKNOWN): bans for (jail,), _, bans in groups.parts()}


def _bounded(counts: Mapping[str, int], named: list[str]) -> dict[str, int]:
    found = {jail: counts.get(jail, 0) for jail in named}
    if len(counts) > len(named):
        found[OTHER] = found.get(OTHER, 0) + sum(counts.values()) - sum(found.values())
    return found


def _largest(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """The largest; of equal ones always the same, so that monitoring sees no changes where there are none."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]

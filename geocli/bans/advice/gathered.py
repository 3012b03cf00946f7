"""Bans as they are read, of which there may be millions: what is needed of each for advice, by network.

They are rows of a few numbers, sorted, in a temporary file where they are many. Who holds an address is kept
once for all that have the same holder.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.kinds import kind_of
from geocli.system.rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geocli.bans.advice.prefix import Prefix

_DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()


class Holder(NamedTuple):
    """Who holds an address; all may be unknown. ``listed``: the kind that lists tell of the address."""

    country_code: str | None = None
    asn: int | None = None
    org: str | None = None
    listed: str | None = None

    @property
    def kind(self) -> str:
        """One of ``kinds.CARE``."""
        return self.listed or kind_of(self.asn, self.org)

    @property
    def of_system(self) -> Holder:
        """The same for its whole AS, of which a listed address tells nothing."""
        return self._replace(listed=None)


class Gathered:
    """Bans of networks. ``directory`` is where they go when they are many: the data's.

    What is read may raise ``GeocliError``, where the disk is full.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self.holders: list[Holder] = []
        """All of them, in the order of their first time."""
        self.first: str | None = None
        self.last: str | None = None
        """When the first and the last ban began of which that is known."""
        self.is_timed = True
        """Whether all bans say when they began."""
        self._numbers: dict[Holder, int] = {}
        self._rows = SortedRows(directory)
        self._size = 0

    def __len__(self) -> int:
        """How many bans there are."""
        return self._size

    def add(self, prefix: Prefix, banned_at: str | None, ban_count: int | None, holder: Holder) -> None:
        """Take in a ban. Raises ``GeocliError``, where the disk is full."""
        number = self._numbers.get(holder)
        if number is None:
            number = self._numbers[holder] = len(self.holders)
            self.holders.append(holder)
        if banned_at is None:
            self.is_timed = False
        else:
            if self.first is None or banned_at < self.first:
                self.first = banned_at
            if self.last is None or banned_at > self.last:
                self.last = banned_at
        moment = None if banned_at is None else seconds(banned_at)
        self._rows.add((prefix.key, self._size, moment, ban_count or 0, number))
        self._size += 1

    def rows(self) -> Iterator[tuple[int, int, int | None, int, int]]:
        """Yield the bans by network, as they came: ``Prefix.key``, place, moment, count, number of holder.

        The place is how many came before it. The moment is in seconds since the epoch.
        """
        yield from self._rows


def seconds(moment: str) -> int:
    """A record's time in seconds since the epoch."""
    return _day(moment[:10]) + int(moment[11:13]) * 3600 + int(moment[14:16]) * 60 + int(moment[17:19])


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    return (date.fromisoformat(text).toordinal() - _EPOCH) * _DAY

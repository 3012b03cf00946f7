"""What bans say: how often each address was banned, how much that counts today, and who holds it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from geocli.bans.advice.forest import Banned
from geocli.bans.advice.gathered import Gathered, Holder, seconds
from geocli.bans.advice.kinds import CARE
from geocli.bans.advice.prefix import Prefix
from geocli.system.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


SCALE = 1 << 16
"""The weight of a ban of today."""

HALF_LIFE = 30 * 86400
"""Seconds after which a ban counts half: attackers move, and addresses are given to others."""

_MOST_REPEATS = 20  # a ban that says it is the 500th of its address counts as that many
_HOUR = 3600
_AT_ONCE = 4096


class Evidence:
    """Bans, judged at a moment: ``now``, in seconds since the epoch.

    Of what is ``gathered`` only bans count that began at ``since`` and later, and ``before`` that time.
    """

    def __init__(
        self,
        now: float,
        gathered: Gathered | None = None,
        *,
        since: str | None = None,
        before: str | None = None,
    ) -> None:
        self._now = now
        self._gathered = Gathered() if gathered is None else gathered
        self._since = None if since is None else seconds(since)
        self._before = None if before is None else seconds(before)
        self._known: Rows | None = None
        self._bans = 0

    @property
    def gathered(self) -> Gathered:
        """What it judges."""
        return self._gathered

    @property
    def bans(self) -> int:
        """How many bans count. Raises ``GeocliError``, as all that reads them, where the disk is full."""
        self._rows()
        return self._bans

    def add(self, prefix: Prefix, banned_at: str | None, ban_count: int | None, holder: Holder) -> None:
        """Count a ban. Without a time it is one of now.

        ``ban_count`` is how often the address was banned by then, as fail2ban counts.
        """
        self._gathered.add(prefix, banned_at, ban_count, holder)
        self._known = None

    def counted(self) -> Iterator[tuple[int, int]]:
        """Everything that was banned: ``Prefix.key`` and bans, sorted."""
        for key, _, bans, _, _ in self._rows():
            yield key, bans

    def banned(self) -> Iterator[Banned]:
        """Everything that was banned, sorted."""
        cares = [CARE[holder.kind] for holder in self._gathered.holders]
        for key, _, bans, weight, holder in self._rows():
            yield Banned(Prefix.of_key(key), bans, weight, cares[holder])

    def weighed(self) -> Iterator[tuple[int, Prefix, int, int, Holder]]:
        """Everything that was banned, with its bans, what they count, and its holder, sorted.

        Before that stands how many bans came before its first.
        """
        holders = self._gathered.holders
        for key, place, bans, weight, holder in self._rows():
            yield place, Prefix.of_key(key), bans, weight, holders[holder]

    def holders(self) -> Iterator[tuple[int, int, Holder]]:
        """Everything that was banned: ``Prefix.key``, bans and holder, sorted."""
        holders = self._gathered.holders
        for key, _, bans, _, holder in self._rows():
            yield key, bans, holders[holder]

    def _rows(self) -> Rows:
        """Each network that was banned: its key, first place, bans, weight, and the number of its holder."""
        if self._known is None:
            self._known = Rows(self._gathered.directory)
            self._bans = 0
            some: list[tuple[int, ...]] = []
            for row in self._judged():
                self._bans += row[2]
                some.append(row)
                if len(some) >= _AT_ONCE:
                    self._known.add(some)
                    some = []
            self._known.add(some)
        return self._known

    def _judged(self) -> Iterator[tuple[int, int, int, int, int]]:
        now, since, before = self._now, self._since, self._before
        network = -1
        first = bans = weight = latest = repeats = holder = 0
        for key, place, moment, count, number in self._gathered.rows():
            if moment is None:
                if since is not None or before is not None:
                    continue
                counts = SCALE
            elif (since is not None and moment < since) or (before is not None and moment >= before):
                continue
            else:
                counts = _weight(int((now - moment // _HOUR * _HOUR) // _HOUR))
            if key != network:
                if bans:
                    yield network, first, bans, _total(bans, weight, latest, repeats), holder
                network, first, holder = key, place, number
                bans = weight = latest = repeats = 0
            bans += 1
            weight += counts
            latest = max(latest, counts)
            repeats = max(repeats, count)
        if bans:
            yield network, first, bans, _total(bans, weight, latest, repeats), holder


def main_holder(parts: Iterable[tuple[int, Holder]]) -> Holder:
    """The holder of most of these bans; of two, the first by number."""
    bans: Counter[Holder] = Counter()
    for count, holder in parts:
        bans[holder] += count
    return min(bans, key=lambda holder: (-bans[holder], holder.asn or 0), default=Holder())


def _total(bans: int, weight: int, latest: int, repeats: int) -> int:
    unseen = min(repeats, _MOST_REPEATS) - bans
    return weight + max(0, unseen) * latest


@lru_cache(maxsize=65536)
def _weight(hours: int) -> int:
    """What a ban counts that is so old: half of ``SCALE`` after ``HALF_LIFE``, and never nothing."""
    return max(1, int(SCALE * 2 ** (-max(0, hours) * _HOUR / HALF_LIFE)))

"""What bans say: how often each address was banned, how much that counts today, and who holds it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.forest import Banned
from geocli.bans.advice.kinds import CARE, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geocli.bans.advice.prefix import Prefix

SCALE = 1 << 16
"""The weight of a ban of today."""

HALF_LIFE = 30 * 86400
"""Seconds after which a ban counts half: attackers move, and addresses are given to others."""

_MOST_REPEATS = 20  # a ban that says it is the 500th of its address counts as that many
_HOUR = 3600


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


class _Record:
    __slots__ = ("bans", "holder", "latest", "repeats", "weight")

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.bans = self.weight = self.latest = self.repeats = 0


class Evidence:
    """Collects bans. ``now`` is when they are judged, in seconds since the epoch."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._records: dict[Prefix, _Record] = {}
        self.bans = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, prefix: Prefix, banned_at: str | None, ban_count: int | None, holder: Holder) -> None:
        """Count a ban. Without a time it is one of now.

        ``ban_count`` is how often the address was banned by then, as fail2ban counts.
        """
        record = self._records.get(prefix)
        if record is None:
            record = self._records[prefix] = _Record(holder)
        weight = SCALE if banned_at is None else _weight(_hours(banned_at, self._now))
        record.bans += 1
        record.weight += weight
        record.latest = max(record.latest, weight)
        record.repeats = max(record.repeats, ban_count or 0)
        self.bans += 1

    def banned(self) -> list[Banned]:
        """Everything that was banned, in no order."""
        return [
            Banned(prefix, record.bans, _total(record), CARE[record.holder.kind])
            for prefix, record in self._records.items()
        ]

    def weighed(self) -> Iterable[tuple[Prefix, int, int, Holder]]:
        """Everything that was banned, with its bans, what they count, and its holder, in no order."""
        for prefix, record in self._records.items():
            yield prefix, record.bans, _total(record), record.holder

    def holders(self) -> Iterable[tuple[Prefix, int, Holder]]:
        """Everything that was banned, with its bans and its holder, sorted."""
        for prefix in sorted(self._records):
            record = self._records[prefix]
            yield prefix, record.bans, record.holder


def main_holder(parts: Iterable[tuple[int, Holder]]) -> Holder:
    """The holder of most of these bans; of two, the first by number."""
    bans: Counter[Holder] = Counter()
    for count, holder in parts:
        bans[holder] += count
    return min(bans, key=lambda holder: (-bans[holder], holder.asn or 0), default=Holder())


def _total(record: _Record) -> int:
    unseen = min(record.repeats, _MOST_REPEATS) - record.bans
    return record.weight + max(0, unseen) * record.latest


@lru_cache(maxsize=4096)
def _weight(hours: int) -> int:
    """What a ban counts that is so old: half of ``SCALE`` after ``HALF_LIFE``, and never nothing."""
    return max(1, int(SCALE * 2 ** (-max(0, hours) * _HOUR / HALF_LIFE)))


@lru_cache(maxsize=65536)
def _began(hour: str) -> float:
    return datetime.fromisoformat(hour).timestamp()


def _hours(banned_at: str, now: float) -> int:
    return int((now - _began(f"{banned_at[:13]}:00:00Z")) // _HOUR)

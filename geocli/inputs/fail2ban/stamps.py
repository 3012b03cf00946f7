"""When a line of a log was written: local times, the times of syslog and journal, and what they leave out.

fail2ban writes its own local time without a zone. It is read in the zone of this machine, unless what stands
before it (a container's runtime, the journal) tells the moment exactly, and so the zone. In the hour that
comes twice when clocks go back, time goes on: the later of the two is meant where the earlier is past.
A stamp without a year is of this year, or of the year before where it would be more than a day ahead.
"""

from __future__ import annotations

import time
from datetime import datetime
from functools import cache, lru_cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DATE = rb"[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
CLOCK = rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
FRACTION = rb"(?:[.,][0-9]{1,9})?"
ZONE = rb"(?:Z|[+-][0-9]{2}:?[0-9]{2})"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = 86400
_JITTER = 5  # seconds between fail2ban's stamp and that of whoever took the line from it
_HALF_HOUR = 1800  # zones differ by these


class LogClock:
    """Tells the moments of one log's stamps, in whole seconds since the epoch, from line to line."""

    def __init__(self, now: float) -> None:
        self._now = now
        this_year = time.localtime(now).tm_year
        self._years = [this_year - back for back in range(9)]  # the day may be the 29th of February
        self._last: int | None = None
        self._backward = 0  # steps back in time, less those forward
        self._shift: int | None = None  # seconds from UTC's clock to this log's, if that is not ours
        self._is_local = False
        self._cached: tuple[bytes, int | None] = (b"", None)
        self._hour: tuple[bytes, int | None] = (b"", None)
        self._rests = _rests()

    def local(self, stamp: bytes, exact: int | None = None) -> int | None:
        """Return when a local ``YYYY-MM-DD HH:MM:SS`` is; ``exact`` is when its line was taken in, if known.

        ``None`` when there is no such time.
        """
        if stamp == self._cached[0]:
            return self._cached[1]
        hour, rest = stamp[:13], self._rests.get(stamp[13:])
        if hour != self._hour[0]:
            self._hour = (hour, _even_hour(hour))
        begin = self._hour[1]
        if begin is not None and rest is not None and exact is None and self._shift is None:
            moment: int | None = self._noted(begin + rest)
        else:
            moment = self._local(stamp, exact)
        self._cached = (stamp, moment)
        return moment

    def _local(self, stamp: bytes, exact: int | None) -> int | None:
        possible = local_moments(stamp)
        if exact is not None and possible and not self._is_local and self._shift is None:
            utc = _utc(stamp)
            self._is_local = any(abs(moment - exact) <= _JITTER for moment in possible)
            behind = (exact - utc + _HALF_HOUR // 2) // _HALF_HOUR * _HALF_HOUR
            if not self._is_local and abs(utc + behind - exact) <= _JITTER and abs(behind) <= _DAY:
                self._shift = behind
        if self._shift is not None:
            return self._noted(_utc(stamp) + self._shift)
        if len(possible) < 2:
            return self._noted(possible[0]) if possible else None
        return self._noted(self._likely(possible))

    def _likely(self, possible: tuple[int, ...]) -> int:
        if self._last is None:
            return possible[0]
        last = self._last
        if self._backward > 0:  # newest first
            return next((moment for moment in possible[::-1] if moment <= last + _JITTER), possible[0])
        return next((moment for moment in possible if moment >= last - _JITTER), possible[-1])

    def end(self, stamp: bytes, begin: int | None) -> int | None:
        """Return when a local time is that comes after ``begin``; ``None`` for never (the year 9999)."""
        if self._shift is not None:
            return _utc(stamp) + self._shift if local_moments(stamp) else None
        possible = local_moments(stamp)
        after = (moment for moment in possible if begin is None or moment >= begin)
        return next(after, possible[-1] if possible else None)

    def written(self, day: bytes, clock: bytes, year: bytes | None) -> int | None:
        """Return when ``Nov 23`` and ``21:42:11`` are, in this machine's zone."""
        stamp = day + b" " + clock + (year or b"")
        if stamp == self._cached[0]:
            return self._cached[1]
        name, number = day.decode("latin-1").split()
        month = _MONTHS.index(name) + 1 if name in _MONTHS else 0
        years = [int(year)] if year else self._years
        moment = None
        for each in years:
            text = f"{each}-{month:02}-{int(number):02} {clock.decode()}"
            possible = local_moments(text.encode())
            if possible and (year or possible[0] <= self._now + _DAY):
                moment = self._noted(possible[0] if len(possible) < 2 else self._likely(possible))
                break
        self._cached = (stamp, moment)
        return moment

    def _noted(self, moment: int) -> int:
        if self._last is not None and moment != self._last:
            self._backward += 1 if moment < self._last else -1
        self._last = moment
        return moment


def exact_moment(stamp: bytes) -> int | None:
    """Return when an ISO 8601 time with a zone is; ``None`` when it has none, or there is no such time."""
    try:
        moment = datetime.fromisoformat(stamp.decode().replace(",", "."))
        return None if moment.tzinfo is None else int(moment.timestamp())
    except (ValueError, OverflowError):
        return None


def local_moments(stamp: bytes) -> tuple[int, ...]:
    """Return when a local ``YYYY-MM-DD HH:MM:SS`` is: once, twice where clocks go back, or never."""
    rest = _rests().get(stamp[13:])
    if rest is None:
        return ()
    begin = _even_hour(stamp[:13])
    if begin is not None:
        return (begin + rest,)
    return tuple(minute + rest % 60 for minute in _minute_moments(stamp[:16]))


@cache
def _rests() -> Mapping[bytes, int]:
    """The seconds in ``:MM:SS``."""
    numbers = [b":%02d" % number for number in range(60)]
    return {minute + second: place for place, (minute, second) in enumerate(product(numbers, numbers))}


@lru_cache(maxsize=1024)  # lines come by time, and the system's zone is slow to ask
def _even_hour(hour: bytes) -> int | None:
    """When an hour begins in which clocks are not changed; ``None`` for any other."""
    first, last = _minute_moments(hour + b":00"), _minute_moments(hour + b":59")
    return first[0] if len(first) == 1 and last == (first[0] + 59 * 60,) else None


@lru_cache(maxsize=1024)
def _minute_moments(minute: bytes) -> tuple[int, ...]:
    try:
        parts = time.strptime(minute.decode().replace("T", " "), "%Y-%m-%d %H:%M")
        if not 1970 <= parts.tm_year < 9999:
            return ()
        found = {
            int(moment)
            for is_dst in (0, 1)
            if time.localtime(moment := time.mktime((*parts[:8], is_dst)))[:5] == parts[:5]
        }
        # A minute that clocks leave out is as long after the hour as it would have been.
        return tuple(sorted(found)) if found else (int(time.mktime((*parts[:8], -1))),)
    except (ValueError, OverflowError):
        return ()


def _utc(stamp: bytes) -> int:
    return int(datetime.fromisoformat(stamp.decode()[:19] + "Z").timestamp())

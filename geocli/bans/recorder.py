"""Recording: bans that are seen become entries of the journal, and those that are known already do not.

What is known is in the journal or in the store, looked up in this order: what a flush moves meanwhile is
found in the second. A list that is recorded every minute writes what is new in it, and nothing else:

* A ban with a time is written once, and again when its end or its count has changed.
* A ban without one begins when it is first seen. It goes on while it is seen at least every ``GAP`` seconds;
  its last moment is brought forward each ``STEP``, not each minute.

What a sighting does not tell takes nothing away: a list has no counts, a log no planned end.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from geocli.model.bans import MOST_BANS, SeenBan, merged
from geocli.model.errors import GeocliError
from geocli.model.records import is_time, utc_text
from geocli.storage.batch import Batch
from geocli.storage.journal.segments import encode_bans
from geocli.storage.store.base import BanSpan
from geocli.system.spill import SeenSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from geocli.lookup.cache import Cache
    from geocli.model.bans import LocatedBan
    from geocli.model.errors import Problems
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.scratch import ScratchStore
    from geocli.system.marks import Marks

    _Known = dict[tuple[str, str], dict[str, SeenBan]]  # by jail and address, then by when it began

GAP = 25 * 3600
"""Seconds: who records a list without times once a day, some minutes late, still sees one ban."""

STEP = 3600
"""Seconds by which ``last_seen`` of a ban without a time may lag behind."""

_JITTER = 1  # seconds: fail2ban-client rounds where the database cuts, so the same ban has two times
MOST_WAITING = 30_000
"""Bans of the journal that are held in memory: some 25 MB."""

_MINUTE = 60  # seconds

_SEGMENT = 4096  # bans that are worth a disk wait of their own


class Recorder:
    """Records what is seen at ``now`` (seconds since the epoch) on the machine ``host``."""

    def __init__(self, journal: Journal, cache: Cache, problems: Problems, host: str, now: float) -> None:
        self._journal = journal
        self._cache = cache
        self._problems = problems
        self._host = host
        self._now = utc_text(now)
        self._waiting = _Waiting(journal.directory.parent)
        self._segments: set[tuple[int, float]] = set()
        self._claimed = SeenSet(journal.directory.parent)
        self.seen = 0
        self.written = 0

    def record(self, found: Iterable[LocatedBan]) -> None:
        """Journal what is new about these bans; on disk when this returns, unless a problem was noted."""
        sightings = [self._sighting(located) for located in found]
        self.seen += len(sightings)
        # Who begins a ban must see what others have just begun. A ban with a time has its name already.
        alone = nullcontext() if all(one.timed for one in sightings) else self._journal.recording()
        with alone:
            self._record(sightings)

    def _record(self, sightings: Sequence[SeenBan]) -> None:
        known = self._look_up(sightings)
        # First those whose time is known exactly: what is left may be the same to a second.
        self._claimed.new_of(
            _claim(one)
            for one in sightings
            if one.timed and one.banned_at in known.get((one.jail, one.ip), ())
        )
        new: dict[tuple[str, str, str, str], SeenBan] = {}
        for sighting in sightings:
            bans = known.setdefault((sighting.jail, sighting.ip), {})
            before = self._before(sighting, bans)
            after = sighting if before is None else merged(before, _together(before, sighting))
            if sighting.timed:
                self._claimed.add(_claim(after))
            if after != before:
                bans[after.banned_at] = new[after.key] = after
        self._write(list(new.values()))

    def _sighting(self, located: LocatedBan) -> SeenBan:
        """What this ban would be if nothing were known of it."""
        ban, record, _ = located
        banned_at, expires_at = (
            text if text is not None and is_time(text) else None for text in (ban.banned_at, ban.expires_at)
        )
        count = ban.ban_count
        # A log tells when a ban held, or ended, that it does not know the beginning of: that was then.
        known = None if banned_at is not None else ban.held_at or expires_at
        moment = self._now if known is None else min(self._now, known)
        return SeenBan(
            self._host,
            ban.jail or "",
            record.ip,
            banned_at or moment,
            expires_at,
            count if count is not None and 0 <= count <= MOST_BANS else None,
            int(banned_at is not None),
            moment,
            moment,
        )

    def _look_up(self, sightings: Sequence[SeenBan]) -> _Known:
        """What the journal and the store have of these."""
        try:
            for batch in self._journal.bans(self._segments):
                self._waiting.learn([ban for ban in batch if ban.host == self._host])
        except GeocliError as error:
            self._problems.note(error)
        latest = _moved(self._now, GAP)
        spans = {
            BanSpan(
                self._host, one.jail, one.ip, _moved(one.banned_at, -_JITTER), _moved(one.banned_at, _JITTER)
            )
            if one.timed
            else BanSpan(self._host, one.jail, one.ip, "", latest)
            for one in sightings
        }
        known: _Known = {}
        # Without the store, better written twice than not at all.
        for ban in (*self._waiting.seen_bans(spans), *self._cache.seen_bans(spans)):
            _add(known, ban)
        return known

    def _before(self, sighting: SeenBan, bans: dict[str, SeenBan]) -> SeenBan | None:
        """The known ban that this is another sighting of."""
        if not bans:
            return None
        if not sighting.timed:
            return _untimed_before(sighting, bans.values())
        exact = bans.get(sighting.banned_at)
        if exact is not None:
            return exact
        near = (bans.get(_moved(sighting.banned_at, seconds)) for seconds in (-_JITTER, _JITTER))
        return next(
            (ban for ban in near if ban is not None and ban.timed and _claim(ban) not in self._claimed),
            None,
        )

    def _write(self, new: Sequence[SeenBan]) -> None:
        for begin in range(0, len(new), _SEGMENT):
            part = new[begin : begin + _SEGMENT]
            if self._cache.remember(encode_bans(part)) is None:
                self._waiting.learn(part)
        self.written += len(new)


class _Waiting:
    """The bans that wait in the journal: in memory, or, when they are many, in a temporary file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: _Known = {}
        self._count = 0
        self._scratch: ScratchStore | None = None
        self._marks: Marks | None = None

    def learn(self, bans: Sequence[SeenBan]) -> None:
        """Take in sightings. Raises ``GeocliError`` where the disk is full."""
        if self._scratch is None:
            for ban in bans:
                _add(self._known, ban)
            self._count += len(bans)
            if self._count <= MOST_WAITING:
                return
            from geocli.storage.store.scratch import ScratchStore  # only then
            from geocli.system.marks import Marks

            self._scratch, self._marks = ScratchStore(self._directory), Marks()
            bans = [ban for known in self._known.values() for ban in known.values()]
            self._known.clear()
        assert self._marks is not None  # noqa: S101 (for mypy)
        self._marks.add((ban.jail, ban.ip) for ban in bans)
        self._scratch.replay([Batch(bans=bans)])

    def seen_bans(self, spans: Collection[BanSpan]) -> Iterator[SeenBan]:
        """The bans in these spans, and perhaps others of the same jails and addresses."""
        if self._scratch is not None and self._marks is not None:
            known = [span for span in spans if self._marks.may_have((span.jail, span.ip))]
            if known:
                yield from self._scratch.seen_bans(known)
            return
        for jail, ip in {(span.jail, span.ip) for span in spans}:
            yield from self._known.get((jail, ip), {}).values()


def _claim(ban: SeenBan) -> str:
    return f"{ban.jail}\t{ban.ip}\t{ban.banned_at}"  # none of them has a tab in it


def _add(known: _Known, ban: SeenBan) -> None:
    bans = known.setdefault((ban.jail, ban.ip), {})
    before = bans.get(ban.banned_at)
    bans[ban.banned_at] = ban if before is None else merged(before, ban)


def _untimed_before(sighting: SeenBan, bans: Iterable[SeenBan]) -> SeenBan | None:
    """The latest ban that this may be a sighting of: without a time, or one that holds at this moment."""
    moment = sighting.last_seen
    earliest, latest = _moved(moment, -GAP), _moved(moment, GAP)
    return max(
        (
            ban
            for ban in bans
            if (ban.banned_at <= moment <= (ban.expires_at or "") if ban.timed else ban.first_seen <= latest)
            and (ban.timed or ban.last_seen >= earliest)
        ),
        key=lambda ban: ban.banned_at,
        default=None,
    )


def _together(before: SeenBan, sighting: SeenBan) -> SeenBan:
    """The sighting with what was known before and is not told now; ``before`` where that is all."""
    expires_at = sighting.expires_at
    if expires_at is None or (before.expires_at is not None and _are_near(before.expires_at, expires_at)):
        expires_at = before.expires_at
    count = before.ban_count if sighting.ban_count is None else sighting.ban_count
    is_due = not (before.timed or sighting.timed) and sighting.last_seen >= _moved(before.last_seen, STEP)
    if not is_due and (expires_at, count) == (before.expires_at, before.ban_count):
        return before._replace(timed=max(before.timed, sighting.timed))
    return before._replace(
        expires_at=expires_at,
        ban_count=count,
        timed=max(before.timed, sighting.timed),
        last_seen=max(before.last_seen, sighting.last_seen),
    )


def _are_near(one: str, other: str) -> bool:
    return one == other or _moved(one, -_JITTER) == other or _moved(one, _JITTER) == other


def _moved(moment: str, seconds: int) -> str:
    """A record's time so much later; at the edges of time, as far as it goes."""
    if abs(seconds) < _MINUTE and moment[0] != "0":  # most stay in their minute
        second = int(moment[-3:-1]) + seconds
        if 0 <= second < _MINUTE:
            return f"{moment[:-3]}{second:02}Z"
    try:
        at = datetime.fromisoformat(moment) + timedelta(seconds=seconds)
    except OverflowError:
        return moment
    return f"{at:%Y-%m-%dT%H:%M:%S}Z" if at.year >= 1000 else moment

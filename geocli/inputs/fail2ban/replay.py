"""The log replayed: a row for each ban, with its end when the log tells that too.

Before 1.1.1 a stop logs Unban for everybody who stays banned, and only the Restore Ban of the next start
tells that the ban went on; 0.9 logs it as another Ban. A jail never has an address twice: a second Ban ends
the first. No ban ends before it begins. Files may come newest first, and a stream too: of the orders that the
times allow, that one counts in which the fewest events go back in time or are about a ban that nobody knows.

Memory is some 20 bytes for an event, and a text for each jail and identifier.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.log_line import Verb
from geocli.inputs.fail2ban.times import identifier_text, moment_text
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NEVER = -(1 << 62)  # no time
_STOP, _START, _START_09 = 100, 101, 102
_BATCH = 4096
_CLOCKS_CHANGE = 7200  # seconds that a clock may go back without the lines being older


class _Entry:
    __slots__ = (
        "banned_at",
        "count",
        "ended_by_stop",
        "expires_at",
        "held_at",
        "is_open",
        "key",
        "planned_end",
    )

    def __init__(self, key: int, banned_at: int | None, held_at: int | None) -> None:
        self.key = key
        self.banned_at = banned_at
        self.held_at = held_at
        self.expires_at: int | None = None
        # What an Unban at a stop overwrites, and a Restore Ban brings back.
        self.planned_end: int | None = None
        self.count: int | None = None
        self.is_open = True
        self.ended_by_stop = False

    def end(self, moment: int | None) -> None:
        """End it, not before it began; as planned where the log does not tell when."""
        self.is_open = False
        begin = self.banned_at if self.banned_at is not None else self.held_at
        if moment is not None:
            self.expires_at = moment if begin is None else max(moment, begin)


class LogReplay:
    """What the log has told so far. One replay may go through several files in turn."""

    def __init__(self) -> None:
        self._verbs = bytearray()
        self._moments = array("q")
        self._keys = array("q")
        self._names: dict[tuple[bytes, bytes], int] = {}
        self._increases: dict[int, tuple[int, int | None]] = {}

    def add(self, verb: Verb, jail: bytes, identifier: bytes, moment: int | None) -> None:
        """Take in an event; ``moment`` is in seconds since the epoch."""
        key = self._names.setdefault((jail, identifier), len(self._names))
        self._add(verb, key, moment)

    def increase(
        self, jail: bytes, identifier: bytes, moment: int | None, count: int, planned: int | None
    ) -> None:
        """Take in what the observer says of a ban: how many it makes, and until when it is now."""
        self._increases[len(self._verbs)] = (count, planned)
        self.add(Verb.INCREASE, jail, identifier, moment)

    def stop(self, moment: int | None) -> None:
        """Take in that the server stops: what it lifts may come again."""
        self._add(_STOP, -1, moment)

    def start(self, moment: int | None, *, bans_again: bool) -> None:
        """Take in that a server starts; ``bans_again``: it logs what it restores as any other ban (0.9)."""
        self._add(_START_09 if bans_again else _START, -1, moment)

    def _add(self, verb: int, key: int, moment: int | None) -> None:
        self._verbs.append(verb)
        self._keys.append(key)
        self._moments.append(_NEVER if moment is None else moment)

    def bans(self) -> Iterator[list[Ban]]:
        """Return all bans, in the order in which they began, in batches."""
        entries = self._replayed()
        names = [(identifier_text(jail), identifier_text(raw)) for jail, raw in self._names]
        for start in range(0, len(entries), _BATCH):
            yield [
                Ban(
                    *names[entry.key],
                    moment_text(entry.banned_at),
                    moment_text(entry.expires_at),
                    entry.count,
                    moment_text(entry.held_at),
                )
                for entry in entries[start : start + _BATCH]
            ]

    def _replayed(self) -> list[_Entry]:
        entries: list[_Entry] = []
        last: dict[int, _Entry] = {}
        is_stopping, bans_again = False, False
        again: set[int] = set()  # what this start of 0.9 has banned again
        for number in self._order():
            verb, key = self._verbs[number], self._keys[number]
            moment: int | None = self._moments[number]
            moment = None if moment == _NEVER else moment
            if verb >= _STOP:
                is_stopping = verb == _STOP
                bans_again = verb == _START_09
                again.clear()
                continue
            entry = last.get(key)
            if verb == Verb.BAN and bans_again and entry is not None and key not in again and (
                entry.is_open or entry.ended_by_stop
            ):  # fmt: skip
                verb = Verb.RESTORE
            again.add(key)
            if verb == Verb.BAN:
                if entry is not None and entry.is_open:
                    planned = entry.expires_at
                    entry.end(moment if planned is None else min(planned, moment or planned))
                last[key] = _begin(entries, key, moment, None)
            elif verb == Verb.UNBAN:
                if entry is not None and entry.is_open:
                    entry.end(moment)
                    entry.ended_by_stop = is_stopping
            elif verb == Verb.RESTORE:
                # The log does not tell when a ban began that it does not know.
                if entry is None:
                    last[key] = _begin(entries, key, None, moment)
                elif not entry.is_open:
                    entry.is_open, entry.expires_at = True, entry.planned_end
            elif verb == Verb.THERE:
                if entry is None or not entry.is_open:
                    last[key] = _begin(entries, key, None, moment)
            else:
                if entry is None:
                    entry = last[key] = _begin(entries, key, None, moment)
                self._increase(entry, number)
        return entries

    def _increase(self, entry: _Entry, number: int) -> None:
        count, planned = self._increases[number]
        begin = entry.banned_at if entry.banned_at is not None else entry.held_at
        if planned is not None and begin is not None and planned < begin:
            planned = None
        entry.count = count
        entry.planned_end = planned
        if entry.is_open:
            entry.expires_at = planned

    def _order(self) -> Sequence[int]:
        """The numbers of the events in the order of time, as far as they were not written in it."""
        moments = self._moments
        size = len(moments)
        runs, backward, furthest, previous, begin = [], 0, 0, _NEVER, 0
        for number, moment in enumerate(moments):
            if moment == _NEVER:
                continue
            if moment < previous:
                runs.append(range(begin, number))
                begin = number
                backward += 1
                furthest = max(furthest, previous - moment)
            elif moment > previous != _NEVER:
                backward -= 1
            previous = moment
        runs.append(range(begin, size))
        as_written = range(size)
        if len(runs) == 1:
            return as_written
        filled = self._filled()
        by_start = sorted(range(len(runs)), key=lambda index: filled[runs[index].start])
        by_run = [number for index in by_start for number in runs[index]]
        by_time = sorted(as_written, key=filled.__getitem__)
        likely: list[Sequence[int]] = [as_written, by_run, by_time]
        if furthest > _CLOCKS_CHANGE:
            likely.reverse()
        if backward > 0:  # newest first, line by line
            likely.insert(0, as_written[::-1])
        return min(likely, key=lambda order: self._oddities(order, filled))

    def _filled(self) -> Sequence[int]:
        """The moments; an event without one was when the event before it was."""
        filled = array("q", self._moments)
        previous = next((moment for moment in filled if moment != _NEVER), _NEVER)
        for number, moment in enumerate(filled):
            if moment == _NEVER:
                filled[number] = previous
            else:
                previous = moment
        return filled

    def _oddities(self, order: Sequence[int], moments: Sequence[int]) -> int:
        """How many events are about a ban of which this order knows nothing, or go back in time."""
        is_open: set[int] = set()
        known: set[int] = set()
        count, previous = 0, _NEVER
        for number in order:
            verb, key = self._verbs[number], self._keys[number]
            count += moments[number] < previous
            previous = moments[number]
            if verb == Verb.UNBAN:
                count += key not in is_open
                is_open.discard(key)
            elif verb < _STOP:
                count += verb != Verb.BAN and key not in known
                is_open.add(key)
                known.add(key)
        return count


def _begin(entries: list[_Entry], key: int, banned_at: int | None, held_at: int | None) -> _Entry:
    entry = _Entry(key, banned_at, held_at)
    entries.append(entry)
    return entry

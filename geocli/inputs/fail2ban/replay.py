"""The log replayed: a row for each ban, with its end when the log tells that too.

Before 1.1.1 a stop logs Unban for everybody who stays banned, and only the Restore Ban of the next start
tells that the ban went on; 0.9 logs it as another Ban. A jail never has an address twice: a second Ban ends
the first. No ban ends before it begins. Files may come newest first, and a stream too: of the orders that the
times allow, that one counts in which the fewest events go back in time or are about a ban that nobody knows.

Memory is 13 bytes for an event, 45 for a ban, and 20 for a jail and identifier, whose names are in a file
when they are many.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from itertools import islice
from operator import le
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.log_line import Verb
from geocli.inputs.fail2ban.names import Names
from geocli.model.ban_batch import BanBatch, BanColumns
from geocli.model.time_column import TimeColumn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NEVER = -(1 << 62)  # no time
_STOP, _START, _START_09 = 100, 101, 102
_BATCH = 4096
_MOST_RUNS = 10_000  # of lines in the order of time
_CLOCKS_CHANGE = 7200  # seconds that a clock may go back without the lines being older


_BAN, _UNBAN = int(Verb.BAN), int(Verb.UNBAN)  # asked of each event, and an enumeration is slow to ask
_OPEN, _ENDED_BY_STOP = 1, 2
_NOBODY = 0xFFFFFFFF  # no key, no entry


class _Entries:
    """The bans that were found, each a number from 0 on, by column. ``_NEVER``: not known.

    ``planned`` is the end that an Unban at a stop overwrites, and a Restore Ban brings back.
    """

    def __init__(self) -> None:
        self.keys = array("I")
        self.banned_at = array("q")
        self.held_at = array("q")
        self.expires_at = array("q")
        self.planned = array("q")
        self.counts = array("q")
        self.state = bytearray()

    def __len__(self) -> int:
        return len(self.keys)

    def begin(self, key: int, banned_at: int, held_at: int) -> int:
        """Begin a ban; its number."""
        self.keys.append(key)
        self.banned_at.append(banned_at)
        self.held_at.append(held_at)
        self.expires_at.append(_NEVER)
        self.planned.append(_NEVER)
        self.counts.append(_NEVER)
        self.state.append(_OPEN)
        return len(self.state) - 1

    def began(self, entry: int) -> int:
        """When it began, or held first."""
        banned_at = self.banned_at[entry]
        return self.held_at[entry] if banned_at == _NEVER else banned_at

    def end(self, entry: int, moment: int) -> None:
        """End it, not before it began; as planned where the log does not tell when."""
        self.state[entry] = 0
        if moment != _NEVER:
            self.expires_at[entry] = max(moment, self.began(entry))

    def increase(self, entry: int, count: int, planned: int) -> None:
        """Take in how many it makes, and until when it is now."""
        if planned < self.began(entry):
            planned = _NEVER
        self.counts[entry] = count
        self.planned[entry] = planned
        if self.state[entry] & _OPEN:
            self.expires_at[entry] = planned


class LogReplay:
    """What the log has told so far. One replay may go through several files in turn."""

    def __init__(self) -> None:
        self._verbs = bytearray()
        self._moments = array("q")
        self._keys = array("I")
        self._names = Names()
        # What the observer says of a ban: the number of the event, how many the ban makes, until when it is.
        self._increased, self._counts, self._planned = array("I"), array("q"), array("q")

    def add(self, verb: Verb, jail: bytes, identifier: bytes, moment: int | None) -> None:
        """Take in an event; ``moment`` is in seconds since the epoch."""
        self._verbs.append(verb)
        self._keys.append(self._names.number(jail, identifier))
        self._moments.append(_NEVER if moment is None else moment)

    def increase(
        self, jail: bytes, identifier: bytes, moment: int | None, count: int, planned: int | None
    ) -> None:
        """Take in what the observer says of a ban: how many it makes, and until when it is now."""
        self._increased.append(len(self._verbs))
        self._counts.append(count)
        self._planned.append(_NEVER if planned is None else planned)
        self.add(Verb.INCREASE, jail, identifier, moment)

    def stop(self, moment: int | None) -> None:
        """Take in that the server stops: what it lifts may come again."""
        self._note(_STOP, moment)

    def start(self, moment: int | None, *, bans_again: bool) -> None:
        """Take in that a server starts; ``bans_again``: it logs what it restores as any other ban (0.9)."""
        self._note(_START_09 if bans_again else _START, moment)

    def _note(self, verb: int, moment: int | None) -> None:
        self._verbs.append(verb)
        self._keys.append(_NOBODY)
        self._moments.append(_NEVER if moment is None else moment)

    def bans(self) -> Iterator[BanBatch]:
        """Return all bans, in the order in which they began, in batches. The log is forgotten then."""
        found = self._replayed()
        # Whoever looks the bans up begins processes, and all that is here is theirs too.
        self._verbs, self._moments, self._keys = bytearray(), array("q"), array("I")
        found.planned = array("q")
        for start in range(0, len(found), _BATCH):
            part = slice(start, start + _BATCH)
            jails, texts = self._names.texts(found.keys[part])
            counts = [None if count == _NEVER else count for count in found.counts[part]]
            times = (found.banned_at[part], found.expires_at[part], found.held_at[part])
            banned_at, expires_at, held_at = map(_told, times)
            yield BanBatch(texts, BanColumns(jails, banned_at, expires_at, counts, held_at))

    def _replayed(self) -> _Entries:
        entries = _Entries()
        state = entries.state
        last = array("I", [_NOBODY]) * len(self._names)
        is_stopping, bans_again = False, False
        # At which start, counted from 1, each was banned: what a start of 0.9 has banned again.
        starts, banned_since = 1, array("I", bytes(4 * len(self._names)))
        verbs, keys, moments = self._verbs, self._keys, self._moments
        for number in self._order():
            verb, key, moment = verbs[number], keys[number], moments[number]
            if verb >= _STOP:
                is_stopping = verb == _STOP
                bans_again = verb == _START_09
                starts += 1
                continue
            entry = last[key]
            is_open = entry != _NOBODY and state[entry] & _OPEN != 0
            if bans_again and verb == _BAN and entry != _NOBODY and banned_since[key] != starts and (
                is_open or state[entry] & _ENDED_BY_STOP
            ):  # fmt: skip
                verb = Verb.RESTORE
            banned_since[key] = starts
            if verb == _BAN:
                if is_open:
                    planned = entries.expires_at[entry]
                    known = moment if planned == _NEVER or moment == _NEVER else min(planned, moment)
                    entries.end(entry, planned if known == _NEVER else known)
                last[key] = entries.begin(key, moment, _NEVER)
            elif verb == _UNBAN:
                if is_open:
                    entries.end(entry, moment)
                    state[entry] = _ENDED_BY_STOP if is_stopping else 0
            elif verb == Verb.INCREASE:
                if entry == _NOBODY:
                    entry = last[key] = entries.begin(key, _NEVER, moment)
                index = bisect_left(self._increased, number)
                entries.increase(entry, self._counts[index], self._planned[index])
            elif entry == _NOBODY or (verb == Verb.THERE and not is_open):
                # The log does not tell when a ban began that it does not know.
                last[key] = entries.begin(key, _NEVER, moment)
            elif verb == Verb.RESTORE and not is_open:
                state[entry] |= _OPEN
                entries.expires_at[entry] = entries.planned[entry]
        return entries

    def _order(self) -> Sequence[int]:
        """The numbers of the events in the order of time, as far as they were not written in it."""
        moments = self._moments
        size = len(moments)
        if _NEVER not in moments and all(map(le, moments, islice(moments, 1, None))):
            return range(size)  # as in most logs
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
        by_run = array("I", (number for index in by_start for number in runs[index]))
        by_time = array(
            "I",
            heapq.merge(*runs, key=filled.__getitem__)  # in no memory
            if len(runs) < _MOST_RUNS
            else sorted(as_written, key=filled.__getitem__),
        )
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
        is_open, known = bytearray(len(self._names)), bytearray(len(self._names))
        count, previous = 0, _NEVER
        for number in order:
            verb, key = self._verbs[number], self._keys[number]
            count += moments[number] < previous
            previous = moments[number]
            if verb == Verb.UNBAN:
                count += not is_open[key]
                is_open[key] = 0
            elif verb < _STOP:
                count += verb != Verb.BAN and not known[key]
                is_open[key] = known[key] = 1
        return count


def _told(moments: array[int]) -> TimeColumn | None:
    return None if moments.count(_NEVER) == len(moments) else TimeColumn(moments)

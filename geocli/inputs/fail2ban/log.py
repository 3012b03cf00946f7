"""fail2ban's log, in one file or several, in any form: see ``log_line``, ``stamps`` and ``replay``.

What it tells is known when all of it was read. Between its lines stand tracebacks, commands that failed and,
in a syslog, other programs' lines: full of addresses of which nobody says that they are banned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.log_line import USUAL_LINE, Event, Other, Verb, parse_line
from geocli.inputs.fail2ban.stamps import CLOCK, DATE, LogClock, exact_moment
from geocli.model.addresses import LONGEST_TARGET, parse_target

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece
    from geocli.model.bans import Ban

_SERVER = re.compile(
    rb"(?:Starting|for) Fail2ban v([0-9]{1,4})\.([0-9]{1,4})"
    rb"|(?:Exiting Fail2ban|Stopping all jails|Shutdown in progress)"
)
_SERVER_WORDS = (b"Fail2ban", b"jails", b"Shutdown")
_OWN_STAMP = re.compile(DATE + rb" " + CLOCK)
_INCREASE = re.compile(rb"([0-9]{1,9}) # [^#]*? -> ([^#>]*)\)")
_LONGEST_HEAD = 400  # bytes before what a line says


def sniff(line: bytes) -> bool:
    """Whether a line is one of fail2ban's log, claims to be, or is another program's in a syslog."""
    return parse_line(line) is not None


def read(reading: Reading, tally: Tally) -> LogReader:
    """Return what reads such lines."""
    return LogReader(reading, tally)


class LogReader:
    """Takes in the lines of a log; ``Reading.logged`` has its bans at the end."""

    def __init__(self, reading: Reading, tally: Tally) -> None:
        self._reading = reading
        self._replay = reading.log
        self._tally = tally
        self._clock = LogClock(reading.now)
        self._has_heads = False
        self._text, self._may_tell = b"", False  # the last run's, and whether it has a word of a server

    def read(self, part: Piece) -> list[Ban] | None:
        """Take in a line; ``None`` when it is none of a log's."""
        if not part.starts_line:
            return []
        return [] if self.take(part.text) else None

    def take_run(self, text: bytes, begin: int) -> tuple[int, int]:
        """Take in the usual lines that follow each other in a text from the beginning of a line on.

        Returns where the first other line begins, and how many lines were taken in.
        """
        match, ban, unban, count, events = USUAL_LINE.match, Verb.BAN, Verb.UNBAN, 0, 0
        if text is not self._text:
            self._text, self._may_tell = text, any(word in text for word in _SERVER_WORDS)
        may_tell = self._may_tell
        local, replay, undated_at = self._clock.local, self._replay, self._reading.day
        while (found := match(text, begin)) is not None:
            stamp, of_filter, jail, verb, identifier = found.groups()
            if of_filter is None:
                moment = local(stamp)
                if moment is None:
                    moment = undated_at
                    self._reading.undated += moment is None
                replay.add(ban if verb == b"Ban" else unban, jail, identifier, moment)
                events += 1
            elif may_tell and any(map(found[0].__contains__, _SERVER_WORDS)):
                break  # it may tell of a server
            count += 1
            begin = found.end()
        if count:
            self._has_heads = True
            self._tally.answers += count
            self._tally.events += events
        return begin, count

    def take(self, line: bytes) -> bool:
        """Take in a line; whether it is one of a log's."""
        found = parse_line(line)
        if isinstance(found, Event):
            if found.is_bare and self._has_heads:
                self._tally.passed_over += 1
                return True
            self._has_heads = self._has_heads or not found.is_bare
            self._tally.answers += 1
            if found.verb is not Verb.NONE:
                self._tally.events += 1
                self._add(found)
        elif found is Other.FAIL2BANS:
            self._tally.answers += 1
            self._has_heads = True
            if any(map(line.__contains__, _SERVER_WORDS)):
                self._note_server(line)
        elif found is Other.CLAIMED:
            self._tally.passed_over += 1
        return found is not None

    def follow(self, part: Piece) -> list[Ban] | None:
        """Pass over what stands between the lines of a log, unless a list of addresses follows it."""
        return None if _is_target(part.text) else []

    def end(self) -> list[Ban]:
        """Return nothing: the bans of a log are known when all inputs were read."""
        return []

    def _add(self, event: Event) -> None:
        moment = self._moment(event)
        if moment is None:
            moment = self._reading.day
            self._reading.undated += moment is None
        if event.verb is not Verb.INCREASE:
            self._replay.add(event.verb, event.jail, event.identifier, moment)
            return
        identifier, _, numbers = event.identifier.rpartition(b" (")
        match = _INCREASE.fullmatch(numbers)
        if match is not None:
            planned = self._clock.end(match[2], moment)  # "infinite" is no time
            self._replay.increase(event.jail, identifier, moment, int(match[1]), planned)

    def _moment(self, event: Event) -> int | None:
        """When it was: by fail2ban's own time, else by that of whoever took the line from it."""
        if event.own is not None and event.exact is None and event.epoch is None:
            return self._clock.local(event.own)
        exact = int(event.epoch) if event.epoch is not None else None
        if event.exact is not None:
            exact = exact_moment(event.exact)
        if event.own is not None:
            return self._clock.local(event.own, exact)
        if exact is not None:
            return exact
        if event.local is not None:
            return self._clock.local(event.local)
        if event.day is not None and event.clock is not None:
            return self._clock.written(event.day, event.clock, event.year)
        return None

    def _note_server(self, line: bytes) -> None:
        match = _SERVER.search(line, 0, _LONGEST_HEAD)
        if match is None:
            return
        stamp = _OWN_STAMP.search(line, 0, match.start())
        moment = self._clock.local(stamp[0]) if stamp is not None else None
        if match[1] is None:
            self._replay.stop(moment)
        else:
            self._replay.start(moment, bans_again=(match[1], match[2]) == (b"0", b"9"))


def _is_target(line: bytes) -> bool:
    if len(line) > LONGEST_TARGET + 2 or not (b"." in line or b":" in line):
        return False
    try:
        return bool(parse_target(line.decode()))
    except ValueError:
        return False

r"""fail2ban's log: a row for each ban, with its end when the log tells that too.

``2026-11-23 21:42:00,606 fail2ban.actions [728]: NOTICE [sshd] Ban 192.0.2.1``, and so on for Unban, Restore
Ban (after a start), Repeal Ban (at a stop, 1.1.1 and later) and Increase Ban; fail2ban 0.8 logs them as
WARNING. Syslog drops the date: then its own stamp counts if it has a year and a zone. The log is replayed
from its first line to its last: before 1.1.1 a stop logs Unban for everybody who stays banned, and only the
Restore Ban of the next start tells that the ban went on. Memory is one entry for each ban.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.times import LOCAL_TIME, identifier_text, local_text, moment_text
from geocli.inputs.stream import Stream
from geocli.model.addresses import LONGEST_TARGET, parse_target
from geocli.model.bans import Ban
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

# What stands before fail2ban's name is all matched: in a syslog the text of other programs comes from
# anybody, and must not be taken for a ban.
_LINE = re.compile(
    rb"(?:<[0-9]+>)?"
    rb"(?:(?P<stamp>[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})) \S+ "
    rb"|[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} \S+ )?"
    rb"(?:fail2ban[\w.-]*(?:\[[0-9]+\])?: )?"
    rb"(?:(?P<date>" + LOCAL_TIME + rb")(?:[.,][0-9]+)? )?"
    rb"fail2ban(?:(?:-server)? *\[[0-9]+\]|\.(?P<module>[\w.]+) *(?:\[[0-9]+\])?): +(?:[A-Z]+ +)?"
)
_EVENT = re.compile(
    rb"\[([^\]]*)\] (Restore Ban|Repeal Ban|Increase Ban|Ban|Unban)(?: (.*?))?\r?\n?\Z", re.DOTALL
)
_INCREASE = re.compile(rb"(.*) \(([0-9]{1,9}) # .*? -> (.*)\)", re.DOTALL)
_MODULES = {None, b"actions", b"observer", b"server.actions", b"server.observer"}
_BATCH = 4096


def sniff(line: bytes) -> bool:
    """Whether a line is one of fail2ban's log."""
    return _LINE.match(line) is not None


def read(reading: Reading, tally: Tally) -> LogReader:
    """Return what reads such lines."""
    return LogReader(reading.log, tally)


class LogReader:
    """Takes in the lines of a log; its bans are known at the end."""

    def __init__(self, replay: LogReplay, tally: Tally) -> None:
        self._replay = replay
        self._tally = tally

    def read(self, part: Piece) -> list[Ban] | None:
        """Take in a line; ``None`` when it is none of the log's."""
        if not part.starts_line:
            return []
        if not self._replay.read(part.text):
            return None
        self._tally.answers += 1
        return []

    def follow(self, part: Piece) -> list[Ban] | None:
        """Pass over what stands between the lines of a log, unless a list follows it.

        That is tracebacks, commands that failed and, in a syslog, other programs' lines: full of addresses of
        which nobody says that they are banned.
        """
        return None if _is_target(part.text) else []

    def end(self) -> list[Ban]:
        """Return nothing: ``Reading.logged`` has the bans."""
        return []


def _is_target(line: bytes) -> bool:
    if len(line) > LONGEST_TARGET + 2 or not (b"." in line or b":" in line):
        return False
    try:
        return bool(parse_target(line.decode()))
    except ValueError:
        return False


def oldest_first(paths: Sequence[Path]) -> list[Path]:
    """Rotated logs in the order of their first lines: a glob gives them the newest first.

    Anything else (another kind of input, a pipe, what cannot be read) stays where it is.
    """
    begins = {index: begin for index, path in enumerate(paths) if (begin := _first_moment(path))}
    in_order = iter(sorted(begins, key=lambda index: begins[index]))
    return [paths[next(in_order) if index in begins else index] for index in range(len(paths))]


def _first_moment(path: Path) -> bytes | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            for line in next(iter(Stream(file, str(path)).chunks()), b"").splitlines():
                if (head := _LINE.match(line)) is not None:
                    return head["date"] or head["stamp"]
    except (OSError, UsageError):
        pass
    return None


class _Entry:
    __slots__ = ("banned_at", "count", "expires_at", "is_open", "jail", "planned_end", "text")

    def __init__(self, jail: str, text: str, banned_at: str | None) -> None:
        self.jail = jail
        self.text = text
        self.banned_at = banned_at
        self.expires_at: str | None = None
        # What an Unban at a stop overwrites, and a Restore Ban brings back.
        self.planned_end: str | None = None
        self.count: int | None = None
        self.is_open = True


class LogReplay:
    """What the log, line by line, has told so far. One replay may go through several files in turn."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._last: dict[tuple[str, str], _Entry] = {}
        # More than one where two networks read alike (::/0 and ::), or where an end was never logged.
        self._open: dict[tuple[str, str], list[_Entry]] = {}
        self._date = b""
        self._date_text: str | None = None  # most lines share their second with the line before

    def read(self, line: bytes) -> bool:
        """Take in a line. Whether it is one of fail2ban's log, of which most tell of no ban."""
        head = _LINE.match(line)
        if head is None:
            return False
        event = _EVENT.match(line, head.end())
        if event is not None and head["module"] in _MODULES:
            what = event[2]
            identifier = event[3] or b""
            if what == b"Increase Ban":
                self._increase(event[1], identifier)
            else:
                self._change(what, identifier_text(event[1]), identifier_text(identifier), self._time(head))
        return True

    def bans(self) -> Iterator[list[Ban]]:
        """All bans, in the order in which they began, in batches."""
        for start in range(0, len(self._entries), _BATCH):
            yield [
                Ban(entry.jail, entry.text, entry.banned_at, entry.expires_at, entry.count)
                for entry in self._entries[start : start + _BATCH]
            ]

    def _change(self, what: bytes, jail: str, text: str, moment: str | None) -> None:
        if what == b"Ban":
            self._begin(jail, text, moment)
        elif what == b"Restore Ban":
            # The log does not tell when a ban began that it does not know.
            entry = self._last.get((jail, text)) or self._begin(jail, text, None)
            if not entry.is_open:
                entry.is_open, entry.expires_at = True, entry.planned_end
                self._open.setdefault((jail, text), []).append(entry)
        elif still_open := self._open.get((jail, text)):
            entry = still_open.pop()
            entry.is_open, entry.expires_at = False, moment or entry.expires_at
            if not still_open:
                del self._open[jail, text]

    def _increase(self, jail: bytes, rest: bytes) -> None:
        match = _INCREASE.fullmatch(rest)
        if match is None:
            return
        key = (identifier_text(jail), identifier_text(match[1]))
        entry = self._last.get(key) or self._begin(*key, None)
        entry.count = int(match[2])
        entry.planned_end = local_text(match[3])  # "infinite" is no time
        if entry.is_open:
            entry.expires_at = entry.planned_end

    def _begin(self, jail: str, text: str, banned_at: str | None) -> _Entry:
        entry = self._last[jail, text] = _Entry(jail, text, banned_at)
        self._entries.append(entry)
        self._open.setdefault((jail, text), []).append(entry)
        return entry

    def _time(self, head: re.Match[bytes]) -> str | None:
        date = head["date"] or head["stamp"] or b""
        if date != self._date:
            self._date = date
            self._date_text = local_text(date) if head["date"] else _stamp_text(date.decode())
        return self._date_text


def _stamp_text(stamp: str) -> str | None:
    try:
        return moment_text(datetime.fromisoformat(stamp).timestamp())
    except (ValueError, OverflowError):
        return None

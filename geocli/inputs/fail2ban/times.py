r"""``fail2ban-client get JAIL banip --with-time``: an identifier, when it was banned and until when.

``192.0.2.1 \t2026-11-23 21:42:00 + 600 = 2026-11-23 21:52:00``, a line for each (fail2ban 0.11.1 and later).
A permanent ban lasts ``-1`` seconds and ends in the year 9999. fail2ban writes its own local time without
a zone here and in its log: it is read in the zone of this machine, so on another one than fail2ban's the
times are off by the difference, and in the hour that comes twice a year they may be off by one hour.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from geocli.model.bans import Ban
from geocli.model.records import clean_text, utc_text

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

LOCAL_TIME = rb"[12][0-9]{3}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
"""What a time of fail2ban's looks like, as a pattern."""

_LINE = re.compile(rb"(.*?) ?\t(" + LOCAL_TIME + rb") \+ (-?[0-9]+) = ([0-9]{4}-[0-9 :-]+?)\s*")
_SECONDS = re.compile(rb":[0-5][0-9]")
_END_OF_TIME = 253_402_300_800
"""The first second that a record's times cannot tell, in the year 10000."""


def sniff(line: bytes) -> bool:
    """Whether a line tells a ban in this way."""
    return read_times_line(line) is not None


def read(reading: Reading, tally: Tally) -> TimesReader:  # noqa: ARG001 (each ban source takes both)
    """Return what reads such lines."""
    return TimesReader(tally)


class TimesReader:
    """The bans of such lines, one in each."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the ban in a line; a part of a longer line tells none."""
        if not part.starts_line:
            return []
        ban = read_times_line(part.text)
        if ban is None:
            return None
        self._tally.answers += 1
        return [ban]

    def follow(self, part: Piece) -> list[Ban] | None:  # noqa: ARG002
        """Return ``None``: each line is whole."""
        return None

    def end(self) -> list[Ban]:
        """Return nothing: each line is whole."""
        return []


def read_times_line(line: bytes) -> Ban | None:
    """The ban that such a line tells, or ``None`` when it is another line.

    The line of an identifier that contains a line end is the last line of it.
    """
    match = _LINE.fullmatch(line) if b"\t" in line else None
    if match is None:
        return None
    identifier, begin, seconds, end = match.groups()
    return Ban(
        None,
        identifier_text(identifier),
        banned_at=local_text(begin),
        expires_at=None if seconds.startswith(b"-") else local_text(end),
    )


def identifier_text(raw: bytes) -> str:
    """An identifier or a jail's name as a ``Ban`` has it, from bytes that may be no UTF-8, of any length."""
    return clean_text(raw[:4096].decode("utf-8", "surrogateescape"))


def local_text(text: bytes) -> str | None:
    """A local ``YYYY-MM-DD HH:MM:SS`` as a record's time; ``None`` when it is none, or never (year 9999)."""
    minute = _minute_text(text[:16])
    if minute is None or _SECONDS.fullmatch(text, 16) is None:
        return None
    return f"{minute}{text[16:].decode()}Z"


@lru_cache(maxsize=1024)  # lines come by time, and the system's zone is slow to ask
def _minute_text(minute: bytes) -> str | None:
    try:
        moment = time.strptime(minute.decode(), "%Y-%m-%d %H:%M")
        text = None if moment.tm_year == 9999 else moment_text(time.mktime(moment))
    except (ValueError, OverflowError):
        return None
    return text and text[:16]


def moment_text(moment: object) -> str | None:
    """Seconds since the epoch as a record's time; ``None`` when it is no number, or none of these times."""
    if not isinstance(moment, int | float) or not 0 <= moment < _END_OF_TIME:
        return None
    return utc_text(moment)

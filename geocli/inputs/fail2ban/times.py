r"""``fail2ban-client get JAIL banip --with-time``: an identifier, when it was banned and until when.

``192.0.2.1 \t2026-11-23 21:42:00 + 600 = 2026-11-23 21:52:00``, a line for each (fail2ban 0.11.1 and later).
A permanent ban lasts ``-1`` seconds and ends in the year 9999. fail2ban writes its own local time without
a zone here and in its log: it is read in the zone of this machine, so on another one than fail2ban's the
times are off by the difference.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.stamps import CLOCK, DATE, local_moments
from geocli.model.bans import Ban
from geocli.model.records import MAX_TEXT, clean_text, utc_text
from geocli.model.time_column import END_OF_TIME, TimeColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

_TIMES = re.compile(
    rb"(" + DATE + rb" " + CLOCK + rb") \+ (-?[0-9]{1,20}) = ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8})\s*+\Z"
)
_FEW = 64  # jails, say, of thousands of bans


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
    identifier, tab, times = line.rpartition(b"\t")
    match = _TIMES.match(times) if tab else None
    if match is None:
        return None
    begin, end = _span(match[1], int(match[2]), match[3])
    return Ban(None, identifier_text(identifier.removesuffix(b" ")), moment_text(begin), moment_text(end))


def _span(begin: bytes, seconds: int, end: bytes) -> tuple[int | None, int | None]:
    """When it began and ends. In the hour that comes twice, the seconds between them tell which is meant."""
    begins, ends = local_moments(begin), local_moments(end) if seconds >= 0 else ()
    spans = [(first, last) for first in begins for last in ends]
    exact = (span for span in spans if span[1] - span[0] == seconds)
    first, last = begins[0] if begins else None, ends[0] if ends else None
    return next(exact, (first, last if first is None or last is None else max(first, last)))


def identifier_text(raw: bytes) -> str:
    """An identifier or a jail's name as a ``Ban`` has it, from bytes that may be no UTF-8, of any length."""
    return clean_text(raw[:4096].decode("utf-8", "surrogateescape"))


def identifier_texts(raws: Sequence[bytes], text_of: Callable[[bytes], str] = identifier_text) -> list[str]:
    """The same of many. ``text_of`` is for those that are not printable, or long."""
    distinct = {*raws}
    if len(distinct) <= _FEW:
        known = {raw: text_of(raw) for raw in distinct}
        return list(map(known.__getitem__, raws))
    texts = b"\n".join(raws).decode("utf-8", "surrogateescape").split("\n")
    if len(texts) == len(raws) and max(map(len, texts)) <= MAX_TEXT and "".join(texts).isprintable():
        return texts
    return list(map(text_of, raws))


def moments_of(moments: Sequence[object]) -> Sequence[str | None]:
    """The same of many, of which most are whole seconds, or all are nothing."""
    try:
        return TimeColumn(array("q", moments))  # type: ignore[arg-type]  # what is no whole number is an error
    except (TypeError, OverflowError):
        return list(map(moment_text, moments))


def moment_text(moment: object) -> str | None:
    """Seconds since the epoch as a record's time; ``None`` when it is no number, or none of these times."""
    if not isinstance(moment, int | float) or not 0 <= moment < END_OF_TIME:
        return None
    return utc_text(moment)

"""Tables of pf: ``pfctl -t NAME -T show``, with ``-v`` too, which says since when an address is in it.

An address stands in each line behind blanks; ``!`` before it makes it an exception. ``Cleared:`` behind it is
when its counters began, which is when it came into the table.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from geocli.inputs.ban_ranges import banned_targets
from geocli.inputs.ban_reader import LineReader
from geocli.inputs.fail2ban.times import moment_text
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally

_ENTRY = re.compile(rb"(?: {2,}|\t)(!?)([0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?)[ \t]*\r?\n?\Z")
_CLEARED = re.compile(rb"\s+Cleared: +[A-Z][a-z]{2} ([A-Z][a-z]{2} {1,2}[0-9]{1,2} [0-9:]{8} [0-9]{4})\s*\Z")
_COUNTS = re.compile(rb"\s+(?:In|Out)/[A-Za-z]{1,9}: +\[ Packets:")


def sniff(line: bytes) -> bool:
    """Whether it is an entry of a table."""
    match = _ENTRY.match(line)
    return match is not None and bool(banned_targets(match[2].decode()))


def read(reading: Reading, tally: Tally) -> TableReader:
    """Return what reads such tables."""
    return TableReader(reading, tally)


class TableReader(LineReader):
    """The entries, each kept until it is known whether the next line dates it."""

    _waiting: tuple[Ban, ...] = ()

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the ban of the entry before this line."""
        if cleared := _CLEARED.match(line):
            return self._dated(_moment(cleared[1]))
        if _COUNTS.match(line):
            return []
        entry = _ENTRY.match(line)
        if entry is None:
            return None
        done = self._dated(None)
        if not entry[1]:
            self._waiting = tuple(Ban(None, target) for target in banned_targets(entry[2].decode()))
        self.tally.answers += 1
        return done

    def bans_after(self, line: bytes) -> list[Ban] | None:
        """Pass over blank lines."""
        return None if line.strip() else []

    def end(self) -> list[Ban]:
        """Return the last entry's."""
        return self._dated(None)

    def _dated(self, moment: str | None) -> list[Ban]:
        bans, self._waiting = [ban._replace(banned_at=moment) for ban in self._waiting], ()
        return bans


def _moment(text: bytes) -> str | None:
    try:
        return moment_text(time.mktime(time.strptime(text.decode(), "%b %d %H:%M:%S %Y")))
    except (ValueError, OverflowError):
        return None

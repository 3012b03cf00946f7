"""sshguard's blacklist: ``1795474931|100|4|192.0.2.1``: when, which service, which kind of address, whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.ban_ranges import banned_targets
from geocli.inputs.ban_reader import LineReader
from geocli.inputs.fail2ban.times import moment_text
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally

_LINE = re.compile(rb"([0-9]{9,10})\|[0-9]{1,5}\|[46]\|([0-9A-Fa-f:./]{2,64})\s*\Z")


def sniff(line: bytes) -> bool:
    """Whether it is a line of the blacklist."""
    return _LINE.match(line) is not None


def read(reading: Reading, tally: Tally) -> BlacklistReader:
    """Return what reads such lines."""
    return BlacklistReader(reading, tally)


class BlacklistReader(LineReader):
    """The entries, which have no end."""

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the ban in a line."""
        match = _LINE.match(line)
        if match is None:
            return None
        return [Ban(None, target, moment_text(int(match[1]))) for target in banned_targets(match[2].decode())]

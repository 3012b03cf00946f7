r"""What fail2ban-client says instead of who is banned: an error, or the names of jails.

``Sorry but the jail 'x' does not exist``, ``ERROR  NOK: (...)`` (before 0.10), ``Failed to access socket
path``, the jails of ``status``, ``banned IP`` and ``statistics``. An address in such a line is not banned.
Where an input has nothing else, the last of them is what is wrong with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.literal import is_names_line
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece
    from geocli.model.bans import Ban

_ERROR = re.compile(
    rb"(?:\S+ \S+ fail2ban +\[[0-9]+\]: +)?(?:ERROR|CRITICAL|WARNING)[ :]+(?=\S)([^\r\n]*)"
    rb"|((?:Sorry but the (?:jail '|command is )|not banned: \[|Invalid command"
    rb"|(?:IP )?\S{1,64} is not banned|Failed to access socket path|[Uu]sage: "
    rb"|(?:Unable|Could not|Cannot|Can't) (?:to )?(?:contact|find|connect to) (?:the )?server"
    rb"|(?:Connection refused|Permission denied)\b.*socket)[^\r\n]*)"
)
_COUNTS = re.compile(r"\S[^║\n]{0,255}║ \S+ +║ +\d+ │ +\d+ ║ +\d+ │ +\d+\s*")
_JAILS = re.compile(rb"[ |]*[|`]- (?:Number of jails?|Jail list):")
_NAMES = "it tells the names of jails, not who is banned: fail2ban-client banned does"


def sniff(line: bytes) -> bool:
    """Whether a line complains, or names jails only."""
    return _ERROR.match(line) is not None or _names_jails(line)


def read(reading: Reading, tally: Tally) -> ComplaintReader:  # noqa: ARG001 (each ban source takes both)
    """Return what reads such lines."""
    return ComplaintReader(tally)


def is_statistics_line(line: bytes) -> bool:
    """Whether it is a line of ``fail2ban-client statistics``: a jail and its counts, nobody who is banned."""
    return "║".encode() in line and _COUNTS.fullmatch(line.decode("utf-8", "replace")) is not None


def _names_jails(line: bytes) -> bool:
    return is_names_line(line) or is_statistics_line(line) or _JAILS.match(line) is not None


class ComplaintReader:
    """Keeps the last such line."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def read(self, part: Piece) -> list[Ban] | None:
        """Return no ban; ``None`` when the line is another one."""
        if not part.starts_line:
            return []
        if error := _ERROR.match(part.text):
            text = clean_text((error[1] or error[2]).decode("utf-8", "surrogateescape"))
            self._tally.complaint = f"instead of bans, fail2ban-client said: {text}"
        elif _names_jails(part.text):
            self._tally.complaint = self._tally.complaint or _NAMES
        else:
            return None
        return []

    def follow(self, part: Piece) -> list[Ban] | None:  # noqa: ARG002
        """Return ``None``: the next line is read for itself."""
        return None

    def end(self) -> list[Ban]:
        """Return nothing."""
        return []

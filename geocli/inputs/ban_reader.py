"""What the files of the ban sources have in common: the contract, and the count of what was understood.

The module of a ban source has two functions::

    def sniff(line: bytes) -> bool: ...  # whether a line, or the first part of one, is of this form
    def read(reading: Reading, tally: Tally) -> BanReader: ...  # for one input, from that line on
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.inputs.fail2ban.replay import LogReplay
    from geocli.inputs.stream import Piece
    from geocli.model.bans import Ban


class BanReader(Protocol):
    """Reads the lines of one form in one input, a long line in parts."""

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the bans that a line, or a part of one, completes; ``None``: the line is of another form.

        What cannot be understood of its own form is counted in the ``Tally``, and is no ban.
        """
        ...

    def follow(self, part: Piece) -> list[Ban] | None:
        """Return the bans of a line that comes behind its lines, and that no form recognises.

        ``None``: the form has ended, and the line is text.
        """
        ...

    def end(self) -> list[Ban]:
        """Return the bans of what has begun when the input ends."""
        ...


class Tally:
    """What was understood of one input. The readers count; ``-v`` shows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forms: list[str] = []
        """The sources that were recognised, in the table's words."""
        self.lines = 0
        self.answers = 0
        """Lines, or parts of a list, that tell who is banned: also those that tell that nobody is."""
        self.events = 0
        """Lines of a log that tell what became of a ban."""
        self.passed_over = 0
        """Lines that a form claims and that were not understood."""
        self.complaint: str | None = None
        """What the input says instead of who is banned."""
        self.is_blank = True


class Reading:
    """What several inputs share that are read as one: the log, which may be in several files."""

    def __init__(self, now: float | None = None) -> None:
        """``now`` is in seconds since the epoch: a syslog writes no year."""
        self.now = time.time() if now is None else now
        self.tallies: list[Tally] = []
        self._replay: LogReplay | None = None

    def begin(self, name: str) -> Tally:
        """Return the tally of another input."""
        self.tallies.append(Tally(name))
        return self.tallies[-1]

    @property
    def log(self) -> LogReplay:
        """What fail2ban's log has told so far."""
        if self._replay is None:
            from geocli.inputs.fail2ban.replay import LogReplay  # most inputs have none

            self._replay = LogReplay()
        return self._replay

    def logged(self) -> Iterator[list[Ban]]:
        """The bans of the log, in batches: to be asked when all was read."""
        if self._replay is not None:
            yield from self._replay.bans()

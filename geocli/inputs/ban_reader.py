"""What the files of the ban sources have in common: the contract, and the count of what was understood.

The module of a ban source has two functions::

    def sniff(line: bytes) -> bool: ...  # whether a line, or the first part of one, is of this form
    def read(reading: Reading, tally: Tally) -> BanReader: ...  # for one input, from that line on
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.inputs.fail2ban.replay import LogReplay
    from geocli.inputs.stream import Piece
    from geocli.model.bans import Ban
    from geocli.system.spill import SeenSet


class BanReader(Protocol):
    """Reads the lines of one form in one input, a long line in parts."""

    def read(self, part: Piece) -> Sequence[Ban] | None:
        """Return the bans that a line, or a part of one, completes; ``None``: the line is of another form.

        What cannot be understood of its own form is counted in the ``Tally``, and is no ban.
        """
        ...

    def follow(self, part: Piece) -> Sequence[Ban] | None:
        """Return the bans of a line that comes behind its lines, and that no form recognises.

        ``None``: the form has ended, and the line is text.
        """
        ...

    def end(self) -> Sequence[Ban]:
        """Return the bans of what has begun when the input ends."""
        ...


class LineReader:
    """A reader of lines that each tell for themselves, of which a part of a longer one tells nothing.

    Sources derive from it: ``bans_in`` is theirs, and ``bans_after`` where lines stand between their lines.
    """

    def __init__(self, reading: Reading, tally: Tally) -> None:
        self.now = reading.now
        self.tally = tally

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the bans in a line; ``None`` when it is of another form."""
        raise NotImplementedError

    def bans_after(self, line: bytes) -> list[Ban] | None:  # noqa: ARG002
        """Return the bans in a line that no form recognises, behind one of these; ``None``: it is text."""
        return None

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the bans in a line."""
        if not part.starts_line:
            return []
        found = self.bans_in(part.text)
        self.tally.answers += len(found or ())
        return found

    def follow(self, part: Piece) -> list[Ban] | None:
        """Return the bans in a line between these."""
        return self.bans_after(part.text)

    def end(self) -> list[Ban]:
        """Return nothing: no line is kept."""
        return []


class Tally:
    """What was understood of one input. The readers count; ``-v`` shows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forms: list[str] = []
        """The sources that were recognised, in the table's words."""
        self.lines = 0
        self.bans = 0
        self.addresses = 0
        """How many are banned: counted only where ``-v`` is to show it."""
        self.answers = 0
        """Lines, or parts of a list, that tell who is banned: also those that tell that nobody is."""
        self.events = 0
        """Lines of a log that tell what became of a ban."""
        self.passed_over = 0
        """Lines that a form claims and that were not understood."""
        self.complaint: str | None = None
        """What the input says instead of who is banned."""
        self.remarks: list[str] = []
        """What users should know about it besides."""
        self.is_blank = True
        self._seen: SeenSet | None = None

    def count_addresses(self, bans: Sequence[Ban]) -> None:
        """Count who is banned, each once. Raises ``GeocliError`` where the disk is full."""
        if self._seen is None:
            from tempfile import gettempdir  # only for -v

            from geocli.system.spill import SeenSet

            self._seen = SeenSet(Path(gettempdir()))
        self.addresses += len(self._seen.new_of([ban.text for ban in bans]))

    def summary(self) -> str:
        """One line for people: what it was, and what was understood of it."""
        if self.is_blank and not self.bans:
            return f"{self.name}: empty"
        counts = [
            (self.lines, "line"),
            (self.events, "event"),
            (self.bans, "ban"),
            (self.addresses, "address"),
        ]
        said = ", ".join(
            f"{count:,} {word}{'' if count == 1 else 'es' if word == 'address' else 's'}"
            for count, word in counts
            if count or word == "ban"
        )
        over = f"; {self.passed_over:,} lines passed over" if self.passed_over else ""
        return f"{self.name}: {' and '.join(self.forms) or 'a plain list'}: {said}{over}"


class Reading:
    """What several inputs share that are read as one: the log, which may be in several files."""

    def __init__(
        self, now: float | None = None, *, bantime: float | None = None, everything: bool = False
    ) -> None:
        """``now`` is in seconds since the epoch: a syslog writes no year.

        ``bantime`` is how many seconds a ban lasts where a database does not say; ``everything`` asks it for
        all bans that it knows.
        """
        self.now = time.time() if now is None else now
        self.bantime = bantime
        self.everything = everything
        self.day: int | None = None
        """The moment that an event of a log has which tells no day, in seconds since the epoch."""
        self.undated = 0
        """Events of a log of which nobody told the day."""
        self.in_detail = False
        self.tallies: list[Tally] = []
        self._replay: LogReplay | None = None

    def counted(self, batches: Iterable[Sequence[Ban]], tally: Tally) -> Iterator[Sequence[Ban]]:
        """Return the batches as they come, counted."""
        for batch in batches:
            tally.bans += len(batch)
            if self.in_detail:
                tally.count_addresses(batch)
            yield batch

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

    def logged(self) -> Iterator[Sequence[Ban]]:
        """The bans of the log, in batches: to be asked when all was read."""
        if self._replay is None:
            return
        logs = [tally for tally in self.tallies if tally.events]
        tally = logs[0] if len(logs) == 1 else self.begin("all logs together")
        yield from self.counted(self._replay.bans(), tally)

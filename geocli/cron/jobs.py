"""What runs by itself, and when: the same jobs for cron and for systemd.

A job is an argument list. How it is quoted is decided here too: cron gives a line to the shell, and before
that it makes a line end of each ``%``.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.config.parsers import parse_duration
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_LONGEST_COMMAND = 900
"""Bytes. cron refuses a command of 1,000 and more."""


class Schedule(NamedTuple):
    """When: the five fields of cron, and systemd's ``OnCalendar``."""

    cron: str
    calendar: str


class Job(NamedTuple):
    """What runs: ``name`` is a word, ``summary`` a sentence's beginning, ``arguments`` geocli's own."""

    name: str
    summary: str
    schedule: Schedule
    arguments: tuple[str, ...]

    @property
    def may_be_late(self) -> bool:
        """Whether it is worth doing as soon as the machine runs again: not what comes often anyway."""
        return self.name in {"update", "report"}


class JobOptions(NamedTuple):
    """Which jobs the user wants. ``every`` and ``record_every`` are seconds between two runs."""

    every: int = _MINUTE
    update: bool = True
    record: bool = False
    report: Path | None = None
    record_every: int = 5 * _MINUTE


def parse_every(text: str) -> int:
    """``1m`` to ``59m``, ``1h`` to ``23h``, ``1d`` or ``24h`` as seconds.

    cron's fields can say no other interval. Raises ``ValueError``.
    """
    seconds = int(parse_duration(text))
    if seconds in range(_MINUTE, _HOUR, _MINUTE) or seconds in range(_HOUR, _DAY + 1, _HOUR):
        return seconds
    raise ValueError(f"cron cannot do {ascii(text[:40])}: write 1m to 59m, 1h to 23h, or 1d")


def every(seconds: int) -> Schedule:
    """At least so often; ``seconds`` is what ``parse_every`` gives."""
    if seconds == _MINUTE:
        return Schedule("* * * * *", "minutely")
    if seconds < _HOUR:
        return Schedule(f"*/{seconds // _MINUTE} * * * *", f"*:0/{seconds // _MINUTE}")
    if seconds == _HOUR:
        return Schedule("0 * * * *", "hourly")
    if seconds < _DAY:
        return Schedule(f"0 */{seconds // _HOUR} * * *", f"0/{seconds // _HOUR}:00")
    return Schedule("0 0 * * *", "daily")


def jobs_of(wish: JobOptions, host: bytes) -> list[Job]:
    """The jobs that were wished for; ``host`` is whatever tells this machine from others.

    It decides when the weekly update runs: if it were the same moment everywhere, everybody would ask the
    publishers at once.
    """
    drawn = int.from_bytes(hashlib.sha256(host).digest()[:8])
    drawn, minute = divmod(drawn, 60)
    drawn, hour = divmod(drawn, 24)
    day = drawn % 7
    jobs = [
        Job("flush", "Write looked-up addresses to the geocli store", every(wish.every), ("flush",)),
    ]
    if wish.update:
        weekly = Schedule(f"{minute} {hour} * * {day}", f"{_DAYS[day]} {hour:02}:{minute:02}")
        jobs.append(Job("update", "Fetch new databases for geocli", weekly, ("db", "update")))
    if wish.record:
        often = every(wish.record_every)
        jobs.append(Job("record", "Remember fail2ban's bans", often, ("bans", "--client", "--record")))
    if wish.report is not None:
        nightly = Schedule(f"{minute} 3 * * *", f"03:{minute:02}")
        jobs.append(
            Job("report", "Write geocli's report", nightly, ("report", "--client", "-o", str(wish.report)))
        )
    return jobs


def host_identity() -> bytes:
    """What tells this machine from others: always the same, and told to nobody."""
    with suppress(OSError):
        return Path("/etc/machine-id").read_bytes()[:100]
    return os.uname().nodename.encode("utf-8", "surrogateescape")


def cron_line(job: Job, program: Sequence[str], user: str | None = None) -> bytes:
    """The line of a crontab; ``program`` is how geocli is called. With the ``user`` field of ``/etc/cron.d``.

    Raises ``UsageError`` for what no crontab can hold.
    """
    words = [*program, *job.arguments]
    command = b" ".join(map(cron_quoted, words))
    if len(command) > _LONGEST_COMMAND:
        raise UsageError(f"cron takes no command that long: {command[:80].decode(errors='replace')}…")
    return b" ".join([job.schedule.cron.encode(), *([user.encode()] if user else []), command])


def cron_quoted(word: str) -> bytes:
    r"""A word of a command as cron and then the shell read it.

    cron turns ``%`` into a line end unless a backslash is before it, and some crons make one backslash of
    two. So these two stand outside of the quotes, or alone in them: ``\%`` is a percent sign for cron, and
    for the shell of a cron that leaves the backslash. Raises ``UsageError`` for a line end.
    """
    if "\n" in word or "\r" in word:
        raise UsageError(f"a crontab cannot hold {ascii(word)}: it has a line end in it")
    parts: list[str] = []
    plain = ""
    for char in word:
        if char in "%\\":
            parts += [shlex.quote(plain)] * bool(plain) + ["\\%" if char == "%" else "'\\'"]
            plain = ""
        else:
            plain += char
    if plain or not parts:
        parts.append(shlex.quote(plain))
    return "".join(parts).encode("utf-8", "surrogateescape")

"""Which of geocli's jobs are where: what ``geocli cron show`` tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.cron.crontab_block import lines_of, other_lines
from geocli.cron.systemd import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geocli.cron.crontab import Table

_LINE = re.compile(r"\s*(@\w+|(?:\S+\s+){4}\S+)\s+(.*)")
_GEOCLI = re.compile(rb"^\s*[^#\s].*\bgeocli\b")


class Entry(NamedTuple):
    """A job as it is installed. ``user`` is the one that its line names, ``by`` who wrote it."""

    place: str
    by: str
    schedule: str
    user: str | None
    command: str


def entries_of(table: Table, *, has_users: bool = False) -> Iterator[Entry]:
    """The jobs in the text of a crontab. Raises ``GeocliError``."""
    text = table.read() or b""
    for line in lines_of(text):
        yield _entry(table.name, "geocli", line, has_users=has_users)
    for line in by_hand(text):
        yield _entry(table.name, "hand", line, has_users=has_users)


def by_hand(text: bytes) -> list[bytes]:
    """The lines of a crontab that run geocli and are not geocli's own. Raises ``UsageError``."""
    return [line for line in other_lines(text) if _GEOCLI.match(line)]


def units_in(directory: Path) -> Iterator[Entry]:
    """The jobs that are geocli's units in a directory; those that cannot be read are left out."""
    for timer in sorted(directory.glob("geocli-*.timer")):
        try:
            text = timer.read_text(encoding="utf-8", errors="replace")
            service = timer.with_suffix(".service").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        by = "geocli" if text.startswith(MARK) else "hand"
        user, command = _value(service, "User") or None, _value(service, "ExecStart")
        yield Entry(str(timer), by, _value(text, "OnCalendar"), user, command)


def _entry(place: str, by: str, line: bytes, *, has_users: bool) -> Entry:
    text = line.decode("utf-8", "surrogateescape")
    match = _LINE.match(text)
    schedule, command = (match[1], match[2]) if match else ("", text)
    user = None
    if has_users:
        user, _, command = command.partition(" ")
    return Entry(place, by, schedule, user, command)


def _value(unit: str, key: str) -> str:
    match = re.search(rf"^{key}=(.*)$", unit, re.MULTILINE)
    return match[1] if match else ""

"""The jobs as systemd units: for each a service that runs it once, and a timer that starts it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from geocli.cron.crontab import Change, TableFile, complaint, run
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from geocli.cron.jobs import Job

MARK = "# Written by geocli cron install --systemd; geocli cron remove --systemd deletes it."
"""The first line of each unit: a file without it is somebody else's."""


def units(jobs: Sequence[Job], program: Sequence[str], user: str | None = None) -> dict[str, str]:
    """The text of each unit by its file name. ``user`` is for units of the system.

    Raises ``UsageError`` for a path that no unit can hold.
    """
    texts: dict[str, str] = {}
    for job in jobs:
        command = " ".join([_program(program[0]), *map(_argument, [*program[1:], *job.arguments])])
        runs_as = f"User={user}\n" if user else ""
        persistent = "Persistent=true\n" if job.may_be_late else ""
        head = f"{MARK}\n[Unit]\nDescription={job.summary}\n\n"
        texts[f"geocli-{job.name}.service"] = (
            f"{head}[Service]\nType=oneshot\n{runs_as}ExecStart={command}\nNice=10\n"
        )
        texts[f"geocli-{job.name}.timer"] = (
            f"{head}[Timer]\nOnCalendar={job.schedule.calendar}\n{persistent}\n[Install]\nWantedBy=timers.target\n"
        )
    return texts


def unit_changes(directory: Path, texts: Mapping[str, str]) -> list[Change]:
    """What makes these the only units of geocli's in a directory. Raises ``UsageError``.

    A unit of that name that geocli did not write is an error: it is somebody's.
    """
    found = {path.name for path in directory.glob("geocli-*") if path.suffix in {".service", ".timer"}}
    changes = []
    for name in sorted(found.union(texts)):
        table = TableFile(directory / name)
        before = table.read()
        own = before is None or before.startswith(MARK.encode())
        if not own and name in texts:
            raise UsageError(f"{table.path} is not geocli's: move it away")
        if own:
            changes.append(Change(table, before, texts[name].encode() if name in texts else None))
    return changes


def reload(changes: Sequence[Change], *, system: bool) -> None:
    """Have systemd read the units that changed, start new timers, and stop those that are gone.

    Raises ``UsageError`` when systemd cannot be asked; the files are as they should be then.
    """
    names = {change.table.name.rpartition("/")[2]: change.after for change in changes}
    start = [name for name, text in names.items() if name.endswith(".timer") and text is not None]
    who = [] if system else ["--user"]
    commands = [["daemon-reload"]]
    if start:
        commands.append(["enable", "--now", *start])
    program = shutil.which("systemctl")
    for command in commands:
        done = run([program, *who, *command]) if program else None
        if done is None or done.returncode != 0:
            by_hand = "; ".join(" ".join(["systemctl", *who, *one]) for one in commands)
            reason = f" ({complaint(done)})" if done else ""
            raise UsageError(f"the files are written, but systemd does not take them{reason}: {by_hand}")


def stop(changes: Sequence[Change], *, system: bool) -> None:
    """Stop the timers whose units will go: best before they are gone. It is no error that none runs."""
    names = [change.table.name.rpartition("/")[2] for change in changes if change.after is None]
    stop = [name for name in names if name.endswith(".timer")]
    program = shutil.which("systemctl")
    if stop and program:
        run([program, *([] if system else ["--user"]), "disable", "--now", *stop])


def _program(path: str) -> str:
    # systemd takes no quotes and no backslash in the name of a program, and expands no variable in it.
    if set(path) & set("'\"\\"):
        raise UsageError(f"systemd runs no program that is called {ascii(path)}")
    return _quoted(path.replace("%", "%%"))


def _argument(word: str) -> str:
    return _quoted(word.replace("%", "%%").replace("$", "$$"))


def _quoted(word: str) -> str:
    """A word of ``ExecStart`` (``systemd.service``, "Command lines"). Raises ``UsageError``."""
    if not word.isprintable():
        raise UsageError(f"a systemd unit cannot hold {ascii(word)}")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return escaped if word and not set(word) & set(" '\"\\;") else f'"{escaped}"'

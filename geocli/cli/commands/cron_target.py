"""How a job finds its way back to this geocli, and what of a change is shown to people."""

from __future__ import annotations

import difflib
import os
import pwd
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from geocli.cli.console import write_bytes, write_text
from geocli.config.explained import explain
from geocli.model.errors import UsageError
from geocli.model.records import clean_text
from geocli.system.presence import is_directory, named_by_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import typer

    from geocli.config.settings import Flags, Settings
    from geocli.cron.crontab import Change

_LONGEST_LINE = 10_000


def program_of_jobs() -> list[str]:
    """How to call this geocli from anywhere: absolute, and without resolving links.

    pipx and others keep a link in place and change what it leads to.
    """
    started_as = Path(sys.argv[0])
    if started_as.suffix != ".py" and (found := shutil.which(sys.argv[0])):
        return [os.path.abspath(found)]  # noqa: PTH100 (Path.resolve() follows links)
    script = Path(sysconfig.get_path("scripts")) / "geocli"
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "geocli"]


def global_options(ctx: typer.Context, settings: Settings, user: str | None) -> list[str]:
    """The options that make a job of ``user`` (``None``: whoever runs this) use the same files.

    Raises ``UsageError`` when that user could not use them.
    """
    rows = {row.setting: row for row in explain(flags_of(ctx), os.environ)}
    directory = settings.data_dir
    if user is not None and rows["data_dir"].origin == "default" and _entry(user).pw_uid != os.geteuid():
        directory = Path(_entry(user).pw_dir) / ".local" / "share" / "geocli"
    _check_owner(directory, user)
    config = str(rows["config"].value)
    # A job has no XDG_CONFIG_HOME: what that says has to be said.
    moved = user is None and "XDG_CONFIG_HOME" in os.environ and Path(config).exists()
    options = ["--data-dir", str(directory)]
    if rows["config"].origin != "default" or moved:
        options += ["--config", config]
    if rows["store.url"].origin == "flag":  # which has no password in it
        options += ["--store", str(settings.store_url)]
    return options


def flags_of(ctx: typer.Context) -> Flags:
    """The global options as they were typed."""
    flags: Flags = ctx.meta["flags"]
    return flags


def lost_variables(ctx: typer.Context, environment: Mapping[str, str]) -> list[str]:
    """The variables that set something now, and will not in a job."""
    rows = explain(flags_of(ctx), environment)
    globals_ = {"data_dir", "config", "color"}
    return [str(row.variable) for row in rows if row.origin == "environment" and row.setting not in globals_]


def ends_with_session() -> str | None:
    """The name of whoever runs this, if systemd stops what is theirs when they log out."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None
    return None if Path("/var/lib/systemd/linger", name).exists() else name


def place_for_report(report: Path | None) -> Path | None:
    """Where the report goes, from wherever the job starts. Raises ``UsageError`` where nothing can go."""
    if report is None:
        return None
    path = report.absolute()
    with named_by_user(path):
        if report == Path("-") or is_directory(path):
            raise UsageError("--report needs a file: a job has nobody to print for")
        if not is_directory(path.parent):
            raise UsageError(f"--report: {path.parent} is no directory")
    return path


def check_user(name: str) -> str:
    """The name of a user of this machine. Raises ``UsageError``."""
    return _entry(name).pw_name


def _entry(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise UsageError(f"no user is called {ascii(name)}") from None


def _check_owner(directory: Path, user: str | None) -> None:
    uid = os.geteuid() if user is None else _entry(user).pw_uid
    try:
        owner = directory.stat().st_uid
    except OSError:  # not made yet
        return
    if owner != uid:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"number {owner}"
        raise UsageError(f"{directory} belongs to {name}: let the job run as that user (--user)")


def show_changes(changes: Iterable[Change]) -> None:
    """What would change, as ``diff -u`` shows it. Raises ``ReaderGoneError`` or ``TryAgainError``."""
    for change in changes:
        if change.is_one:
            _write_lines(_diff(change))


def _diff(change: Change) -> list[bytes]:
    before, after = (_lines(text) for text in (change.before, change.after))
    old, new = ("/dev/null" if text is None else change.table.name for text in (change.before, change.after))
    return list(
        difflib.diff_bytes(
            difflib.unified_diff, before, after, os.fsencode(old), os.fsencode(new), lineterm=b"\n"
        )
    )


def _lines(text: bytes | None) -> list[bytes]:
    """Lines with their ends; a last one without has a note under it, as in ``diff``."""
    lines = [line + b"\n" for line in (text or b"").split(b"\n")]
    last = lines.pop()
    return lines if last == b"\n" else [*lines, last + b"\\ No newline at end of file\n"]


def _write_lines(lines: list[bytes]) -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        shown = (
            clean_text(line.decode("utf-8", "surrogateescape").rstrip("\n"), _LONGEST_LINE) for line in lines
        )
        write_text("".join(f"{line}\n" for line in shown))
    else:
        write_bytes(b"".join(lines))

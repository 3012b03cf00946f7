"""``geocli setup``: one command that makes a machine, or a user, ready, and one that takes it back."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from geocli.cli.commands import cron_target, setup_target
from geocli.cli.console import say, write_text
from geocli.cron import installation
from geocli.cron.own_files import delete_data
from geocli.model.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.cron.crontab import Change

_EXAMPLE = "8.8.8.8"

System = Annotated[bool, typer.Option("--system", help="For the whole machine, with one memory. As root.")]
Group = Annotated[
    str | None,
    typer.Option("--group", metavar="NAME", help="With --system: whose members may read the memory."),
]
Record = Annotated[
    bool | None, typer.Option("--record/--no-record", help="Remember fail2ban's bans, each minute. As root.")
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write a report into FILE each night.")
]
Jobs = Annotated[
    str | None, typer.Option("--jobs", metavar="cron|systemd|none", help="Who runs the jobs: what is there.")
]
Update = Annotated[
    bool | None, typer.Option("--update/--no-update", help="Fetch new databases, now and each week.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: what is not said has its default.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Remove = Annotated[bool, typer.Option("--remove", help="Take all of it out again, but for the data.")]
Data = Annotated[bool, typer.Option("--data", help="With --remove: delete the data too.")]


class SetupOptions(NamedTuple):
    """What is to be set up. ``None`` is not said yet: it is asked, or has its default."""

    system: bool
    group: str | None
    record: bool | None
    report: Path | None
    jobs: str | None
    update: bool | None


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("setup")(setup)


def setup(
    ctx: typer.Context,
    system: System = False,
    group: Group = None,
    record: Record = None,
    report: Report = None,
    jobs: Jobs = None,
    update: Update = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    remove: Remove = False,
    data: Data = False,
) -> ExitCode:
    """Make geocli ready: its data directory, its jobs, fail2ban's action, the manual and the completions.

    Asks what it has to know, shows what it will change, changes it, and ends with an answer. --remove takes
    out what is there, for you and, as root, for the machine.
    """
    settings: Settings = ctx.obj
    choice = SetupOptions(system, group, record, report, jobs, update)
    if remove:
        if any(value not in {False, None} for value in choice):
            raise UsageError("--remove takes out all there is: only --data, --yes and --dry-run go with it")
        return _remove(settings, data=data, yes=yes, dry_run=dry_run)
    if data:
        raise UsageError("--data is for --remove")
    asks = not (yes or dry_run)
    if asks and not _is_at_a_terminal():
        raise UsageError("there is nobody to ask: --yes sets up without questions, --dry-run shows what")
    choice = _completed(_asked(choice) if asks else choice)
    target = setup_target.target_of(ctx, settings, choice)
    changes = [change for change in target.changes(choice) if change.is_one]
    _show(changes, settings, "will be", dry_run=dry_run)
    if dry_run or (asks and changes and not typer.confirm("Change this?", default=True)):
        return ExitCode.OK
    target.make(changes)
    code = target.first_run(choice)
    _say_other_memories(settings, target.data_dir)
    if not settings.quiet:
        write_text(f"{_EXAMPLE} is:\n")
        code = max(code, target.answer(_EXAMPLE))
        write_text("geocli setup --remove takes all of this out again.\n")
        if choice.record:
            action = f"{installation.MACHINE.actions}/geocli.conf"
            write_text(f"{action} says how a jail tells geocli of each ban at once.\n")
    return ExitCode(code)


def _asked(choice: SetupOptions) -> SetupOptions:
    """What people say to a few questions; what an option said already is not asked."""
    root = os.geteuid() == 0
    system = choice.system or (
        root and typer.confirm("For the whole machine, with one memory?", default=True)
    )
    choice = choice._replace(system=system)
    if system and choice.group is None:
        group = typer.prompt("A group whose members may read it (empty: only root)", "", show_default=False)
        choice = choice._replace(group=group.strip() or None)
    if root and choice.record is None:
        choice = choice._replace(record=typer.confirm("Remember fail2ban's bans?", default=_has_fail2ban()))
    if choice.report is None:
        path = typer.prompt("A file for a report each night (empty: none)", "", show_default=False).strip()
        choice = choice._replace(report=Path(path).expanduser() if path else None)
    if choice.jobs is None:
        found = setup_target.scheduler(system=system)
        choice = choice._replace(jobs=typer.prompt("cron, systemd, or none", found).strip())
    if choice.update is None:
        choice = choice._replace(
            update=typer.confirm("Fetch fresh databases, now and each week?", default=True)
        )
    return choice


def _completed(choice: SetupOptions) -> SetupOptions:
    """The choice with its defaults. Raises ``UsageError`` for what does not go together."""
    root = os.geteuid() == 0
    if choice.system and not root:
        raise UsageError("--system is for root: sudo geocli setup --system")
    if choice.record and not root:
        raise UsageError("--record is for root: fail2ban tells nobody else")
    if choice.group is not None and not choice.system:
        raise UsageError("--group is for --system")
    if choice.jobs not in {None, "cron", "systemd", "none"}:
        raise UsageError(f"--jobs takes cron, systemd or none, not {ascii(choice.jobs)}")
    return choice._replace(
        record=_has_fail2ban() and root if choice.record is None else choice.record,
        jobs=choice.jobs or setup_target.scheduler(system=choice.system),
        update=choice.update is not False,
    )


def _has_fail2ban() -> bool:
    return shutil.which("fail2ban-client") is not None


def _is_at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _remove(settings: "Settings", *, data: bool, yes: bool, dry_run: bool) -> ExitCode:
    if data and not (yes or dry_run or _is_at_a_terminal()):
        raise UsageError("there is nobody to ask whether the data is to go: --yes says so")
    directory = settings.data_dir
    changes, units = setup_target.removals()
    changes = [change for change in changes if change.is_one]
    _show(changes, settings, "will be", dry_run=dry_run)
    if data and not settings.quiet:
        write_text(f"{directory}: the data will be deleted\n")
    if dry_run:
        return ExitCode.OK
    if not yes and _is_at_a_terminal() and (changes or data) and not typer.confirm("Do it?", default=True):
        return ExitCode.OK
    setup_target.unmake(changes, units)
    if data:
        delete_data(directory)
    if directory.exists() and not settings.quiet:
        command = f"geocli --data-dir {directory} setup --remove --data"
        write_text(f"{directory} is left: your data. {command} deletes it.\n")
    return ExitCode.OK


def _show(changes: "list[Change]", settings: "Settings", verb: str, *, dry_run: bool) -> None:
    if dry_run or settings.verbose:
        cron_target.show_changes(changes)
    elif not settings.quiet:
        for change in changes:
            done = "made" if change.before is None else "removed" if change.after is None else "changed"
            write_text(f"{change.table.name} {verb} {done}\n")
        if not changes:
            write_text("nothing is to be changed\n")


def _say_other_memories(settings: "Settings", directory: Path) -> None:
    if not settings.quiet:
        for other in setup_target.other_memories(directory):
            say(setup_target.join_hint(other, directory))

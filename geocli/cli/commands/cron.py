"""``geocli cron``: have geocli flush, fetch databases and more by itself."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from geocli.cli import options
from geocli.cli.commands import cron_target
from geocli.cli.console import say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions
from geocli.cli.output import Output
from geocli.config.settings import Flags, config_path
from geocli.cron import crontab_block, inventory, jobs, systemd
from geocli.cron.crontab import Change, TableFile, UserCrontab
from geocli.model.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.system.presence import is_directory, named_by_user

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.cron.crontab import Table

COLUMNS = inventory.Entry._fields

_CRON_D = Path("/etc/cron.d")
_SYSTEM_UNITS = Path("/etc/systemd/system")

System = Annotated[
    bool, typer.Option("--system", help="For the whole machine: /etc/cron.d, or systemd's system units.")
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help="As root: whose crontab; with --system, who the jobs run as."
    ),
]
Systemd = Annotated[bool, typer.Option("--systemd", help="systemd timers instead of cron.")]
Directory = Annotated[
    Path | None,
    typer.Option("--directory", metavar="DIR", help="With --system or --systemd: where the files are."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


class _Place(NamedTuple):
    """Where jobs go, as the options say it."""

    system: bool = False
    user: str | None = None
    systemd: bool = False
    directory: Path | None = None

    def check(self) -> None:
        """Raises ``UsageError`` for options that do not go together, and for a user that is not there."""
        if self.directory is not None and not (self.system or self.systemd):
            raise UsageError("--directory is for --system and --systemd")
        if self.user is not None:
            if self.systemd and not self.system:
                raise UsageError("with --systemd, --user is for --system")
            cron_target.check_user(self.user)

    @property
    def runs_as(self) -> str | None:
        """The user whose job it is, ``None`` for whoever runs geocli now."""
        return self.user or ("root" if self.system else None)

    @property
    def named_user(self) -> str | None:
        """The user that the table itself has to name."""
        return self.runs_as if self.system else None

    @property
    def units(self) -> Path:
        """The directory of systemd's units. Raises ``UsageError`` for a user without a home."""
        if self.directory or self.system:
            return (self.directory or _SYSTEM_UNITS).absolute()
        # As the configuration file: both are in the directory that XDG calls the user's configuration.
        config = config_path(Flags(), {"XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", "")})
        return config.parent.parent / "systemd" / "user"

    @property
    def table(self) -> "Table":
        """The crontab, or the file that is one. Raises ``UsageError`` where there is no such thing."""
        if not self.system:
            return UserCrontab(self.user)
        directory = self.directory or _CRON_D
        with named_by_user(directory):
            if not is_directory(directory):
                raise UsageError(f"{directory} is not there: no cron reads it")
        return TableFile(directory / "geocli")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(
        help="Have geocli flush, and fetch new databases, by itself.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("install")(install)
    group.command("show")(show)
    group.command("remove")(remove)
    app.add_typer(group, name="cron")


def install(
    ctx: typer.Context,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often to flush: 1m to 59m, 1h to 23h, 1d.")
    ] = "1m",
    update: Annotated[
        bool, typer.Option("--update/--no-update", help="Fetch new databases, once a week.")
    ] = True,
    record: Annotated[bool, typer.Option("--record", help="Remember fail2ban's bans, every 5m.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write a report into FILE each night.")
    ] = None,
    system: System = False,
    user: User = None,
    units: Systemd = False,
    enable: Annotated[
        bool, typer.Option("--enable", help="With --systemd: write the units and start the timers.")
    ] = False,
    directory: Directory = None,
    dry_run: DryRun = False,
) -> ExitCode:
    """Put geocli's jobs into your crontab, in place of those that are there.

    The rest of the crontab stays as it is, and geocli cron remove restores it. With --system the jobs go into
    /etc/cron.d/geocli. With --systemd they are printed as units; --enable installs those.
    """
    settings: Settings = ctx.obj
    place = _Place(system, user, units, directory)
    place.check()
    if enable and not units:
        raise UsageError("--enable is for --systemd")
    wish = jobs.JobOptions(
        options.parsed("--every", jobs.parse_every, every),
        update,
        record,
        cron_target.place_for_report(report),
    )
    wanted = jobs.jobs_of(wish, jobs.host_identity())
    program = [*cron_target.program_of_jobs(), *cron_target.global_options(ctx, settings, place.runs_as)]
    if not settings.quiet:
        for name in cron_target.lost_variables(ctx, os.environ):
            say(f"the jobs will not know {name}: write it into the configuration (geocli config path)")
    if units:
        texts = systemd.units(wanted, program, place.named_user)
        if not enable:
            write_text("\n".join(f"# {place.units / name}\n{text}" for name, text in texts.items()))
            return ExitCode.OK
        changes = systemd.unit_changes(place.units, texts)
    else:
        lines = [jobs.cron_line(job, program, place.named_user) for job in wanted]
        changes = [_table_change(place.table, lines, settings)]
    code = _make(changes, place, settings, dry_run=dry_run)
    ends = enable and not (system or dry_run or settings.quiet) and cron_target.ends_with_session()
    if ends:
        say(f"timers of a user run while they are logged in: loginctl enable-linger {ends} keeps them")
    return code


def _table_change(table: "Table", lines: list[bytes], settings: "Settings") -> Change:
    """What becomes of a crontab; says which of its lines are like geocli's and stay."""
    before = table.read()
    if not settings.quiet:
        for line in inventory.by_hand(before or b""):
            shown = line.decode("utf-8", "surrogateescape")
            say(f"the {table.name} has this too, which is not geocli's to change: {shown}")
    return Change(table, before, crontab_block.install(before, lines))


def remove(
    ctx: typer.Context,
    system: System = False,
    user: User = None,
    units: Systemd = False,
    directory: Directory = None,
    dry_run: DryRun = False,
) -> ExitCode:
    """Take geocli's jobs out again, and leave the rest as it was."""
    place = _Place(system, user, units, directory)
    place.check()
    if units:
        changes = systemd.unit_changes(place.units, {})
    else:
        table = place.table
        before = table.read()
        changes = [Change(table, before, None if before is None else crontab_block.remove(before))]
    return _make(changes, place, ctx.obj, dry_run=dry_run)


@with_groups
def show(
    ctx: typer.Context,
    form: FormOptions,
    user: User = None,
    directory: Directory = None,
) -> ExitCode:
    """Show geocli's jobs, wherever they are: crontab, /etc/cron.d, systemd timers.

    Also lines that run geocli and that somebody wrote by hand. --directory looks for files there only.
    """
    settings: Settings = ctx.obj
    output = Output(form, settings, COLUMNS, COLUMNS, COLUMNS)
    if user is not None:
        cron_target.check_user(user)
    problems = Problems()
    entries: list[inventory.Entry] = []
    tables: list[Table] = [TableFile((directory or _CRON_D) / "geocli")]
    try:
        tables.insert(0, UserCrontab(user))
    except UsageError as error:  # systemd may do it all
        if user is not None or settings.verbose:
            say(str(error))
    for one in tables:
        try:
            entries += inventory.entries_of(one, has_users=isinstance(one, TableFile))
        except GeocliError as error:
            problems.note(error)
    for place in [_Place(directory=directory)] if directory else [_Place(), _Place(system=True)]:
        try:
            entries += inventory.units_in(place.units)
        except UsageError as error:  # no home: then there are no units in it
            if settings.verbose:
                say(str(error))
    output.write(entries)
    output.finish()
    for problem in problems:
        say(str(problem))
    if not entries and not problems and not settings.quiet:
        say("there are no jobs of geocli's: geocli cron install makes them")
    return worst_of(problems) or ExitCode.OK


def _make(changes: list[Change], place: _Place, settings: "Settings", *, dry_run: bool) -> ExitCode:
    if dry_run:
        cron_target.show_changes(changes)
        return ExitCode.OK
    if place.systemd:
        systemd.stop(changes, system=place.system)
    for change in changes:
        change.make()
    if place.systemd and any(change.is_one or change.after for change in changes):
        systemd.reload(changes, system=place.system)
    if settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        done = [change for change in changes if change.is_one] or changes
        for change in done:
            was = "changed" if change.is_one else "as it was"
            write_text(f"{change.table.name}: {was}\n")
    return ExitCode.OK

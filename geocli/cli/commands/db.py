"""``geocli db``: the databases that answers come from."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.commands.db_build import build_database
from geocli.cli.console import say, write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions
from geocli.cli.progress import Progress
from geocli.cli.session import finish
from geocli.config.parsers import parse_timeout
from geocli.model.errors import ExitCode, GeocliError, Problems

if TYPE_CHECKING:
    from geocli.config.settings import Settings

COLUMNS = ("name", "type", "edition", "age_days", "size", "used_for", "path", "description", "licence", "why")
PIPED = ("name", "type", "edition", "age_days", "size", "used_for", "path")
SHOWN = ("name", "edition", "age_days", "used_for", "why", "licence")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(
        help="List, fetch, check or build the databases that answers come from.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_databases)
    group.command("update")(update_databases)
    group.command("verify")(verify_databases)
    group.command("build")(build_database)
    app.add_typer(group, name="db")


@with_groups
def list_databases(
    ctx: typer.Context,
    form: FormOptions,
    mmdb: Annotated[
        list[Path] | None,
        typer.Option("--mmdb", metavar="FILE", help="Describe these files instead of those in use."),
    ] = None,
) -> ExitCode:
    """Show the databases: edition, age, size (bytes), what they are asked for, licence and attribution."""
    from geocli.cli.output import Output
    from geocli.mmdb.catalog import age_days
    from geocli.mmdb.catalog import list_databases as listed

    settings: Settings = ctx.obj
    output = Output(form, settings, COLUMNS, PIPED, SHOWN)
    problems = Problems()
    now = time.time()
    for one in listed(settings.data_dir / "mmdb", mmdb or settings.mmdb, problems):
        d = one.description
        known = (one.name, d.type, d.edition, age_days(d, now), d.size, one.used_for, str(d.path))
        output.write([(*known, d.description, one.licence, one.why)])
    if not (mmdb or settings.mmdb):
        try:
            output.write([_tag_list(now)])
        except GeocliError as error:
            problems.note(error)
    output.finish()
    return finish(problems)


def _tag_list(now: float) -> tuple[object, ...]:
    """The row of what tags come from. Raises ``DamagedFileError``."""
    from geocli.lookup.tags import tag_file
    from geocli.mmdb.catalog import age_in_days

    one = tag_file()
    known = (one.path.stem, "tags", one.edition, age_in_days(one.built, now), one.size, "tags", str(one.path))
    return (*known, one.description, one.licence, "comes with geocli")


def update_databases(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|URL]...",
            help="dbip, dbip-city, maxmind, ipinfo ...; without any, those that are here.",
            show_default="dbip-country and dbip-asn",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the database at a URL is to be called.")
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option("--sha256", metavar="DIGITS", help="What the one file must have, as it is downloaded."),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long a server may be silent.")
    ] = "30s",
) -> ExitCode:
    """Download databases, or newer editions of them, and use them from then on.

    A file is checked as a whole, then it takes the place of the present one at once: no look-up sees half
    of it, and whatever goes wrong, the present one stays. Silent unless something is wrong, for cron; says
    what was done on a terminal and with -v.
    """
    from geocli.mmdb.downloads.update import targets_of, update

    settings: Settings = ctx.obj
    problems = Problems()
    silence = options.parsed("--timeout", parse_timeout, timeout)
    talks = settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty())
    with Progress.without_rows(settings) as progress:
        for target in targets_of(settings.data_dir / "mmdb", names or [], name, sha256):
            if names and target.is_open and not settings.quiet:
                way_out = "give https://, or check it with --sha256"
                say(f"{target.name} comes over plain HTTP: anybody on the way can change it; {way_out}")
            try:
                done = update(target, settings, silence, progress.show)
            except GeocliError as error:
                problems.note(error)
            else:
                if talks:
                    progress.hide()
                    write_text(f"{done}\n")
    return finish(problems)


def verify_databases(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="MMDB files; those in use if none.", show_default=False),
    ] = None,
) -> ExitCode:
    """Check whole databases: every path of the search tree, every record, the metadata.

    Silent when all is well; -v says what is in them. Files that pass are remembered, and are read by
    the quick reader from then on, until they change.
    """
    from geocli.mmdb.downloads.installed import in_use
    from geocli.mmdb.trusted import TrustedFiles
    from geocli.mmdb.verify import vet

    settings: Settings = ctx.obj
    problems = Problems()
    directory = settings.data_dir / "mmdb"
    vetted = TrustedFiles(directory)
    with Progress.without_rows(settings) as progress:
        for path in files or [one.path for one in in_use(directory, settings.mmdb)]:
            try:
                checked = vet(path, vetted, progress.show)
            except GeocliError as error:
                problems.note(error)
            else:
                if settings.verbose:
                    progress.hide()
                    say(f"{path}: {checked}")
    return finish(problems)

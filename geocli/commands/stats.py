"""``geocli stats``: how much is stored, how much is waiting, how old the databases are."""

import json as json_text
import time
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.commands import _options
from geocli.commands._opening import journal_and_store
from geocli.commands._stdout import write_text
from geocli.errors import ExitCode, UsageError
from geocli.values import parse_duration

if TYPE_CHECKING:
    from geocli.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("stats")(stats)


def stats(
    ctx: typer.Context,
    json: _options.Json = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="For monitoring: silent and 0 if all is well, else one line and 1."),
    ] = False,
    max_dirty_age: Annotated[
        str, typer.Option(metavar="TIME", help="With --check: how long an answer may wait for a flush.")
    ] = "5m",
    max_db_age: Annotated[
        str, typer.Option(metavar="TIME", help="With --check: how old a database may be.")
    ] = "60d",
) -> ExitCode:
    """Show what is stored, what waits for a flush, and how old the databases are."""
    from geocli.commands._output import Output, Wanted
    from geocli.mmdb.vetted import Vetted
    from geocli.reports import collect_stats, find_stale, open_databases

    settings: Settings = ctx.obj
    dirty_limit, db_limit = _duration("--max-dirty-age", max_dirty_age), _duration("--max-db-age", max_db_age)
    databases = open_databases(settings.mmdb, Vetted(settings.data_dir / "mmdb"))
    with journal_and_store(settings) as (journal, store):
        figures = collect_stats(journal, store, databases, time.time())
    if check:
        findings = find_stale(figures, dirty_limit, db_limit)
        if findings:
            write_text("; ".join(findings) + "\n")
        return ExitCode.FOUND_WANTING if findings else ExitCode.OK
    if json:
        write_text(json_text.dumps(figures._asdict()) + "\n")
        return ExitCode.OK
    rows = [(name, value) for name, value in figures._asdict().items() if name != "databases"]
    rows += [
        ("database", f"{database['name']} ({database['age_days']} days old)")
        for database in figures.databases
    ]
    columns = ("figure", "value")
    Output(Wanted(), settings, columns, columns, columns).write(rows)
    return ExitCode.OK


def _duration(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None

"""``geocli stats``: how much is stored, how much is waiting, how old the databases are."""

import json as json_text
import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from geocli import __version__
from geocli.cli import options
from geocli.cli.console import say, write_text
from geocli.cli.metrics_file import Metrics, MetricsFile, write_metrics
from geocli.cli.option_groups import with_groups
from geocli.cli.session import journal_and_store
from geocli.config.parsers import parse_duration
from geocli.model.errors import ExitCode, UsageError
from geocli.model.records import clean_text
from geocli.model.value import Value

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.output.status.collect import Stats

_LONGEST_LINE = 4000  # characters: monitoring reads no more


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("stats")(stats)


class StatsOptions(Value):
    """In which form the figures are shown, and what monitoring bears."""

    json: options.Json = False
    check: Annotated[
        bool,
        typer.Option("--check", help="For monitoring: silent and 0 if all is well, else one line and 1."),
    ] = False
    prometheus: Metrics = False
    output: MetricsFile = None
    max_dirty_age: Annotated[
        str, typer.Option(metavar="TIME", help="With --check: how long an answer may wait for a flush.")
    ] = "5m"
    max_db_age: Annotated[
        str, typer.Option(metavar="TIME", help="With --check: how old a database may be.")
    ] = "60d"

    def check_together(self) -> None:
        """Raises ``UsageError`` for what does not go together."""
        if sum((self.json, self.check, self.prometheus)) > 1:
            raise UsageError("give one of --json, --check and --prometheus")
        if self.output is not None and not self.prometheus:
            raise UsageError("--output is for --prometheus")


@with_groups
def stats(
    ctx: typer.Context,
    wanted: StatsOptions,
) -> ExitCode:
    """Show what is stored, what waits for a flush, and how old the databases are.

    --check suits Nagios and what is like it: 1 is its WARNING. Any other code but 0 says on stderr what keeps
    geocli from telling.
    """
    from geocli.mmdb.catalog import open_databases
    from geocli.output.status.collect import collect_stats, find_stale

    settings: Settings = ctx.obj
    wanted.check_together()
    dirty_limit = _duration("--max-dirty-age", wanted.max_dirty_age)
    db_limit = _duration("--max-db-age", wanted.max_db_age)
    databases = open_databases(settings.data_dir / "mmdb", settings.mmdb)
    with journal_and_store(settings) as (journal, store):
        figures = collect_stats(journal, store, databases, time.time())
    findings = find_stale(figures, dirty_limit, db_limit)
    if wanted.check:
        if findings:
            write_text(clean_text("; ".join(findings), _LONGEST_LINE) + "\n")
        return ExitCode.FOUND_WANTING if findings else ExitCode.OK
    if wanted.json:
        write_text(json_text.dumps(figures._asdict()) + "\n")
    elif wanted.prometheus:
        from geocli.output.status.prometheus import exposition

        write_metrics(exposition(figures, __version__), wanted.output)
    elif sys.stdout is not None and sys.stdout.isatty():
        from geocli.output.status.text import page

        write_text(page(figures, settings.data_dir, findings))
    else:
        _write_rows(figures, settings)
    if not wanted.prometheus:
        _say_other_memory(ctx, settings)
    return ExitCode.OK


def _say_other_memory(ctx: typer.Context, settings: "Settings") -> None:
    """Say that this user has another memory, unless this one was named in the command line or environment."""
    from geocli.cli.commands import cron_target, setup_target

    if settings.quiet or cron_target.flags_of(ctx).data_dir or os.environ.get("GEOCLI_DATA_DIR"):
        return
    for other in setup_target.other_memories(settings.data_dir):
        say(setup_target.join_hint(other, settings.data_dir))


def _write_rows(figures: "Stats", settings: "Settings") -> None:
    from geocli.cli.options import FormOptions
    from geocli.cli.output import Output

    rows = [(name, value) for name, value in figures._asdict().items() if name != "databases"]
    rows += [
        ("database", f"{database['name']} ({database['age_days']} days old)")
        for database in figures.databases
    ]
    columns = ("figure", "value")
    Output(FormOptions(), settings, columns, columns, columns).write(rows)


def _duration(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None

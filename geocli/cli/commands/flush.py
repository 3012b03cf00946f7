"""``geocli flush``: the journal's answers and bans into the store, in one transaction. For cron."""

import sys
import time
from typing import TYPE_CHECKING

import typer

from geocli.cli import options
from geocli.cli.console import say, write_text
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store
from geocli.model.errors import ExitCode, Problems, worst_of
from geocli.model.records import utc_text
from geocli.storage.flush import flush as replay

if TYPE_CHECKING:
    from geocli.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("flush")(flush)


def flush(ctx: typer.Context, json: options.Json = False) -> ExitCode:
    """Write the answers and bans that are waiting in the journal to the store.

    All of them in one transaction; then the journal forgets them. Silent unless something is wrong,
    for cron. Prints on a terminal, with -v and with --json.
    """
    settings: Settings = ctx.obj
    begun = time.perf_counter()
    problems = Problems()
    try:
        with Progress.without_rows(settings) as progress, journal_and_store(settings) as (journal, store):
            flushed = replay(journal, store, utc_text(time.time()), problems, progress.show)
    finally:
        for problem in problems:
            say(str(problem))
    seconds = round(time.perf_counter() - begun, 3)
    if json:
        write_text(f'{{"flushed": {flushed.entries}, "seconds": {seconds}}}\n')
    elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        answers = flushed.entries - flushed.bans
        bans = f" and {flushed.bans} bans" if flushed.bans else ""
        write_text(f"flushed {answers} answers{bans} in {seconds} s\n")
    return worst_of(problems) or ExitCode.OK

"""``geocli forget``: delete what is old. For cron."""

import json as json_
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import say, write_text
from geocli.cli.session import journal_and_store
from geocli.model.errors import ExitCode, Problems, worst_of
from geocli.providers.registrations import KeptRegistrations
from geocli.storage.forget import forget as forget_old
from geocli.system.ownership import os_errors

if TYPE_CHECKING:
    from geocli.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("forget")(forget)


def forget(
    ctx: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="How old: 90d, 1y; 0 is everything.")
    ],
    answers: Annotated[bool, typer.Option("--answers", help="Only answers about addresses.")] = False,
    bans: Annotated[bool, typer.Option("--bans", help="Only the history of bans.")] = False,
    json: options.Json = False,
) -> ExitCode:
    """Delete stored answers and bans that are older than this, for good.

    Flushes first, so that nothing old is left in the journal. Silent unless something is wrong, for cron.
    Prints on a terminal, with -v and with --json.
    """
    settings: Settings = ctx.obj
    age = options.duration("--older-than", older_than)
    kinds = [name for name, wanted in (("answers", answers), ("bans", bans)) if wanted or answers == bans]
    begun = time.perf_counter()
    problems = Problems()
    try:
        with journal_and_store(settings) as (journal, store):
            gone = forget_old(journal, store, age, kinds, time.time(), problems)
        if "answers" in kinds:
            with os_errors(settings.data_dir):
                KeptRegistrations(settings.data_dir).forget(time.time() - age + (age == 0))
    finally:
        for problem in problems:
            say(str(problem))
    seconds = round(time.perf_counter() - begun, 3)
    if json:
        write_text(json_.dumps(gone._asdict() | {"seconds": seconds}) + "\n")
    elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        write_text(f"forgot {gone.answers} answers and {gone.bans} bans in {seconds} s\n")
    return worst_of(problems) or ExitCode.OK

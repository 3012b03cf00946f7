"""``geocli refresh``: ask again about what is unknown or old. For cron."""

import json as json_
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import write_text
from geocli.cli.option_groups import with_groups
from geocli.cli.options import LookupOptions
from geocli.cli.progress import Progress
from geocli.cli.session import finish, noting, open_lookup
from geocli.lookup.refresh import find_outlived, outlived
from geocli.model.errors import ExitCode, Problems

if TYPE_CHECKING:
    from geocli.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("refresh")(refresh)


@with_groups
def refresh(
    ctx: typer.Context,
    lookup: LookupOptions,
    unknown: Annotated[bool, typer.Option("--unknown", help="Only what nobody had.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="TIME", help="Only answers older than this: 7d, 4w."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Ask about so many at most, oldest first.")
    ] = None,
    json: options.Json = False,
) -> ExitCode:
    """Ask again about stored answers that are unknown, or older than their time to live.

    New answers go to the journal; geocli flush brings them to the store. Silent unless something is wrong,
    for cron. Prints on a terminal, with -v and with --json.
    """
    settings = lookup.apply(ctx.obj)
    age = None if older_than is None else options.duration("--older-than", older_than)
    wanted = outlived(settings, time.time(), age, only_unknown=unknown)
    problems, statuses = Problems(), Counter[str]()
    begun = time.perf_counter()
    with (
        noting(problems),
        Progress.without_rows(settings) as progress,
        open_lookup(settings, problems, progress, refresh=True) as way,
    ):
        batches = find_outlived(way.store, wanted, way.resolver.batch_size, limit)
        for rows in way.pipeline.run(batches):
            statuses += rows.statuses
            progress.show("asking again", statuses.total(), limit)
    code = finish(problems, ExitCode.PARTIAL if statuses["error"] else ExitCode.OK)
    _report(statuses, round(time.perf_counter() - begun, 3), settings, json)
    return code


def _report(statuses: Counter[str], seconds: float, settings: "Settings", json: bool) -> None:
    counts = {"asked": statuses.total()} | {name: statuses[name] for name in ("ok", "unknown", "error")}
    if json:
        write_text(json_.dumps(counts | {"seconds": seconds}) + "\n")
    elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        parts = ", ".join(f"{count} {name}" for name, count in counts.items() if name != "asked")
        write_text(f"asked again about {counts['asked']} in {seconds} s: {parts}\n")

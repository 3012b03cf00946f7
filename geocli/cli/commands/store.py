"""``geocli store``: the store as a whole."""

import json as json_
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import say, write_text
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store
from geocli.config.store_url import has_password, is_server, parse_server, shown
from geocli.model.errors import DamagedFileError, ExitCode, UsageError
from geocli.model.records import utc_text
from geocli.storage.check import check as check_all
from geocli.storage.copy import copy as copy_store
from geocli.storage.store.open import open_file, open_server
from geocli.system.ownership import check_trusted
from geocli.system.presence import exists, named_by_user

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.storage.store.base import Store


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(
        help="Copy a store, to a server or back; check what is kept.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("copy")(copy)
    group.command("check")(check)
    app.add_typer(group, name="store")


def copy(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="A geo.db, or a server: postgresql://...")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same. A file is made if need be.")],
    json: options.Json = False,
) -> ExitCode:
    """Copy all answers and bans of a store into another one, and see that they are there.

    What TO has already, or has better, is left alone: after an interrupt, start it again. What waits in the
    journal is no part of a store: geocli flush comes first. Prints on a terminal, with -v and with --json.
    """
    settings: Settings = ctx.obj
    if _is_the_same(source, target):
        raise UsageError("FROM and TO are the same store")
    if not is_server(source):
        with named_by_user(Path(source)):
            if not exists(Path(source)):
                raise UsageError(f"{source}: there is no such file")
    begun = time.perf_counter()
    stores = _open(source, settings), _open(target, settings)
    try:
        state = stores[0].state()
        total = state.stored + state.bans
        with Progress.without_rows(settings) as progress:
            copied = copy_store(
                *stores, utc_text(time.time()), lambda done: progress.show("copying", done, total)
            )
    finally:
        for store in stores:
            store.close()
    seconds = round(time.perf_counter() - begun, 3)
    if json:
        write_text(json_.dumps(copied._asdict() | {"seconds": seconds}) + "\n")
    elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        found = f"{copied.answers} answers and {copied.bans} bans"
        write_text(f"{found}, {copied.written} of them copied in {seconds} s\n")
    if copied.missing:
        say(f"{copied.missing} rows are not there: somebody deletes them meanwhile? Start it again")
        return ExitCode.TRY_AGAIN
    return ExitCode.OK


def check(ctx: typer.Context, json: options.Json = False) -> ExitCode:
    """Read all that is kept, and see that it can be trusted: files, rows, counts, times, the journal.

    Changes nothing. Silent when all is well. Ends with 4 for damage, with 1 for what should be seen to: one
    line each. Prints on a terminal, with -v and with --json.
    """
    settings: Settings = ctx.obj
    begun = time.perf_counter()
    with Progress.without_rows(settings) as progress, journal_and_store(settings) as (journal, store):
        total = None
        with suppress(DamagedFileError):  # which is what the check tells
            state = store.state()
            total = state.stored + state.bans
        found = check_all(
            journal, store, utc_text(time.time()), lambda done: progress.show("checking", done, total)
        )
    seconds = round(time.perf_counter() - begun, 3)
    if json:
        write_text(json_.dumps(found._asdict() | {"seconds": seconds}) + "\n")
    elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
        well = "no errors were found" if not (found.damage or found.remarks) else "not all is well"
        waiting = f"{found.segments} of the journal's segments"
        write_text(f"{found.answers} answers, {found.bans} bans, {waiting} in {seconds} s: {well}\n")
    for text in (*found.damage, *found.remarks):
        say(text)
    if found.damage:
        return ExitCode.DAMAGED
    return ExitCode.FOUND_WANTING if found.remarks else ExitCode.OK


def _is_the_same(source: str, target: str) -> bool:
    if is_server(source) or is_server(target):
        return source == target
    return Path(source).resolve() == Path(target).resolve()


def _open(name: str, settings: "Settings") -> "Store":
    if not is_server(name):
        path = Path(name).absolute()
        check_trusted([path])
        return open_file(path, settings)
    try:
        url = parse_server(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if has_password(url):  # everybody on the machine sees what programs are started with
        raise UsageError(
            "no password on the command line: use ~/.pgpass, or set the same URL with it as GEOCLI_STORE_URL"
        )
    known = settings.store_url
    return open_server(known if known is not None and shown(known) == shown(url) else url, settings)

"""``geocli bans``: who is banned, with geography; recorded, and out of what was recorded."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.bans.current import COLUMNS, GROUPS, HISTORY_GROUPS, BanGroups, Locator
from geocli.cli import ban_options, options
from geocli.cli.console import ReaderGoneError, reporter, say, write_text
from geocli.cli.output import FormOptions, Output, above_table, check_map
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store
from geocli.config.parsers import parse_name
from geocli.lookup.cache import Cache
from geocli.lookup.pipeline import Pipeline
from geocli.lookup.resolver import Resolver
from geocli.model.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.model.records import clean_text
from geocli.providers.base import load_provider

if TYPE_CHECKING:
    from geocli.config.settings import Settings

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("bans")(bans)


def columns_of(by: str | None) -> tuple[str, ...]:
    """What a row has: a ban, or a group of bans."""
    return (*GROUPS[by], "addresses", "bans", "share") if by in GROUPS else COLUMNS


def bans(
    ctx: typer.Context,
    inputs: ban_options.Inputs = None,
    database: ban_options.Database = None,
    client: ban_options.Client = False,
    program: ban_options.Program = None,
    socket: ban_options.Socket = None,
    record: Annotated[
        bool, typer.Option("--record", help="Remember these bans, silently: for cron.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="All bans that were recorded, instead of those of now.")
    ] = False,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="With --history: only this machine (repeatable); with --record: the name of this one.",
        ),
    ] = None,
    jail: ban_options.Jail = None,
    country: ban_options.Country = None,
    asn: ban_options.Asn = None,
    since: ban_options.Since = None,
    until: ban_options.Until = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="|".join(HISTORY_GROUPS),
            help="Count bans and addresses by this; the last three with --history.",
        ),
    ] = None,
    map_: Annotated[
        bool, typer.Option("--map", help="With --by country: draw the world above the table.")
    ] = False,
    top: options.Top = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="With --history --since: addresses, or what --by says, that had no ban before."
        ),
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="TIME",
            help="With --history: this period against the one before, such as 7d.",
        ),
    ] = None,
    provider: options.Provider = None,
    mmdb: options.Mmdb = None,
    no_cache: options.NoCache = False,
    max_wait: options.MaxWait = None,
    timeout: options.Timeout = None,
    json: options.Json = False,
    csv: options.Csv = False,
    tsv: options.Tsv = False,
    table: options.TableFlag = False,
    no_header: options.NoHeader = False,
    field: options.Field = None,
    template: options.Template = None,
) -> ExitCode:
    """Say who is banned, and from where; remember it; say who was banned.

    Reads what fail2ban-client printed from stdin; without stdin or with an empty one (cron), asks the running
    server. Bans of a log are all that it tells of, with when they ended.
    """
    settings: Settings = options.apply(ctx.obj, provider, mmdb, max_wait, timeout)
    source = ban_options.BanSource(inputs, database, client, program, socket)
    source.check()
    wanted = ban_options.filter_of(jail, country, asn, since, until, time.time())
    if map_:
        table = check_map(by, any((json, csv, tsv, template is not None)))
    form = FormOptions(json, csv, tsv, table, no_header, field, template)
    if history or new or compare is not None:
        if record or source != ban_options.NOWHERE or no_cache:
            raise UsageError(
                "--history reads what was recorded: leave --record, --no-cache and all inputs out"
            )
        from geocli.cli.commands import bans_history as _history  # only then

        return _history.show(settings, _history.asked(wanted, host, by, top, new, compare, map_), form)
    if by is not None and by not in GROUPS:
        raise UsageError(f"--by takes {', '.join(GROUPS)}, not {ascii(by)}")
    if top is not None and by is None:
        raise UsageError("--top is for --by")
    if record and (by is not None or no_cache or form != FormOptions()):
        raise UsageError("--record shows nothing and needs the journal: leave --by, forms and --no-cache out")
    if host and (not record or len(host) > 1):
        raise UsageError("--host is for --history, and once for --record")
    columns = columns_of(by)
    output = Output(
        form, settings, columns, PIPED if by is None else columns, SHOWN if by is None else columns
    )
    problems = Problems()
    groups = None if by is None else BanGroups(by)
    recorder = None
    untimed = 0
    try:
        with Progress(settings) as progress, journal_and_store(settings) as (journal, store):
            chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
            cache = None if no_cache else Cache(journal, store, problems)
            resolver = Resolver(chain, cache, settings, reporter(settings, problems, progress))
            locator = Locator(Pipeline(resolver, cache, output.render, problems), resolver.batch_size)
            if record and cache is not None:
                from geocli.bans.recorder import Recorder  # only then

                recorder = Recorder(journal, cache, problems, _host(host, settings), time.time())
            done = 0
            for found in source.read(jail, problems):
                untimed += wanted.needs_time and sum(ban.banned_at is None for ban in found)
                located = list(locator.locate(found, wanted))
                done += len(located)
                progress.show("bans", done)
                if recorder is not None:
                    recorder.record(located)
                elif groups is not None:
                    for ban in located:
                        groups.add(ban)
                else:
                    output.write([ban.row for ban in located])
        if groups is not None:
            if output.form == "table":
                output.write_text(above_table(by, groups.rows(None), settings, output, map_=map_))
            output.write(groups.rows(top))
        if recorder is None:
            output.finish()
        elif settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
            write_text(f"saw {recorder.seen} bans, of which {recorder.written} were new or had changed\n")
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)
    if untimed:
        filters = " and ".join(
            name for name, at in (("--since", since), ("--until", until)) if at is not None
        )
        problems.note(
            UsageError(f"{filters} left out {untimed} bans: the input does not say when they began")
        )
    for problem in problems:
        say(str(problem))
    return worst_of(problems) or ExitCode.OK


def _host(names: list[str] | None, settings: "Settings") -> str:
    """What this machine is called in the history. Raises ``UsageError``."""
    if names:
        return options.parsed("--host", parse_name, names[0])
    if settings.host is not None:
        return settings.host
    import socket

    return clean_text(socket.gethostname()) or "localhost"

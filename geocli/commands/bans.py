"""``geocli bans``: who is banned, with geography."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.banned import COLUMNS, GROUPS, BanGroups, Filter, Locator
from geocli.cache import Cache
from geocli.commands import _options
from geocli.commands._messages import reporter, say
from geocli.commands._opening import journal_and_store
from geocli.commands._output import Output, Wanted
from geocli.commands._progress import Progress
from geocli.commands._stdout import ReaderGoneError
from geocli.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.inputs import open_streams
from geocli.pipeline import Pipeline
from geocli.providers import load_provider
from geocli.records import utc_text
from geocli.resolve import Resolver
from geocli.settings import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.bans import Ban
    from geocli.settings import Settings

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("bans")(bans)


def bans(
    ctx: typer.Context,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="What fail2ban-client printed, fail2ban.log (also .gz) or a list; - is stdin.",
        ),
    ] = None,
    database: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="fail2ban's SQLite database.")
    ] = None,
    client: Annotated[
        bool, typer.Option("--client", help="Ask the running server, whatever stdin is.")
    ] = False,
    program: Annotated[
        str | None,
        typer.Option(
            "--fail2ban-client", metavar="PATH", help="The program that asks it.", show_default="PATH's"
        ),
    ] = None,
    socket: Annotated[
        Path | None, typer.Option("--socket", metavar="FILE", help="The server's socket.")
    ] = None,
    jail: Annotated[
        list[str] | None, typer.Option("--jail", metavar="NAME", help="Only this jail; may be repeated.")
    ] = None,
    country: Annotated[
        list[str] | None, typer.Option("--country", metavar="CC[,CC...]", help="Only these countries.")
    ] = None,
    asn: Annotated[
        list[str] | None, typer.Option("--asn", metavar="N[,N...]", help="Only these AS numbers.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Banned since: 24h, 7d, or 2026-11-23T12:00."),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="|".join(GROUPS), help="Count bans and addresses by this.")
    ] = None,
    top: _options.Top = None,
    provider: _options.Provider = None,
    mmdb: _options.Mmdb = None,
    no_cache: _options.NoCache = False,
    max_wait: _options.MaxWait = None,
    timeout: _options.Timeout = None,
    json: _options.Json = False,
    csv: _options.Csv = False,
    tsv: _options.Tsv = False,
    table: _options.TableFlag = False,
    no_header: _options.NoHeader = False,
    field: _options.Field = None,
    template: _options.Template = None,
) -> ExitCode:
    """Say who is banned, and from where.

    Reads what fail2ban-client printed from stdin; without stdin or with an empty one (cron), asks the running
    server. Bans of a log are all that it tells of, with when they ended.
    """
    settings: Settings = _options.apply(ctx.obj, provider, mmdb, max_wait, timeout)
    if by is not None and by not in GROUPS:
        raise UsageError(f"--by takes {', '.join(GROUPS)}, not {ascii(by)}")
    if top is not None and by is None:
        raise UsageError("--top is for --by")
    if sum((bool(inputs), database is not None, client)) > 1:
        raise UsageError("give one of --input, --database and --client")
    wanted = _filter(jail, country, asn, since, time.time())
    columns = COLUMNS if by is None else (*GROUPS[by], "addresses", "bans", "share")
    output = Output(
        Wanted(json, csv, tsv, table, no_header, field, template),
        settings,
        columns,
        PIPED if by is None else columns,
        SHOWN if by is None else columns,
    )
    problems = Problems()
    groups = None if by is None else BanGroups(by)
    untimed = 0
    try:
        with Progress(settings) as progress, journal_and_store(settings) as (journal, store):
            chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
            cache = None if no_cache else Cache(journal, store, problems)
            resolver = Resolver(chain, cache, settings, reporter(settings, problems, progress))
            locator = Locator(Pipeline(resolver, cache, output.render, problems), resolver.batch_size)
            done = 0
            for found in _read(inputs, database, client, program, socket, jail, problems):
                untimed += wanted.since is not None and sum(ban.banned_at is None for ban in found)
                located = list(locator.locate(found, wanted))
                done += len(located)
                progress.show("bans", done)
                if groups is None:
                    output.write([ban.row for ban in located])
                else:
                    for ban in located:
                        groups.add(ban)
        if groups is not None:
            output.write(groups.rows(top))
        output.finish()
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)
    if untimed:
        problems.note(UsageError(f"--since left out {untimed} bans: the input does not say when they began"))
    for problem in problems:
        say(str(problem))
    return worst_of(problems) or ExitCode.OK


def _read(
    inputs: list[Path] | None,
    database: Path | None,
    client: bool,
    program: str | None,
    socket: Path | None,
    jails: list[str] | None,
    problems: Problems,
) -> "Iterator[list[Ban]]":
    if database is not None:
        from geocli.inputs.fail2ban_db import read_database

        yield read_database(database, time.time())
    elif inputs or not (client or program or socket or _is_empty_stdin()):
        from geocli.inputs.bans import read_bans
        from geocli.inputs.fail2ban_log import oldest_first

        paths = oldest_first(inputs) if inputs else [Path("-")]
        yield from read_bans(open_streams(paths, sys.stdin, problems))
    else:
        from geocli.inputs.fail2ban_command import ask_server

        for jail in jails or (None,):
            yield ask_server(program, socket, jail)


def _filter(
    jails: list[str] | None,
    countries: list[str] | None,
    asns: list[str] | None,
    since: str | None,
    now: float,
) -> Filter:
    """What --jail, --country, --asn and --since say. Raises ``UsageError``."""
    codes = frozenset(text.strip().upper() for texts in countries or () for text in texts.split(","))
    numbers = frozenset(
        _options.parsed("--asn", _asn, text) for texts in asns or () for text in texts.split(",")
    )
    moment = (
        None if since is None else _options.parsed("--since", lambda text: parse_moment(text, now), since)
    )
    return Filter(frozenset(jails or ()), codes, numbers, None if moment is None else utc_text(moment))


def _asn(text: str) -> int:
    from geocli.answers import asn as parse_asn  # and with it the list of countries

    number = parse_asn(text.strip())
    if number is None:
        raise ValueError(f"{ascii(text[:40])} is no AS number")
    return number


def _is_empty_stdin() -> bool:
    """Whether nobody says anything on stdin: a terminal, cron's. fail2ban-client never prints nothing."""
    try:
        return sys.stdin is None or sys.stdin.isatty() or not sys.stdin.buffer.peek(1)  # type: ignore[union-attr]  # buffered
    except (OSError, ValueError):
        return True

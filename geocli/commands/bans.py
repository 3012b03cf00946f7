"""``geocli bans``: who is banned, with geography."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.banned import COLUMNS, GROUPS, BanGroups, Locator
from geocli.cache import Cache
from geocli.commands import _bans, _drawing, _options
from geocli.commands._messages import reporter, say
from geocli.commands._opening import journal_and_store
from geocli.commands._output import Output, Wanted
from geocli.commands._progress import Progress
from geocli.commands._stdout import ReaderGoneError
from geocli.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.pipeline import Pipeline
from geocli.providers import load_provider
from geocli.resolve import Resolver

if TYPE_CHECKING:
    from geocli.settings import Settings

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("bans")(bans)


def bans(
    ctx: typer.Context,
    inputs: _bans.Inputs = None,
    database: _bans.Database = None,
    client: _bans.Client = False,
    program: _bans.Program = None,
    socket: _bans.Socket = None,
    jail: _bans.Jail = None,
    country: _bans.Country = None,
    asn: _bans.Asn = None,
    since: _bans.Since = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="|".join(GROUPS), help="Count bans and addresses by this.")
    ] = None,
    map_: Annotated[
        bool, typer.Option("--map", help="With --by country: draw the world above the table.")
    ] = False,
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
    if map_:
        table = _drawing.check_map(by, any((json, csv, tsv, template is not None)))
    source = _bans.BanSource(inputs, database, client, program, socket)
    source.check()
    wanted = _bans.filter_of(jail, country, asn, since, time.time())
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
            for found in source.read(jail, problems):
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
            if output.form == "table":
                output.write_text(_drawing.above(by, groups.rows(None), settings, output, map_=map_))
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

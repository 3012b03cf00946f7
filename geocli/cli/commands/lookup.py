"""``geocli lookup``: resolve addresses and networks from arguments, files and pipes."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import ReaderGoneError, reporter, say
from geocli.cli.flush_reminder import watch_journal
from geocli.cli.output import FormOptions, Output
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store, note_closed_directory
from geocli.inputs.targets import open_streams, read_batches
from geocli.lookup.cache import Cache
from geocli.lookup.pipeline import Pipeline
from geocli.lookup.resolver import Resolver
from geocli.model.addresses import is_ipv6, parse_target, split_reserved
from geocli.model.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.model.records import FIELDS
from geocli.providers.base import load_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.config.settings import Settings
    from geocli.lookup.pipeline import Rows

_ONLINE_PATIENCE = 0.2  # seconds that an input may pause before a batch is sent that is not full

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("ip", "status", "country_code", "country_name", "asn", "org")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("lookup")(lookup)


def lookup(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="Addresses or networks.", show_default=False),
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Find addresses in this file, whatever it is; - is stdin."
        ),
    ] = None,
    unique: Annotated[bool, typer.Option("--unique", "-u", help="Each address once.")] = False,
    only_v4: Annotated[bool, typer.Option("-4", help="IPv4 only.")] = False,
    only_v6: Annotated[bool, typer.Option("-6", help="IPv6 only.")] = False,
    exclude_reserved: Annotated[
        bool, typer.Option("--exclude-reserved", "-x", help="Leave private and other reserved addresses out.")
    ] = False,
    provider: options.Provider = None,
    mmdb: options.Mmdb = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again, even what is known.")] = False,
    no_cache: options.NoCache = False,
    max_wait: options.MaxWait = None,
    timeout: options.Timeout = None,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", "-e", help="Exit with 1 if any address has no country.")
    ] = False,
    json: options.Json = False,
    csv: options.Csv = False,
    tsv: options.Tsv = False,
    table: options.TableFlag = False,
    no_header: options.NoHeader = False,
    field: options.Field = None,
    template: options.Template = None,
) -> ExitCode:
    """Say where addresses and networks are, and who holds them.

    With no TARGET and no --input, reads stdin and finds the addresses in it: a list, a log, what
    fail2ban-client prints. "lookup" itself may be left out: geocli 8.8.8.8
    """
    settings: Settings = ctx.obj
    if only_v4 and only_v6:
        raise UsageError("give -4 or -6, not both")
    settings = options.apply(settings, provider, mmdb, max_wait, timeout)
    output = Output(
        FormOptions(json, csv, tsv, table, no_header, field, template), settings, FIELDS, PIPED, SHOWN
    )
    if not targets and not inputs:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing to look up: give addresses, --input FILE, or a pipe")
        inputs = [Path("-")]
    problems = Problems()
    wanted = _Wish(only_v4, only_v6, exclude_reserved, unique)
    tally = _Tally()
    try:
        with Progress(settings) as progress:
            chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
            with journal_and_store(settings) as (journal, store):
                if no_cache:
                    note_closed_directory(settings, problems)
                cache = None if no_cache else Cache(journal, store, problems)
                reports = reporter(settings, problems, progress)
                resolver = Resolver(chain, cache, settings, reports, refresh=refresh)
                batches = _batches(targets or [], inputs or [], wanted, problems, resolver)
                for rows in Pipeline(resolver, cache, output.render, problems).run(batches):
                    tally.count(rows)
                    progress.show("looking up", tally.total)
                    output.write_rendered(rows.data)
                progress.hide()
                if cache is not None:
                    watch_journal(journal, settings)
        output.finish()
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)
    for problem in problems:
        say(str(problem))
    if settings.verbose:
        say(str(tally))
    return _exit_code(problems, tally, exit_status)


class _Wish:
    """Which targets the user wants to see."""

    def __init__(self, only_v4: bool, only_v6: bool, exclude_reserved: bool, unique: bool) -> None:
        self._v6 = True if only_v6 else False if only_v4 else None
        self._exclude_reserved = exclude_reserved
        self._seen: set[str] | None = set() if unique else None

    def filter(self, targets: list[str]) -> list[str]:
        if self._v6 is not None:
            targets = [target for target in targets if is_ipv6(target) is self._v6]
        if self._exclude_reserved:
            _, targets = split_reserved(targets)
        if self._seen is not None:
            targets = [target for target in dict.fromkeys(targets) if target not in self._seen]
            self._seen.update(targets)
        return targets


def _batches(
    targets: list[str], inputs: list[Path], wish: _Wish, problems: Problems, resolver: Resolver
) -> "Iterator[list[str]]":
    for batch in _raw_batches(targets, inputs, problems, resolver):
        wanted = wish.filter(batch)
        if wanted or not batch:  # an empty one says that the input pauses
            yield wanted


def _raw_batches(
    targets: list[str], inputs: list[Path], problems: Problems, resolver: Resolver
) -> "Iterator[list[str]]":
    size, patience = resolver.batch_size, 0 if resolver.local else _ONLINE_PATIENCE
    parsed = []
    for text in targets:
        try:
            parsed.append(parse_target(text))
        except ValueError as error:
            problems.note(UsageError(str(error)))
    for start in range(0, len(parsed), size):
        yield parsed[start : start + size]
    for stream in open_streams(inputs, sys.stdin, problems):
        try:
            yield from read_batches(stream, size, patience)
        except UsageError as error:
            problems.note(error)


class _Tally:
    """How many records of which status went out, and how many without a country."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.without_country = 0

    @property
    def total(self) -> int:
        return self.statuses.total()

    def count(self, rows: "Rows") -> None:
        self.statuses.update(rows.statuses)
        self.without_country += rows.without_country

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.total} answers" + (f": {parts}" if parts else "")


def _exit_code(problems: Problems, tally: _Tally, exit_status: bool) -> ExitCode:
    if code := worst_of(problems):
        return code
    if tally.statuses["error"]:
        return ExitCode.PARTIAL
    if exit_status and tally.without_country:
        return ExitCode.FOUND_WANTING
    return ExitCode.OK

"""``geocli summarize``: the addresses of any text, counted by where they are."""

import json as json_
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import ReaderGoneError, reporter, say
from geocli.cli.output import FormOptions, Output
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store
from geocli.inputs.targets import open_streams
from geocli.lookup.cache import Cache
from geocli.lookup.counter import TargetCounter
from geocli.lookup.groups import KEYS, Groups, key_of
from geocli.lookup.pipeline import Pipeline
from geocli.lookup.resolver import Resolver
from geocli.model.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.providers.base import load_provider

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.model.record_batch import RecordBatch


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("summarize")(summarize)


def columns_of(by: str | None) -> tuple[str, ...]:
    """What the row of a group has."""
    return (*KEYS.get(by or "country", KEYS["country"]), "addresses", "hits", "share")


def summarize(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Logs or lists, also .gz; - is stdin.", show_default=False),
    ] = None,
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", "-i", metavar="FILE", help="The same as FILE.")
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="|".join(KEYS), help="Count by this.")] = "country",
    top: options.Top = None,
    exclude_reserved: Annotated[
        bool, typer.Option("--exclude-reserved", "-x", help="Leave private and other reserved addresses out.")
    ] = False,
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
    """Count the addresses in a log or list by country, AS, organisation, network or region.

    Hits are occurrences, addresses are distinct. Without FILE, and nothing on stdin, counts what geocli
    remembers: the store and the journal together.
    """
    settings: Settings = options.apply(ctx.obj, provider, mmdb, max_wait, timeout)
    if by not in KEYS:
        raise UsageError(f"--by takes {', '.join(KEYS)}, not {ascii(by)}")
    columns = columns_of(by)
    output = Output(
        FormOptions(json, csv, tsv, table, no_header, field, template), settings, columns, columns, columns
    )
    problems = Problems()
    paths = [*(files or ()), *(inputs or ())]
    groups = Groups(by)
    try:
        with Progress(settings) as progress, journal_and_store(settings) as (journal, store):
            cache = Cache(journal, store, problems)
            if not paths and (sys.stdin is None or sys.stdin.isatty()):
                for records in cache.everything():
                    for record in records:
                        groups.add(key_of(by, record), 1, 1)
            else:
                counting = TargetCounter(problems, lambda count: progress.show("addresses", count))
                hits = counting.count(open_streams(paths or [Path("-")], sys.stdin, problems))
                chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
                used = None if no_cache else cache
                resolver = Resolver(chain, used, settings, reporter(settings, problems, progress))

                def grouped(block: "RecordBatch") -> bytes:
                    """The groups of some records, which a worker may have counted."""
                    part = Groups(by)
                    if by == "network":
                        groups_of = [(record, 1, hits[record.ip]) for record in block.records()]
                    else:  # which an answer decides, whatever has it
                        addresses, found = Counter(block.numbers), Counter[int]()
                        for ip, number in zip(block.ips, block.numbers, strict=True):
                            found[number] += hits[ip]
                        groups_of = [(r, addresses[n], found[n]) for n, r in block.nowhere().items()]
                    for record, count, hit in groups_of:
                        if not (exclude_reserved and record.status == "reserved"):
                            part.add(key_of(by, record), count, hit)
                    return json_.dumps(part.parts()).encode()

                targets, size, done = list(hits), resolver.batch_size, 0
                batches = (targets[begin : begin + size] for begin in range(0, len(targets), size))
                for rows in Pipeline(resolver, used, grouped, problems).run(batches):
                    for values, addresses, count in json_.loads(rows.data):
                        groups.add(tuple(values), addresses, count)
                    done += rows.statuses.total()
                    progress.show("looking up", done, len(targets))
        output.write(groups.rows(top))
        output.finish()
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)
    for problem in problems:
        say(str(problem))
    return worst_of(problems) or ExitCode.OK

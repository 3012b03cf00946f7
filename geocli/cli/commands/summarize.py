"""``geocli summarize``: the addresses of any text, counted by where they are."""

import json
import sys
from array import array
from collections import Counter
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.age_notice import watch_age
from geocli.cli.inputs import Inputs
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions, LookupOptions
from geocli.cli.output import Output
from geocli.cli.progress import InputMeter, Progress
from geocli.cli.session import Lookup, finish, noting, open_lookup
from geocli.lookup.counter import TargetCounter
from geocli.lookup.groups import Groups
from geocli.lookup.pipeline import Batch, Pipeline
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.group_by import GROUPS, Grouping, parse_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.lookup.hit_counts import HitCounts
    from geocli.lookup.pipeline import Rows
    from geocli.lookup.resolver import Resolver
    from geocli.model.record_batch import RecordBatch

_HITS = "Q"  # how many there are of an address, for whoever counts a batch
COUNTED = ("addresses", "hits", "share")
OF_ADDRESSES = tuple(group.name for group in GROUPS.values() if not Grouping([group]).about_bans)
"""What addresses can be counted by."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("summarize")(summarize)


def columns_of(by: str | None) -> tuple[str, ...]:
    """Return what the row of a group has. Any ``by`` will do: for completion."""
    try:
        return (*parse_by(by or "country").names, *COUNTED)
    except ValueError:
        return columns_of("country")


@with_groups
def summarize(
    ctx: typer.Context,
    lookup: LookupOptions,
    form: FormOptions,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Logs or lists, also .gz; - is stdin.", show_default=False),
    ] = None,
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", "-i", metavar="FILE", help="The same as FILE.")
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="|".join(OF_ADDRESSES), help="Count by this, or by several with commas between."
        ),
    ] = "country",
    top: options.Top = None,
    sort: options.Sort = None,
    exclude_reserved: Annotated[
        bool, typer.Option("--exclude-reserved", "-x", help="Leave private and other reserved addresses out.")
    ] = False,
    no_cache: options.NoCache = False,
) -> ExitCode:
    """Count the addresses in a log or list by country, AS, organisation, network or region.

    Hits are occurrences, addresses are distinct. Without FILE, and nothing on stdin, counts what geocli
    remembers: the store and the journal together.
    """
    settings = lookup.apply(ctx.obj)
    grouping = _grouping(by)
    columns = (*grouping.names, *COUNTED)
    order = options.row_order(sort, columns)
    output = Output(form, settings, columns, columns, columns)
    problems = Problems()
    paths = [*(files or ()), *(inputs or ())]
    opened = Inputs(paths or [Path("-")], problems, settings)
    counting = _Counting(grouping, settings.data_dir, exclude_reserved)
    with noting(problems):
        with (
            Progress.without_rows(settings) as progress,
            open_lookup(settings, problems, progress, no_cache=no_cache) as way,
        ):
            if not paths and (sys.stdin is None or sys.stdin.isatty()):
                counting.count_known(way)
            else:
                meter = InputMeter(progress, opened.paths)
                opened.watch = meter.read
                counter = TargetCounter(
                    settings.data_dir, problems, lambda count: meter.found("addresses", count)
                )
                pipeline = Pipeline(way.resolver, way.cache, counting.part_of, problems)
                counting.count_hits(way.resolver, pipeline, counter.count(opened.streams()), progress)
        for rows in counting.groups.batches(top, order=order):
            output.write(rows)
        output.finish()
        opened.say_if_nothing_found()
        watch_age(settings)
    return finish(problems)


def _grouping(by: str) -> Grouping:
    """What --by says. Raises ``UsageError``."""
    grouping = options.parsed("--by", parse_by, by)
    if grouping.about_bans:
        raise UsageError(
            f"--by {grouping.about_bans[0]} is about bans, and this counts addresses:"
            f" there is {', '.join(OF_ADDRESSES)}"
        )
    return grouping


def _batch(hits: dict[str, int]) -> Batch:
    return Batch([*hits], array(_HITS, hits.values()).tobytes())


class _Counting:
    """The groups of addresses, and how often each occurs."""

    def __init__(self, by: Grouping, directory: Path, exclude_reserved: bool) -> None:
        self._by = by
        self._exclude_reserved = exclude_reserved
        self._by_answer = not {"ip", "network"}.intersection(by.names)
        self.groups = Groups(by, directory)
        self._hits: dict[str, int] = {}  # of a batch of which answers may come in parts

    def count_known(self, way: Lookup) -> None:
        """Count what geocli remembers, each address once."""
        for records in way.known.everything():
            for record in records:
                self.groups.add(self._by.of_record(record), 1, 1)

    def count_hits(
        self, resolver: "Resolver", pipeline: Pipeline, hits: "HitCounts", progress: Progress
    ) -> None:
        """Look up the addresses that occur, and count them."""
        done, batches = 0, hits.batches(resolver.batch_size)
        # As many groups as addresses take so much memory that there is none for workers.
        if resolver.steady and (self._by_answer or hits.are_in_memory):
            prepared = pipeline.run_beside(map(_batch, batches))
        else:
            prepared = chain.from_iterable(map(partial(self._run, pipeline), batches))
        for rows in prepared:
            for values, addresses, count in json.loads(rows.data):
                self.groups.add(tuple(values), addresses, count)
            done += rows.statuses.total()
            progress.show("looking up", done, len(hits))

    def _run(self, pipeline: Pipeline, batch: dict[str, int]) -> "Iterator[Rows]":
        self._hits = batch
        return pipeline.run([[*batch]])

    def part_of(self, block: "RecordBatch", beside: bytes) -> bytes:
        """Return the groups of some records, as text: a worker may have counted them."""
        part = Groups(self._by)
        hits = array(_HITS, beside) if beside else list(map(self._hits.__getitem__, block.ips))
        if self._by_answer:  # whatever has it
            addresses, found = Counter(block.numbers), Counter[int]()
            for number, count in zip(block.numbers, hits, strict=True):
                found[number] += count
            groups_of = [(r, addresses[n], found[n]) for n, r in block.nowhere().items()]
        else:
            groups_of = [(record, 1, hit) for record, hit in zip(block.records(), hits, strict=True)]
        for record, count, hit in groups_of:
            if not (self._exclude_reserved and record.status == "reserved"):
                part.add(self._by.of_record(record), count, hit)
        return json.dumps(part.parts()).encode()

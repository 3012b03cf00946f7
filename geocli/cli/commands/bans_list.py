"""What ``geocli bans`` shows of an input: its bans, each with its answer, or how many there are of what."""

import sys
from typing import TYPE_CHECKING

from geocli.bans.current import BESIDE, COLUMNS, BanGroups, locate_batches, row_of
from geocli.bans.locator import Locator
from geocli.cli import options
from geocli.cli.age_notice import say_age_under_table
from geocli.cli.ban_options import NEEDS_HISTORY, BanInput, GroupOptions, LeftOut
from geocli.cli.commands.bans_by_column import BansByColumn
from geocli.cli.output import Output, above_table, check_map, for_people
from geocli.cli.progress import InputMeter, Progress
from geocli.cli.session import finish, noting, open_lookup
from geocli.inputs.ban_reader import Reading
from geocli.model.bans import BanQuery
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.group_by import GROUPS, parse_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.cli.options import FormOptions
    from geocli.cli.session import Lookup
    from geocli.config.settings import Settings
    from geocli.model.bans import Ban, LocatedBan

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")
COUNTED = ("addresses", "bans", "share")


def columns_of(by: str | None) -> tuple[str, ...]:
    """Return what a row has: a ban, or a group of bans. Any ``by`` will do: for completion."""
    try:
        return COLUMNS if by is None else (*parse_by(by).names, *COUNTED)
    except ValueError:
        return COLUMNS


def show(
    settings: "Settings",
    source: BanInput,
    query: BanQuery,
    groups: GroupOptions,
    form: "FormOptions",
    *,
    no_cache: bool,
) -> ExitCode:
    """Print it. Raises ``UsageError`` for options that do not go together."""
    by = groups.grouping
    if by is not None and (unknown := [group.name for group in by.groups if group.name in NEEDS_HISTORY]):
        raise UsageError(
            f"--by {unknown[0]}: a list does not tell that, --history does;"
            f" of a list there is {', '.join(name for name in GROUPS if name not in NEEDS_HISTORY)}"
        )
    groups.check_counts()
    form = check_map(by, form) if groups.map else form
    columns = COLUMNS if by is None else (*by.names, *COUNTED)
    order = options.row_order(groups.sort, columns)
    output = Output(
        form, settings, columns, PIPED if by is None else columns, SHOWN if by is None else columns
    )
    problems = Problems()
    counted = None if by is None else BanGroups(by, settings.data_dir)
    with noting(problems):
        with (
            Progress.without_rows(settings) as progress,
            open_lookup(settings, problems, progress, render=output.render, no_cache=no_cache) as lookup,
        ):
            found = _read(settings, source, query, problems, progress, Reading())
            if counted is None:
                writer = output.beside(BESIDE)
                if writer is not None and not (query.countries or query.asns):
                    for _ in BansByColumn(lookup, query, output, writer, problems).show(found):
                        progress.rows_begin()
                else:
                    for located in _located(lookup, found, query):
                        progress.rows_begin()
                        output.write([row_of(ban) for ban in located])
            else:
                for located in _located(lookup, found, query):
                    for ban in located:
                        counted.add(ban)
        if by is not None and counted is not None:
            if output.form == "table":
                output.write_text(above_table(by, counted.groups, settings, output, map_=groups.map))
            for rows in counted.groups.batches(groups.top, groups.at_least, order):
                output.write(for_people(by, rows, output))
        output.finish()
        say_age_under_table(settings, output.form)
    return finish(problems)


def read_located(
    settings: "Settings",
    lookup: "Lookup",
    source: BanInput,
    query: BanQuery,
    problems: Problems,
    progress: Progress,
    reading: Reading | None = None,
) -> "Iterator[list[LocatedBan]]":
    """Yield the bans of a source that count, in batches.

    What its filters cannot be asked of is a problem in the end. Raises ``GeocliError``.
    """
    found = _read(settings, source, query, problems, progress, reading or Reading())
    yield from _located(lookup, found, query)


def _located(
    lookup: "Lookup", found: "Iterator[Sequence[Ban]]", query: BanQuery
) -> "Iterator[list[LocatedBan]]":
    yield from locate_batches(found, query, Locator(lookup.pipeline, lookup.resolver.batch_size))


def _read(
    settings: "Settings",
    source: BanInput,
    query: BanQuery,
    problems: Problems,
    progress: Progress,
    reading: Reading,
) -> "Iterator[Sequence[Ban]]":
    left_out = LeftOut(query)
    reading.in_detail = settings.verbose
    done = 0
    meter = InputMeter(progress, source.read_from)
    for found in source.read(query.jails, problems, reading, meter.read):
        left_out.add(found)
        done += len(found)
        meter.found("bans", done)
        yield found
    left_out.note(problems)
    for tally in reading.tallies:
        if settings.verbose:
            problems.mention(UsageError(tally.summary()))
        elif tally.is_blank and sys.stderr is not None and sys.stderr.isatty():
            problems.mention(UsageError(f"{tally.name} is empty: nobody is banned"))

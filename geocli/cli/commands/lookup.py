"""``geocli lookup``: resolve addresses and networks from arguments, files and pipes."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import is_watched, say
from geocli.cli.inputs import Inputs
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions, LookupOptions
from geocli.cli.output import Output
from geocli.cli.progress import InputMeter, Progress
from geocli.cli.session import finish, noting, open_lookup
from geocli.inputs.arguments import read_argument
from geocli.model.addresses import is_ipv6, split_reserved
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.records import FIELDS
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.lookup.pipeline import Rows
    from geocli.lookup.resolver import Resolver
    from geocli.system.spill import SeenSet

_ONLINE_PATIENCE = 0.2  # seconds that an input may pause before a batch is sent that is not full

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("ip", "status", "country_code", "country_name", "asn", "org")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("lookup")(lookup)


class TargetOptions(Value):
    """What is looked up: from where, and which of it."""

    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="Addresses or networks.", show_default=False),
    ] = None
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Find addresses in this file, whatever it is; - is stdin."
        ),
    ] = None
    unique: Annotated[bool, typer.Option("--unique", "-u", help="Each address once.")] = False
    only_v4: Annotated[bool, typer.Option("-4", help="IPv4 only.")] = False
    only_v6: Annotated[bool, typer.Option("-6", help="IPv6 only.")] = False
    exclude_reserved: Annotated[
        bool, typer.Option("--exclude-reserved", "-x", help="Leave private and other reserved addresses out.")
    ] = False


@with_groups
def lookup(
    ctx: typer.Context,
    wanted: TargetOptions,
    lookup: LookupOptions,
    form: FormOptions,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again, even what is known.")] = False,
    no_cache: options.NoCache = False,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", "-e", help="Exit with 1 if any address has no country.")
    ] = False,
) -> ExitCode:
    """Say where addresses and networks are, and who holds them.

    With no TARGET and no --input, reads stdin and finds the addresses in it: a list, a log, what
    fail2ban-client prints. "lookup" itself may be left out: geocli 8.8.8.8
    """
    settings = lookup.apply(ctx.obj)
    if wanted.only_v4 and wanted.only_v6:
        raise UsageError("give -4 or -6, not both")
    output = Output(form, settings, FIELDS, PIPED, SHOWN)
    if not wanted.targets and not wanted.inputs:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing to look up: give addresses, --input FILE, or a pipe")
        wanted = wanted.replace(inputs=[Path("-")])
    problems, tally = Problems(), _Tally()
    inputs = Inputs(wanted.inputs or [], problems, settings)
    with noting(problems):
        with (
            Progress(settings) as progress,
            open_lookup(
                settings, problems, progress, render=output.render, no_cache=no_cache, refresh=refresh
            ) as way,
        ):
            directory = settings.data_dir
            meter = InputMeter(progress, inputs.paths)
            inputs.watch = meter.read
            for rows in way.pipeline.run(_batches(wanted, inputs, problems, way.resolver, directory)):
                tally.count(rows)
                meter.found("looking up", tally.total)
                output.write_rendered(rows.data)
            progress.hide()
            if way.cache is not None and is_watched(settings):
                from geocli.cli.age_notice import watch_age  # scripts do without
                from geocli.cli.flush_reminder import watch_journal

                watch_journal(way.journal, settings)
                watch_age(settings)
        output.finish()
        inputs.say_if_nothing_found()
    code = finish(problems, tally.exit_code(exit_status))
    if settings.verbose:
        say(str(tally))
    return code


class _TargetFilter:
    """Which targets the user wants to see."""

    def __init__(self, wanted: TargetOptions, directory: Path) -> None:
        self._v6 = True if wanted.only_v6 else False if wanted.only_v4 else None
        self._exclude_reserved = wanted.exclude_reserved
        self._seen = _seen_set(directory) if wanted.unique else None

    def filter(self, targets: list[str]) -> list[str]:
        if self._v6 is not None:
            targets = [target for target in targets if is_ipv6(target) is self._v6]
        if self._exclude_reserved:
            _, targets = split_reserved(targets)
        if self._seen is not None:
            targets = self._seen.new_of(targets)
        return targets


def _seen_set(directory: Path) -> "SeenSet":
    from geocli.system.spill import SeenSet  # only where each is wanted once

    return SeenSet(directory)


def _batches(
    wanted: TargetOptions, inputs: Inputs, problems: Problems, resolver: "Resolver", directory: Path
) -> "Iterator[list[str]]":
    chosen = _TargetFilter(wanted, directory)
    for batch in _raw_batches(wanted.targets or [], inputs, problems, resolver):
        targets = chosen.filter(batch)
        if targets or not batch:  # an empty one says that the input pauses
            yield targets


def _raw_batches(
    targets: list[str], inputs: Inputs, problems: Problems, resolver: "Resolver"
) -> "Iterator[list[str]]":
    size, patience = resolver.batch_size, 0 if resolver.local else _ONLINE_PATIENCE
    parsed: list[str] = []
    for text in targets:
        try:
            parsed += read_argument(text)
        except UsageError as error:
            problems.note(error)
    for start in range(0, len(parsed), size):
        yield parsed[start : start + size]
    if not inputs.paths:
        return
    from geocli.inputs.targets import read_batches  # arguments do without

    for stream in inputs.streams():
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

    def exit_code(self, exit_status: bool) -> ExitCode:
        """What the answers say of how it went; ``exit_status``: all should have a country."""
        if self.statuses["error"]:
            return ExitCode.PARTIAL
        return ExitCode.FOUND_WANTING if exit_status and self.without_country else ExitCode.OK

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.total} answers" + (f": {parts}" if parts else "")

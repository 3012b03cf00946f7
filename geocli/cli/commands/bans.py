"""``geocli bans``: who is banned, with geography; recorded, and out of what was recorded."""

import time
from typing import Annotated

import typer

from geocli.cli import options
from geocli.cli.ban_options import NOWHERE, BanFilters, BanInput, GroupOptions
from geocli.cli.commands import bans_list, bans_metrics
from geocli.cli.commands.bans_metrics import MetricOptions
from geocli.cli.option_groups import with_groups
from geocli.cli.options import FormOptions, LookupOptions
from geocli.model.errors import ExitCode, UsageError
from geocli.model.value import Value


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("bans")(bans)


class MemoryOptions(Value):
    """Whether bans are remembered, and what is asked of those that were."""

    record: Annotated[bool, typer.Option("--record", help="Remember these bans, silently: for cron.")] = False
    history: Annotated[
        bool, typer.Option("--history", help="All bans that were recorded, instead of those of now.")
    ] = False
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="DAY", help="With --record: the day of a log that tells none."),
    ] = None
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="With --history: only this machine (repeatable); with --record or --prometheus: the name of "
            "this one.",
        ),
    ] = None
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="With --history --since: addresses, or what --by says, that had no ban before."
        ),
    ] = False
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="TIME",
            help="With --history: this period against the one before, such as 7d.",
        ),
    ] = None

    @property
    def of_the_past(self) -> bool:
        """Whether the history is asked, and no input read."""
        return self.history or self.new or self.compare is not None


columns_of = bans_list.columns_of


@with_groups
def bans(
    ctx: typer.Context,
    source: BanInput,
    filters: BanFilters,
    groups: GroupOptions,
    lookup: LookupOptions,
    form: FormOptions,
    memory: MemoryOptions,
    metrics: MetricOptions,
    no_cache: options.NoCache = False,
) -> ExitCode:
    """Say who is banned, and from where; remember it; say who was banned.

    Reads FILE or stdin, whatever tells who is banned; on a terminal, or with /dev/null as stdin, asks the
    running server. An empty pipe is an empty list: cron's is one, so lines for cron say --client. Bans of a
    log are all that it tells of, with when they ended.
    """
    settings = lookup.apply(ctx.obj)
    source.check()
    query = filters.query(time.time())
    alone = memory.replace(host=None) == MemoryOptions() and form == FormOptions()
    metrics.check(query, groups, alone=alone)
    if memory.of_the_past:
        if memory.record or memory.date is not None or source != NOWHERE or no_cache:
            raise UsageError(
                "--history reads what was recorded: leave --record, --date, --no-cache and all inputs out"
            )
        from geocli.cli.commands import bans_history  # only then

        query = query._replace(hosts=frozenset(memory.host or ()))
        question = bans_history.Question(query, groups, memory.new, memory.compare)
        return bans_history.show(settings, question, form)
    if memory.record:
        if groups != GroupOptions() or no_cache or form != FormOptions():
            raise UsageError(
                "--record shows nothing and needs the journal: leave --by, forms and --no-cache out"
            )
        from geocli.cli.commands import bans_record  # only then

        return bans_record.record(settings, source, query, memory.host, memory.date)
    if metrics.prometheus:
        return bans_metrics.show(
            settings, source, query, memory.host, metrics.output, most=groups.top, no_cache=no_cache
        )
    if memory.date is not None:
        raise UsageError("--date is for --record")
    if memory.host:
        raise UsageError("--host is for --history, and once for --record and --prometheus")
    return bans_list.show(settings, source, query, groups, form, no_cache=no_cache)

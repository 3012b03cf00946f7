"""What ``geocli bans`` shows of the history: its bans, groups of them, what changed, and what is new."""

import time
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans import changes
from geocli.bans.changes import COMPARED
from geocli.bans.history import COLUMNS, row_of
from geocli.bans.locator import AT_ONCE
from geocli.cli import options
from geocli.cli.age_notice import say_age_under_table
from geocli.cli.commands.bans_list import COUNTED, PIPED
from geocli.cli.output import Output, above_table, check_map, for_people
from geocli.cli.progress import Progress
from geocli.cli.session import finish, noting, open_history, say_if_empty
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.group_by import ADDRESS, Grouping, parse_by
from geocli.model.records import FIELDS, utc_text
from geocli.system.rows import SortedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from geocli.bans.history import History
    from geocli.cli.ban_options import GroupOptions
    from geocli.cli.options import FormOptions
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery
    from geocli.model.row_order import RowOrder

SHOWN = ("host", "jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")
NEW_GROUP = ("first_banned_at", "addresses", "bans")
NEW_ADDRESS = ("ip", "first_banned_at", "bans", *FIELDS[1:])
NEW_ADDRESS_PIPED = ("ip", "first_banned_at", "bans", "country_code", "country_name", "asn", "org")


class Question(NamedTuple):
    """What is asked of the history: which bans, by what, only what is ``new``, or two periods compared."""

    query: "BanQuery"
    groups: "GroupOptions"
    new: bool
    compare: str | None

    def check(self) -> None:
        """Raises ``UsageError`` for what does not go together."""
        by, of_changes = self.groups.grouping, self.new or self.compare is not None
        if self.groups.map and of_changes:
            raise UsageError("--map shows how many bans there are: leave --new and --compare out")
        if self.new and self.compare is not None:
            raise UsageError("give one of --new and --compare")
        if of_changes and by is not None and any(group.in_order for group in by.groups):
            raise UsageError(
                f"--{'new' if self.new else 'compare'} is about a time already: leave --by {by.name} out"
            )
        if self.new and self.query.since is None:
            raise UsageError("--new needs --since: what was not there before when?")
        if self.compare is not None and self.query.since is not None:
            raise UsageError("--compare says how long ago it begins: leave --since out")
        if not of_changes:
            self.groups.check_counts()
        elif self.groups.at_least > 1:
            raise UsageError("--at-least is for --by, without --new and --compare")

    @property
    def period(self) -> float | None:
        """The seconds that --compare says. Raises ``UsageError``."""
        period = None if self.compare is None else options.duration("--compare", self.compare)
        if period == 0:
            raise UsageError("--compare: a period of no time has no bans")
        return period


def show(settings: "Settings", question: Question, form: "FormOptions") -> ExitCode:
    """Print it. Raises ``UsageError`` for a form or a field that cannot be."""
    question.check()
    by, top, period = question.groups.grouping, question.groups.top, question.period
    form = check_map(by, form) if question.groups.map else form
    columns = _columns(question, by)
    # Of new addresses, what is known before each is looked up.
    order = options.row_order(
        question.groups.sort, NEW_ADDRESS[:3] if question.new and by is None else columns[0]
    )
    output = Output(form, settings, *columns)
    problems = Problems()
    with noting(problems):
        with Progress(settings) as progress, open_history(settings, problems, progress) as history:
            say_if_empty(history, settings)
            if period is not None:
                compared = _compared(history, question.query, by or parse_by("country"), period)
                for part in _Shown(top, order, history.directory).of(compared):
                    output.write(part)
            elif question.new:
                _show_new(history, question.query, by, _Shown(top, order, history.directory), output)
            elif by is not None:
                counted = history.count(question.query, by)
                if output.form == "table":
                    map_ = question.groups.map
                    output.write_text(above_table(by, counted, settings, output, map_=map_))
                for rows in counted.batches(top, question.groups.at_least, order):
                    output.write(for_people(by, rows, output))
            else:
                done = 0
                for bans in history.bans(question.query):
                    done += len(bans)
                    progress.show("bans", done)
                    output.write([row_of(ban) for ban in bans])
        output.finish()
        say_age_under_table(settings, output.form)
    return finish(problems)


def _columns(
    question: Question, by: Grouping | None
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """All columns, those in a pipe, and those in a table."""
    if question.compare is not None:
        columns = (*(by or parse_by("country")).names, *COMPARED)
    elif question.new and by is None:
        return NEW_ADDRESS, NEW_ADDRESS_PIPED, NEW_ADDRESS_PIPED
    elif by is None:
        return COLUMNS, PIPED, SHOWN
    else:
        columns = (*by.names, *(NEW_GROUP if question.new else COUNTED))
    return columns, columns, columns


def _compared(
    history: "History", query: "BanQuery", by: Grouping, period: float
) -> "Iterator[tuple[Any, ...]]":
    from datetime import datetime, timedelta

    # What began in this very second counts too.
    end = query.until or utc_text(time.time() + 1)
    try:
        begins = [
            utc_text((datetime.fromisoformat(end) - n * timedelta(seconds=period)).timestamp())
            for n in (1, 2)
        ]
    except OverflowError:
        raise UsageError("--compare: so long ago there was nothing") from None
    now = query._replace(since=begins[0], until=end)
    before = query._replace(since=begins[1], until=begins[0])
    return changes.compare(history, now, before, by)


class _Shown(NamedTuple):
    """How many rows are shown, and in which order. What is too much for memory goes into ``directory``."""

    top: int | None
    order: "RowOrder | None"
    directory: "Path"

    def of(self, rows: "Iterable[tuple[Any, ...]]") -> "Iterator[list[tuple[Any, ...]]]":
        rows = islice(rows if self.order is None else self._ordered(self.order, rows), self.top)
        while part := [*islice(rows, AT_ONCE)]:
            yield part

    def _ordered(self, order: "RowOrder", rows: "Iterable[tuple[Any, ...]]") -> "Iterator[tuple[Any, ...]]":
        found = SortedRows(self.directory)
        for place, row in enumerate(rows):
            found.add((order.key(row), place, row))
        for _, _, row in found:
            yield row


def _show_new(
    history: "History", query: "BanQuery", by: Grouping | None, shown: _Shown, output: Output
) -> None:
    found = changes.new(history, query, by or ADDRESS)
    if by is not None:
        rows = ((*count.values, count.first, count.addresses, count.bans) for count in found)
        for part in shown.of(rows):
            output.write(part)
        return
    for part in shown.of((count.values[0], count.first, count.bans) for count in found):
        records = history.locate(str(row[0]) for row in part)
        output.write([(*row, *records[str(row[0])][1:]) for row in part])

"""What ``geocli bans`` shows of the history: its bans, groups of them, what changed, and what is new."""

import time
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.current import HISTORY_GROUPS
from geocli.bans.history import COLUMNS, COMPARED, IN_TIME
from geocli.cli import options
from geocli.cli.console import ReaderGoneError, reporter, say
from geocli.cli.output import FormOptions, Output, above_table
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store, open_history
from geocli.model.errors import ExitCode, GeocliError, Problems, UsageError, worst_of
from geocli.model.records import FIELDS, utc_text
from geocli.storage.store.base import BanQuestion

if TYPE_CHECKING:
    from geocli.bans.current import Filter
    from geocli.bans.history import History
    from geocli.config.settings import Settings

PIPED = ("ip", "country_code", "country_name", "asn", "org")
SHOWN = ("host", "jail", "ip", "banned_at", "country_code", "country_name", "asn", "org")
NEW_GROUP = ("first_banned_at", "addresses", "bans")
NEW_ADDRESS = ("ip", "first_banned_at", "bans", *FIELDS[1:])
NEW_ADDRESS_PIPED = ("ip", "first_banned_at", "bans", "country_code", "country_name", "asn", "org")
_AT_ONCE = 4096  # new addresses that are located and shown at once


class Asked(NamedTuple):
    """What the options say about the history."""

    question: BanQuestion
    by: str | None
    top: int | None
    new: bool
    compare: float | None
    map: bool


def asked(
    wanted: "Filter",
    hosts: list[str] | None,
    by: str | None,
    top: int | None,
    new: bool,
    compare: str | None,
    map_: bool,
) -> Asked:
    """The options, where they make sense together. Raises ``UsageError``."""
    if by is not None and by not in HISTORY_GROUPS:
        raise UsageError(f"--by takes {', '.join(HISTORY_GROUPS)}, not {ascii(by)}")
    if map_ and (new or compare is not None):
        raise UsageError("--map shows how many bans there are: leave --new and --compare out")
    if new and compare is not None:
        raise UsageError("give one of --new and --compare")
    if (new or compare is not None) and by in IN_TIME:
        raise UsageError(f"--{'new' if new else 'compare'} is about a time already: leave --by {by} out")
    if new and wanted.since is None:
        raise UsageError("--new needs --since: what was not there before when?")
    if compare is not None and wanted.since is not None:
        raise UsageError("--compare says how long ago it begins: leave --since out")
    if top is not None and by is None and not new and compare is None:
        raise UsageError("--top is for --by")
    period = None if compare is None else options.duration("--compare", compare)
    if period == 0:
        raise UsageError("--compare: a period of no time has no bans")
    question = BanQuestion(
        wanted.since, wanted.until, frozenset(hosts or ()), wanted.jails, wanted.countries, wanted.asns
    )
    return Asked(question, by, top, new, period, map_)


def show(settings: "Settings", what: Asked, form: FormOptions) -> ExitCode:
    """Print it. Raises ``UsageError`` for a form or a field that cannot be."""
    output = Output(form, settings, *_columns(what))
    problems = Problems()
    try:
        with Progress(settings) as progress, journal_and_store(settings) as (journal, store):
            history = open_history(settings, journal, store, problems, reporter(settings, problems, progress))
            if what.compare is not None:
                output.write(_compared(history, what, what.compare)[: what.top])
            elif what.new:
                _show_new(history, what, output)
            elif what.by is not None:
                groups = history.count(what.question, what.by)
                if output.form == "table":
                    output.write_text(
                        above_table(what.by, groups.rows(None), settings, output, map_=what.map)
                    )
                output.write(groups.rows(what.top, by_name=what.by in IN_TIME))
            else:
                done = 0
                for bans in history.bans(what.question):
                    done += len(bans)
                    progress.show("bans", done)
                    output.write([ban.row for ban in bans])
        output.finish()
    except ReaderGoneError:
        pass
    except GeocliError as error:
        problems.note(error)
    for problem in problems:
        say(str(problem))
    return worst_of(problems) or ExitCode.OK


def _columns(what: Asked) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """All columns, those in a pipe, and those in a table."""
    if what.compare is not None:
        columns = (*HISTORY_GROUPS[what.by or "country"], *COMPARED)
    elif what.new and what.by is None:
        return NEW_ADDRESS, NEW_ADDRESS_PIPED, NEW_ADDRESS_PIPED
    elif what.by is None:
        return COLUMNS, PIPED, SHOWN
    else:
        columns = (*HISTORY_GROUPS[what.by], *(NEW_GROUP if what.new else ("addresses", "bans", "share")))
    return columns, columns, columns


def _compared(history: "History", what: Asked, period: float) -> list[tuple[object, ...]]:
    from datetime import datetime, timedelta

    # What began in this very second counts too.
    end = what.question.until or utc_text(time.time() + 1)
    try:
        begins = [
            utc_text((datetime.fromisoformat(end) - n * timedelta(seconds=period)).timestamp())
            for n in (1, 2)
        ]
    except OverflowError:
        raise UsageError("--compare: so long ago there was nothing") from None
    now = what.question._replace(since=begins[0], until=end)
    before = what.question._replace(since=begins[1], until=begins[0])
    return history.compare(now, before, what.by or "country")


def _show_new(history: "History", what: Asked, output: Output) -> None:
    found = history.new(what.question, what.by or "address")[: what.top]
    if what.by is not None:
        output.write([(*count.values, count.first, count.addresses, count.bans) for count in found])
        return
    for begin in range(0, len(found), _AT_ONCE):
        part = found[begin : begin + _AT_ONCE]
        records = history.locate(str(count.values[0]) for count in part)
        output.write(
            [(*count.values, count.first, count.bans, *records[str(count.values[0])][1:]) for count in part]
        )

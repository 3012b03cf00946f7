"""``geocli bans --record``: the bans of an input go into the history. For cron, and so silent."""

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

from geocli.bans.recorder import Recorder
from geocli.cli import options
from geocli.cli.commands.bans_list import read_located
from geocli.cli.console import write_text
from geocli.cli.progress import Progress
from geocli.cli.session import finish, host_name, noting, open_lookup
from geocli.inputs.ban_reader import Reading
from geocli.model.errors import ExitCode, Problems, UsageError

if TYPE_CHECKING:
    from geocli.cli.ban_options import BanInput
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery


def record(
    settings: "Settings",
    source: "BanInput",
    query: "BanQuery",
    hosts: list[str] | None,
    date: str | None,
) -> ExitCode:
    """Record them. ``date`` is the day of a log that tells none.

    Raises ``UsageError`` for more than one name of this machine, and for a date that is none.
    """
    host = host_name(settings, hosts)
    reading = Reading()
    if date is not None:
        reading.day = options.parsed("--date", _midnight, date)
    problems = Problems()
    with noting(problems):
        with Progress.without_rows(settings) as progress, open_lookup(settings, problems, progress) as lookup:
            assert lookup.cache is not None  # noqa: S101 (for mypy)
            recorder = Recorder(lookup.journal, lookup.cache, problems, host, time.time())
            for located in read_located(settings, lookup, source, query, problems, progress, reading):
                if reading.undated:  # the bans of a log come last, when all of it was read
                    raise UsageError(
                        f"nothing in the log says of which day its {reading.undated} events are:"
                        " --date 2026-11-23 does"
                    )
                recorder.record(located)
        if settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
            write_text(f"saw {recorder.seen} bans, of which {recorder.written} were new or had changed\n")
    return finish(problems)


def _midnight(text: str) -> int:
    day = datetime.strptime(text.strip(), "%Y-%m-%d")  # noqa: DTZ007 - the first moment of the local day
    return int(day.timestamp())

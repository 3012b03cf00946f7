"""``geocli bans --record``: the bans of an input go into the history. For cron, and so silent."""

import sys
import time
from typing import TYPE_CHECKING

from geocli.bans.recorder import Recorder
from geocli.cli import options
from geocli.cli.commands.bans_list import read_located
from geocli.cli.console import write_text
from geocli.cli.progress import Progress
from geocli.cli.session import finish, noting, open_lookup
from geocli.config.parsers import parse_name
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from geocli.cli.ban_options import BanInput
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery


def record(
    settings: "Settings",
    source: "BanInput",
    query: "BanQuery",
    hosts: list[str] | None,
) -> ExitCode:
    """Record them. Raises ``UsageError`` for more than one name of this machine."""
    if len(hosts or ()) > 1:
        raise UsageError("--host is for --history, and once for --record")
    host = _host(hosts, settings)
    problems = Problems()
    with noting(problems):
        with Progress(settings) as progress, open_lookup(settings, problems, progress) as lookup:
            assert lookup.cache is not None  # noqa: S101 (for mypy)
            recorder = Recorder(lookup.journal, lookup.cache, problems, host, time.time())
            for located in read_located(settings, lookup, source, query, problems, progress):
                recorder.record(located)
        if settings.verbose or (not settings.quiet and sys.stdout is not None and sys.stdout.isatty()):
            write_text(f"saw {recorder.seen} bans, of which {recorder.written} were new or had changed\n")
    return finish(problems)


def _host(names: list[str] | None, settings: "Settings") -> str:
    """What this machine is called in the history. Raises ``UsageError``."""
    if names:
        return options.parsed("--host", parse_name, names[0])
    if settings.host is not None:
        return settings.host
    import socket

    return clean_text(socket.gethostname()) or "localhost"

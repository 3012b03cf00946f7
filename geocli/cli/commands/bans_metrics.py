"""``geocli bans --prometheus``: how many are banned now of whom, for monitoring."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from geocli.bans.figures import MOST, HeldCounter, begun
from geocli.cli.ban_options import GroupOptions
from geocli.cli.commands.bans_list import read_located
from geocli.cli.metrics_file import Metrics, MetricsFile, write_metrics
from geocli.cli.progress import Progress
from geocli.cli.session import finish, host_name, noting, open_history, open_lookup
from geocli.model.errors import ExitCode, Problems, UsageError, worst_of
from geocli.model.value import Value

if TYPE_CHECKING:
    from geocli.bans.figures import Begun
    from geocli.cli.ban_options import BanInput
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery


class MetricOptions(Value):
    """Whether bans become figures for monitoring, and where those go."""

    prometheus: Metrics = False
    output: MetricsFile = None

    def check(self, query: "BanQuery", groups: GroupOptions, *, alone: bool) -> None:
        """Raises ``UsageError`` for what does not go together; ``alone``: nothing else is asked for."""
        if self.output is not None and not self.prometheus:
            raise UsageError("--output is for --prometheus")
        if not self.prometheus:
            return
        if not alone or groups.replace(top=None) != GroupOptions():
            raise UsageError(
                "--prometheus is a form by itself, of what is banned now: leave --record, --history, --by and"
                " forms out"
            )
        if query.needs_time:
            raise UsageError("--prometheus is about now: leave --since and --until out")


def show(
    settings: "Settings",
    source: "BanInput",
    query: "BanQuery",
    hosts: list[str] | None,
    output: Path | None,
    *,
    most: int | None,
    no_cache: bool,
) -> ExitCode:
    """Write the figures. Of half a list none are written: they would look right, and an old file is old.

    Raises ``UsageError`` for more than one name of this machine.
    """
    from geocli.output.status.ban_metrics import exposition

    host, now, problems = host_name(settings, hosts), time.time(), Problems()
    most = most or MOST
    with noting(problems):
        counter = HeldCounter(settings.data_dir, now)
        with (
            Progress.without_rows(settings) as progress,
            open_lookup(settings, problems, progress, no_cache=no_cache) as lookup,
        ):
            for located in read_located(settings, lookup, source, query, problems, progress):
                counter.add(located)
        if not worst_of(problems):
            past = None if no_cache else _past(settings, query, host, now, most, problems)
            write_metrics(exposition(counter.result(most), past, host, now), output)
    return finish(problems)


def _past(
    settings: "Settings", query: "BanQuery", host: str, now: float, most: int, problems: Problems
) -> "Begun | None":
    """What this machine's history has; ``None`` also where it cannot be read, which is noted."""
    found = None
    here = query._replace(hosts=frozenset({host}))
    with (
        noting(problems),
        Progress.without_rows(settings) as progress,
        open_history(settings, problems, progress) as past,
    ):
        found = begun(past, here, now, most)
    return found  # noqa: RET504 (where the history cannot be read, it is still None)

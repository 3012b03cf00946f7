"""What a report is about: who is banned now, all bans that were recorded, or the addresses of a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.cli import ban_options
from geocli.cli.commands.bans_list import read_located
from geocli.cli.inputs import Inputs
from geocli.cli.progress import InputMeter, Progress
from geocli.cli.session import Lookup, noting, open_history, open_lookup
from geocli.lookup.counter import TargetCounter
from geocli.model.errors import Problems, UsageError
from geocli.model.records import clean_text
from geocli.output.report.summary import Counted

if TYPE_CHECKING:
    from geocli.bans.history import History
    from geocli.cli.commands.report_advice import Adviser
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery
    from geocli.output.report.summary import Summary

STDIO = Path("-")
_MOST_FILES_NAMED = 3


class ReportSource(NamedTuple):
    """What the options name: a source of bans, ``logs``, or the ``history`` (of ``hosts``, or all).

    ``now`` is seconds since the epoch, ``period`` what a bar stands for.
    """

    source: ban_options.BanInput
    logs: list[Path] | None
    history: bool
    hosts: list[str] | None
    filters: ban_options.BanFilters
    wanted: BanQuery
    now: float
    period: str | None
    no_cache: bool

    def check(self) -> None:
        """Raises ``UsageError`` when the options name more than one, or what does not go together."""
        self.source.check()
        has_source = self.source != ban_options.NOWHERE
        about_bans = has_source or self.history or self.wanted.jails or self.wanted.needs_time
        if self.logs and (about_bans or self.period):
            raise UsageError("--log takes no option that is about bans: no source, jail or time")
        if self.history and (has_source or self.no_cache):
            raise UsageError("--history reads what was recorded: leave --no-cache and all inputs out")
        if self.hosts and not self.history:
            raise UsageError("--host is for --history")

    @property
    def unit(self) -> str:
        """What is counted."""
        return "hit" if self.logs else "ban"

    @property
    def inputs(self) -> int:
        """How many files or pipes it is read from."""
        return len(self.logs or self.source.paths or [STDIO]) if not self.history else 0

    @property
    def title(self) -> str:
        """What stands above a report that has no other title."""
        if self.logs:
            return "Who is in the log, and from where"
        return f"Who {'was' if self.history else 'is'} banned, and from where"

    @property
    def nothing(self) -> str:
        """What a report says that has nothing to count."""
        if self.logs:
            return "There is no address in it."
        return "No ban was recorded." if self.history else "Nobody is banned."

    def origin(self) -> str:
        """Where it is read, for people. To be asked before reading: stdin is empty afterwards."""
        if self.logs:
            return _files(self.logs)
        if self.history:
            return "the bans that were recorded"
        if self.source.database is not None:
            return f"fail2ban's database {clean_text(str(self.source.database))}"
        if self.source.asks_server:
            return "the running fail2ban server"
        return _files(self.source.paths or [STDIO])

    def filtered(self) -> list[str]:
        """What the filters say, for people; times as they were typed."""
        wanted = self.wanted
        said = [
            ("host", sorted(self.hosts or ())),
            ("jail", sorted(wanted.jails)),
            ("country", sorted(wanted.countries)),
            ("AS", [str(number) for number in sorted(wanted.asns)]),
            ("since", [self.filters.since or ""]),
            ("until", [self.filters.until or ""]),
        ]
        return [f"{name} {clean_text(', '.join(values))}" for name, values in said if any(values)]

    @property
    def asked_server(self) -> bool:
        """Whether the bans are those of the running server."""
        return not self.logs and not self.history and self.source.asks_server

    @property
    def is_piped(self) -> bool:
        """Whether the bans come from standard input."""
        named = self.logs or self.history or self.asked_server or self.source.database is not None
        return not named and self.source.paths in ([], [STDIO])

    def summary(
        self, settings: Settings, problems: Problems, adviser: Adviser | None, *, anonymous: bool
    ) -> Summary:
        """Read, look up and count it all. What cannot be read to its end is noted in ``problems``.

        ``adviser``, if there is one, hears of all bans.
        """
        summary = None
        counted = Counted(settings.data_dir, anonymous=anonymous)
        with noting(problems), Progress.without_rows(settings) as progress:
            if self.history:
                with open_history(settings, problems, progress) as history:
                    summary = self._past(history, progress, adviser, anonymous=anonymous)
            else:
                with open_lookup(settings, problems, progress, no_cache=self.no_cache) as lookup:
                    self._present(settings, lookup, counted, adviser, problems, progress)
        return summary or counted.summary(self.now, self.wanted.since, self.period)

    def _present(
        self,
        settings: Settings,
        lookup: Lookup,
        counted: Counted,
        adviser: Adviser | None,
        problems: Problems,
        progress: Progress,
    ) -> None:
        if not self.logs:
            for located in read_located(settings, lookup, self.source, self.wanted, problems, progress):
                for ban in located:
                    counted.add_ban(ban)
                if adviser is not None:
                    adviser.add(located)
            return
        meter = InputMeter(progress, self.logs)
        counter = TargetCounter(settings.data_dir, problems, lambda count: meter.found("addresses", count))
        inputs = Inputs(self.logs, problems, settings)
        inputs.watch = meter.read
        hits = counter.count(inputs.streams())
        inputs.say_if_nothing_found()
        done = 0
        for batch in hits.batches(lookup.resolver.batch_size):
            for records in lookup.pipeline.records([*batch]):
                for record in filter(self.wanted.keeps, records):
                    counted.add_hits(record, batch[record.ip])
            done += len(batch)
            progress.show("looking up", done, len(hits))

    def _past(
        self, history: History, progress: Progress, adviser: Adviser | None, *, anonymous: bool
    ) -> Summary:
        from geocli.output.report.history_summary import history_summary

        question = self.wanted._replace(hosts=frozenset(self.hosts or ()))

        def told(done: int, total: int) -> None:
            progress.show("counting bans, steps", done, total)

        counted = history_summary(
            history, question, self.now, self.period, anonymous=anonymous, progress=told
        )
        if adviser is not None:
            adviser.ask(history, question, self.now)
        return counted


def _files(paths: list[Path]) -> str:
    names = ["standard input" if path == STDIO else clean_text(str(path)) for path in paths]
    more = len(names) - _MOST_FILES_NAMED
    return ", ".join(names[:_MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")

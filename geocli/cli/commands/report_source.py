"""What a report is about: who is banned now, all bans that were recorded, or the addresses of a log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.current import Filter, Locator
from geocli.cli import ban_options
from geocli.cli.console import reporter
from geocli.cli.progress import Progress
from geocli.cli.session import journal_and_store, open_history
from geocli.inputs.targets import open_streams
from geocli.lookup.cache import Cache
from geocli.lookup.counter import TargetCounter
from geocli.lookup.pipeline import Pipeline
from geocli.lookup.resolver import Resolver
from geocli.model.errors import GeocliError, Problems, UsageError
from geocli.model.records import clean_text
from geocli.output.report.summary import Counted, with_all_news
from geocli.providers.base import load_provider
from geocli.storage.store.base import BanQuestion

if TYPE_CHECKING:
    from geocli.bans.history import History
    from geocli.config.settings import Settings
    from geocli.output.report.summary import Summary

STDIO = Path("-")
_MOST_FILES_NAMED = 3


class ReportSource(NamedTuple):
    """What the options name: a source of bans, ``logs``, or the ``history`` (of ``hosts``, or all).

    ``now`` is seconds since the epoch, ``period`` what a bar stands for.
    """

    source: ban_options.BanSource
    logs: list[Path] | None
    history: bool
    hosts: list[str] | None
    wanted: Filter
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
        return _files(self.source.inputs or [STDIO])

    def filters(self, since: str | None, until: str | None) -> list[str]:
        """What the filters say, for people; times as they were typed."""
        wanted = self.wanted
        said = [
            ("host", sorted(self.hosts or ())),
            ("jail", sorted(wanted.jails)),
            ("country", sorted(wanted.countries)),
            ("AS", [str(number) for number in sorted(wanted.asns)]),
            ("since", [since] if since else []),
            ("until", [until] if until else []),
        ]
        return [f"{name} {clean_text(', '.join(values))}" for name, values in said if values]

    def picture(self, settings: Settings, counted: Counted, problems: Problems) -> Summary:
        """Read, look up and count it all. What cannot be read to its end is noted in ``problems``."""
        picture = None
        try:
            with Progress(settings) as progress, journal_and_store(settings) as (journal, store):
                if self.history:
                    reports = reporter(settings, problems, progress)
                    history = open_history(settings, journal, store, problems, reports)
                    picture = self._past(history, counted, progress)
                else:
                    cache = None if self.no_cache else Cache(journal, store, problems)
                    self._present(settings, cache, counted, problems, progress)
        except GeocliError as error:
            problems.note(error)
        return picture or counted.picture(self.now, self.wanted.since, self.period)

    def _present(
        self,
        settings: Settings,
        cache: Cache | None,
        counted: Counted,
        problems: Problems,
        progress: Progress,
    ) -> None:
        chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
        resolver = Resolver(chain, cache, settings, reporter(settings, problems, progress))
        pipeline, size = Pipeline(resolver, cache, lambda _: b"", problems), resolver.batch_size
        if not self.logs:
            locator, untimed = Locator(pipeline, size), 0
            for found in self.source.read(sorted(self.wanted.jails), problems):
                untimed += self.wanted.needs_time and sum(ban.banned_at is None for ban in found)
                for ban in locator.locate(found, self.wanted):
                    counted.add_ban(ban)
                progress.show("bans", counted.total)
            if untimed:
                said = f"--since and --until leave {untimed} bans out: the input does not say when they began"
                problems.note(UsageError(said))
            return
        counting = TargetCounter(problems, lambda count: progress.show("addresses", count))
        hits = counting.count(open_streams(self.logs, sys.stdin, problems))
        addresses = list(hits)
        for begin in range(0, len(addresses), size):
            for records in pipeline.records(addresses[begin : begin + size]):
                for record in filter(self.wanted.keeps, records):
                    counted.add_hits(record, hits[record.ip])
            progress.show("looking up", begin, len(addresses))

    def _past(self, history: History, counted: Counted, progress: Progress) -> Summary:
        wanted = self.wanted
        hosts = frozenset(self.hosts or ())
        question = BanQuestion(wanted.since, wanted.until, hosts, wanted.jails, wanted.countries, wanted.asns)
        for bans in history.bans(question):
            for ban in bans:
                counted.add_past(ban)
            progress.show("bans", counted.total)
        return with_all_news(counted.picture(self.now, wanted.since, self.period), history, question)


def _files(paths: list[Path]) -> str:
    names = ["standard input" if path == STDIO else clean_text(str(path)) for path in paths]
    more = len(names) - _MOST_FILES_NAMED
    return ", ".join(names[:_MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")

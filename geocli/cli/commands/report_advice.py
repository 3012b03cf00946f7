"""What a report says to do now: a small advice out of its bans, which is that of ``geocli advise``."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from geocli.bans.advice.advice import Terms
from geocli.bans.advice.gathered import Gathered
from geocli.cli.commands.advise_evidence import Addresses, Bans, Matter, allow_list
from geocli.model.errors import Problems, worst_of
from geocli.model.group_by import EVIDENCE
from geocli.model.records import clean_text, utc_text
from geocli.output import advice as words
from geocli.output.report.todo import NetworkToBan, ToDo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.bans.history import History
    from geocli.cli.commands.advise_options import Spare
    from geocli.cli.commands.report_source import ReportSource
    from geocli.config.settings import Settings
    from geocli.model.bans import BanQuery, LocatedBan

DAYS = 30
"""Of a history, bans of so many days count: those before hardly weigh, and there may be years of them."""

_DAY = 86400
_MOST_BANS = 50_000  # what there is time and room for beside the rest of a page
_MORE_RULES = 100  # what the budget is compared with


class Adviser:
    """Collects the bans of a report, and says what to do about them. ``budget`` is the most networks."""

    def __init__(self, source: ReportSource, spare: Spare, budget: int, settings: Settings) -> None:
        self._source = source
        self._spare = spare
        self._budget = budget
        self._settings = settings
        self._addresses = Addresses(Gathered())
        self._is_too_much = False
        self._since: str | None = source.filters.since

    def add(self, located: Sequence[LocatedBan]) -> None:
        """Take in bans of a list."""
        if not self._is_too_much:
            self._addresses.add(located)
            self._stop_at_too_much()

    def ask(self, history: History, question: BanQuery, now: float) -> None:
        """Take in what was recorded lately. Raises ``GeocliError``."""
        begin = utc_text(now - DAYS * _DAY)
        if question.since is None or question.since < begin:
            question, self._since = question._replace(since=begin), f"{DAYS}d"
        for count in history.parts(question, EVIDENCE):
            ip, code, _, asn, org, _, ban_count = count.values
            place = self._addresses.place(ip, code, asn, org)
            if place is not None:
                for _ in range(min(count.bans, _MOST_BANS + 1)):  # more are too much, whoever has them
                    self._addresses.gathered.add(place[0], count.last, ban_count, place[1])
            self._stop_at_too_much()
            if self._is_too_much:
                break

    def _stop_at_too_much(self) -> None:
        """Keep nothing of more bans than can be judged."""
        if len(self._addresses.gathered) > _MOST_BANS:
            self._is_too_much = True
            self._addresses = Addresses(Gathered())

    def result(self, problems: Problems) -> ToDo | None:
        """What to do, or why that cannot be said; ``None`` where there is nothing to say.

        What is wrong with --allow and --allow-log is noted in ``problems``; that fail2ban cannot be asked
        whom it ignores is for whoever reads the page. Raises ``GeocliError``.
        """
        gathered = self._addresses.gathered
        if not (gathered or self._is_too_much):
            return None
        command = self._command()
        if self._is_too_much:
            note = f"There are more than {_MOST_BANS:,} bans, too many to judge beside a page."
            return ToDo((), "", command, notes=[note])
        bans = Bans.of(gathered)
        remarks = Problems()
        allow, holders = allow_list(
            self._spare, self._source.source, bans, os.environ.get("SSH_CLIENT"), remarks
        )
        notes = [clean_text(str(remark)) for remark in remarks]
        if worst_of(remarks):
            for remark in remarks:
                problems.note(remark)
            return None
        matter = Matter(bans, allow, holders, self._settings, Terms(self._budget))
        advice = matter.advice((self._budget, _MORE_RULES))
        rows = [
            NetworkToBan(
                *(str(found.prefix), found.holder.org, found.holder.kind, found.addresses, found.bans),
                *(found.bans / advice.bans, found.prefix.units),
            )
            for found in advice.networks
        ]
        sentence = words.sentence(advice, bans.days, self._budget)
        return ToDo(rows, sentence, command, len(advice.left_out), notes)

    def _command(self) -> str:
        """The line that prints the same networks as rules."""
        given, filters = self._source.source, self._source.filters
        options: list[tuple[str, Iterable[object]]] = [
            ("--database", [given.database] if given.database is not None else []),
            ("--bantime", [given.bantime] if given.bantime is not None else []),
            ("--fail2ban-client", [given.program] if given.program is not None else []),
            ("--socket", [given.socket] if given.socket is not None else []),
            ("--host", self._source.hosts or ()),
            ("--jail", filters.jail or ()),
            ("--country", filters.country or ()),
            ("--asn", filters.asn or ()),
            ("--since", [self._since] if self._since is not None else []),
            ("--until", [filters.until] if filters.until is not None else []),
            ("--allow", self._spare.allow or ()),
            ("--allow-log", self._spare.allow_log or ()),
        ]
        parts = ["geocli", "advise", *map(str, given.paths)]
        parts += [
            part for part, is_there in (("--history", self._source.history), ("--all", given.all)) if is_there
        ]
        if self._source.asked_server:
            parts.append("--client")
        parts += [part for name, values in options for value in values for part in (name, str(value))]
        line = shlex.join([*parts, "--budget", str(self._budget), "--format", "nft"])
        return clean_text(f"… | {line}" if self._source.is_piped else line)

"""Which bans a command is about: the options that say where they are read, and which of them count."""

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.config.parsers import parse_duration, parse_moment
from geocli.inputs.choices import told_by
from geocli.inputs.targets import open_streams
from geocli.model.bans import BanQuery
from geocli.model.errors import UsageError
from geocli.model.group_by import GROUPS, Grouping, parse_by
from geocli.model.records import utc_text
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.inputs.ban_reader import Reading
    from geocli.model.bans import Ban
    from geocli.model.errors import Problems

NEEDS_HISTORY = frozenset({"host"})
"""Groups that a list cannot tell: it does not say which machine banned."""


Program = Annotated[
    str | None,
    typer.Option(
        "--fail2ban-client",
        metavar="PATH",
        help="The program that asks the running server.",
        show_default="PATH's",
    ),
]
Socket = Annotated[Path | None, typer.Option("--socket", metavar="FILE", help="The server's socket.")]


class BanInput(Value):
    """Where bans are read."""

    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="What tells who is banned, also compressed; - is stdin. "
            f"Read are: {told_by()}; and plain lists.",
            show_default=False,
        ),
    ] = None
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="The same as FILE.",
        ),
    ] = None
    database: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="fail2ban's SQLite database.")
    ] = None
    all: Annotated[
        bool,
        typer.Option("--all", help="With fail2ban's database: every ban it knows, not those of now."),
    ] = False
    bantime: Annotated[
        str | None,
        typer.Option(
            "--bantime",
            metavar="DURATION",
            help="How long a ban lasts, for a database of fail2ban 0.9 or 0.10, which does not say it: 10m.",
        ),
    ] = None
    client: Annotated[bool, typer.Option("--client", help="Ask the running server, whatever stdin is.")] = (
        False
    )
    program: Program = None
    socket: Socket = None

    def check(self) -> None:
        """Raises ``UsageError`` when the options name more than one place."""
        if sum((bool(self.paths), self.database is not None, self.client)) > 1:
            raise UsageError("give one of FILE, --database and --client")
        if (self.all or self.seconds is not None) and self.asks_server:
            raise UsageError("--all and --bantime are for fail2ban's database")

    @property
    def paths(self) -> list[Path]:
        """The files; empty where the options name none."""
        return [*(self.files or ()), *(self.inputs or ())]

    @property
    def read_from(self) -> list[Path]:
        """The files to read, standard input for one; none where a database or a server is asked."""
        return [] if self.database is not None or self.asks_server else self.paths or [Path("-")]

    @property
    def seconds(self) -> float | None:
        """What --bantime says. Raises ``UsageError``."""
        return None if self.bantime is None else options.parsed("--bantime", parse_duration, self.bantime)

    @property
    def asks_server(self) -> bool:
        """Whether the bans come from the running server."""
        if self.database is not None or self.paths:
            return False
        return bool(self.client or self.program or self.socket or _has_no_stdin())

    def read(
        self,
        jails: "frozenset[str]",
        problems: "Problems",
        reading: "Reading",
        watch: "Callable[[int], None]" = lambda _: None,
    ) -> "Iterator[Sequence[Ban]]":
        """The bans, in batches. Raises ``GeocliError``; what stops no other input is noted.

        ``reading`` learns what was understood of inputs, ``watch`` hears how many bytes were read each time.
        """
        if self.database is not None:
            from geocli.inputs.fail2ban.database import DatabaseQuestion, read_database

            answer = read_database(self.database, DatabaseQuestion(reading.now, self.seconds, self.all))
            for remark in answer.remarks:
                problems.mention(UsageError(remark))
            yield from answer.batches()
        elif not self.asks_server:
            from geocli.inputs.bans import read_bans

            reading.bantime, reading.everything = self.seconds, self.all
            yield from read_bans(open_streams(self.read_from, sys.stdin, problems, watch), problems, reading)
        else:
            from geocli.inputs.fail2ban.client import ask_server

            for jail in sorted(jails) or (None,):
                yield ask_server(self.program, self.socket, jail)


NOWHERE = BanInput()
"""What no option says anything about."""


class BanFilters(Value):
    """Which bans count."""

    jail: Annotated[
        list[str] | None, typer.Option("--jail", metavar="NAME", help="Only this jail; may be repeated.")
    ] = None
    country: Annotated[
        list[str] | None,
        typer.Option("--country", metavar="CC[,CC...]", help="Only these countries, by code or name."),
    ] = None
    asn: Annotated[
        list[str] | None, typer.Option("--asn", metavar="N[,N...]", help="Only these AS numbers.")
    ] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Banned since: 24h, 7d, or 2026-11-23T12:00."),
    ] = None
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Banned before: 24h, 7d, or 2026-11-23T12:00."),
    ] = None

    def query(self, now: float) -> BanQuery:
        """Return what they say. Raises ``UsageError``."""
        codes = frozenset(
            options.parsed("--country", options.country, text)
            for texts in self.country or ()
            for text in texts.split(",")
        )
        numbers = frozenset(
            options.parsed("--asn", options.asn, text)
            for texts in self.asn or ()
            for text in texts.split(",")
        )
        begin, end = _moment("--since", self.since, now), _moment("--until", self.until, now)
        if begin is not None and end is not None and begin >= end:
            raise UsageError("--since is not before --until")
        return BanQuery(begin, end, jails=frozenset(self.jail or ()), countries=codes, asns=numbers)


class LeftOut:
    """Counts what filters could not be asked of, because the input does not tell it."""

    def __init__(self, query: BanQuery) -> None:
        self._query = query
        self._bans = self._with_jail = self._undated = self._unsure = 0

    def add(self, found: "Iterable[Ban]") -> None:
        """Look at bans that were read, before they are filtered."""
        query = self._query
        if not (query.jails or query.needs_time):
            return
        for ban in found:
            self._bans += 1
            self._with_jail += ban.jail is not None
            if query.needs_time and ban.banned_at is None and query.has_jail(ban):
                if ban.held_at is None:
                    self._undated += 1
                else:
                    self._unsure += query.is_unsure(ban)

    def note(self, problems: "Problems") -> None:
        """Say what was left out: an error where the input tells nothing of what was asked for."""
        if self._query.jails and self._bans and not self._with_jail:
            problems.note(UsageError("--jail cannot be asked of this input: it does not tell jails"))
        filters = " and ".join(
            name for name, at in (("--since", self._query.since), ("--until", self._query.until)) if at
        )
        if self._undated:
            said = f"{filters} left out {self._undated} bans: the input does not say when they began"
            problems.note(UsageError(said))
        if self._unsure:
            said = f"{filters} left out {self._unsure} bans that began before the log does"
            problems.mention(UsageError(said))


class GroupOptions(Value):
    """By what bans are counted, and how much of that is shown."""

    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="|".join(GROUPS),
            help="Count bans and addresses by this, or by several with commas between; host with --history. "
            "A network is what a database has one answer for: which to ban is what advise says.",
        ),
    ] = None
    map: Annotated[bool, typer.Option("--map", help="With --by country: draw the world above the table.")] = (
        False
    )
    top: options.Top = None
    sort: options.Sort = None
    at_least: Annotated[
        int, typer.Option("--at-least", metavar="N", min=1, help="With --by: only groups of N bans or more.")
    ] = 1

    def check_counts(self) -> None:
        """Raises ``UsageError`` where nothing is counted that could be left out."""
        for name, given in (
            ("--top", self.top is not None),
            ("--sort", self.sort is not None),
            ("--at-least", self.at_least > 1),
        ):
            if given and self.by is None:
                raise UsageError(f"{name} is for --by")

    @property
    def grouping(self) -> Grouping | None:
        """What --by says. Raises ``UsageError``."""
        return None if self.by is None else options.parsed("--by", parse_by, self.by)


def _moment(option: str, text: str | None, now: float) -> str | None:
    if text is None:
        return None
    return utc_text(options.parsed(option, lambda text: parse_moment(text, now), text))


def _has_no_stdin() -> bool:
    """Whether stdin is nobody's: a terminal, ``/dev/null``, closed. A pipe is somebody's, even if empty."""
    try:
        if sys.stdin is None or sys.stdin.isatty():
            return True
        status = os.fstat(sys.stdin.fileno())
        return stat.S_ISCHR(status.st_mode) and status.st_rdev == Path(os.devnull).stat().st_rdev
    except (OSError, ValueError):
        return True

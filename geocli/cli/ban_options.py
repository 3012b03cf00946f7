"""Which bans a command is about: the options that say where they are read, and which of them count."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from geocli.cli import options
from geocli.config.parsers import parse_moment
from geocli.inputs.targets import open_streams
from geocli.model.bans import BanQuery
from geocli.model.errors import UsageError
from geocli.model.group_by import GROUPS, Grouping, parse_by
from geocli.model.records import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.model.bans import Ban
    from geocli.model.errors import Problems

NEEDS_HISTORY = frozenset({"host"})
"""Groups that a list cannot tell: it does not say which machine banned."""


class BanInput(NamedTuple):
    """Where bans are read."""

    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="What fail2ban-client printed, fail2ban.log (also .gz) or a list; - is stdin.",
        ),
    ] = None
    database: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="fail2ban's SQLite database.")
    ] = None
    client: Annotated[bool, typer.Option("--client", help="Ask the running server, whatever stdin is.")] = (
        False
    )
    program: Annotated[
        str | None,
        typer.Option(
            "--fail2ban-client", metavar="PATH", help="The program that asks it.", show_default="PATH's"
        ),
    ] = None
    socket: Annotated[Path | None, typer.Option("--socket", metavar="FILE", help="The server's socket.")] = (
        None
    )

    def check(self) -> None:
        """Raises ``UsageError`` when the options name more than one place."""
        if sum((bool(self.inputs), self.database is not None, self.client)) > 1:
            raise UsageError("give one of --input, --database and --client")

    @property
    def asks_server(self) -> bool:
        """Whether the bans come from the running server."""
        if self.database is not None or self.inputs:
            return False
        return bool(self.client or self.program or self.socket or _is_empty_stdin())

    def read(self, jails: "frozenset[str]", problems: "Problems") -> "Iterator[list[Ban]]":
        """The bans, in batches. Raises ``GeocliError``; what stops no other input is noted."""
        if self.database is not None:
            from geocli.inputs.fail2ban.database import read_database

            yield read_database(self.database, time.time())
        elif not self.asks_server:
            from geocli.inputs.bans import read_bans

            paths = self.inputs or [Path("-")]
            yield from read_bans(open_streams(paths, sys.stdin, problems), problems)
        else:
            from geocli.inputs.fail2ban.client import ask_server

            for jail in sorted(jails) or (None,):
                yield ask_server(self.program, self.socket, jail)


NOWHERE = BanInput()
"""What no option says anything about."""


class BanFilters(NamedTuple):
    """Which bans count."""

    jail: Annotated[
        list[str] | None, typer.Option("--jail", metavar="NAME", help="Only this jail; may be repeated.")
    ] = None
    country: Annotated[
        list[str] | None, typer.Option("--country", metavar="CC[,CC...]", help="Only these countries.")
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
        codes = frozenset(text.strip().upper() for texts in self.country or () for text in texts.split(","))
        numbers = frozenset(
            options.parsed("--asn", _asn, text) for texts in self.asn or () for text in texts.split(",")
        )
        begin, end = _moment("--since", self.since, now), _moment("--until", self.until, now)
        if begin is not None and end is not None and begin >= end:
            raise UsageError("--since is not before --until")
        return BanQuery(begin, end, jails=frozenset(self.jail or ()), countries=codes, asns=numbers)

    def untimed(self, count: int) -> UsageError:
        """Return what to say when so many bans were left out that have no time."""
        given = [name for name, at in (("--since", self.since), ("--until", self.until)) if at is not None]
        return UsageError(
            f"{' and '.join(given)} left out {count} bans: the input does not say when they began"
        )


class GroupOptions(NamedTuple):
    """By what bans are counted, and how much of that is shown."""

    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="|".join(GROUPS),
            help="Count bans and addresses by this, or by several with commas between; host with --history.",
        ),
    ] = None
    map: Annotated[bool, typer.Option("--map", help="With --by country: draw the world above the table.")] = (
        False
    )
    top: options.Top = None

    @property
    def grouping(self) -> Grouping | None:
        """What --by says. Raises ``UsageError``."""
        return None if self.by is None else options.parsed("--by", parse_by, self.by)


def _moment(option: str, text: str | None, now: float) -> str | None:
    if text is None:
        return None
    return utc_text(options.parsed(option, lambda text: parse_moment(text, now), text))


def _asn(text: str) -> int:
    from geocli.model.normalize import asn as parse_asn  # and with it the list of countries

    number = parse_asn(text.strip())
    if number is None:
        raise ValueError(f"{ascii(text[:40])} is no AS number")
    return number


def _is_empty_stdin() -> bool:
    """Whether nobody says anything on stdin: a terminal, cron's. fail2ban-client never prints nothing."""
    try:
        return sys.stdin is None or sys.stdin.isatty() or not sys.stdin.buffer.peek(1)  # type: ignore[union-attr]  # buffered
    except (OSError, ValueError):
        return True

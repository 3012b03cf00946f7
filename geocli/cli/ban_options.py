"""Which bans a command is about: the options that say where they are read, and which of them count."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from geocli.bans.current import Filter
from geocli.cli import options
from geocli.config.parsers import parse_moment
from geocli.inputs.targets import open_streams
from geocli.model.errors import UsageError
from geocli.model.records import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.model.bans import Ban
    from geocli.model.errors import Problems

Inputs = Annotated[
    list[Path] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="FILE",
        help="What fail2ban-client printed, fail2ban.log (also .gz) or a list; - is stdin.",
    ),
]
Database = Annotated[
    Path | None, typer.Option("--database", metavar="FILE", help="fail2ban's SQLite database.")
]
Client = Annotated[bool, typer.Option("--client", help="Ask the running server, whatever stdin is.")]
Program = Annotated[
    str | None,
    typer.Option(
        "--fail2ban-client", metavar="PATH", help="The program that asks it.", show_default="PATH's"
    ),
]
Socket = Annotated[Path | None, typer.Option("--socket", metavar="FILE", help="The server's socket.")]
Jail = Annotated[
    list[str] | None, typer.Option("--jail", metavar="NAME", help="Only this jail; may be repeated.")
]
Country = Annotated[
    list[str] | None, typer.Option("--country", metavar="CC[,CC...]", help="Only these countries.")
]
Asn = Annotated[list[str] | None, typer.Option("--asn", metavar="N[,N...]", help="Only these AS numbers.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Banned since: 24h, 7d, or 2026-11-23T12:00."),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Banned before: 24h, 7d, or 2026-11-23T12:00.")
]


class BanSource(NamedTuple):
    """Where bans are read, as the options say it."""

    inputs: list[Path] | None
    database: Path | None
    client: bool
    program: str | None
    socket: Path | None

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

    def read(self, jails: list[str] | None, problems: "Problems") -> "Iterator[list[Ban]]":
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

            for jail in jails or (None,):
                yield ask_server(self.program, self.socket, jail)


NOWHERE = BanSource(None, None, False, None, None)
"""What no option says anything about."""


def filter_of(
    jails: list[str] | None,
    countries: list[str] | None,
    asns: list[str] | None,
    since: str | None,
    until: str | None,
    now: float,
) -> Filter:
    """What --jail, --country, --asn, --since and --until say. Raises ``UsageError``."""
    codes = frozenset(text.strip().upper() for texts in countries or () for text in texts.split(","))
    numbers = frozenset(
        options.parsed("--asn", _asn, text) for texts in asns or () for text in texts.split(",")
    )
    begin, end = _moment("--since", since, now), _moment("--until", until, now)
    if begin is not None and end is not None and begin >= end:
        raise UsageError("--since is not before --until")
    return Filter(frozenset(jails or ()), codes, numbers, begin, end)


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

"""The options that several commands have. Help texts stand here once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from geocli.config.parsers import parse_duration, parse_names, parse_timeout
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geocli.config.settings import Settings

_T = TypeVar("_T")

Json = Annotated[bool, typer.Option("--json", "-j", help="JSON Lines: one object per line.")]
Csv = Annotated[bool, typer.Option("--csv", "-c", help="CSV (RFC 4180) with a header.")]
Tsv = Annotated[bool, typer.Option("--tsv", help="All fields, tab-separated, with a header.")]
TableFlag = Annotated[bool, typer.Option("--table", help="The table, also when piped.")]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="Leave the header of --csv, --tsv or --table out.")
]
Field = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        "-f",
        metavar="NAME[,NAME...]",
        help="Only these fields; bare values unless a form is given.",
    ),
]
Template = Annotated[
    str | None,
    typer.Option("--template", "-t", metavar="TEXT", help="One line per row, such as '{ip} {country_code}'."),
]

Provider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        metavar="NAME[,NAME...]",
        help="Who is asked, in this order: mmdb, ip-api, country-is, ipinfo.",
        show_default="mmdb",
    ),
]
Mmdb = Annotated[
    list[Path] | None,
    typer.Option("--mmdb", metavar="FILE", help="Ask these database files instead of the embedded one."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write journal and store.")]
Top = Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="Only the N largest.")]
MaxWait = Annotated[
    str | None,
    typer.Option("--max-wait", metavar="TIME", help="Wait no longer for an online source's limit: 30s, 5m."),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="TIME", help="How long an online source may be silent.", show_default="10s"
    ),
]


def apply(
    settings: "Settings",
    provider: str | None,
    mmdb: list[Path] | None,
    max_wait: str | None,
    timeout: str | None,
) -> "Settings":
    """The settings with what these options say. Raises ``UsageError``."""
    if provider is not None:
        settings = settings._replace(provider=parsed("--provider", parse_names, provider))
    if mmdb:
        settings = settings._replace(mmdb=tuple(mmdb))
    if max_wait is not None:
        settings = settings._replace(max_wait=parsed("--max-wait", parse_duration, max_wait))
    if timeout is not None:
        settings = settings.with_timeout(parsed("--timeout", parse_timeout, timeout))
    return settings


def duration(option: str, text: str) -> float:
    """The seconds that an option says. Raises ``UsageError``."""
    return parsed(option, parse_duration, text)


def parsed(option: str, parse: "Callable[[str], _T]", text: str) -> _T:
    """The value of an option. Raises ``UsageError``."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None

"""The options that several commands have. Help texts stand here once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from geocli.cli.option_groups import option
from geocli.config.sources import PROVIDERS
from geocli.model.errors import UsageError
from geocli.model.value import Value
from geocli.output.formats.choices import FORMATS, FormatChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from inspect import Parameter

    from geocli.config.settings import Settings
    from geocli.model.row_order import RowOrder

_T = TypeVar("_T")

Json = Annotated[bool, typer.Option("--json", "-j", help="JSON Lines: one object per line.")]


class FormOptions(Value):
    """In which form rows are shown: an option for each of ``FORMATS``, and what goes with them.

    ``forms`` are those that were asked for, ``value`` is what was given with one that takes a value.
    """

    forms: tuple[str, ...] = ()
    value: str | None = None
    no_header: bool = False
    field: tuple[str, ...] = ()

    @classmethod
    def parameters(cls) -> "list[Parameter]":
        """The options, for Typer."""
        with_header = ", ".join(f"--{form.name}" for form in FORMATS if form.has_header)
        header = typer.Option("--no-header", help=f"Leave the header of {with_header} out.")
        fields = typer.Option(
            "--field",
            "-f",
            metavar="NAME[,NAME...]",
            help="Only these fields; bare values unless a form is given.",
        )
        simple = [form for form in FORMATS if form.metavar is None]
        valued = [form for form in FORMATS if form.metavar is not None]
        return [
            *(option(form.name, Annotated[bool, _form_option(form)], False) for form in simple),
            option("no_header", Annotated[bool, header], False),
            option("field", Annotated[list[str] | None, fields], None),
            *(option(form.name, Annotated[str | None, _form_option(form)], None) for form in valued),
        ]

    @classmethod
    def of(cls, given: "Mapping[str, Any]") -> "FormOptions":
        """What these options say. Raises ``UsageError`` for two forms at once."""
        forms = tuple(form.name for form in FORMATS if given[form.name] not in {None, False})
        values = [given[form.name] for form in FORMATS if form.metavar is not None]
        names = tuple(name for text in given["field"] or () for name in text.split(",") if name)
        if given["field"] and not names:
            raise UsageError("--field names no field")
        if len(forms) > 1:
            raise UsageError(f"--{forms[0]} and --{forms[1]} cannot be given together")
        return cls(forms, next(filter(None, values), None), given["no_header"], names)


def _form_option(form: FormatChoice) -> Any:
    names = (f"--{form.name}", *((form.short,) if form.short else ()))
    return typer.Option(*names, metavar=form.metavar, help=form.help)


Provider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        metavar="NAME[,NAME...]",
        help=f"Who is asked, in this order: {', '.join(provider.name for provider in PROVIDERS)}.",
        show_default="mmdb",
    ),
]
Mmdb = Annotated[
    list[Path] | None,
    typer.Option("--mmdb", metavar="FILE", help="Ask these database files instead of the embedded one."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write journal and store.")]
Top = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, help="Only the N largest; with --sort, the N first."),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="[-]COLUMN[,...]",
        help="In the order of these columns, the smallest first; with - the largest: -addresses.",
    ),
]
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


class LookupOptions(Value):
    """Who is asked about addresses, and how long that may take."""

    provider: Provider = None
    mmdb: Mmdb = None
    max_wait: MaxWait = None
    timeout: Timeout = None

    def apply(self, settings: "Settings") -> "Settings":
        """Return the settings with what these options say. Raises ``UsageError``."""
        if self == LookupOptions():
            return settings
        from geocli.config.parsers import parse_duration, parse_names, parse_timeout  # only then

        if self.provider is not None:
            settings = settings.replace(provider=parsed("--provider", parse_names, self.provider))
        if self.mmdb:
            settings = settings.replace(mmdb=tuple(self.mmdb))
        if self.max_wait is not None:
            settings = settings.replace(max_wait=parsed("--max-wait", parse_duration, self.max_wait))
        if self.timeout is not None:
            settings = settings.with_timeout(parsed("--timeout", parse_timeout, self.timeout))
        return settings


def duration(option: str, text: str) -> float:
    """The seconds that an option says. Raises ``UsageError``."""
    from geocli.config.parsers import parse_duration

    return parsed(option, parse_duration, text)


def row_order(text: str | None, columns: "Sequence[str]") -> "RowOrder | None":
    """What --sort says of rows with these columns. Raises ``UsageError``."""
    if text is None:
        return None
    from geocli.model.row_order import parse_order  # most are content with the largest first

    return parsed("--sort", lambda text: parse_order(text, columns), text)


def parsed(option: str, parse: "Callable[[str], _T]", text: str) -> _T:
    """The value of an option. Raises ``UsageError``."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def country(text: str) -> str:
    """The code that a code or a name means. Raises ``ValueError``.

    Two letters that are no code (UK) are an error, not a guess.
    """
    from geocli.model.countries import country_code, parse_country  # and with it the list of countries

    code, text = parse_country(text), text.strip()
    if len(text) == 2 and country_code(text) is None:
        raise ValueError(f"{ascii(text)} is no country code: write {code}")
    return code


def asn(text: str) -> int:
    """The AS number that a text is. Raises ``ValueError``."""
    from geocli.model.normalize import asn as parse_asn  # and with it the list of countries

    number = parse_asn(text.strip())
    if number is None:
        raise ValueError(f"{ascii(text[:40])} is no AS number")
    return number

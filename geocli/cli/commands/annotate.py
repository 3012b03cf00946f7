"""``geocli annotate``: text through, answers behind addresses."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geocli.cli import options
from geocli.cli.console import write_bytes, write_text
from geocli.cli.inputs import Inputs
from geocli.cli.options import LookupOptions
from geocli.cli.progress import InputMeter, Progress
from geocli.cli.session import finish, note_closed_directory, noting
from geocli.cli.visible_text import VisibleText
from geocli.lookup.annotator import Annotator, short_note
from geocli.model.errors import ExitCode, Problems, UsageError
from geocli.model.records import FIELDS
from geocli.output.formats.base import Layout, load_format
from geocli.providers.base import BulkProvider, load_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from geocli.model.records import GeoRecord


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("annotate")(annotate)


def annotate(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Text; - is stdin.", show_default=False)
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            "-t",
            metavar="TEXT",
            help="What to add behind an address, such as ' ({country_code})'.",
        ),
    ] = None,
    mmdb: options.Mmdb = None,
) -> ExitCode:
    """Copy text through, and say behind each address where it is.

    For instance: tail -F /var/log/auth.log | geocli annotate

    Only local databases are asked, nothing is remembered, and all the text stays as it is; on a terminal,
    what would move or colour it is shown. Each line comes out as soon as it went in.
    """
    settings = LookupOptions("mmdb", mmdb).apply(ctx.obj)
    if not files and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("nothing to annotate: give files, or a pipe")
    note = short_note if template is None else _from_template(template)
    problems = Problems()
    note_closed_directory(settings, problems)
    provider = load_provider("mmdb", settings)
    assert isinstance(provider, BulkProvider)  # noqa: S101 (for mypy)
    shown = VisibleText() if sys.stdout is not None and sys.stdout.isatty() else None
    write = write_bytes if shown is None else lambda text: write_text(shown.feed(text))
    annotator = Annotator(provider, note, by_answer=template is None)
    inputs = Inputs(files or [Path("-")], problems, settings)
    with noting(problems), Progress(settings) as progress:
        inputs.watch = InputMeter(progress, inputs.paths).read
        before = 0
        for stream in inputs.streams():
            try:
                for text in annotator.annotate(stream.chunks()):
                    write(text)
                    stream.addresses, before = stream.addresses + annotator.found - before, annotator.found
            except UsageError as error:  # this file cannot be read: go on with the next
                problems.note(error)
        if shown is not None:
            write_text(shown.end())
        inputs.say_if_nothing_found()
    return finish(problems)


def _from_template(template: str) -> "Callable[[GeoRecord], str]":
    form = load_format("template", Layout(columns=FIELDS, chosen=(), template=template))
    return lambda record: form.rows([record]).removesuffix("\n")

"""Rows to stdout, in the form that was asked for or that fits where stdout goes."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from geocli.cli.console import say, takes_utf8, write_bytes, write_text
from geocli.model.errors import UsageError
from geocli.output.formats.base import Layout, load_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.config.settings import Settings
    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Row


class FormOptions(NamedTuple):
    """The output options as typed."""

    json: bool = False
    csv: bool = False
    tsv: bool = False
    table: bool = False
    no_header: bool = False
    field: list[str] | None = None
    template: str | None = None


class Output:
    """Writes rows to stdout in the form that was asked for, or that fits where stdout goes."""

    def __init__(
        self,
        wanted: FormOptions,
        settings: Settings,
        columns: tuple[str, ...],
        piped: tuple[str, ...],
        shown: tuple[str, ...],
    ) -> None:
        """``columns`` are a row's; ``piped`` are shown when nothing was asked for, ``shown`` in a table.

        Raises ``UsageError`` for two forms at once or a field that is not there.
        """
        terminal = sys.stdout is not None and sys.stdout.isatty()
        forms = [name for name in ("json", "csv", "tsv", "table") if getattr(wanted, name)]
        if wanted.template is not None:
            forms.append("template")
        if len(forms) > 1:
            raise UsageError(f"--{forms[0]} and --{forms[1]} cannot be given together")
        fields = tuple(name for text in wanted.field or () for name in text.split(",") if name)
        if wanted.field and not fields:
            raise UsageError("--field names no field")
        if fields and wanted.template is not None:
            raise UsageError("--field and --template cannot be given together")
        default = "tsv" if fields or not terminal else "table"
        form = forms[0] if forms else default
        chosen = fields or (shown if form == "table" else columns if forms else piped)
        layout = Layout(
            columns=columns,
            chosen=chosen,
            header=not wanted.no_header and (bool(forms) or form == "table"),
            template=wanted.template or "",
            width=shutil.get_terminal_size().columns if terminal else None,
            color=settings.color == "always" or (settings.color == "auto" and terminal),
        )
        if form == "table" and wanted.no_header:
            raise UsageError("--no-header is for --csv and --tsv")
        self._format = load_format(form, layout)
        self.form = form
        self.color = layout.color
        self._begun = False
        if sys.stdout is not None and not terminal:
            # What goes into a file or a pipe is UTF-8 in every locale; a terminal gets what it can show.
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]  # a real stream
        self._encoding = None if takes_utf8() else (sys.stdout.encoding, sys.stdout.errors or "strict")

    def render(self, block: RecordBatch) -> bytes:
        """Some records as stdout takes them. Writes nothing: that may be done elsewhere, and later."""
        data = self._format.batch(block)
        return data if self._encoding is None else data.decode().encode(*self._encoding)

    def write(self, rows: Sequence[Row]) -> None:
        """Show some rows now. Raises ``ReaderGoneError`` or ``TryAgainError``."""
        self.write_text(self._format.rows(rows))

    def write_rendered(self, rows: bytes) -> None:
        """Show rows that were rendered. Raises ``ReaderGoneError`` or ``TryAgainError``."""
        if not self._begun:
            self.write_text("")
        write_bytes(rows)

    def write_text(self, text: str) -> None:
        """Show text among the rows. Raises ``ReaderGoneError`` or ``TryAgainError``."""
        if not self._begun:
            self._begun = True
            text = self._format.head() + text
        write_text(text)

    def finish(self) -> None:
        """Show the header of an empty result."""
        if not self._begun:
            self.write([])


def check_map(by: str | None, has_form: bool) -> bool:
    """See that --map can be drawn; it stands above the table, also in a pipe. Raises ``UsageError``."""
    if by != "country":
        raise UsageError("--map is for --by country")
    if has_form:
        raise UsageError("--map is drawn above the table: it goes with no other form")
    return True


def above_table(
    by: str | None, rows: Sequence[tuple[object, ...]], settings: Settings, output: Output, *, map_: bool
) -> str:
    """What to show before the table of all these rows; nothing for most."""
    width = shutil.get_terminal_size().columns
    if by == "day" and sys.stdout is not None and sys.stdout.isatty():
        from geocli.output.report.terminal import sparkline

        return sparkline(rows, width)
    if not map_:
        return ""
    from geocli.output.report.terminal import NARROWEST, draw_world

    if width < NARROWEST:
        if not settings.quiet:
            say(f"the map needs {NARROWEST} columns, and this terminal has {width}")
        return ""
    return draw_world(rows, width, color=output.color)

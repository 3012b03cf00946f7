"""Rows to stdout, in the form that was asked for or that fits where stdout goes."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from geocli.cli.console import say, takes_utf8, write_bytes, write_text
from geocli.model.errors import UsageError
from geocli.output.formats.base import Layout, load_format
from geocli.output.formats.choices import FORMATS
from geocli.output.formats.derived import beside_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.cli.options import FormOptions
    from geocli.config.settings import Settings
    from geocli.lookup.groups import Groups
    from geocli.model.group_by import Grouping
    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Row
    from geocli.output.formats.beside import BesideWriter


_MAIL = 78  # columns that a mail may have (RFC 5322, 2.1.1)


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
        form = wanted.forms[0] if wanted.forms else "tsv" if wanted.field or not terminal else "table"
        if wanted.field and wanted.value is not None:
            raise UsageError(f"--field and --{form} cannot be given together")
        chosen = wanted.field or (shown if form == "table" else columns if wanted.forms else piped)
        layout = Layout(
            columns=columns,
            chosen=chosen,
            header=not wanted.no_header and (bool(wanted.forms) or form == "table"),
            template=wanted.value or "",
            width=_width(form, terminal=terminal),
            color=settings.color == "always" or (settings.color == "auto" and terminal),
        )
        if form == "table" and wanted.no_header:
            with_header = " and ".join(f"--{choice.name}" for choice in FORMATS if choice.has_header)
            raise UsageError(f"--no-header is for {with_header}")
        self._format = load_format(form, layout)
        self.form = form
        self.color = layout.color
        self._begun = False
        self._quiet = settings.quiet
        if sys.stdout is not None and not terminal:
            # What goes into a file or a pipe is UTF-8 in every locale; a terminal gets what it can show.
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]  # a real stream
        self._encoding = None if takes_utf8() else (sys.stdout.encoding, sys.stdout.errors or "strict")

    def render(self, block: RecordBatch) -> bytes:
        """Some records as stdout takes them. Writes nothing: that may be done elsewhere, and later."""
        data = self._format.batch(block)
        return data if self._encoding is None else data.decode().encode(*self._encoding)

    def beside(self, columns: Sequence[str]) -> BesideWriter | None:
        """Return what writes records with these columns beside them, in UTF-8; ``None`` for a table."""
        return beside_of(self._format, columns)

    def write_utf8(self, rows: bytes) -> None:
        """Show rows that were rendered in UTF-8. Raises ``ReaderGoneError`` or ``TryAgainError``."""
        self.write_rendered(rows if self._encoding is None else rows.decode().encode(*self._encoding))

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
        left_out = getattr(self._format, "left_out", ())
        if left_out and not self._quiet and sys.stderr is not None and sys.stderr.isatty():
            say(f"for want of room left out: {', '.join(left_out)} (a wider terminal, or -f, shows them)")


def _width(form: str, *, terminal: bool) -> int | None:
    """How wide rows may be: a table in a pipe is for a mail, unless COLUMNS says otherwise."""
    if terminal:
        return shutil.get_terminal_size().columns
    return shutil.get_terminal_size((_MAIL, 0)).columns if form == "table" else None


def check_map(by: Grouping | None, form: FormOptions) -> FormOptions:
    """Return the form for --map: it stands above the table, also in a pipe. Raises ``UsageError``."""
    if by is None or by.name != "country":
        raise UsageError("--map is for --by country")
    if form.forms not in {(), ("table",)}:
        raise UsageError("--map is drawn above the table: it goes with no other form")
    return form.replace(forms=("table",))


def above_table(by: Grouping, groups: Groups, settings: Settings, output: Output, *, map_: bool) -> str:
    """Return what to show before the table of these groups; nothing for most."""
    width = shutil.get_terminal_size().columns
    if by.name == "day" and sys.stdout is not None and sys.stdout.isatty():
        from geocli.output.report.terminal import sparkline

        return sparkline(groups.rows(None), width)
    if not map_:
        return ""
    from geocli.output.report.terminal import NARROWEST, draw_world

    if width < NARROWEST:
        if not settings.quiet:
            say(f"the map needs {NARROWEST} columns, and this terminal has {width}")
        return ""
    return draw_world(groups.rows(None), width, color=output.color)


def for_people(
    by: Grouping, rows: Sequence[tuple[object, ...]], output: Output
) -> Sequence[tuple[object, ...]]:
    """Return the rows of groups with words for what has no AS, in a table; elsewhere it stays empty."""
    if output.form != "table" or "asn" not in by.names or "org" not in by.names:
        return rows
    asn, org = by.names.index("asn"), by.names.index("org")
    if asn not in by.keys:
        return rows
    return [
        (*row[:org], "(no AS known)", *row[org + 1 :]) if row[asn] is None and row[org] is None else row
        for row in rows
    ]

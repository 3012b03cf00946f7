"""A table for people, batch by batch under one header.

What fits is set here. Rich, which takes half as long to load as a whole look-up, is for cells that have to be
folded, and knows how wide the world's characters are. The only form that imports it.
"""

from __future__ import annotations

import io
import re
from operator import le
from typing import TYPE_CHECKING

from geocli.output.formats.base import cell, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Layout, Row

_GAP = 2  # blanks between two columns
_NARROWEST = 8
_BAR = 20  # characters of a bar that stands for everything
_NUMBERS = frozenset({"asn", "latitude", "longitude", "hits", "addresses", "bans", "size", "age_days"})
_STYLES = {"ip": "bold", "country_code": "cyan", "status": "dim", "source": "dim", "resolved_at": "dim"}
_CODES = {"bold": "\x1b[1m", "cyan": "\x1b[36m", "dim": "\x1b[2m"}  # ECMA-48, SGR
_PLAIN = "\x1b[0m"
_NARROW = re.compile("[ -\u02ff\u2500-\u259f]*")  # one cell each: ASCII, Latin, and what bars are drawn with


class _Table:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._indexes = layout.indexes
        self._titles = [name.replace("_", " ") for name in layout.chosen]
        self._widths: list[int] = []

    def head(self) -> str:
        return ""  # the first rows decide how wide the columns are

    def rows(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        layout = self._layout
        columns = [
            [_shown(name, row[i]) for row in rows]
            for name, i in zip(layout.chosen, self._indexes, strict=True)
        ]
        titles: list[str] = []
        if not self._widths:
            self._widths = _widths(self._titles, columns, layout.width)
            titles = self._titles if layout.header else []
        fits = self._length <= (layout.width or self._length) and all(
            map(le, _widths(titles, columns, None), self._widths)
        )
        lines = (self._set if fits else self._folded)(titles, columns)
        return "".join(line.rstrip() + "\n" for line in lines)

    def _set(self, titles: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
        """The lines of a table of which every cell fits."""
        set_columns = []
        for name, width, column in zip(self._layout.chosen, self._widths, columns, strict=True):
            length = _cells_of(column)
            blanks = [" " * (width - length(text)) for text in column]
            styled = self._styled(column, _STYLES.get(name))
            pairs = zip(blanks, styled, strict=True) if name in _NUMBERS else zip(styled, blanks, strict=True)
            set_columns.append(["".join(pair) for pair in pairs])
        lines = [(" " * _GAP).join(cells) for cells in zip(*set_columns, strict=True)]
        if not titles:
            return lines
        heads = [
            title.rjust(width) if name in _NUMBERS else title.ljust(width)
            for name, title, width in zip(self._layout.chosen, titles, self._widths, strict=True)
        ]
        return [*self._styled([(" " * _GAP).join(heads).rstrip()], "bold"), "─" * self._length, *lines]

    @property
    def _length(self) -> int:
        """How long a line is."""
        return sum(self._widths) + _GAP * (len(self._widths) - 1)

    def _styled(self, texts: Sequence[str], style: str | None) -> Sequence[str]:
        if style is None or not self._layout.color:
            return texts
        code = _CODES[style]
        return [f"{code}{text}{_PLAIN}" if text else "" for text in texts]

    def _folded(self, titles: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
        """The lines of a table of which some cells take more than one."""
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=SIMPLE_HEAD,
            show_header=bool(titles),
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for name, title, width in zip(self._layout.chosen, self._titles, self._widths, strict=True):
            table.add_column(
                Text(title),
                width=width,
                style=_STYLES.get(name, ""),
                justify="right" if name in _NUMBERS else "left",
                overflow="fold",
            )
        for cells in zip(*columns, strict=True):
            table.add_row(*map(Text, cells))
        color = self._layout.color
        console = Console(
            file=io.StringIO(),
            width=self._layout.width or 100_000,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )
        with console.capture() as capture:
            console.print(table)
        return capture.get().splitlines()

    def batch(self, block: RecordBatch) -> bytes:
        return to_bytes(self.rows(block.records()))


def _shown(name: str, value: object) -> str:
    if name == "share" and isinstance(value, float):
        return f"{_bar(value)} {value:6.1%}"
    return cell(value)


def _bar(share: float) -> str:
    """A bar for a share between 0 and 1, in eighths of a character; what is there at all is seen."""
    eighths = max(1, round(share * _BAR * 8)) if share > 0 else 0
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")).ljust(_BAR)


def _widths(titles: Sequence[str], columns: Sequence[Sequence[str]], limit: int | None) -> list[int]:
    """Wide enough for every cell; where the terminal is narrower, the widest columns give way."""
    widths = [max(map(_cells_of(column), column)) for column in columns]
    widths = list(map(max, widths, map(len, titles))) if titles else widths
    if limit is not None:
        excess = sum(widths) + _GAP * (len(widths) - 1) - limit
        while excess > 0 and max(widths) > _NARROWEST:
            widths[widths.index(max(widths))] -= 1
            excess -= 1
    return widths


def _cells_of(column: Sequence[str]) -> Callable[[str], int]:
    """What tells how many cells of a terminal a text of this column takes."""
    if _NARROW.fullmatch("".join(column)):
        return len
    from rich.cells import cell_len

    return cell_len


def create(layout: Layout) -> _Table:
    """A table for this layout."""
    return _Table(layout)

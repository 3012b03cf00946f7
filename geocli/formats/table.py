"""A table for people: Rich draws it, batch by batch under one header. The only form that imports Rich."""

from __future__ import annotations

import io
from operator import le
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geocli.formats import cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.block import Block
    from geocli.formats import Layout, Row

_GAP = 2  # blanks between two columns: one of padding, one that the box draws
_NARROWEST = 8
_BAR = 20  # characters of a bar that stands for everything
_NUMBERS = frozenset({"asn", "latitude", "longitude", "hits", "addresses", "bans", "size", "age_days"})
_STYLES = {"ip": "bold", "country_code": "cyan", "status": "dim", "source": "dim", "resolved_at": "dim"}


class _Table:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._indexes = layout.indexes
        self._widths: list[int] | None = None
        self._console = Console(
            file=io.StringIO(),
            width=layout.width or 100_000,
            force_terminal=layout.color,
            color_system="standard" if layout.color else None,
            no_color=not layout.color,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )

    def head(self) -> str:
        return ""  # the first rows decide how wide the columns are

    def rows(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        cells = [
            [_shown(name, row[i]) for name, i in zip(self._layout.chosen, self._indexes, strict=True)]
            for row in rows
        ]
        first = self._widths is None
        if self._widths is None:
            titles = [name.replace("_", " ") for name in self._layout.chosen]
            self._widths = _widths([titles, *cells], self._layout.width)
        table = Table(
            box=SIMPLE_HEAD,
            show_header=first and self._layout.header,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for name, width in zip(self._layout.chosen, self._widths, strict=True):
            table.add_column(
                Text(name.replace("_", " ")),
                width=width,
                style=_STYLES.get(name, ""),
                justify="right" if name in _NUMBERS else "left",
                overflow="fold",
            )
        room = self._console.width - _GAP * len(self._widths)
        if sum(self._widths) <= room and all(map(le, _widths(cells, None), self._widths)):
            # Nothing has to be folded: a column laid out as one cell of many lines takes a third of the time.
            cells = [["\n".join(column) for column in zip(*cells, strict=True)]]
        for line in cells:
            table.add_row(*map(Text, line))
        with self._console.capture() as capture:
            self._console.print(table)
        return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())

    def block(self, block: Block) -> str:
        return self.rows(block.records())


def _shown(name: str, value: object) -> str:
    if name == "share" and isinstance(value, float):
        return f"{_bar(value)} {value:6.1%}"
    return cell(value)


def _bar(share: float) -> str:
    """A bar for a share between 0 and 1, in eighths of a character; what is there at all is seen."""
    eighths = max(1, round(share * _BAR * 8)) if share > 0 else 0
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")).ljust(_BAR)


def _widths(lines: Sequence[Sequence[str]], limit: int | None) -> list[int]:
    """Wide enough for every cell; where the terminal is narrower, the widest columns give way."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if limit is not None:
        excess = sum(widths) + _GAP * (len(widths) - 1) - limit
        while excess > 0 and max(widths) > _NARROWEST:
            widths[widths.index(max(widths))] -= 1
            excess -= 1
    return widths


def create(layout: Layout) -> _Table:
    """A table for this layout."""
    return _Table(layout)

"""Tab-separated values: never quoted, so that ``cut`` and ``awk`` read them; tabs in a value are spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.formats import cell
from geocli.formats._lines import LineWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.formats import Layout, Row


class _Tsv:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._writer = LineWriter(
            ["", *"\t" * (len(layout.chosen) - 1), "\n"], layout.indexes, layout.distinct, cell
        )

    def head(self) -> str:
        return "\t".join(self._layout.chosen) + "\n" if self._layout.header else ""

    def rows(self, rows: Sequence[Row]) -> str:
        return "".join(self._writer.lines(rows))


def create(layout: Layout) -> _Tsv:
    """TSV for this layout."""
    return _Tsv(layout)

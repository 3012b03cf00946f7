"""CSV as RFC 4180 has it: CRLF line ends, quotes where needed, a header unless it is dropped."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from geocli.formats import cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.formats import Layout, Row


class _Csv:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._indexes = layout.indexes

    def head(self) -> str:
        return _lines([self._layout.chosen]) if self._layout.header else ""

    def rows(self, rows: Sequence[Row]) -> str:
        indexes = self._indexes
        return _lines([[cell(row[index]) for index in indexes] for row in rows])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def create(layout: Layout) -> _Csv:
    """CSV for this layout."""
    return _Csv(layout)

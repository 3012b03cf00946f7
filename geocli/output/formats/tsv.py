"""Tab-separated values: never quoted, so that ``cut`` and ``awk`` read them; tabs in a value are spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.formats.base import cell
from geocli.output.formats.line_writer import LineFormat

if TYPE_CHECKING:
    from geocli.output.formats.base import Layout


def create(layout: Layout) -> LineFormat:
    """TSV for this layout."""
    others = len(layout.chosen) - 1
    head = "\t".join(layout.chosen) + "\n" if layout.header else ""
    return LineFormat(layout, ["", *"\t" * others, "\n"], cell, head=head)

"""A table in Markdown, shown row by row as it is measured."""

from __future__ import annotations


class Table:
    """Prints its header at once. A column is its title and the width of what will stand in it."""

    def __init__(self, *columns: tuple[str, int]) -> None:
        self._widths = [width for _, width in columns]
        self.row(*(title for title, _ in columns))
        print("|".join(["", *("-" * (width + 2) for width in self._widths), ""]), flush=True)

    def row(self, *cells: str) -> None:
        """Print a row."""
        padded = [f" {cell:{width}} " for cell, width in zip(cells, self._widths, strict=True)]
        print("|".join(["", *padded, ""]), flush=True)

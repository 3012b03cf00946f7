"""A table for people, batch by batch under one header. Each row is one line.

What somebody may copy is never broken and never cut: an address, a network, an AS number, a jail, a time, a
number. Names give way, with "…". Where that is not enough, bars go, heads get short, and columns are left out
from the right (``left_out``). The first batch decides how wide columns are; a later row that needs more room
takes it from its own names.

Rich is asked how wide the characters of other scripts are: the only form that imports it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.output.formats.base import cell, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Layout, Row

_GAP = 2  # blanks between two columns
_BAR = 10  # characters of a bar that stands for everything
_BAR_COLUMN = "bar"
_ROOMY, _NARROWEST = 16, 8  # cells that are left of a name, and that are left where there is no more room
_NUMBERS = frozenset({
    "asn", "latitude", "longitude", "hits", "addresses", "bans", "size", "age_days", "ban_count", "share",
    "addresses_before", "bans_before", "change", "growth", "flushed", "density", "blocked", "packets",
})  # fmt: skip
_WHOLE = _NUMBERS | {
    "ip", "network", "jail", "host", "country_code", "status", "hour", "weekday", "day", "week", "month",
    "trend", "edition", "banned_at", "expires_at", "first_seen", "last_seen", "first_banned_at",
    "resolved_at", _BAR_COLUMN,
}  # fmt: skip
_KEPT = {"ip": (15, 39), "network": (18, 43)}  # cells for IPv4, and where IPv6 has been seen
_SHORT = {
    "country_code": "cc",
    "country_name": "country",
    "addresses": "addr",
    "addresses_before": "before",
    "bans_before": "before",
    "banned_at": "banned",
    "expires_at": "expires",
    "ban_count": "nth",
    "first_banned_at": "first",
    "resolved_at": "resolved",
    "age_days": "days",
}
_STYLES = {"ip": "bold", "country_code": "cyan", "status": "dim", "source": "dim", "resolved_at": "dim"}
_CODES = {"bold": "\x1b[1m", "cyan": "\x1b[36m", "dim": "\x1b[2m"}  # ECMA-48, SGR
_PLAIN = "\x1b[0m"
_NARROW = re.compile("[ -\u02ff\u2026\u2500-\u259f]*")  # one cell each: ASCII, Latin, "…", bars


class _Column(NamedTuple):
    """A column of the table: what it shows, under which head, and how many cells wide it is."""

    name: str
    title: str
    width: int

    @property
    def is_whole(self) -> bool:
        return self.name in _WHOLE

    @property
    def is_number(self) -> bool:
        return self.name in _NUMBERS


class _Table:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._sources = dict(zip(layout.chosen, layout.indexes, strict=True))
        self._columns: list[_Column] = []
        self.left_out: tuple[str, ...] = ()
        """The columns that the terminal has no room for."""

    def head(self) -> str:
        return ""  # the first rows decide how wide the columns are

    def rows(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        lines: list[str] = []
        if not self._columns:
            self._columns = self._fitted(self._texts(rows, self._names()))
            shown = {column.name for column in self._columns}
            self.left_out = tuple(name for name in self._layout.chosen if name not in shown)
            lines = self._heads() if self._layout.header else []
        texts = self._texts(rows, [column.name for column in self._columns])
        lines += self._lines([texts[column.name] for column in self._columns])
        return "".join(f"{line}\n" for line in lines)

    def batch(self, block: RecordBatch) -> bytes:
        return to_bytes(self.rows(block.records()))

    def _names(self) -> list[str]:
        """What is shown: the chosen columns, and a bar before each share."""
        names: list[str] = []
        for name in self._layout.chosen:
            names += [_BAR_COLUMN, name] if name == "share" else [name]
        return names

    def _texts(self, rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = {}
        for name in names:
            index = self._sources["share" if name == _BAR_COLUMN else name]
            show = _bar if name == _BAR_COLUMN else _percent if name == "share" else cell
            texts[name] = [show(row[index]) for row in rows]
        return texts

    def _fitted(self, texts: dict[str, list[str]]) -> list[_Column]:
        """Return the columns, as wide as their cells and as narrow as the terminal."""
        limit = self._layout.width
        if limit is None:
            return self._wanted(texts, with_bar=True, short=False)
        for with_bar, short, floor in (
            (True, False, _ROOMY),
            (False, False, _ROOMY),
            (False, True, _ROOMY),
            (False, True, _NARROWEST),
        ):
            columns = self._wanted(texts, with_bar=with_bar, short=short)
            if (fitted := _narrowed(columns, limit, floor)) is not None:
                return fitted
        # IPv6 needs half of a narrow terminal: its rows take the room from others, and IPv4 has the columns.
        columns = [
            column._replace(width=max(_KEPT[column.name][0], len(column.title)))
            if column.name in _KEPT
            else column
            for column in columns
        ]
        return _without_last(columns, limit, _NARROWEST)

    def _wanted(self, texts: dict[str, list[str]], *, with_bar: bool, short: bool) -> list[_Column]:
        columns = []
        for name, values in texts.items():
            if with_bar or name != _BAR_COLUMN:
                title = _title(name, short=short) if self._layout.header else ""
                columns.append(_Column(name, title, max(_needed(name, values), len(title))))
        return columns

    def _heads(self) -> list[str]:
        heads = [_padded(column, column.title, len(column.title)) for column in self._columns]
        length = sum(column.width for column in self._columns) + _GAP * (len(self._columns) - 1)
        return [*self._styled([(" " * _GAP).join(heads).rstrip()], "bold"), "─" * length]

    def _lines(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Return a line for each row."""
        limited = self._layout.width is not None
        cells: list[list[str]] = []
        too_long: set[int] = set()
        for column, values in zip(self._columns, texts, strict=True):
            size = _cells_of(values)
            lengths = [size(text) for text in values]
            if limited and max(lengths) > column.width:
                if column.is_whole:
                    too_long |= {row for row, length in enumerate(lengths) if length > column.width}
                else:
                    values = [_cut(text, column.width, size) for text in values]
                    lengths = [size(text) for text in values]
            styled = self._styled(values, _STYLES.get(column.name))
            cells.append(
                [_padded(column, text, length) for text, length in zip(styled, lengths, strict=True)]
            )
        lines = [(" " * _GAP).join(row).rstrip() for row in zip(*cells, strict=True)]
        for row in too_long:
            lines[row] = self._long_line([values[row] for values in texts])
        return lines

    def _long_line(self, texts: Sequence[str]) -> str:
        """Return the line of a row of which something that is never cut does not fit its column."""
        limit = self._layout.width or 0
        size = _cells_of(texts)
        columns = [
            column._replace(width=max(column.width, size(text)) if column.is_whole else column.width)
            for column, text in zip(self._columns, texts, strict=True)
        ]
        columns = _without_last(columns, limit, 1)
        parts = []
        shown_here = dict(zip((column.name for column in self._columns), texts, strict=True))
        for column in columns:
            text = shown_here[column.name]
            shown = text if column.is_whole and size(text) <= column.width else _cut(text, column.width, size)
            (styled,) = self._styled([shown], _STYLES.get(column.name))
            parts.append(_padded(column, styled, size(shown)))
        return (" " * _GAP).join(parts).rstrip()

    def _styled(self, texts: Sequence[str], style: str | None) -> Sequence[str]:
        if style is None or not self._layout.color:
            return texts
        code = _CODES[style]
        return [f"{code}{text}{_PLAIN}" if text else "" for text in texts]


def _title(name: str, *, short: bool) -> str:
    if name == _BAR_COLUMN:
        return ""
    return _SHORT.get(name, name.replace("_", " ")) if short else name.replace("_", " ")


def _needed(name: str, texts: Sequence[str]) -> int:
    """Return how many cells a column is to have for these texts and those that may follow."""
    longest = max(map(_cells_of(texts), texts))
    if name not in _KEPT:
        return longest
    of_v4, of_v6 = _KEPT[name]
    return max(longest, of_v6 if any(":" in text for text in texts) else of_v4)


def _narrowed(columns: Sequence[_Column], limit: int, floor: int) -> list[_Column] | None:
    """Return the columns in so many cells, the widest names narrower; ``None`` where that is not enough."""
    widths = [column.width for column in columns]
    excess = sum(widths) + _GAP * (len(widths) - 1) - limit
    names = [index for index, column in enumerate(columns) if not column.is_whole]
    while excess > 0:
        widest = max(names, key=lambda index: widths[index], default=None)
        if widest is None or widths[widest] <= max(floor, len(columns[widest].title) if floor > 1 else 0):
            return None
        widths[widest] -= 1
        excess -= 1
    return [column._replace(width=width) for column, width in zip(columns, widths, strict=True)]


def _without_last(columns: Sequence[_Column], limit: int, floor: int) -> list[_Column]:
    """Return the columns that fit: the last are left out first, and addresses only where nothing else is."""
    left = list(columns)
    while (fitted := _narrowed(left, limit, floor)) is None:
        others = [index for index, column in enumerate(left) if column.name not in _KEPT]
        if len(left) == 1:
            return [left[0]._replace(width=limit)]
        del left[others[-1] if others else -1]
    return fitted


def _padded(column: _Column, text: str, length: int) -> str:
    blanks = " " * (column.width - length)
    return blanks + text if column.is_number else text + blanks


def _cut(text: str, width: int, size: Callable[[str], int]) -> str:
    """Return as much of a text as so many cells hold, and "…" where that is not all."""
    if size(text) <= width:
        return text
    if size is len:
        return text[: width - 1] + "…"
    kept, left = "", width - 1
    for char in text:
        left -= size(char)
        if left < 0:
            break
        kept += char
    return kept + "…"


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, float) else cell(share)


def _bar(share: object) -> str:
    """A bar for a share between 0 and 1, in eighths of a character; what is there at all is seen."""
    if not isinstance(share, float):
        return ""
    eighths = max(1, round(share * _BAR * 8)) if share > 0 else 0
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")).ljust(_BAR)


def _cells_of(column: Sequence[str]) -> Callable[[str], int]:
    """Return what tells how many cells of a terminal a text of this column takes."""
    if _NARROW.fullmatch("".join(column)):
        return len
    from rich.cells import cell_len

    return cell_len


def create(layout: Layout) -> _Table:
    """A table for this layout."""
    return _Table(layout)

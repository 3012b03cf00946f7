"""JSON Lines: one object a row, keys in the order of the fields, UTF-8."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.formats import Layout, Row

# JSON escapes C0 controls itself. These it does not: DEL, C1 controls, invisible formatting (bidi
# overrides among them), line separators, lone surrogates.
_UNSAFE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_MOST_REMEMBERED = 20_000
_MOSTLY_DISTINCT = frozenset({"ip", "network"})  # remembering these would only cost
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class _Encoded(dict[object, str]):
    """One column's values to their JSON: most come again and again, and are encoded once.

    One for each column, because the equal values 1 and 1.0 differ in JSON.
    """

    def __missing__(self, value: object) -> str:
        text = _to_json(value)
        if not text.isascii() or "\x7f" in text:
            text = _UNSAFE.sub(_escape, text)
        self[value] = text
        return text

    def all(self, column: Sequence[object]) -> list[str]:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        return list(map(self.__getitem__, column))


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


class _Json:
    def __init__(self, layout: Layout) -> None:
        self._columns = [
            (index, _Encoded(), name in _MOSTLY_DISTINCT)
            for name, index in zip(layout.chosen, layout.indexes, strict=True)
        ]
        names = [json.dumps(name).replace("%", "%%") for name in layout.chosen]
        self._line = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"

    def head(self) -> str:
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        columns = list(zip(*rows, strict=True))
        values = [
            _quoted(columns[index]) if distinct and _is_plain(columns[index]) else encoded.all(columns[index])
            for index, encoded, distinct in self._columns
        ]
        return "".join([self._line % line for line in zip(*values, strict=True)])


def _is_plain(column: Sequence[object]) -> bool:
    """Whether every value is text, or unknown, that JSON takes as it is between quotes."""
    if not {str, type(None)}.issuperset(map(type, column)):
        return False
    text = "".join([value for value in column if isinstance(value, str)])
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _quoted(column: Sequence[object]) -> list[str]:
    return ["null" if value is None else f'"{value}"' for value in column]


def create(layout: Layout) -> _Json:
    """JSON Lines for this layout."""
    return _Json(layout)

"""JSON Lines: one object a row, keys in the order of the fields, UTF-8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.formats import Layout, Row

_MOST_REMEMBERED = 20_000
_REMEMBERED: frozenset[type] = frozenset({str, int, type(None)})
_MOSTLY_DISTINCT = frozenset({"ip", "network"})  # remembering these would only cost
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class _Encoded(dict[object, str]):
    """One column's values to their JSON: most come again and again, and are encoded once."""

    def __missing__(self, value: object) -> str:
        self[value] = text = _encode(value)
        return text

    def all(self, column: Sequence[object]) -> list[str]:
        if not _REMEMBERED.issuperset(map(type, column)):
            return list(map(_encode, column))  # 1, 1.0 and True are equal, but not in JSON
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        return list(map(self.__getitem__, column))


def _encode(value: object) -> str:
    # JSON escapes control characters itself, but neither DEL, C1 and invisible formatting (bidi
    # overrides) nor lone surrogates.
    if type(value) is int:
        return str(value)
    text = _to_json(value)
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() else json.dumps(char)[1:-1] for char in text])


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

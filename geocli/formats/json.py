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


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


class _Json:
    def __init__(self, layout: Layout) -> None:
        self._columns = [(index, _Encoded()) for index in layout.indexes]
        names = [json.dumps(name).replace("%", "%%") for name in layout.chosen]
        self._line = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"

    def head(self) -> str:
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        columns = list(zip(*rows, strict=True))
        values = [map(encoded.__getitem__, columns[index]) for index, encoded in self._columns]
        text = "".join([self._line % line for line in zip(*values, strict=True)])
        for _, encoded in self._columns:
            if len(encoded) > _MOST_REMEMBERED:
                encoded.clear()
        return text


def create(layout: Layout) -> _Json:
    """JSON Lines for this layout."""
    return _Json(layout)

"""JSON Lines: one object a row, keys in the order of the fields, UTF-8."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING

from geocli.output.formats.line_writer import LineFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.output.formats.base import Layout

_to_json = json.JSONEncoder(ensure_ascii=False).encode


def to_json(value: object) -> str:
    """A value as JSON in UTF-8; control, formatting and half characters in it are escaped."""
    text = _to_json(value)
    if text.isprintable():
        return text
    # JSON escapes control characters itself, but neither DEL, C1 and invisible formatting (bidi
    # overrides) nor lone surrogates.
    return "".join([char if char.isprintable() else json.dumps(char)[1:-1] for char in text])


def _value(value: object) -> str:
    if value is None:
        return "null"
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)  # the encoder goes a long way for the same
    return to_json(value)


def _values(column: Sequence[object]) -> list[str]:
    """``_value`` of each value, quicker where most are plain text that hardly ever repeats."""
    if not _is_plain(column):
        return list(map(_value, column))
    return ["null" if value is None else f'"{value}"' for value in column]


def _is_plain(column: Sequence[object]) -> bool:
    """Whether every value is text, or unknown, that JSON takes as it is between quotes."""
    if not {str, type(None)}.issuperset(map(type, column)):
        return False
    text = "".join([value for value in column if isinstance(value, str)])
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def create(layout: Layout) -> LineFormat:
    """JSON Lines for this layout."""
    first, *others = _values(layout.chosen)
    literals = [f"{{{first}: ", *(f", {name}: " for name in others), "}\n"]
    return LineFormat(layout, literals, _value, _values, quote='"')

"""CSV as RFC 4180 has it: CRLF line ends, quotes where needed, a header unless it is dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.output.formats.base import cell
from geocli.output.formats.line_writer import LineFormat, mostly_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.output.formats.base import Layout


_STARTS = "=+@\uff1d\uff0b\uff0d\uff20-"
_FORMULA = re.compile(rf"((?:^|[;|])[\s\"']*)(?=[{_STARTS}])")
"""Where a text begins that a spreadsheet would calculate; an apostrophe before it makes it text again.

Where the list separator is a semicolon, a cell begins behind each, whatever is in quotes. OWASP, "CSV
Injection", has the full-width signs.
"""


def _value(value: object) -> str:
    text = cell(value)  # has no line end
    # Most begin with a letter, and nothing in them begins a cell.
    if isinstance(value, str) and not (text[:1].isalnum() and ";" not in text and "|" not in text):
        text = _FORMULA.sub(r"\1'", text)
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _only_value(value: object) -> str:
    return _value(value) or '""'  # an empty line would be no row


def _only_values(column: Sequence[object]) -> Iterable[str]:
    return [text or '""' for text in mostly_plain(_value)(column)]


def create(layout: Layout) -> LineFormat:
    """CSV for this layout."""
    others = len(layout.chosen) - 1
    value, values = (_value, None) if others else (_only_value, _only_values)
    head = ",".join(map(_value, layout.chosen)) + "\r\n" if layout.header else ""
    return LineFormat(layout, ["", *"," * others, "\r\n"], value, values, head=head)

r"""The user's own line: ``{ip} {country_code}``.

A field's name in braces is replaced, ``{{`` and ``}}`` are braces, ``\t``, ``\n`` and ``\\`` are what they
are in ``printf``. Nothing else is special: no attribute, index or format of a value can be reached.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.model.errors import UsageError
from geocli.output.formats.base import cell
from geocli.output.formats.line_writer import LineFormat

if TYPE_CHECKING:
    from geocli.output.formats.base import Layout

_PARTS = re.compile(r"\{\{|\}\}|\\[tn\\]|\{(\w+)\}|[{}]")
_LITERALS = {"{{": "{", "}}": "}", "\\t": "\t", "\\n": "\n", "\\\\": "\\"}


def create(layout: Layout) -> LineFormat:
    """Lines after the layout's template. Raises ``UsageError`` for a field that is not there."""
    literals, indexes = [""], []
    end = 0
    for part in _PARTS.finditer(layout.template):
        literals[-1] += layout.template[end : part.start()]
        end = part.end()
        if part[0] in _LITERALS:
            literals[-1] += _LITERALS[part[0]]
        elif part[1] in layout.columns:
            indexes.append(layout.columns.index(part[1]))
            literals.append("")
        else:
            names = ", ".join(f"{{{name}}}" for name in layout.possible)
            raise UsageError(f"{ascii(part[0])} in the template is no field: there is {names}")
    literals[-1] += layout.template[end:] + "\n"
    return LineFormat(layout, literals, cell, indexes=indexes)

"""Formats: rows in, text out. One file a form; ``choices`` says which there are.

The contract, which ``tests/output/formats`` runs over all of them:

* The module defines ``create(layout) -> Format``; only ``table`` imports anything heavy.
* ``rows`` takes rows of *all* columns of the layout and renders the chosen ones, ready to be written
  at once: rows stream. ``head`` comes before the first row, even when there is none.
* Text from outside stays on its line and in its cell: nothing in it can move, colour or clear a
  terminal, whatever the form. Structure is the form's own business (quotes, tabs).
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

from geocli.model.errors import UsageError
from geocli.model.records import clean_text
from geocli.model.value import Value
from geocli.output.formats.choices import FORMATS
from geocli.output.formats.derived import FROM, WithDerived, asked_for, derived_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.model.record_batch import RecordBatch

PLAIN = b"0123456789abcdefABCDEF.:/"
"""What addresses and networks are made of."""

_LONGEST_CELL = 10_000  # characters; a record's text is shorter anyway
MOSTLY_DISTINCT = frozenset({"ip", "network", "banned_at", "expires_at", "first_seen", "last_seen"})
"""Columns that hardly ever repeat a value."""

_TIMES = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)*+"
_TIME = 20  # characters

Row = tuple[object, ...]
"""Values in the order of the layout's columns; a ``GeoRecord`` is one."""


class Layout(Value):
    """What to show and how: all ``columns`` of a row, those ``chosen`` in their order, and for whom.

    ``width`` is the terminal's in characters, ``None`` when there is none to fit into. ``template`` is the
    user's, for the form of that name only.
    """

    columns: tuple[str, ...]
    chosen: tuple[str, ...]
    header: bool = True
    template: str = ""
    width: int | None = None
    color: bool = False

    @property
    def indexes(self) -> tuple[int, ...]:
        """Where in a row the chosen columns are. Raises ``UsageError`` for a column that is not there."""
        for name in self.chosen:
            if name not in self.columns:
                raise UsageError(f"no field is called {ascii(name)}: {self._meant(name)}")
        return tuple(self.columns.index(name) for name in self.chosen)

    def _meant(self, name: str) -> str:
        """The columns that begin with a name, or else all."""
        near = [column for column in self.possible if name and column.startswith(name)]
        return f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(self.possible)}"

    @property
    def possible(self) -> tuple[str, ...]:
        """The columns, and what can be derived from them."""
        return (*self.columns, *derived_names(self.columns))

    @property
    def distinct(self) -> frozenset[int]:
        """Where in a row the columns are that hardly ever repeat a value."""
        return frozenset(index for index, name in enumerate(self.columns) if name in MOSTLY_DISTINCT)


class Format(Protocol):
    """One way to write rows."""

    def head(self) -> str:
        """What comes before all rows."""

    def rows(self, rows: Sequence[Row]) -> str:
        """Some rows, complete lines."""

    def batch(self, block: RecordBatch) -> bytes:
        """Some records, complete lines, in UTF-8. What the layout has and a record has not is empty."""


def load_format(name: str, layout: Layout) -> Format:
    """Return the form of that name for a layout. Raises ``UsageError`` for what it cannot show."""
    (module,) = (choice.module for choice in FORMATS if choice.name == name)
    derived = asked_for(layout)
    if derived:
        names = (field.name for field in derived)
        layout = layout.replace(columns=(*layout.columns, *names))
    chosen: Format = importlib.import_module(module).create(layout)
    return WithDerived(chosen, derived, layout.columns.index(FROM)) if derived else chosen


def cell(value: object) -> str:
    """A value as text that is safe to show; what is not known is empty."""
    if isinstance(value, str):
        return value if value.isprintable() else clean_text(value, _LONGEST_CELL)
    return "" if value is None else str(value)


def to_bytes(text: str) -> bytes:
    """Text as it goes into files and pipes. Half characters, which only a template has, are escaped."""
    return text.encode("utf-8", "backslashreplace")


def is_plain(column: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Whether every value is an address, a network, a number in digits or a hexadecimal word, or a time.

    Most columns of which every value is new are that, and no form has to do anything about it.
    """
    texts = cast("Sequence[str]", column)
    try:
        text = "".join(texts)
    except TypeError:
        return False
    if not text.isascii():
        return False
    if not text.encode().translate(None, PLAIN):
        return True
    return {*map(len, texts)} == {_TIME} and re.fullmatch(_TIMES, text) is not None

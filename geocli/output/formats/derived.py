"""Derived fields: worked out of an address when somebody names them, and neither stored nor shown otherwise.

One table, which ``-f``, templates, completion and error messages read. A derived field costs a module with
``values``, which has a value for each address of a column, and a line here. Every form shows it, wherever
rows have an ``ip``.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Format, Layout, Row
    from geocli.output.formats.beside import BesideWriter

Derive = Callable[[Sequence[Any]], Sequence[object]]
"""Returns a value for each address, network or other text; values can be told apart by a dictionary."""

FROM = "ip"
"""The column that they are worked out of."""


class DerivedField(Value):
    """A field: its name, and the module that has ``values``. It is imported where the field is asked for."""

    name: str
    module: str


DERIVED: tuple[DerivedField, ...] = (DerivedField("tags", "geocli.lookup.tags"),)


def derived_names(columns: Collection[str]) -> tuple[str, ...]:
    """The derived fields that rows with these columns can have."""
    return tuple(field.name for field in DERIVED if field.name not in columns) if FROM in columns else ()


def asked_for(layout: Layout) -> list[DerivedField]:
    """The derived fields that a layout names: chosen, or in its template."""
    possible = derived_names(layout.columns)
    named = {*layout.chosen}
    if layout.template:
        named.update(re.findall(r"\{(\w+)\}", layout.template))
    return [field for field in DERIVED if field.name in possible and field.name in named]


def derive(name: str) -> Derive | None:
    """Return what works a derived field out; ``None`` where the name is another field's."""
    module = next((field.module for field in DERIVED if field.name == name), None)
    return None if module is None else importlib.import_module(module).values


def beside_of(form: object, columns: Collection[str]) -> BesideWriter | None:
    """Return what writes records in this form with these columns beside them; ``None`` for a table."""
    writer: BesideWriter | None = form.beside(columns) if hasattr(form, "beside") else None
    return writer


class WithDerived:
    """A form that shows derived fields too: ``form`` is one for rows that have them after all others."""

    def __init__(self, form: Format, fields: Iterable[DerivedField], index: int) -> None:
        self._form = form
        self._index = index
        self._values = [values for field in fields if (values := derive(field.name)) is not None]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that there was no room for."""
        names: tuple[str, ...] = getattr(self._form, "left_out", ())
        return names

    def beside(self, columns: Collection[str]) -> BesideWriter | None:
        """Return what writes records with other columns beside them, if this form is one of lines."""
        return beside_of(self._form, columns)

    def head(self) -> str:
        """What comes before all rows."""
        return self._form.head()

    def rows(self, rows: Sequence[Row]) -> str:
        """Some rows, complete lines. Raises ``DamagedFileError`` for what fields are worked out of."""
        ips = [row[self._index] for row in rows]
        columns = zip(*(values(ips) for values in self._values), strict=True)
        return self._form.rows([(*row, *more) for row, more in zip(rows, columns, strict=True)])

    def batch(self, block: RecordBatch) -> bytes:
        """Some records, complete lines."""
        if hasattr(self._form, "batch_writer"):  # which works derived fields out itself
            return self._form.batch(block)
        return self.rows(block.rows()).encode("utf-8", "backslashreplace")

"""Rows as lines of text: what many rows have in common is rendered once.

In most rows only the address and its network are new; country, AS and organisation were in a row before.
So a line is rendered with gaps for the columns that are always new, remembered by the values of all others,
and its gaps are filled for each row. Records that come as a ``RecordBatch`` are ``batch_writer``'s.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from geocli.output.formats.base import is_plain
from geocli.output.formats.batch_writer import BatchWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geocli.model.record_batch import RecordBatch
    from geocli.output.formats.base import Layout
    from geocli.output.formats.beside import BesideWriter

_MOST_REMEMBERED = 40_000  # lines: some megabytes


class LineWriter:
    """Renders rows that all have the same columns.

    ``literals`` are the texts before, between and behind the columns ``indexes``, which may name one more
    than once. ``distinct`` are the columns that hardly ever repeat a value. ``encode`` makes text of a
    value, ``encode_column`` of many.
    """

    def __init__(
        self,
        literals: Sequence[str],
        indexes: Sequence[int],
        distinct: Collection[int],
        encode: Callable[[object], str],
        encode_column: Callable[[Sequence[object]], Iterable[str]],
    ) -> None:
        self._gaps = [index for index in indexes if index in distinct]
        shared = [index for index in indexes if index not in distinct]
        self._shared_of: Callable[[Sequence[object]], tuple[object, ...]] = (
            itemgetter(*shared) if len(shared) > 1 else lambda row: tuple(row[index] for index in shared)
        )
        # Filled twice, and so a per cent sign is doubled twice: with what is shared, then with the rest.
        texts = [text.replace("%", "%%%%") for text in literals]
        slots = ["%%s" if index in distinct else "%s" for index in indexes]
        self._pattern = "".join(text + slot for text, slot in zip(texts, [*slots, ""], strict=True))
        self._encode = encode
        self._encode_column = encode_column
        self._templates: dict[str, str] = {}

    def lines(self, rows: Sequence[Sequence[object]]) -> list[str]:
        """One line for each row."""
        templates = list(map(self._template_of, map(self._shared_of, rows)))
        if not self._gaps:
            return [template % () for template in templates]
        gaps = [self._encode_column([row[index] for row in rows]) for index in self._gaps]
        return [template % gap for template, gap in zip(templates, zip(*gaps, strict=True), strict=True)]

    def _template_of(self, values: tuple[object, ...]) -> str:
        key = repr(values)  # 1, 1.0 and True are equal, and so are 0.0 and -0.0, but not the same text
        template = self._templates.get(key)
        if template is None:
            if len(self._templates) >= _MOST_REMEMBERED:
                self._templates.clear()
            texts = [self._encode(value).replace("%", "%%") for value in values]
            template = self._templates[key] = self._pattern % tuple(texts)
        return template


class LineFormat:
    """A form in which each row is a line: ``head`` before all, then what the two writers make of rows.

    What a line is made of is said as for the two; ``indexes`` are the layout's, if not given.
    """

    def __init__(
        self,
        layout: Layout,
        literals: Sequence[str],
        encode: Callable[[object], str],
        encode_column: Callable[[Sequence[object]], Iterable[str]] | None = None,
        *,
        indexes: Sequence[int] | None = None,
        head: str = "",
        quote: str = "",
    ) -> None:
        indexes = layout.indexes if indexes is None else indexes
        column = encode_column or mostly_plain(encode)
        self._rows = LineWriter(literals, indexes, layout.distinct, encode, column)
        names = [layout.columns[index] for index in indexes]
        self.batch_writer = BatchWriter(literals, names, encode, column, quote)
        self._line = (literals, names, encode, column, quote)
        self._head = head

    def beside(self, columns: Collection[str]) -> BesideWriter:
        """Return what writes records with values of these columns, which no record has, beside them."""
        from geocli.output.formats.beside import BesideWriter  # look-ups do without

        return BesideWriter(columns, *self._line)

    def head(self) -> str:
        """What comes before all rows."""
        return self._head

    def rows(self, rows: Sequence[Sequence[object]]) -> str:
        """Some rows, complete lines."""
        return "".join(self._rows.lines(rows))

    def batch(self, block: RecordBatch) -> bytes:
        """Some records, complete lines."""
        return self.batch_writer.data(block)


def mostly_plain(encode: Callable[[object], str]) -> Callable[[Sequence[object]], Iterable[str]]:
    """``encode`` for a column, which takes as it is what is text that no form has to do anything about."""

    def encode_column(column: Sequence[object]) -> Iterable[str]:
        if is_plain(column):
            return column
        if not {*map(type, column)} <= {str, type(None)}:
            return map(encode, column)  # of what is equal but not the same text, 0.0 and -0.0, each is itself
        if is_plain([value for value in column if value is not None]):
            nothing = encode(None)
            return [nothing if value is None else str(value) for value in column]
        texts = {value: encode(value) for value in {*column}}
        return map(texts.__getitem__, column)

    return encode_column

"""Rows as lines of text: what many rows have in common is rendered once.

In most rows only the address and its network are new; country, AS and organisation were in a row before.
So a line is rendered with gaps for the columns that are always new, remembered by the values of all others,
and its gaps are filled for each row.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from geocli.formats import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

_K = TypeVar("_K")
_V = TypeVar("_V")

_MOST_REMEMBERED = 40_000  # lines, and values: some megabytes


class LineWriter:
    """Renders rows that all have the same columns.

    ``literals`` are the texts before, between and behind the columns ``indexes``, which may name one more
    than once. ``distinct`` are the columns that hardly ever repeat a value. ``encode`` makes text of a
    value; ``encode_column`` does the same for many at once, where that is quicker.
    """

    def __init__(
        self,
        literals: Sequence[str],
        indexes: Sequence[int],
        distinct: Collection[int],
        encode: Callable[[object], str],
        encode_column: Callable[[Sequence[object]], Iterable[object]] | None = None,
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
        self._encode_column = encode_column or self._column
        self._encode = encode
        # A column has values of one type: 1, 1.0 and True are equal, but not the same text.
        self._templates = _Remembered(self._template)
        self._texts = _Remembered(self._encode_text)

    def lines(self, rows: Sequence[Sequence[object]]) -> list[str]:
        """One line for each row."""
        shared = list(map(self._shared_of, rows))
        try:
            templates = list(map(self._templates.__getitem__, shared))
        except TypeError:  # a value that cannot be remembered: a list
            templates = list(map(self._template, shared))
        if not self._gaps:
            return [template % () for template in templates]
        gaps = [self._encode_column([row[index] for row in rows]) for index in self._gaps]
        return [template % gap for template, gap in zip(templates, zip(*gaps, strict=True), strict=True)]

    def _column(self, column: Sequence[object]) -> Iterable[object]:
        return column if is_plain(column) else map(self._encode, column)

    def _template(self, values: tuple[object, ...]) -> str:
        text = self._texts
        encode = self._encode
        return self._pattern % tuple([text[v] if type(v) is str else encode(v) for v in values])

    def _encode_text(self, value: str) -> str:
        return self._encode(value).replace("%", "%%")


class _Remembered(dict[_K, _V]):
    """Values made once for each key, and again when there were too many."""

    def __init__(self, make: Callable[[_K], _V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _K) -> _V:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        value = self[key] = self._make(key)
        return value

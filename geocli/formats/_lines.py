"""Rows as lines of text: what many rows have in common is rendered once.

In most rows only the address and its network are new; country, AS and organisation were in a row before.
So a line is rendered with gaps for the columns that are always new, remembered by the values of all others,
and its gaps are filled for each row. Of a ``Block``, that is once for each of its answers.
"""

from __future__ import annotations

from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from geocli.block import SHARED
from geocli.formats import is_plain
from geocli.records import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geocli.block import Block, Shared

_K = TypeVar("_K")
_V = TypeVar("_V")

_MOST_REMEMBERED = 40_000  # lines, and values: some megabytes
_TIME = "\0"  # where a time will be: no value has this in it, and no argument


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
        self._templates: dict[str, str] = {}
        self._texts = _Remembered(self._encode_text)
        self._shared = shared
        self._timeless: dict[tuple[object, ...], str] = {}

    def lines(self, rows: Sequence[Sequence[object]]) -> list[str]:
        """One line for each row."""
        templates = list(map(self._known_template, map(self._shared_of, rows)))
        if not self._gaps:
            return [template % () for template in templates]
        gaps = [self._encode_column([row[index] for row in rows]) for index in self._gaps]
        return [template % gap for template, gap in zip(templates, zip(*gaps, strict=True), strict=True)]

    def of(self, block: Block) -> list[str]:
        """One line for each record of a block; the rows must be records."""
        templates = self._templates_of(block.answers)
        if not self._gaps:
            return [templates[number] % () for number in block.numbers]
        columns = {"ip": block.ips, "network": block.networks}
        gaps = [self._encode_column(columns[FIELDS[index]]) for index in self._gaps]
        chosen = map(templates.__getitem__, block.numbers)
        return [template % gap for template, gap in zip(chosen, zip(*gaps, strict=True), strict=True)]

    def _templates_of(self, answers: Sequence[Shared]) -> list[str]:
        # Each second has another time, so what is remembered has a gap for it too.
        known = self._timeless
        keys = [answer[:-1] for answer in answers]
        new = [key for key in keys if key not in known]
        if len(known) + len(new) > _MOST_REMEMBERED:
            known.clear()
            new = keys
        known.update(zip(new, self._without_time(new), strict=True))
        return [
            known[key].replace(_TIME, self._text(answer[-1]))
            for key, answer in zip(keys, answers, strict=True)
        ]

    def _without_time(self, answers: Sequence[tuple[object, ...]]) -> Iterable[str]:
        names = [FIELDS[index] for index in self._shared]
        columns = dict(zip(SHARED, zip(*answers, strict=True), strict=False))
        texts = [
            repeat(_TIME, len(answers)) if name == "resolved_at" else self._texts_of(columns.get(name, ()))
            for name in names
        ]
        return map(self._pattern.__mod__, zip(*texts, strict=True) if texts else repeat((), len(answers)))

    def _column(self, column: Sequence[object]) -> Iterable[object]:
        return column if is_plain(column) else map(self._encode, column)

    def _known_template(self, values: tuple[object, ...]) -> str:
        key = repr(values)  # 1, 1.0 and True are equal, and so are 0.0 and -0.0, but not the same text
        template = self._templates.get(key)
        if template is None:
            if len(self._templates) >= _MOST_REMEMBERED:
                self._templates.clear()
            template = self._templates[key] = self._template(values)
        return template

    def _template(self, values: tuple[object, ...]) -> str:
        return self._pattern % tuple(map(self._text, values))

    def _texts_of(self, column: Sequence[object]) -> Iterable[str]:
        if {str}.issuperset(map(type, column)):
            return map(self._texts.__getitem__, column)
        return map(self._text, column)

    def _text(self, value: object) -> str:
        return self._texts[value] if type(value) is str else self._encode(value)

    def _encode_text(self, value: object) -> str:
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


class LineFormat:
    """A form in which each row is a line: ``head`` before all, then what ``writer`` makes of rows."""

    def __init__(self, writer: LineWriter, head: str = "") -> None:
        self._writer = writer
        self._head = head

    def head(self) -> str:
        """What comes before all rows."""
        return self._head

    def rows(self, rows: Sequence[Sequence[object]]) -> str:
        """Some rows, complete lines."""
        return "".join(self._writer.lines(rows))

    def block(self, block: Block) -> str:
        """Some records, complete lines."""
        return "".join(self._writer.of(block))

"""Records as lines with values beside them that no record has: of a ban its jail and its times.

Records are looked up and rendered elsewhere, perhaps in another process, which need not know what stands
beside them: it leaves a mark where that is to stand. Here it is put there, column by column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.output.formats.base import MOSTLY_DISTINCT, to_bytes
from geocli.output.formats.batch_writer import BatchWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from geocli.model.record_batch import RecordBatch

_MARK = "\0"  # in no line: text from outside is shown without control characters


class _Gap:
    """Columns that follow each other in a line, with the texts between them."""

    def __init__(self, name: str) -> None:
        self.names = [name]
        self.texts: list[str] = []


class BesideWriter:
    """Writes lines in two halves: ``render`` those of records, and ``fill`` what stands beside them.

    ``columns`` are those that stand beside; the rest is as for a ``BatchWriter``.
    """

    def __init__(
        self,
        columns: Collection[str],
        literals: Sequence[str],
        names: Sequence[str],
        encode: Callable[[object], str],
        encode_column: Callable[[Sequence[object]], Iterable[str]],
        quote: str,
    ) -> None:
        self._encode = encode
        self._encode_column = encode_column
        self._gaps: list[_Gap] = []
        left, kept = [literals[0]], list[str]()
        for index, (name, literal) in enumerate(zip(names, literals[1:], strict=True)):
            if name not in columns:
                kept.append(name)
                left.append(literal)
            elif index and names[index - 1] in columns:
                gap = self._gaps[-1]
                gap.texts.append(left[-1].rpartition(_MARK)[2])
                gap.names.append(name)
                left[-1] = left[-1].rpartition(_MARK)[0] + _MARK + literal
            else:
                self._gaps.append(_Gap(name))
                left[-1] += _MARK + literal
        self._writer = BatchWriter(left, kept, encode, encode_column, quote)

    def render(self, block: RecordBatch) -> bytes:
        """Return the lines of records, in UTF-8, with a mark where something is to stand beside them."""
        return self._writer.data(block)

    def fill(self, lines: bytes, columns: Mapping[str, Sequence[Any] | None], count: int) -> bytes:
        """Return the lines, ``count`` of them, with these values: of a column, a value for each, or none."""
        gaps = len(self._gaps)
        if not gaps or not count:
            return lines
        pieces: list[Any] = [None] * (2 * gaps * count + 1)
        pieces[::2] = lines.split(_MARK.encode())
        for number, gap in enumerate(self._gaps):
            pieces[2 * number + 1 :: 2 * gaps] = self._filled(gap, columns, count)
        return b"".join(pieces)

    def _filled(self, gap: _Gap, columns: Mapping[str, Sequence[Any] | None], count: int) -> Iterable[bytes]:
        """What stands in a gap of each line."""
        if all(columns[name] is None for name in gap.names):
            nothing = [self._encode(None)] * len(gap.names)
            texts = [text for pair in zip(nothing, [*gap.texts, ""], strict=True) for text in pair]
            return [to_bytes("".join(texts))] * count
        size = 2 * len(gap.names)
        parts = [*gap.texts, _MARK]
        pieces: list[Any] = [None] * (size * count)
        for number, (name, text) in enumerate(zip(gap.names, parts, strict=True)):
            pieces[2 * number :: size] = self._texts(name, columns[name], count)
            pieces[2 * number + 1 :: size] = [text] * count
        return to_bytes("".join(pieces)).split(_MARK.encode())[:count]

    def _texts(self, name: str, column: Sequence[Any] | None, count: int) -> Iterable[str]:
        if column is None:
            return [self._encode(None)] * count
        if name in MOSTLY_DISTINCT:
            return list(self._encode_column(column))
        texts = {value: self._encode(value) for value in {*column}}
        return list(map(texts.__getitem__, column))

"""Records as lines with values beside them that no record has: of a ban its jail and its times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.ban_batch import BanColumns
from geocli.model.time_column import TimeColumn
from geocli.output.formats.base import MOSTLY_DISTINCT, to_bytes
from geocli.output.formats.batch_writer import BatchWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geocli.model.record_batch import RecordBatch


class BesideWriter:
    """Writes lines of records with values of these ``columns`` beside them; the rest is a ``BatchWriter``'s.

    Records may be looked up and rendered in another process. So what stands beside them is made text there,
    and goes there as ``BanColumns.to_bytes`` has it.
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
        self.names = frozenset(columns).intersection(names)
        """The columns that are shown."""
        self._encode = encode
        self._encode_column = encode_column
        self._quote = quote.encode()
        self._writer = BatchWriter(literals, names, encode, encode_column, quote, self.names)

    def render(self, block: RecordBatch, beside: bytes) -> bytes:
        """Return the lines of records, in UTF-8, with what is ``beside`` each."""
        told = BanColumns.from_bytes(beside)._asdict()
        count = len(block.ips)
        columns = [self._texts(name, told[name], before, count) for name, before in self._writer.beside]
        return self._writer.data(block, columns)

    def _texts(
        self, name: str, column: Sequence[object] | None, before: bytes, count: int
    ) -> Iterable[bytes]:
        """The values of a column as texts, with the same text before each."""
        nothing = before + to_bytes(self._encode(None))
        if column is None:
            return [nothing] * count
        if isinstance(column, TimeColumn):
            return column.encoded(before + self._quote, self._quote, nothing)
        if name in MOSTLY_DISTINCT:
            return [before + to_bytes(text) for text in self._encode_column(column)]
        texts = {value: before + to_bytes(self._encode(value)) for value in {*column}}
        return map(texts.__getitem__, column)

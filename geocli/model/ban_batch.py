"""Bans by column: of thousands of bans, what an input tells of each, without an object for each.

It is what ``RecordBatch`` is for records. Whoever takes bans one by one takes them as out of a list.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, overload

from geocli.model.bans import Ban
from geocli.model.time_column import TimeColumn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


class BanColumns(NamedTuple):
    """What bans have beside who they are of, by the names of ``Ban``; ``None``: told of none."""

    jail: Sequence[str | None] | None = None
    banned_at: Sequence[str | None] | None = None
    expires_at: Sequence[str | None] | None = None
    ban_count: Sequence[int | None] | None = None
    held_at: Sequence[str | None] | None = None

    def part(self, begin: int, end: int) -> BanColumns:
        """Return the columns from one place to before another."""
        return BanColumns._make(None if column is None else column[begin:end] for column in self)

    def to_bytes(self, names: Collection[str]) -> bytes:
        """Return the columns of these names as another process of this one takes them (``from_bytes``)."""
        told = [column if name in names else None for name, column in zip(self._fields, self, strict=True)]
        return marshal.dumps(
            [column.seconds if isinstance(column, TimeColumn) else column for column in told]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> BanColumns:
        """Return what ``to_bytes`` has put there."""
        columns = marshal.loads(data)  # noqa: S302 (what the process that forked this one wrote)
        return cls._make(
            TimeColumn(array("q", each)) if isinstance(each, bytes) else each for each in columns
        )


NOTHING_BESIDE = BanColumns()


class BanBatch(Sequence[Ban]):
    """Bans in their order. ``texts`` are their identifiers, ``beside`` is what they have beside them."""

    __slots__ = ("beside", "texts")

    def __init__(self, texts: Sequence[str], beside: BanColumns = NOTHING_BESIDE) -> None:
        self.texts = texts
        self.beside = beside

    @classmethod
    def of(cls, bans: Iterable[Ban]) -> BanBatch:
        """Return the same bans by column."""
        if isinstance(bans, BanBatch):
            return bans
        columns = list(zip(*bans, strict=True))
        if not columns:
            return cls(())
        jails, texts, *others = columns
        return cls(texts, BanColumns._make(map(_told, (jails, *others))))

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Ban]:
        jails, *others = (repeat(None) if column is None else column for column in self.beside)
        return map(Ban._make, zip(jails, self.texts, *others, strict=False))

    @overload
    def __getitem__(self, index: int) -> Ban: ...
    @overload
    def __getitem__(self, index: slice) -> BanBatch: ...
    def __getitem__(self, index: int | slice) -> Ban | BanBatch:
        if isinstance(index, slice):
            begin, end, step = index.indices(len(self))
            if step == 1:
                return BanBatch(self.texts[begin:end], self.beside.part(begin, end))
            return BanBatch.of([self[number] for number in range(begin, end, step)])
        jail, *others = (None if column is None else column[index] for column in self.beside)
        return Ban._make((jail, self.texts[index], *others))


def _told(column: Sequence[object]) -> Sequence[object] | None:
    return None if column[0] is None and {*column} == {None} else column

"""What goes from the journal into a store at once, and why that may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.model.record_batch import RecordBatch


class Batch(Value):
    """What a segment of the journal holds and a store takes in, checked.

    ``answers`` are by column, ``None`` where there are none; ``bans`` are ``SeenBan``s, as rows.
    """

    answers: RecordBatch | None = None
    bans: Sequence[tuple[Any, ...]] = ()

    @classmethod
    def of(cls, answers: Iterable[Sequence[Any]], bans: Sequence[tuple[Any, ...]] = ()) -> Self:
        """A batch of these ``GeoRecord``s and ``SeenBan``s."""
        from geocli.model.record_batch import RecordBatch  # an idle flush does without

        return cls(RecordBatch.of(answers), bans)

    @property
    def count(self) -> int:
        """How many answers and bans it has."""
        return len(self.bans) + (0 if self.answers is None else len(self.answers.ips))

    def rows(self) -> list[tuple[Any, ...]]:
        """The answers, as rows."""
        return [] if self.answers is None else self.answers.rows()


class BadSegmentError(ValueError):
    """A segment is text, but not what geocli wrote."""


class NewerSegmentError(Exception):
    """A segment was written by a newer geocli."""

"""What goes from the journal into a store at once, and why that may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence


class Batch(Value):
    """What a segment of the journal holds and a store takes in, as checked rows.

    ``answers`` are ``GeoRecord``s, ``bans`` are ``SeenBan``s.
    """

    answers: Sequence[tuple[Any, ...]] = ()
    bans: Sequence[tuple[Any, ...]] = ()


class BadSegmentError(ValueError):
    """A segment is text, but not what geocli wrote."""


class NewerSegmentError(Exception):
    """A segment was written by a newer geocli."""

"""Counts of what waits in the journal, for people and monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.storage.journal.rows import BANS_TAG, HAS_BANS
from geocli.storage.journal.segments import MOST_BANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TIMED = "typeof(store_time) IN ('real', 'integer') AND store_time BETWEEN 0 AND 253402300799"
# The tag of bans has one space, and so counts for no answer.
_ANSWERS = (
    "SELECT sum(max(length(tag) - length(replace(tag, ' ', '')) - 1, 0)) "  # noqa: S608 (constants)
    f"FILTER (WHERE typeof(tag) = 'text'), min(store_time) FILTER (WHERE {_TIMED}) FROM Cache"
)
_BANS = f"SELECT sum(min(CAST(substr(tag, ?) AS INTEGER), ?)) FROM Cache WHERE {HAS_BANS}"  # noqa: S608 (the same)
_OLDEST = f"SELECT store_time FROM Cache WHERE {_TIMED} ORDER BY rowid LIMIT 1"  # noqa: S608 (the same)


class JournalState(NamedTuple):
    """How many answers (``dirty``) and bans wait, the oldest since when (seconds since the epoch)."""

    dirty: int
    bans: int
    quarantined: int
    oldest: float | None
    size: int


def count(rows: Callable[..., Iterator[Any]]) -> tuple[int, int, float | None]:
    """Return how many answers and bans wait, and since when; ``rows`` executes a SELECT."""
    dirty, bans, oldest = 0, 0, None
    for answers, since in rows(_ANSWERS):
        dirty, oldest = int(answers or 0), since
    for (counted,) in rows(_BANS, (len(BANS_TAG) + 1, MOST_BANS, BANS_TAG)):
        bans = int(counted or 0)
    return dirty, bans, oldest


def oldest_of(rows: Callable[..., Iterator[Any]]) -> float | None:
    """Return when the oldest segment was written, seconds since the epoch."""
    return next((float(since) for (since,) in rows(_OLDEST)), None)

"""Which times can be right: clocks of machines differ, and one that is years ahead must not decide for ever.

A time that is later than an hour from now is not believed: it is neither newer than another one nor fresh. An
answer that has it is given ``NO_TIME`` by a flush: it fills in where nothing else is known, and any other
answer is newer. A sighting of a ban is as of now, and what is in a store already is older than everything
until it is replaced. Times are a record's texts, which order like the times.
"""

from __future__ import annotations

from datetime import datetime

from geocli.model.records import utc_text

END_OF_TIME = "9999-12-31T23:59:59Z"
"""The last time there is."""

NO_TIME = "1970-01-01T00:00:00Z"
"""Of an answer of which is only known that its time is wrong: older than any that geocli gave."""

_AHEAD = 3600  # seconds
_BEGINNING = "2026-01-01T00:00:00Z"  # before that, no geocli ran: a clock that says so judges nobody


def latest_believed(now: str) -> str:
    """Return the latest time that can be right at ``now``.

    Example: ``latest_believed("2026-11-01T10:00:00Z")`` is ``"2026-11-01T11:00:00Z"``.
    """
    if now < _BEGINNING:
        return END_OF_TIME
    return utc_text(datetime.fromisoformat(now).timestamp() + _AHEAD)

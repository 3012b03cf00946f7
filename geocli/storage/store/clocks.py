"""What a store does about times that cannot be right, in SQL for all of them (``model.clocks`` says why).

``latest`` and ``now`` are how a statement names these two parameters.
"""

from __future__ import annotations

from geocli.model import clocks

NO_TIME = f"'{clocks.NO_TIME}'"
"""What a flush gives answers of a time that is not believed: any other answer is newer."""


def believed(column: str, latest: str) -> str:
    """Return SQL for a time to order by: one that is not believed is before all others."""
    return f"CASE WHEN {column} > {latest} THEN '' ELSE {column} END"


def mend_answers(table: str, latest: str, time: str) -> str:
    """Return a statement that gives answers of a time that is not believed another one, in SQL."""
    return f"UPDATE {table} SET resolved_at = {time} WHERE resolved_at > {latest}"  # noqa: S608 (constants)


def mend_bans(table: str, latest: str, now: str) -> str:
    """Return the same for sightings. When a ban began is part of what it is, and is left alone."""
    mended = (f"{name} = CASE WHEN {name} > {latest} THEN {now} ELSE {name} END" for name in _SEEN)
    return f"UPDATE {table} SET {', '.join(mended)} WHERE last_seen > {latest} OR first_seen > {latest}"  # noqa: S608 (the same)


_SEEN = ("first_seen", "last_seen")

"""Forgetting: what is older than somebody wants to keep is deleted, in the store and before it gets there.

Deleted means that nobody can read it below the data directory any more: not in free pages, not in a log, not
in what was set aside as damaged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.errors import TryAgainError
from geocli.model.records import utc_text
from geocli.storage.flush import flush

if TYPE_CHECKING:
    from collections.abc import Collection

    from geocli.model.errors import Problems
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Forgotten, Store


def forget(
    journal: Journal, store: Store, age: float, kinds: Collection[str], now: float, problems: Problems
) -> Forgotten:
    """Delete what is older than ``age`` seconds of ``answers``, ``bans`` or both; 0 is everything.

    The journal is flushed first: what waits in it may be as old as anything. What that finds damaged is
    noted. What was set aside as damaged goes with both kinds, when all of it is older. Raises
    ``GeocliError``.
    """
    if not flush(journal, store, utc_text(now), problems).alone:  # and what it is about to write may be old
        raise TryAgainError("geocli flush is running: nothing was forgotten; try again")
    # What came in this very second is older than no time at all, too.
    before = now - age if age else now + 1
    set_aside_before = before if set(kinds) == {"answers", "bans"} else 0
    forgotten = store.forget(utc_text(before), kinds, utc_text(now))
    journal.erase(set_aside_before)
    store.erase(set_aside_before)
    return forgotten

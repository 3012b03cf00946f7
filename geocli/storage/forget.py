"""Forgetting: what is older than somebody wants to keep is deleted, in the store and before it gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.errors import TryAgainError
from geocli.model.records import utc_text
from geocli.storage.flush import flush

if TYPE_CHECKING:
    from collections.abc import Collection

    from geocli.model.errors import DamagedFileError
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Forgotten, Store


class Gone(NamedTuple):
    """How much was deleted, and what the flush before it found damaged."""

    forgotten: Forgotten
    damage: list[DamagedFileError]


def forget(journal: Journal, store: Store, age: float, kinds: Collection[str], now: float) -> Gone:
    """Delete what is older than ``age`` seconds of ``answers``, ``bans`` or both; 0 is everything.

    The journal is flushed first: what waits in it may be as old as anything. Raises ``GeocliError``.
    """
    flushed = flush(journal, store, utc_text(now))
    if not flushed.alone:  # and what it is about to write may be old
        raise TryAgainError("geocli flush is running: nothing was forgotten; try again")
    # What came in this very second is older than no time at all, too.
    before = utc_text(now - age if age else now + 1)
    return Gone(store.forget(before, kinds), flushed.damage)

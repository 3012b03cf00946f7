"""The store as a flush would leave it, for questions while much waits in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.storage.batch import BadSegmentError, Batch
from geocli.storage.store.scratch import ScratchStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Store


def as_flushed(journal: Journal, store: Store, now: str) -> ScratchStore:
    """Return all bans, with their answers, as a flush at this moment would leave them in the store.

    Nothing is written but a temporary file. Raises ``GeocliError``.
    """
    whole = ScratchStore(journal.directory.parent)
    whole.replay(_everything(journal, store), now)
    return whole


def _everything(journal: Journal, store: Store) -> Iterator[Batch]:
    # The journal first: what a flush moves between the two is in the store by then.
    for key in journal.keys():  # noqa: SIM118 (it is no dictionary)
        try:
            batch = journal.read(key)
        except BadSegmentError:  # the flush sets it aside and says so
            continue
        yield batch
    for bans in store.every_ban():
        yield Batch(store.batch({ban.ip for ban in bans}), bans)

"""The flush: journal to store in one transaction, then the journal forgets exactly that.

The two databases cannot commit together. The store commits first: a crash in between leaves answers
in both, and replaying them changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.errors import CorruptFileError, DamagedFileError
from geocli.journal import BadSegmentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.journal import Journal
    from geocli.store import Store


class Flushed(NamedTuple):
    """``records`` that a committed transaction now holds, and what is wrong: damaged files, bad segments."""

    records: int
    damage: list[DamagedFileError]


def flush(journal: Journal, store: Store, now: str) -> Flushed:
    """Replay every segment there is at this moment. Raises ``GeocliError``; nothing is lost then.

    Nothing dirty, or another flush running: nothing is written anywhere. What cannot be read, be it a
    segment, the journal or the store, is set aside and does not hold back the rest.
    """
    try:
        if not journal.keys():
            return Flushed(0, [])
    except CorruptFileError as error:
        return Flushed(0, [journal.set_aside() or error])
    with journal.flushing() as alone:
        if not alone:
            return Flushed(0, [])
        return _flush(journal, store, now)


def _flush(journal: Journal, store: Store, now: str) -> Flushed:
    damage: list[DamagedFileError] = []
    replay = _Replay(journal, journal.keys())
    try:
        count = store.replay(replay.batches(), now) if replay.keys else 0
    except CorruptFileError as error:  # nothing was committed: all of it again, into a new store
        damage.append(store.set_aside() or error)
        replay = _Replay(journal, replay.keys)
        count = store.replay(replay.batches(), now)
    try:
        journal.forget(replay.done)
    except CorruptFileError as error:
        replay.damage.append(error)
    if any(isinstance(error, CorruptFileError) for error in replay.damage):
        replay.damage.append(journal.set_aside() or replay.damage.pop())
    return Flushed(count, damage + replay.damage)


class _Replay:
    def __init__(self, journal: Journal, keys: list[int]) -> None:
        self._journal = journal
        self.keys = keys
        self.done: list[int] = []
        self.damage: list[DamagedFileError] = []

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """One segment at a time, so that memory does not grow with the journal."""
        for key in self.keys:
            try:
                records = self._journal.read(key)
            except BadSegmentError:
                path = self._journal.quarantine(key)
                reason = "is a damaged journal segment that was set aside"
                self.damage.append(DamagedFileError(path, reason, "its answers can be looked up again"))
                records = []
            except DamagedFileError as error:
                self.damage.append(error)  # not even text: it stays where it is
                continue
            yield records
            self.done.append(key)

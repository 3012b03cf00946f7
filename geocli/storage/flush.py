"""The flush: journal to store in one transaction, then the journal forgets exactly that.

The two databases cannot commit together. The store commits first: a crash in between leaves answers
in both, and replaying them changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.errors import CorruptFileError, DamagedFileError
from geocli.storage.batch import BadSegmentError, Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.model.errors import Problems
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Store


class Flushed(NamedTuple):
    """``entries`` (answers and bans) that a committed transaction now holds, ``bans`` among them.

    Not ``alone``: another flush was running.
    """

    entries: int
    bans: int
    alone: bool


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def _silent(*_: object) -> None:
    pass


def flush(
    journal: Journal, store: Store, now: str, problems: Problems, progress: Progress = _silent
) -> Flushed:
    """Replay every segment there is at this moment. Raises ``GeocliError``; nothing is lost then.

    Nothing dirty, or another flush running: nothing is written anywhere. What cannot be read, be it a
    segment, the journal or the store, is noted, set aside, and does not hold back the rest. It is noted as
    well when something else is raised in the end.
    """
    replay, alone = _Replay(journal, store, problems, progress), True
    try:
        if journal.keys():
            with journal.flushing() as alone:
                if alone:
                    replay.run(now)
    except CorruptFileError as error:
        problems.note(journal.set_aside() or error)
    return Flushed(replay.count, replay.bans, alone)


class _Batches:
    """What these segments hold. A store may go through it again: each time from the beginning."""

    def __init__(self, replay: _Replay, keys: list[int]) -> None:
        self._replay = replay
        self._keys = keys

    def __iter__(self) -> Iterator[Batch]:
        return self._replay.batches(self._keys)


class _Replay:
    def __init__(self, journal: Journal, store: Store, problems: Problems, progress: Progress) -> None:
        self._journal = journal
        self._store = store
        self._problems = problems
        self._progress = progress
        self._done: list[int] = []
        self._corrupt: CorruptFileError | None = None
        self.count = 0
        self.bans = 0

    def run(self, now: str) -> None:
        """The whole of it. Raises ``CorruptFileError`` when it found the journal damaged on the way."""
        keys = self._journal.keys()
        try:
            self.count = self._store.replay(_Batches(self, keys), now) if keys else 0
        except CorruptFileError as error:  # nothing was committed: all of it again, into a new store
            self._problems.note(self._store.set_aside() or error)
            self.count = self._store.replay(_Batches(self, keys), now)
        self._journal.forget(self._done)
        if self._journal.mended is not None:
            self._problems.note(self._journal.mended)
        if self._corrupt is not None:
            raise self._corrupt

    def batches(self, keys: list[int]) -> Iterator[Batch]:
        """One segment at a time, so that memory does not grow with the journal."""
        self._done, self._corrupt, self.bans = [], None, 0
        for number, key in enumerate(keys):
            self._progress("reading the journal, batches", number, len(keys))
            try:
                batch = self._journal.read(key)
            except BadSegmentError:
                path = self._journal.quarantine(key)
                reason = "is a damaged journal segment that was set aside"
                self._problems.note(DamagedFileError(path, reason, "its answers can be looked up again"))
                batch = Batch()
            except CorruptFileError as error:
                self._corrupt = error  # the others first, then the whole file is set aside
                continue
            except DamagedFileError as error:
                self._problems.note(error)  # of a newer geocli: it stays where it is
                continue
            yield batch
            self.bans += len(batch.bans)
            self._done.append(key)
        self._progress("writing to the store, batches", len(keys), len(keys))

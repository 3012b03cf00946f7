"""The flush: journal to store in one transaction, then the journal forgets exactly that.

The two databases cannot commit together. The store commits first: a crash in between leaves answers
in both, and replaying them changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.errors import DamagedFileError
from geocli.journal import BadSegmentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geocli.journal import Journal
    from geocli.store import Store


class Flushed(NamedTuple):
    """``records`` that a committed transaction now holds, files with segments that were set aside."""

    records: int
    quarantined: list[Path]


def flush(journal: Journal, store: Store, now: str) -> Flushed:
    """Replay every segment there is at this moment. Raises ``GeocliError``; nothing is lost then.

    Nothing dirty, or another flush running: nothing is written anywhere. A segment that cannot be
    read is set aside and does not hold back the others.
    """
    if not journal.keys():
        return Flushed(0, [])
    with journal.flushing() as alone:
        if not alone:
            return Flushed(0, [])
        replay = _Replay(journal, journal.keys())
        count = store.replay(replay.batches(), now) if replay.keys else 0
        journal.forget(replay.done)
        if replay.damage is not None:
            raise replay.damage
        return Flushed(count, replay.quarantined)


class _Replay:
    def __init__(self, journal: Journal, keys: list[int]) -> None:
        self._journal = journal
        self.keys = keys
        self.done: list[int] = []
        self.quarantined: list[Path] = []
        self.damage: DamagedFileError | None = None

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """One segment at a time, so that memory does not grow with the journal."""
        for key in self.keys:
            try:
                records = self._journal.read(key)
            except BadSegmentError:
                self.quarantined.append(self._journal.quarantine(key))
                records = []
            except DamagedFileError as damage:
                self.damage = damage  # not even text: it stays where it is
                continue
            yield records
            self.done.append(key)

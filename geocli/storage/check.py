"""Looking through everything that is kept: files, rows, counts, times, and what waits. It changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.model.addresses import parse_target
from geocli.model.clocks import latest_believed
from geocli.model.errors import DamagedFileError
from geocli.storage.batch import BadSegmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.base import Store


class Checked(NamedTuple):
    """What was looked at, and what was found. ``answers`` and ``bans`` are in the store and in the journal.

    ``damage`` is what cannot be trusted, ``remarks`` are what is to be seen to; a sentence each.
    """

    answers: int
    bans: int
    segments: int
    damage: list[str]
    remarks: list[str]


def check(journal: Journal, store: Store, now: str, progress: Callable[[int], object]) -> Checked:
    """Read everything there is. ``progress`` hears how many rows were read.

    Raises ``TryAgainError`` where something cannot be read now.
    """
    looking = _Looking(progress)
    looking.at(journal.integrity)
    looking.at(store.integrity)
    looking.at(lambda: _stored(store, latest_believed(now), looking))
    looking.at(lambda: _waiting(journal, looking))
    return Checked(looking.answers, looking.bans, looking.segments, looking.damage, looking.remarks)


class _Looking:
    def __init__(self, progress: Callable[[int], object]) -> None:
        self._progress = progress
        self.answers = self.bans = self.segments = 0
        self.damage: list[str] = []
        self.remarks: list[str] = []

    def at(self, part: Callable[[], Iterable[str]]) -> None:
        """Note the damage that looking at a part finds, or that keeps from looking at all of it."""
        try:
            self.damage += part()
        except DamagedFileError as error:
            if str(error) not in self.damage:  # each part opens its file, and hears the same of it
                self.damage.append(str(error))

    def count(self, answers: Sequence[object], bans: Sequence[object]) -> None:
        self.answers += len(answers)
        self.bans += len(bans)
        self._progress(self.answers + self.bans)


def _stored(store: Store, latest: str, looking: _Looking) -> Iterator[str]:
    before = store.state(latest)
    odd = answers = bans = 0
    for records in store.everything():
        answers += len(records)
        odd += sum(not _is_address(record.ip) for record in records)
        looking.count(records, ())
    if odd:
        yield f"{odd} answers in the store are about what is no address"
    for seen in store.every_ban():
        bans += len(seen)
        looking.count((), seen)
    after = store.state(latest)
    for name, found, counts in (
        ("answers", answers, (before.stored, after.stored)),
        ("bans", bans, (before.bans, after.bans)),
    ):
        if not min(counts) <= found <= max(counts):  # a flush may come in between
            yield f"{found} {name} can be read in the store, which counts {counts[1]}"
    if after.future:
        looking.remarks.append(f"{after.future} answers and bans in the store are of the future")


def _waiting(journal: Journal, looking: _Looking) -> Iterator[str]:
    keys, before = journal.keys(), journal.state()
    answers = bans = 0
    for key in keys:
        looking.segments += 1
        try:
            batch = journal.read(key)
        except BadSegmentError as error:
            yield f"segment {key} of the journal is damaged ({error}): the next geocli flush sets it aside"
            continue
        rows = batch.rows()
        answers += len(rows)
        bans += len(batch.bans)
        looking.count(rows, batch.bans)
    after = journal.state()
    found = answers + bans
    if keys == journal.keys() and before == after and found != after.dirty + after.bans:
        looking.remarks.append(
            f"{found} answers and bans wait in the journal, not {after.dirty + after.bans}"
        )
    if after.quarantined:
        looking.remarks.append(f"{after.quarantined} damaged segments and files are in quarantine")


def _is_address(text: str) -> bool:
    try:
        return parse_target(text) == text
    except ValueError:
        return False

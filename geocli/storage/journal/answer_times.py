"""When answers were given that the journal keeps: for whoever would give the same ones again.

A local database of one edition says today what it said yesterday. Of an answer that it gave, only the moment
has to be known, and that it is kept; so each segment is read once in a run, however often its addresses are
asked about, and in whatever order.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from geocli.model.record_batch import RecordBatch
from geocli.model.records import GeoRecord
from geocli.storage.batch import BadSegmentError, NewerSegmentError
from geocli.storage.journal.digest import digests
from geocli.storage.journal.index import AddressIndex
from geocli.storage.journal.rows import STORED
from geocli.storage.journal.segments import decode, decode_own
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from geocli.storage.journal.digest import Digest
    from geocli.storage.journal.segments import Segment

_SegmentId = tuple[int, float]
"""A key and when it was stored: once the journal is empty, SQLite counts keys from the start."""

# How many addresses there are at most in segments from this one on: each stands between two blanks.
_ADDRESSES = (
    "SELECT sum(length(tag) - length(replace(tag, ' ', '')) - 1) FROM Cache "
    "WHERE typeof(tag) = 'text' AND rowid >= ?"
)
_MOST_RESERVED = 1 << 22  # a tag may say what it likes
_MOST_OWN = 100_000  # addresses in the index, when what this process writes need not get into it any more


class AnswerTimes:
    """The times of the answers in the journal at ``path``.

    ``rows`` runs a query on it, ``text`` gives the segment that has this key, ``version`` is another one
    after each change of the file, ``close`` closes it until the next query.
    """

    def __init__(
        self,
        path: Path,
        rows: Callable[..., Iterator[Any]],
        text: Callable[[int], str | None],
        version: Callable[[], object],
        close: Callable[[], None],
    ) -> None:
        self._path = path
        self._rows = rows
        self._text = text
        self._version = version
        self._close = close
        self._index = AddressIndex()
        self._kinds: list[
            GeoRecord | None
        ] = []  # by number: status, source and time; None: not there any more
        self._known: dict[GeoRecord, GeoRecord] = {}  # each kind once
        self._numbers: dict[_SegmentId, range] = {}
        self._youngest: _SegmentId | None = None
        self._seen: object = None
        self._own: dict[int, Segment] = {}  # what this process wrote since it looked last, by key

    def wrote(self, key: int, segment: Segment) -> None:
        """Say that this process has written this segment, which has this key."""
        self._own[key] = segment

    def find(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """The ``resolved_at`` of the newest usable answer of each target that has one.

        Whether an answer is ``usable`` hangs on its status, source and time alone. Of what this process has
        written itself, nothing is learned from a certain number of addresses on, so that memory does not grow
        with the input. Raises ``DamagedFileError``.
        """
        with translated(self._path):
            self._learn(usable)
            numbers = self._index.find(targets)
            if not numbers:
                return {}
            self._leave_what_is_gone()
        named = {*numbers.values()}
        kinds = {number: kind for number in named if (kind := self._kinds[number]) is not None}
        # Most segments are of few kinds, each of which is one object.
        judged = {id(kind): kind for kind in kinds.values()}
        served = {which for which, kind in judged.items() if kind.resolved_at and usable(kind)}
        times = {number: kind.resolved_at or "" for number, kind in kinds.items() if id(kind) in served}
        if len(times) < len(named):
            return {target: times[number] for target, number in numbers.items() if number in times}
        if len({*times.values()}) == 1:
            return dict.fromkeys(numbers, next(iter(times.values())))
        return dict(zip(numbers, map(times.__getitem__, numbers.values()), strict=True))

    def _learn(self, usable: Callable[[GeoRecord], bool]) -> None:
        new = [segment for segment in self._not_seen() if segment not in self._numbers]
        if len(new) > 1:
            since = min(key for key, _ in new)
            for (size,) in self._rows(_ADDRESSES, (since,)):
                self._index.reserve(min(int(size or 0), _MOST_RESERVED))
        full = len(self._index) >= _MOST_OWN
        keys = [key for key, _ in new if not (full and key in self._own)]
        learned = zip(keys, digests(keys, self._batch, self._close), strict=True)
        ranges = dict.fromkeys((key for key, _ in new), range(0))
        for key, one in learned:
            begin = len(self._kinds)
            self._add(one, usable)
            ranges[key] = range(begin, len(self._kinds))
        self._numbers |= {segment: ranges[segment[0]] for segment in new}
        self._own.clear()

    def _batch(self, key: int) -> RecordBatch:
        """The answers of one segment by column, none if it is bad, gone, or a newer geocli's."""
        with suppress(BadSegmentError, NewerSegmentError):
            text, own = self._text(key), self._own.get(key)
            if own is not None and own.value == text:
                return decode_own(own)
            if text is not None:
                return decode(text).answers or RecordBatch.of([])
        return RecordBatch.of([])

    def _add(self, learned: Digest, usable: Callable[[GeoRecord], bool]) -> None:
        for (status, source, resolved_at), prints in learned:
            kind = GeoRecord("", status, source=source, resolved_at=resolved_at)
            if usable(kind):  # else an older segment may have one that is
                self._index.add_prints(prints, len(self._kinds))
                self._kinds.append(self._known.setdefault(kind, kind))

    def _not_seen(self) -> list[_SegmentId]:
        """All segments, or those that are younger than the youngest that was there before."""
        # While the youngest is there, the journal was not empty; then what is older need not be gone through
        # again.
        segments, youngest = list[_SegmentId](), self._youngest
        if youngest is not None:
            since = f"SELECT rowid, {STORED} FROM Cache WHERE rowid >= ? ORDER BY rowid"  # noqa: S608 (a constant)
            segments = list(self._rows(since, youngest[:1]))
        if segments[:1] != [youngest]:
            segments = self._there()
        self._youngest = segments[-1] if segments else None
        return segments

    def _leave_what_is_gone(self) -> None:
        """What a flush took is in the store; what somebody deleted is nowhere."""
        version = self._version()
        if version != self._seen:
            for segment in self._numbers.keys() - {*self._there()}:
                for number in self._numbers.pop(segment):
                    self._kinds[number] = None
            self._seen = version

    def _there(self) -> list[_SegmentId]:
        return list(self._rows(f"SELECT rowid, {STORED} FROM Cache ORDER BY rowid"))  # noqa: S608 (the same)

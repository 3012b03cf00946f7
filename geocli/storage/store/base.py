"""The store: what the journal's answers become, one row an address, and its bans, one row a ban.

The contract that every store keeps (one module here each):

* ``find`` reads; it never creates or changes anything. A store that is not there yet is a miss.
* ``replay`` writes whatever it is given in ONE transaction. Replaying again changes nothing: the
  better answer stays, and of two the better is ``ok`` before ``unknown``, then the newer; of two sightings
  of one ban stays what ``seen.merged`` makes of them. Of a time that cannot be right (``model.clocks``) a
  flush makes one that is older than any other, or, of a sighting, its own; so is one that is stored already.
* A store that an older geocli wrote can be read; what it has no table for is a miss.
* Errors are geocli's: ``TryAgainError`` for a lock or a full disk, ``StoreAwayError`` for a server that
  cannot be asked now, ``DamagedFileError`` for what cannot be trusted or was written by a newer geocli.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from geocli.model.clocks import END_OF_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from geocli.model.bans import BanQuery, SeenBan
    from geocli.model.errors import CorruptFileError
    from geocli.model.group_by import Grouping
    from geocli.model.record_batch import RecordBatch
    from geocli.model.records import GeoRecord
    from geocli.storage.batch import Batch

__all__ = [
    "BanCount",
    "BanSpan",
    "Forgotten",
    "Outlived",
    "Store",
    "StoreState",
]


class StoreState(NamedTuple):
    """Answers in the store, those of them ``unknown``, bans, the last flush (a record's time), and bytes.

    Of a server's tables, nobody says how many bytes they take. ``future`` are answers and bans of a time that
    cannot be right.
    """

    stored: int
    unknown: int
    bans: int
    last_flush: str | None
    size: int | None
    future: int = 0


class Outlived(NamedTuple):
    """Which rows are old: resolved before this (a record's time format), ``unknown`` ones before that.

    What was resolved after ``latest`` is older than everything.
    """

    before: str
    unknown_before: str
    latest: str = END_OF_TIME


class BanSpan(NamedTuple):
    """The bans of an address in a jail that began between two moments, both included."""

    host: str
    jail: str
    ip: str
    begin: str
    end: str


class BanCount(NamedTuple):
    """How many bans of how many addresses a group has, and, from ``spans``, when the first and last began.

    ``values`` are those of the grouping's columns. ``ip`` is set where an answer would decide, and the store
    has none that is ``ok``: then it is that address alone, and ``values`` are what is known without.
    """

    values: tuple[Any, ...]
    ip: str | None
    addresses: int
    bans: int
    first: str = ""
    last: str = ""


class Forgotten(NamedTuple):
    """How many rows are gone."""

    answers: int = 0
    bans: int = 0


class Store(Protocol):
    """Where flushed answers live."""

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one."""

    def batch(self, targets: Collection[str]) -> RecordBatch:
        """The same by column, in no order; each target once."""

    def times(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When each target's answer was given, of those that have a usable one.

        Whether one is ``usable`` hangs on its status, source and time alone.
        """

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches."""

    def outlived(self, wanted: Outlived, size: int) -> Iterator[list[str]]:
        """Targets whose answers are old, oldest first, ``size`` at a time. Holds nothing in between."""

    def every_ban(self) -> Iterator[list[SeenBan]]:
        """All bans, in batches, ordered by their keys."""

    def seen_bans(self, spans: Collection[BanSpan]) -> list[SeenBan]:
        """The bans in these spans, in no order."""

    def bans(self, question: BanQuery) -> Iterator[list[tuple[SeenBan, GeoRecord | None]]]:
        """Bans, the oldest first, in batches, with the store's answer where it has one that is ``ok``.

        Holds nothing between two batches.
        """

    def count_bans(self, question: BanQuery, by: Grouping) -> Iterator[BanCount]:
        """Bans counted by a grouping, in no order."""

    def spans(self, question: BanQuery, by: Grouping, top: int | None = None) -> Iterator[BanCount]:
        """The same, and when the first and the last of each group began: that takes half as long again.

        ``top``: at most so many, those with most bans, of two the one that was banned last.
        """

    def forget(self, before: str, kinds: Collection[str], now: str) -> Forgotten:
        """Delete what is older, of ``answers``, ``bans`` or both, in one transaction.

        Answers that were resolved before; bans that began before, and, without times, were seen before only.
        What has a time that cannot be right at ``now`` is as of now from then on; a ban that began at such a
        time is as old as it was seen last. ``erase`` ends it.
        """

    def erase(self, before: float) -> None:
        """Leave nothing on this machine's disk of what was forgotten.

        Nor of damaged files that were set aside, if they were written before this moment (seconds since the
        epoch). Raises ``TryAgainError`` where somebody is in the way.
        """

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write checked rows (answers and bans) in one transaction, streaming; how many that were.

        A store may go through the batches more than once, if they can be: a list can, a generator cannot.
        """

    def integrity(self) -> list[str]:
        """What is wrong with the store's files, in sentences; of a server's, nothing is known."""

    def set_aside(self) -> CorruptFileError | None:
        """Put a damaged store out of the way and say so; ``None`` when it is not damaged."""

    def state(self, latest: str = END_OF_TIME) -> StoreState:
        """Counts for people and monitoring; what is later than ``latest`` is in the future."""

    def close(self) -> None:
        """Let go of files and connections."""

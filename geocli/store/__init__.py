"""The store: what the journal's answers become, one row an address, and its bans, one row a ban.

The contract that every store keeps (one module here each):

* ``find`` reads; it never creates or changes anything. A store that is not there yet is a miss.
* ``replay`` writes whatever it is given in ONE transaction. Replaying again changes nothing: the
  better answer stays, and of two the better is ``ok`` before ``unknown``, then the newer; of two sightings
  of one ban stays what ``seen.merged`` makes of them.
* A store that an older geocli wrote can be read; what it has no table for is a miss.
* Errors are geocli's: ``TryAgainError`` for a lock or a full disk, ``DamagedFileError`` for a file
  that cannot be trusted or was written by a newer geocli.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from geocli.records import Batch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from geocli.errors import CorruptFileError
    from geocli.records import GeoRecord
    from geocli.seen import SeenBan
    from geocli.settings import Settings

__all__ = ["Batch", "Outlived", "Store", "StoreState", "open_store"]


class StoreState(NamedTuple):
    """Answers in the store, those of them ``unknown``, bans, the last flush (a record's time), bytes."""

    stored: int
    unknown: int
    bans: int
    last_flush: str | None
    size: int


class Outlived(NamedTuple):
    """Which rows are old: resolved before this (a record's time format), ``unknown`` ones before that."""

    before: str
    unknown_before: str


class Store(Protocol):
    """Where flushed answers live."""

    def find(self, targets: Collection[str]) -> dict[str, GeoRecord]:
        """The stored record of each target that has one."""

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All records, in batches."""

    def outlived(self, wanted: Outlived, size: int) -> Iterator[list[str]]:
        """Targets whose answers are old, oldest first, ``size`` at a time. Holds nothing in between."""

    def every_ban(self) -> Iterator[list[SeenBan]]:
        """All bans, in batches, ordered by their keys."""

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        """Write checked rows (answers and bans) in one transaction, streaming; how many that were."""

    def set_aside(self) -> CorruptFileError | None:
        """Put a damaged store out of the way and say so; ``None`` when it is not damaged."""

    def state(self) -> StoreState:
        """Counts for people and monitoring."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Nothing is opened or made yet."""
    from geocli.store.sqlite import SqliteStore  # it takes its result types from here

    return SqliteStore(settings.data_dir / "geo.db", settings.busy_timeout)

"""What geocli knows already: the journal first, then the store, both read-only.

A cache never stops a look-up. What goes wrong with its files is noted, and the look-up goes on without
what cannot be read, or without keeping what cannot be written.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from geocli.model.clocks import latest_believed
from geocli.model.errors import BadRowsError, CorruptFileError, GeocliError, StoreAwayError
from geocli.model.record_batch import RecordBatch
from geocli.model.records import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from geocli.model.bans import SeenBan
    from geocli.model.errors import Problems
    from geocli.model.records import GeoRecord
    from geocli.storage.journal.journal import Journal
    from geocli.storage.journal.segments import Segment
    from geocli.storage.store.base import BanSpan, Store

_T = TypeVar("_T")

_REST = 60.0  # seconds for which a store that could not be asked is left alone: each batch would wait


class Cache:
    """Looks answers up and takes new ones in. New ones go to the journal only, never to the store."""

    def __init__(self, journal: Journal, store: Store, problems: Problems) -> None:
        self._journal = journal
        self._store = store
        self._problems = problems
        self._keeps = not journal.is_lent
        self._rests_until = 0.0
        self._has_bad_rows = False
        self.has_most_stored = False
        """Whether the store had most of what ``stored`` was asked about last."""

    def journalled(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """When the journal's usable answer about each of many targets was given, of those that have one.

        For whoever would answer the same again (``Journal.times``).
        """
        try:
            return self._journal.times(targets, usable)
        except GeocliError as error:
            self._problems.note(error)
            return {}

    def stored(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, str]:
        """The same of the store's answers."""
        found = (self._stored(lambda: self._store.times(targets, usable)) or {}) if targets else {}
        self.has_most_stored = 2 * len(found) > len(targets)
        return found

    def find(
        self,
        targets: Collection[str],
        usable: Callable[[GeoRecord], bool],
    ) -> list[RecordBatch]:
        """The usable records of those targets that have one, each in one block.

        Whether a record is ``usable`` hangs on its answer alone.
        """
        found: dict[str, GeoRecord] = {}
        # In this order: what a flush forgets between the two look-ups is in the store by then.
        try:
            found = self._journal.find(targets, usable)
        except GeocliError as error:
            self._problems.note(error)
        missing = [target for target in targets if target not in found] if found else targets
        stored = self._stored(lambda: self._store.batch(missing)) if missing else None
        blocks = [RecordBatch.of(found.values())]
        return blocks if stored is None else [*blocks, stored.only(usable)]

    def known(self, targets: Collection[str]) -> list[RecordBatch]:
        """The answers that are ``ok``, however old, of those targets that have one.

        One of a time that cannot be right serves where there is no other (``model.clocks``).
        """
        latest, doubted = latest_believed(utc_text(time.time())), 0

        def is_believed(record: GeoRecord) -> bool:
            nonlocal doubted
            is_ok, is_early = record.status == "ok", (record.resolved_at or "") <= latest
            doubted += is_ok and not is_early
            return is_ok and is_early

        found = self.find(targets, is_believed)
        if doubted:
            there = set().union(*(block.ips for block in found))
            missing = [target for target in targets if target not in there]
            found += self.find(missing, lambda record: record.status == "ok")
        return found

    def seen_bans(self, spans: Collection[BanSpan]) -> list[SeenBan]:
        """The store's bans in these spans."""
        return self._stored(lambda: self._store.seen_bans(spans)) or []

    def _stored(self, ask: Callable[[], _T]) -> _T | None:
        """What the store says, unless it cannot be asked now, or could not be a moment ago."""
        if time.monotonic() >= self._rests_until:
            try:
                return ask()
            except BadRowsError as error:
                if not self._has_bad_rows:  # one says enough
                    self._problems.note(error)
                self._has_bad_rows = True
                rest: _T = error.rest  # what was asked, of the others
                return rest
            except StoreAwayError as error:
                self._problems.mention(error.without_it())
            except GeocliError as error:
                self._problems.note(error)
            self._rests_until = time.monotonic() + _REST
        return None

    def everything(self) -> Iterator[list[GeoRecord]]:
        """All that is known, each target once: the journal's newest, then what only the store has.

        Last comes what has a time that cannot be right, where nothing else is known.
        """
        latest, doubted = latest_believed(utc_text(time.time())), False
        from geocli.system.spill import SeenSet  # only for all that is known

        seen = SeenSet(self._journal.directory)  # in the journal: a store has each once
        try:
            for batch in self._journal.everything():
                believed = {record.ip: record for record in batch if (record.resolved_at or "") <= latest}
                doubted = doubted or len(believed) < len(batch)
                yield [believed[ip] for ip in seen.new_of(believed)]
            for batch in self._store.everything():
                yield [record for record in batch if record.ip not in seen]
            for batch in self._journal.everything() if doubted else ():
                records = {record.ip: record for record in batch}
                new = seen.new_of(records)
                stored = self._store.find(new)
                yield [records[ip] for ip in new if ip not in stored]
        except GeocliError as error:
            self._problems.note(error)

    def make_ready(self) -> None:
        """Make ready to remember, for whoever has the time just now."""
        if self._keeps:
            with suppress(GeocliError):  # whoever remembers says so
                self._journal.make_ready()

    def remember(self, segment: Segment) -> int | None:
        """Put new answers into the journal, as this segment: on disk when this returns.

        ``None`` when a problem was noted instead, and where the journal is another user's to write.
        """
        if self._keeps:
            try:
                try:
                    return self._journal.write(segment)
                except CorruptFileError as error:
                    self._problems.note(self._journal.set_aside() or error)
                    return self._journal.write(segment)
            except GeocliError as error:
                self._problems.note(error)
                self._keeps = False  # the next batch would wait for the same lock all over again
            finally:
                if self._journal.mended is not None:
                    self._problems.note(self._journal.mended)
        return None

    def close(self) -> None:
        """Let go of all files; they are opened again when asked."""
        self._journal.close()
        self._store.close()

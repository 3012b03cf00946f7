"""Where the journal has an answer, and what it says.

A few addresses are searched for in the tags of segments, the newest first. For many, an index is made of all
tags, once: it says which segment to look into, and hardly any has to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.records import GeoRecord
from geocli.storage.journal.index import AddressIndex
from geocli.system.sqlite_file import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

FEW = 16
"""Up to so many addresses, searching a tag as text beats splitting it, and searching all beats the index."""

STORED = "iif(typeof(store_time) = 'real', store_time, 0)"
"""When a segment was stored, in SQL: seconds since the epoch, which together with its key name it."""

_TAG = "CAST(tag AS BLOB) FROM Cache WHERE typeof(tag) = 'text'"  # as bytes: they may be no UTF-8
_MOST_OWN = 100_000  # addresses in the index, when what this process writes need not get into it any more


class Finder:
    """Finds answers in the journal at ``path``.

    ``rows`` runs a query on it, ``answers`` gives those of the segment that has this key.
    """

    def __init__(
        self,
        path: Path,
        rows: Callable[..., Iterator[Any]],
        answers: Callable[[int], Sequence[tuple[Any, ...]]],
    ) -> None:
        self._path = path
        self._rows = rows
        self._answers = answers
        self._index = AddressIndex()
        self._indexed: dict[tuple[int, float], int] = {}
        self._youngest: tuple[int, float] | None = None
        self._own: set[int] = set()  # keys of segments that this process wrote since it looked last

    def wrote(self, key: int) -> None:
        """Say that this process has written the segment with this key."""
        self._own.add(key)

    def find(
        self,
        targets: Collection[str],
        usable: Callable[[GeoRecord], bool],
        where: Mapping[str, int] | None = None,
    ) -> dict[str, GeoRecord]:
        """The newest usable record of each target that has one. Raises ``DamagedFileError``.

        ``where`` is what ``locate`` said about the targets, for whoever asked it before.
        """
        if where is None and len(targets) <= FEW:
            return self._search(targets, usable)
        found, unusable = self._find_in(self.locate(targets) if where is None else where, usable)
        return found | self._search(unusable, usable)  # an older segment may hold what can be used

    def _search(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, GeoRecord]:
        """Look through the tags of all segments, the newest first."""
        wanted, found = set(targets), dict[str, GeoRecord]()
        if not wanted:
            return found
        with translated(self._path):
            for key, tag in self._rows(f"SELECT rowid, {_TAG} ORDER BY rowid DESC"):
                if not wanted:
                    break
                found |= self._usable(key, _in_tag(wanted, tag), usable)
                wanted.difference_update(found)
        return found

    def locate(self, targets: Collection[str], *, steady: bool = False) -> dict[str, int]:
        """The key of the newest segment that holds each target, if any does.

        Of new targets none has one, and hardly a segment has to be looked at. For whoever is ``steady``, and
        would answer the same again, what this process has written itself is left out from a certain number
        of addresses on, so that memory does not grow with the input. Raises ``DamagedFileError``.
        """
        with translated(self._path):
            for segment in self._not_seen():
                if segment in self._indexed:
                    continue
                if not (steady and segment[0] in self._own and len(self._index) >= _MOST_OWN):
                    for (tag,) in self._rows(f"SELECT {_TAG} AND rowid = ?", segment[:1]):
                        self._index.add(_text(tag).split(), len(self._indexed))
                self._indexed[segment] = segment[0]
            self._own.clear()
            if not self._indexed:
                return {}
            keys = list(self._indexed.values())
            by_key: dict[int, set[str]] = {}
            for target, number in self._index.find(targets).items():
                by_key.setdefault(keys[number], set()).add(target)
            # The index may be wrong about an address, and what is believed to be here is not written again.
            return {target: key for key in by_key for target in self._hits(key, by_key[key])}

    def _not_seen(self) -> list[tuple[int, float]]:
        """All segments, or those that are younger than the youngest that was there before."""
        # A key alone does not name a segment: once the journal is empty, SQLite counts from the start. But
        # while the youngest is there, it was not empty; then what is older need not be gone through again.
        segments, youngest = list[tuple[int, float]](), self._youngest
        if youngest is not None:
            since = f"SELECT rowid, {STORED} FROM Cache WHERE rowid >= ? ORDER BY rowid"  # noqa: S608 (a constant)
            segments = list(self._rows(since, youngest[:1]))
        if segments[:1] != [youngest]:
            segments = list(self._rows(f"SELECT rowid, {STORED} FROM Cache ORDER BY rowid"))  # noqa: S608 (the same)
        self._youngest = segments[-1] if segments else None
        return segments

    def _hits(self, key: int, targets: set[str]) -> set[str]:
        """Those of the targets that a segment holds."""
        for (tag,) in self._rows(f"SELECT {_TAG} AND rowid = ?", (key,)):
            return _in_tag(targets, tag)
        return set()

    def _find_in(
        self, where: Mapping[str, int], usable: Callable[[GeoRecord], bool]
    ) -> tuple[dict[str, GeoRecord], set[str]]:
        """The usable records of the segments that ``locate`` named, and which targets' are not usable."""
        by_key: dict[int, set[str]] = {}
        for target, key in where.items():
            by_key.setdefault(key, set()).add(target)
        found: dict[str, GeoRecord] = {}
        unusable: set[str] = set()
        with translated(self._path):
            for key, targets in by_key.items():
                hits = self._hits(key, targets)
                found |= self._usable(key, hits, usable)
                unusable |= hits.difference(found)
        return found, unusable

    def _usable(
        self, key: int, targets: Collection[str], usable: Callable[[GeoRecord], bool]
    ) -> dict[str, GeoRecord]:
        """The usable records of these targets in a segment."""
        if not targets:
            return {}
        rows = self._answers(key)
        records = (GeoRecord._make(row) for row in rows if row[0] in targets)
        return {record.ip: record for record in records if usable(record)}


def _text(tag: bytes) -> str:
    return str(tag, "utf-8", "replace")


def _in_tag(targets: set[str], tag: bytes) -> set[str]:
    text = _text(tag)
    if len(targets) <= FEW:
        return {target for target in targets if f" {target} " in text}
    return targets.intersection(text.split())

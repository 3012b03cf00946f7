"""Answers in the journal: which segments have one about an address, by their tags, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geocli.model.records import GeoRecord
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

FEW = 16
"""Up to so many addresses, searching a tag as text beats splitting it."""

_TAG = "CAST(tag AS BLOB) FROM Cache WHERE typeof(tag) = 'text'"  # as bytes: they may be no UTF-8


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

    def find(self, targets: Collection[str], usable: Callable[[GeoRecord], bool]) -> dict[str, GeoRecord]:
        """The newest usable record of each target that has one. Raises ``DamagedFileError``."""
        wanted, found = set(targets), dict[str, GeoRecord]()
        if not wanted:
            return found
        with translated(self._path):
            for key, tag in self._rows(f"SELECT rowid, {_TAG} ORDER BY rowid DESC"):
                if not wanted:
                    break
                if there := _in_tag(wanted, tag):
                    rows = self._answers(key)
                    records = (GeoRecord._make(row) for row in rows if row[0] in there)
                    found |= {record.ip: record for record in records if usable(record)}
                    wanted.difference_update(found)
        return found


def _in_tag(targets: set[str], tag: bytes) -> set[str]:
    text = str(tag, "utf-8", "replace")
    if len(targets) <= FEW:
        return {target for target in targets if f" {target} " in text}
    return targets.intersection(text.split())

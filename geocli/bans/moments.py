"""When bans began, however many they are: what timeline and news are made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from geocli.bans.timeline import Dated
from geocli.system.row_file import RowFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_AT_ONCE = 4096


class Moments(Collection[Dated]):
    """Dated bans in the order in which they were added, each made when it is asked for.

    ``kinds`` are the groups that a ban may have, each a tuple of texts and numbers. ``directory``, the
    data's, is where they go when they are many. Raises ``GeocliError`` where the disk is full.
    """

    def __init__(self, kinds: Sequence[str], directory: Path | None = None) -> None:
        self._kinds = tuple(kinds)
        self._rows = RowFile(directory)
        self._latest: list[tuple[Any, ...]] = []
        self._count = 0

    def add(self, banned_at: str, jail: str | None, groups: Mapping[str, tuple[Any, ...]]) -> None:
        """Add a ban. ``banned_at`` is a record's time."""
        self._latest.append((banned_at, jail, *map(groups.get, self._kinds)))
        self._count += 1
        if len(self._latest) >= _AT_ONCE:
            self._save()

    def _save(self) -> None:
        self._rows.add(self._latest)
        self._latest = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Dated]:
        self._save()
        kinds = self._kinds
        for batch in self._rows.batches():
            for banned_at, jail, *groups in batch:
                of = {kind: group for kind, group in zip(kinds, groups, strict=True) if group is not None}
                yield Dated(banned_at, jail, of)

    def __contains__(self, ban: object) -> bool:
        return any(ban == one for one in self)

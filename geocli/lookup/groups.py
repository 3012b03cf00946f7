"""Groups: what is counted together, and how much of everything that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geocli.lookup.group_file import GroupFile
    from geocli.model.group_by import Grouping
    from geocli.model.row_order import RowOrder


MOST_GROUPS = 40_000
"""Groups in memory: some 25 MB."""


class _Group:
    __slots__ = ("addresses", "count", "values")

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.addresses = 0
        self.count = 0


class Groups:
    """Counts things (bans, hits) and distinct addresses by a grouping.

    With a ``directory``, the data's, what is too much for memory goes into a temporary file there. Then
    whatever is asked may raise ``GeocliError``.
    """

    def __init__(self, by: Grouping, directory: Path | None = None, most: int = MOST_GROUPS) -> None:
        self._by = by
        self._directory = directory
        self._most = most
        self._groups: dict[tuple[Any, ...], _Group] = {}
        self._file: GroupFile | None = None
        self.total = 0
        """How many things were counted."""

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._groups) if self._file is None else len(self._whole())

    def add(self, values: tuple[Any, ...], addresses: int, count: int) -> None:
        """Count so many things, and so many addresses that are new, in the group of these values."""
        key = self._by.key(values)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._most and self._directory is not None:
                self._whole()
            group = self._groups[key] = _Group(values)
        elif None in group.values:  # another source may have known the name that goes with a number
            group.values = tuple(a if a is not None else b for a, b in zip(group.values, values, strict=True))
        group.addresses += addresses
        group.count += count
        self.total += count

    def _whole(self) -> GroupFile:
        """The file, with all that is in memory put into it."""
        if self._file is None:
            from geocli.lookup.group_file import GroupFile  # only then

            assert self._directory is not None  # noqa: S101 (for mypy)
            self._file = GroupFile(self._by, self._directory)
        self._file.add((group.values, group.addresses, group.count) for group in self._groups.values())
        self._groups.clear()
        return self._file

    def parts(self) -> list[tuple[tuple[Any, ...], int, int]]:
        """Return what to ``add`` somewhere else to have the same groups there."""
        if self._file is not None:
            width = len(self._by.names)
            return [
                (row[:width], row[width], row[width + 1])
                for batch in self._whole().batches(self.total)
                for row in batch
            ]
        return [(group.values, group.addresses, group.count) for group in self._groups.values()]

    def rows(
        self, top: int | None, at_least: int = 0, order: RowOrder | None = None
    ) -> list[tuple[Any, ...]]:
        """Return ``(*values, addresses, count, share)`` of each group: the largest first, or in their order.

        ``top`` are the largest, also where they are shown in their order; with an ``order`` they are those
        that come first in it. ``at_least`` so much a group has to have. ``share`` is of everything that was
        counted, from 0 to 1, also of what is left out.
        """
        return [row for batch in self.batches(top, at_least, order) for row in batch]

    def batches(
        self, top: int | None, at_least: int = 0, order: RowOrder | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows at once or, where they are in the file, part by part."""
        if self._file is not None:
            yield from self._whole().batches(self.total, top, at_least, order)
        elif order is not None:
            yield order.sorted(self._rows(None, at_least))[:top]
        else:
            yield self._rows(top, at_least)

    def _rows(self, top: int | None, at_least: int) -> list[tuple[Any, ...]]:
        groups = [group for group in self._groups.values() if group.count >= at_least]
        groups.sort(key=lambda group: self._by.order(group.values))
        largest = sorted(groups, key=lambda group: (group.count, group.addresses), reverse=True)[:top]
        if self._by.in_order:
            chosen = set(map(id, largest))
            largest = [group for group in groups if id(group) in chosen]
        return [(*g.values, g.addresses, g.count, round(g.count / self.total, 4)) for g in largest]

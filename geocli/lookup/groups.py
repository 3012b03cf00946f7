"""Groups: what is counted together, and how much of everything that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geocli.model.group_by import Grouping
    from geocli.model.row_order import RowOrder


class _Group:
    __slots__ = ("addresses", "count", "values")

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.addresses = 0
        self.count = 0


class Groups:
    """Counts things (bans, hits) and distinct addresses by a grouping."""

    def __init__(self, by: Grouping) -> None:
        self._by = by
        self._groups: dict[tuple[Any, ...], _Group] = {}
        self._total = 0

    def add(self, values: tuple[Any, ...], addresses: int, count: int) -> None:
        """Count so many things, and so many addresses that are new, in the group of these values."""
        key = self._by.key(values)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(values)
        elif None in group.values:  # another source may have known the name that goes with a number
            group.values = tuple(a if a is not None else b for a, b in zip(group.values, values, strict=True))
        group.addresses += addresses
        group.count += count
        self._total += count

    def parts(self) -> list[tuple[tuple[Any, ...], int, int]]:
        """Return what to ``add`` somewhere else to have the same groups there."""
        return [(group.values, group.addresses, group.count) for group in self._groups.values()]

    def rows(
        self, top: int | None, at_least: int = 0, order: RowOrder | None = None
    ) -> list[tuple[Any, ...]]:
        """Return ``(*values, addresses, count, share)`` of each group: the largest first, or in their order.

        ``top`` are the largest, also where they are shown in their order; with an ``order`` they are those
        that come first in it. ``at_least`` so much a group has to have. ``share`` is of everything that was
        counted, from 0 to 1, also of what is left out.
        """
        if order is not None:
            return order.sorted(self.rows(None, at_least))[:top]
        groups = [group for group in self._groups.values() if group.count >= at_least]
        groups.sort(key=lambda group: self._by.order(group.values))
        largest = sorted(groups, key=lambda group: (group.count, group.addresses), reverse=True)[:top]
        if self._by.in_order:
            chosen = set(map(id, largest))
            largest = [group for group in groups if id(group) in chosen]
        return [(*g.values, g.addresses, g.count, round(g.count / self._total, 4)) for g in largest]

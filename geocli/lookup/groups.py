"""Groups: who is counted together, and how much of everything that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.records import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geocli.model.records import GeoRecord


KEYS: Mapping[str, tuple[str, ...]] = {
    "country": ("country_code", "country_name"),
    "region": ("region", "country_code"),
    "asn": ("asn", "org"),
    "org": ("org",),
    "network": ("network", "country_code", "asn", "org"),
}
"""Groups by what is in a record: the fields that are shown for a group."""

_WHERE = {by: tuple(map(FIELDS.index, names)) for by, names in KEYS.items()}
_DECIDE = {"region": 2}  # how many of those tell groups apart, where it is not the first alone


def key_of(by: str, record: GeoRecord) -> tuple[object, ...]:
    """The group of a record: its values of ``KEYS[by]``. An address without a network is its own."""
    values = tuple([record[index] for index in _WHERE[by]])
    if by == "network" and values[0] is None:
        return (record.ip, *values[1:])
    return values


class _Group:
    __slots__ = ("addresses", "count", "values")

    def __init__(self, values: tuple[object, ...]) -> None:
        self.values = values
        self.addresses = 0
        self.count = 0


class Groups:
    """Counts things (bans, hits) and distinct addresses by group."""

    def __init__(self, by: str) -> None:
        self._width = _DECIDE.get(by, 1)
        self._groups: dict[tuple[object, ...], _Group] = {}
        self._total = 0

    def add(self, values: tuple[object, ...], addresses: int, count: int) -> None:
        """Count so many things, and so many addresses that are new, in the group of these values."""
        key = values[: self._width]
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(values)
        elif None in group.values:  # another source may have known the name that goes with a number
            group.values = tuple(a if a is not None else b for a, b in zip(group.values, values, strict=True))
        group.addresses += addresses
        group.count += count
        self._total += count

    def parts(self) -> list[tuple[tuple[object, ...], int, int]]:
        """What to ``add`` somewhere else to have the same groups there."""
        return [(group.values, group.addresses, group.count) for group in self._groups.values()]

    def rows(self, top: int | None, *, by_name: bool = False) -> list[tuple[object, ...]]:
        """``(*values, addresses, count, share)`` of each group: the largest first, or by name.

        ``share`` is of everything that was counted, from 0 to 1, also of what ``top`` leaves out.
        """
        groups = sorted(self._groups.values(), key=lambda g: [(v is None, str(v)) for v in g.values])
        if not by_name:
            groups.sort(key=lambda group: (group.count, group.addresses), reverse=True)
        chosen = groups if top is None else groups[:top]
        return [(*g.values, g.addresses, g.count, round(g.count / self._total, 4)) for g in chosen]

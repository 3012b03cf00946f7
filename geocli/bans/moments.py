"""When bans began, of hundreds of thousands, in some forty bytes each: what timeline and news are made of."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from typing import TYPE_CHECKING

from geocli.bans.timeline import Dated

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

_WIDTH = 20  # bytes of a record's time
_NO_GROUP = 0


class Moments(Collection[Dated]):
    """Dated bans in the order in which they were added, each made when it is asked for.

    ``kinds`` are the groups that a ban may have. Equal jails and equal groups are kept once.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self._times = bytearray()
        self._jails, self._jail_of = _Numbered(), array("I")
        self._groups = {kind: (_Numbered(), array("I")) for kind in kinds}

    def add(self, banned_at: str, jail: str | None, groups: Mapping[str, Hashable]) -> None:
        """Add a ban. ``banned_at`` is a record's time."""
        self._times += banned_at.encode().ljust(_WIDTH)[:_WIDTH]
        self._jail_of.append(self._jails.number(jail))
        for kind, (values, numbers) in self._groups.items():
            numbers.append(values.number(groups[kind]) if kind in groups else _NO_GROUP)

    def __len__(self) -> int:
        return len(self._jail_of)

    def __iter__(self) -> Iterator[Dated]:
        jails, groups = (
            self._jails.values,
            [(kind, values.values, numbers) for kind, (values, numbers) in self._groups.items()],
        )
        for index, jail in enumerate(self._jail_of):
            moment = self._times[index * _WIDTH : (index + 1) * _WIDTH].decode().rstrip()
            of = {kind: values[numbers[index]] for kind, values, numbers in groups if numbers[index]}
            yield Dated(moment, jails[jail], of)  # type: ignore[arg-type]  # a jail is what was put in

    def __contains__(self, ban: object) -> bool:
        return any(ban == one for one in self)


class _Numbered:
    """Values, each kept once and called by a number from 1 on."""

    def __init__(self) -> None:
        self.values: list[Hashable] = [None]
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Hashable) -> int:
        """Return the number of a value."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number

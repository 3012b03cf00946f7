"""Which of very many keys were never seen: most questions to a file about new ones need not be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_PLACES = (
    1 << 22
)  # bytes, of which each stands for the keys that fall on it: a million leave three of four free


class Marks:
    """Remembers keys so far that most of all others are told from them. Costs 4 MB, however many they are."""

    def __init__(self) -> None:
        self._places = bytearray(_PLACES)

    def add(self, keys: Iterable[Hashable]) -> None:
        """Remember some keys."""
        places, mask = self._places, _PLACES - 1
        for key in keys:
            places[hash(key) & mask] = 1

    def may_have(self, key: Hashable) -> bool:
        """Whether a key may have been added; one that was always may."""
        return self._places[hash(key) & (_PLACES - 1)] != 0

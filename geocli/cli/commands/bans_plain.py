"""Bans of which nothing is told but who it is: a plain list is shown as quickly as ``lookup`` shows it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from geocli.model.addresses import parse_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.model.bans import Ban

_NOTHING_ELSE = (None, None, None, None)


class PlainBans:
    """The addresses of bans, in batches, as long as each ban is an address or a network and nothing else.

    A batch is at least of ``size`` while there is input, and smaller where that pauses.
    """

    def __init__(self, found: Iterator[list[Ban]], size: int) -> None:
        self._found = found
        self._size = size
        self._other: list[list[Ban]] = []

    def batches(self) -> Iterator[list[str]]:
        """Yield the addresses, up to the first batch that tells more."""
        for bans in self._found:
            targets = _targets_of(bans)
            if targets is None:
                self._other = [bans]
                return
            begin = 0
            while begin < len(targets):
                left = len(targets) - begin
                end = begin + (self._size if left >= 2 * self._size else left)
                yield targets[begin:end]
                begin = end

    def rest(self) -> Iterator[list[Ban]]:
        """Yield all that comes from there on."""
        return chain(self._other, self._found)


def _targets_of(bans: list[Ban]) -> list[str] | None:
    """What is banned, in canonical form; ``None`` where a ban tells more than that."""
    if not all(ban[0] is None and ban[2:] == _NOTHING_ELSE for ban in bans):
        return None
    try:
        return [parse_target(ban[1]) for ban in bans]
    except ValueError:
        return None

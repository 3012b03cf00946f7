"""Surveys: which networks a stretch of address space is made of, and who holds each, by local databases.

A look-up says how far its answer holds, also that there is none, so the next one begins behind that. All
stretches advance together, many addresses at once.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from socket import inet_ntoa
from struct import pack
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_T = TypeVar("_T")

_SHIFT = {4: 0, 6: 64}  # an IPv6 address is told by its upper half: nobody is told apart by the lower one
_BITS = {4: 32, 6: 64}


class Stretch(NamedTuple):
    """Addresses from ``first`` to ``last``, as numbers; of IPv6 the upper 64 bits."""

    version: int
    first: int
    last: int


def survey(
    stretches: Iterable[Stretch], look_up: Callable[[Sequence[str]], Iterable[tuple[int, _T]]]
) -> Iterator[tuple[Stretch, _T]]:
    """The parts of these stretches, each with the answer that holds for all of it, in no order.

    ``look_up`` answers canonical addresses in their order: how long the prefix is that the answer holds for,
    and the answer.
    """
    waiting = list(stretches)
    while waiting:
        answers = look_up([_text(stretch.version, stretch.first) for stretch in waiting])
        left = []
        for stretch, (length, answer) in zip(waiting, answers, strict=True):
            version, first, last = stretch
            end = min(last, first | ((1 << max(0, _BITS[version] - length)) - 1))
            yield Stretch(version, first, end), answer
            if end < last:
                left.append(Stretch(version, end + 1, last))
        waiting = left


def _text(version: int, number: int) -> str:
    if version == 4:
        return inet_ntoa(pack(">I", number))
    address = IPv6Address(number << _SHIFT[6])
    return str(address.ipv4_mapped or address)

"""Surveys: which networks a stretch of address space is made of, and who holds each, by local databases.

A look-up says how far its answer holds, so the next one begins behind that. All stretches advance together,
many addresses at once. Where nobody knows anything, the step is a /24, or a /48.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from socket import inet_ntoa
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.model.records import GeoRecord

_SHIFT = {4: 0, 6: 64}  # an IPv6 address is told by its upper half: nobody is told apart by the lower one
_STEP = {4: 256, 6: 1 << 16}


class Stretch(NamedTuple):
    """Addresses from ``first`` to ``last``, as numbers; of IPv6 the upper 64 bits."""

    version: int
    first: int
    last: int


def survey(
    stretches: Iterable[Stretch], look_up: Callable[[Sequence[str]], Sequence[GeoRecord]]
) -> Iterator[tuple[Stretch, GeoRecord]]:
    """The parts of these stretches, each with the record that holds for all of it, in no order.

    ``look_up`` answers canonical addresses in their order.
    """
    waiting = list(stretches)
    while waiting:
        records = look_up([_text(stretch.version, stretch.first) for stretch in waiting])
        left = []
        for stretch, record in zip(waiting, records, strict=True):
            end = min(stretch.last, _end(stretch, record.network))
            yield stretch._replace(last=end), record
            if end < stretch.last:
                left.append(stretch._replace(first=end + 1))
        waiting = left


def _text(version: int, number: int) -> str:
    if version == 4:
        return inet_ntoa(pack(">I", number))
    address = IPv6Address(number << _SHIFT[6])
    return str(address.ipv4_mapped or address)


def _end(stretch: Stretch, network: str | None) -> int:
    _, _, length = (network or "").partition("/")
    if not length:
        return stretch.first | (_STEP[stretch.version] - 1)
    bits = {4: 32, 6: 64}[stretch.version] - int(length)
    return stretch.first | ((1 << max(0, bits)) - 1)

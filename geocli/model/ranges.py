"""Networks in other notations than CIDR: with a mask, and as ranges from one address to another."""

from __future__ import annotations

from array import array
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from itertools import islice
from typing import TYPE_CHECKING

from geocli.model.addresses import canonical_address, canonical_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

MOST_NETWORKS = 64
"""A range that is made of more CIDR networks than this is not taken apart."""


def range_targets(first: IPv4Address | IPv6Address, last: IPv4Address | IPv6Address) -> list[str]:
    """Return the fewest CIDR networks that make up a range, both its ends included, canonical, in order.

    They are the two ends themselves where more than ``MOST_NETWORKS`` were needed, and where the range ends
    before it begins, or in another family.
    """
    ends = [canonical_address(first), canonical_address(last)]
    if first.version != last.version or int(first) > int(last):
        return ends
    networks: Iterator[IPv4Network | IPv6Network] = summarize_address_range(first, last)
    targets = [
        canonical_network(network.network_address, network.prefixlen)
        for network in islice(networks, MOST_NETWORKS + 1)
    ]
    return targets if len(targets) <= MOST_NETWORKS else ends


def blocks(first: int, last: int, bits: int) -> Iterator[tuple[int, int]]:
    """Yield the fewest networks that hold exactly the addresses from ``first`` to ``last``, in order.

    Each is its first address and the length of its prefix; an address has ``bits`` bits.
    """
    while first <= last:
        size = min(first & -first or 1 << bits, 1 << ((last - first + 1).bit_length() - 1))
        yield first, bits - size.bit_length() + 1
        first += size


BITS = {4: 32, 6: 128}
"""The length of an address, by the version of IP."""

_HALF = 64
_LOWER = (1 << _HALF) - 1


class Spans:
    """Ranges of addresses of both versions of IP, in order, joined where they touch: 16 or 32 bytes each."""

    def __init__(self) -> None:
        # First and last address of each; of IPv6 the upper half and the lower half of both.
        self._kept = {4: array("Q"), 6: array("Q")}
        self._end: tuple[int, int] | None = None

    def add(self, version: int, first: int, last: int) -> None:
        """Add a range behind those that there are."""
        kept, continues = self._kept[version], self._end == (version, first - 1)
        if version == 4:
            if continues:
                kept[-1] = last
            else:
                kept.extend((first, last))
        else:
            if continues:
                del kept[-2:]
            else:
                kept.extend((first >> _HALF, first & _LOWER))
            kept.extend((last >> _HALF, last & _LOWER))
        self._end = version, last

    def __bool__(self) -> bool:
        return any(self._kept.values())

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Version, first and last address of each."""
        pairs = iter(self._kept[4])
        yield from ((4, first, last) for first, last in zip(pairs, pairs, strict=True))
        halves = iter(self._kept[6])
        for upper, lower, last_upper, last_lower in zip(halves, halves, halves, halves, strict=True):
            yield 6, upper << _HALF | lower, last_upper << _HALF | last_lower

    def blocks(self) -> Iterator[tuple[int, int, int]]:
        """Yield the fewest networks that hold exactly these addresses: version, first address, length."""
        for version, first, last in self:
            for begin, length in blocks(first, last, BITS[version]):
                yield version, begin, length


def prefix_of_mask(mask: IPv4Address | IPv6Address) -> int | None:
    """Return the prefix length that a network mask says, or a wildcard mask (``0.0.0.255``), if it is one."""
    bits = mask.max_prefixlen
    everything = (1 << bits) - 1
    number = int(mask)
    # Ones, then zeros; a wildcard mask is the other way round. 0.0.0.0 is a network mask.
    for value in (number, everything ^ number):
        rest = everything ^ value
        if rest & (rest + 1) == 0:
            return bits - rest.bit_length()
    return None

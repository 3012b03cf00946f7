"""Networks in other notations than CIDR: with a mask, and as a range from one address to another."""

from __future__ import annotations

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

"""Prefixes as numbers: what networks are built up from, compared and counted in.

A *unit* is what one host has: an IPv4 address, or an IPv6 /64. A prefix is the number of its first unit and
its length in bits, 32 for an IPv4 address and 64 for an IPv6 /64, so that both families are arithmetic on
small integers. Nothing here does input or output.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple, Self

from geocli.model.ranges import blocks

BITS = {4: 32, 6: 64}
"""The length of a unit, by the version of IP."""

_BELOW = 64  # bits of an IPv6 address that a unit does not tell
_LENGTH = 7  # bits that a length takes
_FIRST = 64  # and the first unit
_UNITS = (1 << _FIRST) - 1
_LENGTHS = (1 << _LENGTH) - 1


class Prefix(NamedTuple):
    """A network: ``version`` 4 or 6, its ``first`` unit, and its ``length`` in bits (at most ``BITS``)."""

    version: int
    first: int
    length: int

    @property
    def units(self) -> int:
        """How many addresses it has, or how many /64."""
        return 1 << (BITS[self.version] - self.length)

    @property
    def last(self) -> int:
        """Its last unit."""
        return self.first + self.units - 1

    @property
    def key(self) -> int:
        """One number, which orders as prefixes do."""
        return ((self.version == 6) << _FIRST | self.first) << _LENGTH | self.length

    @classmethod
    def of_key(cls, key: int) -> Self:
        """Return the prefix with this ``key``."""
        unit = key >> _LENGTH
        return cls(6 if unit >> _FIRST else 4, unit & _UNITS, key & _LENGTHS)

    def __str__(self) -> str:
        if self.version == 6:
            return f"{IPv6Address(self.first << _BELOW)}/{self.length}"
        address = IPv4Address(self.first)
        return str(address) if self.length == BITS[4] else f"{address}/{self.length}"

    @property
    def cidr(self) -> str:
        """The text with its length, also of one address: ``192.0.2.1/32``."""
        return str(self) if self.version == 6 else f"{IPv4Address(self.first)}/{self.length}"


def prefix_of(target: str) -> Prefix:
    """The prefix that a canonical address or network is, or, of IPv6, the /64 that it is in.

    Raises ``ValueError`` for other text.
    """
    address, _, length = target.partition("/")
    version, family, longest = (6, AF_INET6, 128) if ":" in address else (4, AF_INET, 32)
    bits = BITS[version]
    try:
        unit = int.from_bytes(inet_pton(family, address)[:8])
        size = int(length or longest)
    except (OSError, ValueError):
        unit, size = 0, -1
    if not 0 <= size <= longest:
        raise ValueError(f"{ascii(target[:80])} is neither an address nor a network")
    size = min(size, bits)
    return Prefix(version, unit >> (bits - size) << (bits - size), size)


def covering(version: int, first: int, last: int) -> list[Prefix]:
    """The fewest prefixes that hold exactly the units from ``first`` to ``last``."""
    return [Prefix(version, begin, length) for begin, length in blocks(first, last, BITS[version])]

"""Blocks: an address or a network as a stretch of numbers, to say what is inside and what is around it.

Lists of bans hold text. So a block also knows how the text of everything in it begins, which an index of a
store can look for; what begins so still has to be ``held``.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from geocli.model.addresses import canonical_network

_BITS = {4: 32, 6: 128}


class Block(NamedTuple):
    """The addresses from ``first`` to ``first + 2 ** (bits - length) - 1`` of one version of IP."""

    version: int
    first: int
    length: int

    @property
    def last(self) -> int:
        """The number of its last address."""
        return self.first + (1 << (_BITS[self.version] - self.length)) - 1

    @property
    def text(self) -> str:
        """The canonical address or network."""
        return canonical_network(self._address, self.length)

    @property
    def starting(self) -> str:
        """How the canonical text of each address and network in it begins, as far as that is certain."""
        if self.version == 4:
            octets = str(self._address).split(".")[: self.length // 8]
            return ".".join(octets) + "." * (0 < len(octets) < 4)
        groups = self._address.exploded.split(":")[: min(self.length // 16, 7)]
        known = ""
        for group in groups:
            if int(group, 16) == 0:  # it may be left out, or one of several that are
                break
            known += f"{int(group, 16):x}:"
        return known

    def holds(self, target: str) -> bool:
        """Whether an address or network is inside, the block itself too; other text never is."""
        other = block_of(target)
        return (
            other is not None
            and other.version == self.version
            and self.first <= other.first
            and other.last <= self.last
        )

    def around(self, length: int) -> Block:
        """The block of so many bits that it is in; itself where it is that large already."""
        size = min(length, self.length)
        below = _BITS[self.version] - size
        return Block(self.version, self.first >> below << below, size)

    def covering(self) -> list[str]:
        """The canonical texts of it and of all networks that it is in, the smallest first."""
        return [self.around(length).text for length in range(self.length, 0, -1)]

    @property
    def _address(self) -> IPv4Address | IPv6Address:
        return IPv4Address(self.first) if self.version == 4 else IPv6Address(self.first)


def block_of(target: str) -> Block | None:
    """The block that a canonical address or network is; ``None`` for other text."""
    head, slash, length = target.partition("/")
    try:
        address = ip_address(head)
    except ValueError:
        return None
    bits = _BITS[address.version]
    if slash and not (length.isascii() and length.isdigit() and int(length) <= bits):
        return None
    return Block(address.version, int(address), bits).around(int(length) if slash else bits)

"""IPv6 address space: what IANA has ever given out.

Hexadecimal words with two colons look like addresses (``abc::def``, ``db::db``). Nearly all of them are in
space that nobody can have an address of.
"""

from __future__ import annotations

from ipaddress import IPv6Network

# The blocks of https://www.iana.org/assignments/ipv6-address-space and of the registry of special-purpose
# addresses, read 2026-11. 2000::/3 is taken whole: its parts are given out year by year.
_GIVEN_OUT = [
    IPv6Network(text)
    for text in (
        "::/96",  # unspecified, loopback, and IPv4-compatible (deprecated)
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # IPv4/IPv6 translation
        "64:ff9b:1::/48",  # the same, for local use
        "100::/64",  # discard only
        "100:0:0:1::/64",  # dummy prefix (RFC 9780)
        "2000::/3",  # global unicast
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local (deprecated)
        "ff00::/8",  # multicast
    )
]
_SPANS = [(int(block.network_address), int(block.broadcast_address)) for block in _GIVEN_OUT]
WHOLE_OCTETS = frozenset([*range(0x20, 0x40), 0xFC, 0xFD, 0xFF])
"""First octets of which all addresses were given out."""


def is_given_out(packed: bytes, prefix: int = 128) -> bool:
    """Return whether IANA ever gave out some of the IPv6 network: 16 bytes of an address, and a length."""
    if packed[0] in WHOLE_OCTETS:
        return True
    hosts = (1 << 128 - prefix) - 1
    last = int.from_bytes(packed, "big") | hosts
    first = last ^ hosts
    return any(begin <= last and first <= end for begin, end in _SPANS)

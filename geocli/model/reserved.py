"""What is reserved in full, and what of IPv6 is: beside ``addresses``, which knows what most look-ups ask.

Some IPv6 addresses have an IPv4 address inside (NAT64, 6to4, Teredo): it is where the host is.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from geocli.model.addresses import RESERVED_V4, canonical_network, is_reserved_v4

if TYPE_CHECKING:
    from collections.abc import Iterable

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_6TO4 = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
# How an address that has an IPv4 address in it begins.
_TRANSITION = re.compile(r"64:ff9b::|2002:|2001::|2001:0:")
_IETF_ASSIGNMENTS = IPv6Network("2001::/23")
_REACHABLE_ASSIGNMENTS = [
    IPv6Network(text)
    for text in (
        "2001:1::1/128",  # Port Control Protocol anycast
        "2001:1::2/128",  # TURN anycast
        "2001:1::3/128",  # DNS-SD service registration anycast
        "2001:3::/32",  # automatic multicast tunnelling
        "2001:4:112::/48",  # AS112
        "2001:20::/28",  # ORCHIDv2
        "2001:30::/28",  # drone remote identification
    )
]
_DOCUMENTATION_V6 = [IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20")]
# A target of global unicast that begins like none of those: ipaddress takes its time. In 2001::/16 that is
# what is neither in 2001::/23 nor 2001:db8::/32.
PLAIN_UNICAST = re.compile(
    r"(?:(?!200[12]|3fff)[23][0-9a-f]{3}|2001:(?!db8:)(?:[2-9a-f][0-9a-f]{2}|[1-9a-f][0-9a-f]{3})):[^/]*"
)


def is_reserved_v6(target: str) -> bool:
    """What ``addresses.is_reserved`` says of an IPv6 address or network."""
    if PLAIN_UNICAST.fullmatch(target):
        return False
    network = IPv6Network(target)
    if (inside := _inner(network)) is not None:
        return is_reserved_v4(int(inside.network_address), int(inside.broadcast_address))
    if not network.overlaps(_GLOBAL_UNICAST):
        return not network.overlaps(_NAT64)
    if network.subnet_of(_IETF_ASSIGNMENTS):
        reachable = [_TEREDO, *_REACHABLE_ASSIGNMENTS]
        return not any(network.overlaps(assignment) for assignment in reachable)
    return any(network.subnet_of(documentation) for documentation in _DOCUMENTATION_V6)


def inner_ipv4(target: str) -> str | None:
    """Return the IPv4 address or network inside of a NAT64, 6to4 or Teredo target, else ``None``.

    It is where the host is, or what the network leads to. Example: ``64:ff9b::808:808`` has 8.8.8.8 in it.
    """
    if not _TRANSITION.match(target):
        return None
    inside = _inner(IPv6Network(target))
    return None if inside is None else canonical_network(inside.network_address, inside.prefixlen)


def _inner(network: IPv6Network) -> IPv4Network | None:
    first, prefix = int(network.network_address), network.prefixlen
    if network.subnet_of(_NAT64):
        return IPv4Network((first & 0xFFFFFFFF, prefix - 96))
    if network.subnet_of(_6TO4):
        return IPv4Network((first >> 80 & 0xFFFFFFFF, min(prefix - 16, 32)))
    if prefix >= 96 and network.subnet_of(_TEREDO):  # the last 32 bits, each of them inverted
        last = int(network.broadcast_address)
        return IPv4Network((~last & 0xFFFFFFFF, prefix - 96))
    return None


def reserved_networks() -> list[str]:
    """All networks of which every address is reserved, canonical; none of them is inside another.

    But for Teredo, where they are too many: there the end of an address decides.
    """
    reserved_v4 = [*map(IPv4Network, RESERVED_V4)]
    outside = IPv6Network("::/0").address_exclude(_GLOBAL_UNICAST)
    low = [part for network in outside for part in _around(network, [_NAT64])]
    nat64, sixtofour = int(_NAT64.network_address), int(_6TO4.network_address)
    inside = [IPv6Network((nat64 + int(v4.network_address), v4.prefixlen + 96)) for v4 in reserved_v4]
    inside += [
        IPv6Network((sixtofour + (int(v4.network_address) << 80), v4.prefixlen + 16)) for v4 in reserved_v4
    ]
    assignments = _around(_IETF_ASSIGNMENTS, [_TEREDO, *_REACHABLE_ASSIGNMENTS])
    v6 = [*low, *inside, *assignments, *_DOCUMENTATION_V6]
    return [*RESERVED_V4, *(str(network) for network in v6)]


def public_ranges(version: int) -> list[tuple[int, int]]:
    """The ranges of addresses that have an answer of their own, as numbers, in order, both ends included.

    They are neither reserved nor, of IPv6, in the space of NAT64, 6to4 and Teredo, where the IPv4 address
    inside is answered for. ``version`` is 4 or 6.
    """
    around = IPv4Network("0.0.0.0/0") if version == 4 else _GLOBAL_UNICAST
    closed = [network for network in map(ip_network, reserved_networks()) if network.version == version]
    closed += [] if version == 4 else [_NAT64, _6TO4, _TEREDO]
    found, first, end = [], int(around.network_address), int(around.broadcast_address)
    for begin, last in sorted((int(one.network_address), int(one.broadcast_address)) for one in closed):
        if first < begin and first <= end:
            found.append((first, min(end, begin - 1)))
        first = max(first, last + 1)
    return [*found, (first, end)] if first <= end else found


def _around(network: IPv6Network, holes: Iterable[IPv6Network]) -> list[IPv6Network]:
    """What a network is made of without the holes in it."""
    parts = [network]
    for hole in holes:
        parts = [
            left
            for part in parts
            for left in (part.address_exclude(hole) if hole.subnet_of(part) else [part])
        ]
    return parts

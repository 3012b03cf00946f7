"""Addresses and networks: their canonical text, and which are reserved.

A *target* is what geocli is asked about: the canonical text of an address, or of a network with its
prefix (``192.0.2.0/24``). Canonical is RFC 5952 for IPv6, IPv4-mapped IPv6 becomes IPv4, a zone id
is cut off, the host bits of a network are cleared, /32 and /128 are dropped.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

LONGEST_TARGET = 128
"""No address or network, zone id included, is longer than this many bytes in text."""

OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
"""A pattern: one of the four numbers of an IPv4 address, in its canonical spelling."""

_CANONICAL_V4 = re.compile(OCTET.decode() + r"(?:\." + OCTET.decode() + r"){3}")


def parse_target(text: str) -> str:
    """The canonical form of a text that is one address or one CIDR network.

    Raises ``ValueError`` with a reason that starts in lower case and names the text.
    """
    text = text.strip()
    if _CANONICAL_V4.fullmatch(text):
        return text  # most are, and ipaddress takes its time
    shown = ascii(text if len(text) <= LONGEST_TARGET else text[:LONGEST_TARGET] + "...")
    if len(text) > LONGEST_TARGET:
        raise ValueError(f"{shown} is too long to be an address or a network")
    head, slash, prefix = text.partition("/")
    head, percent, zone = head.partition("%")
    if percent and (":" not in head or not zone):
        raise ValueError(f"{shown} is neither an address nor a network")
    try:
        address = ip_address(head)
    except ValueError:
        raise ValueError(f"{shown} is neither an address nor a network") from None
    if not slash:
        return canonical_address(address)
    if not (prefix.isascii() and prefix.isdigit()) or int(prefix) > address.max_prefixlen:
        raise ValueError(f"{shown} has no prefix length between 0 and {address.max_prefixlen}")
    return canonical_network(address, int(prefix))


def canonical_address(address: IPv4Address | IPv6Address) -> str:
    """The canonical text of an address."""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def canonical_network(address: IPv4Address | IPv6Address, prefix: int) -> str:
    """The canonical text of the network of so many bits that an address is in."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None and prefix >= 96:
        address, prefix = mapped, prefix - 96
    if prefix == address.max_prefixlen:
        return canonical_address(address)
    return str(
        ip_network((int(address), prefix) if address.version == 4 else (address, prefix), strict=False)
    )


def is_ipv6(target: str) -> bool:
    """Whether a target is IPv6 (else it is IPv4)."""
    return ":" in target


def is_network(target: str) -> bool:
    """Whether a target is a network (else it is an address)."""
    return "/" in target


# Not globally reachable by the IANA special-purpose address registries (RFC 6890 and its updates,
# read 2026-11), with multicast (RFC 5771) and the reserved class E (RFC 1112).
_RESERVED_V4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared, carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/29",  # IETF protocol assignments, but for .9 and .10 (anycast)
        "192.0.0.8/32",
        "192.0.0.11/32",
        "192.0.0.12/30",
        "192.0.0.16/28",
        "192.0.0.32/27",
        "192.0.0.64/26",
        "192.0.0.128/25",
        "192.0.2.0/24",  # documentation
        "192.88.99.2/32",  # 6a44 relay
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast and reserved
    )
]
_RESERVED_STARTS = [int(network.network_address) for network in _RESERVED_V4]
_RESERVED_ENDS = [int(network.broadcast_address) for network in _RESERVED_V4]
# How an address may begin that is reserved. Three characters always have its whole first octet.
_RESERVED_BEGINNINGS = frozenset(
    f"{octet}.{digit}"[:3]
    for network in _RESERVED_V4
    for octet in range(network.network_address.packed[0], network.broadcast_address.packed[0] + 1)
    for digit in range(10)
)
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
_PLAIN_UNICAST = re.compile(
    r"(?:(?!200[12]|3fff)[23][0-9a-f]{3}|2001:(?!db8:)(?:[2-9a-f][0-9a-f]{2}|[1-9a-f][0-9a-f]{3})):[^/]*"
)


def is_reserved(target: str) -> bool:
    """Whether nobody on the Internet can have this address, or any address of this network.

    Private, loopback, link-local, documentation, multicast and the like, also where it is the IPv4 address
    inside of a NAT64, 6to4 or Teredo address. Such a target is answered on
    the spot, never sent to anybody and never stored.
    """
    if ":" in target:
        return not _PLAIN_UNICAST.fullmatch(target) and _is_reserved_v6(IPv6Network(target))
    if target[:3] not in _RESERVED_BEGINNINGS:
        # A wide network (0.0.0.0/0, 192.0.0.0/3) may start in a reserved octet, never only end in one.
        return False
    if "/" in target:
        return _is_reserved_v4(IPv4Network(target))
    a, b, c, d = map(int, target.split("."))
    return _is_in_reserved_v4(number := a << 24 | b << 16 | c << 8 | d, number)


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


def split_reserved(targets: Collection[str]) -> tuple[list[str], list[str]]:
    """Targets as those that are reserved and those that are not, each in its order."""
    # The first half of is_reserved, here because it decides almost always.
    doubtful = [target for target in targets if target[:3] in _RESERVED_BEGINNINGS]
    doubtful += filterfalse(_PLAIN_UNICAST.fullmatch, [target for target in targets if ":" in target])
    reserved = set(filter(is_reserved, doubtful))
    if not reserved:
        return [], list(targets)
    return (
        [target for target in targets if target in reserved],
        [target for target in targets if target not in reserved],
    )


class Families(NamedTuple):
    """Targets by how they can be looked up: in bulk, or one by one (``others``), each in its order.

    ``v6`` are addresses of global unicast that have no IPv4 address inside, and are written by the system.
    """

    v4: Sequence[str]
    v6: Sequence[str]
    others: Sequence[str]


def families(targets: Sequence[str]) -> Families:
    """Return targets as IPv4 addresses, plain IPv6 addresses, and whatever else there is."""
    text = " ".join(targets)
    if ":" not in text and "/" not in text:
        return Families(targets, (), ())
    v4 = [target for target in targets if ":" not in target and "/" not in target]
    rest = [target for target in targets if ":" in target or "/" in target] if v4 else targets
    if ipv6_system() is None:
        return Families(v4, (), rest)
    v6 = list(filter(_PLAIN_UNICAST.fullmatch, rest))
    others = list(filterfalse(_PLAIN_UNICAST.fullmatch, rest)) if len(v6) < len(rest) else ()
    return Families(v4, v6, others)


@cache
def ipv6_system() -> Any:
    """Return ``socket``, if the system writes IPv6 addresses as RFC 5952 says, which most do; else ``None``.

    It is ten times as fast as ``ipaddress``. What begins with zeros may be an IPv4 address in another
    spelling, of which it knows nothing.
    """
    import socket  # most look-ups have no IPv6

    samples = ("2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "2001::1:0:0:1:1", "2001:db8::", "fe80::1")
    written = [socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text)) for text in samples]
    return socket if written == list(samples) else None


def reserved_networks() -> list[str]:
    """All networks of which every address is reserved, canonical; none of them is inside another.

    But for Teredo, where they are too many: there the end of an address decides.
    """
    outside = IPv6Network("::/0").address_exclude(_GLOBAL_UNICAST)
    low = [part for network in outside for part in _around(network, [_NAT64])]
    nat64, sixtofour = int(_NAT64.network_address), int(_6TO4.network_address)
    inside = [IPv6Network((nat64 + int(v4.network_address), v4.prefixlen + 96)) for v4 in _RESERVED_V4]
    inside += [
        IPv6Network((sixtofour + (int(v4.network_address) << 80), v4.prefixlen + 16)) for v4 in _RESERVED_V4
    ]
    assignments = _around(_IETF_ASSIGNMENTS, [_TEREDO, *_REACHABLE_ASSIGNMENTS])
    v6 = [*low, *inside, *assignments, *_DOCUMENTATION_V6]
    return [str(network) for network in _RESERVED_V4] + [str(network) for network in v6]


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


def _is_reserved_v4(network: IPv4Network) -> bool:
    return _is_in_reserved_v4(int(network.network_address), int(network.broadcast_address))


def _is_in_reserved_v4(first: int, last: int) -> bool:
    index = bisect_right(_RESERVED_STARTS, first) - 1
    return index >= 0 and last <= _RESERVED_ENDS[index]


def _is_reserved_v6(network: IPv6Network) -> bool:
    if (inside := _inner(network)) is not None:
        return _is_reserved_v4(inside)
    if not network.overlaps(_GLOBAL_UNICAST):
        return not network.overlaps(_NAT64)
    if network.subnet_of(_IETF_ASSIGNMENTS):
        reachable = [_TEREDO, *_REACHABLE_ASSIGNMENTS]
        return not any(network.overlaps(assignment) for assignment in reachable)
    return any(network.subnet_of(documentation) for documentation in _DOCUMENTATION_V6)


def is_target(text: str) -> bool:
    """Whether this is an address or a network, and not a user, a host or anything else that can be banned."""
    try:
        return parse_target(text) == text
    except ValueError:
        return False

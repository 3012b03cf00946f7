"""Addresses and networks: their canonical text, and which are reserved.

A *target* is what geocli is asked about: the canonical text of an address, or of a network with its
prefix (``192.0.2.0/24``). Canonical is RFC 5952 for IPv6, IPv4-mapped IPv6 becomes IPv4, a zone id
is cut off, the host bits of a network are cleared, /32 and /128 are dropped.
"""

from __future__ import annotations

from functools import cache
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
)
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LONGEST_TARGET = 128
"""No address or network, zone id included, is longer than this many bytes in text."""

OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
"""A pattern: one of the four numbers of an IPv4 address, in its canonical spelling."""

_OCTETS = frozenset(map(str, range(256)))


def parse_target(text: str) -> str:
    """The canonical form of a text that is one address or one CIDR network.

    Raises ``ValueError`` with a reason that starts in lower case and names the text.
    """
    text = text.strip()
    if text.count(".") == 3 and _OCTETS.issuperset(text.split(".")):
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
RESERVED_V4 = (
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


def _number_of(address: str) -> int:
    """An IPv4 address in its canonical spelling as a number."""
    a, b, c, d = map(int, address.split("."))
    return a << 24 | b << 16 | c << 8 | d


def _range_of(network: str) -> tuple[int, int]:
    address, _, prefix = network.partition("/")
    return (first := _number_of(address)), first | 0xFFFFFFFF >> int(prefix)


_RESERVED_STARTS, _RESERVED_ENDS = zip(*map(_range_of, RESERVED_V4), strict=True)
# How an address may begin that is reserved. Three characters always have its whole first octet.
_RESERVED_BEGINNINGS = frozenset(
    f"{octet}.{digit}"[:3]
    for first, last in zip(_RESERVED_STARTS, _RESERVED_ENDS, strict=True)
    for octet in range(first >> 24, (last >> 24) + 1)
    for digit in range(10 if octet < 10 else 1)
)


def is_reserved(target: str) -> bool:
    """Whether nobody on the Internet can have this address, or any address of this network.

    Private, loopback, link-local, documentation, multicast and the like, also where it is the IPv4 address
    inside of a NAT64, 6to4 or Teredo address. Such a target is answered on
    the spot, never sent to anybody and never stored.
    """
    if ":" in target:
        from geocli.model.reserved import is_reserved_v6  # most look-ups have no IPv6

        return is_reserved_v6(target)
    if target[:3] not in _RESERVED_BEGINNINGS:
        # A wide network (0.0.0.0/0, 192.0.0.0/3) may start in a reserved octet, never only end in one.
        return False
    if "/" in target:
        return is_reserved_v4(*_range_of(target))
    return is_reserved_v4(number := _number_of(target), number)


def split_reserved(targets: Collection[str]) -> tuple[list[str], list[str]]:
    """Targets as those that are reserved and those that are not, each in its order."""
    # The first half of is_reserved, here because it decides almost always.
    doubtful = [target for target in targets if target[:3] in _RESERVED_BEGINNINGS]
    if v6 := [target for target in targets if ":" in target]:
        from geocli.model.reserved import PLAIN_UNICAST  # the same

        doubtful += filterfalse(PLAIN_UNICAST.fullmatch, v6)
    reserved = set(filter(is_reserved, doubtful))
    if not reserved:
        return [], list(targets)
    return (
        [target for target in targets if target in reserved],
        [target for target in targets if target not in reserved],
    )


class Families(Value):
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
    from geocli.model.reserved import PLAIN_UNICAST  # the same

    v6 = list(filter(PLAIN_UNICAST.fullmatch, rest))
    others = list(filterfalse(PLAIN_UNICAST.fullmatch, rest)) if len(v6) < len(rest) else ()
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


def is_reserved_v4(first: int, last: int) -> bool:
    """Whether all IPv4 addresses from one number to another are reserved."""
    from bisect import bisect_right  # most addresses are not even asked about

    index = bisect_right(_RESERVED_STARTS, first) - 1
    return index >= 0 and last <= _RESERVED_ENDS[index]


def is_target(text: str) -> bool:
    """Whether this is an address or a network, and not a user, a host or anything else that can be banned."""
    try:
        return parse_target(text) == text
    except ValueError:
        return False

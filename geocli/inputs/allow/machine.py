"""What this machine lives by: its own addresses, gateways and resolvers, in Linux's ``/proc`` and ``/etc``.

The forms: ``/proc/net/fib_trie`` (a local address is a leaf ``|-- 192.0.2.1``, then ``/32 host LOCAL``),
``/proc/net/if_inet6`` and ``/proc/net/ipv6_route`` (32 hexadecimal digits an address), ``/proc/net/route``
(eight, in the byte order of the machine), resolv.conf(5).
"""

from __future__ import annotations

import re
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from geocli.inputs.allow.spared import Spared, spared

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 1 << 24  # bytes of such a file: a router with a full table has more, and a gateway among the first
_LOCAL = re.compile(r"\|-- ([0-9.]+)\n\s*/32 host LOCAL")
_NAMESERVER = re.compile(r"(?m)^[ \t]*nameserver[ \t]+([0-9A-Fa-f.:]+)")
_RESOLV_CONF = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf")


def machine(root: Path = Path("/")) -> list[Spared]:
    """Everything that must not be banned because this machine lives by it."""
    return [
        *spared(_own(root), "an address of this machine"),
        *spared(_gateways(root), "a gateway of this machine"),
        *spared(_resolvers(root), "a resolver of this machine"),
    ]


def _own(root: Path) -> Iterator[str]:
    yield from _LOCAL.findall(_read(root / "proc/net/fib_trie"))
    for line in _read(root / "proc/net/if_inet6").splitlines():
        if digits := re.match(r"[0-9a-f]{32}\b", line):
            yield str(IPv6Address(int(digits[0], 16)))


def _gateways(root: Path) -> Iterator[str]:
    for line in _read(root / "proc/net/route").splitlines():
        fields = line.split()
        if len(fields) > 2 and re.fullmatch("[0-9A-F]{8}", fields[2]) and (number := int(fields[2], 16)):
            yield str(IPv4Address(number.to_bytes(4, sys.byteorder)))
    for line in _read(root / "proc/net/ipv6_route").splitlines():
        fields = line.split()
        if len(fields) > 4 and re.fullmatch("[0-9a-f]{32}", fields[4]) and (number := int(fields[4], 16)):
            yield str(IPv6Address(number))


def _resolvers(root: Path) -> Iterator[str]:
    for name in _RESOLV_CONF:
        yield from _NAMESERVER.findall(_read(root / name))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii", "replace")
    except OSError:
        return ""

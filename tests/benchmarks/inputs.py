"""What the benchmarks read: distinct addresses, and a log that names some of them.

The address with a number is computed from it, so that millions are made without being held in memory, which
would count as memory of the processes that are measured: Linux hands the peak on at a fork.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LINE = 100
"""Bytes of each line of the log."""

_LINES_AN_ADDRESS = 10
_AT_ONCE = 10_000
# From one address to the next in another order, which then goes through them all: primes.
_STEPS = (7_368_787, 7_368_791, 10_007)
# First octets of which no part is reserved.
_PUBLIC = bytes(octet for octet in range(1, 224) if octet not in {10, 100, 127, 169, 172, 192, 198, 203})
_IS_PUBLIC = frozenset(_PUBLIC)
_IPV6 = ("2001:4860", "2003:c0", "2400:cb00", "2409:4000", "2600:1f18", "2804:14c", "2a01:4f8", "2a02:908")


def address(number: int, ipv6: int = 0) -> str:
    """Another public address for each number below 3.5e9; ``ipv6`` of 100 are IPv6."""
    mixed = _mixed(_PUBLIC[number >> 24] << 24 | number & 0xFFFFFF)
    if number % 100 < ipv6:
        return f"{_IPV6[mixed % len(_IPV6)]}:{mixed >> 16:x}:{mixed & 0xFFFF:x}::1"
    return f"{mixed >> 24}.{mixed >> 16 & 255}.{mixed >> 8 & 255}.{mixed & 255}"


def _mixed(value: int) -> int:
    """Looks random; different for different public values, because each step can be undone."""
    while True:
        value ^= value >> 16
        value = value * 0x85EBCA6B & 0xFFFFFFFF
        value ^= value >> 13
        value = value * 0xC2B2AE35 & 0xFFFFFFFF
        value ^= value >> 16
        if value >> 24 in _IS_PUBLIC:
            return value


def write_addresses(path: Path, count: int, ipv6: int, *, shuffled: bool = False) -> None:
    """One address a line, none twice; of each count always the same, in one order or in another."""
    step = next(step for step in _STEPS if math.gcd(step, count) == 1) if shuffled else 1
    _write(path, (f"{address(number * step % count, ipv6)}\n" for number in range(count)))


def write_log(path: Path, lines: int, ipv6: int) -> None:
    """A web server's log: one address a line, each ten times on average, in no order."""
    clients = clients_of(lines)
    _write(path, (_line(number, address(_mixed(number) % clients, ipv6)) for number in range(1, lines + 1)))


def clients_of(lines: int) -> int:
    """How many addresses a log of so many lines has at most."""
    return max(1, lines // _LINES_AN_ADDRESS)


def _line(number: int, client: str) -> str:
    request = f'"GET /wp-login.php?x={number} HTTP/1.1" 404 162 "-"'
    return f'{client} - - [23/Nov/2026:21:42:{number % 60:02} +0000] {request} "'.ljust(LINE - 2, "-") + '"\n'


def _write(path: Path, lines: Iterable[str]) -> None:
    rest: Iterator[str] = iter(lines)
    with path.open("w", encoding="ascii") as file:
        while text := "".join(islice(rest, _AT_ONCE)):
            file.write(text)

"""What an IPv4 or IPv6 address looks like that stands as a word, and what it then says.

Both patterns begin with a byte that text has few of: with the first full stop of an IPv4 address, with the
first colon of an IPv6 address. The regular expression engine finds it ten times as fast as a digit. The
first number stands before it, and is looked back at; ``width`` says how long it is. No pattern ever gives
back what it took, so none takes longer than a text is long.
"""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv6Address
from itertools import repeat
from typing import TYPE_CHECKING, Any

from geocli.model.address_space import WHOLE_OCTETS, is_given_out
from geocli.model.addresses import OCTET, canonical_address, ipv6_system

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = rb"0-9A-Za-z_"
_HEX = rb"[0-9A-Fa-f]"
FIRST_OCTETS = (rb"[0-9]", rb"[1-9][0-9]", rb"(?:1[0-9][0-9]|2[0-4][0-9]|25[0-5])")

V4_REST = OCTET + rb"\." + OCTET + rb"\." + OCTET + rb"(?![" + _WORD + rb"])"
"""Behind the first full stop: the other three octets, which end a word."""
V4_AHEAD = rb"(?=" + OCTET + rb"\." + OCTET + rb"\." + OCTET + rb"(?![0-9]))(?<=[0-9]\.)"
"""Behind the first full stop of four numbers, whatever is around them."""

# From the first colon on there are two colons next to each other, or five more of them.
_COLONS = _HEX + rb"{1,4}+:"
for _ in range(4):
    _COLONS = _HEX + rb"{1,4}+:(?::|" + _COLONS + rb")"
V6_AHEAD = rb"(?=:|" + _COLONS + rb")"
"""Behind a colon: the first of what may be IPv6: two colons together, or six. A time of day has fewer."""
# No more groups than matter: a run of a million is looked at from each of its colons.
V6_REST = (
    rb"(?>" + _HEX + rb"{0,4}+(?!" + _HEX + rb")(?::" + _HEX + rb"{0,4}+(?!" + _HEX + rb")){0,9})"
    rb"(?:(?>(?:\.[0-9]{1,3}){3})"
    rb"|(?>:[1-9][0-9]{4}(?!" + _HEX + rb"))"  # a port: no group is so long
    rb"|(?!:[" + _WORD + rb"]))"
    rb"(?![" + _WORD + rb"])"
)


def _begins(width: int, last: bytes) -> bytes:
    """Not inside a longer word, number, version, host name or percent-encoding; asked behind ``last``."""
    first = rb"." * width + last
    return rb"(?<![" + _WORD + rb".%]" + first + rb")(?<![" + _WORD + rb"]-" + first + rb")"


V4_WIDTHS = (
    rb"(?:"
    + rb"|".join(
        rb"(?<=" + octet + rb"\.)" + _begins(width, rb"\.") + rb"()"
        for width, octet in enumerate(FIRST_OCTETS, 1)
    )
    + rb")"
)
"""Behind the first full stop: the first octet begins a word. Its width is the number of the group."""
V6_WIDTHS = (
    rb"(?:"
    + rb"|".join(
        rb"(?<="
        + _HEX
        + rb"{%d}:)" % width
        + _begins(width, rb":")
        + rb"(?<!::%s)()" % (rb"." * width + rb":")
        for width in (1, 2, 3, 4, 0)
    )
    + rb")"
)
"""Behind the first colon: the first group begins a word. Its width is the number of the group, modulo 5."""

BEFORE_PORTS = (b"[client ", b"[remote ", b"Connect from ")
"""What stands before an address behind which a port is expected."""

_WHOLE_GROUP = re.compile(rb"(?<![0-9A-Za-z_])[0-9A-Fa-f]{1,4}:\Z")


def is_inside_run(text: bytes, start: int) -> bool:
    """Return whether the group that begins there goes on a run of groups, and is not behind a label.

    The label of ``source:2001:db8::1`` or ``IPv6:2001:db8::1`` is no group.
    """
    if not text.endswith(b":", 0, start):
        return False
    head = text[max(0, start - 6) : start]
    return head.endswith(b"::") or _WHOLE_GROUP.search(head) is not None


def read_v6(word: bytes, *, has_port: bool) -> tuple[bytes, int] | None:
    """Return an IPv6 address, packed, and the length of its text: what follows is a port or punctuation.

    ``has_port`` says that a port is expected. Without it a last group is one only where it cannot be part of
    the address. ``None``: no address, or one that nobody can have.
    """
    size = len(word)
    if word.endswith(b":") and (word.endswith(b":::") or not word.endswith(b"::")):
        size -= 1  # punctuation: "from 2001:db8::1: ..."
    packed = None if has_port else _packed(word[:size])
    if packed is None:
        head, _, port = word[:size].rpartition(b":")
        if port.isdigit() and len(port) <= 5 and int(port) <= 65535 and head != b"::":
            packed = _packed(head)
            if packed is None and len(port) == 5 and head.endswith(b":"):
                packed = _packed(head + b":")  # netstat leaves a zero group out
                head += b":" if packed else b""
        if packed is not None:
            size = len(head)
        elif not has_port or (packed := _packed(word[:size])) is None:
            return None
    return (packed, size) if is_given_out(packed) else None


def v6_text(packed: bytes) -> str:
    """Return the canonical text of an IPv6 address."""
    system = ipv6_system()
    if system is not None and any(packed[:2]):
        return str(system.inet_ntop(system.AF_INET6, packed))  # ten times as fast as ipaddress
    # What begins with zeros may be an IPv4 address in another spelling.
    return canonical_address(IPv6Address(packed))


def plain_v6_texts(words: Sequence[str]) -> list[str] | None:
    """Return the canonical texts of words that are IPv6 addresses which anybody can have, else ``None``.

    Also where one is not plain: it has octets, or begins with zeros, as MAC addresses and IPv4 in another
    spelling do.
    """
    if (system := ipv6_system()) is None:
        return None
    if "." in "".join(words):
        return None
    try:
        packed = list(map(system.inet_pton, repeat(system.AF_INET6), words))
    except (OSError, ValueError):
        return None
    if not WHOLE_OCTETS.issuperset(b"".join(packed)[::16]):
        return None
    return list(map(system.inet_ntop, repeat(system.AF_INET6), packed))


def plain_v6_text(word: bytes) -> str | None:
    """Return the same of one word."""
    texts = plain_v6_texts([word.decode("ascii")])
    return texts[0] if texts else None


def _packed(text: bytes) -> bytes | None:
    if len(text) == 23 and _is_eui64(text):
        return None
    try:
        return bytes(_socket().inet_pton(_socket().AF_INET6, text.decode("ascii")))
    except (OSError, ValueError):
        return None


def _is_eui64(text: bytes) -> bool:
    """Eight pairs of hexadecimal digits are an EUI-64 or a WWN, the long form of a MAC address."""
    return text.count(b":") == 7 and all(text[place : place + 1] == b":" for place in range(2, 23, 3))


@cache
def _socket() -> Any:
    import socket  # most texts have no IPv6

    return socket

"""Addresses with a port behind a full stop, where the line says that it is one.

What tcpdump, BSD's netstat and dante write. Elsewhere ``1.2.3.4.22`` is no address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.model.addresses import OCTET

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 128  # bytes of an address, its zone and its port
_ENDPOINT = re.compile(
    rb"(?:[^\s@]{1,64}@)?"
    rb"(?P<address>" + OCTET + rb"(?:\." + OCTET + rb"){3}|[0-9A-Fa-f:]{2,39}(?:%[\w.-]{1,32})?)"
    rb"\.(?:[0-9]{1,5}|[A-Za-z][A-Za-z0-9_-]{0,31}|\*)[:,]?"
)  # fmt: skip
_ARROW = b" > "
# What stands before the first address of tcpdump's line, of its second with -v, and of pf's log.
_BEFORE_ARROW = re.compile(
    rb"(?:(?:\A|[^0-9A-Za-z_])IP6?|[:)]|\A|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)[ \t]*\Z"
)
_WORD = rb"(\S{1,128})"
_PAIRS = re.compile(
    # netstat: protocol, two numbers, two addresses
    rb"(?<![0-9A-Za-z_])(?:tcp|udp|udpl|udplite|sctp|icm|divert)[46]{0,2}(?:[ \t]{1,40}[0-9]{1,20}){2}"
    rb"[ \t]{1,40}" + _WORD + rb"[ \t]{1,40}" + _WORD
    # dante: after an event that begins, goes on or ends
    + rb"|[\]\[-]: " + _WORD + rb" " + _WORD + rb"(?: -> " + _WORD + rb" " + _WORD + rb")?"
)  # fmt: skip


def find_dotted_ports(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where addresses begin and end that have a port behind a full stop, in the order of the forms."""
    for place in _arrows(text):
        yield from _of_arrow(text, place)
    for match in _PAIRS.finditer(text):
        spans = [match.span(group) for group in range(1, 7) if match[group] is not None]
        if _is_dotted(text, spans):
            yield from _addresses(text, spans)


def _arrows(text: bytes) -> Iterator[int]:
    place = text.find(_ARROW)
    while place >= 0:
        yield place
        place = text.find(_ARROW, place + 1)


def _of_arrow(text: bytes, place: int) -> Iterator[tuple[int, int]]:
    head = text[max(0, place - _LONGEST) : place]
    begin = place - len(head) + max(map(head.rfind, (b" ", b"\t", b"\n"))) + 1
    behind = place + len(_ARROW)
    tail = text[behind : behind + _LONGEST]
    words = tail.split(None, 1)
    # Both words whole, and the second with a colon or a comma behind it.
    if begin == place or not words or not tail.startswith(words[0]) or words[0][-1:] not in b":,":
        return
    line = text.rfind(b"\n", max(0, begin - 40), begin) + 1 or max(0, begin - 40)
    if _BEFORE_ARROW.search(text[line:begin]):
        yield from _addresses(text, [(begin, place), (behind, behind + len(words[0]))])


def _is_dotted(text: bytes, spans: list[tuple[int, int]]) -> bool:
    return any(_ENDPOINT.fullmatch(text, *span) for span in spans)


def _addresses(text: bytes, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for begin, end in spans:
        if match := _ENDPOINT.fullmatch(text, begin, end):
            yield match.span("address")

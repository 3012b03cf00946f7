"""Addresses and networks in lines that need a close look: every notation of the contract.

``in_text`` reads what is plain, and hands over the lines that it is in doubt about. They are read in full:
escapes, ports, masks, ranges, versions that look like addresses, defanged addresses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.address_words import (
    BEFORE_PORTS,
    V4_AHEAD,
    V4_REST,
    V4_WIDTHS,
    V6_AHEAD,
    V6_REST,
    V6_WIDTHS,
    is_inside_run,
    read_v6,
    v6_text,
)
from geocli.inputs.defanged import find_defanged
from geocli.inputs.dotted_ports import find_dotted_ports
from geocli.inputs.escapes import without_escapes
from geocli.inputs.versions import is_version
from geocli.model.address_space import is_given_out
from geocli.model.addresses import OCTET, canonical_network
from geocli.model.ranges import prefix_of_mask, range_targets

if TYPE_CHECKING:
    from collections.abc import Iterator


class Found(NamedTuple):
    """What text means from ``start`` to ``end``: some targets, or none, where it only looks like them.

    What begins before ``stop`` is part of it.
    """

    start: int
    end: int
    stop: int
    targets: tuple[str, ...]


_END = rb"(?![0-9A-Za-z_])(?![.-][0-9A-Za-z_])"
_GOES_ON = re.compile(rb"[.-][0-9A-Za-z_]")
_V4 = re.compile(rb"(?s)\." + V4_AHEAD + V4_WIDTHS + V4_REST)
_V6 = re.compile(rb"(?s):" + V6_AHEAD + V6_WIDTHS + V6_REST)
_DOTTED = OCTET + rb"(?:\." + OCTET + rb"){3}"
_V6_WORD = rb"(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:(?:\.[0-9]{1,3}){3})?"
_V6_MASK = rb"[Ff][0-9A-Fa-f]{1,3}:[0-9A-Fa-f:]{1,34}"
# What follows an address: a mask, a prefix, the end of a range. "\0" is what is left of an escaped slash.
_V4_TAIL = re.compile(
    rb"(?s)\0?/(?:(" + _DOTTED + rb")|([0-9]{1,3})(?!/))" + _END + rb"|-(" + _DOTTED + rb")" + _END
)
_V6_TAIL = re.compile(rb"(?s)(?:\0?/(?:(" + _V6_MASK + rb")|([0-9]{1,3})(?!/))|-(" + _V6_WORD + rb"))" + _END)
_MORE = (b"/", b"-", b"%", b".", b"\0")  # with which something begins that goes on behind IPv6
_ZONE = re.compile(rb"%[0-9A-Za-z_.~-]{1,64}")
# A line in which what follows the slash of an address is a port.
_PORT_BEHIND_SLASH = re.compile(rb"%(?:ASA|FTD|FWSM|PIX)-|RT_(?:FLOW|IDP|UTM)")
# Whoever writes these writes a port behind each address, without brackets: Apache, and HAProxy in two forms.
_BEHIND_PORTS = re.compile(rb" \[(?:[0-9]|\Z)| \([^\s()]{1,255}/(?:HTTP|TCP)\)")


class Lines:
    """Whole lines of text, some of which may have ports behind slashes."""

    def __init__(self, text: bytes, *, marked: bool = False) -> None:
        """``marked``: zero bytes stand for escapes. In any other text they are bytes like others."""
        self.text = text if marked else text.replace(b"\0", b"\1")

    def have_ports(self, place: int) -> bool:
        """Return whether the line of that place is one of a firewall that writes ``ADDRESS/PORT``."""
        spans = self._with_ports
        number = bisect_right(spans, (place, len(self.text) + 1)) - 1
        return number >= 0 and place < spans[number][1]

    @cached_property
    def _with_ports(self) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        end = 0
        for match in _PORT_BEHIND_SLASH.finditer(self.text):
            if match.start() >= end:
                begin = self.text.rfind(b"\n", end, match.start()) + 1 or end
                end = self.text.find(b"\n", match.end()) + 1 or len(self.text)
                spans.append((begin, end))
        return spans


def find_in_lines(text: bytes, begin: int, end: int) -> list[Found]:
    """Return what stands in whole lines of ``text``, in order; nothing of it overlaps."""
    lines = Lines(without_escapes(text[begin:end].replace(b"\0", b"\1")), marked=True)
    found = [*_dotted_ports(lines), *_defanged(lines), *_v6_words(lines), *_v4_words(lines)]
    # Of what begins at one place the first is meant: a sort keeps their order.
    found.sort(key=lambda each: each.start)
    kept: list[Found] = []
    stop = 0
    for each in found:
        if each.start >= stop:
            kept.append(each._replace(start=each.start + begin, end=each.end + begin, stop=each.stop + begin))
            stop = each.stop
    return kept


def _dotted_ports(lines: Lines) -> Iterator[Found]:
    for start, end in find_dotted_ports(lines.text):
        # The full stop belongs to it.
        yield Found(start, end, end + 1, _targets_of(lines.text[start:end].partition(b"%")[0]))


def _defanged(lines: Lines) -> Iterator[Found]:
    for start, end, word in find_defanged(lines.text):
        if targets := _targets_of(word):
            tail = _V4_TAIL.match(lines.text, end)
            prefix = _prefix_of(lines, start, tail, 32) if tail and b"." in word else None
            if tail is not None and prefix is not None:
                end, targets = tail.end(), (canonical_network(IPv4Address(targets[0]), prefix),)
            yield Found(start, end, end, targets)


def _targets_of(word: bytes) -> tuple[str, ...]:
    if b":" not in word:
        return (word.decode(),) if b"." in word else ()
    address = read_v6(word, has_port=False)
    return () if address is None else (v6_text(address[0]),)


def _v6_words(lines: Lines) -> Iterator[Found]:
    for match in _V6.finditer(lines.text):
        yield v6_word(lines, match.start() - (match.lastindex or 0) % 5, match.end())


def v6_word(lines: Lines, start: int, end: int) -> Found:
    """Return what a word means that looks like IPv6, by what stands before and behind it."""
    text = lines.text
    if is_inside_run(text, start):
        return Found(start, end, end, ())
    has_port = text.endswith(BEFORE_PORTS, 0, start) or _BEHIND_PORTS.match(text, end) is not None
    read = read_v6(text[start:end], has_port=has_port)
    if read is None:
        return Found(start, end, end, ())
    packed, size = read
    if start + size < end or text[end : end + 1] not in _MORE:
        return Found(start, start + size, end, (v6_text(packed),))
    zone = _ZONE.match(text, end)
    behind = zone.end() if zone else end
    tail = _V6_TAIL.match(text, behind)
    if tail is not None and tail[3] is not None:
        last = read_v6(tail[3], has_port=False)
        targets = range_targets(IPv6Address(packed), IPv6Address(last[0])) if last else [v6_text(packed)]
        return Found(start, tail.end(), tail.end(), tuple(targets))
    if _GOES_ON.match(text, behind):
        return Found(start, behind, behind, ())
    if tail is not None and (prefix := _prefix_of(lines, start, tail, 128)) is not None:
        network = canonical_network(IPv6Address(packed), prefix)
        return Found(start, tail.end(), tail.end(), (network,) if is_given_out(packed, prefix) else ())
    return Found(start, behind, behind, (v6_text(packed),))


def _v4_words(lines: Lines) -> Iterator[Found]:
    for match in _V4.finditer(lines.text):
        yield v4_word(lines, match.start() - (match.lastindex or 0), match.end())


def v4_word(lines: Lines, start: int, end: int) -> Found:
    """Return what a word means that looks like IPv4, by what stands before and behind it."""
    text = lines.text
    tail = _V4_TAIL.match(text, end)
    if tail is not None and tail[3] is not None:
        targets = range_targets(IPv4Address(text[start:end].decode()), IPv4Address(tail[3].decode()))
        return Found(start, tail.end(), tail.end(), tuple(targets))
    if _GOES_ON.match(text, end) or is_version(text, start, end):
        return Found(start, end, end, ())
    word = text[start:end].decode()
    if tail is not None and (prefix := _prefix_of(lines, start, tail, 32)) is not None:
        return Found(start, tail.end(), tail.end(), (canonical_network(IPv4Address(word), prefix),))
    return Found(start, end, end, (word,))


def _prefix_of(lines: Lines, start: int, tail: re.Match[bytes], most: int) -> int | None:
    """The length that a prefix or a mask behind an address says; ``None``: it is neither."""
    if lines.text[start - 1 : start] == b"/":
        return None  # http://192.0.2.1/24 has a path
    mask, digits = tail[1], tail[2]
    if mask is not None:
        try:
            address = ip_address(mask.decode())
        except ValueError:
            return None
        return prefix_of_mask(address) if address.max_prefixlen == most else None
    if digits is None or int(digits) > most or (len(digits) > 1 and digits[:1] == b"0"):
        return None
    return None if lines.have_ports(start) else int(digits)

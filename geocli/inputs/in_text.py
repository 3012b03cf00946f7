"""Where addresses and networks stand in other text: logs, lists, what programs print.

One rule for whatever is read, the contract's ("Addresses in text"); ``addresses`` says what is canonical.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from itertools import repeat
from typing import TYPE_CHECKING, Any

from geocli.model.addresses import OCTET, canonical_address, canonical_network, parse_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.model.bans import Ban

# The first byte is consumed before anything is asked about it: a pattern that starts with a plain set
# lets the regular expression engine skip to the next such byte, five times as fast in a log file.
_FIRST = rb"[0-9A-Fa-f:]"
# A cheap look at the shape (two dots or colons within a few digits) turns most words away.
_SHAPE = rb"(?=:|[0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f]{0,4}[.:])"
# Not inside a longer word, number, version, host name or percent-encoding (the byte before _FIRST) ...
_LEFT = rb"(?<![0-9A-Za-z_.%].)(?<![0-9A-Za-z_]-.)"
# ... on the right neither, but a full stop or a hyphen that ends the word is fine.
_RIGHT = rb"(?![0-9A-Za-z_])(?![.-][0-9A-Za-z_])"
_REST_OF_OCTET = rb"(?:(?<=1)[0-9]{0,2}|(?<=2)(?:[0-4][0-9]?|5[0-5]?|[6-9])?|(?<=[3-9])[0-9]?|(?<=0))"
# Chrome/120.0.0.0 is what most browsers call themselves. No host has such an address, so nothing is lost.
_NO_BROWSER = rb"(?!(?<=[A-Za-z]/[0-9])[0-9]{0,2}(?:\.0){3}(?![0-9/]))"
_REST_OF_V4 = _NO_BROWSER + _REST_OF_OCTET + rb"(?:\." + OCTET + rb"){3}"
# Two colons at least. Atomic: giving a group back would find an address in half a word.
_REST_OF_V6 = (
    # Not inside a longer run, where "::" or a whole group and its colon stand before it. The label of
    # "source:2001:db8::1" or "IPv6:2001:db8::1" is not a group.
    rb"(?<!::.)"
    + b"".join(
        rb"(?<![^0-9A-Za-z_][0-9A-Fa-f]{%d}:.)(?<!\A[0-9A-Fa-f]{%d}:.)" % (size, size)
        for size in (1, 2, 3, 4)
    )
    # Fewer than six colons, and nothing left out: a time of day.
    + rb"(?=:|[0-9A-Fa-f:]{0,38}::|[0-9A-Fa-f]{0,3}(?::[0-9A-Fa-f]{1,4}){5}:)"
    rb"(?>(?<=:)(?::[0-9A-Fa-f]{0,4})+|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,})"
    rb"(?>(?:\.[0-9]{1,3}){3})?"
)
_PREFIX = rb"(?:/([0-9]{1,3})(?!/)" + _RIGHT + rb")?"
_EITHER = (
    rb"(?s)" + _FIRST + _SHAPE + _LEFT
    + rb"(?:" + _REST_OF_V4 + rb"()" + _PREFIX
    + rb"|" + _REST_OF_V6 + rb"()(?:%[0-9A-Za-z_.~-]{1,64})?" + _PREFIX
    + rb")" + _RIGHT
)  # fmt: skip
# Most lines have no IPv6, neither "::" nor this: then only digits are worth a look, not a to f.
# (Written out, so that the engine looks for the first colon and nothing else.)
_SIX_COLONS = b":" + rb"[0-9A-Fa-f]{1,4}:" * 5
# A network needs a slash, with digits on both sides, and so few have that most text is searched without.
_SLASH = rb"/(?:(?<=\.[0-9]/)|(?<=\.[0-9][0-9]/)|(?<=\.[0-9][0-9][0-9]/))[0-9]"
_V4_ONLY = rb"(?s)[0-9](?=[0-9]{0,2}\.[0-9]{1,3}\.)" + _LEFT + _REST_OF_V4 + rb"()" + _PREFIX + _RIGHT
_V4_ALONE = rb"(?s)[0-9](?=[0-9]{0,2}\.[0-9]{1,3}\.)" + _LEFT + _REST_OF_V4 + _RIGHT
# Begins with a full stop: the engine finds it five times as fast as a digit, and logs have fewer of them.
_MIDDLE = rb"\.[0-9]{1,3}\.[0-9]{1,3}\."
_AROUND = 5  # bytes before and behind it that decide: an octet, and two to see that it stands as a word
_SPARSE = 10  # bytes for each full stop, from which on looking for middles first is quicker
# Eight pairs of hexadecimal digits are an EUI-64 or a WWN, the long form of a MAC address.
_EUI64 = rb"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}"
# A list: nothing but an address on its first line.
_LIST = rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\s*\n"
_LONG = 4096  # bytes: what is shorter is not worth a look whether it is a list
_PLAIN, _WITH_PREFIXES, _WITH_V6 = range(3)  # a line's addresses: IPv4 without prefixes, IPv4, any
# Compiled when first needed: that takes as long as a fifth of a look-up of one address.
_compiled = cache(re.compile)

WORD_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.:%/~-"
"""The bytes that decide whether an address stands as a word: text may be cut at any other byte."""


def find_targets(text: bytes) -> list[str]:
    """All addresses and networks standing as words in ``text``, canonical, in order, with repetitions.

    The rule is the contract's ("Addresses in text"): ports, brackets, quotes and punctuation around an
    address do no harm; versions, times, MAC addresses and parts of host names are not addresses.
    """
    if len(text) > _LONG and (listed := _listed(text)) is not None:
        return listed
    found: list[str] = []
    for begin, end, kind in _parts(text):
        if kind == _PLAIN:
            # Nothing but addresses that are canonical as they stand: three times as fast.
            part = text[begin:end]
            if len(part) > _SPARSE * part.count(b"."):
                part = _thinned(part)
            words = _compiled(_V4_ALONE).findall(part)
            found += b" ".join(words).decode().split(" ") if words else []
        else:
            found += [target for _, target in _ends(text, begin, end, has_v6=kind == _WITH_V6)]
    return found


def ban_targets(ban: Ban) -> list[str]:
    """The canonical addresses and networks that a ban's identifier is or has in it; often none or one."""
    try:
        return [parse_target(ban.text)]
    except ValueError:
        return list(dict.fromkeys(find_targets(ban.text.encode("utf-8", "replace"))))


def _thinned(text: bytes) -> bytes:
    """What stands around the middles of addresses: all that matters of a log, and a fifth of it.

    Each address has one, and is whole in what is around it. What is cut off on the left has a letter's like
    before it (``_``), so that nothing that begins there is taken for a word.
    """
    places = [middle.span() for middle in _compiled(_MIDDLE).finditer(text)]
    around = [text[a - _AROUND if a > _AROUND else 0 : b + _AROUND] for a, b in places]
    return b"\n_".join(around)


def _listed(text: bytes) -> list[str] | None:
    """The targets of a text that is nothing but canonical IPv4 addresses between white space.

    Such lists are read three times as fast as other text, which gives ``None``.
    """
    if not _compiled(_LIST).match(text) or (system := _strict_system()) is None:
        return None
    try:
        words = text.decode("ascii").split()
        deque(map(system.inet_pton, repeat(system.AF_INET), words), maxlen=0)
    except (OSError, ValueError):
        return None
    return words


def find_ends(text: bytes) -> list[tuple[int, str]]:
    """The same as ``find_targets``, each with where it ends in ``text``, as far as it means something."""
    return [
        found
        for begin, end, kind in _parts(text)
        for found in _ends(text, begin, end, has_v6=kind == _WITH_V6)
    ]


def _parts(text: bytes) -> Iterator[tuple[int, int, int]]:
    """The text as runs of lines: where each begins and ends, and what it may have in it (``_PLAIN`` ...)."""
    begin = end = 0  # of the last run
    kind = _PLAIN
    for line, line_end, line_kind in _doubtful_lines(text):
        if line > end or line_kind != kind:
            if end > begin:
                yield begin, end, kind
            if line > end:
                yield end, line, _PLAIN
            begin, kind = line, line_kind
        end = line_end
    if end > begin:
        yield begin, end, kind
    if len(text) > end:
        yield end, len(text), _PLAIN


def _doubtful_lines(text: bytes) -> Iterator[tuple[int, int, int]]:
    """Where the lines begin and end that are not ``_PLAIN``, and what they may have in them."""
    signs = [_compiled(sign) for sign in (_SLASH, b"::", _SIX_COLONS)]
    places = [-1] * len(signs)
    end, size = 0, len(text)
    while end < size:
        for number, sign in enumerate(signs):
            if places[number] < end:
                match = sign.search(text, end)
                places[number] = match.start() if match else size
        place = min(places)
        if place == size:
            return
        begin = text.rfind(b"\n", end, place) + 1 or end
        end = text.find(b"\n", place) + 1 or size
        yield begin, end, _WITH_V6 if min(places[1:]) < end else _WITH_PREFIXES


def _ends(text: bytes, begin: int, end: int, *, has_v6: bool) -> Iterator[tuple[int, str]]:
    for match in _compiled(_EITHER if has_v6 else _V4_ONLY).finditer(text, begin, end):
        if match.lastindex == 1:  # IPv4 without a prefix: the pattern admits the canonical spelling only
            yield match.end(), match[0].decode()
            continue
        start = match.start()
        stop, prefix = (
            (max(match.end(1), match.end(3)), match[2] or match[4]) if has_v6 else (match.end(1), match[2])
        )
        target = _classify(text[start - 1 : start], text[start:stop], prefix)
        if target is None:
            continue
        if prefix is None or text[start - 1 : start] == b"/":
            behind = match.end() if prefix is None else match.end() - len(prefix) - 1
            if behind == stop and text[start:stop].endswith(b":") and not text[start:stop].endswith(b"::"):
                behind -= 1  # punctuation, as in _classify
            yield behind, target
        else:
            yield match.end(), target


def _classify(before: bytes, word: bytes, prefix: bytes | None) -> str | None:
    if b":" in word:
        if word.endswith(b":") and (word.endswith(b":::") or not word.endswith(b"::")):
            word = word[:-1]  # punctuation: "from 2001:db8::1: ..."
        if (b"::" not in word and word.count(b":") < 6) or _compiled(_EUI64).fullmatch(word):
            return None  # the first half turns away every time of day without the price of an exception
        if (prefix is None or before == b"/") and (found := _quick_v6(word.decode())) is not None:
            return found
    try:
        address = ip_address(word.decode())
    except ValueError:
        return None
    if prefix is None or before == b"/":  # http://192.0.2.1/24 has a path, not a prefix
        return canonical_address(address)
    if int(prefix) > address.max_prefixlen or (len(prefix) > 1 and prefix[:1] == b"0"):
        return None
    return canonical_network(address, int(prefix))


@cache
def _strict_system() -> Any:
    """``socket``, if the system takes an IPv4 address in its canonical spelling only, else ``None``."""
    import socket  # most texts are short

    for text in ("01.2.3.4", "1.2.3.04", "1.2.3.00", "1.2.3.0x4", "1.2.3", "1.2.772", "1.2.3.256"):
        with suppress(OSError):
            socket.inet_pton(socket.AF_INET, text)
            return None
    return socket


@cache
def _system() -> Any:
    """``socket``, if the system writes addresses as RFC 5952 says, which most do; else ``None``."""
    import socket  # most texts have no IPv6

    samples = ("2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "2001::1:0:0:1:1", "2001:db8::", "fe80::1")
    written = [socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text)) for text in samples]
    return socket if written == list(samples) else None


def _quick_v6(text: str) -> str | None:
    """The canonical form of an IPv6 address, ten times as fast as ``ipaddress``; ``None``: ask that."""
    system = _system()
    try:
        packed = system.inet_pton(system.AF_INET6, text)
    except (OSError, ValueError, AttributeError):
        return None
    # What begins with zeros may be an IPv4 address in another spelling.
    return str(system.inet_ntop(system.AF_INET6, packed)) if any(packed[:2]) else None

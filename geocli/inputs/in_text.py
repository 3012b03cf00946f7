"""Where addresses and networks stand in other text: logs, lists, what programs print.

One rule for whatever is read, the contract's ("Addresses in text"); ``addresses`` says what is canonical.
What is plain is found here, in one pass for each family. A line in which something is not plain is read by
``in_lines``, which knows every notation.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from contextlib import suppress
from functools import cache
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from geocli.inputs.address_words import BEFORE_PORTS, plain_v6_text, plain_v6_texts
from geocli.inputs.plain_words import V4_LOOK, V4_PLAIN, V6_LOOK, V6_PLAIN, maybe_v6, plain_v4, plain_v6
from geocli.model.addresses import parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geocli.inputs.in_lines import Found
    from geocli.model.bans import Ban

    Span = tuple[int, int, list[Found]]
    """Where a part of text begins and stops, and all that stands in it."""

# A list: nothing but an address on its first line.
_LIST = rb"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?=[0-9A-Fa-f]*:)[0-9A-Fa-f:.]{2,45})\s*\n"
_LONG = 4096  # bytes: what is shorter is not worth a look whether it is a list
# Defanged with a word there is no full stop to be found by.
_DOTS = (rb"\[(?:dot|Dot|DOT)\]", rb"\((?:dot|Dot|DOT)\)")
_LONGEST_NAME = 80  # bytes before an address that may be the name of a program, or an escape
_BLANK = ord(" ")
_compiled = cache(re.compile)
T = TypeVar("T")


def find_targets(text: bytes) -> list[str]:
    """All addresses and networks standing as words in ``text``, canonical, in order, with repetitions.

    The rule is the contract's ("Addresses in text"): ports, brackets, quotes and punctuation around an
    address do no harm; versions, times, MAC addresses and parts of host names are not addresses.
    """
    if len(text) > _LONG and (listed := find_listed(text)) is not None:
        return listed
    text = _from_line_end(text)
    matches, others = list(plain_v4().finditer(text)), _Others(text)
    words = [
        text[match.start() - kind : match.end()]
        for match in matches
        if (kind := match.lastindex) and (kind <= V4_PLAIN or others.add(match))
    ]
    # One text for all: three times as fast as each for itself.
    plain = b" ".join(words).decode().split(" ") if words else []
    spans = others.read()
    if not (spans or others.v6):
        return plain
    v6 = zip(others.starts, others.v6, strict=True)
    return _joined(plain, matches, v6, spans, lambda found: found.targets)


def find_ends(text: bytes) -> list[tuple[int, str]]:
    """The same as ``find_targets``, each with where it ends in ``text``, as far as it means something."""
    whole, text = text, _from_line_end(text)
    more = len(text) - len(whole)
    matches, others = list(plain_v4().finditer(text)), _Others(text)
    plain = [
        (match.end() - more, text[match.start() - kind : match.end()].decode())
        for match in matches
        if (kind := match.lastindex) and (kind <= V4_PLAIN or others.add(match))
    ]
    spans = others.read()
    if not (spans or others.v6):
        return plain
    v6 = [(end - more, target) for end, target in zip(others.ends, others.v6, strict=True)]
    if not spans:
        return sorted([*plain, *v6])
    return _joined(
        plain,
        matches,
        zip(others.starts, v6, strict=True),
        spans,
        lambda found: [(found.end - more, target) for target in found.targets],
    )


def _from_line_end(text: bytes) -> bytes:
    """The same text behind the end of a line: an address is plain only where something is before it."""
    return b"\n" + text if text[:1].isdigit() else text


def ban_targets(ban: Ban) -> list[str]:
    """The canonical addresses and networks that a ban's identifier is or has in it; often none or one."""
    try:
        return [parse_target(ban.text)]
    except ValueError:
        return list(dict.fromkeys(find_targets(ban.text.encode("utf-8", "replace"))))


def find_listed(text: bytes) -> list[str] | None:
    """Return the targets of a text of canonical IPv4 and plain IPv6 addresses between white space, no more.

    Such lists are read three times as fast as other text, which gives ``None``.
    """
    if not _compiled(_LIST).match(text):
        return None
    try:
        words = text.decode("ascii").split()
    except ValueError:
        return None
    return plain_targets(words)


def plain_targets(words: list[str]) -> list[str] | None:
    """Return canonical targets where each word is a canonical IPv4 or a plain IPv6 address, else ``None``."""
    if (system := _strict_system()) is None:
        return None
    v6 = [word for word in words if ":" in word] if ":" in "".join(words) else []
    v4 = [word for word in words if ":" not in word] if v6 else words
    try:
        deque(map(system.inet_pton, repeat(system.AF_INET), v4), maxlen=0)
    except (OSError, ValueError):
        return None
    if not v6:
        return words
    texts = plain_v6_texts(v6)
    if texts is None or not v4:
        return texts
    following = iter(texts)
    return [next(following) if ":" in word else word for word in words]


def has_spoken_dots(text: bytes) -> bool:
    """Return whether something in it was defanged with a word, which no full stop tells of."""
    return any(_compiled(dot).search(text) for dot in _DOTS)


class _Others:
    """What is more in a text than plain IPv4: addresses to be looked at, and lines to be looked through."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.v6: list[str] = []
        """Plain IPv6 addresses that ``read`` found, canonical; where each begins; and where it ends."""
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._v4: list[re.Match[bytes]] = []
        self._doubts = [match.start() for dot in _DOTS for match in _compiled(dot).finditer(text)]

    def add(self, match: re.Match[bytes]) -> bool:
        """Take a match of IPv4 that is not plain; never true, so that a condition may end with it."""
        if (match.lastindex or 0) <= V4_LOOK:
            self._v4.append(match)
        else:
            self._doubts.append(match.start())
        return False

    def read(self) -> list[Span]:
        """Return what is meant, in order, and in which parts of the text nothing else is."""
        v6 = self._read_v6() if maybe_v6().search(self._text) else []
        if not (v6 or self._v4 or self._doubts):
            return []
        from geocli.inputs.in_lines import Lines, find_in_lines, v4_word, v6_word  # most text does without

        text, lines = self._text, Lines(self._text)
        spans: list[Span] = []
        for match in self._v4:
            start = match.start() - next(width for width in (1, 2, 3) if match[V4_PLAIN + width] is not None)
            head = text[max(0, start - _LONGEST_NAME) : start]
            if head.endswith(b"/") and (b"\\" in head or b"%" in head):
                self._doubts.append(start)  # its name, or its slash, may be escaped
            elif (found := v4_word(lines, start, match.end())).targets:
                spans.append((start, found.stop, [found]))
        for match in v6:
            found = v6_word(lines, match.start() - ((match.lastindex or 0) - 1) % 5, match.end())
            spans.append((found.start, found.stop, [found]))
        in_lines = [
            (begin, end, find_in_lines(text, begin, end))
            for begin, end in _lines_of(text, sorted(self._doubts))
        ]
        # Lines before the words that begin them: a sort keeps the order of what begins at one place.
        return sorted([*in_lines, *spans], key=itemgetter(0))

    def _read_v6(self) -> list[re.Match[bytes]]:
        """Find what is plain; return what else may be an address by itself."""
        text, left = self._text, list[re.Match[bytes]]()
        matches, words = list[re.Match[bytes]](), list[bytes]()
        starts, ends = list[int](), list[int]()
        for match in plain_v6().finditer(text):
            kind = match.lastindex
            if not kind:
                continue
            start, end = match.span()
            if kind == 1 or kind > V6_LOOK:
                self._doubts.append(start)
                continue
            start -= (kind - 1) % 5
            if kind <= V6_PLAIN and not (text[start - 1] == _BLANK and text.endswith(BEFORE_PORTS, 0, start)):
                matches.append(match)
                words.append(text[start:end])
                starts.append(start)
                ends.append(end)
            else:
                left.append(match)
        if not words:
            return left
        # One text for all, and all at once: a third of what each takes by itself.
        texts = plain_v6_texts(b" ".join(words).decode().split(" "))
        if texts is not None:
            self.v6, self.starts, self.ends = texts, starts, ends
            return left
        for start, end, match, target in zip(starts, ends, matches, map(plain_v6_text, words), strict=True):
            if target is None:
                left.append(match)
            else:
                self.v6.append(target)
                self.starts.append(start)
                self.ends.append(end)
        return left


def _joined(
    plain: Sequence[T],
    matches: Iterable[re.Match[bytes]],
    v6: Iterable[tuple[int, T]],
    spans: list[Span],
    read: Callable[[Found], Iterable[T]],
) -> list[T]:
    """The plain words, with what spans mean in the place of what is in them.

    Of the first ones each has its match, those of IPv6 come with where they begin.
    """
    starts = [match.start() for match in matches if match.lastindex and match.lastindex <= V4_PLAIN]
    by_start = dict(zip(starts, plain, strict=True))
    by_start.update(v6)
    if len(by_start) > len(starts):
        starts = sorted(by_start)
        plain = list(map(by_start.__getitem__, starts))
    joined: list[T] = []
    done = end = 0
    for begin, stop, found in spans:
        if begin < end:
            continue  # a part of the span before, as 1.2.3.4 is of ::ffff:1.2.3.4
        until = bisect_left(starts, begin, done)
        joined += plain[done:until]
        for each in found:
            joined += read(each)
        done, end = bisect_left(starts, stop, until), stop
    joined += plain[done:]
    return joined


def _lines_of(text: bytes, places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where the lines begin and end in which these places are, what adjoins as one."""
    begin = end = 0
    for place in places:
        if place < end:
            continue
        line = text.rfind(b"\n", end, place) + 1 or end
        if line > end or not end:
            if end:
                yield begin, end
            begin = line
        end = text.find(b"\n", place) + 1 or len(text)
    if end:
        yield begin, end


@cache
def _strict_system() -> Any:
    """``socket``, if the system takes an IPv4 address in its canonical spelling only, else ``None``."""
    import socket  # most texts are short

    for text in ("01.2.3.4", "1.2.3.04", "1.2.3.00", "1.2.3.0x4", "1.2.3", "1.2.772", "1.2.3.256"):
        with suppress(OSError):
            socket.inet_pton(socket.AF_INET, text)
            return None
    return socket

"""``fail2ban-client banned`` and ``get JAIL banned``: one line of Python literal.

``[{'sshd': ['192.0.2.1', ...]}, {'empty': []}]`` maps jail names to lists of identifiers, and
``['192.0.2.1', ...]`` is one such list (fail2ban 0.10.6 to 1.1). Only what is banned is read: a jail may be
called ``203.0.113.250``, and that is not an address. An identifier is any text. The line is scanned, never
evaluated: memory does not grow with it, and a half-written one gives what is complete.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.inputs.in_text import find_targets
from geocli.model.bans import Ban
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

_REST = {b"'": rb"(?s:[^'\\]++|\\.)*+'", b'"': rb'(?s:[^"\\]++|\\.)*+"'}
_STRING = rb"(?:'" + _REST[b"'"] + rb'|"' + _REST[b'"'] + rb")"
_START = re.compile(rb"\s*\[\{" + _STRING + rb": \[")
# The last two are a list of which the first string, or what follows it, has not been written.
_LIST_START = re.compile(
    rb"\s*\[(?:" + _STRING + rb"(?:,|\]?\s*\Z)"
    rb"|'(?s:[^'\\]++|\\.)*+\\?\Z" + rb'|"(?s:[^"\\]++|\\.)*+\\?\Z)'
)  # fmt: skip
_NOBODY = re.compile(rb"\s*\[(?:\{\})?\]\s*\Z")
_NAMES_ONLY = re.compile(
    rb"\s*(?:\[\[(?:\]|['\"])"  # banned IP: the jails of each
    rb"|\{" + _STRING + rb": \[" + _STRING + rb", \("  # status --all stats: counts of each jail
    rb"|\[" + _STRING + rb", '\|- p'\]\[)"  # status JAIL stats: two literals run together
)  # fmt: skip
_OPENING = re.compile(rb"['\"]")
_SIMPLE = re.compile(rb"[^'\"]*+'([^'\\]*+)'\s*+(\S)")  # with what stands before it; nearly all are like that
_FOLLOWER = re.compile(rb"\s*(\S)")
_CLOSED = {quote: re.compile(quote + rest) for quote, rest in _REST.items()}
_CLOSING = {quote: re.compile(rest) for quote, rest in _REST.items()}
_ESCAPE = re.compile(rb"(?s)\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPE_IN_TEXT = re.compile(_ESCAPE.pattern.decode())
_LONGEST_STRING = 1 << 12
"""Bytes kept of a string. ``clean_text`` keeps less, whatever is escaped in it."""

_CONTROLS = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


def is_banned_line(start: bytes) -> bool:
    """Whether a line that starts like this is ``fail2ban-client banned``'s."""
    return _START.match(start) is not None


def is_list_line(start: bytes) -> bool:
    """Whether a line that starts like this is ``fail2ban-client get JAIL banned``'s."""
    return _LIST_START.match(start) is not None


def is_names_line(start: bytes) -> bool:
    """Whether it is a literal of fail2ban-client's that names jails, but nobody who is banned."""
    return _NAMES_ONLY.match(start) is not None


class _String(NamedTuple):
    """A string of the literal, as it stands between its quotes; the start of it only when ``is_cut``."""

    raw: bytes
    is_name: bool
    is_cut: bool


class _Scanner:
    """Finds the strings of one such line, in parts of any size."""

    def __init__(self) -> None:
        self._rest = b""  # what the last part left open, from its opening quote on
        self._is_cut = False  # the string that ``_rest`` starts with
        self._passing_over = b""  # the quote that ends a string which is too long
        self._head = b""  # the start of that string

    def read(self, part: bytes) -> list[_String]:
        """The strings that this part completes, in order."""
        text = self._rest + part
        if self._passing_over:
            end = _CLOSING[self._passing_over].match(text)
            if end is None:
                self._rest = _backslashes_at_the_end(text)
                return []
            text = self._passing_over + self._head + self._passing_over + text[end.end() :]
            self._passing_over, self._is_cut = b"", True
        found = []
        position = 0
        while True:
            if simple := _SIMPLE.match(text, position):
                found.append(_String(simple[1], simple[2] == b":", self._is_cut))
                self._is_cut = False
                position = simple.end(1) + 1
                continue
            opening = _OPENING.search(text, position)
            if opening is None:
                self._rest = b""
                break
            position = opening.start()
            closed = _CLOSED[opening[0]].match(text, position)
            follower = _FOLLOWER.match(text, closed.end()) if closed else None
            if closed is None or follower is None:
                self._keep(text[position:], opening[0], is_open=closed is None)
                break
            position = closed.end()
            # A colon makes it the name of a jail.
            found.append(_String(closed[0][1:-1], follower[1] == b":", self._is_cut))
            self._is_cut = False
        return found

    def _keep(self, rest: bytes, quote: bytes, *, is_open: bool) -> None:
        self._rest = rest if is_open else rest.rstrip()
        if is_open and len(rest) > _LONGEST_STRING:
            self._passing_over = quote
            self._rest = _backslashes_at_the_end(rest)
            head = rest[1:_LONGEST_STRING]
            self._head = head[: len(head) - len(_backslashes_at_the_end(head))]


class BannedReader:
    """The targets in one such line, in parts of any size: the rule for addresses in text, for each string."""

    def __init__(self) -> None:
        self._scanner = _Scanner()

    def read(self, part: bytes) -> list[str]:
        """The targets among the identifiers that this part completes, in order."""
        strings = self._scanner.read(part)
        identifiers = [
            _ESCAPE.sub(_unescaped, string.raw)
            for string in strings
            if not (string.is_name or string.is_cut)  # half a word may look like an address
        ]
        return find_targets(b"\n".join(identifiers))


def sniff(line: bytes) -> bool:
    """Whether a line that starts like this tells who is banned."""
    if is_banned_line(line) or _NOBODY.match(line):
        return True
    return is_list_line(line) and not is_names_line(line)


def read(reading: Reading, tally: Tally) -> LiteralReader:  # noqa: ARG001 (each ban source takes both)
    """Return what reads such lines."""
    return LiteralReader(tally)


class LiteralReader:
    """The bans of such lines, one after the other."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._line = BanReader()

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the bans that a line, or a part of it, completes."""
        if part.starts_line:
            if not sniff(part.text):
                return None
            self._line = BanReader()
            self._tally.answers += 1
        return self._line.read(part.text)

    def follow(self, part: Piece) -> list[Ban] | None:  # noqa: ARG002
        """Return ``None``: each line is whole."""
        return None

    def end(self) -> list[Ban]:
        """Return nothing: each line is whole."""
        return []


class BanReader:
    """The bans of one such line, in parts of any size."""

    def __init__(self) -> None:
        self._scanner = _Scanner()
        self._jail: str | None = None

    def read(self, part: bytes) -> list[Ban]:
        """The bans that this part completes, in order."""
        bans = []
        for raw, is_name, _ in self._scanner.read(part):
            text = clean_text(_text_of(raw))
            if is_name:
                self._jail = text
            else:
                bans.append(Ban(self._jail, text))
        return bans


def sniff_value(value: Any) -> bool:
    """Whether an object of JSON maps jails to who is banned in them."""
    return isinstance(value, dict) and all(
        isinstance(identifiers, list) and all(isinstance(each, str) for each in identifiers)
        for identifiers in value.values()
    )


def read_value(reading: Reading, tally: Tally) -> Callable[[Any], list[Ban]]:  # noqa: ARG001
    """Return what tells the bans of such an object."""
    return lambda value: [
        Ban(clean_text(jail), clean_text(each)) for jail, identifiers in value.items() for each in identifiers
    ]


def read_jails(line: bytes) -> list[tuple[str, list[str]]]:
    """All of ``fail2ban-client banned``: each jail's name and identifiers, exactly as they are."""
    jails: list[tuple[str, list[str]]] = []
    for raw, is_name, _ in _Scanner().read(line):
        if is_name:
            jails.append((_text_of(raw), []))
        elif jails:
            jails[-1][1].append(_text_of(raw))
    return jails


def _backslashes_at_the_end(text: bytes) -> bytes:
    # An odd number of them escapes whatever comes next; an even number escapes itself.
    return b"\\" * ((len(text) - len(text.rstrip(b"\\"))) % 2)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1] or match[2] or match[3]
    if code is not None:
        number = int(code, 16)
        # All that matters is what surrounds an address, and for that all characters beyond ASCII are alike.
        return bytes([number]) if number < 0x80 else b"\xff"
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(match[4], match[4])


def _text_of(raw: bytes) -> str:
    text = raw[:_LONGEST_STRING].decode("utf-8", "surrogateescape")
    return _ESCAPE_IN_TEXT.sub(_unescaped_text, text) if "\\" in text else text


def _unescaped_text(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is not None:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else match[0]
    return match[4] if match[4] in "\\'\"" else _CONTROLS.get(match[4], match[0])

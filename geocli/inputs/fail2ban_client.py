"""``fail2ban-client banned``: one line of Python literal, jail names to lists of identifiers.

``[{'sshd': ['192.0.2.1', ...]}, {'empty': []}]`` (fail2ban 0.10.6 to 1.1). Only what is banned is read:
a jail may be called ``203.0.113.250``, and that is not an address. An identifier is any text, so the
rule for addresses in text is applied to each. The line is scanned, never evaluated: memory does not grow
with it, and a half-written one gives what is complete.
"""

from __future__ import annotations

import re

from geocli.addresses import find_targets

_REST = {b"'": rb"(?s:[^'\\]++|\\.)*+'", b'"': rb'(?s:[^"\\]++|\\.)*+"'}
_STRING = rb"(?:'" + _REST[b"'"] + rb'|"' + _REST[b'"'] + rb")"
_START = re.compile(rb"\s*\[\{" + _STRING + rb": \[")
_OPENING = re.compile(rb"['\"]")
_FOLLOWER = re.compile(rb"\s*(\S)")
_CLOSED = {quote: re.compile(quote + rest) for quote, rest in _REST.items()}
_CLOSING = {quote: re.compile(rest) for quote, rest in _REST.items()}
_ESCAPE = re.compile(rb"(?s)\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_LONGEST_STRING = 1 << 12  # a longer one is passed over, not kept


def is_banned_line(start: bytes) -> bool:
    """Whether a line that starts like this is ``fail2ban-client banned``'s."""
    return _START.match(start) is not None


class BannedReader:
    """Scans one such line, in parts of any size."""

    def __init__(self) -> None:
        self._rest = b""  # what the last part left open, from its opening quote on
        self._passing_over = b""  # the quote that ends a string which is too long

    def read(self, part: bytes) -> list[str]:
        """The targets among the identifiers that this part completes, in order."""
        text = self._rest + part
        position = self._after_long_string(text) if self._passing_over else 0
        identifiers = []
        while opening := _OPENING.search(text, position):
            position = opening.start()
            closed = _CLOSED[opening[0]].match(text, position)
            follower = _FOLLOWER.match(text, closed.end()) if closed else None
            if closed is None or follower is None:
                self._keep(text[position:], opening[0], is_open=closed is None)
                break
            position = closed.end()
            if follower[1] != b":":  # a colon makes it the name of a jail
                identifiers.append(_ESCAPE.sub(_unescaped, closed[0][1:-1]))
        else:
            self._rest = self._rest if self._passing_over else b""
        return find_targets(b"\n".join(identifiers))

    def _keep(self, rest: bytes, quote: bytes, *, is_open: bool) -> None:
        self._rest = rest if is_open else rest.rstrip()
        if is_open and len(rest) > _LONGEST_STRING:
            self._passing_over = quote
            self._rest = _backslashes_at_the_end(rest)

    def _after_long_string(self, text: bytes) -> int:
        """Where the scan goes on: behind the end of the string that is passed over, if it is in here."""
        end = _CLOSING[self._passing_over].match(text)
        if end is None:
            self._rest = _backslashes_at_the_end(text)
            return len(text)
        self._passing_over = b""
        return end.end()


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

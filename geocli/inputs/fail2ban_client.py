"""``fail2ban-client banned``: one line of Python literal, jail names to lists of identifiers.

``[{'sshd': ['192.0.2.1', ...]}, {'empty': []}]`` (fail2ban 0.10.6 to 1.1). Only what is banned is read:
a jail may be called ``203.0.113.250``, and that is not an address. An identifier is any text, so the
rule for addresses in text is applied to each. The line is scanned, never evaluated as a whole: memory
does not grow with it, and a half-written one gives what is complete.
"""

from __future__ import annotations

import ast
import re

from geocli.addresses import find_targets

_STRING = rb"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_START = re.compile(rb"\s*\[\{(?:" + _STRING + rb"): \[")
_ITEM = re.compile(rb"(" + _STRING + rb")([^'\"])")
_LONGEST_STRING = 1 << 16


def is_banned_line(start: bytes) -> bool:
    """Whether a line that starts like this is ``fail2ban-client banned``'s."""
    return _START.match(start) is not None


class BannedReader:
    """Scans one such line, in parts of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, part: bytes) -> list[str]:
        """The targets among the identifiers that this part completes, in order."""
        text = self._rest + part
        identifiers = []
        end = 0
        for match in _ITEM.finditer(text):
            end = match.end()
            if match[2] != b":":  # a colon makes it the name of a jail
                identifiers.append(_value(match[1]))
        self._rest = text[end:]
        if len(self._rest) > _LONGEST_STRING:
            self._rest = b""  # an opening quote without an end
        return find_targets(b"\n".join(identifiers))


def _value(literal: bytes) -> bytes:
    if b"\\" not in literal:
        return literal[1:-1]
    try:
        value = ast.literal_eval(literal.decode("utf-8", "surrogateescape"))
    except (ValueError, SyntaxError):
        return b""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b""

"""Where a line that is too long to be read at once may be cut, so that nothing is found that is not there.

An address is a word, but what it means may hang on the words around it: ``IP 1.2.3.4.22 > 5.6.7.8.80:``. The
place depends on the text alone, not on how it arrived; the later in the text the better.
"""

from __future__ import annotations

import re
from functools import cache

WORD_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.:%/~-"
"""The bytes that decide whether an address stands as a word: no cut is between two of them."""

_WINDOW = 1 << 13  # bytes at the end that are searched
_LONGEST_FORM = 600  # bytes: no notation is longer
_ADDRESS = rb"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,34})(?:/[0-9]{1,3})?"
# Before a word of letters that is in the middle of no notation, or between two addresses of a list.
_SAFE = (
    rb"[0-9A-Za-z,;\"'.)\]]\s{1,32}()(?=[A-Za-z][0-9A-Za-z_-]{0,63}[\s,;=])",
    rb"(?<![0-9A-Za-z_.:%/\\-])" + _ADDRESS + rb"[\"']?[,;\s][\s\"']{0,8}()(?=[0-9A-Fa-f:.]{2,45}[/\"',;\s])",
)
_BETWEEN_WORDS = rb"[\s,\"'`|&?!]()"
_compiled = cache(re.compile)


def last_cut(text: bytes) -> int:
    """Return the last place in text where it may be cut; 0 where it is one word."""
    for pattern in _SAFE:
        for place in reversed(_places(pattern, text)):
            head = text[max(0, place - _LONGEST_FORM) : place]
            if head.rfind(b"(") <= head.rfind(b")"):
                return place
    places = _places(_BETWEEN_WORDS, text)
    return places[-1] if places else len(text.rstrip(WORD_BYTES))


def _places(pattern: bytes, text: bytes) -> list[int]:
    return [match.end(1) for match in _compiled(pattern).finditer(text, max(0, len(text) - _WINDOW))]

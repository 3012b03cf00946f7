"""Addresses in much text, in any order: what is plain is taken without its place.

``find_targets`` finds the same, in order. Here two patterns take the plain addresses of some lines as they
are. Lines in which something else may be an address are left to ``find_targets``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.inputs.address_words import plain_v6_texts
from geocli.inputs.in_text import find_listed, find_targets, has_spoken_dots
from geocli.inputs.plain_words import LOOKED_BACK, maybe_v6, only_v4, only_v6

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN = 1 << 14  # bytes of lines that are looked through once more where something is in doubt
_MOST_SKIPPED = 64  # runs
_HEAD = b"\n" * LOOKED_BACK
# Missing, if something was in doubt.
_LAST_V4, _LAST_V6 = b"0.0.0.0", b"::1"
_TAIL = b"\n%b\n%b\n" % (_LAST_V4, _LAST_V6)


class BulkText:
    """Finds the targets of text that comes in parts, each of which is whole lines."""

    def __init__(self) -> None:
        self._skip = self._next_skip = 0

    def find(self, text: bytes) -> bytes:
        """Return what ``find_targets`` finds in a part, each target as often, a line for each."""
        if (listed := find_listed(text)) is not None:
            return "\n".join(listed).encode()
        return b"\n".join(found for lines in _runs(text) if (found := self._find(lines)))

    def _find(self, lines: bytes) -> bytes:
        if self._skip:
            self._skip -= 1
        elif (found := _plain(lines)) is not None:
            self._next_skip = 0
            return b"\n".join(filter(None, found))
        else:  # where doubts are many, it is of no use to try each time
            self._skip = self._next_skip
            self._next_skip = min(2 * self._skip + 1, _MOST_SKIPPED)
        return "\n".join(find_targets(lines)).encode()


def _runs(text: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(text):
        most = begin + _RUN
        end = text.rfind(b"\n", begin, most) + 1 or text.find(b"\n", most) + 1 or len(text)
        yield text[begin:end]
        begin = end


def _plain(lines: bytes) -> list[bytes] | None:
    """The addresses, if all are plain, with empty words among them."""
    text = _HEAD + lines + _TAIL
    v4 = only_v4().findall(text)
    if v4.pop() != _LAST_V4 or has_spoken_dots(text):
        return None
    if not maybe_v6().search(lines):
        return v4
    v6 = only_v6().findall(text)
    if v6.pop() != _LAST_V6:
        return None
    if not (words := b" ".join(filter(None, v6)).decode().split()):
        return v4
    texts = plain_v6_texts(words)
    return None if texts is None else [*v4, "\n".join(texts).encode()]

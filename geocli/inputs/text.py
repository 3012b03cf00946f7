"""Any text: addresses and networks standing as words, comments of plain lists skipped.

A comment is a line that starts with ``#``, or what follows a ``#`` behind an address that is all there
is before it. A ``#`` anywhere else is part of a log line and hides nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.in_text import find_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.inputs.stream import Piece

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_LONGEST_HEAD = 256  # bytes before a "#" that makes a comment: white space and one address


def split_lines(text: bytes) -> Iterator[bytes]:
    """The lines of a text, with their ends. Only a line feed ends a line."""
    return (match[0] for match in _LINE.finditer(text))


class TextReader:
    """Finds targets piece by piece; remembers only whether a long line is a comment."""

    def __init__(self) -> None:
        self._in_comment = False

    def read(self, piece: Piece) -> list[str]:
        """The targets of one piece, in order."""
        if not self._in_comment and b"#" not in piece.text:
            return find_targets(piece.text)
        kept = []
        starts_line = piece.starts_line
        for line in split_lines(piece.text):
            if starts_line:
                self._in_comment = False
            if not self._in_comment:
                head = _before_comment(line) if starts_line else line
                self._in_comment = len(head) < len(line)
                kept.append(head)
            starts_line = True
        # A piece that ends its line ends the comment; one that does not is continued by the next.
        self._in_comment = self._in_comment and not piece.ends_line
        return find_targets(b"\n".join(kept))


def _before_comment(line: bytes) -> bytes:
    head, sign, _ = line[: _LONGEST_HEAD + 1].partition(b"#")
    if not sign:
        return line
    word = head.strip()
    if not word:
        return b""
    is_entry = head[-1:].isspace() and len(word.split()) == 1 and len(find_targets(word)) == 1
    return head if is_entry else line

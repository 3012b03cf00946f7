"""Any text: addresses and networks standing as words, comments of plain lists skipped.

A comment is a line that starts with ``#``, or what follows a ``#`` behind an address that starts the
line. A ``#`` anywhere else is part of a log line and hides nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.addresses import find_targets

if TYPE_CHECKING:
    from geocli.inputs.stream import Piece

_COMMENT = re.compile(rb"(?m)^([ \t]*)([^\s#]*[.:][^\s#]*[ \t]+)?#[^\n]*")


class TextReader:
    """Finds targets piece by piece; remembers only whether a long line is a comment."""

    def __init__(self) -> None:
        self._in_comment = False

    def read(self, piece: Piece) -> list[str]:
        """The targets of one piece, in order."""
        text = piece.text
        if self._in_comment or b"#" in text:
            text = self._without_comments(piece)
        return find_targets(text)

    def _without_comments(self, piece: Piece) -> bytes:
        text = piece.text
        begun = b""
        if not piece.starts_line:
            begun, line_end, text = text.partition(b"\n")
            if self._in_comment:
                begun = b""
            begun += line_end
            if not line_end:
                self._in_comment = self._in_comment and not piece.ends_line
                return begun
        text = _COMMENT.sub(_strip, text)
        if piece.ends_line:
            self._in_comment = False
        else:
            last_line = piece.text[piece.text.rfind(b"\n") + 1 :]
            self._in_comment = _COMMENT.sub(_strip, last_line) != last_line
        return begun + text


def _strip(match: re.Match[bytes]) -> bytes:
    before: bytes | None = match[2]
    if before is not None and not find_targets(before):
        return match[0]  # "12:00:01 #5 from ...": a log line
    return match[1] + (before or b"")

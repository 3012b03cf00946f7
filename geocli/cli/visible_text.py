r"""Text from outside on its way to a terminal: what could move, colour or clear it is shown as ``\x1b``.

Only line ends and tabs stay. For text that is passed through; what is in records was made harmless before.
"""

from __future__ import annotations

import codecs
import re

_HIDDEN = re.compile(r"[^\x20-\x7e\n\t]")


class VisibleText:
    """Makes a stream of bytes visible, piece by piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._held = ""  # a carriage return: what comes next says whether it is part of a line's end

    def feed(self, data: bytes) -> str:
        """The next piece, as far as what it means is known."""
        text = self._held + self._decoder.decode(data)
        self._held = "\r" if text.endswith("\r") else ""
        return self._shown(text.removesuffix("\r") if self._held else text)

    def end(self) -> str:
        """What was held back."""
        return self._shown(self._held + self._decoder.decode(b"", final=True))

    @staticmethod
    def _shown(text: str) -> str:
        return _HIDDEN.sub(_visible, text.replace("\r\n", "\n"))


def _visible(match: re.Match[str]) -> str:
    char = match[0]
    if char.isprintable():
        return char
    if "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8
        return f"\\x{ord(char) & 0xFF:02x}"
    return char.encode("unicode_escape").decode("ascii")

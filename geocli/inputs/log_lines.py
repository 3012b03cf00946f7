"""The lines of logs that tell of an address or a network: the last of them, and how many there are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.in_text import find_targets
from geocli.inputs.stream import pieces
from geocli.inputs.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.inputs.stream import Stream
    from geocli.model.blocks import Block

_LONGEST = 500
"""Characters that are kept of a line."""


class Lines(NamedTuple):
    """How many lines tell of something, and the last of them: printable text, without its end, bounded."""

    total: int
    shown: Sequence[str]


class LineFinder:
    """Looks for lines about some blocks, in one pass. Of each block the last ``most`` are kept."""

    def __init__(self, blocks: Iterable[Block], most: int) -> None:
        self._kept = {block: deque[bytes](maxlen=most) for block in blocks}
        self._totals = dict.fromkeys(self._kept, 0)
        self._begin = {block: block.starting for block in self._kept}

    def read(self, stream: Stream) -> None:
        """Read an input to its end. Raises ``InputError``."""
        counted: set[Block] = set()  # in the line that is being read: one of megabytes comes in parts
        for piece in pieces(stream.chunks()):
            # All at once first: few pieces have anything that is wanted.
            if piece.opaque or not self._told_of(piece.text):
                if piece.starts_line or b"\n" in piece.text:
                    counted.clear()
                continue
            starts_line = piece.starts_line
            for line in split_lines(piece.text):
                if starts_line:
                    counted.clear()
                for block in self._told_of(line):
                    if block not in counted:
                        self._totals[block] += 1
                        self._kept[block].append(line[: _LONGEST * 4])
                    counted.add(block)
                starts_line = True

    def found(self, block: Block) -> Lines:
        """Return what was found about one of them."""
        return Lines(self._totals[block], [_visible(line) for line in self._kept[block]])

    def _told_of(self, text: bytes) -> list[Block]:
        targets = set(find_targets(text))
        return [
            block
            for block, begin in self._begin.items()
            if any(target.startswith(begin) and block.holds(target) for target in targets)
        ]


def _visible(line: bytes) -> str:
    r"""A line as it can stand in a mail and on a terminal: a tab is ``\t``, an escape ``\x1b``."""
    text = line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text[: _LONGEST + 1]
    )
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"

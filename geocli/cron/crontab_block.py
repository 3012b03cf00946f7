"""geocli's own lines in the text of a crontab, between two marks. Pure functions, bytes to bytes.

Whatever the text is (no final line end, CRLF, no encoding at all), what is not geocli's stays as it is, and
taking the lines out again gives the text from before, byte for byte. To that end the first mark remembers
what a text cannot say: that there was no crontab at all, or that its last line had no end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = b"# >>> geocli: written by geocli cron install, taken out by geocli cron remove"
END = b"# <<< geocli"
_WAS_NOTHING = b" [new crontab]"
_WAS_NO_END = b" [no line end before]"
_BEGINS = re.compile(rb"# >>> geocli\b")
_ENDS = re.compile(rb"# <<< geocli\s*\Z")


class _Block(NamedTuple):
    """Where a block is in a text, from its first mark to the line end after its last."""

    begin: int
    end: int
    lines: list[bytes]

    @property
    def first_mark(self) -> bytes:
        return self.lines[0]


def install(text: bytes | None, lines: Sequence[bytes], mark: bytes = BEGIN) -> bytes:
    """The text with these lines in geocli's block, new or in place of the old.

    ``mark`` begins a new block and says who writes it. ``None`` is a crontab that is not there.
    Raises ``UsageError`` for a block that has no end.
    """
    blocks = _blocks(text or b"")
    if blocks and text is not None:
        first, *others = blocks
        kept = b"\n".join([first.first_mark, *lines, END, b""])
        return text[: first.begin] + kept + _without(text, others, first.end)
    was, gap = b"", b""
    if text is None:
        was = _WAS_NOTHING
    elif text and not text.endswith(b"\n"):
        was, gap = _WAS_NO_END, b"\n"
    return (text or b"") + gap + b"\n".join([mark + was, *lines, END, b""])


def remove(text: bytes) -> bytes | None:
    """The text without geocli's lines; ``None`` when without them there was no crontab.

    Raises ``UsageError`` for a block that has no end.
    """
    blocks = _blocks(text)
    rest = _without(text, blocks, 0)
    if not rest and any(_WAS_NOTHING in block.first_mark for block in blocks):
        return None
    # What was added behind the block since would become part of the line before it.
    if blocks and _WAS_NO_END in blocks[-1].first_mark and blocks[-1].end == len(text):
        return rest.removesuffix(b"\n")
    return rest


def lines_of(text: bytes) -> list[bytes]:
    """Geocli's own lines, without the marks. Raises ``UsageError`` for a block that has no end."""
    return [line for block in _blocks(text) for line in block.lines[1:-1]]


def other_lines(text: bytes) -> list[bytes]:
    """All the other lines. Raises ``UsageError`` for a block that has no end."""
    return _without(text, _blocks(text), 0).split(b"\n")


def _without(text: bytes, blocks: Sequence[_Block], start: int) -> bytes:
    kept = []
    for block in blocks:
        kept.append(text[start : block.begin])
        start = block.end
    return b"".join([*kept, text[start:]])


def _blocks(text: bytes) -> list[_Block]:
    found: list[_Block] = []
    own: list[bytes] = []
    begin = began = position = 0
    for number, line in enumerate(text.split(b"\n"), 1):
        if _BEGINS.match(line):
            if own:
                break
            begin, began, own = position, number, [line]
        elif own:
            own.append(line)
            if _ENDS.match(line):
                found.append(_Block(begin, min(position + len(line) + 1, len(text)), own))
                own = []
        position += len(line) + 1
    if own:
        raise UsageError(
            f"line {began} of the crontab begins geocli's lines, and no line '{END.decode()}' ends them:"
            " take them out by hand (crontab -e)"
        )
    return found

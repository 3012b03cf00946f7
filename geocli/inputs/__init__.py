"""Inputs: a stream in, batches of targets out.

A line is read by the module that recognises how it starts; everything else is text. Adding a shape of
input is one new file here and one line in ``_targets``. Order and repetitions are kept, memory does not
grow with the input, and no input is wrong: what holds no address gives nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.errors import UsageError
from geocli.inputs.fail2ban_client import BannedReader, is_banned_line
from geocli.inputs.stream import Piece, Stream, pieces
from geocli.inputs.text import TextReader, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

    from geocli.errors import Problems

__all__ = ["Stream", "count_targets", "open_streams", "read_batches", "read_targets"]


def open_streams(paths: Iterable[Path], stdin: TextIO | None, problems: Problems) -> Iterator[Stream]:
    """Each file, open until the next is asked for; ``-`` is ``stdin``. What cannot be opened is noted."""
    for path in paths:
        if str(path) == "-":
            yield Stream(stdin.buffer if stdin else None, "standard input")
            continue
        try:
            file = path.open("rb")
        except OSError as error:
            problems.note(UsageError(f"cannot read {path}: {error.strerror}"))
            continue
        with file:
            yield Stream(file, str(path))


def count_targets(streams: Iterable[Stream], problems: Problems) -> Iterator[list[str]]:
    """The targets of all streams, with repetitions. What cannot be read to its end is noted."""
    for stream in streams:
        try:
            yield from read_targets(stream.chunks())
        except UsageError as error:
            problems.note(error)


def read_batches(stream: Stream, size: int, patience: float = 0) -> Iterator[list[str]]:
    """The stream's targets in batches: full ones while there is input, a smaller one when it pauses.

    A pause is when nothing comes for ``patience`` seconds. An empty batch comes when it pauses after a full
    one: whoever waits for more before working should not.
    """
    batch: list[str] = []
    is_full = False
    for found in read_targets(stream.chunks()):
        batch += found
        while len(batch) >= size:
            yield batch[:size]
            del batch[:size]
            is_full = True
        if (batch or is_full) and stream.is_waiting(patience):
            yield batch
            batch, is_full = [], False
    if batch:
        yield batch


def read_targets(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """The targets in chunks of bytes, cut anywhere: a list for each piece, often empty."""
    text, banned = TextReader(), None
    for piece in pieces(chunks):
        if piece.opaque:
            continue
        if banned is None and b"[{" not in piece.text:
            yield text.read(piece)
            continue
        for line in _lines(piece):
            if banned is None and line.starts_line and is_banned_line(line.text):
                banned = BannedReader()
            yield text.read(line) if banned is None else banned.read(line.text)
            if line.ends_line:
                banned = None


def _lines(piece: Piece) -> Iterator[Piece]:
    lines = list(split_lines(piece.text))
    last = len(lines) - 1
    for index, line in enumerate(lines):
        yield Piece(line, piece.starts_line or index > 0, piece.ends_line or index < last)

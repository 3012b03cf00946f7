"""Inputs: a stream in, batches of targets out.

A line is read by the module that recognises how it starts; everything else is text. Adding a shape of
input is one new file here and one line in ``_targets``. Order and repetitions are kept, memory does not
grow with the input, and no input is wrong: what holds no address gives nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.inputs.stream import Piece, Stream, pieces
from geocli.inputs.text import TextReader, split_lines
from geocli.model.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

    from geocli.inputs.fail2ban.literal import BannedReader
    from geocli.model.errors import Problems

__all__ = ["Stream", "TargetReader", "open_streams", "read_batches", "read_targets"]


def open_streams(
    paths: Iterable[Path],
    stdin: TextIO | None,
    problems: Problems,
    watch: Callable[[int], None] = lambda _: None,
) -> Iterator[Stream]:
    """Each file, open until the next is asked for; ``-`` is ``stdin``. What cannot be opened is noted.

    ``watch`` hears how many bytes were read each time.
    """
    for path in paths:
        if str(path) == "-":
            yield Stream(stdin.buffer if stdin else None, "standard input", watch=watch)
            continue
        try:
            file = path.open("rb")
        except OSError as error:
            problems.note(InputError(f"cannot read {path}: {error.strerror}"))
            continue
        with file:
            yield Stream(file, str(path), path, watch)


def read_batches(stream: Stream, size: int, patience: float = 0) -> Iterator[list[str]]:
    """The stream's targets in batches: full ones while there is input, a smaller one when it pauses.

    A pause is when nothing comes for ``patience`` seconds. An empty batch comes when it pauses after a full
    one: whoever waits for more before working should not.
    """
    batch: list[str] = []
    is_full = False
    for found in read_targets(stream.chunks()):
        stream.addresses += len(found)
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
    reader = TargetReader()
    for piece in pieces(chunks):
        yield from reader.read(piece)


class TargetReader:
    """Reads the pieces of one input, one after the other."""

    def __init__(self) -> None:
        self._text = TextReader()
        self._banned: BannedReader | None = None

    @staticmethod
    def is_stateless(piece: Piece) -> bool:
        """Whether ``find_targets`` does for this piece, whatever came before."""
        text, whole_lines = piece.text, piece.starts_line and piece.ends_line and not piece.opaque
        # One byte is found ten times as fast as two.
        return whole_lines and b"#" not in text and (b"{" not in text or b"[{" not in text)

    def read(self, piece: Piece) -> Iterator[list[str]]:
        """The targets of one piece, in lists."""
        if piece.opaque:
            return
        if self._banned is None and b"[{" not in piece.text:
            yield self._text.read(piece)
            return
        from geocli.inputs.fail2ban.literal import BannedReader, is_banned_line  # most inputs do without

        for line in _lines(piece):
            if self._banned is None and line.starts_line and is_banned_line(line.text):
                self._banned = BannedReader()
            yield self._text.read(line) if self._banned is None else self._banned.read(line.text)
            if line.ends_line:
                self._banned = None


def _lines(piece: Piece) -> Iterator[Piece]:
    lines = list(split_lines(piece.text))
    last = len(lines) - 1
    for index, line in enumerate(lines):
        yield Piece(line, piece.starts_line or index > 0, piece.ends_line or index < last)

"""Bytes from a file, a pipe or a terminal, in pieces that never cut a word.

A piece is whole lines where lines are of normal length; a line of megabytes comes in parts. Memory is
bounded by ``_CHUNK`` whatever the input is. Errors of reading become ``UsageError`` here.
"""

from __future__ import annotations

import select
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from geocli.inputs.cuts import WORD_BYTES, last_cut
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_LONGEST_WORD = 1 << 12  # far more than any address: what is longer is cut, not kept in memory


class Piece(NamedTuple):
    """Part of an input: ``starts_line`` and ``ends_line`` say whether it begins and ends at a line's edge.

    An ``opaque`` piece is part of a word that is too long to be looked into.
    """

    text: bytes
    starts_line: bool
    ends_line: bool
    opaque: bool = False


class Stream:
    """A binary input under its name for messages; ``None`` is an input that was closed (``<&-``)."""

    def __init__(self, file: BinaryIO | None, name: str) -> None:
        self._file = file
        self.name = name

    def chunks(self) -> Iterator[bytes]:
        """What can be read, as soon as it can be read; gzip is recognised by its first bytes, and unpacked.

        Raises ``UsageError`` when reading or unpacking fails, after everything that was readable.
        """
        chunks = self._raw_chunks()
        start = b""
        while len(start) < len(_GZIP) and _GZIP.startswith(start) and (chunk := next(chunks, b"")):
            start += chunk
        whole = chain([start] if start else [], chunks)
        return self._unzipped(whole) if start.startswith(_GZIP) else whole

    def _raw_chunks(self) -> Iterator[bytes]:
        if self._file is None:
            raise UsageError(f"cannot read {self.name}: it is closed")
        read = getattr(self._file, "read1", self._file.read)
        while True:
            try:
                chunk = read(_CHUNK)
            except OSError as error:
                raise UsageError(f"cannot read {self.name}: {error.strerror}") from error
            if not chunk:
                return
            yield chunk

    def _unzipped(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What gzip's bytes hold, never more than ``_CHUNK`` at once: a few kilobytes may hold gigabytes."""
        import zlib

        unzip = zlib.decompressobj(wbits=31)
        try:
            for chunk in chunks:
                rest = chunk
                while rest:
                    if unzip.eof:  # the next of several in one file, or what pads the last
                        rest = rest.lstrip(b"\0")
                        if not rest:
                            break
                        unzip = zlib.decompressobj(wbits=31)
                    yield unzip.decompress(rest, _CHUNK)
                    rest = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
            yield unzip.flush()
        except zlib.error as error:
            raise UsageError(f"{self.name} is damaged: {error}") from error
        if not unzip.eof:
            raise UsageError(f"{self.name} is damaged: the compressed file ends too early")

    def is_waiting(self, patience: float = 0) -> bool:
        """Whether nobody has written for ``patience`` seconds: time to show what is there."""
        if self._file is None:
            return False
        try:
            ready, _, _ = select.select([self._file], [], [], patience)
        except (OSError, ValueError):  # not a descriptor that can be waited for: a buffer in memory
            return False
        return not ready


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Join and cut chunks so that nothing that belongs together stands on both sides of a cut.

    Lines are whole, but those of ``_CHUNK`` bytes and more: where these are cut (``cuts.last_cut``) hangs on
    the text alone. A word that is far too long to be an address comes in opaque pieces of its own.
    """
    kept, starts_line, in_long_word = b"", True, False
    for part in _parts(chunks):
        rest = part
        if in_long_word:
            rest = part.lstrip(WORD_BYTES)
            if len(rest) < len(part):
                yield Piece(part[: len(part) - len(rest)], starts_line, ends_line=False, opaque=True)
            if not rest:
                continue
            in_long_word = False
        kept += rest
        # Of what is kept only the first line can be as long as that.
        while len(kept) >= _CHUNK and kept.find(b"\n", 0, _CHUNK) < 0:
            window = kept[:_CHUNK]
            cut = last_cut(window)
            if cut:
                yield Piece(kept[:cut], starts_line, ends_line=False)
                kept, starts_line = kept[cut:], False
            if len(window) - cut > _LONGEST_WORD and not window[cut:].lstrip(WORD_BYTES):
                rest = kept.lstrip(WORD_BYTES)
                yield Piece(kept[: len(kept) - len(rest)], starts_line, ends_line=False, opaque=True)
                kept, starts_line, in_long_word = rest, False, not rest
        if end := kept.rfind(b"\n") + 1:
            yield Piece(kept[:end], starts_line, ends_line=True)
            kept, starts_line = kept[end:], True
    if kept:
        yield Piece(kept, starts_line, ends_line=True)


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= _CHUNK:
            yield chunk
        else:
            yield from (chunk[begin : begin + _CHUNK] for begin in range(0, len(chunk), _CHUNK))

"""Bytes from a file, a pipe or a terminal, in pieces that never cut a word.

A piece is whole lines where lines are of normal length; a line of megabytes comes in parts. Memory is
bounded by ``_CHUNK`` whatever the input is. Errors of reading become ``InputError`` here.
"""

from __future__ import annotations

import select
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from geocli.inputs.compression import COMPRESSIONS, unpacked
from geocli.inputs.contents import LOOKED_AT, may_begin, not_text
from geocli.inputs.cuts import WORD_BYTES, last_cut
from geocli.model.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from geocli.inputs.compression import Compression

_CHUNK = 1 << 16
_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)
_LONGEST_LINE = 1 << 16  # bytes of a line that is not cut
_LONGEST_WORD = 1 << 12  # far more than any address: what is longer is cut, not kept in memory


class Piece(NamedTuple):
    """Part of an input: ``starts_line`` and ``ends_line`` say whether it begins and ends at a line's edge.

    An ``opaque`` piece is part of a word that is too long to be looked into.
    """

    text: bytes
    starts_line: bool
    ends_line: bool
    opaque: bool = False


def _nothing(_: int) -> None:
    pass


class Stream:
    """A binary input under its name for messages; ``None`` is an input that was closed (``<&-``).

    ``path`` is where the file is, if it has a place.
    """

    def __init__(
        self,
        file: BinaryIO | None,
        name: str,
        path: Path | None = None,
        watch: Callable[[int], None] = _nothing,
    ) -> None:
        """``watch`` hears how many bytes were read, as they lie in the file."""
        self._file = file
        self._watch = watch
        self.name = name
        self.path = path
        self.is_empty = True  # until something was read
        self.counts_lines = False
        """Whether ``lines`` is wanted."""
        self.lines = 0
        self.addresses = 0
        """How many were found in it, counted by whoever reads it."""
        self._compression: Compression | None = None
        self._begun: tuple[bytes, Iterator[bytes]] | None = None

    def chunks(self) -> Iterator[bytes]:
        """Return its text as soon as it can be read; what is compressed is unpacked, UTF-16 becomes UTF-8.

        Raises ``InputError`` when reading or unpacking fails, after everything that was readable, and at once
        for what is not text.
        """
        start, rest = self._begin()
        whole = self._checked(chain([start] if start else [], rest))
        text = _as_utf8(whole) if start.startswith(_UTF16) else whole
        return self._counted(text) if self.counts_lines else text

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        end = b"\n"
        for chunk in chunks:
            self.lines += chunk.count(b"\n")
            end = chunk[-1:] or end
            yield chunk
        self.lines += end != b"\n"

    @property
    def form(self) -> str:
        """What it is, for people: ``text``, in UTF-16, packed by gzip."""
        start, _ = self._begin()
        coded = " in UTF-16" if start.startswith(_UTF16) else ""
        return f"text{coded}" + (f", packed by {self._compression.name}" if self._compression else "")

    def begins_with(self, magic: bytes) -> bool:
        """Whether its first bytes, unpacked, are these: some of those that ``contents`` knows."""
        return self._begin()[0].startswith(magic)

    @property
    def is_compressed(self) -> bool:
        """Whether what was read is not what lies in the file."""
        self._begin()
        return self._compression is not None

    @property
    def descriptor(self) -> int | None:
        """The number of the open file, if it is one of the system's."""
        try:
            return self._file.fileno() if self._file is not None else None
        except (OSError, ValueError):
            return None

    def content(self) -> Iterator[bytes]:
        """Return all that is in it, unpacked, whatever it is. Raises ``InputError``."""
        start, rest = self._begin()
        return chain([start], rest)

    def _begin(self) -> tuple[bytes, Iterator[bytes]]:
        """The first bytes, as many as decide what it is, and what comes behind them."""
        if self._begun is None:
            magics = [compression.magic for compression in COMPRESSIONS]
            start, rest = _peeked(
                self._raw_chunks(), lambda start: any(magic.startswith(start) for magic in magics)
            )
            self._compression = next((form for form in COMPRESSIONS if start.startswith(form.magic)), None)
            whole: Iterator[bytes] = chain([start] if start else [], rest)
            if self._compression is not None:
                whole = unpacked(whole, self._compression, self.name)
            self._begun = _peeked(whole, may_begin)
        return self._begun

    def _checked(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same, if it is text: what does not look like it is held back until enough was seen to judge."""
        start, is_nothing, held = b"", True, list[bytes]()
        for chunk in chunks:
            seen = len(start)
            start += chunk[: LOOKED_AT - seen]
            is_nothing = is_nothing and not chunk.strip(b"\0")
            held.append(chunk)
            is_whole = len(start) == LOOKED_AT
            if len(held) > 1 or not seen or (is_whole and seen < LOOKED_AT):
                if is_whole:
                    self._check(start)
                elif not_text(start) is not None:
                    continue
            yield from held
            held.clear()
        self._check(start)
        if is_nothing and start:
            raise InputError(f"cannot read {self.name}: it is nothing but zero bytes")

    def _check(self, start: bytes) -> None:
        if (what := not_text(start)) is not None:
            raise InputError(f"cannot read {self.name}: it is {what}")

    def _raw_chunks(self) -> Iterator[bytes]:
        if self._file is None:
            raise InputError(f"cannot read {self.name}: it is closed")
        read = getattr(self._file, "read1", self._file.read)
        while True:
            try:
                chunk = read(_CHUNK)
            except OSError as error:
                raise InputError(f"cannot read {self.name}: {error.strerror}") from error
            if not chunk:
                return
            self.is_empty = False
            self._watch(len(chunk))
            yield chunk

    def is_waiting(self, patience: float = 0) -> bool:
        """Whether nobody has written for ``patience`` seconds: time to show what is there."""
        if self._file is None:
            return False
        try:
            ready, _, _ = select.select([self._file], [], [], patience)
        except (OSError, ValueError):  # not a descriptor that can be waited for: a buffer in memory
            return False
        return not ready


def _peeked(chunks: Iterator[bytes], needs_more: Callable[[bytes], bool]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes and the rest; an error of reading comes with the rest."""
    start = b""
    try:
        while (not start or needs_more(start)) and (chunk := next(chunks, None)) is not None:
            start += chunk
    except InputError as error:
        return start, _failing(error)
    return start, chunks


def _failing(error: InputError) -> Iterator[bytes]:
    yield from ()
    raise error


def _as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """UTF-16 with its byte order mark as UTF-8. What is no character does no harm."""
    decoder = getincrementaldecoder("utf-16")("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode()


def pieces(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Join and cut chunks so that nothing that belongs together stands on both sides of a cut.

    Lines are whole, but those of ``_LONGEST_LINE`` bytes and more: where these are cut (``cuts.last_cut``)
    hangs on the text alone. A word that is far too long to be an address comes in opaque pieces of its own.
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
        while len(kept) >= _LONGEST_LINE and kept.find(b"\n", 0, _LONGEST_LINE) < 0:
            window = kept[:_LONGEST_LINE]
            cut = last_cut(window)
            if cut:
                yield Piece(kept[:cut], starts_line, ends_line=False)
                kept, starts_line = kept[cut:], False
            is_word = not window[cut:].lstrip(WORD_BYTES)
            if cut == 0 or (is_word and len(window) - cut > _LONGEST_WORD):
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
        if len(chunk) <= _LONGEST_LINE:
            yield chunk
        else:
            yield from (chunk[at : at + _LONGEST_LINE] for at in range(0, len(chunk), _LONGEST_LINE))

"""Who is banned, out of anything that tells it: each line goes to the ban source that recognises it.

The sources stand in ``choices``; this file knows none of them. What no source recognises is text, and the
addresses in it are bans: a plain list. Memory does not grow with the input, except by what a log and a
document must keep. An input that holds something of which nothing was understood is an error, and so is one
that cannot be read to its end.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from geocli.inputs.ban_reader import Reading, Tally
from geocli.inputs.choices import BAN_SOURCES, FILE_SOURCES, BanSource
from geocli.inputs.cuts import WORD_BYTES
from geocli.inputs.stream import Piece, Stream, pieces
from geocli.inputs.text import TextReader
from geocli.model.ban_batch import BanBatch
from geocli.model.errors import GeocliError, InputError, Problems, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geocli.inputs.ban_reader import BanReader
    from geocli.model.bans import Ban

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What all lines but those of text have in them. Most inputs have no such line, and are read at once: what has
# no letters but those of addresses first of all.
_LIST_BYTES = b"0123456789abcdefABCDEF.:/,\n"
_WORDS = tuple(word for source in BAN_SOURCES for word in source.words)
_STARTS = re.compile(b"(?m)^(?:" + b"|".join(source.start for source in BAN_SOURCES if source.start) + b")")

_SOMETHING = re.compile(rb"(?m)^[ \t\r]*+[^#\s]")  # more than blanks and comments
_WORD = re.compile(rb"\S")


def read_bans(
    streams: Iterable[Stream], problems: Problems, reading: Reading | None = None
) -> Iterator[Sequence[Ban]]:
    """Return the bans of all streams in their order, in batches, often empty ones; last those of a log.

    A stream that cannot be read to its end, or of which nothing is understood, is noted in ``problems`` and
    stops no other. ``reading`` learns what was understood.
    """
    reading = Reading() if reading is None else reading
    for stream in streams:
        tally = reading.begin(stream.name)
        try:
            yield from reading.counted(_read_stream(stream, reading, tally), tally)
        except GeocliError as error:
            problems.note(error)
        for remark in tally.remarks:
            problems.mention(UsageError(remark))
        if tally.passed_over and tally.answers:
            lines = "a line was" if tally.passed_over == 1 else f"{tally.passed_over} lines were"
            problems.mention(UsageError(f"{tally.name}: {lines} not understood, and passed over"))
    yield from reading.logged()


def _read_stream(stream: Stream, reading: Reading, tally: Tally) -> Iterator[Sequence[Ban]]:
    for file_source in FILE_SOURCES:
        if any(map(stream.begins_with, file_source.words)):
            tally.is_blank = False
            tally.forms.append(file_source.help)
            yield from _module(file_source).read_file(stream, reading, tally)
            return
    source = _Source(stream)
    reader = _Lines(reading, tally)
    is_first = True
    for piece in pieces(source.chunks()):
        text = piece.text
        if is_first:
            text, is_first = text.removeprefix(_BYTE_ORDER_MARK), False
        if source.damage is not None and not text.endswith(b"\n"):
            text = _without_cut_end(text)
        yield reader.read(piece._replace(text=text))
    yield reader.end()
    if source.damage is not None:
        raise source.damage
    if not (tally.answers or tally.is_blank):
        raise InputError(f"{stream.name}: {_why_nothing(tally)}")


def _why_nothing(tally: Tally) -> str:
    if tally.complaint is not None:
        return tally.complaint
    if tally.passed_over:
        return f"none of its {tally.passed_over} lines that look like fail2ban's log was understood"
    return "nothing in it tells who is banned (geocli summarize counts the addresses of any text)"


class _Source:
    """The bytes of a stream. Afterwards ``damage`` is what kept it from its end."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.damage: UsageError | None = None

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self._stream.chunks()
        except UsageError as error:
            self.damage = error


class _Lines:
    """Hands the lines of one stream, in parts of any size, to whom they are for."""

    def __init__(self, reading: Reading, tally: Tally) -> None:
        self._reading = reading
        self._tally = tally
        self._text = _Text(tally)
        self._readers: dict[str, BanReader] = {}
        self._reader: BanReader = (
            self._text
        )  # who had the line before, and has the rest of one that has begun
        self._is_plain = True  # whether nothing but text has come so far

    def read(self, piece: Piece) -> Sequence[Ban]:
        """Return the bans that this piece completes, in order."""
        tally = self._tally
        tally.is_blank = tally.is_blank and not (_SOMETHING if piece.starts_line else _WORD).search(
            piece.text
        )
        if self._is_plain and not _may_begin(piece.text):
            tally.lines += piece.text.count(b"\n") or piece.ends_line
            return self._text.read(piece)
        text, begin, size = piece.text, 0, len(piece.text)
        found: list[Ban] = []
        while begin < size:
            take_run = getattr(self._reader, "take_run", None)
            if take_run is not None and (begin or piece.starts_line):
                begin, count = take_run(text, begin)
                tally.lines += count
            end = text.find(b"\n", begin) + 1 or size
            if begin < end:
                starts, ends = piece.starts_line or begin > 0, piece.ends_line or end < size
                found += self._read_line(Piece(text[begin:end], starts, ends, piece.opaque))
            begin = end
        return found

    def end(self) -> list[Ban]:
        """Return the bans of what was still open when the input ended."""
        return [ban for reader in self._readers.values() for ban in reader.end()]

    def _read_line(self, line: Piece) -> Sequence[Ban]:
        self._tally.lines += line.ends_line
        if not line.starts_line:
            return self._reader.read(line) or []
        if self._reader is not self._text and (found := self._reader.read(line)) is not None:
            return found
        for source in BAN_SOURCES:
            if _may_be(source, line.text) and _module(source).sniff(line.text):
                reader = self._reader_of(source)
                if (found := reader.read(line)) is not None:
                    self._reader, self._is_plain = reader, False
                    return found
        if self._reader is not self._text and (found := self._reader.follow(line)) is not None:
            return found
        self._reader, self._is_plain = self._text, True
        return self._text.read(line)

    def _reader_of(self, source: BanSource) -> BanReader:
        if source.name not in self._readers:
            self._readers[source.name] = _module(source).read(self._reading, self._tally)
            self._tally.forms.append(source.help)
        return self._readers[source.name]


# Where a firewall's rule says from or to whom, and means anybody.
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})


class _Text:
    """A plain list, or any text: who is in it is banned."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._targets = TextReader()

    def read(self, piece: Piece) -> Sequence[Ban]:
        """Return a ban for each address and network."""
        if piece.opaque:
            return ()
        if b"\\n" in piece.text:  # what becomes of: get JAIL banip '\n'
            piece = piece._replace(text=piece.text.replace(b"\\n", b"  "))
        found = self._targets.read(piece)
        if not _EVERYBODY.isdisjoint(found):
            found = [target for target in found if target not in _EVERYBODY]
        self._tally.answers += len(found)
        return BanBatch(found)

    def follow(self, part: Piece) -> Sequence[Ban]:
        """Read on."""
        return self.read(part)

    def end(self) -> list[Ban]:
        """Return nothing: no line is kept."""
        return []


def _may_begin(text: bytes) -> bool:
    """Whether a ban source may begin in some lines."""
    if not text.translate(None, _LIST_BYTES):
        return False
    return any(word in text for word in _WORDS) or _STARTS.search(text) is not None


def _may_be(source: BanSource, line: bytes) -> bool:
    """Whether a line may be of a source."""
    return any(word in line for word in source.words) or (
        bool(source.start) and _start(source).match(line) is not None
    )


@cache
def _start(source: BanSource) -> re.Pattern[bytes]:
    return re.compile(source.start)


@cache
def _module(source: BanSource) -> Any:
    return import_module(source.module)


def _without_cut_end(text: bytes) -> bytes:
    """Without the word that may be half there at the end of a damaged file; half a log line tells nothing."""
    start = text.rfind(b"\n") + 1
    return text[:start] if b"fail2ban" in text[start:] else text.rstrip(WORD_BYTES)

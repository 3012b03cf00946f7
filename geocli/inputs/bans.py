"""Who is banned, out of anything that tells it: fail2ban-client's outputs, fail2ban's log, plain lists.

A line is read by the module that recognises how it starts; the rule for addresses in text is for all other
lines. Memory does not grow with the input, except by one entry for
each ban in a log. No input is wrong: what tells of no ban gives none. Only a complaint of fail2ban-client's
instead of an answer, and a file that cannot be read to its end, are errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.fail2ban.literal import BanReader, is_banned_line, is_list_line, is_names_line
from geocli.inputs.fail2ban.status import StatusReader, is_statistics_line
from geocli.inputs.fail2ban.times import read_times_line
from geocli.inputs.in_text import WORD_BYTES
from geocli.inputs.stream import Piece, Stream, pieces
from geocli.inputs.text import TextReader, split_lines
from geocli.model.addresses import LONGEST_TARGET, parse_target
from geocli.model.bans import Ban
from geocli.model.errors import UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geocli.inputs.fail2ban.log import LogReplay

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# What all lines but those of text have in them. Most inputs have no such line, and are read at once.
_HINT = re.compile(
    rb"(?m)fail2ban|IP list:|\t[12][0-9]{3}-|\xe2\x95\x91"
    rb"|^(?:[ \t]*[\[{]|[ |]*[|`]- |Status|Sorry but the |not banned: |Invalid command)"
)
_COMPLAINT = re.compile(
    rb"((?:Sorry but the (?:jail '|command is )|not banned: \[|Invalid command \()[^\r\n]*"
    rb"|Invalid command[\r\n]*\Z)"
    rb"|\S+ \S+ fail2ban +\[[0-9]+\]: (?:ERROR|CRITICAL) +([^\r\n]*)"
)


def read_bans(streams: Iterable[Stream]) -> Iterator[list[Ban]]:
    """The bans of all streams in their order, in batches, often empty ones; last those of fail2ban's log.

    The log is one over all streams, which must come in its order: the oldest rotated file first. A stream
    that cannot be read to its end, or holds a complaint, stops no other. Raises ``UsageError`` for the first
    such, when everything else was given.
    """
    log = _Log()
    problems: list[UsageError] = []
    try:
        for stream in streams:
            try:
                yield from _read_stream(stream, log)
            except UsageError as error:
                problems.append(error)
    except UsageError as error:  # the next stream could not be opened
        problems.append(error)
    yield from log.bans()
    if problems:
        raise problems[0]


class _Log:
    """fail2ban's log, if there is any: most inputs have none, and do without its module."""

    def __init__(self) -> None:
        self._replay: LogReplay | None = None

    def read(self, line: bytes) -> bool:
        if self._replay is None:
            from geocli.inputs.fail2ban.log import LogReplay

            self._replay = LogReplay()
        return self._replay.read(line)

    def bans(self) -> Iterator[list[Ban]]:
        if self._replay is not None:
            yield from self._replay.bans()


def _read_stream(stream: Stream, log: _Log) -> Iterator[list[Ban]]:
    source = _Source(stream)
    reader = _Reader(log)
    is_first = True
    for piece in pieces(source.chunks()):
        text = piece.text
        if is_first:
            text, is_first = text.removeprefix(_BYTE_ORDER_MARK), False
        if source.damage is not None and not text.endswith(b"\n"):
            text = _without_cut_end(text)
        yield reader.read(piece._replace(text=text))
    if source.damage is not None:
        raise source.damage
    if complaint := reader.complaint():
        raise UsageError(f"{stream.name}: instead of bans, fail2ban-client said: {complaint}")


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


class _Reader:
    """Hands the lines of one stream, in parts of any size, to whom they are for."""

    def __init__(self, log: _Log) -> None:
        self._log = log
        self._text = TextReader()
        self._status = StatusReader()
        self._literal: BanReader | None = None
        self._is_text = True  # whether the rest of a line that has begun is text, or for ``_status``
        self._is_plain = True  # whether text has stood in the lines before, and nothing that may go on
        self._in_log = False
        self._complaint: bytes | None = None
        self._has_answer = False

    def complaint(self) -> str | None:
        """What fail2ban-client complains about, when that is all there is."""
        if self._complaint is None or self._has_answer:
            return None
        return clean_text(self._complaint.decode("utf-8", "surrogateescape"))

    def read(self, piece: Piece) -> list[Ban]:
        """The bans that this piece completes, in order."""
        if self._is_plain and not _HINT.search(piece.text):
            self._has_answer = self._has_answer or bool(piece.text.strip())
            return self._read_text(piece)
        lines = list(split_lines(piece.text))
        last = len(lines) - 1
        return [
            ban
            for index, line in enumerate(lines)
            for ban in self._read_line(
                Piece(line, piece.starts_line or index > 0, piece.ends_line or index < last, piece.opaque)
            )
        ]

    def _read_line(self, line: Piece) -> list[Ban]:
        if line.starts_line:
            bans = self._read_start(line)
        elif self._literal is not None:
            bans = self._literal.read(line.text)
        else:
            bans = self._read_text(line) if self._is_text else self._status.read(line) or []
        if line.ends_line:
            self._literal = None
        return bans

    def _read_start(self, line: Piece) -> list[Ban]:
        text = line.text
        was_in_log, self._in_log = self._in_log, False
        self._literal, self._is_text, self._is_plain = None, False, False
        complaint = _COMPLAINT.match(text)
        self._has_answer = self._has_answer or not (complaint or not text.strip())
        bans: list[Ban] = []
        if complaint is not None:
            self._complaint = complaint[complaint.lastindex or 0]
        elif b"fail2ban" in text and self._log.read(text):
            self._in_log = True
        elif (ban := read_times_line(text)) is not None:
            bans = [ban]
        elif is_banned_line(text) or (is_list_line(text) and not is_names_line(text)):
            self._literal = BanReader()
            bans = self._literal.read(text)
        elif not (is_names_line(text) or is_statistics_line(text)):
            # Last, because a line that is none of its tree may go on with an identifier in its list.
            in_tree = self._status.read(line)
            return self._read_other(line, in_log=was_in_log) if in_tree is None else in_tree
        self._status.leave()
        return bans

    def _read_other(self, line: Piece, *, in_log: bool) -> list[Ban]:
        # Between the lines of a log stand tracebacks, commands that failed and, in a syslog, other programs'
        # lines: full of addresses of which nobody says that they are banned. A list may follow a log, though.
        self._in_log, self._is_plain = in_log, not in_log
        self._is_text = not in_log or _is_target(line.text)
        return self._read_text(line) if self._is_text else []

    def _read_text(self, piece: Piece) -> list[Ban]:
        if piece.opaque:
            return []
        if b"\\n" in piece.text:  # what becomes of: get JAIL banip '\n'
            piece = piece._replace(text=piece.text.replace(b"\\n", b"  "))
        return [Ban(None, target) for target in self._text.read(piece)]


def _is_target(line: bytes) -> bool:
    if len(line) > LONGEST_TARGET + 2 or not (b"." in line or b":" in line):
        return False
    try:
        return bool(parse_target(line.decode()))
    except ValueError:
        return False


def _without_cut_end(text: bytes) -> bytes:
    """Without the word that may be half there at the end of a damaged file; half a log line tells nothing."""
    start = text.rfind(b"\n") + 1
    return text[:start] if b"fail2ban" in text[start:] else text.rstrip(WORD_BYTES)

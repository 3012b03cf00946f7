"""The systemd journal in the forms that are no lines: ``journalctl -o json``, ``-o verbose``, ``-o export``.

An entry is read as ``journalctl -o short-unix`` would print it: its moment, who logged it, and the message.
Who logged it is the journal's word, which no program can change: the unit, or the identifier.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geocli.inputs.fail2ban.log import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece
    from geocli.model.bans import Ban

_NAMES = ("SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "UNIT", "CONTAINER_NAME", "CONTAINER_TAG", "_COMM")
_KEPT = frozenset({*_NAMES, "MESSAGE", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP"})
_HEADER = re.compile(rb"[A-Z][a-z]{2} ([12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9:]{8})(?:\.[0-9]+)? \S+ \[s=")
_FIELD = re.compile(rb"([A-Z0-9_]{1,64})=(.*?)\r?\n?\Z", re.DOTALL)
_OURS = re.compile("fail2ban|f2b")


def sniff(line: bytes) -> bool:
    """Whether an entry begins with this line: of ``-o verbose`` or of ``-o export``."""
    return line.startswith(b"__CURSOR=") or _HEADER.match(line) is not None


def read(reading: Reading, tally: Tally) -> EntryReader:
    """Return what reads such entries."""
    return EntryReader(reading, tally)


class EntryReader:
    """Collects the fields of an entry, one in each line."""

    def __init__(self, reading: Reading, tally: Tally) -> None:
        self._take = read_value(reading, tally)
        self._fields: dict[str, str] = {}
        self._is_verbose = False

    def read(self, part: Piece) -> list[Ban] | None:
        """Take in a line of an entry; ``None`` when it is none."""
        if not part.starts_line:
            return []
        line = part.text
        if line.startswith(b"__CURSOR=") or _HEADER.match(line):
            self._finish()
            self._is_verbose = not line.startswith(b"__CURSOR=")
            if self._is_verbose:
                self._fields["HEADER"] = line.decode("utf-8", "surrogateescape")
            return []
        field = _FIELD.match(line.lstrip(b" ") if self._is_verbose else line)
        if field is not None:
            name = field[1].decode()
            if name in _KEPT:
                self._fields[name] = field[2].decode("utf-8", "surrogateescape")
            return []
        return None if line.strip() else []

    def follow(self, part: Piece) -> list[Ban] | None:
        """Pass over what a field has in more than one line."""
        return [] if self._fields and part.text.startswith(b" ") else None

    def end(self) -> list[Ban]:
        """Take in the last entry."""
        self._finish()
        return []

    def _finish(self) -> None:
        fields, self._fields = self._fields, {}
        if "MESSAGE" in fields:
            self._take(fields)


def sniff_value(value: Any) -> bool:
    """Whether an object is an entry."""
    return (
        isinstance(value, dict)
        and "MESSAGE" in value
        and not {*_NAMES, "__REALTIME_TIMESTAMP"}.isdisjoint(value)
    )


def read_value(reading: Reading, tally: Tally) -> Callable[[Any], list[Ban]]:
    """Return what takes such an entry in: the bans of a log are known at the end."""
    reader = LogReader(reading, tally)

    def take(entry: Mapping[str, Any]) -> list[Ban]:
        message = entry["MESSAGE"]
        if isinstance(message, list):  # bytes that the journal does not show as text
            message = bytes(each for each in message if isinstance(each, int) and 0 <= each < 256)
        elif isinstance(message, str):
            message = message.encode("utf-8", "surrogateescape")
        else:
            return []
        reader.take(_head(entry) + message.rstrip(b"\n"))
        return []

    return take


def _head(entry: Mapping[str, Any]) -> bytes:
    """The head of ``-o short-unix``."""
    moment = next(
        (
            int(text)
            for name in ("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP")
            if (text := str(entry.get(name, ""))[:20]).isascii() and text.isdigit() and len(text) > 6
        ),
        None,
    )
    names = [str(entry[name])[:128] for name in _NAMES if name in entry]
    who = next((f"{name}: " for name in ("fail2ban",) if any(map(_OURS.search, names))), "another: ")
    if moment is None:
        header = _HEADER.match(str(entry.get("HEADER", "")).encode("utf-8", "surrogateescape"))
        return (header[1] + b" journal " if header is not None else b"") + who.encode()
    return f"{moment // 1_000_000}.{moment % 1_000_000:06} journal {who}".encode()

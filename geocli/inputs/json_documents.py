"""JSON in any layout: one document, one in each line, through ``jq`` or not; told to the source it is of.

A list is taken apart into its elements as they come, so that memory does not grow with it; an object is kept
whole, up to a limit. What no source recognises is text, and so is what looked like JSON and is none.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from geocli.inputs.choices import JSON_SOURCES, BanSource
from geocli.inputs.in_text import find_targets
from geocli.model.bans import Ban
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.inputs.stream import Piece

_START = re.compile(rb"(?:\x1e|data: )?\s*+(?:\[\s*+(?:[\[{\"\]]|\Z)|\{\s*+(?:[\"}]|\Z)|null\s*\Z)")
# The strings and brackets, and what cannot be in JSON outside of strings.
_TOKEN = re.compile(rb'"(?:[^"\\\n]++|\\.)*+"|[\[\]{}]|[^\s,:0-9truefalsnE.+\-]')
_HALF_STRING = re.compile(rb'"(?:[^"\\\n]++|\\.)*+\\?\Z')
_LARGEST = 1 << 26
"""Bytes of one object. 100,000 elements of a firewall's set have ten million."""


def sniff(line: bytes) -> bool:
    """Whether a document may begin with this line."""
    return _START.match(line) is not None


def read(reading: Reading, tally: Tally) -> JsonReader:
    """Return what reads documents."""
    return JsonReader(reading, tally)


class JsonReader:
    """Finds the objects of documents in their lines, and hands them to the sources."""

    def __init__(self, reading: Reading, tally: Tally) -> None:
        self._reading = reading
        self._tally = tally
        self._readers: dict[str, Any] = {}
        self._brackets = bytearray()  # those that are open
        self._kept = bytearray()  # of the object that has begun
        self._rest = b""  # a string that goes on in the next part
        self._is_list = False
        self._is_done = True

    def read(self, part: Piece) -> list[Ban] | None:
        """Return the bans of the objects that end in a line, or in a part of one."""
        text = part.text
        if self._is_done:
            if not part.starts_line:
                return self._as_text(text)
            start = _START.match(text)
            if start is None:
                return None
            if text.strip() == b"null":  # what cscli says when there is nothing
                self._tally.answers += 1
                return []
            text = text.removeprefix(b"\x1e").removeprefix(b"data: ")
            self._begin()
        return self._scan(text)

    def follow(self, part: Piece) -> list[Ban] | None:  # noqa: ARG002
        """Return ``None``: what stands between documents is text."""
        return None

    def end(self) -> list[Ban]:
        """Return what there is in a document that was not finished, as text."""
        return self._broken(b"")

    def _begin(self) -> None:
        self._brackets.clear()
        self._kept.clear()
        self._rest, self._is_list, self._is_done = b"", False, False

    def _scan(self, part: bytes) -> list[Ban]:
        text, self._rest = self._rest + part, b""
        bans: list[Ban] = []
        begin = 0  # of what is to be kept of this part
        position = 0
        while match := _TOKEN.search(text, position):
            token, position = text[match.start() : match.start() + 1], match.end()
            if token == b'"':
                if match.end() == match.start() + 1:  # it has no end
                    if _HALF_STRING.match(text, match.start()) is None or len(text) > _LARGEST:
                        return bans + self._broken(text[begin:])
                    self._kept += text[begin : match.start()]
                    self._rest = text[match.start() :]
                    return bans
                if self._is_list and len(self._brackets) == 1:
                    bans += self._value(match[0])
                    begin = position
            elif token in b"[{":
                if not self._brackets and token == b"[":
                    self._is_list = True
                    begin = position
                self._brackets += token
            elif token in b"]}":
                if not self._brackets or self._brackets.pop() != (b"[" if token == b"]" else b"{")[0]:
                    return bans + self._broken(text[begin:])
                if not self._brackets:
                    if not self._is_list:
                        bans += self._value(bytes(self._kept) + text[begin:position])
                    self._tally.answers += self._is_list
                    self._is_done = True
                    if _START.match(text, position) is None:
                        return bans + self._as_text(text[position:])
                    self._begin()
                    begin = position
                if self._is_list and len(self._brackets) == 1:
                    bans += self._value(bytes(self._kept) + text[begin:position])
                    begin = position
            else:
                return bans + self._broken(text[begin:])
        self._kept += text[begin:]
        if len(self._kept) > _LARGEST:
            return bans + self._broken(b"")
        return bans

    def _value(self, raw: bytes) -> list[Ban]:
        self._kept.clear()
        raw = raw.strip(b", \t\r\n")
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return self._as_text(raw)
        if isinstance(value, str):
            self._tally.answers += 1
            return [Ban(None, clean_text(value))]
        for source in JSON_SOURCES:
            if any(word in raw for word in source.words) and _module(source).sniff_value(value):
                if source.name not in self._readers:
                    self._readers[source.name] = _module(source).read_value(self._reading, self._tally)
                    self._tally.forms.append(source.help)
                found: list[Ban] = self._readers[source.name](value)
                self._tally.answers += 1
                return found
        return self._as_text(raw)

    def _broken(self, rest: bytes) -> list[Ban]:
        text = bytes(self._kept) + self._rest + rest
        self._kept.clear()
        self._rest, self._is_done = b"", True
        return self._as_text(text)

    def _as_text(self, text: bytes) -> list[Ban]:
        found = [Ban(None, target) for target in find_targets(text)]
        self._tally.answers += len(found)
        return found


@cache
def _module(source: BanSource) -> Any:
    return import_module(source.module)

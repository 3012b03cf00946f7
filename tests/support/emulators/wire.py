"""HTTP/1.1 as far as the emulators need it: a request as it was read, an answer as it is sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.emulators.faults import Fault


@dataclass(frozen=True)
class Request:
    """One request. ``status`` and ``fault`` are what became of it."""

    time: float
    """When it had arrived, by ``time.monotonic()``, which all processes of a machine share."""
    client: str
    """The address it came from: limits are kept by it."""
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes = field(repr=False)
    targets: list[str] = field(default_factory=list)
    """What is asked about, in order; empty if the body is not a JSON array."""
    status: int = 0
    """What the status line said; 0 if nothing was sent."""
    fault: Fault | None = None

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


async def read_request(reader: asyncio.StreamReader, client: str) -> Request:
    """The next request of a connection. Raises EOFError when the client has gone away."""
    head = await reader.readuntil(b"\r\n\r\n")
    first_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _version = first_line.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(time.monotonic(), client, method, url.path, query, headers, body)


@dataclass(frozen=True)
class Answer:
    """One answer. Lists and objects become JSON, text is sent as plain text, bytes as they are."""

    status: int
    content: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def body(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        if isinstance(self.content, str):
            return self.content.encode()
        # A lone surrogate is a byte that is not UTF-8: Fault.NOT_UTF8 puts them in.
        return json.dumps(self.content, ensure_ascii=False).encode("utf-8", "surrogateescape")

    def head(self, *, length: int | None) -> bytes:
        """The status line and headers of a body of ``length`` bytes; None: it comes in chunks."""
        kind = "text/plain" if isinstance(self.content, str) else "application/json"
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {kind}; charset=utf-8",
            size,
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def encode(self) -> bytes:
        """Head and body in one piece, so that they leave in one send."""
        body = self.body
        return self.head(length=len(body)) + body

"""What the tests here talk to: the emulators as geocli's settings name them, and one that says anything."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

from tests.support.emulators import CountryIs, Emulator, Fault, IpApi, Ipinfo

TOKEN = "tok-4f9d2c71a8"  # noqa: S105 (the emulators' own)
SOURCES: dict[str, Callable[..., Emulator]] = {"ip-api": IpApi, "country-is": CountryIs, "ipinfo": Ipinfo}
KNOWN = ["8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "23.1.1.1"]
"""Addresses that the embedded database has, too."""


def name_of(server: Emulator) -> str:
    """The provider that asks this service."""
    return next(name for name, kind in SOURCES.items() if isinstance(server, kind))  # type: ignore[arg-type]


def environment(*servers: Emulator) -> dict[str, str]:
    """The variables that send geocli to these servers instead of the Internet."""
    variables = {}
    for server in servers:
        variables[f"GEOCLI_{name_of(server).replace('-', '_').upper()}_URL"] = server.url
        if isinstance(server, IpApi) and server.key is not None:
            variables["GEOCLI_IP_API_KEY"] = server.key
        if isinstance(server, Ipinfo):
            variables["GEOCLI_IPINFO_TOKEN"] = server.token or TOKEN
    return variables


def sizes(server: Emulator) -> list[int]:
    """How many addresses each request had."""
    return [len(request.targets) for request in server.requests]


def gaps(server: Emulator | RawServer) -> list[float]:
    """Seconds between one request and the next."""
    times = server.times if isinstance(server, RawServer) else [request.time for request in server.requests]
    return [later - earlier for earlier, later in pairwise(times)]


def ip_api_items(targets: Sequence[str], **values: Any) -> list[dict[str, Any]]:
    """What ip-api says about these, as little of it as there can be."""
    return [{"status": "success", "query": target, "countryCode": "DE", **values} for target in targets]


def http(status: int, content: object = b"", headers: dict[str, str] | None = None) -> bytes:
    """One answer: bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} As Told", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Say = Callable[[int, list[str]], bytes]


@dataclass
class RawServer:
    """Reads a request, sends what ``say`` has for it (its number, its addresses), closes the connection.

    For everything that no emulator would say. ``context`` makes it speak TLS.
    """

    say: Say
    context: ssl.SSLContext | None = None
    times: list[float] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    targets: list[list[str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if self.context else 'http'}://{self.host}/batch"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            connection.settimeout(10)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                head = b""
                while (line := stream.readline()) not in {b"\r\n", b""}:
                    head += line
                text = head.decode("latin-1")
                length = next(
                    (
                        int(line[15:])
                        for line in text.lower().splitlines()
                        if line.startswith("content-length:")
                    ),
                    0,
                )
                body = stream.read(length)
                targets = [str(target) for target in json.loads(body or b"[]")]
                self.times.append(time.monotonic())
                self.heads.append(text)
                self.targets.append(targets)
                connection.sendall(self.say(len(self.times) - 1, targets))


__all__ = ["KNOWN", "SOURCES", "TOKEN", "CountryIs", "Emulator", "Fault", "IpApi", "Ipinfo", "RawServer"]

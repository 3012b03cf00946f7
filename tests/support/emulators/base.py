"""What the emulators have in common: a server in a thread of its own, a log, limits and faults.

One asyncio loop serves all connections, so that requests are counted in the order in which they
arrive, and whatever is under way - a delay, a drip - ends at once when the server stops.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.support.emulators.faults import Fault, deliver, spoil
from tests.support.emulators.limits import Quota, RateLimit
from tests.support.emulators.wire import Answer, Request, read_request


@dataclass(frozen=True)
class _PlannedFault:
    fault: Fault
    delay: float
    lasts: bool


class Emulator(ABC):
    """A service that answers batches; ``with`` starts and stops it. The package says how to use it."""

    path: ClassVar[str]
    """Where the service takes batches."""

    def __init__(self, *, limit: int | None, window: float, latency: float, port: int) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.unknown: set[str] = set()
        self.requests: list[Request] = []
        self.connections = 0
        self.banned: set[str] = set()
        """Clients that are refused for ever."""
        self.latency = latency

        self._rate_limit = None if limit is None else RateLimit(limit, window)
        self._faults: deque[_PlannedFault] = deque()
        self._faults_lock = threading.Lock()

        self._listener = socket.create_server(("127.0.0.1", port))
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = self.origin + self.path
        self.elsewhere = self.origin + "/elsewhere"
        """Where Fault.REDIRECT points to; here, so that the log shows whether a client followed."""
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    # What a service is made of

    @abstractmethod
    def respond(self, request: Request) -> Answer:
        """The answer to a batch that came by POST to the right path: the rules of the service."""

    def target(self, entry: object) -> str:
        """What an entry of the batch asks about; what is not text is no address, whatever it says."""
        return entry if isinstance(entry, str) else json.dumps(entry)

    def quota(self, request: Request) -> Quota | None:
        """Count the request; None if there is no limit."""
        return self._rate_limit.count(request.client, request.time) if self._rate_limit else None

    # What tests do and see

    def fail_next(self, fault: Fault, *, times: int | None = 1, delay: float = 1.0) -> None:
        """Let a fault strike the next ``times`` requests (None: all), after those already planned.

        ``delay``, in seconds, is for Fault.DELAY.
        """
        planned = _PlannedFault(fault, delay, lasts=times is None)
        with self._faults_lock:
            self._faults.extend([planned] * (1 if times is None else times))

    def recover(self) -> None:
        """Forget the faults that have not struck yet."""
        with self._faults_lock:
            self._faults.clear()

    @property
    def addresses(self) -> Counter[str]:
        """How often each was asked about with status 200, also if a fault spoilt the answer."""
        accepted = (request for request in self.requests if request.status == 200)
        return Counter(target for request in accepted for target in request.targets)

    @property
    def bans(self) -> int:
        return len(self.banned)

    def count(self, status: int) -> int:
        """How many answers had this status; 0 stands for no answer at all."""
        return sum(request.status == status for request in self.requests)

    def summary(self) -> dict[str, Any]:
        """Everything in numbers, ready for JSON."""
        addresses = self.addresses
        return {
            "requests": len(self.requests),
            "connections": self.connections,
            "addresses": len(addresses),
            "repeated_addresses": sum(times > 1 for times in addresses.values()),
            "429s": self.count(429),
            "bans": self.bans,
            "statuses": dict(sorted(Counter(str(request.status) for request in self.requests).items())),
        }

    # Life cycle

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Close all connections, whatever they are at. The log stays."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve_connection, sock=self._listener)
        self._started.set()
        await self._stopping.wait()
        server.close()
        # Now asyncio.run() cancels the connections.

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other. (asyncio sets TCP_NODELAY.)"""
        self.connections += 1
        client = writer.get_extra_info("peername")[0]
        try:
            # Clients may go away at any time (ConnectionError, EOFError) or speak no HTTP (ValueError).
            with suppress(ConnectionError, EOFError, ValueError):
                keeps_alive = True
                while keeps_alive and not writer.is_closing():
                    request = await read_request(reader, client)
                    await self._handle(request, writer)
                    keeps_alive = request.keeps_alive
            writer.close()
        except asyncio.CancelledError:  # stop(); passed on, it would be reported as an error
            writer.transport.abort()

    async def _handle(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Decide and log at once, so that the log is in order of arrival; send when it is time."""
        request = replace(request, targets=self._targets(request.body))
        answer = self._answer(request)
        planned = self._next_fault() if answer.status == 200 else None
        fault = planned.fault if planned else None
        if fault is not None:
            answer = spoil(fault, answer, self.elsewhere)
        status = 0 if fault is Fault.CLOSE else answer.status
        self.requests.append(replace(request, status=status, fault=fault))

        if self.latency:  # from when it arrived: what it takes to find and write the answer is a part of that
            _ = answer.body
            await _sleep_until(request.time + self.latency)
        await deliver(answer, fault, writer, planned.delay if planned else 0.0)

    def _answer(self, request: Request) -> Answer:
        if request.path != self.path:
            return Answer(404, "Not found")
        if request.method != "POST":
            return Answer(405, "Method not allowed", {"Allow": "POST"})
        return self.respond(request)

    def _targets(self, body: bytes) -> list[str]:
        try:
            batch = json.loads(body)
        except ValueError:
            return []
        return [self.target(entry) for entry in batch] if isinstance(batch, list) else []

    def _next_fault(self) -> _PlannedFault | None:
        with self._faults_lock:
            if not self._faults:
                return None
            return self._faults[0] if self._faults[0].lasts else self._faults.popleft()


async def _sleep_until(moment: float) -> None:
    """asyncio sleeps whole milliseconds, rounded up: the last one is spent awake."""
    await asyncio.sleep(moment - 0.001 - time.monotonic())
    while time.monotonic() < moment:
        await asyncio.sleep(0)

"""A TCP proxy that counts, delays and cuts: what lies between a machine and its server."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Self


class Proxy:
    """Listens on ``port`` and passes everything on. Use as a context manager.

    ``trips`` counts how often the client spoke after the server did: round trips. ``delay`` is for how many
    seconds each answer is held back.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self.trips = 0
        self.delay = 0.0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """End all connections."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets = []

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                speaker = ["server"]
                for name, source, sink in (("client", client, server), ("server", server, client)):
                    arguments = (name, source, sink, speaker)
                    threading.Thread(target=self._pass, args=arguments, daemon=True).start()

    def _pass(self, name: str, source: socket.socket, sink: socket.socket, speaker: list[str]) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if name == "client" and speaker[0] == "server":
                    self.trips += 1
                speaker[0] = name
                if name == "server" and self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

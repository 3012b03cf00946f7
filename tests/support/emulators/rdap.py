"""RDAP: rdap.org, which leads on to a registry, and the registry in one.

- ``GET /ip/{address}``, ``/ip/{network}/{length}``, ``/autnum/{number}``: 302 to the registry that knows, 404
  where none does.
- The registry answers ``application/rdap+json`` (RFC 9083), in ``objects`` by what was asked for.
"""

from __future__ import annotations

from typing import Any

from tests.support.emulators.base import Emulator
from tests.support.emulators.wire import Answer, Request

_REGISTRY = "/registry"


class Rdap(Emulator):
    """rdap.org; see the module for its rules."""

    path = "/"

    def __init__(self, port: int = 0) -> None:
        super().__init__(limit=None, window=60.0, latency=0.0, port=port)
        self.objects: dict[str, Any] = {}

    def respond(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(405, "Method not allowed")
        asked = request.path.removeprefix(_REGISTRY).removeprefix("/")
        if asked not in self.objects:
            return Answer(404, {"errorCode": 404, "title": "not found"})
        if not request.path.startswith(_REGISTRY):
            return Answer(302, "", {"Location": f"{self.origin}{_REGISTRY}/{asked}"})
        return Answer(200, self.objects[asked])

    def _answer(self, request: Request) -> Answer:
        return self.respond(request)


def network(first: str, last: str, *, holder: str, abuse: str) -> dict[str, Any]:
    """A network as ARIN has it: the contact for complaints is inside of the holder."""
    contact = {
        "objectClassName": "entity",
        "roles": ["abuse"],
        "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["email", {"type": "work"}, "text", abuse]]],
    }
    owner = {
        "objectClassName": "entity",
        "roles": ["registrant"],
        "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", holder]]],
        "entities": [contact],
    }
    return {
        "objectClassName": "ip network",
        "startAddress": first,
        "endAddress": last,
        "name": "EXAMPLE-NET",
        "country": "US",
        "port43": "whois.example.net",
        "entities": [owner],
    }

"""What goes wrong on the Internet, on demand.

A fault strikes a request that would have been answered with 200. A refusal (403, 422, 429) stays a
refusal and uses up no fault: a broken service is still one that counts.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.emulators.wire import Answer

MEGABYTE = 1_000_000
DRIP_INTERVAL = 0.2
"""Seconds between two bytes of Fault.SLOW_DRIP."""


class Fault(Enum):
    """Each member's text says what the client gets."""

    # On the way: the answer is right, but it does not arrive as it should.
    DELAY = "the answer, after `delay` seconds"
    RESET = "a connection reset (RST) in the midst of the body"
    CLOSE = "a closed connection, without a byte"
    TRUNCATED = "half of the body that Content-Length announces, then the end"
    ENDLESS = "a body in chunks that has no end"
    SLOW_DRIP = "the head at once, the body a byte every 0.2 s"

    # Another body with status 200.
    EMPTY = "no body"
    GARBAGE = "a page of HTML that is called JSON"
    WRONG_SHAPE = "JSON, but an object where an array belongs, or a number where an object belongs"
    OVERSIZED = "10 MB of JSON: the answer again and again"
    DEEP = "100,000 nested arrays"
    HUGE_NUMBER = "a number of 5,000 digits, more than Python turns into an int"
    GZIP_BOMB = "10 KB of gzip that nobody asked for and that become 10 MB"
    NOT_UTF8 = "organisations that are not UTF-8"

    # The right body, but for the items in it. Addresses and `status` stay, unless it says so.
    WRONG_TYPES = "numbers and lists for texts, texts for numbers; for the address, too, in every second item"
    HUGE_VALUES = "organisation names of 1 MB in the first item"
    CONTROL_CHARACTERS = "escape sequences and such in every text; '<script>' as country code"
    TOO_FEW = "only every second item, the first one missing"
    WRONG_ADDRESS = "items that say they are about 9.9.9.9"

    # Another status.
    SERVER_ERROR = "500"
    UNAVAILABLE = "503 with Retry-After: 1"
    TOO_MANY = "429 with Retry-After: 1"
    REDIRECT = "302 to `elsewhere`"


Item = dict[str, Any]

ECHO = {"query", "ip"}
"""Where an item names the address it is about."""
ORGANISATIONS = {"isp", "org", "as", "asname", "organization", "as_name"}
"""Where the name of an organisation is, with any of the services."""
CONTROLS = "\x1b[2J\x1b]0;pwned\x07\u202e\r\n\t\x00\x9b31m\u2028{}\u2066\x7f"


def spoil(fault: Fault, answer: Answer, elsewhere: str) -> Answer:
    """What is sent instead of the right answer; ``elsewhere`` is where a redirect points to."""
    genuine = answer.body
    changed = _BODIES.get(fault)
    if changed is not None:
        return replace(answer, content=changed(genuine))
    match fault:
        case Fault.WRONG_SHAPE:
            return replace(answer, content={"a": 1} if isinstance(answer.content, list) else 42)
        case Fault.WRONG_TYPES:
            return replace(answer, content=_change_items(answer.content, _mistype))
        case Fault.HUGE_VALUES:
            return replace(answer, content=_change_items(answer.content, _inflate))
        case Fault.CONTROL_CHARACTERS:
            return replace(answer, content=_change_items(answer.content, _add_controls))
        case Fault.NOT_UTF8:
            return replace(answer, content=_change_items(answer.content, _break_utf8))
        case Fault.WRONG_ADDRESS:
            return replace(answer, content=_change_items(answer.content, _misname))
        case Fault.TOO_FEW:
            return replace(answer, content=_every_second(answer.content))
        case Fault.GZIP_BOMB:
            bomb = gzip.compress(genuine + b" " * 10 * MEGABYTE)
            return replace(answer, content=bomb, headers={**answer.headers, "Content-Encoding": "gzip"})
        # What stands in front of a service answers these, and knows nothing of its headers.
        case Fault.SERVER_ERROR:
            return replace(answer, status=500, content="Internal Server Error", headers={})
        case Fault.UNAVAILABLE:
            return replace(answer, status=503, content="Unavailable", headers={"Retry-After": "1"})
        case Fault.TOO_MANY:
            return replace(answer, status=429, content="Too many requests", headers={"Retry-After": "1"})
        case Fault.REDIRECT:
            return replace(answer, status=302, content="Found", headers={"Location": elsewhere})
        case _:
            return answer


def _oversized(genuine: bytes) -> bytes:
    """Valid JSON, whether array or object: an object may name a key twice."""
    inner = genuine[1:-1] or b" "
    return genuine[:1] + b",".join([inner] * (10 * MEGABYTE // len(inner) + 1)) + genuine[-1:]


_BODIES: dict[Fault, Callable[[bytes], bytes]] = {
    Fault.EMPTY: lambda _: b"",
    Fault.GARBAGE: lambda _: b"<!doctype html><title>Be right back</title>",
    Fault.DEEP: lambda _: b"[" * 100_000 + b"]" * 100_000,
    Fault.HUGE_NUMBER: lambda _: b'[{"number": ' + b"9" * 5_000 + b"}]",
    Fault.OVERSIZED: _oversized,
}


def _change_items(content: Any, change: Callable[[int, Item], Item]) -> Any:
    """The same array or object of items, each changed, given its position."""
    if isinstance(content, dict):
        return {key: change(i, item) for i, (key, item) in enumerate(content.items())}
    return [change(i, item) for i, item in enumerate(content)]


def _every_second(content: Any) -> Any:
    if isinstance(content, dict):
        return dict(list(content.items())[1::2])
    return content[1::2]


def _change_texts(item: Item, change: Callable[[str, str], Any]) -> Item:
    """The item with its texts changed, given name and value; inner objects, too."""
    changed = {}
    for name, value in item.items():
        if isinstance(value, dict):
            changed[name] = _change_texts(value, change)
        elif isinstance(value, str) and name not in {*ECHO, "status"}:
            changed[name] = change(name, value)
        else:
            changed[name] = value
    return changed


def _mistype(position: int, item: Item) -> Item:
    wrong_for_text: tuple[Any, ...] = (42, ["text", ["text"]], {"text": []}, True, None, -1e300)
    return {
        name: value
        if name == "status" or (name in ECHO and position % 2 == 0)
        else (wrong_for_text[i % len(wrong_for_text)] if isinstance(value, str) else _mistyped(value))
        for i, (name, value) in enumerate(item.items())
    }


def _mistyped(value: Any) -> Any:
    """For what is no text: its values as texts, and a list around what had values."""
    if isinstance(value, dict):
        return [{name: f"not {inner}" for name, inner in value.items()}]
    return f"not {value}"


def _inflate(position: int, item: Item) -> Item:
    if position > 0:
        return item
    return _change_texts(item, lambda name, value: value + "x" * MEGABYTE if name in ORGANISATIONS else value)


def _add_controls(_position: int, item: Item) -> Item:
    def change(_name: str, value: str) -> str:
        is_country_code = re.fullmatch("[A-Z]{2}", value)
        return "<script>" if is_country_code else CONTROLS.replace("{}", value)

    return _change_texts(item, change)


def _break_utf8(_position: int, item: Item) -> Item:
    return _change_texts(item, lambda name, value: value + "\udcff\udce9" if name in ORGANISATIONS else value)


def _misname(_position: int, item: Item) -> Item:
    return {name: "9.9.9.9" if name in ECHO else value for name, value in item.items()}


async def deliver(answer: Answer, fault: Fault | None, writer: asyncio.StreamWriter, delay: float) -> None:
    """Send an answer as the fault has it, and close the connection if that is part of it."""
    body = answer.body
    half = answer.head(length=len(body)) + body[: len(body) // 2]
    match fault:
        case Fault.CLOSE:
            writer.close()
        case Fault.TRUNCATED:
            writer.write(half)
            writer.close()
        case Fault.RESET:
            writer.write(half)
            # To close a socket that lingers for 0 seconds sends RST instead of FIN.
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case Fault.ENDLESS:
            await _send_for_ever(answer, writer)
        case Fault.SLOW_DRIP:
            writer.write(answer.head(length=len(body)))
            for byte in body:
                await asyncio.sleep(DRIP_INTERVAL)
                writer.write(bytes([byte]))
                await writer.drain()
        case _:
            if fault is Fault.DELAY:
                await asyncio.sleep(delay)
            writer.write(answer.encode())
            await writer.drain()


async def _send_for_ever(answer: Answer, writer: asyncio.StreamWriter) -> None:
    """The answer's items again and again, until the client has had enough."""
    body = answer.body
    chunk = body[1:-1] + b","
    chunk *= 64_000 // len(chunk) + 1
    writer.write(answer.head(length=None) + b"1\r\n" + body[:1] + b"\r\n")
    while True:
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
        # Without a pause a fast reader would have the server for itself.
        await asyncio.sleep(0.001)

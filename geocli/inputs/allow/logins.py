"""Successful logins in logs: who got in once must not be locked out.

Only lines that a program writes after a login count, and only where it writes the address itself: what a
stranger may choose (a user's name, a host's) stands before something that ends it, and all is on one line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.allow.spared import Spared, spared
from geocli.inputs.stream import pieces
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geocli.inputs.stream import Stream
    from geocli.model.errors import Problems

_QUOTED = re.compile(rb'\]: |[<"=]')
"""In front of a login's line only where it is not one: what somebody called himself is in another's line."""

_ADDRESS = rb"([0-9A-Fa-f]{1,4}[0-9A-Fa-f.:]{3,44})"
LOGINS = {
    "sshd": (
        b"Accepted ",
        rb"sshd(?:-session)?(?:\[\d{1,10}\])?: Accepted \S+ for \S+ from %s port \d+(?: ssh2.*)?$",
    ),
    "dovecot": (
        b"Login: user=",
        rb"-login: (?:Info: )?Login: user=<[^<>\n]*>, [^<>\n]*\brip=%s,",
    ),
    "postfix": (
        b"sasl_method=",
        rb"postfix/[a-z/]{0,64}smtpd\[\d+\]: \w+: client=[^ \[\n]*\[%s\], sasl_method=\S+",
    ),
    "vsftpd": (
        b"OK LOGIN",
        rb'\[[^\]\n]{0,64}\] OK LOGIN: Client "(?:::ffff:)?%s"',
    ),
    "proftpd": (
        b"Login successful",
        rb"proftpd\[\d+\][^\[\n]*\[(?:::ffff:)?%s\]\)[: -]+USER \S+: Login successful",
    ),
    "openvpn": (
        b"Connection Initiated",
        rb"(?:[\w-]{0,64}\[\d+\]: )?[0-9A-Fa-f.:]{3,45}:\d+ \[[^\]\n]{0,256}\] Peer Connection .*\]%s:\d+$",
    ),
}
"""The programs whose logins are understood: what is in the line that each writes, and the line."""


def logins(streams: Iterable[Stream], problems: Problems) -> list[Spared]:
    """Who logged in, each once. What cannot be read to its end is noted."""
    patterns = {
        name: (sign, re.compile(rb"(?m)" + line.replace(b"%s", _ADDRESS)))
        for name, (sign, line) in LOGINS.items()
    }
    found: dict[Spared, None] = {}
    for stream in streams:
        try:
            for piece in pieces(stream.chunks()):
                for name, (sign, pattern) in patterns.items():
                    if sign in piece.text:
                        found.update(dict.fromkeys(spared(_found(pattern, piece.text), f"a login ({name})")))
        except UsageError as error:
            problems.note(error)
    return [*found]


def _found(pattern: re.Pattern[bytes], text: bytes) -> Iterator[str]:
    text = text.replace(b"\r\n", b"\n")
    for match in pattern.finditer(text):
        head = text[text.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if not _QUOTED.search(head):
            yield match[1].decode()

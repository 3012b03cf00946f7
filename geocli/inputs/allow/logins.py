"""Successful logins in logs: who got in once must not be locked out.

Only lines that a program writes after a login count, and only where it writes the address itself: what a
stranger may choose (a user's name, a host's) stands behind something that ends it.
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

_ADDRESS = rb"([0-9A-Fa-f]{1,4}[0-9A-Fa-f.:]{3,44})"
LOGINS = {
    "sshd": rb"sshd(?:-session)?(?:\[\d+\])?: Accepted \S+ for \S+ from %s port \d+(?: ssh2.*)?$",
    "dovecot": rb"-login: (?:Info: )?Login: user=<[^<>]*>, [^<>]*\brip=%s,",
    "postfix": rb"postfix/[a-z/]*smtpd\[\d+\]: [0-9A-Za-z]+: client=[^ \[]*\[%s\], sasl_method=\S+",
    "vsftpd": rb'\[[^\]]*\] OK LOGIN: Client "(?:::ffff:)?%s"',
    "proftpd": rb"proftpd\[\d+\][^\[]*\[(?:::ffff:)?%s\]\)[:\s-]+USER \S+: Login successful",
    "openvpn": rb"Peer Connection Initiated with \[AF_INET6?\]%s:\d+$",
}
"""The programs whose logins are understood, and the line that each writes."""


def logins(streams: Iterable[Stream], problems: Problems) -> list[Spared]:
    """Who logged in, each once. What cannot be read to its end is noted."""
    patterns = {name: re.compile(rb"(?m)" + line.replace(b"%s", _ADDRESS)) for name, line in LOGINS.items()}
    found: dict[Spared, None] = {}
    for stream in streams:
        try:
            for piece in pieces(stream.chunks()):
                for name, pattern in patterns.items():
                    found.update(dict.fromkeys(spared(_found(pattern, piece.text), f"a login ({name})")))
        except UsageError as error:
            problems.note(error)
    return [*found]


def _found(pattern: re.Pattern[bytes], text: bytes) -> Iterator[str]:
    for match in pattern.finditer(text.replace(b"\r\n", b"\n")):
        yield match[1].decode()

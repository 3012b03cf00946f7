"""``hosts.deny`` of TCP wrappers: ``DAEMONS : CLIENTS [: OPTION...]``, see hosts_access(5).

``ALL: 192.0.2.1``, ``sshd: 45.148.10.`` (all that begins like this: 45.148.10.0/24), ``ALL: [2001:db8::]/32``
and ``sshd, vsftpd: 192.0.2.0/255.255.255.0``. Names of hosts and patterns of names are no addresses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.ban_ranges import banned_targets, prefix_network
from geocli.inputs.ban_reader import LineReader
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally

_DAEMON = rb"[A-Za-z][\w.-]{0,30}(?:@[\w.:-]{1,60})?"  # ALL too, and in one way only
_V4 = rb"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}\.|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9.]{1,15})?"
_V6 = rb"\[[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?\](?:/[0-9]{1,3})?"
_CLIENT = (
    rb"(?:"
    + _V4
    + rb"|"
    + _V6
    + rb"|ALL|LOCAL|KNOWN|UNKNOWN|PARANOID|EXCEPT|\.?[a-z][\w.-]{0,254}|/[\w./-]{1,255})"
)
_LINE = re.compile(
    _DAEMON + rb"(?:[ \t,]{1,9}" + _DAEMON + rb"){0,20}[ \t]{0,9}:[ \t]{0,9}"
    rb"(" + _CLIENT + rb"(?:[ \t,]{1,9}" + _CLIENT + rb"){0,4000})[ \t]{0,9}(:[^\n]*)?\s*\Z"
)  # fmt: skip
_ADDRESS = re.compile(rb"(?:" + _V4 + rb"|" + _V6 + rb")\Z")
_ALLOWS = re.compile(rb":[ \t]*allow\b", re.IGNORECASE)


def sniff(line: bytes) -> bool:
    """Whether it is a line of such a file, with an address in it."""
    match = _LINE.match(line)
    return match is not None and any(_ADDRESS.match(word) for word in _words(match[1]))


def read(reading: Reading, tally: Tally) -> HostsReader:
    """Return what reads such lines."""
    return HostsReader(reading, tally)


class HostsReader(LineReader):
    """The clients, line by line."""

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the bans in a line."""
        match = _LINE.match(line)
        if match is None:
            return [] if line.startswith(b"#") else None
        self.tally.answers += 1
        if match[2] and _ALLOWS.match(match[2]):
            return []
        bans = []
        for word in _words(match[1]):
            if word == b"EXCEPT":
                break
            text = word.decode().replace("[", "").replace("]", "")
            network = prefix_network(text) if text.endswith(".") else None
            bans += [Ban(None, target) for target in ([network] if network else banned_targets(text))]
        return bans


def _words(clients: bytes) -> list[bytes]:
    return clients.replace(b",", b" ").split()

"""Whom a running fail2ban ignores: ``ignoreip`` of each jail, through its own client.

``get JAIL ignoreip`` prints ``No IP address/network is ignored``, or a line of words and a tree, as
``status JAIL`` does: ``|- 127.0.0.1`` and, last, ```- 192.0.2.0/24``. An entry may be the name of a host.
"""

from __future__ import annotations

import re
import socket as sockets
from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.fail2ban.client import ask_every_jail
from geocli.model.addresses import parse_target
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY = re.compile(r"(?m)^[|`]- +(\S+)$")


class Ignored(NamedTuple):
    """An entry of ``ignoreip`` and the jail that has it: canonical addresses and networks.

    Of the name of a host these are its addresses, as the resolver of this machine has them, perhaps none.
    """

    jail: str
    entry: str
    targets: tuple[str, ...]


def ask_ignored(program: str | None, socket: Path | None) -> list[Ignored]:
    """What all jails ignore. Raises ``UsageError`` and ``TryAgainError``."""
    known: dict[str, tuple[str, ...]] = {}
    found = []
    for jail, text in ask_every_jail(program, socket, "ignoreip"):
        for entry in _ENTRY.findall(text):
            if entry not in known:
                known[entry] = _targets(entry)
            found.append(Ignored(clean_text(jail), clean_text(entry), known[entry]))
    return found


def _targets(entry: str) -> tuple[str, ...]:
    try:
        return (parse_target(entry),)
    except ValueError:
        pass
    try:
        answers = sockets.getaddrinfo(entry, None, type=sockets.SOCK_STREAM)
        return tuple(dict.fromkeys(parse_target(str(answer[4][0])) for answer in answers))
    except (OSError, ValueError):  # UnicodeError, of a name that cannot be one, is a ValueError
        return ()

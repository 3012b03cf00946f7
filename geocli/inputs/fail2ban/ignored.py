"""Whom a running fail2ban ignores: ``ignoreip`` of each jail, through its own client.

``get JAIL ignoreip`` is ``No IP address/network is ignored``, or a line of words and a tree, as
``status JAIL`` is: ``|- 127.0.0.1`` and, last, ```- 192.0.2.0/24``. An entry may be a host's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.inputs.fail2ban.client import ask_jails, ask_text
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY = re.compile(r"(?m)^[|`]- +(\S+)$")


class Ignored(NamedTuple):
    """An entry of ``ignoreip``: an address, a network or the name of a host, and the jail that has it."""

    jail: str
    entry: str


def ask_ignored(program: str | None, socket: Path | None) -> list[Ignored]:
    """What all jails ignore. Raises ``UsageError`` and ``TryAgainError``."""
    return [
        Ignored(clean_text(jail), clean_text(entry))
        for jail in ask_jails(program, socket)
        for entry in _ENTRY.findall(ask_text(program, socket, "get", jail, "ignoreip"))
    ]

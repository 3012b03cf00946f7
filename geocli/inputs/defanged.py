"""Defanged addresses: made harmless, as reports of threats write them (``1[.]2[.]3[.]4``).

In the place of a full stop, or of a colon, stands something that no program follows as a link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.model.addresses import OCTET

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN = re.compile(rb"[.:][\])}]|[\[(](?i:dot)[\])]|[0-9]\\\.[0-9]|\[\.[0-9]")
"""What a line has in it when it may hold a defanged address."""

_STOP = rb"(?:\.|\[\.\]?|\.\]|\(\.\)|\{\.\}|\\\.|\[(?i:dot)\]|\((?i:dot)\))"
_COLONS = rb"(?:\[::?\]|:)"
_V4 = re.compile(
    rb"(?s)(?<![0-9A-Za-z_.%])(?<![0-9A-Za-z_]-)(?<!\.[\])}])(?<!(?i:dot)[\])])(?<![0-9A-Za-z_]\[\.)"
    + _STOP.join([rb"(" + OCTET + rb")"] * 4)
    + rb"(?![0-9A-Za-z_])(?!-[0-9A-Za-z_])(?!"
    + _STOP
    + rb"[0-9A-Za-z_])"
)
_V6 = re.compile(
    rb"(?s)(?<![0-9A-Za-z_.%:])(?<!:\])"
    rb"(?>[0-9A-Fa-f]{0,4}(?:" + _COLONS + rb"[0-9A-Fa-f]{0,4}){2,8})(?![0-9A-Za-z_\[:])"
)


def find_defanged(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where a defanged address begins and ends, and what it says; that may be no address of IPv6."""
    if not SIGN.search(text):
        return
    for match in _V4.finditer(text):
        address = b".".join(match.groups())
        if address != match[0]:
            yield match.start(), match.end(), address
    for match in _V6.finditer(text) if b"[:" in text else ():
        if b"[" in match[0]:
            yield match.start(), match.end(), match[0].replace(b"[", b"").replace(b"]", b"")

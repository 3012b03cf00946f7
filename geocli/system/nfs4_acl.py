"""Access control lists of NFSv4, as Linux shows those of a server: in the attribute ``system.nfs4_acl``.

They are in XDR, in the order of the network: how many entries there are, and of each its type, flags, mask,
and who is meant, a text with its length before it, filled up to four bytes (RFC 7530, section 6.2; ``fs/nfs``
in Linux hands them on as they come). The mode of a directory need not show what they allow.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER, GROUP, EVERYONE = "OWNER@", "GROUP@", "EVERYONE@"

_ALLOW, _DENY = 0, 1
_INHERIT_ONLY, _IS_GROUP = 0x08, 0x40
# Add a file, or a directory; remove what is inside; change the list, or the owner.
_WRITES = 0x02 | 0x04 | 0x40 | 0x40000 | 0x80000


class Writer(NamedTuple):
    """Who may write: ``OWNER@`` and the like, or ``name@domain``, or a number in digits."""

    who: str
    is_group: bool

    @property
    def name(self) -> str:
        """The name without its domain."""
        return self.who.partition("@")[0]


def writers(acl: bytes) -> Iterator[Writer]:
    """Yield who may write in a directory, or write a file, whose list this is. Raises ``ValueError``."""
    denied: dict[Writer, int] = {}
    everyone = 0
    for kind, flags, mask, who in _entries(acl):
        if flags & _INHERIT_ONLY or kind not in {_ALLOW, _DENY}:
            continue
        writer = Writer(who, bool(flags & _IS_GROUP) or who == GROUP)
        if kind == _DENY:
            denied[writer] = denied.get(writer, 0) | mask
            everyone |= mask if who == EVERYONE else 0
        elif mask & _WRITES & ~(denied.get(writer, 0) | everyone):
            yield writer


def _entries(acl: bytes) -> Iterator[tuple[int, int, int, str]]:
    try:
        (count,) = struct.unpack_from(">I", acl)
        at = 4
        for _ in range(count):
            kind, flags, mask, length = struct.unpack_from(">4I", acl, at)
            at += 16
            who = acl[at : at + length]
            if len(who) < length:
                raise ValueError("a list of NFSv4 is cut short")
            yield kind, flags, mask, who.decode("utf-8", "replace")
            at += length + -length % 4
    except struct.error:
        raise ValueError("a list of NFSv4 is cut short") from None

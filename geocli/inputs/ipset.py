"""ipset: ``ipset list`` and ``ipset save``: the members of sets of addresses, with the seconds that are left.

``f2b-sshd`` is fail2ban's set of the jail sshd. Sets of ports and the like have no addresses; sets whose
names say that they let somebody in are passed over, and members that are exceptions (``nomatch``).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from geocli.inputs.ban_reader import LineReader
from geocli.inputs.nftables import bans_of, lets_in

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally
    from geocli.model.bans import Ban

_NAME = re.compile(rb"Name: (\S{1,64})\s*\Z")
_PROPERTY = re.compile(
    rb"(?:Type|Revision|Header|Size in memory|References|Number of entries|Default|Elements): ?[^\n]*\n?\Z"
)
_CREATE = re.compile(rb"(?:create|-N) (\S{1,64}) (?:bitmap|hash|list):")
_ADD = re.compile(rb"(?:add|-A) (\S{1,64}) ([0-9A-Fa-f:][^\s\"]{1,200})(?: ([^\n\"]*))?")
_MEMBER = re.compile(rb"([0-9A-Fa-f:][^\s\"]{1,200})(?: ([^\n\"]*)|\s*)")


def sniff(line: bytes) -> bool:
    """Whether a set begins, or somebody is added to one."""
    return any(form.match(line) for form in (_NAME, _CREATE, _ADD)) and not line.startswith(b"-A f2b")


def read(reading: Reading, tally: Tally) -> SetReader:
    """Return what reads such lists."""
    return SetReader(reading, tally)


class SetReader(LineReader):
    """The sets and their members, line by line."""

    _set: str | None = None
    _in_members = False

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the ban of a member."""
        if named := _NAME.match(line) or _CREATE.match(line):
            self._set, self._in_members = named[1].decode("utf-8", "replace"), False
            self.tally.answers += 1
            return []
        if added := _ADD.match(line):
            return self._bans_of(added[1].decode("utf-8", "replace"), added[2], added[3])
        if self._set is None:
            return None
        if line.startswith(b"Members:"):
            self._in_members = True
            return []
        if self._in_members and (member := _MEMBER.match(line)):
            return self._bans_of(self._set, member[1], member[2])
        if _PROPERTY.match(line) or not line.strip():
            return []
        return None

    def _bans_of(self, name: str, member: bytes, options: bytes | None) -> list[Ban]:
        words = (options or b"").decode("utf-8", "replace").split()
        if lets_in(name) or "nomatch" in words:
            return []
        told = dict(pairwise(words))
        left = told.get("timeout", "")[:12]
        # "timeout 0" is for ever. What the whole timeout was, a member does not tell.
        seconds = float(left) if left.isascii() and left.isdigit() and int(left) else None
        return bans_of(member.decode("utf-8", "replace").partition(",")[0], name, self.now, None, seconds)

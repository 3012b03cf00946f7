"""firewalld: rich rules that drop or reject: ``firewall-cmd --list-rich-rules``, ``--list-all``.

``rule family="ipv4" source address="192.0.2.1" port port="22" protocol="tcp" reject type="..."``
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geocli.inputs.ban_ranges import banned_targets
from geocli.inputs.ban_reader import LineReader
from geocli.model.bans import Ban

if TYPE_CHECKING:
    from geocli.inputs.ban_reader import Reading, Tally

_RULE = re.compile(
    rb"\s*+(?:rich rules: ?)?rule (?:priority=[\"']-?[0-9]{1,6}[\"'] )?family=[\"']ipv[46][\"']([^\n]*)"
)
_SOURCE = re.compile(rb" source address=[\"']([0-9A-Fa-f:./]{2,64})[\"']")
_REFUSES = re.compile(rb" (?:reject|drop)\b")


def sniff(line: bytes) -> bool:
    """Whether it is a rich rule."""
    return _RULE.match(line) is not None


def read(reading: Reading, tally: Tally) -> RichRulesReader:
    """Return what reads such rules."""
    return RichRulesReader(reading, tally)


class RichRulesReader(LineReader):
    """The rules, line by line."""

    def bans_in(self, line: bytes) -> list[Ban] | None:
        """Return the ban of a rule."""
        rule = _RULE.match(line)
        if rule is None:
            return None
        self.tally.answers += 1
        source = _SOURCE.search(rule[1])
        if source is None or _REFUSES.search(rule[1]) is None:
            return []
        return [Ban(None, target) for target in banned_targets(source[1].decode())]

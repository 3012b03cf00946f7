"""Commands for a running fail2ban: a jail of its own bans the networks, and forgets those of last time.

The jail is the admin's to make, because what it does with a ban is. In ``jail.local``::

    [geocli-advice]
    enabled = true
    filter =
    logpath = /dev/null
    backend = polling
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from geocli.output.rules.base import NAME, RuleFormat, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_ONCE = 50  # networks in a command
_FOR_GOOD = -1


def _render(rules: RuleSet) -> Iterator[str]:
    yield "set -e"
    yield f"client=${{FAIL2BAN_CLIENT:-fail2ban-client}} jail=${{1:-{rules.name}}}"
    yield 'ask() { $client -q "$@" > /dev/null; }'
    yield 'ask reload --unban "$jail"'
    yield f'ask set "$jail" bantime {rules.seconds or _FOR_GOOD}'
    left = iter(rules.rules)
    while part := list(islice(left, _AT_ONCE)):
        yield f'ask set "$jail" banip {" ".join(rule.network for rule in part)}'


FORMAT = RuleFormat(
    _render,
    load="sh FILE [JAIL]",
    hook=f"jail.local: [{NAME}] with enabled = true, filter =, logpath = /dev/null, backend = polling",
    remove=f"fail2ban-client reload --unban {NAME}",
    shebang="#!/bin/sh",
)

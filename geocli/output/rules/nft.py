"""Rules for ``nft -f``: a table of its own with two sets, replaced in one transaction.

Looked at before addresses are translated for containers, so that these are covered too. Text behind ``#``
is a comment (nft(8), "Lexical conventions").
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from geocli.output.rules.base import NAME_OF_TABLE, Rule, RuleFormat, RuleSet, comment

if TYPE_CHECKING:
    from collections.abc import Iterator


def _render(rules: RuleSet) -> Iterator[str]:
    # Deleting what is not there is an error; so it is made first. All of a file is one transaction.
    yield f"add table inet {rules.table}"
    yield f"delete table inet {rules.table}"
    yield f"table inet {rules.table} {{"
    yield from _set("banned4", "ipv4_addr", rules.v4, rules.seconds)
    yield from _set("banned6", "ipv6_addr", rules.v6, rules.seconds)
    yield "  chain arriving {"
    yield "    type filter hook prerouting priority mangle; policy accept;"
    yield "    ct state established,related accept"
    yield "    ip saddr @banned4 counter drop"
    yield "    ip6 saddr @banned6 counter drop"
    yield "  }"
    yield "}"


def _set(name: str, kind: str, rules: Iterator[Rule], seconds: int | None) -> Iterator[str]:
    yield f"  set {name} {{"
    yield f"    type {kind}"
    yield f"    flags interval{', timeout' if seconds else ''}"
    if (first := next(rules, None)) is not None:  # an empty list is an error
        timeout = f" timeout {seconds}s" if seconds else ""
        yield "    elements = {"
        for rule in chain([first], rules):
            yield f"      {rule.network}{timeout},{'  # ' + comment(rule.note) if rule.note else ''}"
        yield "    }"
    yield "  }"


FORMAT = RuleFormat(
    _render,
    load="nft -f FILE",
    remove=f"nft delete table inet {NAME_OF_TABLE}",
    shebang="#!/usr/sbin/nft -f",
)

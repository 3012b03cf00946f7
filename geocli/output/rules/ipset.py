"""Rules for ``ipset restore``: a set for IPv4 and one for IPv6, each swapped for the old one at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.rules.base import NAME, RuleFormat, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 2_147_483
"""The longest timeout of an entry in seconds (ipset(8)): 24 days."""


def _render(rules: RuleSet) -> Iterator[str]:
    for version, family, chosen in (("4", "inet", rules.v4), ("6", "inet6", rules.v6)):
        name = f"{rules.name}{version}"
        # The options never change: "create -exist" takes a set that is there only if they are the same.
        options = f"hash:net family {family} maxelem {rules.most} timeout 0"
        yield f"create {name} {options} -exist"
        yield f"create {name}-new {options} -exist"
        yield f"flush {name}-new"
        timeout = f" timeout {min(rules.seconds, LONGEST)}" if rules.seconds else ""
        for rule in chosen:
            yield f"add {name}-new {rule.network}{timeout}"
        yield f"swap {name}-new {name}"
        yield f"destroy {name}-new"


def _hook(program: str, version: str) -> str:
    rule = f"PREROUTING -m conntrack --ctstate NEW -m set --match-set {NAME}{version} src -j DROP"
    return f"{program} -t mangle -C {rule} || {program} -t mangle -I {rule}"


FORMAT = RuleFormat(
    _render,
    load="ipset restore < FILE",
    hook=f"{_hook('iptables', '4')}; {_hook('ip6tables', '6')}",
    remove=f"ipset flush {NAME}4; ipset flush {NAME}6",
)

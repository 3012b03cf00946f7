"""Rules for ``iptables-restore`` and ``ip6tables-restore``: a chain of its own, replaced as a whole.

Both programs take the same file: a rule that begins with ``-4`` or ``-6`` is for one of them only, and the
other passes it over (iptables(8)). Declaring a chain empties it, in the same transaction (``--noflush``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.rules.base import NAME, RuleFormat, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUMP = f"PREROUTING -m conntrack --ctstate NEW -j {NAME}"


def _render(rules: RuleSet) -> Iterator[str]:
    yield "*mangle"
    yield f":{rules.name} - [0:0]"
    if rules.expires_at:
        yield f"-A {rules.name} -m time --datestart {rules.expires_at} -j RETURN"
    for version, chosen in (("4", rules.v4), ("6", rules.v6)):
        for rule in chosen:
            yield f"-{version} -A {rules.name} -s {rule.network} -j DROP"
    yield "COMMIT"


def _each(command: str) -> str:
    return "; ".join(command.replace("iptables", program) for program in ("iptables", "ip6tables"))


FORMAT = RuleFormat(
    _render,
    load="iptables-restore --noflush < FILE; ip6tables-restore --noflush < FILE",
    hook=_each(f"iptables -t mangle -C {_JUMP} || iptables -t mangle -I {_JUMP}"),
    remove=_each(f"iptables -t mangle -F {NAME}"),
)

"""Advice held against what came after it: which later bans its networks would have kept away.

Every later ban is one that fail2ban alone had to make, after the attempts that led to it. A rule that was
there before keeps it from happening.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.advice import advise
from geocli.bans.advice.prefix import BITS, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geocli.bans.advice.advice import Terms
    from geocli.bans.advice.allowed import AllowList
    from geocli.bans.advice.evidence import Evidence

_PLAIN = {4: 24, 6: 56}
"""What people ban who count by hand: networks of 256 addresses."""


class Outcome(NamedTuple):
    """What a way to choose rules would have done.

    ``blocked`` is the addresses (and IPv6 /64) that its rules block; ``avoided`` the later bans in them, of
    ``bans`` in all, ``newcomers`` those of their addresses that had never been banned before.
    """

    method: str
    rules: int
    blocked: int
    avoided: int
    bans: int
    newcomers: int

    @property
    def share(self) -> float:
        """How much of the later bans is avoided."""
        return self.avoided / self.bans if self.bans else 0.0


class Later:
    """Collects the bans that came after the advice."""

    def __init__(self) -> None:
        self._bans: Counter[Prefix] = Counter()

    def add(self, prefix: Prefix) -> None:
        """Count a ban."""
        self._bans[prefix] += 1

    @property
    def bans(self) -> int:
        """How many there were."""
        return self._bans.total()

    def outcome(self, method: str, rules: Sequence[Prefix], known: Mapping[Prefix, int]) -> Outcome:
        """What these rules would have done; ``known`` is what was banned before them."""
        chosen = sorted(rules)
        held = {prefix: bans for prefix, bans in self._bans.items() if _is_held(prefix, chosen)}
        newcomers = sum(prefix not in known for prefix in held)
        blocked = sum(rule.units for rule in chosen)
        return Outcome(method, len(chosen), blocked, sum(held.values()), self.bans, newcomers)


def backtest(before: Evidence, later: Later, allow: AllowList, terms: Terms) -> list[Outcome]:
    """Fail2ban alone, single addresses, plain /24, and advice, all with the same number of rules.

    The plain ones are what people would ban who look at what was banned most, without an allow list.
    """
    known = {prefix: bans for prefix, bans, _ in before.holders()}
    ways = {
        "fail2ban alone": [],
        "addresses": _most(known.items(), terms.budget),
        "plain /24": _most(((_plain(prefix), bans) for prefix, bans in known.items()), terms.budget),
        "advice": [network.prefix for network in advise(before, allow, terms).networks],
    }
    return [later.outcome(method, rules, known) for method, rules in ways.items()]


def _most(counted: Iterable[tuple[Prefix, int]], budget: int) -> list[Prefix]:
    bans: Counter[Prefix] = Counter()
    for prefix, count in counted:
        bans[prefix] += count
    return sorted(bans, key=lambda prefix: (-bans[prefix], prefix))[:budget]


def _plain(prefix: Prefix) -> Prefix:
    length = min(_PLAIN[prefix.version], prefix.length)
    size = 1 << (BITS[prefix.version] - length)
    return Prefix(prefix.version, prefix.first & -size, length)


def _is_held(prefix: Prefix, chosen: Sequence[Prefix]) -> bool:
    """Whether it is inside one of these, which are sorted and apart."""
    index = bisect_right(chosen, (prefix.version, prefix.last, BITS[prefix.version])) - 1
    if index < 0:
        return False
    rule = chosen[index]
    return rule.version == prefix.version and rule.first <= prefix.first and prefix.last <= rule.last

"""Advice held against what came after it: which later bans its networks would have kept away.

Every later ban is one that fail2ban alone had to make, after the attempts that led to it. A rule that was
there before keeps it from happening.
"""

from __future__ import annotations

from bisect import bisect_right
from heapq import nsmallest
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.advice import advise
from geocli.bans.advice.prefix import BITS, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def backtest(before: Evidence, later: Evidence, allow: AllowList, terms: Terms) -> list[Outcome]:
    """Fail2ban alone, single addresses, plain /24, and advice, all with the same number of rules.

    The plain ones are what people would ban who look at what was banned most, without an allow list. Raises
    ``GeocliError``, where the disk is full.
    """
    ways = {
        "fail2ban alone": [],
        "addresses": _most(before.counted(), terms.budget),
        "plain /24": _most(_by_plain(before.counted()), terms.budget),
        "advice": [network.prefix for network in advise(before, allow, terms).networks],
    }
    return [_outcome(method, rules, before, later) for method, rules in ways.items()]


def _outcome(method: str, rules: Iterable[Prefix], before: Evidence, later: Evidence) -> Outcome:
    """What these rules would have done to later bans; ``before`` is what was banned until then."""
    chosen = sorted(rules)
    known = (key for key, _ in before.counted())
    last = next(known, None)
    avoided = newcomers = 0
    for key, bans in later.counted() if chosen else ():
        if not _is_held(Prefix.of_key(key), chosen):
            continue
        while last is not None and last < key:
            last = next(known, None)
        avoided += bans
        newcomers += last != key
    return Outcome(
        method, len(chosen), sum(rule.units for rule in chosen), avoided, later.bans, newcomers
    )  # fmt: skip


def _most(counted: Iterable[tuple[int, int]], budget: int) -> list[Prefix]:
    """Those that were banned most."""
    return [Prefix.of_key(key) for key, _ in nsmallest(budget, counted, key=lambda item: (-item[1], item[0]))]


def _by_plain(counted: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The bans of plain networks. What is in one of them comes in a row, since all is sorted."""
    for key, parts in groupby(counted, key=lambda item: _plain(Prefix.of_key(item[0])).key):
        yield key, sum(bans for _, bans in parts)


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

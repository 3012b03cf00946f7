"""Advice: which networks to ban, so that few rules hold most bans, and nobody is locked out.

Of all sets of at most ``budget`` networks, none inside another, none larger than ``largest``, none with fewer
bans than ``min_bans``, none that holds an allowed address, it is the one with the greatest

    weight of the bans in it  -  weight of one ban x innocent addresses in it x care / ``innocents``

A ban counts one today and half a month ago; care is 1 for addresses of hosting companies, 4 for those of
access providers (``kinds``). All is arithmetic on integers; ``docs/advise.md`` says why this is the measure.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.evidence import SCALE, main_holder
from geocli.bans.advice.forest import Limits, grow, merge
from geocli.bans.advice.prefix import BITS, Prefix
from geocli.bans.advice.ration import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geocli.bans.advice.allowed import AllowList
    from geocli.bans.advice.evidence import Evidence
    from geocli.bans.advice.forest import Banned
    from geocli.bans.advice.gathered import Holder

LARGEST: Mapping[int, int] = MappingProxyType({4: 20, 6: 48})
"""The length of the largest network that is advised, by version of IP, unless somebody says another."""

_A_RULE = 256  # addresses: a /24, which is what people ban by hand

BUDGETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)
"""The steps of the curve, and what a budget is compared with."""


class Terms(NamedTuple):
    """What is asked for.

    ``budget`` is the most rules, ``innocents`` how many innocent addresses one ban of today outweighs,
    ``max_blocked`` the most addresses (or IPv6 /64) that all networks together may have; ``None``: as many as
    a /24 for each rule.
    """

    budget: int = 100
    largest: Mapping[int, int] = LARGEST
    min_bans: int = 2
    innocents: int = 256
    max_blocked: int | None = None

    @property
    def most(self) -> int:
        """How many addresses may be blocked."""
        return _A_RULE * self.budget if self.max_blocked is None else self.max_blocked


class Advised(NamedTuple):
    """A network to ban: its banned addresses, their bans, and who holds most of it."""

    prefix: Prefix
    addresses: int
    bans: int
    holder: Holder

    @property
    def density(self) -> float:
        """How much of it was banned."""
        return self.addresses / self.prefix.units


class LeftOut(NamedTuple):
    """A network that would be advised, if it did not hold somebody who is allowed."""

    prefix: Prefix
    addresses: int
    bans: int
    why: tuple[str, ...]


class Advice(NamedTuple):
    """Networks in the order of their bans; what all of the evidence was; and what other budgets hold.

    ``curve`` has the bans that the best so many rules hold. ``bound`` is how much of the best possible worth
    the choice is sure to have; 1 where it is the best.
    """

    networks: Sequence[Advised]
    left_out: Sequence[LeftOut]
    addresses: int
    bans: int
    curve: Mapping[int, int]
    bound: float

    @property
    def held(self) -> int:
        """The bans that it holds."""
        return sum(network.bans for network in self.networks)

    @property
    def blocked(self) -> int:
        """The addresses, and IPv6 /64, that it blocks."""
        return sum(network.prefix.units for network in self.networks)


def advise(evidence: Evidence, allow: AllowList, terms: Terms, budgets: Sequence[int] = ()) -> Advice:
    """The best advice, in the terms of this module's first words; ``budgets`` are those of the curve.

    Raises ``GeocliError``, where the disk is full.
    """
    addresses = 0
    is_refused = False
    directory = evidence.gathered.directory

    def is_free(prefix: Prefix) -> bool:
        nonlocal is_refused
        free = allow.is_free(prefix)
        if not free:
            is_refused = True
        return free

    def banned() -> Iterator[Banned]:
        nonlocal addresses
        addresses = 0
        for item in merge(evidence.banned()):
            addresses += 1
            if item.prefix.length >= terms.largest[item.prefix.version]:
                yield item

    price = max(1, SCALE // terms.innocents)
    limits = Limits(terms.largest, terms.min_bans, price, is_free)
    forest = grow(banned(), limits, directory)
    chosen = within(forest, terms.largest, terms.budget, terms.most, price)
    left_out: list[LeftOut] = []
    if is_refused:
        with_all = grow(banned(), limits._replace(is_free=lambda _: True), directory)
        wanted = within(with_all, terms.largest, terms.budget, terms.most, price)
        left_out = [
            LeftOut(c.prefix, c.units, c.bans, allow.reasons(c.prefix))
            for c in wanted.networks
            if not allow.is_free(c.prefix)
        ]
    holders = _holders_of([candidate.prefix for candidate in chosen.networks], evidence)
    networks = [Advised(c.prefix, c.units, c.bans, holders[c.prefix]) for c in chosen.networks]
    return Advice(
        sorted(networks, key=lambda network: (-network.bans, network.prefix)),
        sorted(left_out, key=lambda network: (-network.bans, network.prefix)),
        addresses,
        evidence.bans,
        {
            budget: chosen.bans
            if budget == terms.budget
            else within(forest, terms.largest, budget, terms.most * budget // terms.budget, price).bans
            for budget in budgets
        },
        chosen.worth / chosen.bound if chosen.bound else 1.0,
    )


def budgets_beside(budget: int) -> list[int]:
    """Round budgets from 1 on to twice as many or more, and this one."""
    larger = next((step for step in BUDGETS if step >= 2 * budget), BUDGETS[-1])
    return sorted({budget, *(step for step in BUDGETS if step <= larger)})


def _holders_of(prefixes: Iterable[Prefix], evidence: Evidence) -> dict[Prefix, Holder]:
    """Who holds most of each of these networks, which are apart."""
    found: dict[Prefix, Holder] = {}
    banned = evidence.holders()
    item = next(banned, None)
    for prefix in sorted(prefixes):
        begin, end = (
            prefix._replace(length=0).key,
            Prefix(prefix.version, prefix.last, BITS[prefix.version]).key,
        )
        # A banned network that is wider begins before it: only what is inside counts here.
        while item is not None and item[0] < begin:
            item = next(banned, None)
        parts: Counter[Holder] = Counter()
        while item is not None and item[0] <= end:
            parts[item[2]] += item[1]
            item = next(banned, None)
        found[prefix] = main_holder((bans, holder) for holder, bans in parts.items())
    return found

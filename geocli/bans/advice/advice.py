"""Advice: which networks to ban, so that few rules hold most bans, and nobody is locked out.

Of all sets of at most ``budget`` networks, none inside another, none larger than ``largest``, none with fewer
bans than ``min_bans``, none that holds an allowed address, it is the one with the greatest

    weight of the bans in it  -  weight of one ban x innocent addresses in it x care / ``innocents``

A ban counts one today and half a month ago; care is 1 for addresses of hosting companies, 4 for those of
access providers (``kinds``). All is arithmetic on integers; ``docs/advise.md`` says why this is the measure.
"""

from __future__ import annotations

from bisect import bisect_left
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.choice import Chooser, Price
from geocli.bans.advice.evidence import SCALE, Holder, main_holder
from geocli.bans.advice.forest import Limits, grow, merge
from geocli.bans.advice.prefix import BITS, Prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geocli.bans.advice.allowed import AllowList
    from geocli.bans.advice.choice import Choice
    from geocli.bans.advice.evidence import Evidence
    from geocli.bans.advice.forest import Forest

LARGEST: Mapping[int, int] = MappingProxyType({4: 20, 6: 48})
"""The length of the largest network that is advised, by version of IP, unless somebody says another."""

BUDGETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""The steps of the curve, and what a budget is compared with."""


class Terms(NamedTuple):
    """What is asked for.

    ``budget`` is the most rules, ``innocents`` how many innocent addresses one ban of today outweighs,
    ``max_blocked`` the most addresses (or IPv6 /64) that all networks together may have.
    """

    budget: int = 100
    largest: Mapping[int, int] = LARGEST
    min_bans: int = 2
    innocents: int = 64
    max_blocked: int | None = None


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
    """The best advice, in the terms of this module's first words; ``budgets`` are those of the curve."""
    everything = merge(evidence.banned())
    banned = [item for item in everything if item.prefix.length >= terms.largest[item.prefix.version]]
    refused: list[Prefix] = []

    def is_free(prefix: Prefix) -> bool:
        free = allow.is_free(prefix)
        if not free:
            refused.append(prefix)
        return free

    price = max(1, SCALE // terms.innocents)

    def grown(largest: Mapping[int, int]) -> Forest:
        return grow(banned, Limits(largest, terms.min_bans, price, is_free))

    most = max(terms.budget, *budgets, 1)
    chooser, chosen = _within(grown, terms, price, most)
    left_out: list[LeftOut] = []
    if refused:
        free = Limits(terms.largest, terms.min_bans, price, lambda _: True)
        _, wanted = _within(lambda largest: grow(banned, free._replace(shortest=largest)), terms, price, most)
        left_out = [
            LeftOut(c.prefix, c.units, c.bans, allow.reasons(c.prefix))
            for c in wanted.networks
            if not allow.is_free(c.prefix)
        ]
    holders = list(evidence.holders())
    networks = [Advised(c.prefix, c.units, c.bans, _holder_of(c.prefix, holders)) for c in chosen.networks]
    return Advice(
        sorted(networks, key=lambda network: (-network.bans, network.prefix)),
        sorted(left_out, key=lambda network: (-network.bans, network.prefix)),
        len(everything),
        evidence.bans,
        {budget: sum(c.bans for c in chooser.best(budget).networks) for budget in budgets},
        chosen.worth / chosen.bound if chosen.bound else 1.0,
    )


def budgets_beside(budget: int) -> list[int]:
    """Round budgets from 1 on to some five times as many, and this one."""
    larger = next((step for step in BUDGETS if step >= 5 * budget), BUDGETS[-1])
    return sorted({budget, *(step for step in BUDGETS if step <= larger)})


def _within(
    grown: Callable[[Mapping[int, int]], Forest], terms: Terms, price: int, most: int
) -> tuple[Chooser, Choice]:
    """The best choice that blocks no more than it may, and what chose it.

    There are two ways to block less. A price on every address: what is chosen then is the best of all that
    block as much, but from one price to the next it may be much less. And smaller networks, so small that
    all of them fit: no worse than that many networks of one size. The better one is taken.
    """
    forest = grown(terms.largest)
    chooser = Chooser(forest, most, Price(price))
    chosen = chooser.best(terms.budget)
    allowed = terms.max_blocked
    if allowed is None or _blocked(chosen) <= allowed:
        return chooser, chosen
    low, high = 0, 1
    while _blocked(_priced(forest, terms, price, high)) > allowed:
        low, high = high, 2 * high
    while high - low > max(1, low >> 4):
        middle = (low + high) // 2
        if _blocked(_priced(forest, terms, price, middle)) > allowed:
            low = middle
        else:
            high = middle
    choosers = [Chooser(forest, most, Price(price, high))]
    if each := allowed // terms.budget:
        bits = each.bit_length() - 1
        small = {version: max(length, BITS[version] - bits) for version, length in terms.largest.items()}
        choosers.append(Chooser(grown(small), most, Price(price)))
    choices = [(chooser, chooser.best(terms.budget)) for chooser in choosers]
    return max(choices, key=lambda both: sum(c.weight - price * c.cost for c in both[1].networks))


def _priced(forest: Forest, terms: Terms, price: int, each: int) -> Choice:
    return Chooser(forest, terms.budget, Price(price, each)).best(terms.budget)


def _blocked(choice: Choice) -> int:
    return sum(candidate.prefix.units for candidate in choice.networks)


def _holder_of(prefix: Prefix, holders: Sequence[tuple[Prefix, int, Holder]]) -> Holder:
    # A banned network that is wider begins before it: only what is inside counts here.
    begin = bisect_left(holders, (prefix.version, prefix.first), key=lambda item: item[0][:2])
    end = bisect_left(holders, (prefix.version, prefix.last + 1), key=lambda item: item[0][:2])
    return main_holder((bans, holder) for _, bans, holder in holders[begin:end])

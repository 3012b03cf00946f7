"""The best choice of networks: at most so many, none inside another, worth the most together.

A network is worth the weight of its bans less the price of the addresses that it blocks. Choosing at most N
nodes of a forest, none inside another, is a knapsack on trees:

* A *table* says what the best 0, 1, 2 ... rules in a tree are worth. That of a network is the best of all
  ways to share the rules among what is right inside it, or the network itself, as one rule. Tables are exact.
* Among trees, rules go to where each adds most, by the upper hull of the tables: greedy, with a bound. With
  the price of a rule at which that ends, no choice is worth more than what every tree would take by itself.
* What lies between the greedy choice and the bound decides which shares could be better at all. They are
  few, and all ways to combine them are tried. So the result is the optimum, not near it.
"""

from __future__ import annotations

from heapq import nlargest
from itertools import accumulate, pairwise
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geocli.bans.advice.forest import Candidate, Forest

_MOST_STATES = 300_000
"""Combinations that are tried between the greedy choice and its bound. No real list needed a tenth of it."""


class Price(NamedTuple):
    """What addresses cost, in the unit of weights: an ``innocent`` one, and, beside that, ``any``."""

    innocent: int
    any: int = 0


class Choice(NamedTuple):
    """Networks in their order, what they are ``worth``, and more than ``bound`` no choice is worth.

    ``rule_price`` is what one more rule would have added, at most.
    """

    networks: list[Candidate]
    worth: int
    bound: int
    rule_price: int = 0

    @property
    def blocked(self) -> int:
        """The addresses of all networks."""
        return sum(network.prefix.units for network in self.networks)

    @property
    def bans(self) -> int:
        """The bans in all networks."""
        return sum(network.bans for network in self.networks)


class _Table(NamedTuple):
    """``worth[n]`` is what the best n rules are worth; it grows.

    ``is_even``: each rule adds no more than the one before. ``node`` is a candidate that is one rule in place
    of ``parts``, or -1.
    """

    worth: list[int]
    is_even: bool
    node: int
    parts: tuple[_Table, ...]


class _Step(NamedTuple):
    """So many more rules for a tree, what they add together, and what ``each`` of them adds."""

    tree: int
    rules: int
    gain: int
    each: float


def choose(forest: Forest, budget: int, price: Price) -> Choice:
    """The at most ``budget`` candidates that are worth most. ``price`` is no less than the forest's."""
    return Chooser(forest, budget, price).best(budget)


class Chooser:
    """Knows the best choice for every budget up to ``most`` rules."""

    def __init__(self, forest: Forest, most: int, price: Price) -> None:
        values, least = _values(forest, most, price)
        tables: list[_Table | None] = []
        for index, candidate in enumerate(forest.candidates):
            inside = candidate.inside
            below = _beside(_found(tables, inside), most) if inside else None
            tables.append(_with_node(below, index, values[index]) if values[index] >= least else below)
            for part in inside:
                tables[part] = None  # it is in this one now
        self._candidates = forest.candidates
        self._trees = _found(tables, forest.roots)
        steps = [step for index, tree in enumerate(self._trees) for step in _steps(index, tree)]
        # Stable: of a tree, the first step stays before the second.
        self._steps = sorted(steps, key=lambda step: -step.each)

    def best(self, budget: int) -> Choice:
        """The candidates that are worth most."""
        shares, bound, rule_price = self._shared_out(budget)
        taken = sorted(index for tree, share in shares.items() for index in _taken(self._trees[tree], share))
        networks = [self._candidates[index] for index in taken]
        return Choice(networks, self._worth(shares), bound, rule_price)

    def _worth(self, shares: Mapping[int, int]) -> int:
        return sum(self._trees[tree].worth[share] for tree, share in shares.items())

    def _shared_out(self, budget: int) -> tuple[Mapping[int, int], int, int]:
        """How many rules each tree gets, what no shares are worth more than, and the price of a rule."""
        shares: Mapping[int, int]
        shares, rule_price = self._greedy(budget)
        worth = self._worth(shares)
        # If rules were for sale, each tree would take all steps that are worth more than their rules.
        bound = rule_price * budget
        for step in self._steps:
            if step.each <= rule_price:
                break
            bound += step.gain - rule_price * step.rules
        if bound <= worth:
            return shares, worth, rule_price
        better = _least_loss(self._trees, budget, rule_price, bound - worth)
        if better is None:
            return shares, bound, rule_price
        shares = better or shares
        return shares, self._worth(shares), rule_price

    def _greedy(self, budget: int) -> tuple[dict[int, int], int]:
        """Shares, each rule where it adds most, and what a rule adds where the first step did not fit."""
        shares: dict[int, int] = {}
        full: set[int] = set()
        left, rule_price = budget, 0
        for step in self._steps:
            if step.tree in full:
                continue
            if step.rules <= left:
                shares[step.tree] = shares.get(step.tree, 0) + step.rules
                left -= step.rules
                continue
            if not full:
                rule_price = int(step.each)
            if left == 0:
                break
            full.add(step.tree)
        return shares, rule_price


def _values(forest: Forest, most: int, price: Price) -> tuple[list[int], int]:
    """What each candidate is worth, and what each is worth at least that a best choice may have.

    Where ``most`` trees have something that is worth more, one of them is without a rule, or has this one.
    """
    values: list[int] = []
    best: list[int] = []  # of each candidate and all inside it
    for prefix, _, _, weight, cost, inside in forest.candidates:
        value = weight - price.innocent * cost - (price.any * prefix.units if price.any else 0)
        values.append(value)
        best.append(max(value, *(best[part] for part in inside)) if inside else value)
    trees = nlargest(most, (best[root] for root in forest.roots))
    return values, trees[-1] if len(trees) == most else 1


def _found(tables: Sequence[_Table | None], indexes: Iterable[int]) -> tuple[_Table, ...]:
    return tuple(table for index in indexes if (table := tables[index]) is not None)


def _with_node(below: _Table | None, index: int, value: int) -> _Table | None:
    if below is None:
        return _Table([0, value], True, index, ()) if value > 0 else None  # noqa: FBT003 (a field)
    if value <= below.worth[1]:
        return below
    return _table([0, *(max(value, other) for other in below.worth[1:])], index, (below,))


def _table(worth: list[int], node: int, parts: tuple[_Table, ...]) -> _Table:
    while len(worth) > 2 and worth[-1] <= worth[-2]:
        worth.pop()  # a rule more that adds nothing
    # What even parts are worth side by side is even; else it has to be seen.
    is_even = node < 0 and parts[0].is_even and parts[1].is_even
    if not is_even:
        gains = _gains(worth)
        is_even = gains == sorted(gains, reverse=True)
    return _Table(worth, is_even, node, parts)


def _gains(worth: Sequence[int]) -> list[int]:
    return list(map(sub, worth[1:], worth))


def _beside(parts: tuple[_Table, ...], budget: int) -> _Table | None:
    """The table of parts that are not inside one another, each part's share open."""
    while len(parts) > 1:
        one, other, *rest = parts
        parts = (_table(_joined(one, other, budget), -1, (one, other)), *rest)
    return parts[0] if parts else None


def _joined(one: _Table, other: _Table, budget: int) -> list[int]:
    """The most that n rules are worth, some of them in one and the rest in the other."""
    if one.is_even and other.is_even:
        gains = sorted(_gains(one.worth) + _gains(other.worth), reverse=True)
        return [0, *accumulate(gains[:budget])]
    long, short = sorted((one.worth, other.worth), key=len, reverse=True)
    size = min(budget + 1, len(long) + len(short) - 1)
    most = long[:size] + [long[-1]] * (size - len(long))
    for shift, worth in enumerate(short[1:size], start=1):
        shifted = [worth + value for value in long[: size - shift]]
        most[shift : shift + len(shifted)] = map(max, most[shift:], shifted)
    return most


def _taken(tree: _Table, rules: int) -> Iterator[int]:
    """The candidates that make so many rules worth what the table says."""
    waiting = [(tree, rules)]
    while waiting:
        table, rules = waiting.pop()
        if rules == 0:
            continue
        if table.node >= 0:
            below = table.parts[0].worth if table.parts else [0]
            if rules >= len(below) or table.worth[rules] > below[rules]:
                yield table.node
            else:
                waiting.append((table.parts[0], rules))
            continue
        one, other = table.parts
        last = min(rules, len(one.worth) - 1)
        first = max(0, rules - len(other.worth) + 1)
        share = next(
            n for n in range(first, last + 1) if one.worth[n] + other.worth[rules - n] == table.worth[rules]
        )
        waiting += [(one, share), (other, rules - share)]


def _steps(index: int, tree: _Table) -> list[_Step]:
    if tree.is_even:
        return [_Step(index, 1, gain, gain) for gain in _gains(tree.worth)]
    return [_Step(index, rules, gain, gain / rules) for rules, gain in _hull(tree.worth)]


def _hull(worth: Sequence[int]) -> list[tuple[int, int]]:
    """The steps of the least function above it of which each rule adds no more than the one before.

    That is how many rules, and what they add together.
    """
    corners = [0]
    for n in range(1, len(worth)):
        while len(corners) > 1:
            a, b = corners[-2:]
            if (worth[b] - worth[a]) * (n - b) > (worth[n] - worth[b]) * (b - a):
                break
            corners.pop()
        corners.append(n)
    return [(b - a, worth[b] - worth[a]) for a, b in pairwise(corners)]


def _least_loss(trees: Sequence[_Table], budget: int, rule_price: int, gap: int) -> Mapping[int, int] | None:
    """The shares that lose least of what each tree would take alone, if that is less than ``gap``.

    Empty if it is not, ``None`` when there are too many combinations to know.
    """
    used = 0
    shares: dict[int, int] = {}
    options: dict[int, list[tuple[int, int]]] = {}
    for index, tree in enumerate(trees):
        alone = [value - rule_price * n for n, value in enumerate(tree.worth)]
        most = max(alone)
        near = [(n, most - value) for n, value in enumerate(alone) if most - value < gap]
        if len(near) > 1:
            options[index] = near
        elif near[0][0]:
            shares[index] = near[0][0]
            used += near[0][0]
    if used > budget:
        return {}  # whatever is better needs more rules than there are
    steps: list[dict[int, tuple[int, int]]] = [{used: (0, 0)}]  # by rules used: the loss, and the last share
    states = 0
    for near in options.values():
        step: dict[int, tuple[int, int]] = {}
        for used, (loss, _) in steps[-1].items():
            for share, more in near:
                total, rules = loss + more, used + share
                if total < gap and rules <= budget and total < step.get(rules, (gap, 0))[0]:
                    step[rules] = (total, share)
        steps.append(step)
        states += len(step)
        if states > _MOST_STATES:
            return None
    ends = [(loss + rule_price * (budget - used), used) for used, (loss, _) in steps[-1].items()]
    loss, used = min(ends, default=(gap, 0))
    if loss >= gap:
        return {}
    for index, step in zip(reversed(options), reversed(steps), strict=False):
        share = step[used][1]
        shares[index] = share
        used -= share
    return shares

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
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.forest import Candidate
from geocli.bans.advice.tables import Table, beside, gains, hull, taken, with_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geocli.bans.advice.forest import CandidateRow, Forest

_MOST_STATES = 300_000
"""Combinations that are tried between the greedy choice and its bound. No real list needed a tenth of it."""

_MOST_KEPT = 20_000
"""Candidates in tables that are kept: some 10 MB. A choice makes the others anew that it takes from."""

_MOST_TIED = 10_000
"""Trees of the least worth that are looked at. There may be one for each address that was banned."""


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


class _Tree(NamedTuple):
    """A tree with what its rules are worth, as in its table, and the places of its candidates."""

    worth: list[int]
    is_even: bool
    begin: int
    end: int


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
    """Knows the best choice for every budget up to ``most`` rules.

    Raises ``GeocliError``, where the forest is in a file that cannot be read.
    """

    def __init__(self, forest: Forest, most: int, price: Price) -> None:
        self._forest, self._most, self._price = forest, most, price
        spans, self._least = _worthiest(forest, most, price)
        self._trees: list[_Tree] = []
        self._tables: dict[int, Table] = {}
        kept = 0
        for span, rows in zip(spans, forest.parts(spans), strict=True):
            table = self._table(rows)
            if kept < _MOST_KEPT:
                self._tables[len(self._trees)] = table
                kept += len(rows)
            self._trees.append(_Tree(table.worth, table.is_even, *span))
        steps = [step for index, tree in enumerate(self._trees) for step in _steps(index, tree)]
        # Stable: of a tree, the first step stays before the second.
        self._steps = sorted(steps, key=lambda step: -step.each)

    def best(self, budget: int) -> Choice:
        """The candidates that are worth most."""
        shares, bound, rule_price = self._shared_out(budget)
        chosen = sorted(tree for tree, share in shares.items() if share)
        spans = [self._trees[tree][2:] for tree in chosen]
        networks = [
            Candidate.of_row(rows[place])
            for tree, rows in zip(chosen, self._forest.parts(spans), strict=True)
            for place in sorted(taken(self._tables.get(tree) or self._table(rows), shares[tree]))
        ]
        return Choice(networks, self._worth(shares), bound, rule_price)

    def _table(self, rows: Sequence[CandidateRow]) -> Table:
        """The table of a tree that has something worth as much as a best choice needs."""
        innocent, each = self._price
        tables: list[Table | None] = []  # of what is in nothing yet
        for place, (_, _, _, size, _, _, weight, cost, parts, _) in enumerate(rows):
            below = None
            if parts:
                below = beside(tuple(table for table in tables[-parts:] if table is not None), self._most)
                del tables[-parts:]
            value = weight - innocent * cost - each * size
            tables.append(with_node(below, place, value) if value >= self._least else below)
        (table,) = tables
        assert table is not None  # noqa: S101 (for mypy)
        return table

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


def _worthiest(forest: Forest, most: int, price: Price) -> tuple[list[tuple[int, int]], int]:
    """The trees that a best choice may be from, each from one place to before another, in order.

    And what each candidate is worth at least that it may have: where ``most`` trees have something that is
    worth more, one of them is without a rule, or has this one.
    """
    innocent, any_ = price
    trees: list[tuple[int, int, int]] = []
    least, limit = 1, 2 * most + _MOST_TIED
    # Of what is in nothing yet: the value of the best of it, and where it begins.
    best: list[int] = []
    begins: list[int] = []
    end = 0
    for end, (_, _, _, size, _, _, weight, cost, parts, is_last) in enumerate(forest, start=1):
        value = weight - innocent * cost - any_ * size
        if parts:
            value = max(value, *best[-parts:])
            begin = begins[-parts]
            del best[-parts:], begins[-parts:]
        else:
            begin = end - 1
        best.append(value)
        begins.append(begin)
        if is_last:
            trees += _of_worth(best, pairwise([*begins, end]), least)
            best.clear()
            begins.clear()
            if len(trees) > limit:
                trees, least = _best_of(trees, most)
                limit = 2 * len(trees) + most + _MOST_TIED
    trees += _of_worth(best, pairwise([*begins, end]), least)
    trees, least = _best_of(trees, most)
    return [(begin, end) for _, begin, end in trees], least


def _of_worth(
    values: Iterable[int], spans: Iterable[tuple[int, int]], least: int
) -> Iterator[tuple[int, int, int]]:
    for value, span in zip(values, spans, strict=True):
        if value >= least:
            yield value, *span


def _best_of(trees: list[tuple[int, int, int]], most: int) -> tuple[list[tuple[int, int, int]], int]:
    """Those that are worth as much as the last of the ``most`` best, and what that is."""
    values = nlargest(most, (value for value, _, _ in trees))
    least = max(1, values[-1]) if len(values) == most else 1
    kept = []
    tied = 0
    for tree in trees:
        if tree[0] == least and len(values) == most:
            # One more than there are rules says what a rule is worth that is too many. The others would only
            # be ways to choose the same.
            tied += 1
            if tied > most + _MOST_TIED:
                continue
        if tree[0] >= least:
            kept.append(tree)
    return kept, least


def _steps(index: int, tree: _Tree) -> list[_Step]:
    if tree.is_even:
        return [_Step(index, 1, gain, gain) for gain in gains(tree.worth)]
    return [_Step(index, rules, gain, gain / rules) for rules, gain in hull(tree.worth)]


def _least_loss(trees: Sequence[_Tree], budget: int, rule_price: int, gap: int) -> Mapping[int, int] | None:
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

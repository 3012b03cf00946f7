"""The best choice that blocks no more addresses than it may.

A second limit beside that of the rules. With a price on every address, what is chosen is the best of all
that block as much (Everett, 1963); the price is raised until that is no more than allowed, and weak duality
says what no choice within the limits is worth more than. Three ways lead near that: the choice at that price;
the same, tree by tree a step further, while it fits; and networks so small that any so many of them fit,
which is never worse than that many networks of one size. Then everything is tried that could still be better
than the best of the three, unless that is too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.choice import Choice, Chooser, Price
from geocli.bans.advice.forest import Candidate, thinned
from geocli.bans.advice.prefix import BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geocli.bans.advice.forest import Forest

_FINE = 5  # the price of an address is found to one part in 2 ** 5 ...
_FULL = 0.98  # ... or until so much of what may be blocked is
_NEAR = 200  # what is within one part in so many of the best is not worth a search
_MOST_WAYS = 100_000
"""How many ways are tried to do better. Small worlds have fewer; in large ones little is left to gain."""


def within(forest: Forest, largest: Mapping[int, int], budget: int, most: int, price: int) -> Choice:
    """The best at most ``budget`` networks of the forest with at most ``most`` addresses.

    ``largest`` is the length of the largest network by version of IP, ``price`` that of an innocent address.
    The bound holds for all choices within the limits.
    """
    free = Chooser(forest, budget, Price(price)).best(budget)
    if free.blocked <= most:
        return free
    forest = thinned(forest, price, 0, most)
    over, under, each, bound = _priced(forest, free, budget, most, price)
    ways = [under.networks, _between(over, under.networks, largest, budget, most, price)]
    if size := most // budget:
        ways.append(Chooser(thinned(forest, price, 0, size), budget, Price(price)).best(budget).networks)
    best = max(ways, key=lambda networks: _worth(networks, price))
    worth = _worth(best, price)
    # Each candidate is a way at least.
    if bound > worth + worth // _NEAR and len(forest) <= _MOST_WAYS:
        search = _Search(forest, budget, most, Price(price, each), under.rule_price, worth)
        found = search.best()
        if found is not None:
            best, bound = (found or best), 0
            worth = _worth(best, price)
    return Choice(best, worth, max(bound, worth))


def _worth(networks: Iterable[Candidate], price: int) -> int:
    return sum(network.weight - price * network.cost for network in networks)


def _units(networks: Iterable[Candidate]) -> int:
    return sum(network.prefix.units for network in networks)


def _priced(
    forest: Forest, free: Choice, budget: int, most: int, price: int
) -> tuple[Sequence[Candidate], Choice, int, int]:
    """The networks at the last price of an address that is too low, the choice at the first that is not.

    And that price, and a bound: whatever blocks no more than ``most`` is worth no more (weak duality).
    """
    over, low, each = free, 0, _guess(free.networks, most)
    under = Chooser(forest, budget, Price(price, each)).best(budget)
    bound = min(free.bound, under.bound + each * most)
    while under.blocked > most:
        over, low, each = under, each, 2 * each
        forest = thinned(forest, price, low, most)
        under = Chooser(forest, budget, Price(price, each)).best(budget)
        bound = min(bound, under.bound + each * most)
    high = each
    while high - low > max(1, low >> _FINE) and under.blocked < _FULL * most:
        # Blocked addresses fall about as the price rises: a guess, kept well inside what is open.
        edge = (high - low) // 8
        guess = each * max(1, under.blocked if each == high else over.blocked) // most
        each = min(max(guess, low + edge), high - edge)
        if not low < each < high:
            each = (low + high) // 2
        choice = Chooser(forest, budget, Price(price, each)).best(budget)
        bound = min(bound, choice.bound + each * most)
        if choice.blocked > most:
            over, low = choice, each
        else:
            under, high = choice, each
    return over.networks, under, high, bound


def _guess(networks: Sequence[Candidate], most: int) -> int:
    """The price of an address at which the densest of these would be kept."""
    left = most
    for network in sorted(networks, key=lambda network: -network.weight / network.prefix.units):
        left -= network.prefix.units
        if left < 0:
            return max(1, network.weight // network.prefix.units)
    return 1


def _between(
    over: Sequence[Candidate],
    under: Sequence[Candidate],
    largest: Mapping[int, int],
    budget: int,
    most: int,
    price: int,
) -> list[Candidate]:
    """``under``, with those trees as in ``over`` that add most for what they block, while they fit."""
    trees = _by_tree(under, largest)
    more = _by_tree(over, largest)
    steps = []
    for tree in {**trees, **more}:
        before, after = trees.get(tree, []), more.get(tree, [])
        gain = _worth(after, price) - _worth(before, price)
        if gain > 0:
            size = max(1, _units(after) - _units(before))
            steps.append((gain / size, tree))
    rules, units = len(under), _units(under)
    for _, tree in sorted(steps, reverse=True):
        before, after = trees.get(tree, []), more.get(tree, [])
        rules_then = rules + len(after) - len(before)
        units_then = units + _units(after) - _units(before)
        if rules_then <= budget and units_then <= most:
            trees[tree] = after
            rules, units = rules_then, units_then
    return [network for networks in trees.values() for network in networks]


def _by_tree(
    networks: Iterable[Candidate], largest: Mapping[int, int]
) -> dict[tuple[int, int], list[Candidate]]:
    trees: dict[tuple[int, int], list[Candidate]] = {}
    for network in networks:
        version, first, _ = network.prefix
        trees.setdefault((version, first >> (BITS[version] - largest[version])), []).append(network)
    return trees


class _Way(NamedTuple):
    """Some networks of a part of the forest: addresses, worth, and candidates, one or of two ways."""

    units: int
    worth: int
    taken: tuple[_Way, _Way] | tuple[int] | tuple[()]


_Ways = list[list[_Way]]
"""By how many rules they take, those of which no other blocks no more and is worth as much."""


class _Search:
    """Tries all ways that could be worth more than ``least``.

    With prices on addresses and rules, each part of the forest has a best; what a way in it is below that, it
    is below the bound in any choice. So what is too far below is left out as soon as it is seen.
    """

    def __init__(
        self, forest: Forest, budget: int, most: int, price: Price, rule_price: int, least: int
    ) -> None:
        self._candidates: list[Candidate] = []
        self._parts: list[int] = []
        self._budget, self._most = budget, most
        self._price, self._rule_price, self._least = price, rule_price, least
        self._left = _MOST_WAYS
        # The best value of each candidate with all inside it, at these prices.
        self._best: list[int] = []
        roots: list[int] = []
        for row in forest:
            candidate, parts = Candidate.of_row(row), row[-2]
            inside = sum(roots[-parts:]) if parts else 0
            del roots[len(roots) - parts :]
            self._best.append(max(inside, self._value(candidate.prefix.units, self._worth_of(candidate), 1)))
            roots.append(self._best[-1])
            self._candidates.append(candidate)
            self._parts.append(parts)
        bound = sum(roots) + price.any * most + rule_price * budget
        self._gap = bound - least

    def best(self) -> list[Candidate] | None:
        """The best networks, empty when none are better than ``least``; ``None`` if not all were tried."""
        outer: list[tuple[int, _Ways]] = []  # of what is in nothing yet: the best value, and the ways
        for index, candidate in enumerate(self._candidates):
            parts = self._parts[index]
            below = self._beside(outer[len(outer) - parts :])
            del outer[len(outer) - parts :]
            if candidate.prefix.units <= self._most:
                below += [[] for _ in range(2 - len(below))]
                below[1].append(_Way(candidate.prefix.units, self._worth_of(candidate), (index,)))
            outer.append((self._best[index], self._kept(below, self._best[index])))
            if self._left < 0:
                return None
        whole = self._beside(outer)
        if self._left < 0:
            return None
        found = max((way for row in whole for way in row), key=lambda way: way.worth, default=None)
        if found is None or found.worth <= self._least:
            return []
        return [self._candidates[index] for index in sorted(_taken(found))]

    def _worth_of(self, candidate: Candidate) -> int:
        return candidate.weight - self._price.innocent * candidate.cost

    def _value(self, units: int, worth: int, rules: int) -> int:
        return worth - self._price.any * units - self._rule_price * rules

    def _beside(self, parts: Sequence[tuple[int, _Ways]]) -> _Ways:
        """All ways to share the rules among parts."""
        total: _Ways = [[_Way(0, 0, ())]]
        best = 0
        for value, others in parts:
            best += value
            rows: _Ways = [[] for _ in range(min(self._budget, len(total) + len(others) - 2) + 1)]
            for n, some in enumerate(total):
                for m, more in enumerate(others[: len(rows) - n]):
                    self._left -= len(some) * len(more)
                    if self._left < 0:
                        return []
                    rows[n + m] += [
                        _Way(one.units + other.units, one.worth + other.worth, (one, other))
                        for one in some
                        for other in more
                        if one.units + other.units <= self._most
                    ]
            total = self._kept(rows, best)
        return total

    def _kept(self, ways: _Ways, best: int) -> _Ways:
        """Those that are near enough to the best of their part, and that no other makes superfluous."""
        rows: _Ways = []
        for rules, row in enumerate(ways):
            kept: list[_Way] = []
            for way in sorted(row, key=lambda way: (way.units, -way.worth)):
                near = best - self._value(way.units, way.worth, rules) < self._gap
                if near and (not kept or way.worth > kept[-1].worth):
                    kept.append(way)
            rows.append(kept)
        return rows


def _taken(way: _Way) -> list[int]:
    found: list[int] = []
    waiting = [way]
    while waiting:
        taken = waiting.pop().taken
        for part in taken:
            if isinstance(part, _Way):
                waiting.append(part)
            else:
                found.append(part)
    return found

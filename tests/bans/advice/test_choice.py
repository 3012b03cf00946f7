"""The choice is the best there is: held against all choices of small worlds, and bounds of large ones."""

from __future__ import annotations

import random
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice.allowed import Allowed, AllowList
from geocli.bans.advice.choice import Chooser, Price, choose
from geocli.bans.advice.forest import Banned, Limits, grow, merge
from geocli.bans.advice.prefix import Prefix
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

WORLD = 4  # bits: 16 addresses below 8.8.8.0
BASE = 8 << 24 | 8 << 16 | 8 << 8
EVERY = [
    Prefix(4, BASE + place, 32 - bits)
    for bits in range(WORLD + 1)
    for place in range(0, 1 << WORLD, 1 << bits)
]

worlds = st.dictionaries(
    st.integers(0, (1 << WORLD) - 1), st.tuples(st.integers(1, 4), st.integers(1, 60)), min_size=1
)


def merged(banned: Iterable[Banned]) -> list[Banned]:
    return [*merge(sorted(banned))]


def is_inside(one: Prefix, other: Prefix) -> bool:
    return other.first <= one.first and one.last <= other.last


def exhaustive(
    world: dict[int, tuple[int, int]], budget: int, least: int, largest: int, price: Price, allow: AllowList
) -> int:
    """What the best of all choices is worth: every set of networks is looked at."""
    values = {}
    for prefix in EVERY:
        banned = [world[place] for place in world if prefix.first <= BASE + place <= prefix.last]
        if prefix.length < largest or sum(bans for bans, _ in banned) < least or not allow.is_free(prefix):
            continue
        weight = sum(weight for _, weight in banned)
        values[prefix] = weight - price.innocent * (prefix.units - len(banned)) - price.any * prefix.units
    best = 0
    for size in range(1, budget + 1):
        for chosen in combinations(values, size):
            if not any(is_inside(a, b) or is_inside(b, a) for a, b in combinations(chosen, 2)):
                best = max(best, sum(values[prefix] for prefix in chosen))
    return best


@examples(120)
@given(
    worlds,
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(28, 32),
    st.integers(1, 20),
    st.integers(0, 5),
    st.sets(st.integers(0, (1 << WORLD) - 1), max_size=2),
)
def test_no_choice_is_worth_more(
    world: dict[int, tuple[int, int]],
    budget: int,
    least: int,
    largest: int,
    innocent: int,
    each: int,
    spared: set[int],
) -> None:
    allow = AllowList(Allowed(Prefix(4, BASE + place, 32), "") for place in spared)
    banned = merged(Banned(Prefix(4, BASE + place, 32), *counts) for place, counts in world.items())
    price = Price(innocent, each)
    limits = Limits({4: largest, 6: 64}, least, innocent, allow.is_free)
    choice = choose(grow(banned, limits), budget, price)
    assert choice.worth == exhaustive(world, budget, least, largest, price, allow)
    assert choice.worth == choice.bound
    assert len(choice.networks) <= budget
    assert not any(
        is_inside(a.prefix, b.prefix) or is_inside(b.prefix, a.prefix)
        for a, b in combinations(choice.networks, 2)
    )
    assert choice.worth == sum(
        c.weight - price.innocent * c.cost - price.any * c.prefix.units for c in choice.networks
    )


@examples(150)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_greedy_shares_are_mended_up_to_the_optimum_among_many_trees(seed: int, budget: int) -> None:
    # Worlds apart, so that rules are shared among trees; a plain knapsack over all of them is the judge.
    generator = random.Random(seed)  # noqa: S311 (a simulation)
    banned = merged(
        Banned(Prefix(4, (world << 8) + generator.randrange(16), 32), 1, generator.randrange(1, 40))
        for world in range(BASE >> 8, (BASE >> 8) + 12)
        for _ in range(generator.randrange(1, 9))
    )
    price = Price(generator.randrange(1, 15))
    limits = Limits({4: 24, 6: 64}, 1, price.innocent, lambda _: True)
    forest = grow(banned, limits)
    chooser = Chooser(forest, budget, price)
    best = [0] * (budget + 1)
    for world in range(BASE >> 8, (BASE >> 8) + 12):
        alone = Chooser(grow([b for b in banned if b.prefix.first >> 8 == world], limits), budget, price)
        table = [alone.best(n).worth for n in range(budget + 1)]
        best = [max(best[n - k] + table[k] for k in range(n + 1)) for n in range(budget + 1)]
    for n in range(budget + 1):
        choice = chooser.best(n)
        assert choice.worth == choice.bound == best[n]


@pytest.mark.parametrize("budget", [1, 7, 40, 300])
def test_a_large_history_is_chosen_from_with_a_bound_that_is_met(budget: int) -> None:
    generator = random.Random(7)  # noqa: S311 (a simulation)
    places = [generator.randrange(1 << 24) << 8 for _ in range(400)]
    banned = merged(
        Banned(Prefix(4, place + int(generator.triangular(0, 255, 20)), 32), 1, generator.randrange(1, 4096))
        for place in places
        for _ in range(generator.randrange(1, 40))
    )
    forest = grow(banned, Limits({4: 20, 6: 48}, 2, 64, lambda _: True))
    choice = choose(forest, budget, Price(64))
    assert choice.worth == choice.bound
    assert len(choice.networks) == budget
    assert choice.worth > choose(forest, budget, Price(65)).worth  # each innocent address counts


def test_one_wide_network_gives_way_to_its_parts_when_there_are_rules_for_them() -> None:
    # Two dense corners of a /28 and nothing between them: one rule takes all, two rules only the corners.
    banned = merged(Banned(Prefix(4, BASE + place, 32), 1, 10) for place in (0, 1, 2, 3, 12, 13, 14, 15))
    forest = grow(banned, Limits({4: 20, 6: 48}, 2, 1, lambda _: True))
    assert [str(c.prefix) for c in choose(forest, 1, Price(1)).networks] == ["8.8.8.0/28"]
    assert [str(c.prefix) for c in choose(forest, 2, Price(1)).networks] == ["8.8.8.0/30", "8.8.8.12/30"]


def test_ipv4_and_ipv6_share_the_rules() -> None:
    v6 = [Banned(Prefix(6, (0x20010DB9 << 32) + place, 64), 3, 30) for place in range(4)]
    v4 = [Banned(Prefix(4, BASE + place, 32), 2, 20) for place in range(4)]
    forest = grow(merged(v4 + v6), Limits({4: 20, 6: 48}, 2, 1, lambda _: True))
    assert [str(c.prefix) for c in choose(forest, 1, Price(1)).networks] == ["2001:db9::/62"]
    both = choose(forest, 5, Price(1)).networks
    assert [str(c.prefix) for c in both] == ["8.8.8.0/30", "2001:db9::/62"]
    assert [c.innocent for c in both] == [0, 0]

"""Within a ration of addresses, the choice is the best of all, and near it where not all can be tried."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice import ration
from geocli.bans.advice.forest import Banned, Limits, grow
from geocli.bans.advice.prefix import Prefix
from geocli.bans.advice.ration import within
from tests.bans.advice.test_choice import BASE, EVERY, is_inside, merged, worlds

LARGEST = {4: 20, 6: 48}


def anybody(_: Prefix) -> bool:
    return True


@given(worlds, st.integers(1, 3), st.integers(1, 14), st.integers(1, 9))
def test_no_choice_within_the_ration_is_worth_more(
    world: dict[int, tuple[int, int]], budget: int, most: int, price: int
) -> None:
    banned = merged(Banned(Prefix(4, BASE + place, 32), *counts) for place, counts in world.items())
    values = {}
    for prefix in EVERY:
        inside = [world[place] for place in world if prefix.first <= BASE + place <= prefix.last]
        values[prefix] = sum(weight for _, weight in inside) - price * (prefix.units - len(inside))
    best = 0
    for size in range(1, budget + 1):
        for chosen in combinations(EVERY, size):
            fits = sum(prefix.units for prefix in chosen) <= most
            if fits and not any(is_inside(a, b) or is_inside(b, a) for a, b in combinations(chosen, 2)):
                best = max(best, sum(values[prefix] for prefix in chosen))
    forest = grow(banned, Limits(LARGEST, 1, price, anybody))
    choice = within(forest, LARGEST, budget, most, price)
    assert best * 0.995 <= choice.worth <= best <= choice.bound
    assert choice.blocked <= most


@pytest.mark.parametrize("seed", range(12))
def test_where_not_all_ways_are_tried_it_is_near_the_best(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random.Random(seed)  # noqa: S311 (a simulation)
    places = [(45 << 24) + (generator.randrange(1 << 12) << 8) for _ in range(12)]
    banned = merged(
        Banned(
            Prefix(4, place + int(generator.triangular(0, 255, generator.randrange(255))), 32),
            1,
            generator.randrange(500, 5000),
        )
        for place in places
        for _ in range(generator.randrange(1, 30))
    )
    price = 16
    budget = generator.randrange(2, 9)
    most = generator.randrange(40, 256) * budget
    forest = grow(banned, Limits(LARGEST, 2, price, anybody))
    monkeypatch.setattr(ration, "_MOST_WAYS", 10**9)
    monkeypatch.setattr(ration, "_NEAR", 10**9)
    best = within(forest, LARGEST, budget, most, price)
    assert best.worth == best.bound
    monkeypatch.undo()
    choice = within(forest, LARGEST, budget, most, price)
    assert choice.blocked <= most
    assert len(choice.networks) <= budget
    assert best.worth <= choice.bound
    assert choice.worth >= 0.95 * best.worth

"""No pattern and no parser takes more than its share of time for input that was made to hurt it."""

from __future__ import annotations

import re
from functools import cache, partial

import pytest

from tests.growth.measure import LARGEST, MOST, growth
from tests.growth.parsers import PARSERS, Parser
from tests.growth.patterns import Used, every_pattern, run
from tests.growth.pumps import Pump, pumps

BOUNDED = {
    "geocli.config.store_url._URL": 2000,
    "geocli.storage.store.postgres.connection._FOR_EVER": 2000,
    "geocli.storage.store.postgres.connection._FOR_NOW": 2000,
}
"""Patterns that get so many characters at most: up to there, nothing takes long and grows with the square."""


@cache
def every_pump() -> tuple[Pump, ...]:
    """The pumps of all patterns that look at text from outside, without their tails."""
    found = dict.fromkeys(
        pump._replace(tail="")
        for used in every_pattern()
        if re.match(r"geocli\.(inputs|model|cron|config)", used.name)
        for pump in pumps(used.pattern.pattern, used.pattern.flags)
    )
    return tuple(found)


_TRIES = 800  # of a parser with many heads: all would take half an hour


def worst_of_pattern(used: Used, largest: int = LARGEST) -> tuple[float, str, Pump | None]:
    """The largest growth, by which method, and of what."""
    worst: tuple[float, str, Pump | None] = (0, "", None)
    for pump in pumps(used.pattern.pattern, used.pattern.flags):
        for method in used.methods:
            found = growth(partial(run, used, method), pump.text, largest)
            if found > worst[0]:
                worst = (found, method, pump)
            if found > MOST:
                return worst
    return worst


def worst_of_parser(parser: Parser, every: int, largest: int) -> tuple[float, bytes, Pump | None]:
    """The largest growth, behind which head, and of what; of the pumps, each ``every``-th, in turn."""
    worst: tuple[float, bytes, Pump | None] = (0, b"", None)
    for number, head in enumerate(parser.heads):
        for turn, pump in enumerate(every_pump()[number % every :: every]):
            shape = pump._replace(part=pump.part + "\n" * (turn % 2))
            found = growth(parser.parse, partial(_data, head, shape), largest)
            if found > worst[0]:
                worst = (found, head, shape)
            if found > MOST:
                return worst
    return worst


def _data(head: bytes, pump: Pump, size: int) -> bytes:
    """So many bytes of a pump behind what makes a parser read them."""
    return head + pump.text(size).encode("latin-1", "replace")


@pytest.mark.slow
def test_no_pattern_blows_up() -> None:
    patterns = every_pattern()  # not when tests are collected: that takes a second
    assert len(patterns) > 140
    worst = {used.name: worst_of_pattern(used, BOUNDED.get(used.name, LARGEST)) for used in patterns}
    assert {name: found for name, found in worst.items() if found[0] > MOST} == {}


@pytest.mark.slow
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_no_parser_blows_up(parser: Parser) -> None:
    every = max(1 + len(parser.heads) // 2, len(every_pump()) * len(parser.heads) // _TRIES)
    worst, head, pump = worst_of_parser(parser, every, 1 << 12)
    assert worst <= MOST, (head, pump)


def test_no_parser_blows_up_on_some() -> None:
    for parser in PARSERS:  # all of them in one test: making the pumps takes longer than trying some
        worst, head, pump = worst_of_parser(parser._replace(heads=parser.heads[:2]), 399, 1 << 12)
        assert worst <= MOST, (parser.name, head, pump)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"Increase Ban.* \(([0-9]+) # .* -> .*\)", "search"),  # as it once was: cubic
        (r"(a+)+$", "match"),
        (r"\s*(@\w+|(?:\S+\s+){4}\S+)\s+x", "search"),
        (r"a*b", "search"),
    ],
)
def test_a_pattern_that_blows_up_is_found(pattern: str, method: str) -> None:
    assert worst_of_pattern(Used("bad", re.compile(pattern), (method,)))[0] > MOST


def test_a_pattern_that_does_not_is_let_through() -> None:
    assert (
        worst_of_pattern(Used("good", re.compile(r"[0-9]{1,9} # [^#]*+ -> ([^#>]*+)\)"), ("search",)))[0]
        <= MOST
    )

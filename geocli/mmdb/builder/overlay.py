"""Lays range lists over each other: several sources of countries, what wins over them, and AS numbers."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush, merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.mmdb.builder.ranges import Range, System

_Event = tuple[int, int, Any]  # from this address on, this list says this


class RangeAnswer(NamedTuple):
    """What addresses get: a country, an AS number with its organisation."""

    country: str | None
    system: System | None


class Stretch(NamedTuple):
    """An inclusive stretch of addresses over which no list changes its mind.

    ``said`` is what each source of countries says, ``declared`` what wins over them, ``answer`` the outcome.
    """

    start: int
    end: int
    said: tuple[str | None, ...]
    declared: str | None
    answer: RangeAnswer


class Vote(NamedTuple):
    """How sources of countries become one country.

    The first that says something answers, unless ``outvote`` of those behind it agree on another country
    (``None``: all of them). A country of ``doubtful`` counts only where two sources say so: without a second
    one it is what most of the others say, else nothing.
    """

    outvote: int | None = None
    doubtful: frozenset[str] = frozenset()

    def country(self, said: Sequence[str | None]) -> str | None:
        """Return the country for what the sources say, in their order."""
        first = next((code for code in said if code is not None), None)
        if len(said) == 1:
            return None if first in self.doubtful else first
        others = Counter(code for code in said[1:] if code not in {None, first})
        needed = len(said) - 1 if self.outvote is None else self.outvote
        winner = first
        if said[0] is not None and others and others.most_common(1)[0][1] >= needed:
            winner = others.most_common(1)[0][0]
        if winner in self.doubtful and sum(code == winner for code in said) < 2:
            votes = Counter(code for code in said if code is not None and code not in self.doubtful)
            winner = votes.most_common(1)[0][0] if votes else None
        return winner


def stretches(
    countries: Sequence[list[Range]], declared: list[Range], systems: list[Range], vote: Vote
) -> Iterator[Stretch]:
    """Cut lists of ranges, each sorted by start, where any of them changes, and decide what each piece gets.

    In one list the narrowest range wins, of equals the later row.
    """
    lists = [*countries, declared, systems]
    streams = [_events(number, ranges) for number, ranges in enumerate(lists)]
    current: list[Any] = [None] * len(lists)
    count = len(countries)
    decided: dict[tuple[str | None, ...], str | None] = {}
    start = 0
    for address, events in groupby(merge(*streams, key=itemgetter(0)), itemgetter(0)):
        if any(value is not None for value in current):
            said, (winner, system) = tuple(current[:count]), current[count:]
            if said not in decided:
                decided[said] = vote.country(said) if said else None
            answer = RangeAnswer(winner if winner is not None else decided[said], system)
            yield Stretch(start, address - 1, said, winner, answer)
        for _, number, value in events:
            current[number] = value
        start = address


def answers(pieces: Iterator[Stretch]) -> Iterator[tuple[int, int, RangeAnswer]]:
    """Join neighbours that have the same answer; leave out those that have none."""
    open_start, open_end, open_answer = 0, -1, RangeAnswer(None, None)
    for start, end, _, _, answer in pieces:
        if start == open_end + 1 and answer == open_answer:
            open_end = end
            continue
        if open_answer != (None, None):
            yield open_start, open_end, open_answer
        open_start, open_end, open_answer = start, end, answer
    if open_answer != (None, None):
        yield open_start, open_end, open_answer


def _events(number: int, ranges: list[Range]) -> Iterator[_Event]:
    """Where a list, in which ranges may lie in each other, begins to say something else."""
    open_ranges: list[tuple[int, int, Range]] = []  # a heap: the narrowest first, of equals the last read
    for found in ranges:
        yield from _ends(number, open_ranges, found.start)
        heappush(open_ranges, (found.end - found.start, -found.order, found))
        if open_ranges[0][2] is found:  # else something narrower lies over its beginning
            yield found.start, number, found.value
    yield from _ends(number, open_ranges, None)


def _ends(number: int, open_ranges: list[tuple[int, int, Range]], until: int | None) -> Iterator[_Event]:
    """The ends of ranges up to the address before ``until``, and what shows up below them."""
    while open_ranges and (until is None or open_ranges[0][2].end < until):
        after = heappop(open_ranges)[2].end + 1
        while open_ranges and open_ranges[0][2].end < after:
            heappop(open_ranges)
        yield after, number, open_ranges[0][2].value if open_ranges else None

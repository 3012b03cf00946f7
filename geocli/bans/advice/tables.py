"""Tables of the choice: what the best 0, 1, 2 ... rules in a tree are worth, and which these are."""

from __future__ import annotations

from itertools import accumulate, pairwise
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Table(NamedTuple):
    """``worth[n]`` is what the best n rules are worth; it grows.

    ``is_even``: each rule adds no more than the one before. ``node`` is a candidate that is one rule in place
    of ``parts``, or -1: its place in its tree.
    """

    worth: list[int]
    is_even: bool
    node: int
    parts: tuple[Table, ...]


def with_node(below: Table | None, index: int, value: int) -> Table | None:
    """The table of a candidate with this value, and with what is inside it."""
    if below is None:
        return Table([0, value], True, index, ()) if value > 0 else None  # noqa: FBT003 (a field)
    if value <= below.worth[1]:
        return below
    return _table([0, *(max(value, other) for other in below.worth[1:])], index, (below,))


def _table(worth: list[int], node: int, parts: tuple[Table, ...]) -> Table:
    while len(worth) > 2 and worth[-1] <= worth[-2]:
        worth.pop()  # a rule more that adds nothing
    # What even parts are worth side by side is even; else it has to be seen.
    is_even = node < 0 and parts[0].is_even and parts[1].is_even
    if not is_even:
        each = gains(worth)
        is_even = each == sorted(each, reverse=True)
    return Table(worth, is_even, node, parts)


def gains(worth: Sequence[int]) -> list[int]:
    """What each rule adds."""
    return list(map(sub, worth[1:], worth))


def beside(parts: tuple[Table, ...], budget: int) -> Table | None:
    """The table of parts that are not inside one another, each part's share open."""
    while len(parts) > 1:
        one, other, *rest = parts
        parts = (_table(_joined(one, other, budget), -1, (one, other)), *rest)
    return parts[0] if parts else None


def _joined(one: Table, other: Table, budget: int) -> list[int]:
    """The most that n rules are worth, some of them in one and the rest in the other."""
    if one.is_even and other.is_even:
        best = sorted(gains(one.worth) + gains(other.worth), reverse=True)
        return [0, *accumulate(best[:budget])]
    long, short = sorted((one.worth, other.worth), key=len, reverse=True)
    size = min(budget + 1, len(long) + len(short) - 1)
    most = long[:size] + [long[-1]] * (size - len(long))
    for shift, worth in enumerate(short[1:size], start=1):
        shifted = [worth + value for value in long[: size - shift]]
        most[shift : shift + len(shifted)] = map(max, most[shift:], shifted)
    return most


def taken(tree: Table, rules: int) -> Iterator[int]:
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


def hull(worth: Sequence[int]) -> list[tuple[int, int]]:
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

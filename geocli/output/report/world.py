"""The world map: shapes that ship with geocli, and classes of counts with a colour each.

The shapes are Natural Earth's in the Equal Earth projection, made by ``build_world``. A country that is too
small to be seen has a dot, instead of its shape or beside it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.countries import country_name
from geocli.model.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATA = Path(__file__).parents[2] / "data" / "world.json"

LIGHT = ("#fecf92", "#fd9b6b", "#f2625d", "#c73d73", "#8c2981", "#4c117a")
DARK = ("#641a80", "#992d80", "#cf4070", "#f56b5c", "#fea973", "#fde7a9")
"""Colours of the classes, few to many, on a light and on a dark page.

"magma" by Nathaniel Smith and Stéfan van der Walt (matplotlib, CC0), at 0.9 to 0.24 and at 0.3 to 0.95 of its
length: equal steps in lightness, which people with any kind of colour blindness see, and printers keep.
"""

_AS_THEY_ARE = 5  # up to so many, each number is a class


class World(NamedTuple):
    """The map: its size in units, and by country code SVG path data (``Mx,ylx,y x,yz``) and dots' centres."""

    width: int
    height: int
    shapes: Mapping[str, str]
    dots: Mapping[str, tuple[int, int]]


class Area(NamedTuple):
    """A country's shape (``path``) or dot. ``level`` is its class, 0 for none.

    Of a country with both, only the dot is to be named: ``is_named``.
    """

    code: str
    name: str
    addresses: int
    total: int
    share: float
    level: int
    path: str | None
    dot: tuple[int, int] | None
    is_named: bool


class Scale(NamedTuple):
    """Classes of counts: where each starts, and the largest count of all.

    A class starts at a round number (1, 2 or 5 times a power of ten), every so many of them: steps of about
    the same factor, because counts differ by powers of ten, and the same classes tomorrow.
    """

    starts: Sequence[int]
    largest: int

    def level(self, count: int) -> int:
        """The class of a count: 1 is the lowest, 0 is none."""
        return bisect_right(self.starts, count)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last count of each class."""
        ends = [*(start - 1 for start in self.starts[1:]), self.largest]
        return list(zip(self.starts, ends, strict=False))


def scale_of(counts: Iterable[int], most: int = len(LIGHT)) -> Scale:
    """At most so many classes that suit these counts; none for no counts."""
    largest = max(counts, default=0)
    if largest <= min(most, _AS_THEY_ARE):
        return Scale(range(1, largest + 1), largest)
    exponents = range(len(str(largest)))
    rounds = [n for e in exponents for n in (10**e, 2 * 10**e, 5 * 10**e) if n <= largest]
    step = -(-len(rounds) // most)
    return Scale(rounds[::step], largest)


def spread(colours: Sequence[str], classes: int) -> list[str]:
    """So many of the colours, from end to end; a class that is alone has one from the middle."""
    last = len(colours) - 1
    if classes == 1:
        return [colours[len(colours) // 2]]
    return [colours[round(last * n / (classes - 1))] for n in range(classes)]


def load_world() -> World:
    """The map. Raises ``DamagedFileError`` when its file is gone or damaged."""
    try:
        found = json.loads(DATA.read_bytes())
        dots = {code: (x, y) for code, (x, y) in found["dots"].items()}
        return World(found["width"], found["height"], found["shapes"], dots)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(DATA, "is missing or damaged", "install geocli again") from error


def areas(world: World, rows: Iterable[Sequence[object]], column: int) -> tuple[list[Area], Scale]:
    """Everything to draw, in its order, and the classes of its colours.

    ``rows`` are ``(code, name, addresses, count, share)``, the largest first; ``column`` is which of them
    decides the colour. Shapes come before dots, and what has no count before what has: the largest of those
    first. Countries that the map does not have (``not_on``) are left out.
    """
    found = {str(row[0]): row for row in rows if row[0] is not None}
    scale = scale_of(_number(row[column]) for row in found.values())
    nowhere = sorted({*world.shapes, *world.dots} - found.keys())
    drawn = []
    for layer in (world.shapes, world.dots):
        for code in (*nowhere, *(code for code in found if code in layer)):
            is_shape = layer is world.shapes
            if code not in layer or (not is_shape and code in nowhere and code in world.shapes):
                continue  # a dot beside a shape is for a count to be seen
            _, name, addresses, count, share = found.get(code, (code, country_name(code) or code, 0, 0, 0.0))
            level = scale.level(_number(found[code][column])) if code in found else 0
            drawn.append(
                Area(
                    code,
                    str(name or code),
                    _number(addresses),
                    _number(count),
                    float(str(share)),
                    level,
                    world.shapes[code] if is_shape else None,
                    None if is_shape else world.dots[code],
                    is_named=not is_shape or level == 0 or code not in world.dots,
                )
            )
    return drawn, scale


def not_on(world: World, rows: Iterable[Sequence[object]]) -> list[tuple[str, int]]:
    """Names and counts of the countries that have no place on the map."""
    return [
        (str(name or code), _number(count))
        for code, name, _, count, _ in rows
        if code is not None and code not in world.shapes and code not in world.dots
    ]


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("a count is a number")  # the caller mixed up its columns
    return value

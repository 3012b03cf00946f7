"""The world map, and days, drawn with characters: Braille dots with colours, shades without."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from geocli.output.report.world import Scale, load_world, scale_of, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geocli.output.report.world import World

NARROWEST = 80
"""Columns of a terminal that the map needs."""

_WIDEST = 160
_SHADES = "░▒▓█"
_LAND = "·"
_COLOURS = (61, 97, 133, 168, 209, 214)
"""Of the 256 that terminals have; lighter from class to class, and to be seen on black and on white."""
_LAND_COLOUR = 242
_BRAILLE = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Which bit of a Braille character is which of its two by four dots (Unicode, block U+2800)."""
_SPARKS = "▁▂▃▄▅▆▇█"

_RING = re.compile(r"M(-?\d{1,9}),?(-?\d{1,9})l([^zM]*+)z")
_NUMBER = re.compile(r"-?\d+")

_Grid = list[list[str | None]]


def draw_world(rows: Iterable[Sequence[object]], width: int, *, color: bool) -> str:
    """The map of ``(code, name, addresses, count, share)`` rows, with a legend, as lines.

    ``width`` is the terminal's in columns. Raises ``DamagedFileError``.
    """
    counts = {str(row[0]): int(str(row[3])) for row in rows if row[0] is not None}
    scale = scale_of(counts.values(), len(_COLOURS if color else _SHADES))
    world = load_world()
    grid = _grid(world, counts, min(width, _WIDEST) * 2)
    draw = _coloured if color else _shaded
    lines = [draw(cells, counts, scale) for cells in _cells(grid)]
    return "\n".join([*lines, "", _legend(scale, color=color)]) + "\n\n"


def sparkline(rows: Iterable[Sequence[object]], width: int) -> str:
    """The days of ``(day, addresses, count, share)`` rows as one line, days without any too; or nothing."""
    counts = {date.fromisoformat(str(row[0])): int(str(row[2])) for row in rows if row[0] is not None}
    if len(counts) < 2:
        return ""
    last, most = max(counts), max(counts.values())
    room = max(width - 2 * len("2026-01-01 "), 1)
    days = min((last - min(counts)).days + 1, room)
    first = last - timedelta(days=days - 1)
    heights = (counts.get(first + timedelta(days=day), 0) for day in range(days))
    bars = "".join(_SPARKS[-(-count * len(_SPARKS) // most) - 1] if count else " " for count in heights)
    return f"{first} {bars} {last}\n\n"


def _grid(world: World, counts: Mapping[str, int], width: int) -> _Grid:
    """Which country each dot of a map that is so many dots wide belongs to."""
    scale = width / world.width
    grid: _Grid = [[None] * width for _ in range(-(-round(world.height * scale) // 4) * 4)]
    for code, path in world.shapes.items():
        found = False
        for y, xs in _crossings(_rings(path), scale, len(grid)).items():
            xs.sort()
            for begin, end in zip(xs[::2], xs[1::2], strict=False):
                for x in range(max(0, round(begin)), min(width, round(end))):
                    grid[y][x] = code
                    found = True
        if not found and code in counts and code not in world.dots:
            x, y = next(_rings(path))[0]
            _place(grid, code, x * scale, y * scale)
    for code in counts:  # last: a small country is seen although its neighbour is large
        if code in world.dots:
            _place(grid, code, world.dots[code][0] * scale, world.dots[code][1] * scale)
    return grid


def _place(grid: _Grid, code: str, x: float, y: float) -> None:
    grid[min(int(y), len(grid) - 1)][min(max(int(x), 0), len(grid[0]) - 1)] = code


def _rings(path: str) -> Iterator[list[tuple[int, int]]]:
    """The points of each ring of path data as ``build_world`` writes it."""
    for left, top, steps in _RING.findall(path):
        x, y = int(left), int(top)
        points = [(x, y)]
        numbers = iter(map(int, _NUMBER.findall(steps)))
        for dx, dy in zip(numbers, numbers, strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        yield points


def _crossings(
    rings: Iterable[Sequence[tuple[int, int]]], scale: float, height: int
) -> dict[int, list[float]]:
    """For each line of dots, where the rings' edges cross its middle."""
    found: dict[int, list[float]] = {}
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if y0 == y1:
                continue
            (ax, ay), (bx, by) = sorted(((x0, y0), (x1, y1)), key=lambda point: point[1])
            for line in range(max(0, round(ay * scale)), min(height, round(by * scale))):
                y = (line + 0.5) / scale
                found.setdefault(line, []).append((ax + (y - ay) * (bx - ax) / (by - ay)) * scale)
    return found


def _cells(grid: _Grid) -> Iterator[list[list[tuple[int, str]]]]:
    """Line by line, for each character its dots that are land: ``(bit, country)``."""
    for top in range(0, len(grid), 4):
        yield [
            [
                (_BITS[y][x], code)
                for y in range(4)
                for x in range(2)
                if (code := grid[top + y][left + x]) is not None
            ]
            for left in range(0, len(grid[0]), 2)
        ]


def _level(cell: list[tuple[int, str]], counts: Mapping[str, int], scale: Scale) -> int:
    """The class of the country that has most of a character, of those that have a count."""
    countries = Counter(code for _, code in cell if code in counts)
    return scale.level(counts[countries.most_common(1)[0][0]]) if countries else 0


def _coloured(cells: list[list[tuple[int, str]]], counts: Mapping[str, int], scale: Scale) -> str:
    text, before = [], None
    for cell in cells:
        colour = _colour(_level(cell, counts, scale), len(scale.starts)) if cell else before
        if colour != before:
            text.append(f"\x1b[38;5;{colour}m")
            before = colour
        text.append(chr(_BRAILLE + sum(bit for bit, _ in cell)) if cell else " ")
    return "".join(text).rstrip() + ("" if before is None else "\x1b[0m")


def _shaded(cells: list[list[tuple[int, str]]], counts: Mapping[str, int], scale: Scale) -> str:
    marks = _marks(scale)
    return "".join(" " if not cell else marks[_level(cell, counts, scale)] for cell in cells).rstrip()


def _marks(scale: Scale) -> list[str]:
    """What stands for land, and for each class."""
    return [_LAND, *spread(_SHADES, len(scale.starts))]


def _colour(level: int, classes: int) -> int:
    return _COLOURS[len(_COLOURS) - 1 - classes + level] if level else _LAND_COLOUR


def _legend(scale: Scale, *, color: bool) -> str:
    names = ["none", *(f"{a:,}" if a == b else f"{a:,}–{b:,}" for a, b in scale.ranges)]  # noqa: RUF001 (a dash)
    if color:
        marks = [f"\x1b[38;5;{_colour(level, len(scale.starts))}m⣿\x1b[0m" for level in range(len(names))]
    else:
        marks = _marks(scale)
    return "  ".join(f"{mark} {name}" for mark, name in zip(marks, names, strict=True))

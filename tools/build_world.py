"""Makes ``geocli/data/world.json`` from Natural Earth's countries.

Only who changes the map runs this:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m tools.build_world package geocli/data/world.json

Which code an area has is ISO 3166's matter, its shape Natural Earth's: areas that the latter draws apart and
the former does not list are part of the country whose code they are listed under, as in the databases that
answers come from. Nothing here says whose an area is.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iso3166 import countries_by_numeric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Point = tuple[float, float]
Ring = list[Point]

WIDTH = 2000  # units of the map's coordinates, which are whole numbers: one or two to a pixel
_SOUTH, _NORTH = -56.5, 83.7  # degrees: from Cape Horn to the north of Greenland
_CENTRE = 11.0  # degrees east: the map is cut in the Bering Strait, where it cuts nobody in two
_SMALL = 60.0  # square units: what is smaller is hard to see, and gets a dot
_DROPPED = {"AQ"}  # beyond the edge of the map

_NAMED = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}
"""What has no numeric code in the source."""

_PARTS: dict[str, list[tuple[str, tuple[float, float, float, float]]]] = {
    "France": [
        ("GF", (-55, 2, -51, 6)),
        ("GP", (-62, 15.8, -60.9, 16.6)),
        ("MQ", (-61.3, 14.3, -60.7, 15)),
        ("RE", (55, -21.5, 56, -20.7)),
        ("YT", (44.9, -13.1, 45.4, -12.6)),
    ],
    "Norway": [("SJ", (10, 74, 35, 81)), ("SJ", (-9.5, 70.5, -7.5, 71.5)), ("BV", (3, -55, 4, -54))],
    "Netherlands": [("BQ", (-69, 11.9, -62, 18))],
    "New Zealand": [("TK", (-173, -10, -171, -8))],
    "Indian Ocean Ter.": [("CC", (96, -13, 97.5, -11.5)), ("CX", (105, -11, 106, -10))],
    "Russia": [("UA", (32, 44, 37, 46.3))],
}
"""Polygons that ISO 3166 lists elsewhere: west, south, east and north of a box that their centre is in."""


class Polygon(NamedTuple):
    """An outer ring and its holes as arc numbers of a topology (``~n``: arc n backwards)."""

    rings: list[list[int]]


class Topology:
    """A TopoJSON file: its arcs in degrees, and its polygons by country code."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        scale, translate = document["transform"]["scale"], document["transform"]["translate"]
        self._arcs: list[Ring] = []
        for arc in document["arcs"]:
            x = y = 0
            points = []
            for dx, dy in arc:
                x, y = x + dx, y + dy
                points.append((x * scale[0] + translate[0], y * scale[1] + translate[1]))
            self._arcs.append(points)
        self.polygons: dict[str, list[Polygon]] = defaultdict(list)
        for geometry in document["objects"]["countries"]["geometries"]:
            for polygon in _polygons(geometry):
                code = self._code(geometry, polygon)
                if code is not None:
                    self.polygons[code].append(polygon)

    def _code(self, geometry: dict[str, Any], polygon: Polygon) -> str | None:
        name = geometry["properties"]["name"]
        x, y = centre(self.ring(polygon.rings[0]))
        for code, (west, south, east, north) in _PARTS.get(name, ()):
            if west <= x <= east and south <= y <= north:
                return code
        country = countries_by_numeric.get(geometry.get("id", ""))
        return country.alpha2 if country else _NAMED.get(name)

    def ring(self, arcs: Sequence[int]) -> Ring:
        """The points of a ring in degrees, without jumps at the 180th meridian: its centre is on the map."""
        points: Ring = []
        for number in arcs:
            arc = self._arcs[number] if number >= 0 else self._arcs[~number][::-1]
            points += arc[1:] if points else arc
        unwrapped = [points[0]]
        for x, y in points[1:]:
            before = unwrapped[-1][0]
            unwrapped.append((x - 360 * round((x - before) / 360), y))
        shift = 360 * round((centre(unwrapped)[0] - _CENTRE) / 360)
        return [(x - shift, y) for x, y in unwrapped]

    def merged(self, code: str) -> list[Ring]:
        """All rings of a country; a border between two of its polygons is none."""
        polygons = self.polygons[code]
        uses = Counter(arc if arc >= 0 else ~arc for p in polygons for ring in p.rings for arc in ring)
        rings: list[Ring] = []
        loose: list[int] = []
        for polygon in polygons:
            for arcs in polygon.rings:
                if all(uses[arc if arc >= 0 else ~arc] == 1 for arc in arcs):
                    rings.append(self.ring(arcs))
                else:
                    loose += [arc for arc in arcs if uses[arc if arc >= 0 else ~arc] == 1]
        rings += [self.ring(arcs) for arcs in self._joined(loose)]
        return rings

    def _joined(self, arcs: Iterable[int]) -> Iterator[list[int]]:
        """Arcs put end to end until they close."""
        left = list(arcs)
        while left:
            chain = [left.pop(0)]
            while self._end(chain[-1]) != self._end(~chain[0]):
                following = next(arc for arc in left if self._end(~arc) == self._end(chain[-1]))
                left.remove(following)
                chain.append(following)
            yield chain

    def _end(self, arc: int) -> Point:
        return self._arcs[arc][-1] if arc >= 0 else self._arcs[~arc][0]


def _polygons(geometry: dict[str, Any]) -> list[Polygon]:
    if geometry["type"] == "Polygon":
        return [Polygon(geometry["arcs"])]
    return [Polygon(arcs) for arcs in geometry["arcs"]]


def area(ring: Ring) -> float:
    """The area inside a ring, whatever its direction."""
    return abs(_twice_area(ring)) / 2


def _twice_area(ring: Ring) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True))


def centre(ring: Ring) -> Point:
    """The centre of gravity of what is inside a ring."""
    twice = _twice_area(ring)
    if not twice:
        return ring[0]
    x = y = 0.0
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x0 * y1 - x1 * y0
        x += (x0 + x1) * cross
        y += (y0 + y1) * cross
    return x / (3 * twice), y / (3 * twice)


def equal_earth(point: Point) -> Point:
    """Degrees to the Equal Earth projection: areas are true, so that a colour weighs as much as its country.

    Šavrič, Patterson and Jenny (2018), doi:10.1080/13658816.2018.1504949, equations 1 to 4.
    """
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    longitude, latitude = math.radians(point[0] - _CENTRE), math.radians(point[1])
    theta = math.asin(math.sqrt(3) / 2 * math.sin(latitude))
    square = theta * theta
    sixth = square**3
    x = 2 * math.sqrt(3) * longitude * math.cos(theta)
    x /= 3 * (9 * a4 * sixth * square + 7 * a3 * sixth + 3 * a2 * square + a1)
    return x, theta * (a1 + a2 * square + sixth * (a3 + a4 * square))


class Frame:
    """Where on the map a point is."""

    def __init__(self) -> None:
        self._scale = WIDTH / (2 * equal_earth((_CENTRE + 180, 0))[0])
        self._top = equal_earth((_CENTRE, _NORTH))[1]
        self.height = round((self._top - equal_earth((_CENTRE, _SOUTH))[1]) * self._scale)

    def place(self, point: Point) -> Point:
        """From degrees."""
        x, y = equal_earth(point)
        return WIDTH / 2 + x * self._scale, (self._top - y) * self._scale


def path_of(rings: Iterable[Sequence[Point]]) -> str:
    """SVG path data in whole numbers: each ring absolute at its first point, relative from there."""
    text = []
    for ring in rings:
        points = [(round(x), round(y)) for x, y in ring]
        kept = [point for point, before in zip(points, [None, *points], strict=False) if point != before]
        if kept[-1] == kept[0]:
            kept.pop()
        if len(kept) < 3:
            continue
        text.append("M{},{}l".format(*kept[0]))
        steps = [f"{x1 - x0},{y1 - y0}" for (x0, y0), (x1, y1) in pairwise(kept)]
        text.append(" ".join(steps) + "z")
    return "".join(text).replace(",-", "-").replace(" -", "-")


def build(atlas: Path) -> dict[str, object]:
    """The map out of the directory with the ``countries-*.json`` of world-atlas."""
    frame = Frame()
    coarse, *finer = (Topology(atlas / f"countries-{scale}m.json") for scale in (110, 50, 10))
    shapes, dots = {}, {}
    for code in sorted(set(coarse.polygons) - _DROPPED):
        rings = [[frame.place(point) for point in ring] for ring in coarse.merged(code)]
        shapes[code] = path_of(rings)
        if sum(map(area, rings)) < _SMALL:
            largest = max(rings, key=area)
            dots[code] = [round(part) for part in centre(largest)]
    for topology in finer:
        for code in sorted(set(topology.polygons) - set(shapes) - set(dots) - _DROPPED):
            rings = [topology.ring(polygon.rings[0]) for polygon in topology.polygons[code]]
            dots[code] = [round(part) for part in frame.place(centre(max(rings, key=area)))]
    return {"width": WIDTH, "height": frame.height, "shapes": shapes, "dots": dict(sorted(dots.items()))}


if __name__ == "__main__":
    built = build(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(built, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")

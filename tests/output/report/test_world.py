"""The world map: every country is somewhere on it, and colours mean what the legend says."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso3166 import countries_by_alpha2

from geocli.model.errors import DamagedFileError
from geocli.output.report import world
from geocli.output.report.terminal import _rings
from geocli.output.report.world import DARK, LIGHT, areas, load_world, not_on, scale_of, spread
from tools import build_world
from tools.build_world import Frame, Topology, area, equal_earth, path_of


def luminance(colour: str) -> float:
    channels = [part / 255 for part in bytes.fromhex(colour.removeprefix("#"))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_country_but_two_is_on_the_map() -> None:
    found = load_world()
    assert set(countries_by_alpha2) - {*found.shapes, *found.dots} == {"AQ", "TK"}
    assert {*found.shapes, *found.dots} <= set(countries_by_alpha2)
    assert world.DATA.stat().st_size < 150_000
    assert "Natural Earth" in world.DATA.with_name("world.licence.txt").read_text(encoding="utf-8")


def test_everything_is_inside_and_where_it_belongs() -> None:
    found = load_world()
    middle = {}
    for code, path in found.shapes.items():
        assert re.fullmatch(r"(M-?\d+,?-?\d+l[-\d, ]+z)+", path), code
        points = [point for ring in _rings(path) for point in ring]
        assert all(0 <= x <= found.width and 0 <= y <= found.height for x, y in points), code
        largest = max(_rings(path), key=lambda ring: area([(float(x), float(y)) for x, y in ring]))
        middle[code] = [sum(axis) / len(largest) for axis in zip(*largest, strict=True)]
    middle |= {code: [float(x), float(y)] for code, (x, y) in found.dots.items()}
    west_to_east = ["US", "BR", "PT", "DE", "PL", "IN", "CN", "JP", "NZ", "FJ"]
    assert sorted(west_to_east, key=lambda code: middle[code][0]) == west_to_east
    north_to_south = ["SJ", "NO", "DE", "IT", "DZ", "NG", "CD", "ZA"]
    assert sorted(north_to_south, key=lambda code: middle[code][1]) == north_to_south
    for parent, part in (("FR", "GF"), ("FR", "RE"), ("NL", "BQ"), ("NO", "SJ")):
        assert part in middle, part
        distance = sum((a - b) ** 2 for a, b in zip(middle[parent], middle[part], strict=True)) ** 0.5
        assert distance > 30, part


def test_areas_are_true() -> None:
    """Square kilometres of the CIA World Factbook; the coarse coast is good for a tenth."""
    shapes = load_world().shapes
    size = {
        code: sum(area([(float(x), float(y)) for x, y in ring]) for ring in _rings(shapes[code]))
        for code in ("BR", "AU", "CD", "DZ", "GL", "MN")
    }
    known = {
        "BR": 8_515_770,
        "AU": 7_741_220,
        "CD": 2_344_858,
        "DZ": 2_381_740,
        "GL": 2_166_086,
        "MN": 1_564_116,
    }
    for code, square_kilometres in known.items():
        assert size[code] / size["BR"] == pytest.approx(square_kilometres / known["BR"], rel=0.1), code


@pytest.mark.parametrize(
    ("degrees", "expected"),
    # Equations of the paper by hand: on the equator x is 2 √3 λ / (3 A1), at the poles y is 1.3173627.
    [
        ((11, 0), (0, 0)),
        ((11, 90), (0, 1.3173627591574)),
        ((101, 0), (math.sqrt(3) * math.pi / (3 * 1.340264), 0)),
        ((-169, 0), (-2 * math.sqrt(3) * math.pi / (3 * 1.340264), 0)),
    ],
)
def test_the_projection_is_equal_earth(degrees: tuple[float, float], expected: tuple[float, float]) -> None:
    assert equal_earth(degrees) == pytest.approx(expected, abs=1e-6)


def topology(
    path: Path, *countries: tuple[str | None, str, list[list[list[int]]]], arcs: list[list[list[int]]]
) -> Path:
    geometries = [
        {"type": "MultiPolygon", "arcs": polygons, "properties": {"name": name}}
        | ({"id": number} if number else {})
        for number, name, polygons in countries
    ]
    document = {
        "type": "Topology",
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": arcs,
        "objects": {"countries": {"type": "GeometryCollection", "geometries": geometries}},
    }
    path.write_text(json.dumps(document))
    return path


def test_areas_without_a_code_of_their_own_join_without_a_border(tmp_path: Path) -> None:
    # Two squares with a common side: arc 0 is the side, 1 and 2 are the rest of each.
    arcs = [
        [[10, 0], [0, 10]],
        [[10, 10], [-10, 0], [0, -10], [10, 0]],
        [[10, 0], [10, 0], [0, 10], [-10, 0]],
    ]
    path = topology(
        tmp_path / "t.json", ("706", "Somalia", [[[0, 1]]]), (None, "Somaliland", [[[2, -1]]]), arcs=arcs
    )
    found = Topology(path)
    assert list(found.polygons) == ["SO"]
    (ring,) = found.merged("SO")
    assert area(ring) == 200
    assert (10.0, 5.0) not in ring
    assert {(0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)} <= set(ring)


def test_what_lies_across_the_date_line_is_in_one_piece(tmp_path: Path) -> None:
    path = topology(
        tmp_path / "t.json",
        ("242", "Fiji", [[[0]]]),
        arcs=[[[178, -18], [2, 0], [-359, 0], [0, 2], [357, 0], [0, -2]]],
    )
    found = Topology(path)
    (polygon,) = found.polygons["FJ"]
    xs = [x for x, _ in found.ring(polygon.rings[0])]
    assert max(xs) - min(xs) == 3
    assert all(0 < Frame().place((x, -17))[0] < build_world.WIDTH for x in xs)


def test_paths_are_whole_numbers_and_hold_no_point_twice() -> None:
    assert path_of([[(0.2, 0.2), (0.4, 0.1), (10.4, 0), (10, 10), (0, 0)]]) == "M0,0l10,0 0,10z"
    assert path_of([[(0, 0), (0.1, 0.1), (0.2, 0)]]) == ""


@given(st.lists(st.integers(1, 10**9), min_size=1))
def test_classes_cover_every_count_once(counts: list[int]) -> None:
    scale = scale_of(counts)
    assert 1 <= len(scale.starts) <= 6
    assert scale.starts[0] == 1
    assert scale.ranges[-1][1] == max(counts)
    assert scale.level(0) == 0
    for count in counts:
        first, last = scale.ranges[scale.level(count) - 1]
        assert first <= count <= last
    for (_, last), (first, _) in zip(scale.ranges, scale.ranges[1:], strict=False):
        assert first == last + 1


@pytest.mark.parametrize(
    ("largest", "starts"),
    [
        (0, []),
        (1, [1]),
        (5, [1, 2, 3, 4, 5]),
        (6, [1, 2, 5]),
        (99, [1, 2, 5, 10, 20, 50]),
        (1000, [1, 5, 20, 100, 500]),
    ],
)
def test_classes_start_at_round_numbers(largest: int, starts: list[int]) -> None:
    assert list(scale_of([largest]).starts) == starts


@pytest.mark.parametrize(("colours", "page"), [(LIGHT, "#ffffff"), (DARK, "#111318")])
def test_colours_go_away_from_the_page_step_by_step(colours: tuple[str, ...], page: str) -> None:
    for classes in range(1, 7):
        chosen = spread(colours, classes)
        assert len(set(chosen)) == classes
        away = [abs(luminance(colour) - luminance(page)) for colour in chosen]
        assert away == sorted(away)


def test_everything_is_drawn_once_and_dots_last() -> None:
    rows = [
        ("SG", "Singapore", 3, 9, 0.9),
        ("LU", "Luxembourg", 1, 1, 0.1),
        ("TK", "Tokelau", 1, 1, 0.1),
        (None, None, 1, 1, 0.1),
    ]
    found = load_world()
    drawn, scale = areas(found, rows, 3)
    named = [area_.code for area_ in drawn if area_.is_named]
    assert sorted(named) == sorted({*found.shapes, *found.dots})
    assert [bool(area_.dot) for area_ in drawn] == sorted(bool(area_.dot) for area_ in drawn)
    assert [(a.code, a.level, a.is_named) for a in drawn if a.level] == [
        ("LU", 1, False), ("SG", scale.level(9), True), ("LU", 1, True),
    ]  # fmt: skip
    assert not_on(found, rows) == [("Tokelau", 1)]
    by_addresses, _ = areas(found, rows, 2)
    assert max(area_.level for area_ in by_addresses) == 3


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[1]", b"\xff", b'{"width": 1, "height": 1, "shapes": {}, "dots": {"DE": [1]}}']
)
def test_a_damaged_map_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(world, "DATA", tmp_path / "world.json")
    with pytest.raises(DamagedFileError, match=r"world\.json"):
        load_world()
    (tmp_path / "world.json").write_bytes(text)
    with pytest.raises(DamagedFileError, match=r"world\.json"):
        load_world()

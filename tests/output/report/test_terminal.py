"""The map and the days in characters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.output.report.terminal import draw_world, sparkline
from geocli.output.report.world import load_world
from tests.support.examples import examples

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def rows(**counts: int) -> list[tuple[object, ...]]:
    return [(code, code, 1, count, 0.5) for code, count in counts.items()]


def test_without_colours_shades_say_where() -> None:
    lines = draw_world(rows(AU=1, RU=40), 80, color=False).splitlines()
    assert lines[-2] == "· none  ░ 1–4  ▓ 5–19  █ 20–40"  # noqa: RUF001 (dashes)
    picture = lines[: lines.index("")]
    assert max(map(len, picture)) <= 80
    shaded = {
        mark: [(x, y) for y, line in enumerate(picture) for x, c in enumerate(line) if c == mark]
        for mark in "░▓█"
    }
    assert not shaded["▓"]
    assert min(y for _, y in shaded["░"]) > len(picture) / 2  # Australia is down under
    assert min(x for x, _ in shaded["░"]) > 50
    assert max(y for _, y in shaded["█"]) < len(picture) / 2
    assert len(shaded["█"]) > len(shaded["░"]) > 10
    assert sum(line.count("·") for line in picture) > 300


def test_with_colours_dots_draw_coasts() -> None:
    text = draw_world(rows(AU=1, RU=40), 80, color=True)
    picture = text[: text.index("\n\n")]
    assert all(line.endswith("\x1b[0m") or "\x1b" not in line for line in picture.splitlines())
    plain = COLOUR.sub("", picture)
    assert set(plain) <= {" ", "\n", *map(chr, range(0x2801, 0x2900))}
    assert len({char for char in plain if char not in " \n"}) > 30  # coasts are not squares
    assert max(map(len, plain.splitlines())) <= 80
    assert len(set(re.findall(r"38;5;(\d+)m", picture))) == 3  # none, Australia, Russia


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("code", ["SG", "MT", "LU", "FJ", "XK", "IS"])
def test_small_countries_are_seen_too(code: str, color: bool) -> None:
    none = draw_world([], 80, color=color)
    some = draw_world(rows(**{code: 1}), 80, color=color)
    assert none[: none.index("\n\n")] != some[: some.index("\n\n")]


def test_every_country_that_is_on_the_map_is_in_the_terminal() -> None:
    found = load_world()
    everywhere = dict.fromkeys([*found.shapes, *found.dots], 1)
    text = draw_world(rows(**everywhere), 160, color=False)
    assert "·" not in text[: text.index("\n\n")]


@examples(25)
@given(
    st.integers(80, 400),
    st.dictionaries(st.sampled_from(["DE", "SG", "RU", "ZZ", "TK"]), st.integers(1, 10**9)),
)
def test_any_width_and_any_counts_can_be_drawn(width: int, counts: dict[str, int]) -> None:
    for color in (False, True):
        lines = COLOUR.sub("", draw_world(rows(**counts), width, color=color)).splitlines()
        assert max(map(len, lines[:-2])) <= min(width, 160)
        assert len(lines) <= 40


def test_days_are_one_line_without_gaps() -> None:
    days: list[tuple[object, ...]] = [
        ("2026-11-20", 1, 1, 0.1), ("2026-11-21", 1, 8, 0.8), ("2026-11-23", 1, 4, 0.4), (None, 1, 99, 0.1),
    ]  # fmt: skip
    assert sparkline(days, 80) == "2026-11-20 ▁█ ▄ 2026-11-23\n\n"
    assert sparkline(days, 24) == "2026-11-22  ▄ 2026-11-23\n\n"
    assert sparkline(days[:1], 80) == ""
    assert sparkline([], 80) == ""


def test_a_thousand_years_fit_a_line() -> None:
    text = sparkline([("0001-01-01", 1, 1, 0.5), ("9999-12-31", 1, 1, 0.5)], 80)
    assert len(text.strip()) == 80

"""Bars: what is in them adds up, and axes end at round numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.timeline import Timeline
from geocli.output.report.charts import HEIGHT, OTHERS, WIDTH, Label, _ceiling, stacked


def line(counts: list[list[int]], jails: list[str | None], period: str = "day") -> Timeline:
    starts = [f"2026-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(len(counts))]
    return Timeline(period, starts, jails, counts, 0)


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), min_size=1, max_size=120))
def test_bars_stand_side_by_side_and_parts_on_each_other(counts: list[list[int]]) -> None:
    chart = stacked(line(counts, ["a", "b", None]), "ban", "no jail")
    top = chart.ticks[0][1]
    for bar, row in zip(chart.bars, counts, strict=True):
        assert 0 <= bar.x < bar.x + bar.width <= WIDTH + 0.1
        assert sum(part.height for part in bar.parts) == pytest.approx(HEIGHT * sum(row) / top, abs=0.1)
        edge = HEIGHT
        for part in bar.parts:
            assert part.y + part.height == pytest.approx(edge, abs=0.05)
            edge = part.y
        assert edge >= -0.01
    assert [total for _, total in chart.series] == [sum(column) for column in zip(*counts, strict=True)]


def test_a_bar_says_what_is_in_it() -> None:
    chart = stacked(line([[1000, 2], [0, 0], [1, 0]], ["sshd", None]), "ban", "no jail")
    assert [bar.title for bar in chart.bars] == [
        "1 Jan 2026: 1,002 bans (sshd 1,000, no jail 2)",
        "2 Jan 2026: 0 bans",
        "3 Jan 2026: 1 ban (sshd 1)",
    ]
    assert [label.text for label in chart.labels] == ["1 Jan 2026", "2 Jan 2026", "3 Jan 2026"]
    assert stacked(line([[3]], ["sshd"]), "ban", "no jail").bars[0].title == "1 Jan 2026: 3 bans"


def test_the_seventh_jail_and_all_after_it_are_one() -> None:
    names: list[str | None] = [f"jail{n}" for n in range(9)]
    chart = stacked(line([[9, 8, 7, 6, 5, 4, 3, 2, 1]], names), "ban", "no jail")
    assert chart.series == [*((f"jail{n}", 9 - n) for n in range(5)), (OTHERS, 4 + 3 + 2 + 1)]
    assert len(stacked(line([[1] * 6], names[:6]), "ban", "no jail").series) == 6


@pytest.mark.parametrize(
    ("period", "start", "title", "label"),
    [
        ("hour", "2026-11-23T07:00", "23 Nov 2026, 07:00", "23 Nov, 07:00"),
        ("day", "2026-11-23", "23 Nov 2026", "23 Nov 2026"),
        ("week", "2026-11-23", "week of 23 Nov 2026", "23 Nov 2026"),
        ("month", "2026-11-01", "November 2026", "Nov 2026"),
    ],
)
def test_periods_are_written_as_people_write_them(period: str, start: str, title: str, label: str) -> None:
    chart = stacked(Timeline(period, [start], ["a"], [[2]], 0), "ban", "no jail")
    assert (chart.bars[0].name, chart.labels) == (title, [Label(50, "middle", label)])


@pytest.mark.parametrize("bars", [1, 2, 3, 4, 5, 8, 30, 120])
def test_dates_stand_below_their_bars_and_within_the_chart(bars: int) -> None:
    chart = stacked(line([[1]] * bars, ["a"]), "ban", "no jail")
    assert len(chart.labels) == {1: 1, 2: 2, 4: 2, 8: 2}.get(bars, 3)
    edge, half = -1.0, 12  # per cent: half a date on a telephone
    for label in chart.labels:
        (bar,) = [bar for bar in chart.bars if bar.name == label.text]
        assert bar.x / 10 - 0.1 <= label.x <= (bar.x + bar.width) / 10 + 0.1
        begin = label.x - {"start": 0, "middle": 1, "end": 2}[label.anchor] * half
        assert begin >= edge
        edge = begin + 2 * half
    assert edge <= 101


@given(st.integers(0, 10**12))
def test_an_axis_ends_at_an_even_number_that_is_not_much_too_large(largest: int) -> None:
    top = _ceiling(largest)
    assert top >= max(largest, 2)
    assert top % 2 == 0
    assert top <= max(2, largest * 1.5 + 1)

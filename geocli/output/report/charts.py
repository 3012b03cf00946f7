"""Charts as numbers for SVG: where bars stand, what an axis says.

Sizes are in units of a chart that is 1000 wide and 100 high, to be stretched to whatever room there is.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.bans.timeline import Timeline

WIDTH, HEIGHT = 1000.0, 100.0

OTHERS = "other jails"
_MOST_COLOURS = 5  # more cannot be told apart: the rest is one
_GAP = 0.22  # of a bar's room is empty
_WIDEST = 60.0
_MANY = 10  # of so many, the one before the middle is near enough to it
_NEAR_THE_EDGE = 0.14  # of the width: half a date on a telephone


class Part(NamedTuple):
    """A jail's part of a bar: its colour's number, and where it is."""

    colour: int
    y: float
    height: float


class Bar(NamedTuple):
    """A period: the room that belongs to it, the bar in it, and what it says.

    ``is_open``: there is or was more of the period than is counted here.
    """

    left: float
    room: float
    x: float
    width: float
    parts: Sequence[Part]
    name: str
    title: str
    counts: Sequence[int]
    is_open: bool = False


class Label(NamedTuple):
    """What stands below a bar: per cent of the width, what of the text is there (SVG's anchor), the text."""

    x: float
    anchor: str
    text: str


class Chart(NamedTuple):
    """Stacked bars. ``series`` are the colours' names and sums; ``ticks`` are heights with their numbers."""

    bars: Sequence[Bar]
    series: Sequence[tuple[str, int]]
    ticks: Sequence[tuple[float, int]]
    labels: Sequence[Label]


def stacked(lines: Timeline, unit: str, nameless: str) -> Chart:
    """A timeline as bars. A jail that the input does not name is called ``nameless``."""
    names = [nameless if jail is None else jail for jail in lines.jails]
    counts: list[list[int]] = [list(row) for row in lines.counts]
    if len(names) > _MOST_COLOURS + 1:
        names = [*names[:_MOST_COLOURS], OTHERS]
        counts = [[*row[:_MOST_COLOURS], sum(row[_MOST_COLOURS:])] for row in counts]
    top = _ceiling(max(lines.totals, default=0))
    room = WIDTH / max(len(counts), 1)
    width = min(room * (1 - _GAP), _WIDEST)
    bars: list[Bar] = []
    for number, (start, row) in enumerate(zip(lines.starts, counts, strict=True)):
        y, parts = HEIGHT, []
        for colour, count in enumerate(row):
            height = HEIGHT * count / top
            y -= height
            if count:
                parts.append(Part(colour, round(y, 2), round(height, 2)))
        left = number * room
        total = sum(row)
        name = period_name(lines.period, start)
        is_running = lines.running and number == len(counts) - 1
        is_open = is_running or (lines.cut and number == 0)
        title = (
            f"{name}{', so far' if is_running else ', in part' if is_open else ''}: {_plural(total, unit)}"
        )
        if len(names) > 1 and total:
            said = (f"{jail} {count:,}" for jail, count in zip(names, row, strict=True) if count)
            title = f"{title} ({', '.join(said)})"
        x = left + (room - width) / 2
        bars.append(
            Bar(
                round(left, 2), round(room, 2), round(x, 2), round(width, 2), parts, name, title, row, is_open
            )
        )
    sums = [sum(column) for column in zip(*counts, strict=True)]
    return Chart(
        bars,
        list(zip(names, sums, strict=True)),
        [(round(HEIGHT - HEIGHT * part / top, 2), part) for part in (top, top // 2) if part],
        _labels(lines, bars),
    )


def period_name(period: str, start: str) -> str:
    """A period as people write it: ``23 Nov 2026``."""
    moment = datetime.fromisoformat(start)
    if period == "hour":
        return f"{moment:%-d %b %Y, %H:%M}"
    if period == "month":
        return f"{moment:%B %Y}"
    return f"{'week of ' if period == 'week' else ''}{moment:%-d %b %Y}"


def _labels(lines: Timeline, bars: Sequence[Bar]) -> list[Label]:
    """The first period, the middle one if there is one, and the last, below their bars, inside the chart."""
    last = len(bars) - 1
    middle = [last // 2] if last % 2 == 0 or last > _MANY else []
    form = {"hour": "%-d %b, %H:%M", "month": "%b %Y"}.get(lines.period, "%-d %b %Y")
    labels = []
    for number in dict.fromkeys((0, *middle, last)):
        bar, text = bars[number], datetime.fromisoformat(lines.starts[number]).strftime(form)
        place = bar.x + bar.width / 2
        if last and place < WIDTH * _NEAR_THE_EDGE:
            labels.append(Label(round(bar.x / WIDTH * 100, 1), "start", text))
        elif last and place > WIDTH * (1 - _NEAR_THE_EDGE):
            labels.append(Label(round((bar.x + bar.width) / WIDTH * 100, 1), "end", text))
        else:
            labels.append(Label(round(place / WIDTH * 100, 1), "middle", text))
    return labels


def _ceiling(largest: int) -> int:
    """A round, even number that is not below: the top of an axis."""
    if largest <= 2:
        return 2
    magnitude: int = 10 ** (len(str(largest)) - 1)
    steps = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
    fitting = next(round(step * magnitude) for step in steps if step * magnitude >= largest)
    return fitting + fitting % 2


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"

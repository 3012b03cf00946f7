"""The page: one HTML file that asks nobody for anything, and shows itself in any browser, or on paper.

Jinja2 escapes all text by itself. A Content-Security-Policy in the page names the hashes of its one style and
its one script: nothing else in it can ever run, colour or load anything, whatever a name holds.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from geocli.output.report.charts import HEIGHT, WIDTH, stacked
from geocli.output.report.tables import addresses_of, minute, tables_of
from geocli.output.report.world import DARK, LIGHT, areas, load_world, not_on, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.config.sources import Credit
    from geocli.output.report.about import About
    from geocli.output.report.summary import Summary

_TEMPLATES = Path(__file__).with_name("templates")
_STATUSES = {
    "reserved": "private or otherwise reserved",
    "unknown": "unknown",
    "error": "could not be asked about",
    "ok": "of a known AS alone",
}


def render_page(picture: Summary, about: About, credits_: Sequence[Credit]) -> str:
    """The page as text. Raises ``DamagedFileError``."""
    countries = picture.tables["country"]
    chosen = _map(picture, about)
    style = _text("page.css") + _rules(len(chosen["ranges"])) + _lengths(about.top)
    script = _text("page.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            **chosen,
            about=about,
            picture=picture,
            made=datetime.fromtimestamp(about.made, UTC),
            groups=tables_of(picture, about.top),
            addresses=addresses_of(picture),
            located=[row for row in countries if row[0] is not None],
            elsewhere=[(_STATUSES[status], count) for status, count in picture.elsewhere.items()],
            chart=None if picture.timeline is None else stacked(picture.timeline, about.unit, "no jail"),
            chart_size=(int(WIDTH), int(HEIGHT)),
            credits=credits_,
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


def render_map(picture: Summary, about: About, credits_: Sequence[Credit]) -> str:
    """The map alone, as an SVG document. Raises ``DamagedFileError``."""
    chosen = _map(picture, about)
    return (
        _environment()
        .get_template("map.svg")
        .render(
            **chosen,
            about=about,
            picture=picture,
            colours=spread(LIGHT, len(chosen["ranges"])),
            credits=credits_,
        )
    )


def _environment() -> Environment:
    made = Environment(
        autoescape=True,
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"percent": percent, "change": change, "day": _day, "minute": minute, "plural": plural}
    return made


def _map(picture: Summary, about: About) -> dict[str, Any]:
    world = load_world()
    countries = picture.tables["country"]
    drawn, scale = areas(world, countries, 2 if about.map_by == "addresses" else 3)
    members = Counter(area.level for area in drawn if area.is_named)
    return {
        "world": world,
        "areas": drawn,
        "ranges": [(first, last, members[n]) for n, (first, last) in enumerate(scale.ranges, 1)],
        "not_on_map": not_on(world, countries),
    }


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def percent(share: float) -> str:
    """A share from 0 to 1 as people read it."""
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def change(factor: float) -> str:
    """Growth (0.1: a tenth more) as people read it, with a real minus sign."""
    return f"{factor:+.0%}".replace("-", "−")  # noqa: RUF001 (it is meant)


def plural(count: int, unit: str) -> str:
    """``1 ban``, ``5,000 bans``, ``2 addresses``, ``3 countries``, ``4 new AS``."""
    if count != 1 and not unit.endswith("AS"):
        unit = f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}{'es' if unit.endswith('s') else 's'}"
    return f"{count:,} {unit}"


def _day(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%-d %b %Y, %H:%M}"


def _rules(classes: int) -> str:
    """The map's colours as rules of the style."""

    def rules(colours: Sequence[str]) -> str:
        chosen = enumerate(spread(colours, classes), 1)
        return "".join(f".k{number}{{fill:{colour}}}" for number, colour in chosen)

    return f"{rules(LIGHT)}\n@media screen and (prefers-color-scheme:dark){{{rules(DARK)}}}\n"


def _lengths(top: int) -> str:
    """The rules of bars in tables, and of rows that are not shown at first."""
    bars = "".join(f".w{n}{{--w:{n / 100}}}" for n in range(101))
    hidden = f".all:not(:checked)~table tbody tr:nth-child(n+{top + 1}){{display:none}}"
    return f"{bars}\n@media screen{{{hidden}}}\n"


def _hash(text: str) -> str:
    """What a Content-Security-Policy calls this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""What is drawn above a table of groups: the world above countries, a sparkline above days."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from geocli.cli.messages import say
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.cli.output import Output
    from geocli.config.settings import Settings


def check_map(by: str | None, has_form: bool) -> bool:
    """See that --map can be drawn; it stands above the table, also in a pipe. Raises ``UsageError``."""
    if by != "country":
        raise UsageError("--map is for --by country")
    if has_form:
        raise UsageError("--map is drawn above the table: it goes with no other form")
    return True


def above(
    by: str | None, rows: Sequence[tuple[object, ...]], settings: Settings, output: Output, *, map_: bool
) -> str:
    """What to show before the table of all these rows; nothing for most."""
    width = shutil.get_terminal_size().columns
    if by == "day" and sys.stdout is not None and sys.stdout.isatty():
        from geocli.output.report.terminal import sparkline

        return sparkline(rows, width)
    if not map_:
        return ""
    from geocli.output.report.terminal import NARROWEST, draw_world

    if width < NARROWEST:
        if not settings.quiet:
            say(f"the map needs {NARROWEST} columns, and this terminal has {width}")
        return ""
    return draw_world(rows, width, color=output.color)

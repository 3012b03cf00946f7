"""The picture of a list: a page, a map alone, or a map in the terminal, out of a ``picture.Summary``.

``world`` has the map's shapes and what their colours mean; ``charts`` draws bars; ``page`` writes HTML and is
the only importer of Jinja2; ``image`` makes a PNG; ``terminal`` draws with characters. Whatever text comes
from outside is escaped where it enters a page. Nothing here reads the network, and no page does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geocli.output.report.todo import ToDo


class About(NamedTuple):
    """What a page says about itself.

    ``unit`` is what is counted (``ban`` or ``hit``), ``nothing`` what is said when there is none. ``origin``
    is where it was read, ``made`` when (seconds since the epoch). ``top`` rows of each table are shown.
    ``map_by`` decides the map's colours: ``bans`` or ``addresses``. ``filtered`` are the filters that were
    set, ``warnings`` what could not be read; ``age`` says that the database is old, if it is. ``todo``
    is what there is to do now.
    """

    title: str
    unit: str
    nothing: str
    origin: str
    made: float
    map_by: str = "bans"
    top: int = 15
    filtered: Sequence[str] = ()
    warnings: Sequence[str] = ()
    age: str | None = None
    anonymous: bool = False
    version: str = ""
    todo: ToDo | None = None

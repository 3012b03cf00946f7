"""What long work tells whoever started it, while it goes on. Nothing here prints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from geocli.model.records import utc_text
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from geocli.model.errors import GeocliError


def _nothing(*_: object) -> None:
    pass


def now_text() -> str:
    """The present moment, as a record has it."""
    return utc_text(time.time())


class Reporter(Value):
    """Where to say what.

    ``problem`` takes an error that did not stop the work, ``notice`` a line that everybody should see once,
    ``detail`` one for those who asked for details, ``waiting`` for what the work waits and how many seconds
    are left. ``clock`` gives the ``resolved_at`` of what is answered now.
    """

    problem: Callable[[GeocliError], None] = _nothing
    notice: Callable[[str], None] = _nothing
    detail: Callable[[str], None] = _nothing
    waiting: Callable[[str, float], None] = _nothing
    clock: Callable[[], str] = now_text

"""One line on stderr for everything that is not data."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from geocli.model.records import clean_text
from geocli.system.reporter import Reporter

if TYPE_CHECKING:
    from geocli.cli.progress import Progress
    from geocli.config.settings import Settings
    from geocli.model.errors import Problems

_LONGEST = 1000


def say(text: str) -> None:
    """One line, whatever is in it: a file's name and an error's text may come from anywhere."""
    if sys.stderr is None:  # started with stderr closed (2>&-): print() would take stdout instead
        return
    with suppress(OSError):  # where nobody can hear it, the exit code still says it
        print(f"geocli: {clean_text(text, _LONGEST)}", file=sys.stderr)  # noqa: T201 (this is the place)


def reporter(settings: Settings, problems: Problems, progress: Progress) -> Reporter:
    """Where long work says what it has to say: problems at the end, the rest as it comes."""

    def notice(text: str) -> None:
        if not settings.quiet:
            progress.hide()
            say(text)

    def detail(text: str) -> None:
        if settings.verbose:
            progress.hide()
            say(text)

    return Reporter(problem=problems.note, notice=notice, detail=detail, waiting=progress.wait)

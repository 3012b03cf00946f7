"""One line on stderr for everything that is not data."""

from __future__ import annotations

import sys
from contextlib import suppress

from geocli.records import clean_text

_LONGEST = 1000


def say(text: str) -> None:
    """One line, whatever is in it: a file's name and an error's text may come from anywhere."""
    with suppress(OSError):  # where nobody can hear it, the exit code still says it
        print(f"geocli: {clean_text(text, _LONGEST)}", file=sys.stderr)  # noqa: T201 (this is the place)

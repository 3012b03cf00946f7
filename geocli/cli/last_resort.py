"""What is said when something happens that nobody foresaw: one line, and with ``-v`` the trace.

That is a bug, and its exit code says so. Nothing is lost by it: an answer is on disk before it is printed,
and the store is written in one transaction.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from errno import EMFILE, ENFILE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODE = 70
"""``EX_SOFTWARE`` of sysexits.h. A number: the import of geocli's own may be what failed."""

NO_MEMORY = 75, "geocli: there is not enough memory; try again, or with less at once\n"
"""The exit code, and what is said."""

NO_FILES = 75, "geocli: too many files are open; try again\n"
"""The same for these: a module is a file too, and one that is imported late may be the one too many."""

_NO_ROOM_FOR_LIBRARY = ("failed to map segment", "annot allocate memory")  # glibc's and musl's words

_LONGEST = 300  # characters of what an error says


def tell(error: Exception, arguments: Sequence[str]) -> int:
    """Say what happened on stderr, and return the exit code. ``arguments`` are those of the command line."""
    if isinstance(error, ImportError) and any(words in str(error) for words in _NO_ROOM_FOR_LIBRARY):
        code, text = NO_MEMORY
    elif isinstance(error, OSError) and error.errno in {EMFILE, ENFILE}:
        code, text = NO_FILES
    else:
        code, text = EXIT_CODE, _message(error, wants_trace(arguments))
    if sys.stderr is not None:  # closed (2>&-)
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
    return code


def wants_trace(arguments: Sequence[str]) -> bool:
    """Whether ``-v`` or ``--verbose`` is among the options."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "-v" in options or "--verbose" in options


def _message(error: Exception, with_trace: bool) -> str:
    # What an error says may hold anything that came from outside.
    text = ascii(str(error)[:_LONGEST])[1:-1]
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if not with_trace:
        return f"geocli: unforeseen, which is a bug: {said}; nothing is lost; geocli -v ... shows where\n"
    import traceback  # now there is time

    lines = "".join(traceback.format_exception(error)).splitlines()
    trace = "".join(f"{''.join(c if c.isprintable() else ascii(c)[1:-1] for c in line)}\n" for line in lines)
    return f"geocli: unforeseen, which is a bug: {said}; nothing is lost\n{trace}"

"""Data goes to stdout through here, and everything else to stderr, one line each.

Stdout that goes away (``| head``) is the end of the work, not an error; stdout that cannot take more
(a full disk) is one.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from geocli.model.errors import TryAgainError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.cli.progress import Progress
    from geocli.config.settings import Settings
    from geocli.model.errors import Problems
    from geocli.system.reporter import Reporter


_LONGEST = 1000  # characters of a message


class ReaderGoneError(Exception):
    """Nobody reads stdout any more: time to stop, silently."""


def prepare_stdout() -> None:
    """Have what stdout's encoding lacks shown all the same."""
    if not takes_utf8():
        from geocli.cli import ascii_fallback  # for terminals of the last century

        ascii_fallback.register()
        sys.stdout.reconfigure(errors=ascii_fallback.NAME)  # type: ignore[union-attr]  # a real stream


def takes_utf8() -> bool:
    """Whether stdout takes text as it is. Closed, it takes anything."""
    return sys.stdout is None or (sys.stdout.encoding or "utf-8").lower() == "utf-8"


def write_text(text: str) -> None:
    """Write to stdout and see that it got there. Raises ``ReaderGoneError`` or ``TryAgainError``."""
    if text:
        with _going_out() as stdout:
            stdout.write(text)
            stdout.flush()


def write_bytes(data: bytes) -> None:
    """The same with bytes, as they are."""
    if data:
        with _going_out() as stdout:
            stdout.buffer.write(data)
            stdout.buffer.flush()


@contextmanager
def _going_out() -> Iterator[Any]:
    if sys.stdout is None:  # started with stdout closed (>&-)
        raise ReaderGoneError
    try:
        yield sys.stdout
    except (BrokenPipeError, ValueError) as error:
        discard_stdout()
        raise ReaderGoneError from error
    except OSError as error:
        discard_stdout()
        raise TryAgainError(f"cannot write to standard output: {error.strerror}") from error


def discard_stdout() -> None:
    """Let what is left in stdout's buffer go nowhere, so that closing it at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(text: str) -> None:
    """One line, whatever is in it: a file's name and an error's text may come from anywhere."""
    if sys.stderr is None:  # started with stderr closed (2>&-): print() would take stdout instead
        return
    from geocli.model.records import clean_text  # mostly, there is nothing to say

    with suppress(OSError):  # where nobody can hear it, the exit code still says it
        print(f"geocli: {clean_text(text, _LONGEST)}", file=sys.stderr)  # noqa: T201 (this is the place)


def is_watched(settings: Settings) -> bool:
    """Whether a person reads what ``say`` says, and wants more than errors."""
    return not settings.quiet and sys.stderr is not None and sys.stderr.isatty()


def is_for_people(settings: Settings) -> bool:
    """Whether somebody may wonder about an empty result: it goes to a terminal, or ``-v`` was given."""
    if settings.verbose:
        return True
    return not settings.quiet and sys.stdout is not None and sys.stdout.isatty()


def reporter(settings: Settings, problems: Problems, progress: Progress) -> Reporter:
    """Where long work says what it has to say: problems at the end, the rest as it comes."""
    from geocli.system.reporter import Reporter  # what asks nobody does without

    def notice(text: str) -> None:
        if not settings.quiet:
            progress.hide()
            say(text)

    def detail(text: str) -> None:
        if settings.verbose:
            progress.hide()
            say(text)

    return Reporter(problem=problems.note, notice=notice, detail=detail, waiting=progress.wait)

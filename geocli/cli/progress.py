"""A progress bar for work that lasts, on a terminal that is not busy showing rows already."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from geocli.config.settings import Settings

_PATIENCE = 0.5  # seconds: shorter work shows nothing, and does not pay for importing Rich
_FRAME = 0.1  # seconds: no eye sees more
_MIB = 1 << 20


class Progress:
    """Shows how far the work is. Use as a context manager; does nothing where nobody would see it."""

    def __init__(self, settings: Settings) -> None:
        self._visible = not settings.quiet and sys.stderr is not None and sys.stderr.isatty()
        self._among_rows = sys.stdout is not None and sys.stdout.isatty()
        self._color = settings.color != "never"
        self._since = time.monotonic()
        self._shown = 0.0
        self._what = ""
        self._bar: Any = None
        self._task: Any = None

    @classmethod
    def without_rows(cls, settings: Settings) -> Self:
        """For work that shows no rows, so that the bar may be on the same terminal."""
        progress = cls(settings)
        progress._among_rows = False
        return progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()

    def hide(self) -> None:
        """Make room for a line on the same terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def rows_begin(self) -> None:
        """Make room for rows on the same terminal, and show nothing more there."""
        self._among_rows = sys.stdout is not None and sys.stdout.isatty()
        if self._among_rows:
            self.hide()

    def show(self, what: str, done: int, total: int | None = None) -> None:
        """``done`` of ``total`` (``None``: nobody knows) of what is being done."""
        if self._is_due():
            figures = f"{done:,}" if total is None else f"{done:,}/{total:,}"
            self._update(what, figures, completed=done, total=total)

    def show_bytes(self, what: str, done: int, total: int) -> None:
        """The same in bytes."""
        if self._is_due():
            self._update(what, f"{done / _MIB:,.1f}/{total / _MIB:,.1f} MiB", completed=done, total=total)

    def wait(self, what: str, seconds: float) -> None:
        """What the work waits for, and how long it will; 0 when nobody knows."""
        if self._visible and (seconds >= _PATIENCE or seconds == 0 or self._bar is not None):
            self._update(f"waiting for {what}" + (f", {seconds:.0f} s" if seconds else ""), "")

    def _is_due(self) -> bool:
        if self._among_rows:
            self.hide()
            return False
        return self._visible and time.monotonic() - self._since >= _PATIENCE

    def _update(self, what: str, done: str, **figures: int | None) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True, no_color=not self._color),
                transient=True,
                auto_refresh=False,  # its thread would be alive when workers are forked
            )
            self._bar.start()
            self._task = self._bar.add_task(what, total=None)
        self._bar.update(self._task, description=f"{what} {done}".rstrip(), **figures)
        # What takes long may say so once, and nothing more until it is done.
        if what != self._what or time.monotonic() - self._shown >= _FRAME:
            self._bar.refresh()
            self._what, self._shown = what, time.monotonic()


class InputMeter:
    """Shows how much of some inputs was read, where all of them are files and so have a size.

    Of pipes it shows how much was found in them.
    """

    def __init__(self, progress: Progress, paths: Iterable[Path]) -> None:
        self._progress = progress
        self._total = _size_of(paths)
        self._done = 0

    def read(self, size: int) -> None:
        """So many more bytes were read."""
        self._done += size
        if self._total > 0:
            self._progress.show_bytes("reading", min(self._done, self._total), self._total)

    def found(self, what: str, count: int) -> None:
        """So much was found so far: shown where there is nothing to read, or nobody knows how much."""
        if self._done >= self._total:
            self._progress.show(what, count)


def _size_of(paths: Iterable[Path]) -> int:
    """How many bytes these files have; 0 where one of them is none."""
    total = 0
    for path in paths:
        with suppress(OSError, ValueError, AttributeError):  # no such file, no standard input
            status = os.fstat(sys.stdin.fileno()) if str(path) == "-" else path.stat()
            if not stat.S_ISREG(status.st_mode):
                return 0
            total += status.st_size
    return total

"""A progress bar for work that lasts, on a terminal that is not busy showing rows already."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from geocli.config.settings import Settings

_PATIENCE = 0.5  # seconds: shorter work shows nothing, and does not pay for importing Rich
_FRAME = 0.1  # seconds: no eye sees more


class Progress:
    """Shows how far the work is. Use as a context manager; does nothing where nobody would see it."""

    def __init__(self, settings: Settings) -> None:
        self._visible = not settings.quiet and sys.stderr is not None and sys.stderr.isatty()
        self._among_rows = sys.stdout is not None and sys.stdout.isatty()
        self._color = settings.color != "never"
        self._since = time.monotonic()
        self._shown = 0.0
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
        """Make room for rows on the same terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, what: str, done: int, total: int | None = None) -> None:
        """``done`` of ``total`` (``None``: nobody knows) of what is being done."""
        if self._among_rows:
            self.hide()
        elif self._visible and time.monotonic() - self._since >= _PATIENCE:
            self._update(what, completed=done, total=total)

    def wait(self, what: str, seconds: float) -> None:
        """What the work waits for, and how long it will; 0 when nobody knows."""
        if self._visible and (seconds >= _PATIENCE or seconds == 0 or self._bar is not None):
            self._update(f"waiting for {what}" + (f", {seconds:.0f} s" if seconds else ""))

    def _update(self, what: str, **figures: int | None) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True, no_color=not self._color),
                transient=True,
                auto_refresh=False,  # its thread would be alive when workers are forked
            )
            self._bar.start()
            self._task = self._bar.add_task(what, total=None)
        self._bar.update(self._task, description=what, **figures)
        if (now := time.monotonic()) - self._shown >= _FRAME:
            self._bar.refresh()
            self._shown = now

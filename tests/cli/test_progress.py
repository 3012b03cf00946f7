"""The bar that long work shows on a terminal."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

import pytest

from geocli.cli import progress
from geocli.cli.progress import Progress
from geocli.config.settings import Settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def bar_on(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Progress:
    """A bar that shows at once. pytest sets ``sys.stderr`` between a fixture and its test: so no fixture."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_FRAME", 0.0)
    return Progress.without_rows(Settings(Path("/nowhere")))


def test_a_bar_has_no_thread_that_would_be_alive_when_workers_are_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, before = Terminal(), threading.active_count()
    with bar_on(terminal, monkeypatch) as bar:
        bar.show("counting", 1, 3)
        assert threading.active_count() == before
        bar.show("counting", 2, 3)
        assert "2/3" in terminal.getvalue()


def test_it_is_gone_when_rows_come_and_back_when_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    with bar_on(terminal, monkeypatch) as bar:
        bar.show("counting", 1)
        bar.hide()
        assert "counting" in terminal.getvalue()
        bar.show("again", 2)
        assert "again" in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    with bar_on(pipe, monkeypatch) as bar:
        bar.show("counting", 1)
        bar.wait("a source", 5)
    assert pipe.getvalue() == ""

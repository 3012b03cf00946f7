"""A journal that nobody flushes: said once, to people only."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Geocli
from tests.support.terminal import on_terminal


def age_journal(data_dir: Path, seconds: float) -> None:
    """Have everything in the journal be older."""
    with closing(sqlite3.connect(data_dir / "journal" / "cache.db")) as journal:
        journal.execute("UPDATE Cache SET store_time = store_time - ?", (seconds,))
        journal.commit()


@pytest.fixture
def stale(geocli: Geocli, data_dir: Path) -> Geocli:
    """With answers that should have been flushed an hour ago."""
    geocli("8.8.8.8")
    age_journal(data_dir, 3600)
    return geocli


def test_a_look_up_on_a_terminal_says_so_once_and_how_to_mend_it(stale: Geocli) -> None:
    first = on_terminal(stale, "8.8.8.8")
    assert first.code == 0
    assert "8.8.8.8" in first.out
    (line,) = first.err.splitlines()
    assert re.fullmatch(
        r"geocli: the journal has been waiting .* for 60 minutes: .*geocli cron install.*", line
    )
    assert on_terminal(stale, "8.8.8.8").err == ""
    assert on_terminal(stale, "9.9.9.9").err == ""


def test_it_is_said_again_the_next_day_and_for_the_next_backlog(stale: Geocli, data_dir: Path) -> None:
    assert on_terminal(stale, "8.8.8.8").err
    said = data_dir / "flush-notice"
    assert said.stat().st_mode & 0o777 == 0o600
    os.utime(said, (time.time() - 86500,) * 2)
    age_journal(data_dir, 90_000)
    assert on_terminal(stale, "8.8.8.8").err
    assert on_terminal(stale, "8.8.8.8").err == ""
    stale("flush")
    assert on_terminal(stale, "9.9.9.9").err == ""
    os.utime(said, (time.time() - 3000,) * 2)
    age_journal(data_dir, 1200)
    assert on_terminal(stale, "9.9.9.9").err


def test_nobody_hears_it_who_cannot_do_anything_about_it(stale: Geocli, data_dir: Path) -> None:
    assert stale("8.8.8.8").stderr == ""
    assert on_terminal(stale, "8.8.8.8", stderr=False).err == ""
    assert on_terminal(stale, "-q", "8.8.8.8").err == ""
    assert on_terminal(stale, "--no-cache", "8.8.8.8").err == ""
    assert not (data_dir / "flush-notice").exists()
    # Somebody who pipes the answers sees it all the same.
    assert "geocli cron install" in on_terminal(stale, "8.8.8.8", stdout=False).err


def test_ten_minutes_are_no_reason(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    age_journal(data_dir, 500)
    assert on_terminal(geocli, "8.8.8.8").err == ""
    geocli("flush")
    assert on_terminal(geocli, "8.8.8.8").err == ""


def test_a_place_that_cannot_be_written_keeps_nobody_from_an_answer(stale: Geocli, data_dir: Path) -> None:
    (data_dir / "flush-notice").symlink_to("/nonexistent/file")
    for _ in range(2):
        shown = on_terminal(stale, "8.8.8.8")
        assert (shown.code, len(shown.err.splitlines())) == (0, 1)
    assert (data_dir / "flush-notice").is_symlink()


def test_a_repeated_look_up_in_a_pipe_writes_nothing(stale: Geocli, data_dir: Path) -> None:
    stale("8.8.8.8")  # the first reader after SQLite put its log away makes it again
    before = {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")}
    stale("8.8.8.8")
    assert {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")} == before

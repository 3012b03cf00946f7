"""``geocli stats``: figures for people, for scripts and for monitoring."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Geocli

FIGURES = [
    "stored", "unknown", "dirty", "quarantined", "oldest_dirty_seconds", "last_flush", "journal_bytes",
    "store_bytes", "databases",
]  # fmt: skip


def test_an_empty_start_is_all_zeros_and_makes_nothing(geocli: Geocli, data_dir: Path) -> None:
    figures = json.loads(geocli("stats", "-j").stdout)
    assert list(figures)[: len(FIGURES)] == FIGURES
    assert figures["stored"] == figures["unknown"] == figures["dirty"] == figures["quarantined"] == 0
    assert figures["oldest_dirty_seconds"] is figures["last_flush"] is None
    assert figures["databases"][0].keys() == {"name", "type", "edition", "age_days"}
    assert figures["databases"][0]["name"] == "embedded-2026-06"
    assert not data_dir.exists()


def test_answers_are_counted_where_they_are(geocli: Geocli) -> None:
    geocli("8.8.8.8", "0.0.0.0/0", "10.0.0.1")
    waiting = json.loads(geocli("stats", "-j").stdout)
    assert (waiting["dirty"], waiting["stored"]) == (2, 0)
    assert waiting["oldest_dirty_seconds"] < 60
    assert waiting["journal_bytes"] > 0
    geocli("flush")
    flushed = json.loads(geocli("stats", "-j").stdout)
    assert (flushed["dirty"], flushed["stored"], flushed["unknown"]) == (0, 2, 1)
    assert flushed["last_flush"].endswith("Z")
    assert flushed["store_bytes"] > 0


def test_people_get_lines_and_a_pipe_gets_the_same(geocli: Geocli) -> None:
    lines = dict(line.split("\t") for line in geocli("stats").stdout.splitlines())
    assert lines["dirty"] == "0"
    assert lines["database"].startswith("embedded-2026-06 (")


@pytest.mark.parametrize(
    "options", [["--max-db-age", "99y"], ["--max-db-age", "99y", "--max-dirty-age", "1s"]]
)
def test_a_check_is_silent_while_all_is_well(geocli: Geocli, options: list[str]) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    done = geocli("stats", "--check", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_check_says_in_one_line_what_is_stale(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        journal.execute("UPDATE Cache SET store_time = store_time - 3600")
    done = geocli("stats", "--check", "--max-db-age", "1d")
    assert (done.returncode, done.stderr) == (1, "")
    assert len(done.stdout.splitlines()) == 1
    assert "the oldest of 1 unflushed answers" in done.stdout
    assert "embedded-2026-06" in done.stdout


def test_a_bad_duration_is_a_usage_error(geocli: Geocli) -> None:
    done = geocli("stats", "--check", "--max-db-age", "soon")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--max-db-age" in done.stderr


def test_a_broken_store_is_named(geocli: Geocli, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "geo.db").write_text("not SQLite\n" * 1000)
    done = geocli("stats", "-j")
    assert (done.returncode, done.stdout) == (4, "")
    assert str(data_dir / "geo.db") in done.stderr


def test_the_databases_in_use_are_listed_with_their_licences(geocli: Geocli) -> None:
    listed = json.loads(geocli("db", "list", "-j").stdout)
    assert listed["name"] == "embedded-2026-06"
    for name in ("CC0", "CC BY 4.0", "DB-IP", "RouteViews"):
        assert name in listed["licence"]
    assert Path(listed["path"]).with_name("embedded-2026-06.licence.txt").is_file()
    assert geocli("db", "list", "-f", "type,edition").stdout == "embedded\t2026-06\n"

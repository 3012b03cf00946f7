"""``geocli stats``: figures for people, for scripts and for monitoring."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from geocli.mmdb.embedded import embedded_path
from geocli.output.status.text import age
from tests.conftest import Geocli, MakeMmdb
from tests.output.status.test_prometheus import parse
from tests.support.terminal import on_terminal

EMBEDDED = embedded_path().stem
EDITION = EMBEDDED.removeprefix("embedded-")
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
    assert figures["databases"][0]["name"] == EMBEDDED
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
    assert lines["database"].startswith(f"{EMBEDDED} (")


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
    assert EMBEDDED in done.stdout


def test_several_findings_are_one_line_whatever_a_database_is_called(
    geocli: Geocli, data_dir: Path, make_mmdb: MakeMmdb
) -> None:
    geocli("8.8.8.8")
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        journal.execute("UPDATE Cache SET store_time = store_time - 3600")
    old = make_mmdb("a\nb\x1b[2J", {"192.0.2.0/24": {"country": {"iso_code": "DE"}}})
    other = Geocli(data_dir, {"GEOCLI_LOOKUP_MMDB": str(old)})
    done = other("stats", "--check", "--max-db-age", "0")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "\x1b" not in done.stdout
    assert "flush" in done.stdout
    assert "geocli_database_age_days" in parse(other("stats", "--prometheus").stdout)


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
    listed = json.loads(geocli("db", "list", "-j").stdout.splitlines()[0])
    assert listed["name"] == EMBEDDED
    for name in ("CC0", "CC BY 4.0", "DB-IP", "RouteViews"):
        assert name in listed["licence"]
    assert Path(listed["path"]).with_name(f"{EMBEDDED}.licence.txt").is_file()
    assert geocli("db", "list", "-f", "type,edition").stdout.startswith(f"embedded\t{EDITION}\n")


# --- for people ---------------------------------------------------------------------------------------


def test_a_terminal_shows_sections_ages_and_what_is_to_be_seen_to(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        journal.execute("UPDATE Cache SET store_time = store_time - 7200")
    shown = on_terminal(geocli, "stats")
    assert (shown.code, shown.err) == (0, "")
    for title in ("Store", "Journal", "Databases", "To see to"):
        assert f"\n{title}\n" in f"\n{shown.out}"
    assert "1 answer, the oldest for 2 hours" in shown.out
    assert "last flush        never" in shown.out
    assert "does cron run geocli flush?" in shown.out
    assert str(data_dir / "geo.db") in shown.out
    geocli("flush")
    shown = on_terminal(geocli, "stats")
    assert "waiting           nothing" in shown.out
    assert " ago (" in shown.out
    assert "kB" in shown.out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"), (1, "1 second"), (45.9, "45 seconds"), (119, "119 seconds"), (120, "2 minutes"),
        (7199, "119 minutes"), (7200, "2 hours"), (3 * 86400, "3 days"), (800 * 86400, "2 years"),
    ],
)  # fmt: skip
def test_an_age_is_in_the_largest_unit_that_says_enough(seconds: float, text: str) -> None:
    assert age(seconds) == text


# --- for Prometheus -----------------------------------------------------------------------------------


def test_prometheus_gets_its_text_format(geocli: Geocli) -> None:
    geocli("8.8.8.8", "9.9.9.9")
    geocli("flush")
    done = geocli("stats", "--prometheus")
    assert (done.returncode, done.stderr) == (0, "")
    metrics = parse(done.stdout)
    assert metrics["geocli_store_answers"].samples == {(): 2}
    assert metrics["geocli_last_flush_timestamp_seconds"].samples[()] > 1.7e9
    labels = (("name", EMBEDDED), ("type", "embedded"), ("edition", EDITION))
    assert labels in metrics["geocli_database_age_days"].samples


def test_the_collector_s_file_is_replaced_at_once_and_readable_by_all(geocli: Geocli, tmp_path: Path) -> None:
    directory = tmp_path / "textfile"
    directory.mkdir()
    file = directory / "geocli.prom"
    file.write_text("old")
    inode = file.stat().st_ino
    done = geocli("stats", "--prometheus", "-o", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "geocli_info" in parse(file.read_text())
    assert file.stat().st_ino != inode
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(directory.iterdir()) == [file]
    assert "geocli_info" in parse(geocli("stats", "--prometheus", "-o", "-").stdout)


@pytest.mark.parametrize(
    "options",
    [
        ["-j", "--check"], ["--check", "--prometheus"], ["-o", "x"],
        ["--prometheus", "-o", "/no/such/x.prom"], ["--prometheus", "-o", "/"],
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(geocli: Geocli, options: list[str]) -> None:
    done = geocli("stats", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_bans_are_counted_where_they_are(geocli: Geocli) -> None:
    geocli("bans", "--record", stdin="8.8.8.8\n9.9.9.9\n")
    waiting = json.loads(geocli("stats", "-j").stdout)
    assert (waiting["dirty"], waiting["dirty_bans"], waiting["bans"]) == (2, 2, 0)
    geocli("flush")
    flushed = json.loads(geocli("stats", "-j").stdout)
    assert (flushed["dirty"], flushed["dirty_bans"], flushed["bans"]) == (0, 0, 2)
    assert "geocli_store_bans 2\n" in geocli("stats", "--prometheus").stdout

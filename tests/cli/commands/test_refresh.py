"""``geocli refresh`` for cron: what is unknown or old is asked again, oldest first, and nothing else."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geocli.model.records import FIELDS, GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.store.sqlite import SqliteStore
from tests.cli.commands.test_lookup import on_a_terminal, snapshot
from tests.conftest import Geocli
from tests.providers.online.servers import environment
from tests.support.emulators import Fault, IpApi

DAY = 86400


def ago(days: float) -> str:
    return datetime.fromtimestamp(time.time() - days * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stored(data_dir: Path, rows: dict[str, tuple[str, float]], source: str = "ip-api") -> None:
    """A store with these addresses: status, and age in days."""
    records = [
        GeoRecord(
            ip, "ok" if status == "ok" else "unknown", "FR" if status == "ok" else None,
            source=source, resolved_at=ago(days),
        )
        for ip, (status, days) in rows.items()
    ]  # fmt: skip
    SqliteStore(data_dir / "geo.db", 1).replay([Batch.of(records)], ago(0))


ROWS = {
    "23.0.0.1": ("ok", 1),
    "23.0.0.2": ("ok", 29),
    "23.0.0.3": ("ok", 31),
    "23.0.0.4": ("ok", 400),
    "23.0.0.5": ("unknown", 0),
    "23.0.0.6": ("unknown", 0.5),
    "23.0.0.7": ("unknown", 40),
}


@pytest.fixture
def server() -> Iterator[IpApi]:
    with IpApi(limit=None) as running:
        yield running


@pytest.fixture
def asking(data_dir: Path, server: IpApi) -> Geocli:
    """geocli that has used plain HTTP before: nothing to say about that."""
    stored(data_dir, ROWS)
    geocli = Geocli(data_dir, environment(server) | {"GEOCLI_LOOKUP_PROVIDER": "ip-api"})
    directory = data_dir / "pacing"
    directory.mkdir()
    host = server.origin.removeprefix("http://").replace(":", "-")
    (directory / f"ip-api-{host}.json").write_text('{"noticed": true}')
    return geocli


def asked(server: IpApi) -> list[str]:
    return [target for request in server.requests for target in request.targets]


def counts(asking: Geocli, *arguments: str) -> dict[str, int]:
    done = asking("refresh", "-j", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    report: dict[str, int] = json.loads(done.stdout)
    assert list(report) == ["asked", "ok", "unknown", "error", "seconds"]
    return report


def test_unknown_and_outlived_are_asked_again_oldest_first(asking: Geocli, server: IpApi) -> None:
    done = asking("refresh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert asked(server) == ["23.0.0.4", "23.0.0.7", "23.0.0.3", "23.0.0.6", "23.0.0.5"]


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [
        (["--unknown"], "765"),
        (["--older-than", "30d"], "473"),
        (["--older-than", "2d"], "4732"),
        (["--older-than", "10y"], ""),
        (["--unknown", "--older-than", "6h"], "76"),
        (["--limit", "2"], "47"),
        (["--limit", "1", "--unknown"], "7"),
        (["--older-than", "30d", "--limit", "1"], "4"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_say_what_and_how_many(
    asking: Geocli, server: IpApi, arguments: list[str], addresses: str
) -> None:
    report = counts(asking, *arguments)
    assert asked(server) == [f"23.0.0.{digit}" for digit in addresses]
    assert (report["asked"], report["ok"], report["unknown"], report["error"]) == (len(addresses),) * 2 + (
        0,
        0,
    )


def test_times_to_live_are_settings(asking: Geocli, server: IpApi) -> None:
    other = Geocli(asking.data_dir, dict(asking.environment) | {"GEOCLI_LOOKUP_TTL": "1w"})
    assert other("refresh").returncode == 0
    assert asked(server) == [f"23.0.0.{digit}" for digit in "473265"]


def test_the_journal_gets_the_answers_and_the_flush_brings_them(asking: Geocli, data_dir: Path) -> None:
    before = snapshot(data_dir)[str(data_dir / "geo.db")]
    assert counts(asking)["ok"] == 5
    assert snapshot(data_dir)[str(data_dir / "geo.db")] == before
    stats = json.loads(asking("stats", "-j").stdout)
    assert (stats["stored"], stats["dirty"], stats["unknown"]) == (7, 5, 3)
    assert json.loads(asking("flush", "-j").stdout)["flushed"] == 5
    stats = json.loads(asking("stats", "-j").stdout)
    assert (stats["stored"], stats["dirty"], stats["unknown"]) == (7, 0, 0)
    rows = dict(
        sqlite3.connect(data_dir / "geo.db").execute("SELECT ip, resolved_at FROM geo_cache").fetchall()
    )
    assert [ip for ip, when in rows.items() if when < ago(0.9)] == ["23.0.0.1", "23.0.0.2"]
    assert counts(asking)["asked"] == 0


def test_what_is_still_unknown_stays_unknown(asking: Geocli, server: IpApi) -> None:
    server.unknown.update(["23.0.0.6", "23.0.0.3"])
    report = counts(asking)
    assert (report["asked"], report["ok"], report["unknown"]) == (5, 3, 2)
    asking("flush")
    assert json.loads(asking("stats", "-j").stdout)["unknown"] == 1
    # What was known does not become unknown: "ok" is better, and stays.
    done = asking("-j", "23.0.0.6", "23.0.0.7")
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["unknown", "ok"]


def test_it_is_silent_for_cron_and_talks_when_asked(asking: Geocli) -> None:
    assert asking("refresh", "-v").stdout.startswith("asked again about 5 in ")
    asking("flush")
    assert "asked again about 0" in on_a_terminal([*asking.command, "refresh"], asking.env)
    assert on_a_terminal([*asking.command, "refresh", "-q"], asking.env) == ""
    done = asking("refresh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_verbose_shows_requests_on_stderr(asking: Geocli) -> None:
    done = asking("refresh", "-v", "-j")
    assert json.loads(done.stdout)["asked"] == 5
    assert "POST" in done.stderr
    assert "5 addresses" in done.stderr


def test_a_source_that_is_away_is_partial_and_changes_nothing(asking: Geocli, server: IpApi) -> None:
    server.fail_next(Fault.SERVER_ERROR, times=None)
    done = asking("refresh", "-j")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    report = json.loads(done.stdout)
    assert (report["asked"], report["error"]) == (5, 5)
    assert json.loads(asking("stats", "-j").stdout)["dirty"] == 0
    server.recover()
    assert counts(asking)["ok"] == 5


def test_who_will_not_wait_keeps_what_came(data_dir: Path) -> None:
    stored(data_dir, {f"23.0.{n}.1": ("ok", 40 + n) for n in range(250)})
    with IpApi(limit=1, window=60) as server:
        geocli = Geocli(data_dir, environment(server))
        done = geocli("-q", "refresh", "-p", "ip-api", "--max-wait", "1s", "-j")
        assert done.returncode == 3
        assert "--max-wait" in done.stderr
        report = json.loads(done.stdout)
        assert (report["asked"], report["ok"], report["error"]) == (250, 100, 150)
        assert asked(server) == [f"23.0.{n}.1" for n in range(249, 149, -1)]
        assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 100


def test_batches_are_full(data_dir: Path, server: IpApi) -> None:
    stored(data_dir, {f"23.0.{n}.1": ("ok", 40 + n) for n in range(250)})
    geocli = Geocli(data_dir, environment(server))
    assert geocli("refresh", "-p", "ip-api").returncode == 0
    assert [len(request.targets) for request in server.requests] == [100, 100, 50]
    assert max(server.addresses.values()) == 1


def test_a_local_database_is_asked_too(data_dir: Path) -> None:
    stored(data_dir, {"8.8.8.8": ("ok", 40), "1.1.1.1": ("unknown", 0)}, "mmdb:older")
    geocli = Geocli(data_dir)
    assert json.loads(geocli("refresh", "-j").stdout)["ok"] == 2
    geocli("flush")
    rows = (
        sqlite3.connect(data_dir / "geo.db").execute("SELECT country_code, source FROM geo_cache").fetchall()
    )
    assert {code for code, _ in rows} == {"US", "AU"}
    assert all(source.startswith("mmdb:embedded") for _, source in rows)


# --- the store ----------------------------------------------------------------------------------------


def test_without_a_store_there_is_nothing_to_do(geocli: Geocli, data_dir: Path) -> None:
    done = geocli("refresh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not data_dir.exists()


def test_nothing_outlived_writes_nothing(data_dir: Path) -> None:
    stored(data_dir, {"8.8.8.8": ("ok", 1)})
    geocli = Geocli(data_dir)
    geocli("refresh")
    before = snapshot(data_dir)
    assert geocli("refresh").returncode == 0
    assert snapshot(data_dir) == before


@pytest.mark.parametrize("content", [b"", b"not SQLite at all" * 100, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_damaged_store_is_named(geocli: Geocli, data_dir: Path, content: bytes) -> None:
    data_dir.mkdir()
    (data_dir / "geo.db").write_bytes(content)
    done = geocli("refresh")
    if not content:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert str(data_dir / "geo.db") in done.stderr


def test_a_database_of_somebody_else_is_not_asked(geocli: Geocli, data_dir: Path) -> None:
    data_dir.mkdir()
    sqlite3.connect(data_dir / "geo.db").executescript(
        "CREATE TABLE geo_cache (x); INSERT INTO geo_cache VALUES (1)"
    )
    done = geocli("refresh")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1


def test_a_locked_store_is_try_again(asking: Geocli, data_dir: Path, server: IpApi) -> None:
    lock = sqlite3.connect(data_dir / "geo.db", isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    lock.execute("UPDATE geo_cache SET org = 'x'")
    impatient = Geocli(data_dir, dict(asking.environment) | {"GEOCLI_STORE_BUSY_TIMEOUT": "0"})
    done = impatient("refresh")
    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1
    assert "try again" in done.stderr
    assert server.requests == []
    lock.close()
    assert counts(asking)["ok"] == 5


def test_a_writer_at_work_does_not_disturb(asking: Geocli, data_dir: Path) -> None:
    writer = sqlite3.connect(data_dir / "geo.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert counts(asking)["ok"] == 5
    writer.execute("ROLLBACK")
    writer.close()


JUNK = [
    *("10.0.0.1", "::1", "192.0.2.1", "fe80::1", "224.0.0.1"),
    *("", "nonsense", "8.8.8.8 ", "08.8.8.8", "8.8.8", "::ffff:8.8.8.8", "2001:DB8::1", "8.8.8.8/32"),
    *("\x1b[2J", "8.8.8.8\n1.1.1.1", "8.8.8.8\0", "'; DROP TABLE geo_cache", "x" * 10_000, '"8.8.8.8"'),
]


def test_reserved_and_junk_rows_are_not_asked_about(asking: Geocli, data_dir: Path, server: IpApi) -> None:
    with sqlite3.connect(data_dir / "geo.db") as store:
        store.executemany(
            "INSERT INTO geo_cache (ip, status, resolved_at) VALUES (?, 'unknown', ?)",
            [(junk, ago(100)) for junk in JUNK],
        )
    assert counts(asking, "--limit", "5")["asked"] == 5  # they do not count either
    assert sorted(asked(server)) == [f"23.0.0.{digit}" for digit in "34567"]


@pytest.mark.parametrize("when", ["", "never", "\x1b[2J"])
def test_a_row_with_a_time_that_is_none_harms_nobody(
    asking: Geocli, data_dir: Path, server: IpApi, when: str
) -> None:
    with sqlite3.connect(data_dir / "geo.db") as store:
        store.execute("INSERT INTO geo_cache (ip, status, resolved_at) VALUES ('23.9.9.9', 'ok', ?)", (when,))
    done = asking("refresh", "-j")
    assert done.returncode == 0
    assert set(asked(server)) - {"23.9.9.9"} == {f"23.0.0.{digit}" for digit in "34567"}
    assert max(Counter(asked(server)).values()) == 1


def test_networks_in_the_store_do_not_fail_a_source_that_answers_addresses_only(
    asking: Geocli, data_dir: Path, server: IpApi
) -> None:
    """A network is there because a database was asked about it; another source must not complain for ever."""
    stored(data_dir, {"8.8.8.0/24": ("ok", 100)}, "mmdb:older")
    done = asking("refresh", "-p", "mmdb,ip-api", "-j")
    assert (done.returncode, done.stderr) == (0, "")
    assert "8.8.8.0/24" not in server.addresses


def test_a_damaged_journal_is_named_and_nothing_is_lost(asking: Geocli, data_dir: Path) -> None:
    (data_dir / "journal").mkdir()
    (data_dir / "journal" / "cache.db").write_bytes(b"scribble" * 1000)
    done = asking("refresh")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert "journal" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--older-than", "soon"],
        ["--older-than", "-1d"],
        ["--older-than", ""],
        ["--limit", "0"],
        ["--limit", "-1"],
        ["--limit", "x"],
        ["--provider", "nobody"],
        ["--provider", ""],
        ["--provider", "ipinfo"],
        ["8.8.8.8"],
        ["--max-wait", "x"],
        ["--timeout", "0"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(geocli: Geocli, data_dir: Path, arguments: list[str]) -> None:
    stored(data_dir, ROWS)
    done = geocli("refresh", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_an_age_beyond_all_time_is_no_traceback(geocli: Geocli, data_dir: Path) -> None:
    stored(data_dir, ROWS)
    for age in ("999999999y", "100000d", "2026y"):
        done = geocli("refresh", "--older-than", age)
        assert done.returncode in {0, 2}
        assert len(done.stderr.splitlines()) <= 1


def test_a_reader_that_goes_away_is_no_error(asking: Geocli) -> None:
    script = f"{shlex.join(asking.command)} refresh -j | true"
    done = subprocess.run(["sh", "-c", script], env=asking.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_field_of_a_row_is_renewed(asking: Geocli, data_dir: Path) -> None:
    asking("refresh")
    asking("flush")
    connection = sqlite3.connect(data_dir / "geo.db")
    (row,) = connection.execute(f"SELECT {', '.join(FIELDS)} FROM geo_cache WHERE ip = '23.0.0.4'")  # noqa: S608
    found = GeoRecord._make(row)
    assert found.status == "ok"
    assert found.city
    assert found.org
    assert found.resolved_at is not None
    assert found.resolved_at > ago(0.1)

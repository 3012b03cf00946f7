"""``geocli flush`` for cron: silent, once, and nothing lost."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.commands.test_lookup import on_a_terminal, snapshot
from tests.conftest import Geocli
from tests.support.targets import addresses


def test_it_is_silent_for_cron(geocli: Geocli) -> None:
    geocli("8.8.8.8")
    done = geocli("flush")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_talks_when_asked_and_on_a_terminal(geocli: Geocli) -> None:
    geocli("8.8.8.8", "9.9.9.9")
    assert geocli("flush", "-v").stdout.startswith("flushed 2 answers in ")
    assert "flushed 0 answers" in on_a_terminal([*geocli.command, "flush"], geocli.env)
    assert on_a_terminal([*geocli.command, "flush", "-q"], geocli.env) == ""
    report = json.loads(geocli("flush", "--json").stdout)
    assert report["flushed"] == 0
    assert isinstance(report["seconds"], float)


def test_nothing_dirty_writes_nothing(geocli: Geocli, data_dir: Path) -> None:
    assert geocli("flush").returncode == 0
    assert not data_dir.exists()
    geocli("8.8.8.8")
    geocli("flush")
    before = snapshot(data_dir)
    assert geocli("flush").returncode == 0
    assert snapshot(data_dir) == before


def test_another_flush_running_means_nothing_to_do(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    descriptor = os.open(data_dir / "journal", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = geocli("flush")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (data_dir / "geo.db").exists()
    os.close(descriptor)
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 1


def test_a_locked_store_is_try_again_and_the_journal_keeps_everything(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    geocli("9.9.9.9")
    lock = sqlite3.connect(data_dir / "geo.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    impatient = Geocli(data_dir, {"GEOCLI_STORE_BUSY_TIMEOUT": "0s"})
    done = impatient("flush")
    assert done.returncode == 75
    assert done.stderr.splitlines() == [
        f"geocli: {data_dir / 'geo.db'}: locked by another process; try again"
    ]
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 1
    lock.execute("ROLLBACK")
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 1


def test_a_crash_between_commit_and_forgetting_changes_nothing(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8", "9.9.9.9")
    journal = data_dir / "journal"
    kept = {path: path.read_bytes() for path in journal.iterdir() if path.suffix != ".db-shm"}
    geocli("flush")
    rows = sqlite3.connect(data_dir / "geo.db").execute("SELECT * FROM geo_cache ORDER BY ip").fetchall()
    for path in journal.iterdir():
        path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)  # as if the flush had died before it forgot
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 2
    assert (
        sqlite3.connect(data_dir / "geo.db").execute("SELECT * FROM geo_cache ORDER BY ip").fetchall() == rows
    )


def test_a_bad_segment_is_set_aside_and_does_not_hold_back_the_others(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    geocli("9.9.9.9")
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        journal.execute("UPDATE Cache SET value = 'scribble' WHERE key = (SELECT min(key) FROM Cache)")
    done = geocli("flush")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    aside = next((data_dir / "journal" / "quarantine").iterdir())
    assert aside.read_text() == "scribble"
    assert str(aside) in done.stderr
    stats = json.loads(geocli("stats", "-j").stdout)
    assert (stats["stored"], stats["dirty"], stats["quarantined"]) == (1, 0, 1)
    assert geocli("flush").returncode == 0


def test_what_arrives_during_a_flush_waits_for_the_next(geocli: Geocli, data_dir: Path) -> None:
    from geocli.model.errors import Problems
    from geocli.model.records import GeoRecord
    from geocli.storage.flush import flush
    from geocli.storage.journal.journal import Journal
    from geocli.storage.store.sqlite import SqliteStore

    def answer(ip: str) -> GeoRecord:
        return GeoRecord(ip, "ok", "DE", source="mmdb:test-1", resolved_at="2026-11-01T00:00:00Z")

    class Interrupted(SqliteStore):
        """A store in whose transaction another process journals one more answer."""

        def replay(self, batches: object, flushed_at: str) -> int:
            def with_an_arrival() -> object:
                for batch in batches:  # type: ignore[attr-defined]
                    yield batch
                    with Journal(data_dir / "journal", 5) as other:
                        other.append([answer("192.0.2.99")])

            return super().replay(with_an_arrival(), flushed_at)  # type: ignore[arg-type]

    with Journal(data_dir / "journal", 5) as journal:
        journal.append([answer("192.0.2.1")])
        assert (
            flush(journal, Interrupted(data_dir / "geo.db", 5), "2026-11-01T00:00:00Z", Problems()).entries
            == 1
        )
        assert journal.find(["192.0.2.99", "192.0.2.1"], lambda _: True).keys() == {"192.0.2.99"}
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 1


def test_look_ups_and_flushes_at_once_lose_nothing(geocli: Geocli) -> None:
    lists = [addresses(1200)[start : start + 400] for start in range(0, 800, 100)]
    with ThreadPoolExecutor(len(lists) + 1) as pool:
        lookups = [pool.submit(geocli, "-j", stdin="\n".join(texts)) for texts in lists]
        while not all(lookup.done() for lookup in lookups):
            assert geocli("flush").returncode == 0
    for texts, lookup in zip(lists, lookups, strict=True):
        done = lookup.result()
        assert (done.returncode, done.stderr) == (0, "")
        assert [json.loads(line)["ip"] for line in done.stdout.splitlines()] == texts
    assert geocli("flush").returncode == 0
    stats = json.loads(geocli("stats", "-j").stdout)
    assert (stats["stored"], stats["dirty"], stats["quarantined"]) == (len(set().union(*lists)), 0, 0)


def test_a_bad_segment_is_set_aside_once_and_said_each_time(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    geocli("9.9.9.9")
    geocli("flush")
    geocli("1.1.1.1")
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        journal.execute("UPDATE Cache SET value = 'scribble'")
    journal.close()
    impatient = Geocli(data_dir, {"GEOCLI_STORE_BUSY_TIMEOUT": "0s"})
    lock = sqlite3.connect(data_dir / "geo.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        done = impatient("flush")
        assert done.returncode == 75
        damage, failure = done.stderr.splitlines()
        assert "damaged journal segment" in damage
        assert "locked" in failure
    lock.execute("ROLLBACK")
    assert geocli("flush").returncode == 4
    assert [path.read_text() for path in (data_dir / "journal" / "quarantine").iterdir()] == ["scribble"]
    assert geocli("flush").returncode == 0


COLUMNS = ("key", "raw", "store_time", "tag", "mode", "filename", "value")
ODD = [
    None,
    7,
    -1,
    2**63 - 1,
    1.5,
    float("inf"),
    "text",
    "",
    "\udcff",
    b"\xff\0blob",
    b"",
    "\0",
    " 192.0.2.9 ",
]


def test_no_row_that_somebody_planted_holds_back_the_others(geocli: Geocli, data_dir: Path) -> None:
    """Each column with each kind of value that SQLite keeps, in rows that are right otherwise."""
    targets = ["8.8.8.8", "9.9.9.9"]
    for target in targets:
        geocli(target)
    planted = 0
    names = ", ".join(COLUMNS)
    with sqlite3.connect(data_dir / "journal" / "cache.db") as journal:
        (row,) = journal.execute(f"SELECT {names} FROM Cache LIMIT 1").fetchall()  # noqa: S608 (constants)
        for column in COLUMNS:
            for odd in ODD:
                value = odd.encode("utf-8", "surrogateescape") if isinstance(odd, str) else odd
                kind = "CAST(? AS TEXT)" if isinstance(odd, str) else "?"
                values = dict(zip(COLUMNS, row, strict=True)) | {"key": planted + 1, column: value}
                marks = [kind if name == column else "?" for name in COLUMNS]
                statement = f"INSERT OR IGNORE INTO Cache ({names}) VALUES ({', '.join(marks)})"  # noqa: S608
                journal.execute(statement, list(values.values()))
                planted += 1
    journal.close()
    known = geocli("-j", *targets, "1.1.1.1")
    assert known.stderr == ""
    assert (known.returncode, len(known.stdout.splitlines())) == (0, 3)
    for options in (["-j"], ["--prometheus"], ["--check"], []):
        assert geocli("stats", *options).returncode in {0, 1}
    done = geocli("flush")
    assert done.returncode == 4
    assert all("damaged journal segment" in line for line in done.stderr.splitlines())
    assert geocli("flush").returncode == 0
    stats = json.loads(geocli("stats", "-j").stdout)
    assert (stats["stored"], stats["dirty"], stats["dirty_bans"]) == (3, 0, 0)


@pytest.mark.parametrize("text", ["never", "", "2026-13-45T00:00:00Z", "\0", "9" * 100])
def test_a_last_flush_that_is_none_is_no_traceback(geocli: Geocli, data_dir: Path, text: str) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    with sqlite3.connect(data_dir / "geo.db") as store:
        store.execute("UPDATE geo_state SET value = ? WHERE name = 'last_flush'", (text,))
    store.close()
    for options in (["-j"], ["--prometheus"], []):
        assert geocli("stats", *options).returncode == 0
    assert on_a_terminal([*geocli.command, "stats"], geocli.env).count("never") == 1
    geocli("9.9.9.9")
    geocli("flush")
    assert json.loads(geocli("stats", "-j").stdout)["last_flush"].startswith("20")

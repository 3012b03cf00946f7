"""What is forgotten is nowhere below the data directory, in whatever file it once was."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Collection
from pathlib import Path

import pytest

from geocli.model.errors import Problems, TryAgainError
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.forget import forget
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore
from tests.conftest import Geocli
from tests.storage.store.test_sqlite import reading
from tests.support.bans import BAN, append_bans
from tests.support.targets import addresses

NOW = 1_800_000_000.0
OLD, NEW = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
YEAR = 365 * 86400.0
BOTH = ("answers", "bans")
# At each digit: digits of other values may stand before and behind an address.
_ADDRESS = re.compile(rb"(?=((?:[0-9]{1,3}\.){3})([0-9]{1,3}))")


def wide_addresses(count: int) -> list[str]:
    """Addresses of which none is part of another."""
    return [
        f"{100 + n % 7}.{100 + n // 7 % 150}.{100 + n // 1050 % 150}.{100 + n % 150}" for n in range(count)
    ]


def traces(directory: Path, targets: Collection[str]) -> dict[str, list[str]]:
    """The files below a directory that have any of these addresses, and some of those."""
    found = {}
    for path in directory.rglob("*"):
        if path.is_file():
            there = {
                match[1] + match[2][:length]
                for match in _ADDRESS.finditer(path.read_bytes())
                for length in range(1, len(match[2]) + 1)
            }
            if hits := [target for target in targets if target.encode() in there]:
                found[str(path.relative_to(directory))] = hits[:5]
    return found


def record(ip: str, when: str, org: str = "") -> GeoRecord:
    return GeoRecord(ip, "ok", "DE", org=org, network=None, source="mmdb:test-1", resolved_at=when)


def test_what_was_looked_up_flushed_and_forgotten_is_nowhere(geocli: Geocli, data_dir: Path) -> None:
    targets = addresses(9000)
    geocli("-f", "ip", stdin="\n".join(targets[:8000]))
    assert geocli("flush").returncode == 0
    assert traces(data_dir, targets[:8000]).keys() == {"geo.db"}  # not in the journal's log
    geocli("-f", "ip", stdin="\n".join(targets[8000:]))
    assert json.loads(geocli("forget", "--older-than", "0", "-j").stdout)["answers"] == 9000
    assert traces(data_dir, targets) == {}


@pytest.fixture
def journal(data_dir: Path) -> Journal:
    return Journal(data_dir / "journal", 0.2)


@pytest.fixture
def store(data_dir: Path) -> SqliteStore:
    return SqliteStore(data_dir / "geo.db", 0.2)


def test_what_goes_leaves_no_trace_among_what_stays(
    journal: Journal, store: SqliteStore, data_dir: Path
) -> None:
    """SQLite leaves copies of rows that it once moved to another page."""
    targets = wide_addresses(12_000)
    records = [
        record(ip, NEW if number % 3 else OLD, "x" * (number * 7 % 61)) for number, ip in enumerate(targets)
    ]
    for begin in range(0, 12_000, 3000):
        store.replay([Batch.of(records[begin : begin + 3000])], NEW)
    old = [found.ip for found in records if found.resolved_at == OLD]
    assert forget(journal, store, YEAR, BOTH, NOW, Problems()) == (len(old), 0)
    assert traces(data_dir, old) == {}
    assert store.state().stored == 12_000 - len(old)


def test_small_segments_leave_no_trace_either(journal: Journal, store: SqliteStore, data_dir: Path) -> None:
    targets = wide_addresses(300)
    for number, ip in enumerate(targets):
        journal.append([record(ip, OLD)])
        append_bans(journal, [BAN._replace(ip=ip, banned_at=OLD, last_seen=OLD)])
        if number == 200:
            journal.forget(journal.keys())
    forget(journal, store, YEAR, BOTH, NOW, Problems())
    assert traces(data_dir, targets) == {}


def test_damaged_files_that_were_set_aside_go_as_well(
    journal: Journal, store: SqliteStore, data_dir: Path
) -> None:
    quarantine = data_dir / "journal" / "quarantine"
    quarantine.mkdir(parents=True)
    files = [
        data_dir / "geo.db.damaged-1",
        data_dir / "geo.db.damaged-1-wal",
        quarantine / "segment-1-0.txt",
        quarantine / "cache.db.damaged-2",
    ]
    for file in files:
        file.write_text("192.0.2.77")
    forget(journal, store, 0, ["answers"], NOW, Problems())
    assert all(file.exists() for file in files)  # who knows which of both it is
    os.utime(files[0], (NOW - 2 * YEAR, NOW - 2 * YEAR))
    forget(journal, store, YEAR, BOTH, NOW, Problems())
    assert [file.exists() for file in files] == [False, True, True, True]
    forget(journal, store, 0, BOTH, NOW, Problems())
    assert not any(file.exists() for file in files)


def test_a_newer_damaged_file_stays(journal: Journal, store: SqliteStore, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "geo.db.damaged-1").write_text("192.0.2.77")
    written = (data_dir / "geo.db.damaged-1").stat().st_mtime
    forget(journal, store, YEAR, BOTH, written + YEAR - 10, Problems())
    assert (data_dir / "geo.db.damaged-1").exists()


@pytest.mark.parametrize("name", ["geo.db", "journal/cache.db"])
def test_a_reader_in_the_way_is_told_and_the_next_time_it_is_done(
    journal: Journal, store: SqliteStore, data_dir: Path, name: str
) -> None:
    targets = wide_addresses(50)
    store.replay([Batch.of([record(ip, OLD) for ip in targets])], OLD)
    journal.append([record(ip, OLD) for ip in targets])
    with reading(data_dir / name), pytest.raises(TryAgainError, match=f"{name}-wal: what was deleted"):
        forget(journal, store, 0, BOTH, NOW, Problems())
    assert store.state().stored == 0
    assert forget(journal, store, 0, BOTH, NOW, Problems()) == (0, 0)
    assert traces(data_dir, targets) == {}


def test_an_interrupted_erasure_is_made_up_for_by_the_next(
    journal: Journal, store: SqliteStore, data_dir: Path
) -> None:
    targets = wide_addresses(50)
    store.replay([Batch.of([record(ip, OLD) for ip in targets])], OLD)
    assert store.forget(NEW, BOTH, NEW) == (50, 0)  # and then it is killed
    with sqlite3.connect(data_dir / "geo.db") as planted:  # a trace, as SQLite leaves them
        planted.execute("PRAGMA secure_delete = OFF")
        planted.execute("CREATE TABLE other (text)")
        planted.executemany("INSERT INTO other VALUES (?)", [(ip,) for ip in targets])
        planted.execute("DROP TABLE other")
    planted.close()
    assert traces(data_dir, targets).keys() == {"geo.db"}
    forget(journal, store, YEAR, BOTH, NOW, Problems())
    assert traces(data_dir, targets) == {}
    before = (data_dir / "geo.db").stat().st_mtime_ns
    assert forget(journal, store, YEAR, BOTH, NOW, Problems()) == (0, 0)
    assert (data_dir / "geo.db").stat().st_mtime_ns == before  # nothing to do, nothing written

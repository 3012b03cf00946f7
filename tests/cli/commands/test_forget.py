"""``geocli forget``: what is old goes, from store and journal, and nothing else."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore
from tests.cli.commands.test_history import ago, dirty, history
from tests.conftest import Geocli
from tests.storage.test_concurrency import locked
from tests.support.bans import BAN, append_bans


def answer(ip: str, days: float) -> GeoRecord:
    return GeoRecord(ip, "ok", "US", source="mmdb:test-1", resolved_at=ago(days))


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    """Answers and bans, old and new; the second half of them is still in the journal."""
    bans = [BAN._replace(ip=f"23.0.0.{n}", banned_at=ago(n * 100), last_seen=ago(0)) for n in range(8)]
    answers = [answer(f"45.0.0.{n}", n * 100) for n in range(8)]
    store = SqliteStore(data_dir / "geo.db", 1)
    store.replay([Batch.of(answers[::2], bans[::2])], ago(0))
    store.close()
    with Journal(data_dir / "journal", 1) as journal:
        append_bans(journal, bans[1::2])
        journal.append(answers[1::2])
    return Geocli(data_dir)


def stored(geocli: Geocli) -> tuple[int, int]:
    figures = json.loads(geocli("stats", "-j").stdout)
    return figures["stored"], figures["bans"]


def test_what_is_older_goes_and_what_is_newer_stays(geocli: Geocli) -> None:
    done = geocli("forget", "--older-than", "1y")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert dirty(geocli) == (0, 0)
    assert stored(geocli) == (4, 4)
    assert [row["ip"] for row in history(geocli, "--until", "2h")] == ["23.0.0.3", "23.0.0.2", "23.0.0.1"]


@pytest.mark.parametrize(
    ("options", "gone", "left"),
    [
        (["--bans"], (0, 4), (8, 4)),
        (["--answers"], (4, 0), (4, 8)),
        (["--answers", "--bans"], (4, 4), (4, 4)),
    ],
)
def test_what_is_forgotten_can_be_chosen(
    geocli: Geocli, options: list[str], gone: tuple[int, int], left: tuple[int, int]
) -> None:
    figures = json.loads(geocli("forget", "--older-than", "1y", "-j", *options).stdout)
    assert (figures["answers"], figures["bans"]) == gone
    assert figures.keys() == {"answers", "bans", "seconds"}
    assert stored(geocli) == left
    assert geocli("forget", "--older-than", "1y", "-v", *options).stdout.startswith(
        "forgot 0 answers and 0 bans"
    )


def test_nothing_is_left_of_everything(geocli: Geocli, data_dir: Path) -> None:
    assert geocli("forget", "--older-than", "0").returncode == 0
    assert (stored(geocli), dirty(geocli), history(geocli)) == ((0, 0), (0, 0), [])
    left = b"".join(path.read_bytes() for path in data_dir.iterdir() if path.is_file())
    assert b"23.0.0." not in left
    assert b"45.0.0." not in left


def test_forgetting_where_nothing_is_makes_nothing(tmp_path: Path) -> None:
    empty = Geocli(tmp_path / "empty")
    assert json.loads(empty("forget", "--older-than", "1y", "-j").stdout)["bans"] == 0
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [([], "--older-than"), (["--older-than", "old"], "--older-than: 'old' is no duration")],
)
def test_how_old_has_to_be_said(geocli: Geocli, arguments: list[str], complaint: str) -> None:
    done = geocli("forget", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert complaint in done.stderr
    assert dirty(geocli) == (4, 4)


def test_while_somebody_flushes_or_writes_nothing_is_forgotten(geocli: Geocli, data_dir: Path) -> None:
    impatient = Geocli(data_dir, {"GEOCLI_STORE_BUSY_TIMEOUT": "1s"})
    with locked(data_dir / "geo.db"):
        done = impatient("forget", "--older-than", "1y")
        assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    descriptor = os.open(data_dir / "journal", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # as a flush does
    done = impatient("forget", "--older-than", "1y")
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert "flush is running" in done.stderr
    os.close(descriptor)
    assert (dirty(geocli), stored(geocli)) == ((4, 4), (4, 4))


def test_a_damaged_segment_is_told_and_the_rest_is_forgotten(geocli: Geocli, data_dir: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(data_dir / "journal" / "cache.db", isolation_level=None)) as journal:
        journal.execute("UPDATE Cache SET value = 'nonsense' WHERE tag LIKE 'bans %'")
    done = geocli("forget", "--older-than", "1y")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert stored(geocli) == (4, 2)

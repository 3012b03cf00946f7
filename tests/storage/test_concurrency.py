"""Any number of look-ups and flushes at once; waiting for a lock is bounded, and loses nothing."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from geocli.system.sqlite_file import open_for_reading
from tests.conftest import Geocli
from tests.support.targets import addresses
from tests.support.waiting import PATIENCE, wait_until
from tests.torture.concurrency import flush, storm
from tests.torture.disk import look

BUSY = {"GEOCLI_STORE_BUSY_TIMEOUT": "1s"}
LONGEST = 50.0  # seconds: the timeout, and the rest on a busy machine. diskcache would wait for 60


def dirty(geocli: Geocli) -> int:
    return int(json.loads(geocli("stats", "-j").stdout)["dirty"])


@pytest.mark.slow
def test_many_look_ups_while_flush_runs_again_and_again(geocli: Geocli) -> None:
    figures = storm(geocli, seconds=10, at_once=8, pause=0.2)
    assert figures["flushed"] >= figures["stored"] > 1000
    assert figures["flushes"] >= 2


def test_of_two_flushes_at_once_the_second_does_nothing(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    flush(geocli)
    geocli("9.9.9.9", "1.1.1.1")
    with locked(data_dir / "geo.db"):  # so that the first is in the midst of it
        first = subprocess.Popen([*geocli.command, "flush", "-j"], stdout=subprocess.PIPE, env=geocli.env)
        wait_until_flushing(data_dir / "journal")
        assert flush(geocli) == 0
        assert first.poll() is None
    assert json.loads(first.communicate(timeout=PATIENCE)[0])["flushed"] == 2
    assert first.returncode == 0


def wait_until_flushing(journal: Path) -> None:
    descriptor = os.open(journal, os.O_RDONLY)

    def is_locked() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False

    try:
        wait_until(is_locked)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else writes to a database, for as long as this lasts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def impatient(geocli: Geocli, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs with a timeout of a second. It must end soon after it, with 75 and one line."""
    begun = time.monotonic()
    done = Geocli(geocli.data_dir, BUSY)(*arguments, stdin=stdin)
    assert time.monotonic() - begun < LONGEST
    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1
    assert "locked by another process" in done.stderr
    return done


def test_a_flush_does_not_wait_for_ever_for_the_store(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    flush(geocli)
    geocli("9.9.9.9", "1.1.1.1")
    with locked(data_dir / "geo.db"):
        impatient(geocli, "flush")
        assert dirty(geocli) == 2
    assert flush(geocli) == 2


def test_a_flush_does_not_wait_for_ever_for_the_journal(geocli: Geocli, data_dir: Path) -> None:
    geocli("9.9.9.9", "1.1.1.1")
    with locked(data_dir / "journal" / "cache.db"):
        impatient(geocli, "flush")
        assert dirty(geocli) == 2
    assert flush(geocli) == 2
    assert len(look(data_dir).store) == 2


@pytest.mark.parametrize("length", [1, 400, 13_000])  # the last with workers
def test_a_look_up_answers_though_the_journal_is_locked(geocli: Geocli, data_dir: Path, length: int) -> None:
    geocli("8.8.8.8")
    texts = addresses(length)
    with locked(data_dir / "journal" / "cache.db"):
        done = impatient(geocli, "-j", stdin="\n".join(texts))
        assert [json.loads(line)["ip"] for line in done.stdout.splitlines()] == texts
        assert dirty(geocli) == 1
    again = geocli("-j", stdin="\n".join(texts))
    assert again.returncode == 0
    assert dirty(geocli) == length + 1


def test_recording_does_not_wait_for_ever_for_the_journal(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    with locked(data_dir / "journal" / "cache.db"):
        impatient(geocli, "bans", "--record", stdin="9.9.9.9\n1.1.1.1\n")
    assert geocli("bans", "--record", stdin="9.9.9.9\n1.1.1.1\n").returncode == 0
    assert dirty(geocli) == 3
    assert flush(geocli) == 5


def test_a_list_without_times_that_several_record_at_once_is_recorded_once(geocli: Geocli) -> None:
    bans = "\n".join(addresses(300))

    def record(_: int) -> int:
        return geocli("bans", "--record", "--host", "web1", stdin=bans).returncode

    with ThreadPoolExecutor(5) as pool:
        assert {*pool.map(record, range(10))} == {0}
    assert len(geocli("bans", "--history", "-f", "ip").stdout.splitlines()) == 300
    flush(geocli)
    assert json.loads(geocli("stats", "-j").stdout)["bans"] == 300


def test_a_refresh_does_not_wait_for_ever_for_the_journal(geocli: Geocli, data_dir: Path) -> None:
    geocli("9.9.9.9", "1.1.1.1")
    flush(geocli)
    with locked(data_dir / "journal" / "cache.db"):
        time.sleep(1.1)  # now they are older than no time at all
        impatient(geocli, "refresh", "--older-than", "0s")
    assert dirty(geocli) == 0
    assert flush(geocli) == 0


@pytest.mark.parametrize("file", ["geo.db", "journal/cache.db"])
def test_what_only_reads_does_not_wait(geocli: Geocli, data_dir: Path, file: str) -> None:
    geocli("8.8.8.8")
    flush(geocli)
    geocli("9.9.9.9")
    with locked(data_dir / file):
        begun = time.monotonic()
        assert geocli("8.8.8.8", "9.9.9.9").returncode == 0
        assert dirty(geocli) == 1
        assert time.monotonic() - begun < LONGEST


@contextmanager
def begun_anew(path: Path) -> Iterator[None]:
    """The log's index as the first process to open a file leaves it for a moment: emptied, and in use."""
    hold = (
        "import fcntl, os, struct, sys\n"
        "index = os.open(sys.argv[1], os.O_RDWR)\n"
        "os.ftruncate(index, 3)\n"
        "in_use = struct.pack('hhqqi4x', fcntl.F_RDLCK, os.SEEK_SET, 128, 1, 0)\n"  # SQLite's UNIX_SHM_DMS
        "fcntl.fcntl(index, fcntl.F_SETLK, in_use)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold, f"{path}-shm"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


@pytest.mark.parametrize("file", ["geo.db", "journal/cache.db"])
def test_a_reader_that_comes_before_the_index_is_filled_fills_it(
    geocli: Geocli, data_dir: Path, file: str
) -> None:
    geocli("8.8.8.8")
    flush(geocli)
    geocli("9.9.9.9")
    with begun_anew(data_dir / file):
        done = geocli("8.8.8.8", "9.9.9.9")
        assert (done.returncode, done.stderr) == (0, "")
    with begun_anew(data_dir / file):
        assert dirty(geocli) == 1
    with begun_anew(data_dir / file):
        assert flush(geocli) == 1


def test_a_reader_goes_on_when_the_index_is_begun_anew(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    path = data_dir / "journal" / "cache.db"
    reader = open_for_reading(path, 1.0, 1 << 20)
    assert reader is not None
    with closing(reader), begun_anew(path):
        assert reader.execute("SELECT count(*) FROM Cache").fetchone() == (1,)

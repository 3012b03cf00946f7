"""Any number of look-ups and flushes at once; waiting for a lock is bounded, and loses nothing.

The minute that CI has no time for: ``python -m tests.torture.concurrency --seconds 60 --at-once 50``.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest

from geocli.records import GeoRecord
from tests.conftest import Geocli
from tests.test_readme import addresses
from tests.torture.disk import look
from tests.torture.ledger import Ledger

BUSY = {"GEOCLI_STORE_BUSY_TIMEOUT": "1s"}
LONGEST = 4.0  # seconds: the timeout, and three for everything else


def storm(geocli: Geocli, seconds: float, at_once: int, pause: float) -> dict[str, float]:
    """So many look-ups at any time over overlapping lists, and a flush after each pause; the figures."""
    everything = addresses(6000)
    begun = time.monotonic()
    ledger, numbers = Ledger(), count()

    def look_ups(_: int) -> tuple[int, list[GeoRecord]]:
        done = 0
        records: list[GeoRecord] = []
        while not done or time.monotonic() - begun < seconds:
            number = next(numbers)
            begin, length = number * 97 % 5600, 400 if number % 10 else 2000
            texts = everything[begin : begin + length]
            again = ["--refresh"] if number % 3 == 0 else []
            finished = geocli("-j", *again, stdin="\n".join(texts))
            assert (finished.returncode, finished.stderr) == (0, "")
            printed = [GeoRecord(**json.loads(line)) for line in finished.stdout.splitlines()]
            assert [record.ip for record in printed] == texts
            done, records = done + 1, records + printed
        return done, records

    flushes = flushed = 0
    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(look_ups, number) for number in range(at_once)]
        while not all(one.done() for one in running):
            flushed += flush(geocli)
            flushes += 1
            time.sleep(pause)
    look_up_count = printed_count = 0
    for one in running:
        done, records = one.result()
        look_up_count, printed_count = look_up_count + done, printed_count + len(records)
        ledger.add(records)
    waiting = look(geocli.data_dir)
    flushed_last = flush(geocli)
    assert flushed_last == len(waiting.journal)
    disk = look(geocli.data_dir)
    ledger.check(disk)
    assert (ledger.lost, ledger.conflicting, disk.problems, disk.journal) == ([], [], [], [])
    stats = json.loads(geocli("stats", "-j").stdout)
    assert stats["stored"] == len(disk.store) == len({record.ip for record in disk.store})
    assert (stats["dirty"], stats["quarantined"], stats["oldest_dirty_seconds"]) == (0, 0, None)
    return {
        "look-ups": look_up_count,
        "flushes": flushes,
        "printed": printed_count,
        "flushed": flushed + flushed_last,
        "stored": stats["stored"],
        "seconds": round(time.monotonic() - begun, 1),
    }


def flush(geocli: Geocli) -> int:
    done = geocli("flush", "-j")
    assert (done.returncode, done.stderr) == (0, "")
    return int(json.loads(done.stdout)["flushed"])


def dirty(geocli: Geocli) -> int:
    return int(json.loads(geocli("stats", "-j").stdout)["dirty"])


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
    assert json.loads(first.communicate(timeout=30)[0])["flushed"] == 2
    assert first.returncode == 0


def wait_until_flushing(journal: Path) -> None:
    descriptor = os.open(journal, os.O_RDONLY)
    try:
        for _ in range(1000):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(0.01)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    pytest.fail("no flush has begun")


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.concurrency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--pause", type=float, default=1.0, help="between two flushes, in seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(storm(Geocli(Path(scratch) / "data"), options.seconds, options.at_once, options.pause))


if __name__ == "__main__":
    main()

"""Any number of look-ups and flushes at once.

``python -m tests.torture.concurrency --seconds 60 --at-once 50``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from geocli.model.records import GeoRecord
from tests.conftest import Geocli
from tests.support.targets import addresses
from tests.torture.disk import look
from tests.torture.ledger import Ledger

_LONGEST = 600.0  # seconds: fifty at once take long on two processors


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
            finished = geocli("-j", *again, stdin="\n".join(texts), timeout=_LONGEST)
            assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
            printed = [GeoRecord(**json.loads(line)) for line in finished.stdout.splitlines()]
            assert [record.ip for record in printed] == texts
            done, records = done + 1, records + printed
        return done, records

    flushes = []
    with ThreadPoolExecutor(at_once) as pool, ThreadPoolExecutor() as cron:
        running = [pool.submit(look_ups, number) for number in range(at_once)]
        while not all(one.done() for one in running):
            flushes.append(cron.submit(flush, geocli))  # whether the last one has ended or not
            time.sleep(pause)
    flushed = sum(one.result() for one in flushes)
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
        "flushes": len(flushes),
        "printed": printed_count,
        "flushed": flushed + flushed_last,
        "stored": stats["stored"],
        "seconds": round(time.monotonic() - begun, 1),
    }


def flush(geocli: Geocli) -> int:
    done = geocli("flush", "-j", timeout=_LONGEST)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return int(json.loads(done.stdout)["flushed"])


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

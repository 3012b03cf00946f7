"""Runs the benchmarks and prints one table: figure, baseline, ratio, target.

Whole processes, a figure and its baseline in turn (A B A B ...), medians of the ratios pair by pair:
machines are noisy, and a ratio stays when the speed of the machine does not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from geocli.journal import Journal
from geocli.records import GeoRecord, utc_text

HERE = Path(__file__).parent
GEOCLI = str(Path(sysconfig.get_path("scripts")) / "geocli")


class Row(NamedTuple):
    """One line of the table. ``ratio`` is figure to baseline, both in seconds."""

    name: str
    figure: float
    baseline: str
    base: float
    ratio: float
    target: str


class Bench:
    """One run: a scratch directory, an environment as users have it, and how often everything is measured."""

    def __init__(self, scratch: Path, rounds: int, count: int) -> None:
        self.scratch = scratch
        self.rounds = rounds
        self.count = count
        self.data = scratch / "data"
        unset = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
        self.env = {name: value for name, value in os.environ.items() if name not in unset}
        self.env |= {"GEOCLI_DATA_DIR": str(self.data), "HOME": str(scratch)}
        chosen = random.Random(2)  # noqa: S311 (not a secret)
        found: dict[str, None] = {}
        while len(found) < count:
            octets = (chosen.choice([2, 5, 8, 23, 31, 45, 62, 77, 91, 103, 118, 145, 178, 185, 193, 212]),)
            found[".".join(map(str, octets + tuple(chosen.randrange(256) for _ in range(3))))] = None
        self.addresses = scratch / "addresses"
        self.addresses.write_text("\n".join(found) + "\n")

    def seconds(self, *command: str, stdin: Path | None = None) -> float:
        """How long a process takes from start to end."""
        with (stdin or Path(os.devnull)).open("rb") as source:
            begun = time.perf_counter()
            subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, env=self.env, check=True)
            return time.perf_counter() - begun

    def compare(
        self, name: str, baseline: str, target: str, measure: Callable[[], tuple[float, float]]
    ) -> Row:
        """The medians of both and of their ratio."""
        pairs = [measure() for _ in range(self.rounds + 1)][1:]  # the first warms caches
        return Row(
            name,
            statistics.median(a for a, _ in pairs),
            baseline,
            statistics.median(b for _, b in pairs),
            statistics.median(a / b for a, b in pairs),
            target,
        )

    def empty_app(self) -> float:
        return self.seconds(sys.executable, str(HERE / "empty_app.py"), "one")

    def forget(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)

    def run(self) -> list[Row]:
        """All rows, in the order in which they need each other."""
        app = "empty Typer app"
        fresh = iter(range(10**6))

        def new_answer() -> tuple[float, float]:
            return self.seconds(GEOCLI, "-j", f"5.9.{next(fresh) % 250}.9"), self.empty_app()

        def known_answer() -> tuple[float, float]:
            return self.seconds(GEOCLI, "-j", "5.9.1.9"), self.empty_app()

        return [
            self.compare("lookup -j, one new address", app, "<= 1.7", new_answer),
            self.compare("lookup -j, one known address", app, "<= 1.7", known_answer),
            self.compare("flush of one", app, "", self.flush_of_one),
            self.compare("flush, idle", app, "<= 1.4", lambda: self.command("flush")),
            self.compare("--version", app, "", lambda: self.command("--version")),
            self.compare("--help", app, "", lambda: self.command("--help")),
            self.compare(f"lookup -j, {self.count} new", "maxminddb get", ">= 60000/s", self.bulk_look_up),
            self.compare(f"lookup -j, {self.count} stored", "maxminddb get", "", self.bulk_again),
            self.compare(f"flush of {self.count}", "executemany", "<= 2", self.bulk_flush),
            self.compare(
                "lookup -j, journal of 1000000", "the same, empty", "+ <= 0.3 s", self.full_journal()
            ),
        ]

    def run_on_lists(self, megabytes: int) -> list[Row]:
        """What people do with ban lists and logs."""
        bans, loop = self.scratch / "bans", self.scratch / "loop"
        chosen = self.addresses.read_text().split()[:5000]
        jails = [{f"jail-{n}": chosen[n::5]} for n in range(5)]
        bans.write_text(f"{jails}\n")
        loop.write_text("".join(f"geoiplookup {address}\n" for address in chosen))
        log = self.scratch / "log"
        line = '{} - - [23/Nov/2026:21:42:{:02} +0000] "GET /wp-login.php?x={} HTTP/1.1" 404 162 "-" "-"\n'
        choose = random.Random(4)  # noqa: S311 (not a secret)
        addresses = self.addresses.read_text().split()
        with log.open("w") as file:
            while file.tell() < megabytes * 1_000_000:
                file.writelines(line.format(choose.choice(addresses), n % 60, n) for n in range(10_000))

        def table(baseline: Callable[[], float]) -> Callable[[], tuple[float, float]]:
            def measure() -> tuple[float, float]:
                self.forget()
                return self.seconds(GEOCLI, "bans", "--by", "country", "--table", stdin=bans), baseline()

            return measure

        def one() -> float:
            self.forget()
            return self.seconds(GEOCLI, "-j", "8.8.8.8")

        def search() -> float:
            return self.seconds(sys.executable, str(HERE / "raw_search.py"), str(log))

        def over_log(command: str) -> Callable[[], tuple[float, float]]:
            return lambda: (self.seconds(GEOCLI, command, stdin=log), search())

        rows = [self.compare("bans --by country, 5000 new", "lookup of one", "<= 3", table(one))]
        if shutil.which("geoiplookup"):
            self.rounds, rounds = 3, self.rounds
            rows.append(
                self.compare(
                    "the same", "geoiplookup each", "<= 0.067", table(lambda: self.seconds("sh", str(loop)))
                )
            )
            self.rounds = rounds
        self.rounds = max(3, self.rounds // 3)
        rows.append(self.compare(f"summarize, {megabytes} MB", "re finding them", "", over_log("summarize")))
        rows.append(
            self.compare(f"annotate, {megabytes} MB", "re finding them", "<= 2", over_log("annotate"))
        )
        return rows

    def command(self, argument: str) -> tuple[float, float]:
        return self.seconds(GEOCLI, argument), self.empty_app()

    def flush_of_one(self) -> tuple[float, float]:
        self.seconds(GEOCLI, "--refresh", "23.1.1.1")
        return self.command("flush")

    def bulk_look_up(self) -> tuple[float, float]:
        self.forget()
        figure = self.seconds(GEOCLI, "-j", stdin=self.addresses)
        return figure, self.seconds(sys.executable, str(HERE / "raw_get.py"), str(self.addresses))

    def bulk_again(self) -> tuple[float, float]:
        self.seconds(GEOCLI, "flush")
        figure = self.seconds(GEOCLI, "-j", stdin=self.addresses)
        return figure, self.seconds(sys.executable, str(HERE / "raw_get.py"), str(self.addresses))

    def bulk_flush(self) -> tuple[float, float]:
        self.forget()
        self.seconds(GEOCLI, "-j", stdin=self.addresses)
        rows = self.scratch / "rows.json"
        with Journal(self.data / "journal", 10) as journal:
            segments = journal.keys()
            rows.write_text(json.dumps([row for key in segments for row in journal.read(key)]))
        database = self.scratch / "raw.db"
        for file in self.scratch.glob("raw.db*"):
            file.unlink()
        figure = self.seconds(GEOCLI, "flush")
        command = [sys.executable, str(HERE / "raw_upsert.py"), str(rows), str(database)]
        raw = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return figure, float(raw.stdout)

    def full_journal(self) -> Callable[[], tuple[float, float]]:
        self.forget()
        self.seconds(GEOCLI, "8.8.8.8")
        small, large = self.data, self.scratch / "large"
        answer = GeoRecord(
            "", "ok", "DE", "Germany", asn=24940, org="Hetzner Online GmbH", network="20.0.0.0/8",
            source="mmdb:embedded-2026-06", resolved_at=utc_text(time.time()),
        )  # fmt: skip
        with Journal(large / "journal", 10) as journal:
            for block in range(250):
                first, second = 20 + block // 25, block % 25
                texts = [f"{first}.{second}.{n >> 8}.{n & 255}" for n in range(4000)]
                journal.append([answer._replace(ip=text) for text in texts])
        self.env["GEOCLI_DATA_DIR"] = str(large)
        self.seconds(GEOCLI, "8.8.8.8")

        def measure() -> tuple[float, float]:
            self.env["GEOCLI_DATA_DIR"] = str(large)
            figure = self.seconds(GEOCLI, "-j", "20.0.0.1")
            self.env["GEOCLI_DATA_DIR"] = str(small)
            return figure, self.seconds(GEOCLI, "-j", "8.8.8.8")

        return measure


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each pair is measured")
    parser.add_argument("--count", type=int, default=100_000, help="addresses in bulk rows")
    parser.add_argument("--megabytes", type=int, default=30, help="size of the log in log rows")
    parser.add_argument("--lists", action="store_true", help="only the rows about ban lists and logs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), arguments.rounds, arguments.count)
        rows = [] if arguments.lists else bench.run()
        bench.env["GEOCLI_DATA_DIR"] = str(bench.data)
        rows += bench.run_on_lists(arguments.megabytes)
    line = "{:34} {:>8}  {:16} {:>8} {:>6}  {}"
    print(line.format("figure", "seconds", "baseline", "seconds", "ratio", "target"))
    for row in rows:
        figures = (f"{row.figure:.3f}", row.baseline, f"{row.base:.3f}", f"{row.ratio:.2f}")
        print(line.format(row.name, *figures, row.target))


if __name__ == "__main__":
    main()

"""Rounds of processes that are killed, and what is checked after each; the package says what and why."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from geocli.model.records import GeoRecord
from tests.conftest import Geocli
from tests.support.emulators import CountryIs, IpApi
from tests.torture.aims import choose
from tests.torture.disk import look
from tests.torture.ledger import Ledger
from tests.torture.processes import Ended, Job, run

_ALL = 18_000  # addresses
_ONLINE = 1_500  # of them, those that online sources are asked about
_MANY = (12_500, 16_000)  # in one look-up: some batches are left for workers
_LONGEST_LIFE = 6  # rounds with the same data directory
_BANS = 300  # in a list that is recorded
_BANNED_AT = "2026-11-23T21:42:11Z"
HOST = "torture"
_SHOWN = 3  # records in the message
_NOTICE = "is asked over plain HTTP"

_KINDS = {
    # kind: how often, and the seconds that one typically takes, at first
    "few": (5, 0.25),
    "some": (4, 0.3),
    "many": (3, 1.0),
    "online": (3, 0.8),
    "limited": (1, 0.8),
    "refresh": (2, 0.4),
    "record": (3, 0.4),
    "flush": (6, 0.4),
}
_FLUSH = Job("flush", ("flush",))
_STATS = Job("stats", ("stats", "-j"))


@dataclass
class Report:
    """The figures, and in ``findings`` what should not have happened, in words."""

    kills: Counter[str] = field(default_factory=Counter)
    processes: int = 0
    printed: int = 0
    lost: int = 0
    conflicting: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({kinds}), {self.processes} processes, {self.printed} "
            f"records printed, {self.lost} lost, {self.conflicting} conflicting, {self.seconds:.0f} s"
        )


def torture(kills: int, seed: int, directory: Path) -> Report:
    """Kill so many. ``directory`` is empty; what is left in it shows the findings."""
    report = Report()
    begun = time.monotonic()
    typical = {kind: seconds for kind, (_, seconds) in _KINDS.items()}
    with IpApi(key="key", limit=None, latency=0.02) as fast, CountryIs() as limited:
        online = {
            "GEOCLI_IP_API_URL": fast.url,
            "GEOCLI_IP_API_KEY": "key",
            "GEOCLI_COUNTRY_IS_URL": limited.url,
            "TZ": "UTC",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        for number in count(1):
            random = Random(f"{seed} {number}")  # noqa: S311 (not a secret)
            place = directory / f"life-{number}"
            place.mkdir()
            life = Life(place, online, report, typical)
            for _ in range(random.randint(1, _LONGEST_LIFE)):
                unknown = set(random.sample(_addresses()[:_ONLINE], _ONLINE // 3))
                fast.unknown = limited.unknown = unknown
                life.round(random)
                if life.findings or report.kills.total() >= kills:
                    break
            if not life.findings:
                life.finish()
            if life.findings:
                report.findings += [f"life {number}, in {place}:", *life.findings]
            else:
                shutil.rmtree(place)
            if report.kills.total() >= kills or len(report.findings) > 100:
                break
    report.seconds = time.monotonic() - begun
    return report


class Life:
    """One data directory, from nothing to its last flush."""

    def __init__(
        self,
        place: Path,
        environment: dict[str, str],
        report: Report,
        typical: dict[str, float] | None = None,
    ) -> None:
        self._place = place
        self._environment = environment
        self.geocli = Geocli(place / "data", environment)
        self._report = report
        self._typical = typical or {}
        self._ledger = Ledger()
        self._rounds = 0
        self.findings: list[str] = []

    def round(self, random: Random) -> None:
        """Some processes at once, and what they leave behind."""
        jobs = list(self._jobs(random))
        with ThreadPoolExecutor(len(jobs)) as pool:
            ends = list(pool.map(lambda job: run(self.geocli, job, self._typical[job.kind]), jobs))
        for ended in ends:
            self.see(ended)
        self.check(self.geocli)
        if random.random() < 0.5:
            self.try_commands(self.geocli, random, remember=True)
        else:
            copy = Geocli(self._place / "copy", self._environment)
            if self.geocli.data_dir.exists():
                shutil.copytree(self.geocli.data_dir, copy.data_dir)
            self.try_commands(copy, random, remember=False)
            shutil.rmtree(copy.data_dir, ignore_errors=True)
        if self.findings:
            self.findings += [f"  {ended.job}: exit {ended.code}" for ended in ends]

    def finish(self) -> None:
        """Flush until nothing is dirty. Then everything is in the store."""
        for _ in range(3):
            self.see(run(self.geocli, _FLUSH))
            left = self.check(self.geocli)
            if left["dirty"] == left["dirty_bans"] == 0:
                break
        else:
            self.findings.append("three flushes did not empty the journal")

    def _jobs(self, random: Random) -> Iterator[Job]:
        # Alone, a process makes the files that are not there. Among many, strace is too slow to be first.
        alone = random.random() < (0.1 if self._rounds else 0.5)
        self._rounds += 1
        many = 1 if alone else random.randint(4, 8)
        kinds = random.choices([*_KINDS], [often for often, _ in _KINDS.values()], k=many)
        for kind in kinds if alone else ("flush", *kinds):
            arguments, targets = self._task(kind, random)
            kill = choose(random, kind, alone=alone) if random.random() < 0.9 else None
            yield Job(kind, arguments, targets, kill, random.uniform(0, 0.4))

    def _task(self, kind: str, random: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The arguments of a process of this kind, and the targets that it is to print."""
        if kind == "flush":
            return ("flush",), ()
        if kind == "refresh":
            provider = random.choice([("-p", "ip-api"), ("-p", "mmdb", "--older-than", "0s")])
            return ("refresh", *provider, "--limit", "500"), ()
        if kind == "record":
            begin = random.randrange(_ALL - _BANS)
            file = self._place / f"bans-{begin}"
            file.write_text("".join(map(ban_line, _addresses()[begin : begin + _BANS])))
            return ("bans", "--record", "--host", HOST, "-i", str(file)), ()
        again = ("--refresh",) if random.random() < 0.5 else ()
        addresses, options = _addresses(), ("lookup", "-j", *again)
        if kind == "few":
            few = tuple(random.sample(addresses, random.randint(1, 20)))
            return (*options, *few), few
        if kind == "many":
            length = random.randint(*_MANY)
        elif kind == "limited":
            options, addresses, length = (*options, "-p", "country-is"), addresses[:_ONLINE], 200
        elif kind == "online":
            chain = random.choice(["ip-api", "ip-api", "ip-api,mmdb", "mmdb,ip-api"])
            options, addresses, length = (*options, "-p", chain), addresses[:_ONLINE], 500
        else:
            length = random.randint(100, 1000)
        begin = random.randrange(len(addresses) - length)
        targets = addresses[begin : begin + length]
        file = self._place / f"list-{begin}-{length}"
        file.write_text("\n".join(targets))
        return (*options, "-i", str(file)), tuple(targets)

    def see(self, ended: Ended, *, remember: bool = True) -> None:
        """How a process ended, and what it printed."""
        job, problems = ended.job, list(ended.problems)
        self._report.processes += 1
        if ended.struck:
            self._report.kills[job.kind] += 1
        lines = ended.out.splitlines() if job.targets else []
        records = [GeoRecord(**json.loads(line)) for line in lines]
        self._report.printed += len(records)
        if remember:
            self._ledger.add(records)
        if any(record.status not in {"ok", "unknown"} for record in records):
            problems.append("did not answer")
        if tuple(record.ip for record in records) != job.targets[: len(records)]:
            problems.append("printed other addresses than it was asked about, or in another order")
        if not (ended.struck and job.kill and job.kill.victim != "a worker"):
            if ended.code or len(records) < len(job.targets):
                problems.append(f"exit {ended.code}, {len(records)} records")
            if job.kind == "record" and ended.code == 0:
                banned = Path(job.arguments[-1]).read_text().splitlines()
                self._ledger.add_bans((HOST, "", line.split()[0], _BANNED_AT) for line in banned)
            if job.kind in self._typical and job.kill is None:
                self._typical[job.kind] += (ended.seconds - self._typical[job.kind]) / 4
        if err := [line for line in ended.err.splitlines() if _NOTICE not in line]:
            problems.append(f"said {err}")
        self.findings += [f"{job}: {problem}" for problem in problems]

    def check(self, geocli: Geocli, *, remember: bool = True) -> dict[str, int]:
        """The files, and whether everything is there; what ``stats`` should say about them."""
        disk, ledger, report = look(geocli.data_dir), self._ledger, self._report
        ledger.check(disk)
        if remember:
            ledger.add((*disk.journal, *disk.store))
        report.lost += len(ledger.lost)
        report.conflicting += len(ledger.conflicting)
        self.findings += disk.problems
        for found in (ledger.lost, ledger.conflicting):
            self.findings += found[:_SHOWN]
            if len(found) > _SHOWN:
                self.findings.append(f"and {len(found) - _SHOWN} more")
        ledger.lost, ledger.conflicting = [], []
        return {
            "stored": len(disk.store),
            "unknown": sum(record.status == "unknown" for record in disk.store),
            "dirty": len(disk.journal),
            "bans": len(disk.store_bans),
            "dirty_bans": len(disk.journal_bans),
            "quarantined": 0,
        }

    def try_commands(self, geocli: Geocli, random: Random, *, remember: bool) -> None:
        """What comes next works, in any order, and nothing is lost by it."""
        targets = tuple(random.sample(_addresses(), 5))
        jobs = [_STATS, _FLUSH, Job("lookup", ("lookup", "-j", *targets), targets)]
        random.shuffle(jobs)
        for job in jobs:
            self.see(run(geocli, job), remember=remember)
        expected, stats = self.check(geocli, remember=remember), self._stats(geocli)
        if not expected.items() <= stats.items():
            self.findings.append(f"stats says {stats}, but there is {expected}")

    def _stats(self, geocli: Geocli) -> dict[str, Any]:
        ended = run(geocli, _STATS)
        self.see(ended)
        figures: dict[str, Any] = json.loads(ended.out or b"{}")
        return figures


def ban_line(ip: str) -> str:
    """A ban as ``get JAIL banip --with-time`` tells it."""
    return f"{ip} \t2026-11-23 21:42:11 + 600 = 2026-11-23 21:52:11\n"


@cache
def _addresses() -> list[str]:
    """Distinct public addresses, always the same. Lists of them overlap."""
    random = Random(26)  # noqa: S311 (not a secret)
    found: dict[str, None] = {}
    while len(found) < _ALL:
        if random.random() < 0.9:
            network = random.choice(["5", "23", "45", "91", "185"])
            text = f"{network}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
        else:
            text = (
                f"{random.choice(['2001:4860', '2a01:4f8', '2400:cb00'])}:{random.randrange(1, 65536):x}::1"
            )
        found[text] = None
    return list(found)

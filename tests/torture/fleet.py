"""Many machines with one store, whose server is killed meanwhile.

``python -m tests.torture.fleet --hosts 20 --addresses 5000 --seconds 30 --kills 2`` starts a server of its
own. Each host is one process at any time: it has a data directory, looks up its addresses again and again
(neighbours share three quarters of them), some with ``--refresh``, records bans, of which some are the same
on every host, and flushes, every second where the machine is quick enough. The server is killed with SIGKILL,
is away for a second or more, and comes back.

Every look-up prints all of its addresses, and exits with 0, whether there is a server or not. A flush exits
with 0 or 75. In the end each host flushes once more. Then, of all that was printed anywhere, the server has
each address once, with the best answer or a better one, the same from whichever host it came (``ledger``);
and each ban once, as all of its sightings together make it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from geocli.model.bans import SeenBan, merged
from geocli.model.records import GeoRecord, utc_text
from geocli.storage.journal.journal import Journal
from geocli.storage.journal.segments import encode_bans
from geocli.storage.store.postgres.store import PostgresStore
from tests.conftest import Geocli
from tests.support.postgres_server import Postgres
from tests.support.targets import addresses
from tests.torture.disk import Disk
from tests.torture.ledger import Ledger

_AT_ONCE = 1000  # addresses of one look-up
_BANS = 50  # of one recording
_BEGAN = "2026-11-25T00:00:00Z"


class Host:
    """One machine: what it printed, what it recorded, how its processes ended."""

    def __init__(self, number: int, directory: Path, url: str, listed: list[str]) -> None:
        self.geocli = Geocli(directory / "data", {"GEOCLI_STORE_URL": url})
        self.printed: list[GeoRecord] = []
        self.recorded: list[SeenBan] = []
        self.codes: Counter[str] = Counter()
        self.findings: list[str] = []
        self._name = f"host-{number}"
        self._listed = listed
        self._random = random.Random(number)  # noqa: S311 (not a secret)

    def work(self, until: threading.Event) -> None:
        """Look up, record and flush until it is time; at most one flush a second."""
        flushed = 0.0
        while not until.is_set() or not self.printed:
            begin = self._random.randrange(max(len(self._listed) - _AT_ONCE, 1))
            texts = self._listed[begin : begin + _AT_ONCE]
            again = ["--refresh"] if self._random.random() < 0.3 else []
            done = self.geocli("lookup", "-j", *again, stdin="\n".join(texts), timeout=120)
            records = [GeoRecord(**json.loads(line)) for line in done.stdout.splitlines()]
            self.codes[f"lookup {done.returncode}"] += 1
            if done.returncode or [record.ip for record in records] != texts:
                self.findings.append(f"{self._name}: lookup: exit {done.returncode}: {done.stderr}")
            self.printed += records
            self._record(texts[:_BANS])
            time.sleep(max(0.0, flushed + 1 - time.monotonic()))
            flushed = time.monotonic()
            self.flush()

    def _record(self, ips: list[str]) -> None:
        now = utc_text(time.time())
        seen = [
            SeenBan(host, "sshd", ip, _BEGAN, None, self._random.randrange(5), 1, now, now)
            for host in (self._name, "shared")
            for ip in ips
        ]
        with Journal(self.geocli.data_dir / "journal", 30) as journal:
            journal.write(encode_bans(seen))
        self.recorded += seen

    def flush(self) -> int:
        """Flush once; the exit code."""
        done = self.geocli("flush", timeout=120)
        self.codes[f"flush {done.returncode}"] += 1
        lines = len(done.stderr.splitlines())
        if done.returncode not in {0, 75} or lines != bool(done.returncode) or done.stdout:
            self.findings.append(f"{self._name}: flush: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.returncode


def fleet(
    server: Postgres, directory: Path, hosts: int, count: int, seconds: float, kills: int
) -> tuple[dict[str, object], list[str]]:
    """Let them work; figures, and what should not have happened, in words."""
    begun = time.monotonic()
    url = server.new_url()
    step = max(count // 4, 1)
    everything = addresses(step * (hosts - 1) + count)
    machines = [
        Host(number, directory / f"host-{number}", url, everything[number * step : number * step + count])
        for number in range(hosts)
    ]
    until = threading.Event()
    with ThreadPoolExecutor(hosts) as pool:
        running = [pool.submit(host.work, until) for host in machines]
        for _ in range(kills):
            time.sleep(seconds / (kills + 1))
            server.kill()
            time.sleep(1)
            server.start()
        time.sleep(seconds / (kills + 1))
        until.set()
        for one in running:
            one.result()
    findings = [finding for host in machines for finding in host.findings]
    findings += [f"a last flush exits with {code}" for host in machines if (code := host.flush())]
    with closing(PostgresStore(url, 30, 30)) as store:
        rows = [record for batch in store.everything() for record in batch]
        bans = [ban for batch in store.every_ban() for ban in batch]
    findings += _judge(machines, rows, bans)
    codes = sum((host.codes for host in machines), Counter[str]())
    figures: dict[str, object] = {
        "hosts": hosts,
        "kills": kills,
        **{name: codes[name] for name in sorted(codes)},
        "printed": sum(len(host.printed) for host in machines),
        "stored": len(rows),
        "recorded": sum(len(host.recorded) for host in machines),
        "bans": len(bans),
        "seconds": round(time.monotonic() - begun, 1),
    }
    return figures, findings


def _judge(machines: list[Host], rows: list[GeoRecord], bans: list[SeenBan]) -> list[str]:
    ledger = Ledger()
    for host in machines:
        ledger.add(host.printed)
    ledger.check(Disk(store=rows))
    findings = [*ledger.lost, *ledger.conflicting]
    if len({record.ip for record in rows}) != len(rows):
        findings.append("an address is stored twice")
    expected: dict[tuple[str, str, str, str], SeenBan] = {}
    for host in machines:
        for ban in host.recorded:
            expected[ban.key] = merged(expected[ban.key], ban) if ban.key in expected else ban
    if {ban.key: ban for ban in bans} != expected:
        findings.append(f"{len(bans)} bans are stored, and are not the {len(expected)} that were recorded")
    return findings


def main() -> None:
    """Exit with 1 if there is any finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fleet", description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--addresses", type=int, default=5000, help="of each host")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kills", type=int, default=2, help="how often the server is killed and comes back")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="postgres-"))
    place.chmod(0o755)
    server = Postgres(place)
    try:
        server.start()
        with tempfile.TemporaryDirectory() as scratch:
            figures, findings = fleet(
                server, Path(scratch), options.hosts, options.addresses, options.seconds, options.kills
            )
        print(figures)
        if findings:
            raise SystemExit("\n".join(findings[:20]))
    finally:
        server.kill()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()

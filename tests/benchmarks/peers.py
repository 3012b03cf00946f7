"""geocli beside other programs: whole processes, the same addresses."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.inputs import write_addresses
from tests.benchmarks.measure import Command, geocli, script
from tests.benchmarks.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.measure import Bench

_FEW = 1000


class _Peer(NamedTuple):
    """A program, and what to run. ``missing`` says what to install where it is not there."""

    name: str
    command: Command
    missing: str = ""


def show_peers(bench: Bench, rounds: int, count: int) -> None:
    """Print the table: one address, a few, and many."""
    table = Table(("program", 36), ("addresses", 9), ("seconds", 8), ("µs an address", 13), ("MB", 5))
    database = _database(bench)
    for size in (1, _FEW, count):
        path = bench.scratch / f"addresses-{size}"
        write_addresses(path, size, 0)
        for peer in _peers(bench, path, size, database):
            if peer.missing:
                table.row(peer.name, f"{size:,}", "", peer.missing, "")
                continue
            memory = bench.memory(peer.command)
            seconds = statistics.median(bench.seconds(peer.command) for _ in range(rounds))
            cells = (f"{size:,}", f"{seconds:.3f}", f"{seconds / size * 1e6:.1f}", f"{memory:.0f}")
            table.row(peer.name, *cells)


def _peers(bench: Bench, path: Path, size: int, database: str) -> list[_Peer]:
    data = bench.scratch / "peers"
    fast = "" if importlib.util.find_spec("geoip2fast") else "not installed: PyPI geoip2fast"
    peers = [
        _Peer("geocli --no-cache -c", geocli(data, "lookup", "--no-cache", "-c", stdin=path)),
        _Peer("geocli -j, remembered", geocli(data, "lookup", "-j", stdin=path)),
        _Peer("maxminddb get, writing nothing", script("raw_get.py", stdin=path)),
        _Peer("geoip2fast", script("peer_geoip2fast.py", stdin=path), fast),
    ]
    if size <= _FEW:
        peers += [
            _each(path, "mmdblookup", f"--file {database} --ip", "mmdb-bin"),
            _each(path, "geoiplookup", "", "geoip-bin"),
        ]
    return peers


def _database(bench: Bench) -> str:
    """Where the database is that geocli asks."""
    bench.seconds(geocli(bench.scratch / "peers", "db", "list", "-f", "path"))
    return bench.output.read_text().splitlines()[0]


def _each(path: Path, program: str, options: str, package: str) -> _Peer:
    """A program that takes one address, started for each from a shell."""
    found = shutil.which(program)
    loop = path.with_name(f"{path.name}-{program}")
    if found:
        lines = path.read_text().split()
        loop.write_text("".join(f"{found} {options} {line}\n" for line in lines))
    missing = "" if found else f"not installed: Debian {package}"
    return _Peer(f"{program}, a process each", Command(("/bin/sh", str(loop))), missing)

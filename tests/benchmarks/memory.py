"""Memory: what each command that reads much, or has much to read, needs at most."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.ban_inputs import write_ban_log, write_banned, write_database
from tests.benchmarks.inputs import address, write_addresses
from tests.benchmarks.measure import geocli
from tests.benchmarks.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Bench

MOST = 200
"""Megabytes, whatever the input."""

_NOTHING = Path(os.devnull)


class _Row(NamedTuple):
    """A command, what it reads, and whether it works on the history instead of an empty data directory.

    ``{scratch}`` in a command is a directory for what it makes.
    """

    command: str
    stdin: str = ""
    history: bool = False


_ROWS = (
    _Row("lookup --no-cache -c", "addresses"),
    _Row("lookup --no-cache -u -c", "addresses"),
    _Row("lookup -c", "addresses"),
    _Row("annotate", "log"),
    _Row("summarize --by country", "log"),
    _Row("summarize --no-cache --by network", "log"),
    _Row("summarize --no-cache --by ip", "log"),
    _Row("report --no-cache -o - --log -", "log"),
    _Row("bans --no-cache -c", "addresses"),
    _Row("bans --no-cache --by country", "addresses"),
    _Row("bans --no-cache --by ip", "addresses"),
    _Row("report --no-cache -o -", "addresses"),
    _Row("bans --no-cache -c", "fail2ban.log"),
    _Row("report --no-cache -o -", "fail2ban.log"),
    _Row("bans --no-cache -c", "fail2ban.sqlite3"),
    _Row("advise -c", "addresses"),
    _Row("advise -c --by asn", "addresses"),
    _Row("advise -c", "fail2ban.log"),
    _Row("advise -c --backtest 12h", "fail2ban.log"),
    _Row("networks --country US"),
    _Row("bans --record", "banned", history=True),
    _Row("bans --record", "banned", history=True),
    _Row("bans --history -c", history=True),
    _Row("bans --history --by network", history=True),
    _Row("bans --history --new --since 30d -c", history=True),
    _Row("bans --history --new --since 30d --by network", history=True),
    _Row("bans --history --compare 30d --by ip -c", history=True),
    _Row("report --history -o -", history=True),
    _Row("advise --history -c", history=True),
    _Row("show AS4134", history=True),
    _Row("flush", history=True),
    _Row("bans --record", "banned", history=True),
    _Row("bans --history -c", history=True),
    _Row("bans --history --by network", history=True),
    _Row("bans --history --new --since 30d -c", history=True),
    _Row("bans --history --new --since 30d --by network", history=True),
    _Row("bans --history --compare 30d --by ip -c", history=True),
    _Row("report --history -o -", history=True),
    _Row("advise --history -c", history=True),
    _Row("show AS4134", history=True),
    _Row("lookup -c", "addresses", history=True),
    _Row("lookup -c", "addresses", history=True),
    _Row("flush", history=True),
    _Row("refresh --older-than 0s", history=True),
    _Row("stats", history=True),
    _Row("store check", history=True),
    _Row("store copy {scratch}/history/geo.db {scratch}/copy.db", history=True),
    _Row("forget --older-than 0", history=True),
)
"""In their order: each goes on with what the one before has left of the history."""


def show_memory(bench: Bench, count: int, ipv6: int, only: str) -> None:
    """Print the table, for so many addresses, bans or lines."""
    make: dict[str, Callable[[Path], None]] = {
        "addresses": partial(write_addresses, count=count, ipv6=ipv6),
        "log": partial(_write_log, count=count, ipv6=ipv6),
        "banned": partial(write_banned, count=count),
        "fail2ban.log": partial(write_ban_log, lines=count),
        "fail2ban.sqlite3": partial(write_database, count=count),
    }
    table = Table((f"command, {count:,}", 56), ("reads", 16), ("MB", 6))
    for number, row in enumerate(_ROWS):
        if only not in row.command:
            continue
        path = bench.scratch / row.stdin if row.stdin else _NOTHING
        if row.stdin and not path.exists():
            make[row.stdin](path)
        data = bench.scratch / ("history" if row.history else f"data-{number}")
        words = [word.format(scratch=bench.scratch) for word in row.command.split()]
        memory = bench.memory(geocli(data, *words, stdin=path))
        table.row(row.command, row.stdin or "the history", f"{memory:.0f}{' ✗' if memory > MOST else ''}")


def _write_log(path: Path, count: int, ipv6: int) -> None:
    """A web server's log of which each line has another address."""
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            file.write(f'{address(number, ipv6)} - - [23/Nov/2026:21:42:09 +0000] "GET / HTTP/1.1" 404 1\n')

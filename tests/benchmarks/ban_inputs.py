"""What benchmarks read bans from: fail2ban's list, its log and its database, each address once."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from tests.benchmarks.inputs import address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 10_000
# As fail2ban 1.1 makes it.
_SCHEMA = """
CREATE TABLE fail2banDb (version INTEGER);
INSERT INTO fail2banDb VALUES (4);
CREATE TABLE jails (name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);
INSERT INTO jails VALUES ('sshd', 1);
CREATE TABLE bips (
    ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
    bancount INTEGER NOT NULL DEFAULT 1, data JSON, PRIMARY KEY (ip, jail)
);
CREATE INDEX bips_timeofban ON bips (timeofban);
"""


def write_banned(path: Path, count: int) -> None:
    """What ``fail2ban-client banned`` prints."""
    with path.open("w", encoding="ascii") as file:
        file.write("[{'sshd': [")
        _write(file.write, (f"{', ' if number else ''}'{address(number)}'" for number in range(count)))
        file.write("]}]\n")


def write_ban_log(path: Path, lines: int) -> None:
    """fail2ban's log: each address is found, banned and unbanned."""

    def text(number: int) -> str:
        moment = f"{_BEGIN + timedelta(seconds=10 * number):%Y-%m-%d %H:%M:%S}"
        verb = ("Found", "Ban", "Unban")[number % 3]
        module, level = ("filter", "INFO") if verb == "Found" else ("actions", "NOTICE")
        name = f"{moment},123 fail2ban.{module:<15} [728]: {level:<7} [sshd] {verb} {address(number // 3)}"
        return f"{name} - {moment}\n" if verb == "Found" else f"{name}\n"

    with path.open("w", encoding="ascii") as file:
        _write(file.write, map(text, range(lines)))


def write_database(path: Path, count: int) -> None:
    """fail2ban's database, with bans that hold."""
    now = int(time.time())
    rows = ((address(number), now - number % 80_000) for number in range(count))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_SCHEMA)
        connection.executemany("INSERT INTO bips VALUES (?, 'sshd', ?, 1000000, 1, '{}')", rows)
        connection.commit()


def _write(write: Callable[[str], object], texts: Iterable[str]) -> None:
    rest = iter(texts)
    while text := "".join(islice(rest, _AT_ONCE)):
        write(text)

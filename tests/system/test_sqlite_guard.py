"""SQLite files with more in them than data: nothing of it runs, and it is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from geocli.storage.journal.journal import Journal
from geocli.system.sqlite_guard import foreign_part
from tests.conftest import Geocli, within

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n"
PARTS = {
    "view": "CREATE VIEW odd AS SELECT 1",
    "trigger": "CREATE TRIGGER odd AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END",
    "trigger that looks like diskcache's": (
        "CREATE TRIGGER Settings_count_odd AFTER INSERT ON {table} FOR EACH ROW BEGIN "
        "DELETE FROM {table}; UPDATE {table} SET rowid = 1 WHERE rowid = 'count'; END"
    ),
    "virtual table": "CREATE VIRTUAL TABLE odd USING fts5(text)",
    "index on an expression": "CREATE INDEX odd ON {table} (hex(zeroblob(1000000)))",
    "partial index": "CREATE INDEX odd ON {table} ({column}) WHERE length(hex(zeroblob(1000000))) > 1",
    "generated column": "ALTER TABLE {table} ADD COLUMN odd BLOB AS (zeroblob(1000000))",
    "view without an end": "ALTER TABLE {table} RENAME TO other; CREATE VIEW {table} AS " + ENDLESS,
}


def plant(path: Path, part: str, table: str, column: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.executescript(PARTS[part].format(table=table, column=column))


@pytest.mark.parametrize("part", PARTS)
def test_a_store_that_holds_more_than_data_is_refused(
    geocli: Geocli, data_dir: Path, tmp_path: Path, part: str
) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    geocli("9.9.9.9")
    plant(data_dir / "geo.db", part, "geo_cache", "ip")
    for arguments in (
        ["flush"],
        ["stats"],
        ["forget", "--older-than", "0"],
        ["store", "copy", str(data_dir / "geo.db"), str(tmp_path / "copy.db")],
    ):
        with within(20):
            done = geocli(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1), done
        assert "which geocli did not make" in done.stderr
    known = geocli("-f", "country_code", "1.1.1.1")
    assert (known.returncode, known.stdout) == (4, "AU\n")
    with Journal(data_dir / "journal", 1) as journal:
        assert len(journal.keys()) == 2


@pytest.mark.parametrize("part", PARTS)
def test_a_journal_that_holds_more_than_data_is_refused(geocli: Geocli, data_dir: Path, part: str) -> None:
    geocli("8.8.8.8")
    plant(data_dir / "journal" / "cache.db", part, "Cache", "key")
    for arguments in (["8.8.8.8"], ["9.9.9.9"], ["flush"], ["stats"]):
        with within(20):
            done = geocli(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1), done
        assert "which geocli did not make" in done.stderr


FAIL2BAN = (
    "CREATE TABLE bips(ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON);"
    "INSERT INTO bips VALUES ('192.0.2.1', 'sshd', 1e9, -1, 1, '{}');"
)


@pytest.mark.parametrize("part", PARTS)
def test_a_database_of_fail2ban_that_holds_more_than_data_is_refused(
    geocli: Geocli, tmp_path: Path, part: str
) -> None:
    path = tmp_path / "fail2ban.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FAIL2BAN)
    assert geocli("bans", "--database", path, "-f", "ip").stdout == "192.0.2.1\n"
    plant(path, part, "bips", "ip")
    with within(20):
        done = geocli("bans", "--database", path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "not fail2ban's database: it holds" in done.stderr


def test_values_that_would_fill_the_memory_are_refused(
    geocli: Geocli, data_dir: Path, tmp_path: Path
) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    with closing(sqlite3.connect(data_dir / "geo.db", isolation_level=None)) as connection:
        connection.execute("UPDATE geo_cache SET org = hex(zeroblob(12000000))")
    done = geocli("store", "copy", data_dir / "geo.db", tmp_path / "copy.db")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "larger than any of geocli's" in done.stderr
    path = tmp_path / "fail2ban.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FAIL2BAN)
        connection.executescript("UPDATE bips SET jail = hex(zeroblob(12000000))")
    done = geocli("bans", "--database", path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_what_geocli_and_diskcache_make_is_not_foreign(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    for path in (data_dir / "geo.db", data_dir / "journal" / "cache.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert foreign_part(connection) is None


def test_an_index_of_ones_own_is_no_harm(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    with closing(sqlite3.connect(data_dir / "geo.db", isolation_level=None)) as connection:
        connection.execute('CREATE INDEX "mine" ON geo_cache (org, "city")')
    assert geocli("stats", "-q").returncode == 0

"""fail2ban's database: the schemas of four versions, rows of any type, locks, and files that are none."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.fail2ban import database
from geocli.inputs.fail2ban.database import DatabaseQuestion, read_database
from geocli.inputs.in_text import ban_targets
from geocli.model.bans import Ban
from geocli.model.errors import TryAgainError, UsageError
from tests.inputs.test_bans import capture
from tests.support.examples import examples

SCHEMA = capture("1.1.0/40-db-schema.sql").decode()
NOW = 1_795_470_200.0  # 2026-11-23 21:43:20 UTC
OLD = (
    "CREATE TABLE fail2banDb(version INTEGER);"
    "CREATE TABLE jails(name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);"
    "CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, data JSON)"
)


def make(path: Path, schema: str, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def bip(ip: str, jail: str, begin: float, seconds: float, count: int = 1) -> str:
    return f"INSERT INTO bips VALUES ('{ip}', '{jail}', {begin}, {seconds}, {count}, x'7b7d')"  # noqa: S608 - ours


def test_current_bans_are_told_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a b?#%.sqlite3",
        SCHEMA,
        "INSERT INTO jails VALUES ('sshd', 1), ('off', 0)",
        bip("192.0.2.2", "sshd", NOW - 10, 600, 3),
        bip("192.0.2.1", "sshd", NOW - 100, 600),
        bip("192.0.2.3", "sshd", NOW - 700, 600),
        bip("192.0.2.4", "sshd", NOW - 600, 600),
        bip("192.0.2.5", "sshd", NOW - 9000, -1),
        bip("192.0.2.6", "sshd", NOW - 8000, -2),
        bip("192.0.2.7", "off", NOW - 10, 600),
        bip("192.0.2.1", "unheard of", NOW - 5, 60.25661),
    )
    assert read_database(path, DatabaseQuestion(NOW)).bans == [
        Ban("sshd", "192.0.2.5", "2026-11-23T19:13:20Z", None, 1),
        Ban("sshd", "192.0.2.6", "2026-11-23T19:30:00Z", None, 1),
        Ban("sshd", "192.0.2.1", "2026-11-23T21:41:40Z", "2026-11-23T21:51:40Z", 1),
        Ban("sshd", "192.0.2.2", "2026-11-23T21:43:10Z", "2026-11-23T21:53:10Z", 3),
        Ban("unheard of", "192.0.2.1", "2026-11-23T21:43:15Z", "2026-11-23T21:44:15Z", 1),
    ]


def test_a_database_of_0_9_tells_the_last_ban_of_each(tmp_path: Path) -> None:
    path = make(
        tmp_path / "old.sqlite3",
        OLD,
        "INSERT INTO jails VALUES ('sshd', 1), ('off', 0)",
        "INSERT INTO bans VALUES ('sshd', '192.0.2.1', 1, NULL), ('sshd', '192.0.2.2', 2, NULL),"
        " ('web', '192.0.2.1', 3, NULL), ('sshd', '192.0.2.1', 4, NULL), ('off', '192.0.2.9', 5, NULL)",
    )
    assert read_database(path, DatabaseQuestion(NOW)).bans == [
        Ban("sshd", "192.0.2.2", "1970-01-01T00:00:02Z"),
        Ban("web", "192.0.2.1", "1970-01-01T00:00:03Z"),
        Ban("sshd", "192.0.2.1", "1970-01-01T00:00:04Z"),
    ]


def test_missing_tables_and_columns_are_not_known(tmp_path: Path) -> None:
    path = make(tmp_path / "a", "CREATE TABLE bans(jail, ip)", "INSERT INTO bans VALUES ('a', 'x')")
    assert read_database(path, DatabaseQuestion(NOW)).bans == [Ban("a", "x")]
    path = make(
        tmp_path / "b", "CREATE TABLE bips(jail, ip, timeofban)", "INSERT INTO bips VALUES ('a', 'x', 0)"
    )
    assert read_database(path, DatabaseQuestion(NOW)).bans == [Ban("a", "x", "1970-01-01T00:00:00Z")]


VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=9), st.binary(max_size=9)
)


@examples(60)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES, VALUES), max_size=5), st.booleans())
def test_a_row_of_any_types_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]], is_old: bool
) -> None:
    path = tmp_path_factory.mktemp("db") / "x.sqlite3"
    table = "bans" if is_old else "bips"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jails(name, enabled)")
        connection.execute(f"CREATE TABLE {table}(jail, ip, timeofban, bantime, bancount)")
        for row in rows:
            texts = [
                text.encode("utf-8", "replace").decode() if isinstance(text, str) else text for text in row
            ]
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", texts)  # noqa: S608 - ours
        connection.commit()
    bans = read_database(path, DatabaseQuestion(NOW)).bans
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_AT_ONCE", 1)
        assert bans == read_database(path, DatabaseQuestion(NOW)).bans
    for ban in bans:
        assert isinstance(ban.text, str)
        assert ban_targets(ban) is not None


def test_many_rows_are_read_as_each_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        bip(
            f"192.0.2.{number}" if number % 7 else f"al\nice{number}",
            f"j{number % 99}",
            NOW - number,
            seconds,
        )
        for number in range(300)
        for seconds in [(600, -1, 60.5)[number % 3] if number > 200 else 600]
    ]
    path = make(tmp_path / "x", SCHEMA, *rows)
    bans = read_database(path, DatabaseQuestion(NOW)).bans
    monkeypatch.setattr(database, "_AT_ONCE", 1)
    assert bans == read_database(path, DatabaseQuestion(NOW)).bans
    assert len({ban.text for ban in bans}) > 200


def test_a_jail_that_nobody_knows_is_not_disabled(tmp_path: Path) -> None:
    path = make(
        tmp_path / "x",
        "CREATE TABLE bips(jail, ip, timeofban, bantime, bancount); CREATE TABLE jails(name, enabled)",
        "INSERT INTO jails VALUES (NULL, 0), ('off', 0)",
        "INSERT INTO bips VALUES (NULL, 'a', 1, -1, 1), ('off', 'b', 2, -1, 1), ('on', 'c', 3, -1, 1)",
    )
    assert [ban.text for ban in read_database(path, DatabaseQuestion(NOW)).bans] == ["a", "c"]


def test_text_that_is_no_utf8_is_shown(tmp_path: Path) -> None:
    path = make(
        tmp_path / "x",
        SCHEMA,
        f"INSERT INTO bips VALUES (CAST(x'ff41' AS TEXT), x'fe', {NOW}, 60, 'many', NULL)",  # noqa: S608 - ours
    )
    (ban,) = read_database(path, DatabaseQuestion(NOW)).bans
    assert (ban.text, ban.jail, ban.ban_count) == ("\\udcffA", "\\udcfe", None)


# --- what can go wrong ----------------------------------------------------------------------------------


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    for path in (tmp_path / "none.sqlite3", tmp_path / "no" / "such"):
        with pytest.raises(UsageError, match=f"there is no {path}"):
            read_database(path, DatabaseQuestion(NOW))
        assert not path.exists()


def test_files_that_are_no_database_of_fail2bans(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("192.0.2.1\n" * 200)
    (tmp_path / "empty").touch()
    make(tmp_path / "other", "CREATE TABLE records(ip)")
    make(tmp_path / "near", "CREATE TABLE bans(what, ever)")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "text": "it is not SQLite, or damaged",
        "empty": "it has no table of bans",
        "other": "it has no table of bans",
        "near": "it has no table of bans",
        "pipe": "is not a file",
        ".": "is not a file",
    }.items():
        with pytest.raises(UsageError, match=reason) as caught:
            read_database(tmp_path / name, DatabaseQuestion(NOW))
        assert str(tmp_path / name) in str(caught.value)


def test_a_damaged_database_is_an_error(tmp_path: Path) -> None:
    rows = [bip(f"192.0.2.{number}", "a", NOW, 60) for number in range(250)]
    path = make(tmp_path / "x.sqlite3", SCHEMA, *rows)
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    with pytest.raises(UsageError, match=str(path)):
        read_database(path, DatabaseQuestion(NOW))
    path.write_bytes(content[:5000])
    with pytest.raises(UsageError, match=str(path)):
        read_database(path, DatabaseQuestion(NOW))


def test_a_file_of_roots_says_to_use_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "x.sqlite3", SCHEMA)
    if os.geteuid() == 0:  # root may read everything

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(database, "_check_readable", refuse)
    else:
        path.chmod(0)
    with pytest.raises(UsageError, match="use sudo"):
        read_database(path, DatabaseQuestion(NOW))


def test_a_lock_is_waited_for_and_then_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "x.sqlite3", SCHEMA, bip("192.0.2.1", "a", NOW, 60))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(database, "_PATIENCE", 0.2)
        with pytest.raises(TryAgainError, match=str(path)):
            read_database(path, DatabaseQuestion(NOW))
        monkeypatch.setattr(database, "_PATIENCE", 4)
        timer = threading.Timer(0.3, writer.rollback)
        timer.start()
        assert len(read_database(path, DatabaseQuestion(NOW)).bans) == 1
        timer.join()


def test_a_reader_leaves_nothing_behind_and_holds_no_lock(tmp_path: Path) -> None:
    path = make(tmp_path / "x.sqlite3", SCHEMA, bip("192.0.2.1", "a", time.time(), 60))
    before = path.stat()
    assert len(read_database(path, DatabaseQuestion(time.time())).bans) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.sqlite3"]
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")

"""The SQLite store: one transaction a replay, newer wins, readable with any SQLite."""

from __future__ import annotations

import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from geocli.model.bans import SEEN_FIELDS
from geocli.model.errors import BadRowsError, DamagedFileError, TryAgainError
from geocli.model.records import FIELDS
from geocli.storage.batch import Batch
from geocli.storage.store.base import Outlived
from geocli.storage.store.sqlite import SqliteStore
from geocli.storage.store.sqlite_schema import SCHEMA_VERSION
from geocli.system.sqlite_errors import translated
from geocli.system.sqlite_file import create, open_for_reading
from tests.conftest import need
from tests.storage.store.samples import NOW, OLD, answers, every_ban, record
from tests.support.bans import BAN


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "data" / "geo.db", busy_timeout=0.2)


def commit_frames(wal: Path) -> int:
    """How many transactions a write-ahead log holds (https://sqlite.org/fileformat2.html#walformat)."""
    data = wal.read_bytes()
    page_size = struct.unpack_from(">I", data, 8)[0]
    salts = data[16:24]
    commits = 0
    for offset in range(32, len(data) - 24, 24 + page_size):
        _, size_after_commit = struct.unpack_from(">II", data, offset)
        if data[offset + 8 : offset + 16] == salts and size_after_commit:
            commits += 1
    return commits


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Somebody reads meanwhile: that keeps the write-ahead log from being emptied after the commit."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN');"
        "c.execute('SELECT count(*) FROM sqlite_master').fetchone();"
        "print('reading', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


@pytest.mark.parametrize("few", [1, 1000])
def test_answers_that_come_again_after_many_others_are_stored_as_they_came(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite_arrivals.MOST_SHARED", 3)
    monkeypatch.setattr("geocli.storage.store.sqlite_arrivals._FEW", few)
    batches = [
        [record(f"192.0.{n}.{m}", "DEFRITPLES"[n * m % 5 * 2 :][:2]) for m in range(3)] for n in range(9)
    ]
    store.replay(answers(*batches, batches[0]), NOW)
    given = {found.ip: found for batch in batches for found in batch}
    assert store.find(given) == given


def test_the_first_replay_makes_the_store_and_is_one_commit(store: SqliteStore, tmp_path: Path) -> None:
    batches = [[record(f"192.0.{n}.{m}") for m in range(100)] for n in range(52)]
    path = tmp_path / "data" / "geo.db"
    path.parent.mkdir()
    create(path, path.parent, 1)
    with reading(path):
        assert store.replay(answers(*batches), NOW) == 5200
        assert commit_frames(tmp_path / "data" / "geo.db-wal") == 1
    assert store.state().stored == 5200
    assert store.state().last_flush == NOW


def test_a_later_replay_is_one_commit_too(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with reading(tmp_path / "data" / "geo.db"):
        for expected in (1, 2, 3):
            store.replay(answers([record(f"192.0.2.{n}", second=expected) for n in range(200)]), NOW)
            assert commit_frames(tmp_path / "data" / "geo.db-wal") == expected


_ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@contextmanager
def interrupted() -> Iterator[None]:
    """Somebody presses Ctrl-C in a moment."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGALRM, before)


def test_an_interrupt_ends_a_flush_in_the_midst_and_it_can_be_done_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with monkeypatch.context() as patch, interrupted():
        patch.setattr("geocli.storage.store.sqlite_arrivals.REPLAY", _ENDLESS)
        store.replay(answers([record("192.0.2.2")]), NOW)
    assert set(store.find(["192.0.2.1", "192.0.2.2"])) == {"192.0.2.1"}
    assert store.replay(answers([record("192.0.2.2")]), NOW) == 1
    assert set(store.find(["192.0.2.1", "192.0.2.2"])) == {"192.0.2.1", "192.0.2.2"}


def test_an_interrupt_ends_a_question_that_takes_long(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    path = tmp_path / "data" / "geo.db"
    reader = open_for_reading(path, 1, 1 << 20)
    assert reader is not None
    with closing(reader), interrupted(), translated(path):
        reader.execute(_ENDLESS).fetchall()


def test_a_copy_of_the_file_alone_is_complete(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "data" / "geo.db").read_bytes())
    rows = sqlite3.connect(copy).execute("SELECT ip FROM geo_cache").fetchall()
    assert rows == [("192.0.2.1",)]


def test_the_schema_is_what_the_documentation_says(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    connection = sqlite3.connect(tmp_path / "data" / "geo.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(geo_cache)")]
    assert tuple(columns) == FIELDS
    strict = dict(
        connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    )
    assert strict["geo_cache"] == 1
    indexed = {row[1] for row in connection.execute("PRAGMA index_list(geo_cache)")}
    assert {"geo_cache_country_code", "geo_cache_asn"} <= indexed
    applied = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = 'geocli'"
    ).fetchall()
    assert len(applied) == SCHEMA_VERSION
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_sqlite3_shell_reads_it(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1", "FR")]), NOW)
    query = "SELECT country_code FROM geo_cache WHERE ip = '192.0.2.1'"
    done = subprocess.run(
        [need("sqlite3"), str(tmp_path / "data" / "geo.db"), query],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "FR\n"


def test_a_store_that_is_not_there_is_a_miss_and_stays_not_there(store: SqliteStore, tmp_path: Path) -> None:
    assert store.find(["192.0.2.1"]) == {}
    assert store.state().stored == 0
    assert list(tmp_path.iterdir()) == []


def test_a_locked_store_says_so_and_can_be_used_later(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    lock = sqlite3.connect(tmp_path / "data" / "geo.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(TryAgainError, match="locked"):
        store.replay(answers([record("192.0.2.2")]), NOW)
    assert store.find(["192.0.2.1"])
    lock.execute("ROLLBACK")
    assert store.replay(answers([record("192.0.2.2")]), NOW) == 1


@pytest.mark.parametrize(
    "content", [b"not SQLite, but long enough to be looked at\n" * 200, b"SQLite format 3\0junk"]
)
def test_a_store_that_is_not_sqlite_is_named_and_left_alone(
    store: SqliteStore, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "data" / "geo.db"
    path.parent.mkdir()
    path.write_bytes(content)
    for action in (
        lambda: store.find(["192.0.2.1"]),
        store.state,
        lambda: store.replay(answers([record("192.0.2.1")]), NOW),
    ):
        with pytest.raises(DamagedFileError, match=r"geo\.db"):
            action()
    assert path.read_bytes() == content


def test_somebody_elses_database_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    other = sqlite3.connect(tmp_path / "data" / "geo.db")
    other.execute("CREATE TABLE customers (name)")
    other.close()
    with pytest.raises(DamagedFileError, match="not geocli's"):
        store.find(["192.0.2.1"])
    with pytest.raises(DamagedFileError, match="not geocli's"):
        store.replay(answers([record("192.0.2.1")]), NOW)


def test_a_store_of_a_newer_geocli_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    store.close()
    with sqlite3.connect(tmp_path / "data" / "geo.db") as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for action in (
        lambda: store.find(["192.0.2.1"]),
        lambda: store.replay(answers([record("192.0.2.2")]), NOW),
    ):
        with pytest.raises(DamagedFileError, match="newer geocli"):
            action()


def test_a_row_that_somebody_else_wrote_is_not_handed_on(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with sqlite3.connect(tmp_path / "data" / "geo.db") as other:
        other.execute("UPDATE geo_cache SET org = ?", ("\x1b[2J",))
    with pytest.raises(DamagedFileError, match="org"):
        store.find(["192.0.2.1"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("latitude", "north"), ("longitude", float("inf")), ("latitude", 91.0), ("asn", "1"), ("asn", 1.5),
        ("asn", -1), ("org", 7), ("country_code", b"DE"), ("status", None), ("resolved_at", "yesterday"),
    ],
)  # fmt: skip
def test_values_of_a_table_that_takes_any_are_looked_at(
    store: SqliteStore, tmp_path: Path, column: str, value: object
) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with sqlite3.connect(tmp_path / "data" / "geo.db") as other:
        other.executescript("CREATE TABLE any_ AS SELECT * FROM geo_cache; DROP TABLE geo_cache;")
        other.execute(f"CREATE TABLE geo_cache ({', '.join(FIELDS)})")  # no types, not strict
        other.execute("INSERT INTO geo_cache SELECT * FROM any_")
        other.execute(f"UPDATE geo_cache SET {column} = ?", (value,))  # noqa: S608 (one of the above)
    with pytest.raises(DamagedFileError, match=r"geo\.db"):
        store.find(["192.0.2.1"])


@pytest.mark.parametrize("column", ["asn = -1", "org = 'a\x1b'", "resolved_at = 'yesterday'"])
def test_a_bad_row_holds_back_no_other(store: SqliteStore, tmp_path: Path, column: str) -> None:
    ips = [f"192.0.2.{n}" for n in range(9)]
    store.replay(answers([record(ip) for ip in ips]), NOW)
    elsewhere(tmp_path, f"UPDATE geo_cache SET {column} WHERE ip IN ('192.0.2.3', '192.0.2.5')")  # noqa: S608 (the above)
    with pytest.raises(BadRowsError, match=r"about 192\.0\.2\.3 and 1 others: ") as raised:
        store.batch(ips)
    good = {ip for ip in ips if ip not in {"192.0.2.3", "192.0.2.5"}}
    assert {*raised.value.rest.ips} == good
    if "resolved_at" in column:
        for _ in range(2):
            with pytest.raises(BadRowsError) as raised:
                store.times(ips, lambda _: True)
            assert raised.value.rest.keys() == good


def test_answers_that_are_shared_never_mix_up(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.model.record_batch.MOST_SHARED", 30)
    places = [0.1, 0.1 + 2**-56, 0.30000000000000004, 1e-7, -89.99999999999999, None]
    given = {
        f"192.0.2.{n}": record(f"192.0.2.{n}", org=f'Number {n % 40}\\"ü')._replace(
            latitude=places[n % 6], longitude=places[n % 6], asn=n % 7 or None, network=f"192.0.2.{n}/32"
        )
        for n in range(200)
    }
    store.replay(answers(list(given.values())), NOW)
    blocks = [
        (begin, store.batch([*given][begin : begin + size]))
        for begin in range(0, 200, 7)
        for size in (1, 7, 29)
    ]
    # Looked at afterwards: what was read later does not change what was read before.
    for begin, block in blocks:
        asked = [*given][begin : begin + len(block.ips)]
        assert {found.ip: found for found in block.records()} == {ip: given[ip] for ip in asked}


# --- what is old --------------------------------------------------------------------------------------


def elsewhere(tmp_path: Path, statement: str) -> None:
    """Another process writes, and waits for nobody."""
    connect = "sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)"
    code = f"import sqlite3, sys; {connect}.execute(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data" / "geo.db"), statement], check=True)


def test_a_flush_between_two_batches_repeats_nothing_and_ends(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record(f"192.0.2.{n}") for n in range(10)]), NOW)
    seen: list[str] = []
    for batch in store.outlived(Outlived(OLD, OLD), 3):
        seen += batch
        renewed = "'" + "', '".join(batch) + "'"
        statement = "UPDATE geo_cache SET resolved_at = '2026-11-01T00:00:59Z' WHERE ip IN"
        elsewhere(tmp_path, f"{statement} ({renewed})")
    assert sorted(seen) == sorted(f"192.0.2.{n}" for n in range(10))
    assert list(store.outlived(Outlived(OLD, OLD), 3)) == []


def test_nothing_is_held_between_two_batches(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record(f"192.0.2.{n}") for n in range(10)]), NOW)
    batches = store.outlived(Outlived(OLD, OLD), 3)
    next(batches)
    elsewhere(tmp_path, "UPDATE geo_cache SET org = 'x'")
    elsewhere(tmp_path, "PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()  # the cache may close it between two batches
    assert sum(map(len, batches)) == 7


def test_outlived_rows_of_a_damaged_store_are_an_error(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "geo.db").write_bytes(b"scribble" * 1000)
    with pytest.raises(DamagedFileError):
        list(store.outlived(Outlived(OLD, OLD), 10))


def test_outlived_rows_of_a_locked_store_are_for_later(store: SqliteStore, tmp_path: Path) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    lock = sqlite3.connect(tmp_path / "data" / "geo.db", isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TryAgainError):
        list(SqliteStore(tmp_path / "data" / "geo.db", 0).outlived(Outlived(OLD, OLD), 10))
    lock.close()


# --- bans ---------------------------------------------------------------------------------------------


def test_answers_and_bans_are_one_commit(store: SqliteStore, tmp_path: Path) -> None:
    store.replay([], NOW)
    with reading(tmp_path / "data" / "geo.db"):
        batches = [Batch.of([record("192.0.2.1")], bans=[BAN]), Batch(bans=[BAN._replace(ip="alice")])]
        assert store.replay(batches, NOW) == 3
        assert commit_frames(tmp_path / "data" / "geo.db-wal") == 1
    assert store.state()[:3] == (1, 0, 2)
    assert every_ban(store) == [BAN, BAN._replace(ip="alice")]


def test_a_store_that_knows_no_bans_yet_can_be_read_and_is_brought_up_to_date(
    store: SqliteStore, tmp_path: Path
) -> None:
    old_store(tmp_path / "data" / "geo.db")
    assert store.find(["192.0.2.1"]) == {"192.0.2.1": record("192.0.2.1")}
    assert list(store.every_ban()) == []
    assert store.state()[:3] == (1, 0, 0)
    store.replay([Batch(bans=[BAN])], NOW)
    assert every_ban(store) == [BAN]
    assert store.find(["192.0.2.1"]) == {"192.0.2.1": record("192.0.2.1")}


def old_store(path: Path) -> None:
    """As the first geocli left it: version 1, with one answer."""
    made = SqliteStore(path, 1)
    made.replay(answers([record("192.0.2.1")]), NOW)
    made.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE bans")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_bans'")
        connection.execute("PRAGMA user_version = 1")


def test_a_ban_that_somebody_else_wrote_is_not_handed_on(store: SqliteStore, tmp_path: Path) -> None:
    store.replay([Batch(bans=[BAN])], NOW)
    with sqlite3.connect(tmp_path / "data" / "geo.db") as other:
        other.execute("UPDATE bans SET jail = ?", ("\x1b[2J",))
    with pytest.raises(DamagedFileError, match="jail"):
        list(store.every_ban())


def test_the_table_of_bans_is_what_the_documentation_says(store: SqliteStore, tmp_path: Path) -> None:
    store.replay([Batch(bans=[BAN])], NOW)
    connection = sqlite3.connect(tmp_path / "data" / "geo.db")
    columns = connection.execute("SELECT name, pk FROM pragma_table_info('bans')").fetchall()
    assert tuple(name for name, _ in columns) == SEEN_FIELDS
    assert [name for name, pk in columns if pk] == ["host", "jail", "ip", "banned_at"]
    assert connection.execute("SELECT strict FROM pragma_table_list WHERE name = 'bans'").fetchone() == (1,)

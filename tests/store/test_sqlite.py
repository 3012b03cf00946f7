"""The SQLite store: one transaction a replay, newer wins, readable with any SQLite."""

from __future__ import annotations

import itertools
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geocli.errors import DamagedFileError, TryAgainError
from geocli.records import FIELDS, GeoRecord
from geocli.seen import SEEN_FIELDS, SeenBan, merged
from geocli.sqlite_file import create
from geocli.store import Batch, Outlived
from geocli.store.sqlite import SCHEMA_VERSION, SqliteStore
from tests.bans import BAN, BANS, second
from tests.conftest import need

NOW = "2026-11-23T10:00:00Z"


def record(ip: str, country: str | None = "DE", second: int = 0, org: str | None = None) -> GeoRecord:
    when = f"2026-11-01T00:00:{second:02}Z"
    return GeoRecord(
        ip, "ok" if country else "unknown", country, org=org, source="mmdb:test-1", resolved_at=when
    )


def answers(*batches: Sequence[GeoRecord]) -> list[Batch]:
    return [Batch(answers=batch) for batch in batches]


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


def test_many_addresses_are_found_at_once(store: SqliteStore) -> None:
    records = [record(f"10.{n >> 8}.{n & 255}.1") for n in range(10_000)]
    store.replay(answers(records), NOW)
    assert store.find([found.ip for found in records]) == {found.ip: found for found in records}


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (record("192.0.2.1", "DE", 1), record("192.0.2.1", "FR", 2), "FR"),
        (record("192.0.2.1", "DE", 2), record("192.0.2.1", "FR", 1), "DE"),
        (record("192.0.2.1", "DE", 1), record("192.0.2.1", None, 2), "DE"),
        (record("192.0.2.1", None, 2), record("192.0.2.1", "DE", 1), "DE"),
        (record("192.0.2.1", "DE", 1), record("192.0.2.1", "FR", 1), "FR"),
    ],
    ids=[
        "newer wins",
        "older loses",
        "unknown never replaces ok",
        "ok replaces unknown",
        "of equals the later",
    ],
)
def test_of_two_answers_the_better_is_kept(
    store: SqliteStore, first: GeoRecord, second: GeoRecord, kept: str
) -> None:
    store.replay(answers([first], [second]), NOW)
    assert store.find(["192.0.2.1"])["192.0.2.1"].country_code == kept


ANSWERS = st.builds(
    record,
    ip=st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
    country=st.sampled_from(["DE", "FR", None]),
    second=st.integers(0, 5),
)


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(ANSWERS, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_replay_is_the_same_however_it_is_cut_and_repeated(
    tmp_path_factory: pytest.TempPathFactory, answers: list[GeoRecord], cuts: list[int]
) -> None:
    """A crash between commit and forgetting replays whole segments again: the result must not change."""
    edges = [0, *sorted(cuts), len(answers)]
    segments = [answers[a:b] for a, b in itertools.pairwise(edges)]
    once = replayed(tmp_path_factory, [segments])
    assert replayed(tmp_path_factory, [segments, segments]) == once
    assert replayed(tmp_path_factory, [[segment] for segment in segments]) == once
    for ip, kept in once.items():
        best = max(
            (found for found in answers if found.ip == ip), key=lambda f: (f.status == "ok", f.resolved_at)
        )
        assert (kept.status, kept.resolved_at) == (best.status, best.resolved_at)


def replayed(
    factory: pytest.TempPathFactory, flushes: Sequence[Sequence[Sequence[GeoRecord]]]
) -> dict[str, GeoRecord]:
    store = SqliteStore(factory.mktemp("store") / "geo.db", 1)
    for batches in flushes:
        store.replay(answers(*batches), NOW)
    try:
        return store.find(["192.0.2.1", "192.0.2.2", "2001:db8::1"])
    finally:
        store.close()


def test_a_failing_replay_leaves_nothing_behind(store: SqliteStore) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)

    def broken() -> object:
        yield Batch([record("192.0.2.2")])
        raise RuntimeError("the journal went away")

    with pytest.raises(RuntimeError):
        store.replay(broken(), "2026-11-24T00:00:00Z")  # type: ignore[arg-type]
    assert store.find(["192.0.2.2"]) == {}
    assert store.state().last_flush == NOW


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


# --- what is old --------------------------------------------------------------------------------------

OLD, NEW = "2026-11-01T00:00:30Z", "2026-11-01T00:00:10Z"


def test_outlived_rows_come_oldest_first_and_known_ones_by_their_own_time(store: SqliteStore) -> None:
    rows = [record(f"192.0.2.{n}", "DE" if n % 2 else None, second=59 - n) for n in range(60)]
    store.replay(answers(rows), NOW)
    (found,) = store.outlived(Outlived(before=OLD, unknown_before=NEW), 1000)
    # Known: seconds 0 to 29, of which the odd addresses; unknown: seconds 0 to 9, of which the even ones.
    expected = [59 - second for second in range(30) if (59 - second) % 2 or second < 10]
    assert found == [f"192.0.2.{n}" for n in expected]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_outlived_rows_come_in_batches_each_once_also_of_one_second(store: SqliteStore, size: int) -> None:
    rows = [record(f"192.0.{second}.{n}", second=second) for second in range(3) for n in range(7)]
    store.replay(answers(rows), NOW)
    batches = list(store.outlived(Outlived(OLD, OLD), size))
    assert all(len(batch) == size for batch in batches[:-1])
    found = [ip for batch in batches for ip in batch]
    assert sorted(found) == sorted(row.ip for row in rows)
    assert [int(ip.split(".")[2]) for ip in found] == [0] * 7 + [1] * 7 + [2] * 7


def test_nothing_is_outlived_where_nothing_is_or_nothing_is_wanted(
    store: SqliteStore, tmp_path: Path
) -> None:
    assert list(store.outlived(Outlived(OLD, OLD), 10)) == []
    assert not (tmp_path / "data").exists()
    store.replay(answers([record("192.0.2.1"), record("192.0.2.2", None)]), NOW)
    assert list(store.outlived(Outlived("", ""), 10)) == []
    assert list(store.outlived(Outlived("", OLD), 10)) == [["192.0.2.2"]]
    assert list(store.outlived(Outlived(OLD, ""), 10)) == [["192.0.2.1"]]


def test_what_is_as_old_as_that_is_not_older(store: SqliteStore) -> None:
    store.replay(answers([record("192.0.2.1", second=30), record("192.0.2.2", second=29)]), NOW)
    assert list(store.outlived(Outlived(OLD, OLD), 10)) == [["192.0.2.2"]]


def elsewhere(tmp_path: Path, statement: str) -> None:
    """Another process writes, and waits for nobody."""
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0, isolation_level=None).execute(sys.argv[2])"
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


def every_ban(store: SqliteStore) -> list[SeenBan]:
    return [ban for batch in store.every_ban() for ban in batch]


def test_answers_and_bans_are_one_commit(store: SqliteStore, tmp_path: Path) -> None:
    store.replay([], NOW)
    with reading(tmp_path / "data" / "geo.db"):
        batches = [Batch(answers=[record("192.0.2.1")], bans=[BAN]), Batch(bans=[BAN._replace(ip="alice")])]
        assert store.replay(batches, NOW) == 3
        assert commit_frames(tmp_path / "data" / "geo.db-wal") == 1
    assert store.state()[:3] == (1, 0, 2)
    assert every_ban(store) == [BAN, BAN._replace(ip="alice")]


def test_every_ban_comes_in_the_order_of_its_key(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.store.sqlite._BATCH", 3)
    bans = [
        BAN._replace(host=host, jail=jail, ip=ip, banned_at=second(number))
        for host in ("a", "b")
        for jail in ("", "sshd")
        for ip in ("192.0.2.1", "alice")
        for number in range(2)
    ]
    store.replay([Batch(bans=bans[::-1])], NOW)
    batches = list(store.every_ban())
    assert [len(batch) for batch in batches] == [3, 3, 3, 3, 3, 1]
    assert every_ban(store) == bans


@settings(max_examples=60, deadline=None)
@given(bans=st.lists(BANS, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4), data=st.data())
def test_bans_are_the_same_in_whatever_order_they_come_and_however_often(
    tmp_path_factory: pytest.TempPathFactory, bans: list[SeenBan], cuts: list[int], data: st.DataObject
) -> None:
    expected: dict[tuple[str, str, str, str], SeenBan] = {}
    for ban in bans:
        expected[ban.key] = merged(expected[ban.key], ban) if ban.key in expected else ban
    edges = [0, *sorted(cuts), len(bans)]
    shuffled = data.draw(st.permutations(bans))
    segments = [Batch(bans=shuffled[a:b]) for a, b in itertools.pairwise(edges)]
    for flushes in ([segments], [segments, segments], [[segment] for segment in segments]):
        store = SqliteStore(tmp_path_factory.mktemp("store") / "geo.db", 1)
        for batches in flushes:
            store.replay(batches, NOW)
        assert {ban.key: ban for ban in every_ban(store)} == expected
        store.close()


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

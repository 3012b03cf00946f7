"""The journal: what was appended is found, survives, and is forgotten only when somebody says so."""

from __future__ import annotations

import json
import pickle
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.bans import SeenBan
from geocli.model.errors import DamagedFileError, GeocliError, TryAgainError
from geocli.model.records import FIELDS, GeoRecord
from geocli.storage.batch import BadSegmentError, NewerSegmentError
from geocli.storage.journal.journal import Journal
from geocli.storage.journal.segments import VERSION, Segment, decode, encode_bans
from tests.storage.store.test_sqlite import commit_frames
from tests.support.bans import BAN, BANS, append_bans
from tests.support.examples import examples

TIME = "2026-11-01T00:00:00Z"


def record(ip: str, country: str | None = "DE", when: str = TIME) -> GeoRecord:
    status = "ok" if country else "unknown"
    return GeoRecord(ip, status, country, source="mmdb:test-1", resolved_at=when)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "data" / "journal", busy_timeout=0.2)


def anything(_: GeoRecord) -> bool:
    return True


def database(tmp_path: Path) -> sqlite3.Connection:
    """The journal's file as somebody else opens it."""
    return sqlite3.connect(tmp_path / "data" / "journal" / "cache.db", isolation_level=None)


def test_what_was_appended_is_found_by_another_process(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1"), record("2001:db8::1", None)])
    other = Journal(tmp_path / "data" / "journal", busy_timeout=0.2)
    found = other.find(["192.0.2.1", "2001:db8::1", "192.0.2.2"], anything)
    assert found == {"192.0.2.1": record("192.0.2.1"), "2001:db8::1": record("2001:db8::1", None)}


def test_one_append_is_one_segment(journal: Journal) -> None:
    journal.append([record(f"192.0.2.{n}") for n in range(200)])
    assert len(journal.keys()) == 1
    assert journal.state().dirty == 200


def test_opening_it_again_commits_nothing(journal: Journal, tmp_path: Path) -> None:
    """Commits of others are what a process waits for."""
    journal.append([record("192.0.2.1")])
    journal.close()
    log = tmp_path / "data" / "journal" / "cache.db-wal"
    before, size = commit_frames(log), log.stat().st_size
    journal.append([record("192.0.2.2")])
    journal.close()
    assert log.stat().st_size > size
    assert commit_frames(log) == before + 1


def test_no_look_up_finds_part_of_an_address(journal: Journal) -> None:
    journal.append([record("192.0.2.10"), record("192.0.2.0/24")])
    assert journal.find(["192.0.2.1", "2.0.2.10", "192.0.2.0", "192.0.2.0/2"], anything) == {}


def test_one_process_finds_what_others_append_and_forget_meanwhile(journal: Journal, tmp_path: Path) -> None:
    targets = [f"198.51.100.{n}" for n in range(100)]
    journal.append([record("192.0.2.1")])
    assert journal.find(targets, anything) == {}
    with Journal(tmp_path / "data" / "journal", busy_timeout=0.2) as other:
        other.append([record(targets[5])])
        assert journal.find(targets, anything).keys() == {targets[5]}
        other.forget(other.keys())
        assert journal.find(targets, anything) == {}
        other.append([record(targets[7])])  # under the key that the first segment had
        assert journal.find(targets, anything).keys() == {targets[7]}


@examples(40)
@given(st.lists(st.one_of(st.just("look"), st.sampled_from([1, 2, 3]), st.integers(-4, -1)), max_size=14))
def test_whatever_others_do_in_between_all_that_is_there_is_found(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    targets = [f"198.51.100.{n}" for n in range(50)]
    new = iter(targets)
    with Journal(directory, busy_timeout=0.2) as journal, Journal(directory, busy_timeout=0.2) as other:
        for step in [*steps, "look"]:
            if isinstance(step, str):
                there = {row.ip for batch in other.everything() for row in batch}
                assert journal.find(targets, anything).keys() == there
            elif step > 0:  # so many segments more
                for _ in range(step):
                    other.append([record(next(new))])
            else:  # the oldest are forgotten
                other.forget(other.keys()[:-step])


def test_each_of_many_segments_is_found_again(journal: Journal) -> None:
    targets = [f"198.51.100.{n}" for n in range(200)]
    for target in targets:
        journal.append([record(target)])
    assert journal.find(targets, anything).keys() == set(targets)


def test_of_what_it_wrote_itself_a_journal_need_not_keep_everything_in_mind(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geocli.storage.journal.answer_times._MOST_OWN", 100)
    written = [[f"192.0.{part}.{n}" for n in range(50)] for part in range(4)]
    for targets in written:
        assert journal.times(targets, anything) == {}
        journal.append([record(target) for target in targets])
    assert [len(journal.times(targets, anything)) for targets in written] == [50, 50, 0, 0]
    other = Journal(tmp_path / "data" / "journal", busy_timeout=0.2)
    for targets in written:  # not its own, so all of it
        assert other.times(targets, anything).keys() == set(targets)


TIMES = st.sampled_from([None, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"])


@examples(40)
@given(
    st.lists(
        st.one_of(st.dictionaries(st.integers(0, 20), TIMES, min_size=1), st.integers(1, 3)), max_size=12
    )
)
def test_the_time_of_the_newest_usable_answer_is_known_whatever_comes_and_goes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[int, str | None] | int]
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    targets = [f"198.51.100.{n}" for n in range(21)]
    with Journal(directory, busy_timeout=0.2) as journal, Journal(directory, busy_timeout=0.2) as other:
        for step in steps:
            if isinstance(step, int):  # the oldest are forgotten
                other.forget(other.keys()[:step])
            else:  # one more segment; of some of its answers, another source
                other.append(
                    [
                        record(targets[n])._replace(
                            source="other" if time is None else "mmdb:x",
                            resolved_at=time or "2026-11-03T00:00:00Z",
                        )
                        for n, time in step.items()
                    ]
                )
            found = other.find(targets, lambda row: row.source == "mmdb:x")
            expected = {ip: row.resolved_at for ip, row in found.items()}
            assert journal.times(targets, lambda row: row.source == "mmdb:x") == expected


def test_of_a_segment_that_is_damaged_no_time_is_known(journal: Journal) -> None:
    journal.append([record("192.0.2.1")])
    key = journal.write(Segment("geocli-journal", " 192.0.2.2 "))
    journal.append([record("192.0.2.3")])
    assert journal.times(["192.0.2.1", "192.0.2.2", "192.0.2.3"], anything).keys() == {
        "192.0.2.1",
        "192.0.2.3",
    }
    assert set(journal.keys()) >= {key}


@pytest.mark.parametrize("others", [0, 100], ids=["few addresses", "many addresses"])
def test_the_newest_usable_record_is_found(journal: Journal, others: int) -> None:
    targets = ["192.0.2.1", *(f"198.51.100.{n}" for n in range(others))]
    journal.append([record("192.0.2.1", "DE")])
    journal.append([record("192.0.2.1", "FR")])
    journal.append([record("192.0.2.1", "US")])
    assert journal.find(targets, anything)["192.0.2.1"].country_code == "US"
    not_american = journal.find(targets, lambda found: found.country_code != "US")
    assert not_american["192.0.2.1"].country_code == "FR"


def test_a_journal_that_is_not_there_is_empty_and_stays_not_there(journal: Journal, tmp_path: Path) -> None:
    assert journal.find(["192.0.2.1"], anything) == {}
    assert journal.keys() == []
    assert journal.state().dirty == 0
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_no_file(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1")])
    journal.close()
    before = snapshot(tmp_path)
    reader = Journal(tmp_path / "data" / "journal", busy_timeout=0.2)
    assert reader.find(["192.0.2.1"], anything)
    reader.state()
    reader.close()
    assert snapshot(tmp_path) == before


def snapshot(directory: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in directory.rglob("*") if path.is_file()
    }


def test_forgetting_drops_exactly_what_was_named(journal: Journal) -> None:
    journal.append([record("192.0.2.1")])
    journal.append([record("192.0.2.2")])
    first, second = journal.keys()
    journal.append([record("192.0.2.3")])
    journal.forget([first, second])
    assert journal.find(["192.0.2.1", "192.0.2.2", "192.0.2.3"], anything).keys() == {"192.0.2.3"}
    journal.forget([first, second])
    assert journal.state().dirty == 1


def test_everything_is_private_whatever_the_umask(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.umask(0); from pathlib import Path;"
        "from geocli.storage.journal.journal import Journal;"
        "from geocli.model.records import GeoRecord as R;"
        "Journal(Path(sys.argv[1]), 1).append([R('192.0.2.1', 'ok', resolved_at='2026-11-01T00:00:00Z')])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data" / "journal")], check=True)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_nothing_is_evicted_and_nothing_expires(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1")])
    stored = dict(database(tmp_path).execute("SELECT key, value FROM Settings"))
    assert stored["eviction_policy"] == "none"
    assert stored["cull_limit"] == 0
    assert stored["disk_min_file_size"] > 1 << 40
    assert database(tmp_path).execute("SELECT expire_time, mode, raw, filename FROM Cache").fetchall() == [
        (None, 1, 1, None)
    ]


def test_a_large_segment_stays_inside_the_database(journal: Journal, tmp_path: Path) -> None:
    journal.append([record(f"10.{n >> 8}.{n & 255}.1") for n in range(20_000)])
    files = {path.name for path in (tmp_path / "data" / "journal").iterdir()}
    assert files == {"cache.db", "cache.db-wal", "cache.db-shm"}
    assert journal.state().dirty == 20_000


def test_a_locked_journal_says_so_and_can_be_used_later(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1")])
    lock = database(tmp_path)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(TryAgainError, match="locked"):
        journal.append([record("192.0.2.2")])
    assert journal.find(["192.0.2.1"], anything).keys() == {"192.0.2.1"}
    lock.execute("ROLLBACK")
    journal.append([record("192.0.2.2")])
    assert journal.state().dirty == 2


def test_only_one_process_may_flush(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1")])
    with journal.flushing() as first, Journal(tmp_path / "data" / "journal", 1).flushing() as second:
        assert (first, second) == (True, False)
    with journal.flushing() as again:
        assert again


class Planted:
    """Runs code when it is unpickled, as an attacker's would."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.marker,)  # type: ignore[return-value]


def read_and_write_everything(journal: Journal) -> None:
    journal.find(["192.0.2.9"], anything)
    for key in journal.keys():  # noqa: SIM118 (not a dict)
        journal.read(key)
    journal.append([record("192.0.2.3")])


@pytest.mark.parametrize("place", ["value", "key", "mode 2 file", "setting"])
def test_a_planted_pickle_is_refused_and_never_run(journal: Journal, tmp_path: Path, place: str) -> None:
    """diskcache unpickles what lies in its database (CVE-2025-69872, every release); geocli does not."""
    journal.append([record("192.0.2.1")])
    journal.close()
    marker = tmp_path / "executed"
    payload = pickle.dumps(Planted(marker))
    inserts = {
        "value": (
            "INSERT INTO Cache (key, raw, mode, tag, value) VALUES (1, 1, 4, ' 192.0.2.9 ', ?)",
            payload,
        ),
        "key": (
            "INSERT INTO Cache (key, raw, mode, tag, value) VALUES (?, 0, 1, ' 192.0.2.9 ', 'x')",
            payload,
        ),
        "mode 2 file": (
            "INSERT INTO Cache (key, raw, mode, tag, filename) VALUES (1, 1, 4, ' 192.0.2.9 ', ?)",
            "../../victim",
        ),
        "setting": ("INSERT INTO Settings (key, value) VALUES ('disk_pickle', ?)", payload),
    }
    victim = tmp_path / "victim"
    victim.write_bytes(payload)
    with database(tmp_path) as planted:
        planted.execute(inserts[place][0], (inserts[place][1],))
    again = Journal(tmp_path / "data" / "journal", 1)
    if place == "setting":
        read_and_write_everything(again)
        assert "'disk_pickle'" in str(again.mended)
    else:
        with pytest.raises((DamagedFileError, BadSegmentError)):
            read_and_write_everything(again)
    again.forget(again.keys())
    assert not marker.exists()
    assert victim.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        '{"geocli-journal": 1, "kind": "answers"}\n[[1, 2]]',
        "[" * 100_000,
        '{"kind": 1}\n[]',
        "[]\n[]",
    ],
    ids=["empty", "not JSON", "short rows", "deep nesting", "wrong kind", "header not an object"],
)
def test_a_segment_that_geocli_did_not_write_is_bad_and_can_be_set_aside(
    journal: Journal, tmp_path: Path, text: str
) -> None:
    journal.append([record("192.0.2.1")])
    with database(tmp_path) as planted:
        planted.execute(
            "INSERT INTO Cache (key, raw, mode, tag, value) VALUES (1, 1, 1, ' 192.0.2.9 ', ?)", (text,)
        )
    assert journal.find(["192.0.2.1", "192.0.2.9"], anything).keys() == {"192.0.2.1"}
    key = journal.keys()[-1]
    with pytest.raises(BadSegmentError):
        journal.read(key)
    kept = journal.quarantine(key)
    assert journal.quarantine(key) == kept
    assert kept.read_text() == text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert journal.state().quarantined == 1


def test_a_segment_of_a_newer_geocli_is_refused(journal: Journal, tmp_path: Path) -> None:
    journal.append([record("192.0.2.1")])
    head = json.dumps({"geocli-journal": VERSION + 1, "kind": "answers"})
    with database(tmp_path) as planted:
        planted.execute("UPDATE Cache SET value = ?", (f"{head}\n[]",))
    with pytest.raises(DamagedFileError, match="newer geocli"):
        journal.read(journal.keys()[0])


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0garbage", b"\0" * 8192, b"text\n" * 2000])
def test_a_damaged_journal_file_is_named_or_made_anew_when_empty(
    journal: Journal, tmp_path: Path, content: bytes
) -> None:
    directory = tmp_path / "data" / "journal"
    directory.mkdir(parents=True)
    (directory / "cache.db").write_bytes(content)
    if not content:
        journal.append([record("192.0.2.1")])
        assert journal.state().dirty == 1
    else:
        with pytest.raises(GeocliError, match=r"cache\.db"):
            journal.find(["192.0.2.1"], anything)
        with pytest.raises(GeocliError, match=r"cache\.db"):
            journal.append([record("192.0.2.1")])
        assert (directory / "cache.db").read_bytes() == content


TEXT = st.one_of(st.none(), st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20))
RECORDS = st.lists(
    st.builds(
        GeoRecord,
        ip=st.ip_addresses().map(str),
        status=st.sampled_from(["ok", "unknown"]),
        country_code=TEXT,
        org=TEXT,
        city=TEXT,
        latitude=st.one_of(st.none(), st.floats(-90, 90)),
        longitude=st.one_of(st.none(), st.floats(-180, 180)),
        asn=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
        country_name=TEXT,
        region=TEXT,
        network=TEXT,
        source=TEXT,
        resolved_at=st.just(TIME),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda found: found.ip,
)


@examples(40)
@given(batches=st.lists(RECORDS, min_size=1, max_size=5))
def test_every_record_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[GeoRecord]]
) -> None:
    with Journal(tmp_path_factory.mktemp("journal") / "journal", 1) as journal:
        for batch in batches:
            journal.append(batch)
        newest = {found.ip: found for batch in batches for found in batch}
        assert journal.find(newest, anything) == newest
        read = [[tuple(row) for row in journal.read(key).rows()] for key in journal.keys()]  # noqa: SIM118 (not a dict)
        assert read == [[tuple(found) for found in batch] for batch in batches]
        assert journal.state().dirty == sum(map(len, batches))
        assert all(len(row) == len(FIELDS) for rows in read for row in rows)


# --- bans ---------------------------------------------------------------------------------------------


def test_bans_are_no_answers_and_answers_no_bans(journal: Journal) -> None:
    assert journal.times(["192.0.2.2"], anything) == {}
    append_bans(journal, [BAN, BAN._replace(ip="192.0.2.2")])
    journal.append([record("192.0.2.1")])
    append_bans(journal, [BAN._replace(ip="bans"), *[BAN._replace(ip=f"10.0.0.{n}") for n in range(99)]])
    assert journal.find(["192.0.2.2", "bans", "2", "100"], anything) == {}
    assert journal.find([f"10.0.0.{n}" for n in range(99)], anything) == {}
    assert journal.find(["192.0.2.1"], anything).keys() == {"192.0.2.1"}
    assert journal.times(["192.0.2.1", "192.0.2.2"], anything).keys() == {"192.0.2.1"}
    assert [[found.ip for found in batch] for batch in journal.everything()] == [["192.0.2.1"]]
    assert [len(batch) for batch in journal.bans()] == [100, 2]
    assert journal.state()[:2] == (1, 102)


@examples(30)
@given(batches=st.lists(st.lists(BANS, min_size=1, max_size=20), min_size=1, max_size=4))
def test_every_ban_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[SeenBan]]
) -> None:
    with Journal(tmp_path_factory.mktemp("journal") / "journal", 1) as journal:
        for batch in batches:
            append_bans(journal, batch)
        assert list(journal.bans()) == batches[::-1]
        assert journal.state().bans == sum(map(len, batches))


def test_what_all_bans_have_in_common_is_written_once() -> None:
    segment = encode_bans([BAN._replace(ip=f"192.0.{n >> 8}.{n & 255}") for n in range(5000)])
    assert len(segment.value) < 5000 * 20
    assert segment.tag == "bans 5000"


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        '{"count": 1}',
        '{"count": 1000000000, "host": "a"}',
        '{"count": true}',
        '{"count": -1}',
        '{"count": "1"}',
    ],
)
@pytest.mark.parametrize("changed", [{}, {"count": 3}, {"ip": ["192.0.2.1"]}, {"ip": [[]] * 2}, {"jail": {}}])
def test_bans_that_geocli_did_not_write_are_bad(body: str, changed: dict[str, object]) -> None:
    head, _, good = encode_bans([BAN, BAN._replace(ip="192.0.2.2")]).value.partition("\n")
    if changed:
        body = json.dumps(json.loads(good) | changed)
    with pytest.raises(BadSegmentError):
        decode(f"{head}\n{body}")


def test_a_kind_that_only_a_newer_geocli_knows_is_refused_not_set_aside() -> None:
    with pytest.raises(NewerSegmentError):
        decode(f'{{"geocli-journal": {VERSION + 1}, "kind": "whatever"}}\n{{}}')

"""What every store does, whichever it is: the contract of ``geocli.storage.store.base``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.bans import BanQuery, SeenBan, merged
from geocli.model.clocks import NO_TIME
from geocli.model.errors import DamagedFileError
from geocli.model.group_by import ADDRESS
from geocli.model.records import MAX_ASN, GeoRecord, clean_text
from geocli.storage.batch import Batch
from geocli.storage.store.base import Outlived, Store
from geocli.storage.store.sqlite import SqliteStore
from tests.storage.store.conftest import MakeStore
from tests.storage.store.samples import NEW, NOW, OLD, answers, every_ban, record
from tests.support.bans import BAN, BANS, second
from tests.support.examples import examples

T = TypeVar("T")


def test_a_store_that_is_not_there_is_a_miss(store: Store, tmp_path: Path) -> None:
    assert store.find(["192.0.2.1"]) == {}
    assert list(store.everything()) == []
    assert store.state()[:4] == (0, 0, 0, None)
    assert list(tmp_path.iterdir()) == []


def test_many_addresses_are_found_at_once(store: Store) -> None:
    records = [record(f"10.{n >> 8}.{n & 255}.1") for n in range(10_000)]
    store.replay(answers(records), NOW)
    assert store.find([found.ip for found in records]) == {found.ip: found for found in records}


@examples(20)
@given(st.lists(st.lists(st.sampled_from(["DE", None]), min_size=5, max_size=30), min_size=1, max_size=3))
def test_when_answers_were_given_is_said_as_they_say_it_themselves(
    tmp_path_factory: pytest.TempPathFactory, flushes: list[list[str | None]]
) -> None:
    with closing(SqliteStore(tmp_path_factory.mktemp("store") / "geo.db", 0.2)) as store:
        check_times(store, flushes)


def test_a_server_says_when_answers_were_given(store: Store) -> None:
    check_times(store, [["DE", None, "DE"], ["DE"] * 9])


def check_times(store: Store, flushes: list[list[str | None]]) -> None:
    targets = [f"192.0.2.{n}" for n in range(40)]
    for day, countries in enumerate(flushes):
        given = [record(f"192.0.2.{n}", country, day + 1) for n, country in enumerate(countries)]
        store.replay(answers(given), NOW)
    for usable in (lambda _: True, lambda row: row.status == "ok", lambda row: row.resolved_at != OLD):
        expected = {ip: row.resolved_at for ip, row in store.find(targets).items() if usable(row)}
        for _ in range(2):  # what was most frequent the first time is not said the second time
            assert store.times(targets, usable) == expected
        assert store.times(targets[-3:], usable) == {}


def test_everything_comes_in_batches_each_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite._BATCH", 7)
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 7)
    records = [record(f"192.0.2.{n}", "DE" if n % 3 else None) for n in range(30)]
    store.replay(answers(records), NOW)
    batches = []
    for batch in store.everything():
        batches.append(batch)
        store.close()
    assert max(map(len, batches)) == 7
    assert sorted(found for batch in batches for found in batch) == sorted(records)
    assert store.state()[:4] == (30, 10, 0, NOW)


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
    store: Store, first: GeoRecord, second: GeoRecord, kept: str
) -> None:
    store.replay(answers([first], [second]), NOW)
    assert store.find(["192.0.2.1"])["192.0.2.1"].country_code == kept


ANSWERS = st.builds(
    record,
    ip=st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
    country=st.sampled_from(["DE", "FR", None]),
    second=st.integers(0, 5),
)


@examples(20)
@given(answers=st.lists(ANSWERS, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_replay_is_the_same_however_it_is_cut_and_repeated(
    make_store: MakeStore, answers: list[GeoRecord], cuts: list[int]
) -> None:
    """A crash between commit and forgetting replays whole segments again: the result must not change."""
    edges = [0, *sorted(cuts), len(answers)]
    segments = [answers[a:b] for a, b in itertools.pairwise(edges)]
    once = replayed(make_store, [segments])
    assert replayed(make_store, [segments, segments]) == once
    assert replayed(make_store, [[segment] for segment in segments]) == once
    for ip, kept in once.items():
        best = max(
            (found for found in answers if found.ip == ip), key=lambda f: (f.status == "ok", f.resolved_at)
        )
        assert (kept.status, kept.resolved_at) == (best.status, best.resolved_at)


def replayed(make_store: MakeStore, flushes: Sequence[Sequence[Sequence[GeoRecord]]]) -> dict[str, GeoRecord]:
    store = make_store()
    for batches in flushes:
        store.replay(answers(*batches), NOW)
    try:
        return store.find(["192.0.2.1", "192.0.2.2", "2001:db8::1"])
    finally:
        store.close()


def test_a_failing_replay_leaves_nothing_behind(store: Store) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)

    def broken() -> object:
        yield Batch.of([record("192.0.2.2")])
        raise RuntimeError("the journal went away")

    with pytest.raises(RuntimeError):
        store.replay(broken(), "2026-11-24T00:00:00Z")  # type: ignore[arg-type]
    assert store.find(["192.0.2.2"]) == {}
    assert store.state().last_flush == NOW


TEXTS = st.text(st.characters(codec=None), max_size=300).map(clean_text)
RECORDS = st.builds(
    GeoRecord,
    ip=st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    status=st.just("ok"),
    country_code=st.just("DE"),
    country_name=st.none() | TEXTS,
    region=st.none() | TEXTS,
    city=st.none() | TEXTS,
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
    asn=st.none() | st.integers(0, MAX_ASN),
    org=st.none() | TEXTS,
    network=st.none() | TEXTS,
    source=TEXTS,
    resolved_at=st.just(NOW),
)


@examples(30)
@given(given=RECORDS, jail=TEXTS)
def test_whatever_a_record_may_hold_comes_back_as_it_was(
    make_store: MakeStore, given: GeoRecord, jail: str
) -> None:
    """A server's text has no NUL and no half of a surrogate pair. Nor has a record, whatever comes in."""
    store = make_store()
    ban = BAN._replace(ip=given.ip, jail=jail)
    store.replay([Batch.of([given], [ban])], NOW)
    assert store.find([given.ip]) == {given.ip: given}
    assert [row for batch in store.bans(BanQuery()) for row in batch] == [(ban, given)]


HOSTILE = ["\0", "a\0b", "\ud800", "\udfff", "\\N", "\\.", "\t"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_that_no_database_takes_cannot_reach_one(make_store: MakeStore, text: str) -> None:
    store = make_store()
    given = record("192.0.2.1", org=clean_text(text))
    store.replay(answers([given]), NOW)
    assert store.find(["192.0.2.1"]) == {"192.0.2.1": given}


def test_outlived_rows_come_oldest_first_and_known_ones_by_their_own_time(store: Store) -> None:
    rows = [record(f"192.0.2.{n}", "DE" if n % 2 else None, second=59 - n) for n in range(60)]
    store.replay(answers(rows), NOW)
    (found,) = store.outlived(Outlived(before=OLD, unknown_before=NEW), 1000)
    # Known: seconds 0 to 29, of which the odd addresses; unknown: seconds 0 to 9, of which the even ones.
    expected = [59 - second for second in range(30) if (59 - second) % 2 or second < 10]
    assert found == [f"192.0.2.{n}" for n in expected]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_outlived_rows_come_in_batches_each_once_also_of_one_second(store: Store, size: int) -> None:
    rows = [record(f"192.0.{second}.{n}", second=second) for second in range(3) for n in range(7)]
    store.replay(answers(rows), NOW)
    batches = list(store.outlived(Outlived(OLD, OLD), size))
    assert all(len(batch) == size for batch in batches[:-1])
    found = [ip for batch in batches for ip in batch]
    assert sorted(found) == sorted(row.ip for row in rows)
    assert [int(ip.split(".")[2]) for ip in found] == [0] * 7 + [1] * 7 + [2] * 7


def test_nothing_is_outlived_where_nothing_is_or_nothing_is_wanted(store: Store, tmp_path: Path) -> None:
    assert list(store.outlived(Outlived(OLD, OLD), 10)) == []
    assert not (tmp_path / "data").exists()
    store.replay(answers([record("192.0.2.1"), record("192.0.2.2", None)]), NOW)
    assert list(store.outlived(Outlived("", ""), 10)) == []
    assert list(store.outlived(Outlived("", OLD), 10)) == [["192.0.2.2"]]
    assert list(store.outlived(Outlived(OLD, ""), 10)) == [["192.0.2.1"]]


def test_what_is_as_old_as_that_is_not_older(store: Store) -> None:
    store.replay(answers([record("192.0.2.1", second=30), record("192.0.2.2", second=29)]), NOW)
    assert list(store.outlived(Outlived(OLD, OLD), 10)) == [["192.0.2.2"]]


def test_every_ban_comes_in_the_order_of_its_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite._BATCH", 3)
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 3)
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


@examples(20)
@given(bans=st.lists(BANS, max_size=12), cuts=st.lists(st.integers(0, 12), max_size=4), data=st.data())
def test_bans_are_the_same_in_whatever_order_they_come_and_however_often(
    make_store: MakeStore, bans: list[SeenBan], cuts: list[int], data: st.DataObject
) -> None:
    expected: dict[tuple[str, str, str, str], SeenBan] = {}
    for ban in bans:
        expected[ban.key] = merged(expected[ban.key], ban) if ban.key in expected else ban
    edges = [0, *sorted(cuts), len(bans)]
    shuffled = data.draw(st.permutations(bans))
    segments = [Batch(bans=shuffled[a:b]) for a, b in itertools.pairwise(edges)]
    for flushes in ([segments], [segments, segments], [[segment] for segment in segments]):
        store = make_store()
        for batches in flushes:
            store.replay(batches, NOW)
        assert {ban.key: ban for ban in every_ban(store)} == expected
        store.close()


FUTURE = "2030-01-01T00:00:00Z"  # of a machine whose clock is wrong
AN_HOUR = "2026-11-23T11:00:00Z"


def at(ip: str, when: str, country: str | None = "DE") -> GeoRecord:
    return record(ip, country)._replace(resolved_at=when)


def resolved(store: Store) -> dict[str, tuple[str | None, str | None]]:
    """Country and time of each answer."""
    return {row.ip: (row.country_code, row.resolved_at) for batch in store.everything() for row in batch}


def from_before(store: Store, answers: Sequence[GeoRecord] = (), bans: Sequence[SeenBan] = ()) -> None:
    """Have rows in a store as a geocli wrote them that believed every clock."""
    store.replay([Batch.of(answers, bans)], FUTURE)


def test_what_is_of_the_future_fills_in_where_nothing_is_known(store: Store) -> None:
    store.replay(answers([at("192.0.2.1", FUTURE), at("192.0.2.2", AN_HOUR), at("192.0.2.3", OLD)]), NOW)
    assert {ip: when for ip, (_, when) in resolved(store).items()} == {
        "192.0.2.1": NO_TIME,
        "192.0.2.2": AN_HOUR,  # clocks differ
        "192.0.2.3": OLD,
    }
    seen = BAN._replace(first_seen=FUTURE, last_seen=FUTURE)
    store.replay([Batch(bans=[seen, seen._replace(ip="192.0.2.9", first_seen=OLD)])], NOW)
    assert [(ban.first_seen, ban.last_seen) for ban in every_ban(store)] == [(NOW, NOW), (OLD, NOW)]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["the right one last", "the wrong one last"])
@pytest.mark.parametrize("flushes", [1, 2])
def test_what_is_of_the_future_never_beats_what_is_right(
    store: Store, order: list[int], flushes: int
) -> None:
    both = [at("192.0.2.1", FUTURE, "DE"), at("192.0.2.1", OLD, "FR")]
    rows = [both[index] for index in order]
    for part in [rows] if flushes == 1 else [[row] for row in rows]:
        store.replay(answers(part), NOW)
    assert resolved(store) == {"192.0.2.1": ("FR", OLD)}


def test_what_is_of_the_future_is_newer_than_nothing(store: Store) -> None:
    from_before(store, [at("192.0.2.1", FUTURE), at("192.0.2.2", FUTURE, None), at("192.0.2.3", FUTURE)])
    new = [at("192.0.2.1", OLD, "FR"), at("192.0.2.2", OLD, "FR"), at("192.0.2.3", OLD, None)]
    store.replay(answers(new), NOW)
    assert resolved(store) == {
        "192.0.2.1": ("FR", OLD),
        "192.0.2.2": ("FR", OLD),
        "192.0.2.3": ("DE", FUTURE),  # an "unknown" never replaces an answer
    }
    from_before(store, bans=[BAN._replace(ban_count=1, first_seen=FUTURE, last_seen=FUTURE)])
    store.replay([Batch(bans=[BAN._replace(ban_count=2)])], NOW)
    assert every_ban(store) == [BAN._replace(ban_count=2)]
    assert store.state(AN_HOUR).last_flush == NOW


def test_what_is_of_the_future_is_counted_and_the_first_to_be_asked_again(store: Store) -> None:
    from_before(
        store,
        [at("192.0.2.1", FUTURE), at("192.0.2.2", FUTURE, None), at("192.0.2.3", OLD), at("192.0.2.4", NOW)],
        [BAN, BAN._replace(banned_at=FUTURE)],
    )
    assert (store.state(AN_HOUR).future, store.state().future) == (3, 0)
    for size in (1, 2, 5):
        found = [ip for batch in store.outlived(Outlived(NOW, NOW, AN_HOUR), size) for ip in batch]
        assert found == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert list(store.outlived(Outlived("", NOW, AN_HOUR), 5)) == [["192.0.2.2"]]


def test_forgetting_mends_what_is_of_the_future_and_forgets_it_with_everything(store: Store) -> None:
    from_before(
        store,
        [at("192.0.2.1", FUTURE), at("192.0.2.2", NOW)],
        [
            BAN._replace(ip="192.0.2.1", banned_at=FUTURE, last_seen=OLD),  # as old as it was seen last
            BAN._replace(ip="192.0.2.2", banned_at=FUTURE, first_seen=FUTURE, last_seen=FUTURE),
            BAN._replace(ip="192.0.2.3", banned_at=NOW),
        ],
    )
    assert store.forget("2026-11-20T00:00:00Z", ["answers", "bans"], NOW) == (0, 1)
    assert resolved(store)["192.0.2.1"] == ("DE", NOW)
    assert [ban.last_seen for ban in every_ban(store) if ban.ip == "192.0.2.2"] == [NOW]
    assert store.forget("2026-11-23T10:00:01Z", ["answers", "bans"], NOW) == (2, 2)


def test_a_clock_that_is_long_behind_judges_nobody(store: Store) -> None:
    """A machine without a battery begins in 1970: what it finds is not of the future."""
    store.replay(answers([at("192.0.2.1", OLD)]), NOW)
    store.replay(answers([at("192.0.2.1", "1970-01-01T00:01:00Z", "FR")]), "1970-01-01T00:02:00Z")
    assert store.forget("1970-01-01T00:00:00Z", ["answers"], "1970-01-01T00:02:00Z") == (0, 0)
    assert resolved(store) == {"192.0.2.1": ("DE", OLD)}


def read(batches: Iterable[Sequence[T]]) -> tuple[list[T], str]:
    """All rows, and what is said at their end."""
    rows: list[T] = []
    try:
        for batch in batches:
            rows += batch
    except DamagedFileError as error:
        return rows, str(error)
    return rows, ""


def test_a_row_that_geocli_did_not_write_holds_back_no_other(store: Store) -> None:
    good = [BAN._replace(ip=f"192.0.2.{n}") for n in range(3)]
    bad = [good[0]._replace(banned_at="soon"), good[1]._replace(banned_at="2026-13-01T00:00:00Z")]
    known = record("192.0.2.2")
    store.replay([Batch.of([known, record("192.0.2.1", org="a\nb")], [*good, bad[0]])], NOW)
    said = "holds a row that geocli did not write, about {}; correct or delete it"
    kept, why = read(store.every_ban())
    assert sorted(kept) == sorted(good)
    assert why.endswith(said.format("192.0.2.0: banned_at is not a time"))
    rows, why = read(store.bans(BanQuery()))
    assert sorted(ban for ban, _ in rows) == sorted(good)
    assert {answer for _, answer in rows} == {None, known}
    assert "holds 2 rows that geocli did not write, one about 192.0.2." in why
    found, why = read(store.everything())
    assert found == [known]
    assert "about 192.0.2.1: " in why
    store.replay([Batch(bans=bad)], NOW)
    with pytest.raises(DamagedFileError, match="banned_at is not a time"):
        list(store.spans(BanQuery(), ADDRESS))


def test_a_batch_of_bad_rows_alone_is_none(store: Store) -> None:
    store.replay([Batch.of([record("192.0.2.1", org="a\nb")], [BAN._replace(banned_at="soon")])], NOW)
    for read_all in (store.bans(BanQuery()), store.every_ban(), store.everything()):
        with pytest.raises(DamagedFileError, match=r"did not write, (one )?about 192\.0\.2"):
            next(read_all)

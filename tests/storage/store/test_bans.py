"""What a store answers about bans: the same as going through all of them would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.bans import BanQuery, SeenBan
from geocli.model.group_by import ADDRESS, DATE_HOUR_AND_JAIL, GROUPS, PLACE, Grouping, parse_by
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.store.base import BanCount, BanSpan, Forgotten, Store
from geocli.storage.store.sqlite import SqliteStore
from tests.storage.store.conftest import MakeStore
from tests.support.bans import BAN, second
from tests.support.examples import examples

NOW = "2026-11-25T10:00:00Z"
DAYS = [
    "2025-12-29",
    "2026-01-01",
    "2026-01-04",
    "2026-01-05",
    "2026-11-25",
]  # 2026-W01, three times; W02; W48
IPS = ["192.0.2.1", "192.0.2.9", "198.51.100.1", "2001:db8::1", "10.0.0.1", "alice"]
ANSWERS = [
    GeoRecord("192.0.2.1", "ok", "DE", "Germany", asn=1, org="One", network="192.0.2.0/24"),
    GeoRecord("192.0.2.9", "ok", "DE", None, asn=1, org="One", network="192.0.2.0/24"),
    GeoRecord("198.51.100.1", "ok", None, None, asn=2, org="Two"),
    GeoRecord("2001:db8::1", "unknown"),
]
ANSWERS = [answer._replace(source="mmdb:test-1", resolved_at="2026-01-01T00:00:00Z") for answer in ANSWERS]
OK = {answer.ip: answer for answer in ANSWERS if answer.status == "ok"}

HISTORIES = st.lists(
    st.builds(
        lambda host, jail, ip, day, second: BAN._replace(
            host=host, jail=jail, ip=ip, banned_at=f"{day}T00:00:0{second}Z"
        ),
        st.sampled_from(["web1", "web2"]),
        st.sampled_from(["sshd", "ngi'nx", ""]),
        st.sampled_from(IPS),
        st.sampled_from(DAYS),
        st.integers(0, 2),
    ),
    max_size=30,
    unique_by=lambda ban: ban.key,
)
MOMENTS = st.one_of(st.none(), st.sampled_from([f"{day}T00:00:01Z" for day in DAYS]))


def some(values: Iterable[object]) -> st.SearchStrategy[frozenset[object]]:
    return st.frozensets(st.sampled_from([*values]), max_size=2)


QUESTIONS = st.builds(
    BanQuery,
    since=MOMENTS,
    until=MOMENTS,
    hosts=some(["web1", "web2", "web3"]),
    jails=some(["sshd", "ngi'nx", ""]),
    countries=some(["DE", "FR"]),
    asns=some([1, 2, 3]),
    ips=st.one_of(st.none(), some(IPS).map(list)),
    starting=st.sampled_from(["", "", IPS[0][:3], IPS[0][:-1], IPS[-1][:2], "%", "a_", "\\"]),
    without=some(IPS).map(list),
)


def fits(ban: SeenBan, question: BanQuery) -> bool:
    answer = OK.get(ban.ip)
    return (
        (question.since is None or ban.banned_at >= question.since)
        and (question.until is None or ban.banned_at < question.until)
        and (not question.hosts or ban.host in question.hosts)
        and (not question.jails or ban.jail in question.jails)
        and (question.ips is None or ban.ip in question.ips)
        and ban.ip.startswith(question.starting)
        and ban.ip not in question.without
        and (answer is None or not question.countries or answer.country_code in question.countries)
        and (answer is None or not question.asns or answer.asn in question.asns)
    )


BY = [*map(parse_by, (*GROUPS, "country,jail", "hour,asn,host", "jail,ip", "network,day")), ADDRESS]


def key_of(ban: SeenBan, by: Grouping, jail: str | None) -> tuple[object, ...]:
    """What tells the group of a ban from others, as somebody would say who reads its answer."""
    answer = OK.get(ban.ip)
    day = date.fromisoformat(ban.banned_at[:10])
    year, week, _ = day.isocalendar()
    values = {
        "country_code": answer and answer.country_code,
        "country_name": answer and answer.country_name,
        "status": answer and answer.status,
        "source": answer and answer.source,
        "date_hour": ban.banned_at[:13],
        "asn": answer and answer.asn,
        "org": answer and answer.org,
        "region": answer and answer.region,
        "network": (answer and answer.network) or ban.ip,
        "jail": jail,
        "host": ban.host,
        "ip": ban.ip,
        "hour": ban.banned_at[11:13],
        "weekday": day.strftime("%A"),
        "day": ban.banned_at[:10],
        "week": f"{year}-W{week:02}",
        "month": ban.banned_at[:7],
    }
    return tuple(values[by.names[index]] for index in by.keys)


def expected_counts(bans: list[SeenBan], question: BanQuery, by: Grouping) -> list[tuple[object, ...]]:
    asks = by.answered or question.countries or question.asns
    groups: defaultdict[tuple[object, str | None], list[SeenBan]] = defaultdict(list)
    for ban in bans:
        if fits(ban, question):
            key = key_of(ban, by, ban.jail or None)
            groups[key, None if ban.ip in OK or not asks else ban.ip].append(ban)
    return sorted(
        (
            (
                *(key, ip, len({ban.ip for ban in found}) if by.with_addresses or asks else 0, len(found)),
                *(min(ban.banned_at for ban in found), max(ban.banned_at for ban in found)),
            )
            for (key, ip), found in groups.items()
        ),
        key=repr,
    )


def shown(counts: Iterable[BanCount], by: Grouping) -> list[tuple[object, ...]]:
    return sorted(((by.key(count.values), *count[1:]) for count in counts), key=repr)


@examples(40)
@given(bans=HISTORIES, question=QUESTIONS)
def test_a_store_answers_as_going_through_all_bans_would(
    make_store: MakeStore, bans: list[SeenBan], question: BanQuery
) -> None:
    store = make_store()
    store.replay([Batch.of(ANSWERS, bans)], NOW)
    found = [row for batch in store.bans(question) for row in batch]
    assert found == [
        (ban, OK.get(ban.ip))
        for ban in sorted(bans, key=lambda ban: (ban.banned_at, ban.host, ban.jail, ban.ip))
        if fits(ban, question)
    ]
    for by in (*BY, PLACE, DATE_HOUR_AND_JAIL):
        expected = expected_counts(bans, question, by)
        assert shown(store.spans(question, by), by) == expected, by.name
        assert shown(store.count_bans(question, by), by) == [(*row[:4], "", "") for row in expected], by.name
        most = [(count.bans, count.last) for count in store.spans(question, by, 2)]
        assert most == sorted(((row[3], row[5]) for row in expected), reverse=True)[:2], by.name
    store.close()


def test_what_is_shown_of_a_group_is_what_any_of_its_answers_knows(store: Store) -> None:
    store.replay([Batch.of(ANSWERS, [BAN._replace(ip=ip) for ip in IPS])], NOW)
    by_country = {
        count.values for count in store.count_bans(BanQuery(), parse_by("country")) if count.ip is None
    }
    assert by_country == {("DE", "Germany"), (None, None)}
    by_network = {
        count.values for count in store.count_bans(BanQuery(), parse_by("network")) if count.ip is None
    }
    assert by_network == {("192.0.2.0/24", "DE", 1, "One"), ("198.51.100.1", None, 2, "Two")}


def test_bans_come_in_batches_that_hold_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite._BATCH", 7)
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 7)
    bans = [BAN._replace(ip=f"192.0.2.{n}", banned_at=second(n % 3)) for n in range(30)]
    store.replay([Batch(bans=bans)], NOW)
    for question in (BanQuery(), BanQuery(since=second(0)), BanQuery(ips=[ban.ip for ban in bans])):
        seen: list[SeenBan] = []
        for batch in store.bans(question):
            seen += [ban for ban, _ in batch]
            store.close()
        assert seen == sorted(bans, key=lambda ban: (ban.banned_at, ban.ip))


def test_more_addresses_than_their_index_is_good_for_are_found_all_the_same(store: Store) -> None:
    bans = [BAN._replace(ip=f"10.{n >> 8}.{n & 255}.1") for n in range(3000)]
    store.replay([Batch(bans=bans)], NOW)
    wanted = [ban.ip for ban in bans[::3]]
    assert [ban.ip for batch in store.bans(BanQuery(ips=wanted)) for ban, _ in batch] == sorted(wanted)
    assert sum(len(batch) for batch in store.bans(BanQuery(without=wanted))) == 2000


def test_spans_find_the_bans_of_an_address_in_a_jail_and_a_time(store: Store) -> None:
    bans = [
        BAN._replace(host=host, jail=jail, banned_at=second(number))
        for host in ("web1", "web2")
        for jail in ("sshd", "")
        for number in range(10)
    ]
    store.replay([Batch(bans=bans)], NOW)
    spans = [
        BanSpan("web1", "sshd", BAN.ip, second(2), second(4)),
        BanSpan("web2", "", BAN.ip, second(9), NOW),
        BanSpan("web2", "", "192.0.2.2", "", NOW),
        BanSpan("web3", "", BAN.ip, "", NOW),
    ]
    assert sorted(store.seen_bans(spans)) == [
        *(BAN._replace(host="web1", banned_at=second(number)) for number in (2, 3, 4)),
        BAN._replace(host="web2", jail="", banned_at=second(9)),
    ]
    assert store.seen_bans([]) == []


def test_what_is_older_is_forgotten_of_the_kinds_that_are_named(store: Store) -> None:
    bans = [
        BAN._replace(ip="old", banned_at=second(1), last_seen=NOW),
        BAN._replace(ip="old, without times", banned_at=second(1), timed=0, last_seen=second(4)),
        BAN._replace(ip="seen again", banned_at=second(1), timed=0, last_seen=second(5)),
        BAN._replace(ip="new", banned_at=second(5)),
    ]
    answers = [ANSWERS[0]._replace(ip=ip, resolved_at=second(n)) for n, ip in enumerate(IPS[:3], 3)]
    store.replay([Batch.of(answers, bans)], NOW)
    assert store.forget(second(5), [], NOW) == Forgotten(0, 0)
    assert store.forget(second(5), ["bans"], NOW) == Forgotten(0, 2)
    assert [ban.ip for batch in store.every_ban() for ban in batch] == ["new", "seen again"]
    assert store.state()[:3] == (3, 0, 2)
    assert store.forget(second(5), ["answers"], NOW) == Forgotten(2, 0)
    assert store.find(IPS).keys() == {IPS[2]}
    assert store.forget(NOW, ["answers", "bans"], NOW) == Forgotten(1, 2)
    assert store.state()[:4] == (0, 0, 0, NOW)


def test_nothing_is_made_by_asking_or_forgetting(store: Store, tmp_path: Path) -> None:
    assert list(store.bans(BanQuery())) == []
    assert list(store.count_bans(BanQuery(), parse_by("country"))) == []
    assert list(store.spans(BanQuery(), parse_by("day"))) == []
    assert store.seen_bans([BanSpan("a", "b", "c", "", NOW)]) == []
    assert store.forget(NOW, ["answers", "bans"], NOW) == Forgotten()
    assert list(tmp_path.iterdir()) == []


def test_no_trace_of_what_was_forgotten_is_left_in_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data" / "geo.db", 0.2)
    bans = [BAN._replace(ip=f"203.0.113.{n}", jail=f"jail-{n}") for n in range(250)]
    store.replay([Batch.of([ANSWERS[0]._replace(ip=ban.ip) for ban in bans], bans)], NOW)
    file = tmp_path / "data" / "geo.db"
    assert b"203.0.113.77" in file.read_bytes()
    assert store.forget(NOW, ["answers", "bans"], NOW) == Forgotten(250, 250)
    left = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"203.0.113." not in left
    assert b"jail-" not in left

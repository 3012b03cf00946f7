"""The history: the same whatever of it is still in the journal, and figures that were counted by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.changes import COMPARED, compare, new
from geocli.bans.history import History, row_of
from geocli.bans.locator import Locator
from geocli.lookup.cache import Cache
from geocli.model.addresses import is_target
from geocli.model.bans import BanQuery, SeenBan, merged
from geocli.model.errors import Problems
from geocli.model.group_by import ADDRESS, Grouping, parse_by
from geocli.model.records import GeoRecord
from geocli.storage.flush import flush
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore
from tests.storage.store.test_bans import BY, HISTORIES, IPS, NOW, QUESTIONS, key_of
from tests.support.bans import BAN, append_bans
from tests.support.examples import examples

ANSWERS = [
    GeoRecord("192.0.2.1", "ok", "DE", "Germany", asn=1, org="One", network="192.0.2.0/24"),
    GeoRecord("192.0.2.9", "ok", "DE", None, asn=1, org="One", network="192.0.2.0/24"),
    GeoRecord("198.51.100.1", "ok", None, None, asn=2, org="Two"),
    GeoRecord("2001:db8::1", "unknown"),
]
ANSWERS = [answer._replace(source="mmdb:test-1", resolved_at="2026-01-01T00:00:00Z") for answer in ANSWERS]
OK = {answer.ip: answer for answer in ANSWERS if answer.status == "ok"}


@pytest.fixture(autouse=True)
def documentation_addresses_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that these tests can speak of addresses that are nobody's."""
    monkeypatch.setattr("geocli.bans.locator.is_reserved", lambda ip: ip == "10.0.0.1")


@contextmanager
def history(directory: Path, flushed: list[Any], waiting: list[Any]) -> Iterator[History]:
    """A history of which one part is in the store and the other in the journal: bans and answers."""
    store = SqliteStore(directory / "geo.db", 1)
    with Journal(directory / "journal", 1) as journal:
        for part, is_last in ((flushed, False), (waiting, True)):
            bans = [entry for entry in part if isinstance(entry, SeenBan)]
            for segment in (bans[::2], bans[1::2]):
                if segment:
                    append_bans(journal, segment)
            if answers := [entry for entry in part if isinstance(entry, GeoRecord)]:
                journal.append(answers)
            if not is_last:
                flush(journal, store, NOW, Problems())
        yield History(journal, store, Locator(None, known=Cache(journal, store, Problems())))
    store.close()


def known(bans: list[SeenBan]) -> list[SeenBan]:
    found: dict[tuple[str, str, str, str], SeenBan] = {}
    for ban in bans:
        found[ban.key] = merged(found[ban.key], ban) if ban.key in found else ban
    return sorted(found.values(), key=lambda ban: (ban.banned_at, ban.host, ban.jail, ban.ip))


def fits(ban: SeenBan, question: BanQuery) -> bool:
    answer = OK.get(ban.ip) or GeoRecord(ban.ip, "unknown")
    return (
        (question.since is None or ban.banned_at >= question.since)
        and (question.until is None or ban.banned_at < question.until)
        and (not question.hosts or ban.host in question.hosts)
        and (not question.jails or ban.jail in question.jails)
        and (question.ips is None or ban.ip in question.ips)
        and ban.ip.startswith(question.starting)
        and (not question.countries or answer.country_code in question.countries)
        and (not question.asns or answer.asn in question.asns)
    )


ENTRIES = HISTORIES.map(lambda bans: [*bans, *ANSWERS]).flatmap(st.permutations)


@pytest.fixture(params=["in memory", "in a temporary file"])
def most_waiting(request: pytest.FixtureRequest) -> int:
    """Up to how many entries of the journal are held in memory."""
    return 1000 if request.param == "in memory" else 0


@examples(25)
@given(entries=ENTRIES, cut=st.integers(0, 35), again=st.integers(0, 5), question=QUESTIONS)
def test_the_history_is_the_same_whatever_of_it_is_in_the_journal(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    most_waiting: int,
    entries: list[Any],
    cut: int,
    again: int,
    question: BanQuery,
) -> None:
    monkeypatch.setattr("geocli.bans.history.MOST_WAITING", most_waiting)
    monkeypatch.setattr("geocli.system.rows.MOST", most_waiting)
    monkeypatch.setattr("geocli.bans.changes._MOST", most_waiting)
    question = question._replace(without=())
    # Some of it was flushed, and has been seen again since, later.
    seen_again = [
        entry._replace(last_seen=NOW, expires_at=None) if isinstance(entry, SeenBan) else entry
        for entry in entries[:again]
    ]
    bans = known([entry for entry in (*entries, *seen_again) if isinstance(entry, SeenBan)])
    expected = [ban for ban in bans if fits(ban, question)]
    with history(tmp_path_factory.mktemp("history"), entries[:cut], [*entries[cut:], *seen_again]) as past:
        found = [row for batch in past.bans(question) for row in batch]
        assert [row.seen for row in found] == expected
        assert [row.record.country_code for row in found] == [
            OK[ban.ip].country_code if ban.ip in OK else None for ban in expected
        ]
        times: defaultdict[str, list[str]] = defaultdict(list)
        for ban in expected:
            times[ban.ip].append(ban.banned_at)
        most = sorted(((len(at), max(at), min(at), ip) for ip, at in times.items()), key=lambda row: row[3])
        most.sort(key=lambda row: row[:2], reverse=True)
        assert [(row.bans, row.last, row.first, row.values[0]) for row in past.busiest(question, 3)] == most[
            :3
        ]
        for by in BY:
            groups: defaultdict[object, list[SeenBan]] = defaultdict(list)
            for ban in expected:
                if not by.has_network or is_target(ban.ip):
                    groups[key_of(ban, by, ban.jail or None)].append(ban)
            counted = {by.key(values): figures for values, *figures in past.count(question, by).parts()}
            assert counted == {
                key: [len({ban.ip for ban in found}), len(found)] for key, found in groups.items()
            }, by.name
            since = question.since or "2026-01-01T00:00:01Z"
            found_new = [*new(past, question._replace(since=since), by)]
            assert {by.key(count.values) for count in found_new} == first_since(bans, question, by, since), (
                by.name
            )
            for count in found_new:
                key = by.key(count.values)
                assert count.bans == sum(
                    key_of(ban, by, ban.jail or None) == key
                    for ban in bans
                    if fits(ban, question._replace(since=since))
                )


def first_since(bans: list[SeenBan], question: BanQuery, by: Grouping, since: str) -> set[object]:
    first: dict[tuple[object, ...], str] = {}
    for ban in bans:
        key = key_of(ban, by, ban.jail or None)
        named = not by.answered or None not in key
        if named and (not by.has_network or is_target(ban.ip)) and fits(ban, question._replace(since=None)):
            first[key] = min(first.get(key, ban.banned_at), ban.banned_at)
    return {key for key, moment in first.items() if moment >= since}


def test_a_newer_answer_in_the_journal_counts_before_the_stores(tmp_path: Path) -> None:
    moved = ANSWERS[0]._replace(country_code="FR", country_name="France", resolved_at=NOW)
    with history(tmp_path, [BAN, *ANSWERS], [moved]) as past:
        assert [values for values, *_ in past.count(BanQuery(), parse_by("country")).parts()] == [
            ("FR", "France")
        ]
        ((row,),) = past.bans(BanQuery(countries=frozenset({"FR"})))
        assert row.record == moved
        assert [batch for batch in past.bans(BanQuery(countries=frozenset({"DE"}))) if batch] == []


def test_what_nobody_knows_is_unknown_and_what_is_reserved_is_reserved(tmp_path: Path) -> None:
    bans = [BAN._replace(ip=ip) for ip in IPS]
    with history(tmp_path, [*bans, *ANSWERS], []) as past:
        statuses = {row.ban.text: row.record.status for batch in past.bans(BanQuery()) for row in batch}
    assert statuses == dict.fromkeys(IPS, "unknown") | dict.fromkeys(OK, "ok") | {"10.0.0.1": "reserved"}


def test_a_list_without_times_does_not_say_when_a_ban_began(tmp_path: Path) -> None:
    with history(tmp_path, [BAN._replace(timed=0), BAN._replace(ip="alice")], []) as past:
        rows = [row_of(row) for batch in past.bans(BanQuery()) for row in batch]
    assert [row[3] for row in rows] == [None, BAN.banned_at]


# --- two periods, counted by hand ---------------------------------------------------------------------

# Address, jail, day of November 2026. The week from the 8th to the 14th against the one from the 1st.
BY_HAND = [
    ("192.0.2.1", "sshd", 2), ("192.0.2.1", "sshd", 5), ("192.0.2.9", "web", 7),  # DE: 3 bans, 2 addresses
    ("192.0.2.1", "sshd", 8), ("192.0.2.1", "web", 9), ("192.0.2.1", "sshd", 10),  # DE: 5 bans, 2
    ("192.0.2.1", "sshd", 13), ("192.0.2.9", "web", 14),
    ("198.51.100.1", "sshd", 1), ("198.51.100.1", "sshd", 3),  # FR before: 2 bans, 1 address; now: gone
    ("203.0.113.1", "sshd", 12), ("203.0.113.2", "sshd", 12), ("203.0.113.1", "web", 12),  # BR: new, 3 bans
    ("203.0.113.200", "sshd", 4), ("203.0.113.200", "sshd", 11),  # unknown: one and one
    ("192.0.2.1", "sshd", 15), ("198.51.100.1", "sshd", 31 - 16),  # after both
]  # fmt: skip
PLACES = {
    "192.0.2.1": ("DE", "Germany"), "192.0.2.9": ("DE", "Germany"), "198.51.100.1": ("FR", "France"),
    "203.0.113.1": ("BR", "Brazil"), "203.0.113.2": ("BR", "Brazil"),
}  # fmt: skip
BEFORE = BanQuery("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z")
THEN = BanQuery("2026-11-08T00:00:00Z", "2026-11-15T00:00:00Z")


def by_hand() -> list[Any]:
    bans = [
        BAN._replace(ip=ip, jail=jail, banned_at=f"2026-11-{day:02}T{hour:02}:00:00Z")
        for hour, (ip, jail, day) in enumerate(BY_HAND)
    ]
    answers = [
        GeoRecord(ip, "ok", code, name, source="mmdb:test-1", resolved_at="2026-01-01T00:00:00Z")
        for ip, (code, name) in PLACES.items()
    ]
    return [*bans, *answers]


@pytest.mark.parametrize("most", [0, 1000])
@pytest.mark.parametrize("cut", [0, 7, 22], ids=["all waits", "some waits", "all is flushed"])
def test_two_weeks_compared_as_counted_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int, most: int
) -> None:
    monkeypatch.setattr("geocli.system.rows.MOST", most)
    monkeypatch.setattr("geocli.bans.changes._MOST", most)
    entries = by_hand()
    with history(tmp_path, entries[:cut], entries[cut:]) as past:
        assert COMPARED == (
            "addresses", "addresses_before", "bans", "bans_before", "change", "growth", "trend",
        )  # fmt: skip
        assert [*compare(past, THEN, BEFORE, parse_by("country"))] == [
            ("BR", "Brazil", 2, 0, 3, 0, 3, None, "new"),
            ("DE", "Germany", 2, 2, 5, 3, 2, 0.6667, "up"),
            ("FR", "France", 0, 1, 0, 2, -2, -1.0, "gone"),
            (None, None, 1, 1, 1, 1, 0, 0.0, "same"),
        ]
        assert [*compare(past, THEN, BEFORE, parse_by("jail"))] == [
            ("web", 3, 1, 3, 1, 2, 2.0, "up"),
            ("sshd", 4, 3, 6, 5, 1, 0.2, "up"),
        ]
        only_web = frozenset({"web"})
        assert [
            *compare(
                past, THEN._replace(jails=only_web), BEFORE._replace(jails=only_web), parse_by("country")
            )
        ] == [
            ("DE", "Germany", 2, 1, 2, 1, 1, 1.0, "up"),
            ("BR", "Brazil", 1, 0, 1, 0, 1, None, "new"),
        ]


def test_what_is_new_as_counted_by_hand(tmp_path: Path) -> None:
    with history(tmp_path, by_hand(), []) as past:
        assert [count.values for count in new(past, THEN, parse_by("country"))] == [("BR", "Brazil")]
        found = [(count.values[0], count.bans, count.first) for count in new(past, THEN, ADDRESS)]
        assert found == [
            ("203.0.113.1", 2, "2026-11-12T10:00:00Z"), ("203.0.113.2", 1, "2026-11-12T11:00:00Z"),
        ]  # fmt: skip
        web = new(past, THEN._replace(jails=frozenset({"web"})), ADDRESS)
        assert Counter(str(count.values[0]) for count in web) == Counter(["192.0.2.1", "203.0.113.1"])

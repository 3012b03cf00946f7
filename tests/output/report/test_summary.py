"""Pictures: what is counted, against the groups of ``bans`` and by hand."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.current import BanGroups
from geocli.model.bans import Ban, LocatedBan
from geocli.model.records import GeoRecord
from geocli.output.report.summary import TABLES, Counted

NOW = 1795588200.0


def record(ip: str, country: str | None = "DE", network: str | None = None, **values: object) -> GeoRecord:
    status = "ok" if country else "unknown"
    known = GeoRecord(ip, status, country, country, network=network, source="mmdb:test-2026-06")  # type: ignore[arg-type]  # one of both
    return known._replace(**values)  # type: ignore[arg-type]  # a test's values are right


def located(ip: str, jail: str | None = "sshd", at: str | None = None, **values: object) -> LocatedBan:
    return LocatedBan(Ban(jail, ip, at), record(ip, **values))  # type: ignore[arg-type]  # the same


ADDRESSES = [f"5.{n}.0.{m}" for n in range(1, 4) for m in range(3)]
NOWHERE = Path("/nowhere")
COUNTRIES = {"5.1": "DE", "5.2": "BR", "5.3": None}


@given(
    st.lists(
        st.tuples(st.sampled_from([*ADDRESSES, "alice"]), st.sampled_from(["a", "b", None])), max_size=30
    )
)
def test_its_tables_are_the_groups_of_bans(bans: list[tuple[str, str | None]]) -> None:
    counted, groups = Counted(NOWHERE), {by: BanGroups(grouping, NOWHERE) for by, grouping in TABLES.items()}
    for ip, jail in bans:
        ban = located(ip, jail, country=COUNTRIES.get(ip[:3]), asn=64500 if ip.startswith("5.1") else None)
        counted.add_ban(ban)
        for group in groups.values():
            group.add(ban)
    picture = counted.summary(NOW)
    assert picture.total == counted.total == len(bans)
    assert picture.addresses == len({ip for ip, _ in bans})
    assert picture.tables == {by: group.groups.rows(None) for by, group in groups.items()}
    assert sum(picture.elsewhere.values()) == sum(COUNTRIES.get(ip[:3]) is None for ip, _ in bans)


def test_hits_count_like_bans_but_have_no_jail() -> None:
    counted = Counted(NOWHERE)
    counted.add_hits(record("5.1.0.1"), 41)
    counted.add_hits(record("5.1.0.2"), 1)
    picture = counted.summary(NOW)
    assert picture.tables["country"] == [("DE", "DE", 2, 42, 1.0)]
    assert picture.tables["jail"] == []
    assert (picture.total, picture.addresses, picture.timeline, picture.news) == (42, 2, None, None)
    assert [(*row[:2], row.total, row.first) for row in picture.busiest] == [
        ("5.1.0.1", "DE", 41, ""),
        ("5.1.0.2", "DE", 1, ""),
    ]


def test_what_has_no_country_is_told_apart() -> None:
    counted = Counted(NOWHERE)
    counted.add_ban(located("10.0.0.1", country=None, status="reserved"))
    counted.add_ban(located("5.0.0.1", country=None))
    counted.add_ban(located("5.0.0.1", "other", country=None))
    counted.add_ban(located("5.0.0.2", country=None, status="error"))
    assert counted.summary(NOW).elsewhere == {"reserved": 1, "unknown": 2, "error": 1}


@pytest.mark.parametrize(
    ("ip", "network", "shown"),
    [
        ("5.1.2.3", None, "5.1.2.0/24"),
        ("5.1.2.3", "5.1.0.0/16", "5.1.0.0/16"),
        ("5.1.2.3", "5.1.2.3/32", "5.1.2.0/24"),
        ("5.1.2.0/28", None, "5.1.2.0/24"),
        ("2a0a:1:2:3::4", None, "2a0a:1:2::/48"),
        ("2a0a:1:2:3::4", "2a0a:1:2:3::/64", "2a0a:1:2::/48"),
    ],
)
def test_anonymous_pictures_show_no_narrow_network(ip: str, network: str | None, shown: str) -> None:
    counted = Counted(NOWHERE, anonymous=True)
    for at in ("2026-11-20T00:00:00Z", "2026-11-25T00:00:00Z"):
        counted.add_ban(located(ip, at=at, network=network))
    picture = counted.summary(NOW)
    assert [row[0] for row in picture.tables["network"]] == [shown]
    assert ip_network(shown).prefixlen <= (48 if ":" in shown else 24)
    assert ip not in repr(picture)


def test_people_s_names_are_in_no_network() -> None:
    counted = Counted(NOWHERE)
    counted.add_ban(located("alice", country=None))
    assert counted.summary(NOW).tables["network"] == []
    assert "alice" not in repr(counted.summary(NOW).tables)


def test_some_bans_say_when_and_others_do_not() -> None:
    counted = Counted(NOWHERE)
    counted.add_ban(located("5.1.0.1", at="2026-11-25T00:00:00Z"))
    counted.add_ban(located("5.1.0.2"))
    picture = counted.summary(NOW)
    assert picture.untimed == 1
    assert picture.timeline is not None
    assert sum(picture.timeline.totals) == 1

"""Bans over time: which period they fall into, and what is new in the last one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.timeline import PERIODS, Dated, news, timeline
from geocli.model.records import utc_text

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC).timestamp()
DAY = 86400


def ban(moment: str, jail: str | None = "sshd", country: str = "DE") -> Dated:
    return Dated(moment, jail, {"country": (country, country)})


def counted(bans: list[Dated], period: str | None = None, since: str | None = None) -> dict[str, int]:
    lines = timeline(bans, NOW, since, period)
    assert lines is not None
    return dict(zip(lines.starts, lines.totals, strict=True))


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("hour", ["2026-11-23T23:00", "2026-11-24T00:00", "2026-11-25T06:00"]),
        ("day", ["2026-11-23", "2026-11-24", "2026-11-25"]),
        ("week", ["2026-11-23"]),  # a Monday
        ("month", ["2026-11-01"]),
    ],
)
def test_a_ban_counts_in_the_period_it_began_in(period: str, expected: list[str]) -> None:
    bans = [ban("2026-11-23T23:59:59Z"), ban("2026-11-24T00:00:00Z"), ban("2026-11-25T06:00:00Z")]
    found = counted(bans, period)
    assert [start for start, count in found.items() if count] == expected
    assert sum(found.values()) == 3


def test_weeks_begin_on_mondays_also_around_new_year() -> None:
    lines = timeline([ban("2027-01-03T23:59:59Z"), ban("2027-01-04T00:00:00Z")], NOW + 60 * DAY, None, "week")
    assert lines is not None
    assert lines.starts[:2] == ["2026-12-28", "2027-01-04"]
    assert lines.totals[:2] == [1, 1]


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "hour"), (1, "hour"), (3, "day"), (61, "day"), (63, "week"), (800, "month")]
)
def test_the_period_fits_the_span_unless_somebody_says(days: int, expected: str) -> None:
    bans = [ban(utc_text(NOW - days * DAY)), ban(utc_text(NOW))]
    lines = timeline(bans, NOW, None, None)
    assert lines is not None
    assert lines.period == expected


def test_days_without_bans_are_there_too_and_the_last_is_today() -> None:
    assert counted([ban("2026-11-22T10:00:00Z"), ban("2026-11-24T10:00:00Z")], "day") == {
        "2026-11-22": 1, "2026-11-23": 0, "2026-11-24": 1, "2026-11-25": 0,
    }  # fmt: skip


def test_an_old_log_ends_where_it_ends() -> None:
    assert list(counted([ban("2020-02-28T10:00:00Z"), ban("2020-03-01T10:00:00Z")], "day")) == [
        "2020-02-28", "2020-02-29", "2020-03-01",
    ]  # fmt: skip


def test_time_begins_where_it_was_asked_to_begin() -> None:
    found = counted([ban("2026-11-24T10:00:00Z")], "day", since="2026-11-20T00:00:00Z")
    assert next(iter(found)) == "2026-11-20"


def test_the_largest_jail_comes_first_and_one_without_a_name_is_one() -> None:
    bans = [ban("2026-11-25T01:00:00Z", jail) for jail in ("b", "a", None, "b", "a", "c", "b")]
    lines = timeline(bans, NOW, None, "day")
    assert lines is not None
    assert lines.jails == ["b", "a", None, "c"]
    assert lines.counts == [[3, 2, 1, 1]]


def test_what_is_too_old_or_not_yet_is_left_out_and_counted() -> None:
    bans = [ban("1970-01-01T00:00:00Z"), ban("9999-12-31T23:59:59Z"), ban("2026-11-25T01:00:00Z")]
    lines = timeline(bans, NOW, None, "day")
    assert lines is not None
    assert len(lines.starts) == 120
    assert (sum(lines.totals), lines.left_out) == (1, 2)
    assert timeline([ban("9999-12-31T23:59:59Z")], NOW, None, None) is None
    assert news([ban("9999-12-31T23:59:59Z")], NOW, "day") is None
    assert timeline([], NOW, None, None) is None


@given(
    st.lists(st.integers(0, 253402300799), max_size=40),
    st.sampled_from([None, *PERIODS]),
    st.integers(0, 253402300799),
)
def test_any_times_give_a_bounded_line_without_gaps(moments: list[int], period: str | None, now: int) -> None:
    bans = [ban(utc_text(moment)) for moment in moments]
    lines = timeline(bans, now, None, period)
    if lines is None:
        assert all(moment > now for moment in moments)
        return
    assert len(lines.starts) <= 120
    assert sorted(set(lines.starts)) == list(lines.starts)
    assert sum(lines.totals) + lines.left_out == len(bans)
    said = news(bans, now, lines.period)
    assert said is not None
    assert said.bans <= len(bans)


def test_what_is_new_was_never_there_before() -> None:
    bans = [
        ban("2026-11-20T10:00:00Z", country="DE"),
        ban("2026-11-23T10:00:00Z", country="FR"),
        ban("2026-11-24T10:00:00Z", country="DE"),
        ban("2026-11-24T11:00:00Z", country="BR"),
        ban("2026-11-25T01:00:00Z", country="BR"),
        ban("2026-11-25T02:00:00Z", country="US"),
    ]
    said = news(bans, NOW, "day")
    assert said is not None
    assert (said.begin, said.end) == ("2026-11-24T06:30:00Z", "2026-11-25T06:30:00Z")
    assert (said.length, said.bans, said.before) == ("24 hours", 4, 1)
    assert said.new == {"country": [(("BR", "BR"), 2), (("US", "US"), 1)]}
    week = news(bans, NOW, "week")
    assert week is not None
    assert (week.length, week.bans, week.before, week.new) == ("7 days", 6, None, None)


def test_a_list_that_does_not_reach_back_tells_no_growth() -> None:
    said = news([ban("2026-11-23T12:00:00Z"), ban("2026-11-25T01:00:00Z", country="US")], NOW, "day")
    assert said is not None
    assert said.before is None  # the day before may have been quieter than it looks
    assert said.new == {"country": [(("US", "US"), 1)]}


def test_an_old_log_has_news_of_its_last_day() -> None:
    said = news([ban("2020-03-01T10:00:00Z"), ban("2020-03-03T10:00:00Z", country="US")], NOW, "day")
    assert said is not None
    assert said.end == "2020-03-03T10:00:00Z"
    assert said.new == {"country": [(("US", "US"), 1)]}

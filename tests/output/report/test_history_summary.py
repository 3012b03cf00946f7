"""A picture of the history is counted in SQL: what going through all bans would show, wherever they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.history import History
from geocli.model.bans import BanQuery
from geocli.output.report.history_summary import history_summary
from geocli.output.report.summary import Counted, Summary
from tests.bans.test_history import ENTRIES, history
from tests.output.report.test_summary import NOWHERE
from tests.storage.store.test_bans import QUESTIONS
from tests.support.bans import BAN
from tests.support.examples import examples

NOW = datetime.fromisoformat("2026-11-25T12:00:00Z").timestamp()
PERIODS = st.sampled_from([None, "hour", "day", "week", "month"])


@pytest.fixture(autouse=True)
def documentation_addresses_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that these tests can speak of addresses that are nobody's."""
    monkeypatch.setattr("geocli.bans.locator.is_reserved", lambda ip: ip == "10.0.0.1")


def counted_one_by_one(past: History, question: BanQuery, period: str | None, *, anonymous: bool) -> Summary:
    counted = Counted(NOWHERE, anonymous=anonymous)
    for bans in past.bans(question):
        for ban in bans:
            counted.add_ban(ban)
    return counted.summary(NOW, question.since, period)


def new_since(past: History, question: BanQuery, begin: str) -> dict[str, set[object]]:
    """What had its first ban then or later, by going through all bans."""
    first: dict[tuple[str, object], str] = {}
    for bans in past.bans(question._replace(since=None)):
        for ban in bans:
            for by, value in (("country", ban.record.country_code), ("asn", ban.record.asn)):
                first.setdefault((by, value), ban.began or "")
    return {
        kind: {value for (by, value), at in first.items() if by == kind and value is not None and at >= begin}
        for kind in ("country", "asn")
    }


@examples(40)
@given(entries=ENTRIES, cut=st.integers(0, 35), question=QUESTIONS, period=PERIODS, anonymous=st.booleans())
def test_it_is_what_going_through_all_bans_would_show(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[Any],
    cut: int,
    question: BanQuery,
    period: str | None,
    anonymous: bool,
) -> None:
    question = question._replace(ips=None, without=())
    with history(tmp_path_factory.mktemp("history"), entries[:cut], entries[cut:]) as past:
        shown = history_summary(past, question, NOW, period, anonymous=anonymous)
        expected = counted_one_by_one(past, question, period, anonymous=anonymous)
        assert shown._replace(news=None, hosts=()) == expected._replace(news=None)
        assert (shown.news is None) == (expected.news is None)
        if shown.news is not None and shown.news.new is not None:
            news = shown.news.new
            new: dict[str, set[Any]] = {by: {values for values, _ in news[by]} for by in ("country", "asn")}
            new = {by: {values[0] for values in found} for by, found in new.items()}
            assert new == new_since(past, question, shown.news.begin)
    with history(tmp_path_factory.mktemp("flushed"), entries, []) as past:
        assert history_summary(past, question, NOW, period, anonymous=anonymous) == shown


def test_several_hosts_are_counted_and_one_is_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    bans = [BAN._replace(host="web1"), BAN._replace(host="web2"), BAN._replace(host="web2", jail="other")]
    with history(tmp_path_factory.mktemp("history"), bans, []) as past:
        assert history_summary(past, BanQuery(), NOW, None).hosts == [
            ("web2", 1, 2, 0.6667),
            ("web1", 1, 1, 0.3333),
        ]
        one = BanQuery(hosts=frozenset({"web1"}))
        assert history_summary(past, one, NOW, None).hosts == ()

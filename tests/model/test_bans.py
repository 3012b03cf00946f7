"""Sightings of bans: two of one ban are one, whichever came first; nothing else comes back from disk."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.bans import SEEN_FIELDS, SeenBan, check_bans, merged
from tests.support.bans import BAN, BANS, second


def test_the_newer_sighting_wins_and_the_first_moment_stays() -> None:
    earlier = BAN._replace(first_seen=second(1), last_seen=second(1), expires_at=second(5), ban_count=7)
    later = BAN._replace(first_seen=second(2), last_seen=second(2), expires_at=None, ban_count=2)
    expected = later._replace(first_seen=second(1))
    assert merged(earlier, later) == merged(later, earlier) == expected


def test_a_ban_that_some_input_had_a_time_for_has_one() -> None:
    untimed = BAN._replace(timed=0, last_seen=second(50))
    assert merged(untimed, BAN).timed == merged(BAN, untimed).timed == 1


@given(one=BANS, two=BANS, three=BANS)
def test_merging_is_the_same_in_any_order_and_however_often(
    one: SeenBan, two: SeenBan, three: SeenBan
) -> None:
    one, two, three = (seen._replace(host="h", jail="j", ip="i", banned_at="t") for seen in (one, two, three))
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(merged(one, two), two) == merged(one, two)


@given(st.lists(BANS))
def test_what_geocli_makes_passes_the_check(bans: list[SeenBan]) -> None:
    check_bans(bans)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", None),
        ("host", 1),
        ("jail", "a\x1b[2J"),
        ("jail", "x" * 257),
        ("ip", "two\nlines"),
        ("banned_at", None),
        ("banned_at", "2026-02-31T00:00:00Z"),
        ("banned_at", "2026-11-01"),
        ("expires_at", 5),
        ("ban_count", "3"),
        ("ban_count", -1),
        ("ban_count", 2**31),
        ("ban_count", True),
        ("timed", 2),
        ("timed", None),
        ("timed", False),
        ("first_seen", ""),
        ("last_seen", "yesterday"),
    ],
)
def test_a_value_that_no_ban_has_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        check_bans([BAN, BAN._replace(**{field: value})])


@pytest.mark.parametrize("rows", [[BAN[:-1]], [(*BAN, 1)], ["sshd"], [7], [{}]])
def test_rows_of_another_shape_are_refused(rows: list[object]) -> None:
    with pytest.raises(ValueError, match=str(len(SEEN_FIELDS))):
        check_bans(rows)

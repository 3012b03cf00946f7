"""``banip --with-time``: local times, permanent bans, identifiers of any shape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.fail2ban import stamps
from geocli.inputs.fail2ban.stamps import local_moments
from geocli.inputs.fail2ban.times import moment_text, moments_of, read_times_line
from geocli.model.bans import Ban

Zone = Callable[[str], None]


def local_text(stamp: bytes) -> str | None:
    return next((moment_text(moment) for moment in local_moments(stamp)), None)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """Sets the zone of this process."""

    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        stamps._minute_moments.cache_clear()
        stamps._even_hour.cache_clear()

    yield change
    monkeypatch.undo()
    time.tzset()
    stamps._minute_moments.cache_clear()
    stamps._even_hour.cache_clear()


def test_local_times_become_utc(zone: Zone) -> None:
    line = b"192.0.2.1 \t2026-11-23 21:42:00 + 600 = 2026-11-23 21:52:07\n"
    for name, begin, end in [
        ("UTC", "2026-11-23T21:42:00Z", "2026-11-23T21:52:07Z"),
        ("Europe/Berlin", "2026-11-23T20:42:00Z", "2026-11-23T20:52:07Z"),
        ("Asia/Kathmandu", "2026-11-23T15:57:00Z", "2026-11-23T16:07:07Z"),
        ("America/New_York", "2026-11-24T02:42:00Z", "2026-11-24T02:52:07Z"),
    ]:
        zone(name)
        assert read_times_line(line) == Ban(None, "192.0.2.1", begin, end)


def test_summer_time_counts(zone: Zone) -> None:
    zone("Europe/Berlin")
    assert local_text(b"2026-07-01 00:30:00") == "2026-06-30T22:30:00Z"
    assert local_text(b"2026-12-31 23:59:59") == "2026-12-31T22:59:59Z"
    assert local_text(b"2026-10-25 02:30:00") in {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}


def test_a_permanent_ban_has_no_end(zone: Zone) -> None:
    for name in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12"):
        zone(name)
        for end in (
            b"+ -1 = 9999-12-31 23:59:59",
            b"+ 999999999999 = 9999-12-31 23:59:59",
            b"+ -1 = 2026-11-23 21:41:59",
        ):
            ban = read_times_line(b"x \t2026-11-23 21:42:00 " + end)
            assert ban is not None
            assert ban.banned_at is not None
            assert ban.expires_at is None


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"", ""),
        (b" 192.0.2.88 ", " 192.0.2.88 "),
        (b"tab\there", "tab here"),
        (b"a \t2026-11-23 21:42:00 + 1 = 2026", "a 2026-11-23 21:42:00 + 1 = 2026"),
        (b"\xff", "\\udcff"),
        ("zoë".encode(), "zoë"),
        (b"('192.0.2.213', 'carol')", "('192.0.2.213', 'carol')"),
    ],
)
def test_an_identifier_may_be_anything(identifier: bytes, text: str) -> None:
    ban = read_times_line(identifier + b" \t2026-11-23 21:42:00 + 600 = 2026-11-23 21:52:00\r\n")
    assert ban is not None
    assert ban.text == text


@pytest.mark.parametrize(
    "line",
    [
        b"192.0.2.1 \t2026-11-23 21:42:00 + 600 = ",
        b"192.0.2.1 2026-11-23 21:42:00 + 600 = 2026-11-23 21:52:00",
        b"192.0.2.1 \t2026-11-23 21:42 + 600 = 2026-11-23 21:52:00",
        b"192.0.2.1\t600",
        b"",
    ],
)
def test_other_lines_are_not_taken(line: bytes) -> None:
    assert read_times_line(line) is None


@pytest.mark.parametrize(
    "text",
    [
        b"2026-02-30 12:00:00",
        b"2026-13-01 12:00:00",
        b"2026-01-01 24:00:00",
        b"9999-12-31 23:59:59",
        b"1066-10-14 09:00:00",
        b"infinite",
        b"",
        b"2026-01-01 12:00:60",
        b"2026-01-01 12:00:00x",
    ],
)
def test_what_is_no_time_is_none(text: bytes) -> None:
    assert local_text(text) is None


@given(st.one_of(st.none(), st.text(), st.binary(), st.floats(), st.integers(), st.booleans()))
def test_any_value_is_a_moment_or_none(value: object) -> None:
    text = moment_text(value)
    assert text is None or (len(text) == 20 and text.endswith("Z"))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_time_or_none(text: bytes) -> None:
    local_text(text)
    read_times_line(b"x \t2026-11-23 21:42:00 + 600 = " + text)


MOMENTS = st.none() | st.integers(-1, 253_402_300_801) | st.floats() | st.sampled_from(["1", b"1", True])


@given(st.lists(MOMENTS) | st.lists(st.integers(0, 253_402_300_799) | st.none()))
def test_many_moments_are_told_as_each_is(moments: list[object]) -> None:
    assert list(moments_of(moments)) == list(map(moment_text, moments))

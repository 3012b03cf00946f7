"""The replay: what order lines were written in, what a start of 0.9 bans again, and times that cannot be."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from itertools import permutations
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.ban_reader import Reading
from geocli.inputs.bans import read_bans
from geocli.inputs.fail2ban.names import Names
from geocli.model.bans import Ban
from geocli.model.errors import Problems
from tests.inputs.fail2ban.test_log import NOW, at, read_log, replay, utc
from tests.inputs.fail2ban.test_times import Zone, zone
from tests.inputs.test_bans import stream

__all__ = ["zone"]


@pytest.fixture(autouse=True)
def _in_utc(zone: Zone) -> None:
    zone("UTC")


def line(moment: str, message: str, module: str = "actions") -> bytes:
    return f"{moment},123 fail2ban.{module:<15} [728]: NOTICE  {message}\n".encode()


def logged(*files: bytes) -> list[Ban]:
    streams = [stream(file) for file in files]
    return [ban for batch in read_bans(streams, Problems(), Reading(NOW)) for ban in batch]


# --- the order ------------------------------------------------------------------------------------------

FILES = [
    line("2026-11-20 10:00:00", "[a] Ban 1.1.1.1") + line("2026-11-20 11:00:00", "[a] Ban 8.8.8.8"),
    line("2026-11-21 09:00:00", "[a] Unban 1.1.1.1") + line("2026-11-21 10:00:00", "[a] Ban 1.1.1.1"),
    line("2026-11-22 09:00:00", "[a] Unban 8.8.8.8") + line("2026-11-22 09:30:00", "[a] Unban 1.1.1.1"),
]
OF_FILES = [
    Ban("a", "1.1.1.1", "2026-11-20T10:00:00Z", "2026-11-21T09:00:00Z"),
    Ban("a", "8.8.8.8", "2026-11-20T11:00:00Z", "2026-11-22T09:00:00Z"),
    Ban("a", "1.1.1.1", "2026-11-21T10:00:00Z", "2026-11-22T09:30:00Z"),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_rotated_files_come_in_any_order_apart_and_in_one_stream(order: tuple[int, ...]) -> None:
    files = [FILES[number] for number in order]
    assert logged(*files) == OF_FILES
    assert logged(b"".join(files)) == OF_FILES
    assert logged(*map(gzip.compress, files)) == OF_FILES


def test_a_stream_may_be_newest_first_line_by_line() -> None:
    lines = [each for file in FILES for each in file.splitlines(keepends=True)]
    assert logged(b"".join(reversed(lines))) == OF_FILES


def test_a_clock_that_was_set_back_changes_nothing_of_the_order() -> None:
    found = replay(
        line("2026-11-20 10:00:00", "[a] Ban 1.1.1.1"),
        line("2026-11-20 09:30:00", "[a] Unban 1.1.1.1"),
        line("2026-11-20 09:40:00", "[a] Ban 8.8.8.8"),
        line("2026-11-20 09:50:00", "[a] Unban 8.8.8.8"),
    )
    assert found == [
        Ban("a", "1.1.1.1", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        Ban("a", "8.8.8.8", "2026-11-20T09:40:00Z", "2026-11-20T09:50:00Z"),
    ]


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 10**6), st.sampled_from(["Ban", "Unban", "Restore Ban", "Reban"]), st.integers(0, 3)
    ),
    max_size=30,
)


@given(EVENTS)
def test_no_ban_ends_before_it_begins_and_none_is_there_twice(events: list[tuple[int, str, int]]) -> None:
    begin = datetime(2026, 10, 20, tzinfo=UTC)
    lines = [
        line(f"{begin + timedelta(seconds=after):%Y-%m-%d %H:%M:%S}", f"[a] {verb} 192.0.2.{number}")
        for after, verb, number in events
    ]
    found = replay(*lines)
    assert all(ban.expires_at is None or (ban.banned_at or "") <= ban.expires_at for ban in found)
    is_open = [ban.text for ban in found if ban.expires_at is None]
    assert len(is_open) == len(set(is_open))


@given(EVENTS)
def test_events_in_their_order_come_out_the_same_backwards(events: list[tuple[int, str, int]]) -> None:
    begin = datetime(2026, 10, 20, tzinfo=UTC)
    moments = sorted({after for after, _, _ in events})  # no two in one second
    by_moment = {after: (verb, number) for after, verb, number in events}
    lines = [
        line(
            f"{begin + timedelta(seconds=after * 2):%Y-%m-%d %H:%M:%S}",
            "[a] {} 192.0.2.{}".format(*by_moment[after]),
        )
        for after in moments
    ]
    if len(lines) > 2:
        assert sorted(map(str, replay(*reversed(lines)))) == sorted(map(str, replay(*lines)))


# --- the hour that comes twice --------------------------------------------------------------------------


def test_in_the_hour_that_comes_twice_time_goes_on(zone: Zone) -> None:
    zone("Europe/Berlin")
    found = replay(
        line("2026-10-25 02:55:00", "[a] Ban 1.1.1.1"),
        line("2026-10-25 02:05:00", "[a] Unban 1.1.1.1"),
        line("2026-10-25 02:10:00", "[a] Ban 8.8.8.8"),
        line("2026-10-25 03:05:00", "[a] Unban 8.8.8.8"),
    )
    assert found == [
        Ban("a", "1.1.1.1", "2026-10-25T00:55:00Z", "2026-10-25T01:05:00Z"),
        Ban("a", "8.8.8.8", "2026-10-25T01:10:00Z", "2026-10-25T02:05:00Z"),
    ]


def test_what_takes_the_line_tells_which_hour_it_was(zone: Zone) -> None:
    zone("Europe/Berlin")
    text = b"2026-10-25T01:10:00.5Z " + line("2026-10-25 02:10:00", "[a] Ban 8.8.8.8")
    first = b"2026-10-25T00:50:00.5Z " + line("2026-10-25 02:50:00", "[a] Ban 1.1.1.1")
    assert [ban.banned_at for ban in replay(first, text)] == ["2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z"]


# --- what was there before ------------------------------------------------------------------------------


def held(*lines: bytes) -> list[tuple[str, str | None, str | None]]:
    reading = Reading(NOW)
    found = [ban for batch in read_bans([stream(b"".join(lines))], Problems(), reading) for ban in batch]
    return [(ban.text, ban.banned_at, ban.held_at) for ban in found]


@pytest.mark.parametrize(
    "message",
    ["[a] x already banned", "[a] Restore Ban x", "[a] Reban x", "[a] Reban x, action 'iptables-multiport'"],
)
def test_a_ban_that_was_there_before_held_at_that_moment(message: str) -> None:
    assert held(at(5, message)) == [("x", None, utc(5))]
    assert held(at(1, "[a] Ban x"), at(5, message)) == [("x", utc(1), None)]


def test_a_ban_that_was_there_after_its_end_is_another_one() -> None:
    lines = [at(1, "[a] Ban x"), at(2, "[a] Unban x"), at(5, "[a] x already banned")]
    assert held(*lines) == [("x", utc(1), None), ("x", None, utc(5))]


# --- restarts -------------------------------------------------------------------------------------------

STOP = [at(3, "Stopping all jails", "server"), at(3, "[a] Unban x"), at(3, "Exiting Fail2ban", "server")]
START_09 = at(4, "Changed logging target to /var/log/fail2ban.log for Fail2ban v0.9.3", "server")
START_10 = at(4, "Starting Fail2ban v0.10.2", "server")


def test_what_a_start_of_0_9_bans_again_was_never_gone() -> None:
    assert replay(at(1, "[a] Ban x"), *STOP, START_09, at(4, "[a] Ban x"), at(9, "[a] Unban x")) == [
        Ban("a", "x", utc(1), utc(9))
    ]
    # It died, and had no time to lift anything.
    assert replay(at(1, "[a] Ban x"), START_09, at(4, "[a] Ban x")) == [Ban("a", "x", utc(1))]


def test_but_once_only_and_only_what_the_stop_lifted() -> None:
    restarted = [at(1, "[a] Ban x"), *STOP, START_09, at(4, "[a] Ban x")]
    again = replay(*restarted, at(5, "[a] Unban x"), at(6, "[a] Ban x"))
    assert again == [Ban("a", "x", utc(1), utc(5)), Ban("a", "x", utc(6))]
    lifted = replay(at(1, "[a] Ban x"), at(2, "[a] Unban x"), *STOP, START_09, at(4, "[a] Ban x"))
    assert lifted == [Ban("a", "x", utc(1), utc(2)), Ban("a", "x", utc(4))]


def test_later_versions_say_so_themselves() -> None:
    assert replay(at(1, "[a] Ban x"), *STOP, START_10, at(4, "[a] Ban x")) == [
        Ban("a", "x", utc(1), utc(3)),
        Ban("a", "x", utc(4)),
    ]
    assert replay(at(1, "[a] Ban x"), *STOP, START_10, at(4, "[a] Restore Ban x")) == [Ban("a", "x", utc(1))]


def test_a_planned_end_before_the_beginning_is_none() -> None:
    lines = [at(5, "[a] Ban x"), at(5, "[a] Increase Ban x (2 # 1s -> 2026-11-23 20:00:00)", "observer")]
    assert replay(*lines) == [Ban("a", "x", utc(5), None, 2)]


def test_undated_events_are_counted() -> None:
    found, _ = read_log(b"[a] Ban x\n", b"[a] Unban x\n")
    assert found == [Ban("a", "x")]
    reading = Reading(NOW)
    for _ in read_bans([stream(b"[a] Ban x\n[a] Unban x\n")], Problems(), reading):
        pass
    assert reading.undated == 2


# --- names that are many ------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([b"a", b"b", b"\xff", b"a b", b"1.2.3.4"]), max_size=30), st.integers(1, 4))
def test_names_in_a_file_have_the_numbers_of_those_in_memory(found: list[bytes], most: int) -> None:
    in_memory, in_file = Names(), Names(most)
    numbers = [in_memory.number(b"jail", name) for name in found]
    assert [in_file.number(b"jail", name) for name in found] == numbers
    assert in_file.texts(numbers) == in_memory.texts(numbers)
    assert len(in_file) == len(in_memory) == len(set(found))


@given(st.lists(st.integers(0, 999), min_size=1), st.integers(1, 400))
def test_names_in_a_file_are_found_in_any_order(wanted: list[int], most: int) -> None:
    names = Names(most)
    with patch("geocli.inputs.fail2ban.names._SLOTS", 512):
        for number in [*range(1000), *wanted]:
            assert names.number(b"%d" % (number % 3), b"%d" % number) == number
        found = names.texts(wanted)
    assert found == ([f"{n % 3}" for n in wanted], [f"{n}" for n in wanted])

"""fail2ban's log: one row for each ban, over stops, starts, rotated files and versions."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.ban_reader import Reading, Tally
from geocli.inputs.bans import read_bans
from geocli.inputs.fail2ban.log import LogReader
from geocli.model.bans import Ban
from geocli.model.errors import Problems
from tests.inputs.fail2ban.test_times import Zone, zone
from tests.inputs.test_bans import VERSIONS, capture, stream
from tests.support.examples import examples

__all__ = ["zone"]


NOW = 1795861200.0  # 2026-11-28


def read_log(*lines: bytes) -> tuple[list[Ban], Tally]:
    """The bans of a log, without the moments at which some only held, and what was understood."""
    reading, tally = Reading(NOW), Tally("log")
    reader = LogReader(reading, tally)
    for line in lines:
        reader.take(line)
    return [ban._replace(held_at=None) for batch in reading.logged() for ban in batch], tally


def replay(*lines: bytes) -> list[Ban]:
    return read_log(*lines)[0]


def replay_files(*names: str) -> list[Ban]:
    return replay(*(line for name in names for line in capture(name).splitlines(keepends=True)))


def at(minute: int, message: str, module: str = "actions", level: str = "NOTICE ") -> bytes:
    head = f"2026-11-23 21:{minute:02}:00,606 fail2ban.{module:<15} [728]: {level} "
    return f"{head}{message}\n".encode()


def utc(minute: int) -> str:
    return f"2026-11-23T21:{minute:02}:00Z"


@pytest.fixture(autouse=True)
def _in_utc(zone: Zone) -> None:
    zone("UTC")


# --- what happens to a ban ------------------------------------------------------------------------------


def test_a_ban_ends_with_its_unban() -> None:
    assert replay(at(1, "[a] Ban 192.0.2.1"), at(2, "[a] Ban 192.0.2.2"), at(5, "[a] Unban 192.0.2.1")) == [
        Ban("a", "192.0.2.1", utc(1), utc(5)),
        Ban("a", "192.0.2.2", utc(2)),
    ]


def test_every_ban_is_a_row_and_jails_are_apart() -> None:
    lines = [
        at(1, "[a] Ban x"),
        at(2, "[b] Ban x"),
        at(3, "[a] Unban x"),
        at(4, "[a] Ban x"),
        at(5, "[b] Unban x"),
    ]
    assert replay(*lines) == [
        Ban("a", "x", utc(1), utc(3)),
        Ban("b", "x", utc(2), utc(5)),
        Ban("a", "x", utc(4)),
    ]


@pytest.mark.parametrize("end", ["Unban", "Repeal Ban"])
def test_a_ban_goes_on_over_a_stop(end: str) -> None:
    lines = [at(1, "[a] Ban x"), at(2, f"[a] {end} x")]
    assert replay(*lines) == [Ban("a", "x", utc(1), utc(2))]
    lines += [at(3, "[a] Restore Ban x")]
    assert replay(*lines) == [Ban("a", "x", utc(1))]
    assert replay(*lines, at(9, "[a] Unban x")) == [Ban("a", "x", utc(1), utc(9))]


def test_a_restored_ban_that_was_never_lifted_goes_on() -> None:
    assert replay(at(1, "[a] Ban x"), at(3, "[a] Restore Ban x")) == [Ban("a", "x", utc(1))]


def test_a_restored_ban_the_log_does_not_know_is_one_of_its_own() -> None:
    assert replay(at(3, "[a] Restore Ban x"), at(4, "[b] Restore Ban x"), at(5, "[a] Unban x")) == [
        Ban("a", "x", None, utc(5)),
        Ban("b", "x"),
    ]


def test_an_increase_tells_count_and_end() -> None:
    lines = [
        at(1, "[a] Ban x"),
        at(1, "[a] Increase Ban x (2 # 8.15s -> 2026-11-23 21:09:52)", "observer"),
    ]
    planned = Ban("a", "x", utc(1), "2026-11-23T21:09:52Z", 2)
    assert replay(*lines) == [planned]
    lines += [at(2, "[a] Unban x")]
    assert replay(*lines) == [planned._replace(expires_at=utc(2))]
    assert replay(*lines, at(3, "[a] Restore Ban x")) == [planned]


@pytest.mark.parametrize(
    ("rest", "end", "count"),
    [
        ("(3 # 0:00:08 -> 2026-11-23 21:09:52)", "2026-11-23T21:09:52Z", 3),
        ("(4 # 1.0m 0.25661076956300377s -> 2026-11-23 21:09:52)", "2026-11-23T21:09:52Z", 4),
        ("(5 # permanent -> infinite)", None, 5),
        ("(99999999999999 # x -> y)", None, None),
        ("", None, None),
    ],
)
def test_an_increase_in_any_versions_words(rest: str, end: str | None, count: int | None) -> None:
    found = replay(at(1, "[a] Ban a (b) x"), at(1, f"[a] Increase Ban a (b) x {rest}", "observer"))
    assert found == [Ban("a", "a (b) x", utc(1), end, count)]


def test_a_second_ban_ends_the_first() -> None:
    lines = [at(1, "[a] Ban ::"), at(2, "[a] Ban ::"), at(3, "[a] Unban ::")]
    assert replay(*lines) == [Ban("a", "::", utc(1), utc(2)), Ban("a", "::", utc(2), utc(3))]
    assert replay(*lines, at(4, "[a] Unban ::")) == replay(*lines)
    planned = at(1, "[a] Increase Ban :: (2 # 30s -> 2026-11-23 21:01:30)", "observer")
    assert replay(lines[0], planned, *lines[1:])[0].expires_at == "2026-11-23T21:01:30Z"


def test_what_ends_a_ban_that_the_log_does_not_know_is_nothing() -> None:
    assert replay(at(1, "[a] Unban x"), at(2, "[a] Repeal Ban y")) == []


@pytest.mark.parametrize(
    "message",
    [
        "[a] Found 192.0.2.1 - 2026-11-23 21:42:11",
        "[a] x] Ban 192.0.2.1 already banned",
        "[a] Flush ticket(s) with iptables",
        "[a] Ignore 192.0.2.1 by ip",
        "[a] Bannister 192.0.2.1",
        "Jail 'a' started",
        "Creating new jail 'a] Ban 192.0.2.1'",
        "",
    ],
)
def test_other_lines_tell_of_no_ban(message: str) -> None:
    found, tally = read_log(at(1, message))
    assert found == []
    assert (tally.answers, tally.passed_over) == (1, 0)


def test_only_fail2bans_own_modules_are_believed() -> None:
    for module in ("filter", "filtersystemd", "actions.action", "database"):
        assert replay(at(1, "[a] Ban 192.0.2.1", module)) == []


def test_identifiers_and_jails_may_be_anything() -> None:
    for identifier in [
        "some user",
        " 192.0.2.88 ",
        "",
        "x|y, z",
        "o'neil",
        "Ban x",
        "ünï\tcode",
        "('1', 'c')",
    ]:
        for jail in ["my jail", "foo, bar", "203.0.113.250", "it's", "Ünïcode-jäil"]:
            (ban,) = replay(at(1, f"[{jail}] Ban {identifier}"), at(2, f"[{jail}] Unban {identifier}"))
            assert ban == Ban(jail, identifier.replace("\t", " "), utc(1), utc(2))


# --- lines of other versions, and of syslog -------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "banned_at"),
    [
        (b"2026-11-23 21:01:00,123 fail2ban.actions: WARNING [ssh] Ban 192.0.2.1", utc(1)),  # 0.8
        (b"2026-11-23 21:01:00,123 fail2ban.actions[12]: WARNING [ssh] Ban 192.0.2.1", utc(1)),
        (b"2026-11-23 21:01:00,123 fail2ban.server.actions [12]: NOTICE  [ssh] Ban 192.0.2.1", utc(1)),
        (b"fail2ban.actions        [12]: NOTICE  [ssh] Ban 192.0.2.1", None),
        (b"Nov 23 21:01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", utc(1)),
        (
            b"<29>Nov  3 21:01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1",
            "2026-11-03T21:01:00Z",
        ),
        (b"Nov 23 21:01:00 host fail2ban[12]: [ssh] Ban 192.0.2.1", utc(1)),
        (
            b"Nov 23 21:01:00 host fail2ban-server[12]: fail2ban.actions [12]: NOTICE [ssh] Ban 192.0.2.1",
            utc(1),
        ),
        (
            b"Nov 23 21:09:00 h fail2ban: 2026-11-23 21:01:00 fail2ban.actions: NOTICE [ssh] Ban 192.0.2.1",
            utc(1),
        ),
        (b"2026-11-23T22:01:00.123456+01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", utc(1)),
        (b"2026-11-23T22:01:00+0100 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", utc(1)),
        (b"2026-11-23T21:01:00Z host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", utc(1)),
        (b"2026-11-31T21:01:00Z host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", None),
        (b"Dec 23 21:01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", "2025-12-23T21:01:00Z"),
        (b"Feb 29 21:01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", "2024-02-29T21:01:00Z"),
        (b"Foo 29 21:01:00 host fail2ban.actions[12]: NOTICE [ssh] Ban 192.0.2.1", None),
        (b"fail2ban: [ssh] Ban 192.0.2.1", None),
        (b"[ssh] Ban 192.0.2.1", None),
    ],
)
def test_a_line_of_any_version_and_any_syslog(line: bytes, banned_at: str | None) -> None:
    for end in (b"", b"\n", b"\r\n"):
        assert replay(line + end) == [Ban("ssh", "192.0.2.1", banned_at)]


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 23 21:01:00 host sshd[1]: Invalid user fail2ban.actions [1]: NOTICE [ssh] Ban 192.0.2.1",
        b"Nov 23 21:01:00 host sshd[1]: 2026-11-23 21:01:00,1 fail2ban.actions [1]: NOTICE [a] Ban x",
        b"x fail2ban.actions [1]: NOTICE [ssh] Ban 192.0.2.1",
        b"# fail2ban.actions [1]: NOTICE [ssh] Ban 192.0.2.1",
    ],
)
def test_what_another_program_logs_is_not_believed(line: bytes) -> None:
    found, tally = read_log(line)
    assert found == []
    assert (tally.answers, tally.passed_over) == (0, 1)


def test_an_unban_without_a_time_ends_as_planned() -> None:
    syslog = b"fail2ban.%s[12]: NOTICE [ssh] %s"
    found = replay(
        syslog % (b"actions", b"Ban x"),
        syslog % (b"observer", b"Increase Ban x (2 # 6s -> 2026-11-23 21:01:06)"),
        syslog % (b"actions", b"Unban x"),
    )
    assert found == [Ban("ssh", "x", None, "2026-11-23T21:01:06Z", 2)]


# --- captures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_growing_bans_of_a_real_log(version: str) -> None:
    found = replay_files(f"{version}/60-fail2ban.log-before-stop")
    growing = [ban for ban in found if ban.text == "192.0.2.220"]
    assert [(ban.jail, ban.ban_count) for ban in growing] == [
        *[("incrf", None), ("incr", None), ("incrf", 2), ("incr", 2)],
        *[("incrf", 3), ("incr", 3), ("incrf", 4), ("incr", 4)],
    ]
    assert sum(ban.jail == "sshd" for ban in found) == 51
    assert [ban.jail for ban in found if ban.expires_at is None].count("nginx-http-auth") == 2
    last = {"1.0.2": "2026-11-23T21:39:16Z", "1.1.0": "2026-11-23T21:53:14Z"}
    assert growing[-2].expires_at == last[version]


def test_a_real_stop_and_start() -> None:
    files = [
        f"1.0.2/{name}"
        for name in ("60-fail2ban.log-before-stop", "61-fail2ban.log-stop", "64-fail2ban.log-start")
    ]
    before, stopped, started = (replay_files(*files[:count]) for count in (1, 2, 3))
    assert len(before) == len(stopped) == 84
    assert [ban[:3] for ban in before] == [ban[:3] for ban in stopped] == [ban[:3] for ban in started[:84]]
    # The stop lifted all, and the start restored what fail2ban then calls banned (65-banned-after-restart:
    # of the jail "big" the capture has a sample only).
    assert [ban for ban in stopped if ban.expires_at is None] == []
    going_on = [ban for ban in started if ban.expires_at is None]
    assert len(going_on) == 63
    assert [ban for ban in started[84:] if ban.jail != "big"] == []


# --- anything -------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=80)))
def test_any_lines_are_read_without_complaint(lines: list[bytes]) -> None:
    head = b"2026-11-23 21:01:00,123 fail2ban.actions [1]: NOTICE  [a] "
    for start in (b"", head, head + b"Ban ", head + b"Increase Ban x (1 # "):
        replay(*(start + line for line in lines))


def test_memory_is_little_for_an_event() -> None:
    reading, tally = Reading(NOW), Tally("log")
    reader = LogReader(reading, tally)
    tracemalloc.start()
    try:
        for minute in range(60):
            for _ in range(100):
                reader.take(at(minute, "[a] Found 192.0.2.1 - x", "filter"))
                reader.take(at(minute, "[a] Restore Ban 192.0.2.1"))
                reader.take(at(minute, "[a] Unban 192.0.2.1"))
        assert tracemalloc.get_traced_memory()[0] < 12_000 * 32
    finally:
        tracemalloc.stop()
    assert sum(map(len, reading.logged())) == 1


# --- many lines at once ---------------------------------------------------------------------------------

_SAID = (
    *("Ban 192.0.2.1", "Ban 192.0.2.2", "Unban 192.0.2.1", "Ban", "Ban ", "Unban x y\r", "Found 192.0.2.3"),
    *("Restore Ban 192.0.2.1", "192.0.2.1 already banned", "Ban 192.0.2.1 already banned"),
    "Increase Ban 192.0.2.1 (2 # 0:20:00 -> 2026-11-23 22:00:00)",
)
_FOUND = (
    *("Found 192.0.2.1 - 2026-11-23 21:42:00", "Found Shutdown in progress", "Ban 192.0.2.1", "Found"),
    "Found 192.0.2.1 Exiting Fail2ban",
)
LINES = st.sampled_from([
    *[at(minute, f"[{jail}] {said}") for minute in (1, 2) for jail in ("a", "b c", "") for said in _SAID],
    *[at(3, f"[a] {said}", "filter", "INFO   ") for said in _FOUND],
    *[at(4, said, "server", "INFO   ") for said in ("Exiting Fail2ban", "Starting Fail2ban v0.9.3", "--")],
    *[b"[a] Ban 192.0.2.9\n", b"Traceback\n", b"\n"],
    *[b"2026-%d-23 21:05:%d fail2ban.actions: [a] Ban 192.0.2.1\n" % at for at in [(11, 61), (13, 1)]],
])  # fmt: skip


@examples(300)
@given(st.lists(LINES, max_size=12), st.booleans())
def test_runs_of_usual_lines_are_read_as_each_line_is(lines: list[bytes], is_cut: bool) -> None:
    text = b"".join(lines)[: -3 if is_cut else None]

    def read() -> tuple[list[list[Ban]], str, int, int]:
        reading, problems = Reading(NOW), Problems()
        found = [list(bans) for bans in read_bans([stream(text)], problems, reading)]
        (tally,) = reading.tallies[:1]
        return [bans for bans in found if bans], tally.summary(), tally.answers, len(problems)

    together = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogReader, "take_run", lambda _self, _text, begin: (begin, 0))
        assert together == read()

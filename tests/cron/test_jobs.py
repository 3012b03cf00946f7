"""What runs, when, and how it is written down for cron and for systemd."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.cron import systemd
from geocli.cron.jobs import JobOptions, Schedule, cron_line, cron_quoted, every, jobs_of, parse_every
from geocli.model.errors import UsageError
from tests.conftest import Crontab, need
from tests.support.examples import examples

ALL = JobOptions(every=300, update=True, record=True, report=Path("/srv/www/bans.html"))
AWKWARD = [
    "/opt/my tools/geo cli",
    '/o\'brien/100% "sure"',
    "/back\\slash\\\\",
    "/a;b&c|d>e$HOME`id`*?~#!",
    "/ü",
]


@pytest.mark.parametrize(
    ("text", "cron", "calendar"),
    [
        ("1m", "* * * * *", "minutely"),
        ("60s", "* * * * *", "minutely"),
        ("5m", "*/5 * * * *", "*:0/5"),
        ("59m", "*/59 * * * *", "*:0/59"),
        ("1h", "0 * * * *", "hourly"),
        ("60m", "0 * * * *", "hourly"),
        ("6h", "0 */6 * * *", "0/6:00"),
        ("1d", "0 0 * * *", "daily"),
        ("24h", "0 0 * * *", "daily"),
    ],
)
def test_an_interval_becomes_fields(text: str, cron: str, calendar: str) -> None:
    assert every(parse_every(text)) == Schedule(cron, calendar)


@pytest.mark.parametrize(
    "text", ["0", "0m", "30s", "90s", "61m", "90m", "25h", "2d", "1w", "", "soon", "-1m", "\x1b"]
)
def test_what_cron_cannot_do_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 1m to 59m|write 90s") as caught:
        parse_every(text)
    assert str(caught.value).isprintable()


def test_the_jobs_are_those_that_were_wished_for() -> None:
    assert [job.name for job in jobs_of(JobOptions(), b"x")] == ["flush", "update"]
    assert [job.name for job in jobs_of(JobOptions(update=False), b"x")] == ["flush"]
    assert [" ".join(job.arguments) for job in jobs_of(ALL, b"x")] == [
        "flush",
        "db update",
        "bans --client --record",
        "report --client -o /srv/www/bans.html",
    ]


def test_every_machine_asks_for_databases_at_a_moment_of_its_own() -> None:
    moments = {jobs_of(JobOptions(), str(number).encode())[1].schedule.cron for number in range(200)}
    assert len(moments) > 180
    assert all(re.fullmatch(r"[1-5]?\d (1?\d|2[0-3]) \* \* [0-6]", moment) for moment in moments)
    assert jobs_of(JobOptions(), b"one") == jobs_of(JobOptions(), b"one")


# --- cron ---------------------------------------------------------------------------------------------


def command_of(line: bytes, *, joins_backslashes: bool) -> bytes:
    """What cron gives to the shell (vixie's ``do_command``): what is before a bare ``%``."""
    command = line.split(b" ", 5)[5]
    kept, escaped = bytearray(), False
    for char in command:
        if escaped:
            if char == ord("%") or (joins_backslashes and char == ord("\\")):
                kept[-1:] = bytes([char])
            else:
                kept.append(char)
            escaped = False
            continue
        if char == ord("%"):
            break
        escaped = char == ord("\\")
        kept.append(char)
    return bytes(kept)


def words_of(command: bytes) -> list[bytes]:
    """What a program would get from the shell."""
    script = b"set -- " + command + b"; for word; do printf '%s\\0' \"$word\"; done"
    done = subprocess.run([b"/bin/sh", b"-c", script], capture_output=True, check=True)
    return done.stdout.split(b"\0")[:-1]


names = st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"]), min_size=1)


@examples(40)
@given(st.lists(names, min_size=1, max_size=3))
@example(AWKWARD)
@example(["\\%", "%%", "\\\\\\", "'%'", "\\'"])
def test_cron_and_the_shell_read_every_word_as_it_was(words: list[str]) -> None:
    job = jobs_of(JobOptions(), b"x")[0]
    line = cron_line(job, words)
    expected = [*(word.encode() for word in words), b"flush"]
    for command in (
        command_of(line, joins_backslashes=True),
        command_of(line, joins_backslashes=False),
        line.split(b" ", 5)[5],  # busybox knows nothing of percent signs
    ):
        assert words_of(command) == expected


def test_a_name_that_is_not_text_stays_its_bytes() -> None:
    assert words_of(cron_quoted("/x\udcff")) == [b"/x\xff"]


def test_what_a_crontab_cannot_hold_is_refused() -> None:
    job = jobs_of(JobOptions(), b"x")[0]
    with pytest.raises(UsageError, match="line end"):
        cron_line(job, ["/a\nb"])
    with pytest.raises(UsageError, match="no command that long"):
        cron_line(job, ["/" + "x" * 1000])


def test_cron_accepts_the_lines(crontab: Crontab) -> None:
    lines = [cron_line(job, [name]) for name in AWKWARD for job in jobs_of(ALL, b"x")]
    crontab.write(b"\n".join(lines) + b"\n")
    assert crontab.read() == b"\n".join(lines) + b"\n"


def test_the_field_of_the_user_stands_before_the_command() -> None:
    assert cron_line(jobs_of(JobOptions(), b"x")[0], ["/g"], "nobody") == b"* * * * * nobody /g flush"


# --- systemd ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [None, "root"])
def test_systemd_accepts_the_units(tmp_path: Path, user: str | None) -> None:
    analyze = need("systemd-analyze")
    program = tmp_path / "100% $HOME geo"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    texts = systemd.units(jobs_of(ALL, b"x"), [str(program), "--data-dir", AWKWARD[1], *AWKWARD], user)
    assert len(texts) == 8
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in texts]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "geocli" in line] == []


def test_systemd_understands_every_calendar() -> None:
    analyze = need("systemd-analyze")
    schedules = [every(parse_every(text)) for text in ("1m", "5m", "59m", "1h", "6h", "1d")]
    schedules += [job.schedule for job in jobs_of(ALL, b"x")]
    calendars = [schedule.calendar for schedule in schedules]
    done = subprocess.run([analyze, "calendar", *calendars], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Normalized form") == len(calendars)


def test_a_word_of_a_unit_is_no_specifier_and_no_variable() -> None:
    text = systemd.units(jobs_of(JobOptions(update=False), b"x"), ["/p", "100%", "$HOME", 'a "b"', ""])
    assert 'ExecStart=/p 100%% $$HOME "a \\"b\\"" "" flush\n' in text["geocli-flush.service"]


@pytest.mark.parametrize("program", ["/a'b", '/a"b', "/a\\b", "/a\nb", "/a\udcff"])
def test_what_systemd_cannot_run_is_refused(program: str) -> None:
    with pytest.raises(UsageError):
        systemd.units(jobs_of(JobOptions(), b"x"), [program])


def test_a_unit_is_never_written_over_somebody_else_s(tmp_path: Path) -> None:
    (tmp_path / "geocli-flush.timer").write_text("[Timer]\n")
    texts = systemd.units(jobs_of(JobOptions(), b"x"), ["/g"])
    with pytest.raises(UsageError, match=r"geocli-flush\.timer is not geocli's"):
        systemd.unit_changes(tmp_path, texts)
    assert systemd.unit_changes(tmp_path, {}) == []

"""Asking a real fail2ban; and a program that answers like fail2ban where no server would do it on demand."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest

from geocli.inputs.bans import read_bans
from geocli.inputs.fail2ban import client
from geocli.inputs.fail2ban.client import ask_server
from geocli.inputs.fail2ban.database import DatabaseQuestion, read_database
from geocli.inputs.stream import Stream
from geocli.model.bans import Ban
from geocli.model.errors import Problems, TryAgainError, UsageError
from tests.conftest import FIXTURES
from tests.support.fail2ban_server import JAILS, Fail2ban
from tests.support.waiting import wait_until

CAPTURES = FIXTURES / "fail2ban"
SSHD = ["192.0.2.1", "2001:db8::1", "198.51.100.0/24", "2001:db8:5::/48", "some user", "tab\there", "::"]


def told(text: bytes) -> list[Ban]:
    return [ban for bans in read_bans([Stream(BytesIO(text), "test")], Problems()) for ban in bans]


def names(bans: Iterable[Ban]) -> list[tuple[str | None, str]]:
    return sorted((ban.jail, ban.text) for ban in bans)


def moment(text: str | None) -> float:
    assert text is not None
    return datetime.fromisoformat(text).timestamp()


def seconds(ban: Ban) -> float | None:
    return None if ban.expires_at is None else moment(ban.expires_at) - moment(ban.banned_at)


def same_but_for_rounding(stored: Ban, asked: Ban) -> bool:
    """The database rounds the time of a ban, fail2ban-client cuts it off."""
    pairs = [(stored.banned_at, asked.banned_at), (stored.expires_at, asked.expires_at)]
    return all(one == other or 0 <= moment(one) - moment(other) <= 1 for one, other in pairs)


def capture(version: str) -> str:
    """The captures of a version, as a shell has it."""
    return shlex.quote(f"{CAPTURES}/{version}")


def fake(tmp_path: Path, script: str) -> str:
    program = tmp_path / "fail2ban-client"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


# --- a real server --------------------------------------------------------------------------------------


def test_a_server_tells_every_ban_with_its_times(fail2ban_server: Fail2ban) -> None:
    before = time.time()
    fail2ban_server.ban("sshd", *SSHD)
    fail2ban_server.ban("web.bots", "192.0.2.1", "203.0.113.9")
    fail2ban_server.ban("my-jail", "2001:db8::9")
    bans = ask_server(fail2ban_server.client, fail2ban_server.socket, None)
    assert [(ban.jail, ban.text) for ban in bans] == [
        *(("sshd", text.replace("\t", " ")) for text in SSHD),
        ("web.bots", "192.0.2.1"),
        ("web.bots", "203.0.113.9"),
        ("my-jail", "2001:db8::9"),
    ]
    for ban in bans:
        assert ban.banned_at is not None
        assert before - 1 <= moment(ban.banned_at) <= time.time()
        assert seconds(ban) == (JAILS[ban.jail or ""] if ban.jail != "my-jail" else None)
        assert ban.ban_count is None


def test_all_ways_to_ask_a_server_agree(fail2ban_server: Fail2ban) -> None:
    plain = ["192.0.2.7", "2001:db8::7", "198.51.100.64/26", "example.com", "192.0.2.70:22"]
    fail2ban_server.ban("sshd", *plain)
    fail2ban_server.ban("web.bots", *plain[:2])
    fail2ban_server.ban("my-jail", plain[2])
    asked = ask_server(fail2ban_server.client, fail2ban_server.socket, None)
    assert len(asked) == 8
    assert told(fail2ban_server("banned")) == [Ban(ban.jail, ban.text) for ban in asked]
    for jail in JAILS:
        of_jail = [ban for ban in asked if ban.jail == jail]
        assert told(fail2ban_server("status", jail)) == [Ban(jail, ban.text) for ban in of_jail]
        assert told(fail2ban_server("get", jail, "banned")) == [Ban(None, ban.text) for ban in of_jail]
        timed = told(fail2ban_server("get", jail, "banip", "--with-time"))
        assert sorted(timed, key=str) == sorted((ban._replace(jail=None) for ban in of_jail), key=str)
        assert ask_server(fail2ban_server.client, fail2ban_server.socket, jail) == of_jail
    # The database is written by another thread, in its own time.
    database = fail2ban_server.database
    wait_until(lambda: len(read_database(database, DatabaseQuestion(time.time())).bans) == len(asked))
    stored = read_database(database, DatabaseQuestion(time.time())).bans
    assert names(stored) == names(asked)
    by_name = {(ban.jail, ban.text): ban for ban in asked}
    assert all(same_but_for_rounding(ban, by_name[ban.jail, ban.text]) for ban in stored)
    assert {ban.ban_count for ban in stored} == {1}


def test_the_log_of_a_server_tells_the_same_bans(fail2ban_server: Fail2ban) -> None:
    fail2ban_server.ban("sshd", "192.0.2.81", "192.0.2.82")
    fail2ban_server.ban("my-jail", "192.0.2.81")
    fail2ban_server.unban("sshd", "192.0.2.82")
    asked = ask_server(fail2ban_server.client, fail2ban_server.socket, None)
    logged = told(fail2ban_server.log.read_bytes())
    assert names(ban for ban in logged if ban.expires_at is None) == names(asked)
    (ended,) = (ban for ban in logged if ban.text == "192.0.2.82")
    assert ended.expires_at is not None
    assert ended.banned_at is not None
    assert ended.expires_at >= ended.banned_at


def test_an_identifier_that_splits_its_line_has_no_times(fail2ban_server: Fail2ban) -> None:
    fail2ban_server.ban("sshd", "first\n192.0.2.5", "192.0.2.6", "")
    first, second, third = ask_server(fail2ban_server.client, fail2ban_server.socket, "sshd")
    assert first == Ban("sshd", "first 192.0.2.5")
    assert (second.text, seconds(second)) == ("192.0.2.6", 600)
    assert (third.text, seconds(third)) == ("", 600)


def test_identifiers_beyond_ascii_survive_any_locale(
    fail2ban_server: Fail2ban, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail2ban_server.ban("web.bots", "zoë", "192.0.2.6")
    monkeypatch.setenv("LC_ALL", "POSIX")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    bans = ask_server(fail2ban_server.client, fail2ban_server.socket, None)
    assert [(ban.text, seconds(ban)) for ban in bans] == [("zoë", 604_800), ("192.0.2.6", 604_800)]


def test_nobody_is_banned(fail2ban_server: Fail2ban) -> None:
    for jail in (None, "empty"):
        assert ask_server(fail2ban_server.client, fail2ban_server.socket, jail) == []
    for jail in JAILS:
        assert told(fail2ban_server("status", jail)) == []
    assert told(fail2ban_server("status")) == []
    assert told(fail2ban_server("banned")) == []


def test_a_jail_that_does_not_exist_is_refused(fail2ban_server: Fail2ban) -> None:
    with pytest.raises(UsageError, match="no jail is called 'nosuchjail'"):
        ask_server(fail2ban_server.client, fail2ban_server.socket, "nosuchjail")


def test_a_server_that_does_not_run_is_worth_another_try(fail2ban_server: Fail2ban, tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match=r"fail2ban does not run.*none\.sock") as caught:
        ask_server(fail2ban_server.client, tmp_path / "none.sock", None)
    assert "\n" not in str(caught.value)
    dead = tmp_path / "dead.sock"
    subprocess.run(
        ["python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind({str(dead)!r})"], check=True
    )
    with pytest.raises(TryAgainError, match="fail2ban does not run"):
        ask_server(fail2ban_server.client, dead, None)


def test_a_reader_of_the_database_is_never_in_the_way(fail2ban_server: Fail2ban) -> None:
    fail2ban_server.ban("sshd", "192.0.2.90")
    wait_until(lambda: len(read_database(fail2ban_server.database, DatabaseQuestion(time.time())).bans) == 1)
    with sqlite3.connect(f"file:{fail2ban_server.database}?mode=rw", uri=True, timeout=0) as connection:
        connection.execute("BEGIN EXCLUSIVE")  # nobody has kept a lock
        connection.rollback()
    connection.close()


# --- a program in its place -----------------------------------------------------------------------------


def test_a_program_that_is_not_there_says_what_else_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="/no/such/client was not found"):
        ask_server("/no/such/client", None, None)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(client, "_ELSEWHERE", "/nonexistent")
    with pytest.raises(UsageError, match=r"fail2ban-client was not found: .*-i FILE, --database FILE or"):
        ask_server(None, None, None)


@pytest.mark.parametrize("version", ["1.0.2", "1.1.0"])
def test_the_complaint_of_a_client_without_server(version: str, tmp_path: Path) -> None:
    client = fake(tmp_path, f"cat {capture(version)}/63-banned-while-stopped.err >&2; exit 255")
    with pytest.raises(TryAgainError, match="Failed to access socket path: /var/lib"):
        ask_server(client, None, None)


def test_a_socket_for_root_only(tmp_path: Path) -> None:
    complaint = (
        "2026-11-23 21:53:37,385 fail2ban [1]: ERROR   Permission denied to socket: /run/x (you must be root)"
    )
    with pytest.raises(UsageError, match="run geocli as root"):
        ask_server(fake(tmp_path, f"echo '{complaint}' >&2; exit 255"), None, None)


def test_a_fail2ban_too_old_for_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--database FILE"):
        ask_server(fake(tmp_path, f"cat {capture('1.0.2')}/30-statistics.out; exit 255"), None, None)


def test_another_failure_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"failed \(3\): out of \\x1b\[1mluck$"):
        ask_server(fake(tmp_path, "printf 'first\\nout of \\033[1mluck\\n' >&2; exit 3"), None, None)
    with pytest.raises(UsageError, match="does not answer as fail2ban-client does"):
        ask_server(fake(tmp_path, "echo hello"), None, None)


def test_stderr_is_no_answer(tmp_path: Path) -> None:
    client = fake(tmp_path, """case $1 in banned) echo "[{'a': ['x']}]"; echo "[{'b': ['y']}]" >&2;; esac""")
    assert ask_server(client, None, None) == [Ban("a", "x")]


def test_times_that_cannot_be_had_cost_no_ban(tmp_path: Path) -> None:
    client = fake(
        tmp_path,
        """[ "$1" = banned ] && echo "[{'it': ['192.0.2.1']}]" || { echo Invalid command; exit 255; }""",
    )
    assert ask_server(client, None, None) == [Ban("it", "192.0.2.1")]


@pytest.mark.parametrize("version", ["1.0.2", "1.1.0"])
def test_the_answers_of_a_strange_server_are_joined(version: str, tmp_path: Path) -> None:
    client = fake(
        tmp_path,
        f"cd {capture(version)}\n"
        """case "$1 $2" in
        "banned ") exec cat 20-banned.out;;
        "get it's") exec cat 23-get-banip-with-time-it_s.out;;
        "get "*) f="23-get-banip-with-time-$2.out"; [ -e "$f" ] && exec cat "$f"; exit 255;;
        esac""",
    )
    bans = ask_server(client, None, None)
    assert len(bans) == 5076
    of_jail = {
        name: [ban for ban in bans if ban.jail == name] for name in ("sshd", "it's", "big", "ids", "tuple")
    }
    assert [ban.text for ban in of_jail["sshd"] if ban.expires_at is None] == ["nl here"]
    assert all(ban.banned_at for name in ("it's", "ids", "tuple") for ban in of_jail[name])
    assert not any(ban.banned_at for ban in of_jail["big"])
    (last,) = (ban for ban in of_jail["sshd"] if ban.text == "2001:db8::1")
    assert seconds(last) == {"1.0.2": 607, "1.1.0": 609}[version]
    permanent = [ban for ban in bans if ban.jail == "nginx-http-auth"]
    assert len(permanent) == 3
    assert all(ban.banned_at and ban.expires_at is None for ban in permanent)


def test_an_answer_has_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LARGEST_ANSWER", 1 << 20)
    with pytest.raises(UsageError, match="answers with more than 1 MB"):
        ask_server(fake(tmp_path, "exec cat /dev/zero"), None, None)
    monkeypatch.setattr(client, "_TIMEOUT", 0.3)
    with pytest.raises(TryAgainError, match="gave no answer"):
        ask_server(fake(tmp_path, "exec sleep 20"), None, None)
    with pytest.raises(TryAgainError, match="does not end"):
        ask_server(fake(tmp_path, "exec >&- 2>&-; exec sleep 20"), None, None)


def test_the_program_gets_nothing_to_read_and_its_arguments_as_they_are(tmp_path: Path) -> None:
    client = fake(
        tmp_path, """[ "$1 $2" = "-s a b'\\$c" ] && [ -z "$(cat)" ] && echo "[{'ok': ['$LC_ALL']}]" """
    )
    assert ask_server(client, Path("a b'$c"), None) == [Ban("ok", "C.UTF-8")]

"""fail2ban's log in each form that fail2ban writes, behind each prefix that others write before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from geocli.model.bans import Ban
from tests.inputs.fail2ban.test_log import read_log
from tests.inputs.fail2ban.test_times import Zone, zone

__all__ = ["zone"]

Line = Callable[[datetime, str, str, str], str]  # moment, module, level, message
BEGIN = datetime(2026, 11, 23, 21, 42, 12, tzinfo=UTC)
EVENTS = [
    (0, "server", "INFO", "Starting Fail2ban v1.0.2"),
    (1, "filter", "INFO", "[sshd] Found 9.9.9.9 - 2026-11-23 21:42:13"),
    (2, "actions", "NOTICE", "[sshd] Ban 1.1.1.1"),
    (2, "observer", "NOTICE", "[sshd] Increase Ban 1.1.1.1 (2 # 0:20:00 -> 2026-11-23 22:02:14)"),
    (3, "actions", "NOTICE", "[sshd] 1.1.1.1 already banned"),
    (5, "actions", "NOTICE", "[my jail] Ban 2001:db8::7"),
    (6, "filter", "INFO", "[sshd] Ignore 8.8.4.4 by ip"),
    (602, "actions", "NOTICE", "[sshd] Unban 1.1.1.1"),
]
EXPECTED = [
    Ban("sshd", "1.1.1.1", "2026-11-23T21:42:14Z", "2026-11-23T21:52:14Z", 2),
    Ban("my jail", "2001:db8::7", "2026-11-23T21:42:17Z"),
]


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},123"


# fail2ban's own forms: the versions', and those that logtarget's options and -v make.
FORMS: dict[str, Line] = {
    "0.8": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<7}: {level:<6} {text}",
    "0.8.4": lambda at, module, _, text: f"{stamp(at)} fail2ban.{module}: WARNING {text}",
    "0.9": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<15} [728]: {level:<7} {text}",
    "0.9.0": lambda at, module, level, text: f"{stamp(at)} fail2ban.server.{module}[728]: {level:<6} {text}",
    "1.0": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<15}[728]: {level:<7} {text}",
    "padding=off": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module}[728]: {level} {text}",
    "-vv": lambda at, _, level, text: f" {stamp(at)} 7F3A5C9D1740 {level[:5]:<5} {text}",
    "level first": lambda at, module, level, text: f"{stamp(at)} {level} fail2ban.{module}: {text}",
    "with bars": lambda at, module, level, text: f"{stamp(at)} | {level} | fail2ban.{module} | {text}",
    "message only": lambda at, _m, _l, text: f"{stamp(at)} {text}",
    "ISO time": lambda at, module, level, text: f"{at:%Y-%m-%dT%H:%M:%S}Z fail2ban.{module} {level}: {text}",
    "0.8.2": lambda at, module, _, text: f"{stamp(at)} fail2ban.{module}: WARNING  {text}",
    "0.9.5": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<23}[1]: {level:<7} {text}",
    "0.10": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<15} [31415]: {level:<7} {text}",
    "0.11, pid of seven": lambda at, module, level, text: (
        f"{stamp(at)} fail2ban.{module:<15} [4194303]: {level:<7} {text}"
    ),
    "-v": lambda at, module, level, text: f"{stamp(at)} fail2ban.{module:<24}[728]: {level:<7} {text}",
    "-vv, logger": lambda at, module, level, text: (
        f" {stamp(at)} 7F3A5C9D1740 fail2ban.{module} {level[:5]:<5} {text}"
    ),
    "full stop": lambda at, module, level, text: (
        f"{at:%Y-%m-%d %H:%M:%S}.123 fail2ban.{module:<15} [728]: {level:<7} {text}"
    ),
    "no fraction": lambda at, module, level, text: (
        f"{at:%Y-%m-%d %H:%M:%S} fail2ban.{module:<15} [728]: {level:<7} {text}"
    ),
    "ISO local": lambda at, module, level, text: (
        f"{at:%Y-%m-%dT%H:%M:%S},123 fail2ban.{module:<15} [728]: {level:<7} {text}"
    ),
    "ISO offset": lambda at, module, level, text: (
        f"{at:%Y-%m-%dT%H:%M:%S}+0000 fail2ban.{module:<15} [728]: {level:<7} {text}"
    ),
    "tabs": lambda at, module, level, text: f"{stamp(at)}\tfail2ban.{module}\t[728]:\t{level}\t{text}",
    "no level": lambda at, module, _, text: f"{stamp(at)} fail2ban.{module:<15} [728]: {text}",
    "no logger": lambda at, _, level, text: f"{stamp(at)} {level:<7} {text}",
    "with dashes": lambda at, module, level, text: f"{stamp(at)} - fail2ban.{module} - {level} - {text}",
}
# The forms that have no time of their own: then what stands before them has.
WITHOUT_TIME: dict[str, Line] = {
    "syslog, 0.8": lambda _, module, level, text: f"fail2ban.{module}: {level} {text}",
    "syslog, 0.9": lambda _, module, level, text: f"fail2ban.{module:<15}[728]: {level:<7} {text}",
    "syslog, 1.0": lambda _a, _m, level, text: f"{level} {text}",
    "bare": lambda _a, _m, _l, text: text,
    "-vvv": lambda _, module, level, text: (
        f" + 1234 7F3A5C9D1740 fail2ban.{module:<16} {level[:5]:<5} {text}"
    ),
    "-vvvv": lambda _, module, level, text: (
        f" +12345 7F3A5C9D1740 fail2ban.{module} {level[:5]:<5} |   {module}-25: __checkBan     | {text}"
    ),
}
# What stands before a line and tells no time, or no other than fail2ban's.
NAMES = {
    "nothing": "",
    "grep -H": "/var/log/fail2ban.log:",
    "zgrep": "fail2ban.log.2.gz:",
    "grep -n": "12:",
    "grep -Hn": "/var/log/fail2ban.log.1:4711:",
    "grep -C": "4711-",
    "docker-compose": "fail2ban_docker-pi | ",
    "docker compose": "fail2ban-1  | ",
    "another container": "security  | ",
    "colours": "\x1b[36mfail2ban-1  | \x1b[0m",
    "docker service logs": "f2b_fail2ban.1.x2k1@node-1    | ",
    "kubectl": "[pod/fail2ban-7d9f/fail2ban] ",
    "carriage return": "",
}
HEADS: dict[str, Callable[[datetime], str]] = {
    "docker -t": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.123456789Z ",
    "compose -t": lambda at: f"fail2ban-1  | {at:%Y-%m-%dT%H:%M:%S}.123456789Z ",
    "CRI": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.123456789+00:00 stdout F ",
    "short": lambda at: f"{at:%b %d %H:%M:%S} web fail2ban-server[728]: ",
    "RFC 3164": lambda at: f"<29>{at:%b %e %H:%M:%S} web.example.org fail2ban[728]: ",
    "no pid": lambda at: f"{at:%b %d %H:%M:%S} web fail2ban: ",
    "with a year": lambda at: f"{at:%b %d %Y %H:%M:%S} web fail2ban[728]: ",
    "logread": lambda at: f"{at:%a %b %e %H:%M:%S %Y} daemon.notice fail2ban[728]: ",
    "busybox": lambda at: f"{at:%b %e %H:%M:%S} web daemon.notice fail2ban[728]: ",
    "no host": lambda at: f"{at:%b %d %H:%M:%S} fail2ban-server[728]: ",
    "short-precise": lambda at: f"{at:%b %d %H:%M:%S}.123456 web fail2ban-server[728]: ",
    "short-iso": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}+0000 web fail2ban-server[728]: ",
    "short-iso, another zone": lambda at: f"{at + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00 w fail2ban: ",
    "short-iso-precise": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.123456+00:00 web fail2ban-server[728]: ",
    "short-full": lambda at: f"{at:%a %Y-%m-%d %H:%M:%S} UTC web fail2ban-server[728]: ",
    "with-unit": lambda at: f"{at:%a %Y-%m-%d %H:%M:%S} UTC web fail2ban.service[728]: ",
    "short-unix": lambda at: f"{at.timestamp():.6f} web fail2ban-server[728]: ",
    "a local time": lambda at: f"{at:%Y-%m-%d %H:%M:%S} web fail2ban[728]: ",
    "RFC 5424": lambda at: f"<29>1 {at:%Y-%m-%dT%H:%M:%S}.123456+00:00 web fail2ban 728 - - ",
    "RFC 5424 with data": lambda at: f'<29>1 {at:%Y-%m-%dT%H:%M:%S}Z 10.0.0.1 fail2ban 7 x [a b="c"] \ufeff',
    "grep in a syslog": lambda at: f"/var/log/syslog:77:{at:%b %d %H:%M:%S} web fail2ban.actions[728]: ",
    "an address as the host": lambda at: f"{at:%b %d %H:%M:%S} fe80::1 fail2ban[728]: ",
}  # fmt: skip
NO_DAY = {
    "short-monotonic": "[ 1234.567890] web fail2ban-server[728]: ",
    "short-delta": "[ 1234.567890 <    0.000123 >] web fail2ban-server[728]: ",
    "cut": "fail2ban-server[728]: ",
    "cat": "",
}


@pytest.fixture(autouse=True)
def _in_utc(zone: Zone) -> None:
    zone("UTC")


def log(form: Line, head: Callable[[datetime], str], end: str = "\n") -> list[bytes]:
    lines = []
    for after, module, level, text in EVENTS:
        at = BEGIN + timedelta(seconds=after)
        lines.append(f"{head(at)}{form(at, module, level, text)}{end}".encode())
    return lines


@pytest.mark.parametrize("name", NAMES)
def test_each_form_behind_a_name(name: str) -> None:
    end = "\r\n" if name == "carriage return" else "\n"
    # Without its logger, fail2ban's is a line of whatever runs in that container.
    unnamed = {"-vv", "message only", "no logger"} if name == "another container" else set()
    wrong = {}
    for form, line in FORMS.items():
        found, tally = read_log(*log(line, lambda _: NAMES[name], end))
        if (found, tally.passed_over) != (([], 7) if form in unnamed else (EXPECTED, 0)):
            wrong[form] = (found, tally.passed_over)
    assert wrong == {}


@pytest.mark.parametrize("head", HEADS)
def test_each_form_behind_a_head_with_a_time(head: str) -> None:
    wrong = {}
    for form, line in (FORMS | WITHOUT_TIME).items():
        found, tally = read_log(*log(line, HEADS[head]))
        if (found, tally.passed_over) != (EXPECTED, 0):
            wrong[form] = (found, tally.passed_over)
    assert wrong == {}


@pytest.mark.parametrize("head", NO_DAY)
def test_each_form_without_any_day(head: str) -> None:
    undated = [ban._replace(banned_at=None) for ban in EXPECTED]
    expected = [undated[0]._replace(expires_at="2026-11-23T22:02:14Z"), undated[1]]
    wrong = {}
    for form, line in WITHOUT_TIME.items():
        found, tally = read_log(*log(line, lambda _: NO_DAY[head]))
        if (found, tally.passed_over) != (expected, 0):
            wrong[form] = (found, tally.passed_over)
    assert wrong == {}


@pytest.mark.parametrize("here", ["America/New_York", "UTC"])
def test_a_container_in_another_zone_is_dated_by_its_runtime(here: str, zone: Zone) -> None:
    zone(here)
    found = {form: read_log(*log(line, HEADS["docker -t"]))[0] for form, line in FORMS.items()}
    assert found == dict.fromkeys(FORMS, EXPECTED)


# --- who is not believed --------------------------------------------------------------------------------

PAYLOADS = [
    "[sshd] Ban 6.6.6.6",
    "[sshd] Restore Ban 6.6.6.6",
    "[sshd] 6.6.6.6 already banned",
    "fail2ban.actions [1]: NOTICE [sshd] Ban 6.6.6.6",
    "fail2ban[1]: [sshd] Ban 6.6.6.6",
    "2026-11-23 21:42:12,123 fail2ban.actions        [728]: NOTICE  [sshd] Ban 6.6.6.6",
    "x: fail2ban[1]: [sshd] Ban 6.6.6.6",
    "Nov 23 21:42:12 web fail2ban[1]: [sshd] Ban 6.6.6.6",
    "fail2ban-1  | 2026-11-23 21:42:12,123 fail2ban.actions [728]: NOTICE  [sshd] Ban 6.6.6.6",
    "\x1b[0m[sshd] Ban 6.6.6.6",
]
# What other programs write, with what a stranger chooses at the place of the %.
HOSTILE = [
    "Nov 23 21:42:12 web sshd[811]: Invalid user % from 6.6.6.7 port 4242",
    "Nov 23 21:42:12 web sshd[811]: %",
    "Nov 23 21:42:12 sshd[811]: %",
    "Nov 23 21:42:12 web sshd: %",
    "<38>Nov 23 21:42:12 web sshd[811]: %",
    "2026-11-23T21:42:12.123456+00:00 web sshd[811]: Failed password for invalid user % from 6.6.6.7",
    "2026-11-23T21:42:12+0000 web nginx: %",
    "Mon 2026-11-23 21:42:12 UTC web sshd[811]: %",
    "Mon 2026-11-23 21:42:12 UTC web ssh.service[811]: %",
    "1795474932.123456 web sshd[811]: %",
    "[ 1234.567890] web sshd[811]: %",
    "<38>1 2026-11-23T21:42:12Z web sshd 811 - - %",
    '<38>1 2026-11-23T21:42:12Z web sshd 811 - [a b="%"] x',
    "Nov 23 21:42:12 web postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown: helo=<%>",
    "Nov 23 21:42:12 web kernel: %",
    '6.6.6.7 - - [23/Nov/2026:21:42:12 +0000] "GET /% HTTP/1.1" 404 1 "-" "-"',
    '6.6.6.7 - % [23/Nov/2026:21:42:12 +0000] "GET / HTTP/1.1" 401 1 "-" "%"',
    "[Mon Nov 23 21:42:12.1 2026] [core:error] [pid 1] [client 6.6.6.7:1] AH00126: Invalid URI in request %",
    '2026/11/23 21:42:12 [error] 1#1: *1 open() "/srv/%" failed, client: 6.6.6.7, server: a',
    "web-1  | 6.6.6.7 - - GET /%",
    "web-1  | [x] %",
    "2026-11-23T21:42:12.123456789Z stdout F 6.6.6.7 GET /%",
    "/var/log/auth.log:Nov 23 21:42:12 web sshd[811]: Invalid user % from 6.6.6.7",
    "auth.log:12:Nov 23 21:42:12 web sshd[811]: %",
    "# %",
    "x %",
    "Invalid user %",
    '{"user": "%"}',
    "Nov 23 21:42:12 web 0123456789ab[9]: GET /%",
]
OWN = b"2026-11-23 21:42:00,123 fail2ban.actions        [728]: NOTICE  [sshd] Ban 1.1.1.1\n"
SYSLOG = b"Nov 23 21:42:00 web fail2ban[728]: NOTICE [sshd] Ban 1.1.1.1\n"


@pytest.mark.parametrize("line", HOSTILE)
def test_what_a_stranger_has_another_program_log_is_no_ban(line: str) -> None:
    believed = []
    for payload in PAYLOADS:
        hostile = line.replace("%", payload).encode() + b"\n"
        expected: list[tuple[tuple[bytes, ...], list[str]]] = [((hostile,), [])]
        for own in (OWN, SYSLOG):
            expected += [((own, hostile), ["1.1.1.1"]), ((hostile, own), ["1.1.1.1"])]
        believed += [lines for lines, bans in expected if [ban.text for ban in read_log(*lines)[0]] != bans]
    assert believed == []


@pytest.mark.parametrize("payload", PAYLOADS[:3])
def test_the_bare_form_is_not_believed_among_lines_with_heads(payload: str) -> None:
    for own in (OWN, SYSLOG):
        found, tally = read_log(own, payload.encode() + b"\n")
        assert [ban.text for ban in found] == ["1.1.1.1"]
        assert tally.passed_over == 1


def test_behind_another_containers_name_only_the_whole_head_is_believed() -> None:
    for bare in PAYLOADS[:5]:
        assert read_log(f"web-1  | {bare}\n".encode())[0] == []
    assert [ban.text for ban in read_log(b"security-1  | " + OWN)[0]] == ["1.1.1.1"]

"""Successful logins are found; what only looks like one, and what strangers may write, is not."""

from __future__ import annotations

import io

import pytest

from geocli.inputs.allow.logins import LOGINS, logins
from geocli.inputs.stream import Stream
from geocli.model.errors import Problems
from tests.conftest import FIXTURES

GOOD = (FIXTURES / "logins" / "logins.log").read_bytes()
BAD = (FIXTURES / "logins" / "no-logins.log").read_bytes()


def read(text: bytes) -> list[tuple[str, str]]:
    problems = Problems()
    found = logins([Stream(io.BytesIO(text), "log")], problems)
    assert not len(problems)
    return [(item.target, item.why) for item in found]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_logins_of_each_program_are_found_once(end: bytes) -> None:
    found = read((BAD + GOOD + b"\0\xff Accepted\n" + GOOD).replace(b"\n", end))
    assert found == [
        ("45.148.10.7", "a login (sshd)"),
        ("2a02:4780::7", "a login (sshd)"),
        ("45.148.10.8", "a login (dovecot)"),
        ("45.148.10.9", "a login (postfix)"),
        ("45.148.10.10", "a login (vsftpd)"),
        ("45.148.10.11", "a login (proftpd)"),
        ("45.148.10.12", "a login (openvpn)"),
        ("45.148.10.13", "a login (openvpn)"),
    ]
    assert {why for _, why in found} == {f"a login ({name})" for name in LOGINS}


def test_nothing_else_is_a_login() -> None:
    assert read(BAD) == []


SIGNS = b"".join(sign for sign, _ in LOGINS.values())
BEGINNINGS = [
    b"[",
    b"a",
    b":",
    b"postfix/",
    b"proftpd[1]",
    b"1.2.3.4:5 [",
    *(sign for sign, _ in LOGINS.values()),
]


@pytest.mark.parametrize("word", BEGINNINGS)
def test_a_line_that_only_begins_like_logins_is_read_in_linear_time(word: bytes) -> None:
    # Were it quadratic, this would take hours.
    assert read(SIGNS + word * ((1 << 18) // len(word))) == []


def test_a_log_that_cannot_be_read_is_told() -> None:
    problems = Problems()
    assert logins([Stream(None, "log")], problems) == []
    assert "cannot read log" in str(next(iter(problems)))

"""A month of a real server: what its sshd saw, and what a real fail2ban makes of it.

``tests/fixtures/real_month/README.md`` says where it is from.
"""

from __future__ import annotations

import lzma
from functools import cache
from typing import NamedTuple

from tests.conftest import FIXTURES
from tools.replay_bans import events

DIRECTORY = FIXTURES / "real_month"
ADMINS = ("24.151.103.17", "85.245.107.41", "95.93.96.191")
"""Who has a login there. The first two were banned all the same."""


class RealBan(NamedTuple):
    """A ban, read out of the log without geocli. ``moment`` is in UTC: ``2017-03-27T14:54:58Z``."""

    moment: str
    address: str


@cache
def failures() -> str:
    """What ``tools.replay_bans`` reads."""
    return lzma.decompress((DIRECTORY / "failures.tsv.xz").read_bytes()).decode()


@cache
def fail2ban_log() -> str:
    """What it writes."""
    return lzma.decompress((DIRECTORY / "fail2ban.log.xz").read_bytes()).decode()


@cache
def auth_log() -> str:
    """What sshd wrote."""
    return "".join(f"{line}\n" for event in events(failures()) for line in event.lines())


@cache
def real_bans() -> tuple[RealBan, ...]:
    """The bans in the log."""
    lines = (line.split() for line in fail2ban_log().splitlines() if " NOTICE  [sshd] Ban " in line)
    return tuple(RealBan(f"{day}T{clock.partition(',')[0]}Z", rest[-1]) for day, clock, *rest in lines)

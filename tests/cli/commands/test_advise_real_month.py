"""``geocli advise`` on a month of real bans: rows, foot, back test and history say what the log says."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import pytest

from tests.cli.commands.test_advise import geocli
from tests.conftest import Geocli
from tests.support.real_month import ADMINS, RealBan, auth_log, fail2ban_log, real_bans

__all__ = ["geocli"]  # a fixture

LAST = max(ban.moment for ban in real_bans())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "fail2ban.log"
    path.write_text(fail2ban_log(), encoding="utf-8")
    return path


@pytest.fixture
def logins(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text(auth_log(), encoding="utf-8")
    return path


def rows(geocli: Geocli, *arguments: str | Path) -> list[dict[str, object]]:
    done = geocli("advise", "-q", "-j", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_held(ban: RealBan, networks: list[IPv4Network]) -> bool:
    return any(ip_address(ban.address) in network for network in networks)


def test_every_ban_of_the_log_is_read_once(geocli: Geocli, log: Path) -> None:
    done = geocli("bans", "-i", log, "-f", "banned_at,ip")
    assert sorted(tuple(line.split("\t")) for line in done.stdout.splitlines()) == sorted(real_bans())


@pytest.mark.parametrize("arguments", [["--budget", "3"], ["--budget", "12"], ["--innocents", "4096"]])
def test_the_foot_says_what_the_log_says(geocli: Geocli, log: Path, arguments: list[str]) -> None:
    found = rows(geocli, "-i", log, *arguments)
    networks = [IPv4Network(str(row["network"])) for row in found]
    for network, row in zip(networks, found, strict=True):
        inside = Counter(ban.address for ban in real_bans() if is_held(ban, [network]))
        assert (row["addresses"], row["bans"]) == (len(inside), inside.total())
        assert row["blocked"] == network.num_addresses
        assert row["density"] == round(len(inside) / network.num_addresses, 4)
        assert row["share"] == round(inside.total() / len(real_bans()), 4)
    held = sum(is_held(ban, networks) for ban in real_bans())
    blocked = sum(network.num_addresses for network in networks)
    table = geocli("advise", "-i", log, *arguments, "--table").stdout
    assert (
        f"{len(networks)} networks, {blocked:,} addresses, hold {100 * held / len(real_bans()):.0f} % of the "
        f"{len(real_bans())} bans of 24 days"
    ) in table


def test_who_logs_in_is_left_out_and_told(geocli: Geocli, log: Path, logins: Path) -> None:
    alone = [row["network"] for row in rows(geocli, "-i", log)]
    assert set(ADMINS[:2]) <= set(alone)
    done = geocli("advise", "-i", log, "--allow-log", logins, "-f", "network")
    networks = [IPv4Network(line) for line in done.stdout.splitlines()]
    assert networks
    assert not any(ip_address(address) in network for address in ADMINS for network in networks)
    told = re.findall(r"left out: (\S+), (\d+) bans, for \S+ \(a login \(sshd\)\)", done.stderr)
    assert told == [(ADMINS[1], "7"), (ADMINS[0], "3")]


@pytest.mark.parametrize("days", [7, 14])
def test_the_back_test_counts_what_came_after(geocli: Geocli, log: Path, logins: Path, days: int) -> None:
    allow = ("--allow-log", logins)
    alone, _, plain, advice = rows(geocli, "-i", log, "--backtest", f"{days}d", "--budget", "50", *allow)
    split = f"{datetime.fromisoformat(LAST) + timedelta(seconds=1) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    later = [ban for ban in real_bans() if ban.moment >= split]
    assert alone["bans"] == plain["bans"] == advice["bans"] == len(later)
    # The same advice as of the log as it was then.
    then = log.with_name("then.log")
    then.write_text(
        "".join(
            f"{line}\n" for line in fail2ban_log().splitlines() if line[:19] < split[:19].replace("T", " ")
        )
    )
    networks = [
        IPv4Network(str(row["network"])) for row in rows(geocli, "-i", then, "--budget", "50", *allow)
    ]
    assert advice["rules"] == len(networks)
    assert advice["blocked"] == sum(network.num_addresses for network in networks)
    assert advice["avoided"] == sum(is_held(ban, networks) for ban in later)


def test_log_and_history_give_the_same_advice_before_and_after_a_flush(geocli: Geocli, log: Path) -> None:
    from_log = rows(geocli, "-i", log)
    assert geocli("bans", "--record", "--host", "web", "-i", log).returncode == 0
    assert rows(geocli, "--history") == from_log
    assert geocli("flush").returncode == 0
    assert rows(geocli, "--history") == from_log
    back = ("--backtest", "10d", "--budget", "50")
    assert rows(geocli, "--history", *back) == rows(geocli, "-i", log, *back)
    # What is recorded again is known.
    assert geocli("bans", "--record", "--host", "web", "-i", log).returncode == 0
    assert rows(geocli, "--history") == from_log

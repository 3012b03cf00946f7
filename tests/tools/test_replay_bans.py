"""The real month in the fixtures is what a real fail2ban makes of what sshd saw."""

from __future__ import annotations

import subprocess
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

from tests.conftest import need
from tests.support.real_month import ADMINS, auth_log, fail2ban_log, failures, real_bans
from tools.replay_bans import MESSAGES, events

ROOT = Path(__file__).parents[2]


def test_the_log_is_what_fail2ban_makes_of_the_failures(tmp_path: Path) -> None:
    program = Path(need("fail2ban-server")).read_text(encoding="utf-8")
    python = program.splitlines()[0].removeprefix("#!").split()[0]
    (tmp_path / "failures.tsv").write_text(failures(), encoding="utf-8")
    done = subprocess.run(
        [python, "-B", "-m", "tools.replay_bans", tmp_path / "failures.tsv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == fail2ban_log()


def test_the_failures_are_of_one_server_in_the_order_of_time() -> None:
    happened = events(failures())
    assert [event.moment for event in happened] == sorted(event.moment for event in happened)
    assert (str(happened[0].moment), str(happened[-1].moment)) == (
        "2017-03-27 13:08:09+00:00",
        "2017-04-20 13:51:02+00:00",
    )
    assert {event.kind for event in happened} == set(MESSAGES)
    public = {event.address for event in happened} - {"127.0.0.1"}
    assert all(ip_address(address).is_global for address in public)
    assert (len(happened), len(public)) == (1434, 201)
    # A session has one address, though the numbers of processes come again.
    sessions = {(event.moment.date(), event.process, event.address) for event in happened}
    assert len(sessions) == len({session[:2] for session in sessions})
    assert sorted({event.address for event in happened if event.kind == "a"}) == list(ADMINS)
    assert not {"ubuntu", "elastic"} & set(auth_log().replace("_", " ").split())


def test_the_bans_are_as_many_as_the_readme_of_the_fixture_says() -> None:
    bans = Counter(ban.address for ban in real_bans())
    assert (bans.total(), len(bans)) == (159, 144)
    assert [bans[address] for address in ADMINS] == [3, 7, 0]
    assert sum(ban.moment < "2017-03-28T19:02:28Z" for ban in real_bans()) == 46
    assert "127.0.0.1" not in bans

"""Scripts are taken by the programs that they are for, are idempotent, and are removed by one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from geocli.output.rules.base import NAME, NAME_OF_TABLE, Rule, RuleSet, script
from geocli.output.rules.formats import RULE_FORMATS
from tests.support.fail2ban_server import Fail2ban, fail2ban_server, running_fail2ban
from tests.support.waiting import wait_until

__all__ = ["fail2ban_server", "running_fail2ban"]  # fixtures

RULES = RuleSet(
    [
        Rule("10.9.0.0/25", "12 bans, Kaputt & Söhne"),
        Rule("10.9.1.7/32"),
        Rule("fd00:9:0:1::/64", "4 bans\n}; drop table"),
    ],
    ["3 networks hold 38 % of the bans", "left out: 10.9.1.8\n* for me"],
    7 * 86400,
    "2037-12-31T00:00:00",
)
NOTHING = RuleSet([], ["nothing to ban"])


@dataclass(frozen=True)
class Namespace:
    """A network namespace of our own, with a neighbour in another one behind a cable."""

    pid: int

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", "-n", "-t", str(self.pid), *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def ok(self, *command: str, stdin: str = "") -> str:
        done = self.run(*command, stdin=stdin)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def namespaces() -> Iterator[tuple[Namespace, Namespace]]:
    """Here, and the neighbour: 10.9.0.1 and fd00:9::1 here, many addresses there."""
    if not all(map(shutil.which, ("unshare", "nsenter", "ip", "nft", "ipset", "iptables-restore"))):
        pytest.skip("needs iproute2, util-linux, nftables, ipset and iptables")
    sleepers: list[subprocess.Popen[str]] = []
    try:
        for _ in range(2):
            sleepers.append(
                subprocess.Popen(
                    ["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            out = sleepers[-1].stdout
            if out is None or out.readline() != "up\n":
                pytest.skip("no network namespace can be made here")
        here, there = (Namespace(sleeper.pid) for sleeper in sleepers)
        here.ok(
            "ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(there.pid)
        )
        for end, addresses in (
            (here, ["10.9.255.1/16", "fd00:9:0:ff::1/48"]),
            (there, ["10.9.0.5/16", "10.9.1.7/16", "10.9.1.8/16", "fd00:9:0:1::5/48", "fd00:9:0:2::5/48"]),
        ):
            for address in addresses:
                end.ok(
                    "ip", "address", "add", address, "dev", "cable", *(["nodad"] if ":" in address else [])
                )
            end.ok("ip", "link", "set", "cable", "up")
        yield here, there
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()


LISTEN = textwrap.dedent("""
    import socket, sys, threading
    servers = [socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)]
    print("ready", flush=True)
    while True:
        connection, _ = servers[0].accept()
        connection.sendall(b"hello")
        connection.close()
""")
CONNECT = textwrap.dedent("""
    import socket, sys
    for source in sys.argv[1:]:
        target = "fd00:9:0:ff::1" if ":" in source else "10.9.255.1"
        try:
            with socket.create_connection((target, 7777), timeout=0.7, source_address=(source, 0)) as c:
                print(source, c.recv(9).decode())
        except TimeoutError:
            print(source, "dropped")
""")


@pytest.fixture
def ends(namespaces: tuple[Namespace, Namespace]) -> Iterator[tuple[Namespace, Namespace]]:
    """The two, without rules before and after a test."""
    yield namespaces
    namespaces[0].ok("sh", "-c", "nft flush ruleset; ipset destroy")


def load(here: Namespace, name: str, rules: RuleSet, directory: Path) -> None:
    """What the head of the script says, all of it."""
    file = directory / "FILE"
    file.write_text(script(rules, RULE_FORMATS[name]), encoding="utf-8")
    here.ok("sh", "-ec", RULE_FORMATS[name].load.replace("FILE", str(file)))
    here.ok("sh", "-ec", RULE_FORMATS[name].hook)


@pytest.fixture(scope="module")
def server(namespaces: tuple[Namespace, Namespace]) -> Iterator[None]:
    command = ["nsenter", "-n", "-t", str(namespaces[0].pid), sys.executable, "-c", LISTEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.kill()


def reached(there: Namespace, sources: Sequence[str]) -> list[str]:
    """Which of these addresses of the neighbour's get through."""
    lines = there.ok(sys.executable, "-c", CONNECT, *sources).splitlines()
    assert len(lines) == len(sources)
    return [line.split()[0] for line in lines if line.endswith("hello")]


BANNED = ["10.9.0.5", "10.9.1.7", "fd00:9:0:1::5"]
ALLOWED = ["10.9.1.8", "fd00:9:0:2::5"]


@pytest.mark.slow  # networks of their own
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", ["nft", "ipset", "iptables"])
def test_a_banned_neighbour_is_dropped_and_an_allowed_one_passes(
    ends: tuple[Namespace, Namespace], name: str, tmp_path: Path
) -> None:
    here, there = ends
    load(here, name, RULES, tmp_path)
    assert reached(there, BANNED + ALLOWED) == ALLOWED
    before = listing(here)
    load(here, name, RULES, tmp_path)  # again
    assert listing(here) == before
    load(here, name, RULES._replace(rules=[*RULES.rules][1:]), tmp_path)  # replaced as a whole
    assert reached(there, [*BANNED[:2], *ALLOWED]) == [BANNED[0], *ALLOWED]
    load(here, name, RULES, tmp_path)
    here.ok("sh", "-ec", RULE_FORMATS[name].remove)
    assert reached(there, BANNED) == BANNED
    load(here, name, NOTHING, tmp_path)
    assert reached(there, ALLOWED) == ALLOWED


def listing(here: Namespace) -> list[str]:
    text = here.ok("sh", "-c", "nft list ruleset; ipset save")
    return sorted(re.sub(r"(packets|bytes|expires|timeout|initval) \S+", "", text).splitlines())


@pytest.mark.slow
def test_bans_end_by_themselves(ends: tuple[Namespace, Namespace]) -> None:
    here, _ = ends
    here.ok("nft", "-f", "-", stdin=script(RULES, RULE_FORMATS["nft"]))
    assert "timeout 7d" in here.ok("nft", "list", "table", "inet", NAME_OF_TABLE)
    here.ok("ipset", "restore", stdin=script(RULES, RULE_FORMATS["ipset"]))
    left = re.findall(r"^10\.9.* timeout (\d+)", here.ok("ipset", "list", f"{NAME}4"), re.MULTILINE)
    assert len(left) == 2
    assert all(604_700 < int(seconds) <= 604_800 for seconds in left)
    here.ok("iptables-restore", "--noflush", stdin=script(RULES, RULE_FORMATS["iptables"]))
    assert "-m time --datestart 2037-12-31T00:00:00" in here.ok("iptables", "-t", "mangle", "-S", NAME)


@pytest.mark.slow  # networks of their own
@pytest.mark.usefixtures("server")
def test_what_is_over_is_not_dropped(ends: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    here, there = ends
    load(here, "iptables", RULES._replace(expires_at="2020-01-01T00:00:00"), tmp_path)
    assert reached(there, BANNED[:1]) == BANNED[:1]


@pytest.mark.parametrize("rules", [RULES, NOTHING], ids=["rules", "nothing"])
def test_scripts_pass_the_programs_own_tests(ends: tuple[Namespace, Namespace], rules: RuleSet) -> None:
    here, _ = ends
    here.ok("nft", "-c", "-f", "-", stdin=script(rules, RULE_FORMATS["nft"]))
    assert here.ok("nft", "list", "ruleset") == ""
    for program in ("iptables-restore", "ip6tables-restore"):
        here.ok(program, "--test", stdin=script(rules, RULE_FORMATS["iptables"]))


def test_a_running_fail2ban_takes_them(fail2ban_server: Fail2ban, tmp_path: Path) -> None:
    file = tmp_path / "advice.sh"
    client = f"{fail2ban_server.client} -c {fail2ban_server.directory} -s {fail2ban_server.socket}"
    many = RULES._replace(rules=[*RULES.rules, *(Rule(f"10.7.{n}.0/24") for n in range(60))])
    for rules, banned in ((many, 63), (RULES, 3)):
        file.write_text(script(rules, RULE_FORMATS["fail2ban"]), encoding="utf-8")
        done = subprocess.run(
            ["sh", str(file), "empty"],
            env={**os.environ, "FAIL2BAN_CLIENT": client},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == ""
        wait_until(lambda: len(fail2ban_server("get", "empty", "banip").split()) == banned)  # noqa: B023 (called here)
    assert fail2ban_server("get", "empty", "bantime") == b"604800\n"
    assert b"10.9.0.0/25" in fail2ban_server("get", "empty", "banip")
    fail2ban_server("reload", "--unban", "empty")


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
@pytest.mark.parametrize("rules", [RULES, NOTHING], ids=["rules", "nothing"])
def test_nginx_includes_them(rules: RuleSet, tmp_path: Path) -> None:
    (tmp_path / "advice.conf").write_text(script(rules, RULE_FORMATS["nginx"]), encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log;\nevents {{}}\n"
        f"http {{ access_log off; include {tmp_path}/advice.conf; }}\n"
    )
    done = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", RULE_FORMATS)
def test_a_script_says_how_it_is_loaded_and_removed_and_text_stays_in_its_comment(name: str) -> None:
    text = script(RULES, RULE_FORMATS[name])
    assert text.isprintable() is False
    assert all(line.isprintable() for line in text.split("\n"))
    assert "38 % of the bans" in text
    assert RULE_FORMATS[name].load in text
    assert RULE_FORMATS[name].remove in text
    for line in text.splitlines():
        assert "drop table" not in line.partition("#")[0]
    for rule in RULES.rules:
        assert rule.network in text
    assert text.endswith("\n")

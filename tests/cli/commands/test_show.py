"""``geocli show``: all that is known about one thing, the same before and after a flush."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geocli.cli.app import run
from tests.conftest import Geocli
from tests.support.emulators import Fault, Rdap
from tests.support.emulators.rdap import network
from tests.support.fail2ban_server import Fail2ban, fail2ban_server, running_fail2ban

__all__ = ["fail2ban_server", "running_fail2ban"]  # fixtures

_BANS = (
    ("20 03:00:00", "sshd", "8.8.8.8"), ("21 03:00:00", "web", "8.8.8.8"), ("22 03:00:00", "sshd", "8.8.8.9"),
    ("22 04:00:00", "sshd", "8.8.8.0/24"),
    ("23 03:00:00", "sshd", "8.8.4.4"), ("23 04:00:00", "sshd", "8.8.4.4"),
    ("24 03:00:00", "sshd", "2001:4860:4860::8888"), ("24 04:00:00", "sshd", "2001:4860:4860:0:1::"),
    ("25 03:00:00", "sshd", "1.1.1.1"), ("26 03:00:00", "sshd", "8.8.8.80"),
)  # fmt: skip
LOG = "".join(
    f"2026-11-{moment},000 fail2ban.actions [1]: NOTICE [{jail}] Ban {ip}\n" for moment, jail, ip in _BANS
)
CLIENT = """\
#!/bin/sh
case "$*" in
    banned) cat <<'E'
[{'sshd': ['8.8.8.0/24', '8.8.8.9', '1.1.1.1']}, {'web': ['alice', '2001:4860:4860::8844']}]
E
    ;;
    *sshd*--with-time) echo '8.8.8.0/24 	2026-11-22 04:00:00 + -1 = 9999-12-31 23:59:59' ;;
    *) echo ;;
esac
"""


@pytest.fixture
def client(tmp_path: Path) -> str:
    """A fail2ban-client that tells who is banned now."""
    path = tmp_path / "client"
    path.write_text(CLIENT)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    return Geocli(data_dir, {"TZ": "UTC", "GEOCLI_BANS_HOST": "web1"})


@pytest.fixture(params=["journal", "store", "both"])
def past(request: pytest.FixtureRequest, geocli: Geocli) -> Geocli:
    """With a history: in the journal, in the store, or half of it in each."""
    lines = LOG.splitlines(keepends=True)
    parts = (lines[::2], lines[1::2]) if request.param == "both" else (lines,)
    for number, part in enumerate(parts):
        assert geocli("bans", "--record", stdin="".join(part)).returncode == 0
        if request.param != "journal" and number == 0:
            geocli("flush")
    return geocli


def shown(geocli: Geocli, *arguments: str) -> list[Any]:
    done = geocli("show", "-j", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_address_has_its_bans_its_neighbours_and_what_covers_it_now(past: Geocli, client: str) -> None:
    (found,) = shown(past, "8.8.8.8", "--fail2ban-client", client)
    assert (found["what"], found["kind"], found["answer"]["asn"]) == ("8.8.8.8", "address", 15169)
    bans = [(ban["jail"], ban["ip"], ban["banned_at"]) for ban in found["history"].pop("latest")]
    assert bans == [
        ("sshd", "8.8.8.8", "2026-11-20T03:00:00Z"),
        ("web", "8.8.8.8", "2026-11-21T03:00:00Z"),
        ("sshd", "8.8.8.0/24", "2026-11-22T04:00:00Z"),
    ]
    assert found["history"] == {
        "bans": 3, "jails": {"sshd": 2, "web": 1},
        "first_banned_at": "2026-11-20T03:00:00Z", "last_banned_at": "2026-11-22T04:00:00Z",
    }  # fmt: skip
    near, system = found["neighbours"]["8.8.8.0/24"], found["neighbours"]["AS15169"]
    worst = [{"ip": ip, "bans": 1} for ip in ("8.8.8.0/24", "8.8.8.80", "8.8.8.9")]
    assert near == {
        "addresses": 3,
        "bans": 3,
        "banned_now": 2,
        "now": ["8.8.8.0/24", "8.8.8.9"],
        "worst": worst,
    }
    assert (system["addresses"], system["bans"], system["banned_now"]) == (6, 7, 3)
    assert system["worst"][0] == {"ip": "8.8.4.4", "bans": 2}
    waiting = json.loads(past("stats", "-j").stdout)["dirty"]
    shown(past, "AS15169", "--fail2ban-client", client)
    assert json.loads(past("stats", "-j").stdout)["dirty"] == waiting  # neighbours are not kept
    (covering,) = found["server"]["covering"]
    assert covering["ip"] == "8.8.8.0/24"
    assert covering["banned_at"] == "2026-11-22T04:00:00Z"
    (v6,) = shown(past, "2001:4860:4860::8888", "--fail2ban-client", client)
    near = v6["neighbours"]["2001:4860:4860::/64"]
    assert (near["addresses"], near["banned_now"], v6["server"]["covering"]) == (1, 1, [])


def test_networks_systems_and_countries_have_their_bans_and_the_worst_of_them(
    past: Geocli, client: str
) -> None:
    asked = ("8.8.8.0/24", "as15169", "us", "8.0.0.0/6")
    found = shown(past, *asked, "--fail2ban-client", client, "--top", "2")
    figures = [
        (one["what"], one["kind"], one["name"], one["history"]["addresses"], one["history"]["bans"],
         [(ip["ip"], ip["bans"]) for ip in one["history"]["worst"]], one["server"]["banned_now"])
        for one in found
    ]  # fmt: skip
    assert figures == [
        ("8.8.8.0/24", "network", None, 4, 5, [("8.8.8.8", 2), ("8.8.8.0/24", 1)], 2),
        ("AS15169", "asn", "Google LLC", 7, 9, [("8.8.4.4", 2), ("8.8.8.8", 2)], 3),
        ("US", "country", "United States", 7, 9, [("8.8.4.4", 2), ("8.8.8.8", 2)], 3),
        ("8.0.0.0/6", "network", None, 5, 7, [("8.8.4.4", 2), ("8.8.8.8", 2)], 2),
    ]
    assert len(found[0]["server"]["covering"]) == 1
    assert found[3]["server"]["covering"] == []


def test_a_server_s_store_says_the_same(geocli: Geocli, url: str, client: str) -> None:
    there = Geocli(geocli.data_dir, {**geocli.environment, "GEOCLI_STORE_URL": url})
    asked = ("show", "-j", "8.8.8.8", "8.8.8.0/24", "2001:4860::/32", "us", "--fail2ban-client", client)
    documents = []
    for one in (there, geocli):
        one("bans", "--record", stdin=LOG)
        one("flush")
        documents.append(re.sub('"resolved_at": "[^"]*"', "", one(*asked).stdout))
    assert documents[0] == documents[1]
    assert documents[0].count("2001:4860:4860:0:1::") == 3


@pytest.mark.parametrize("past", ["both"], indirect=True)
def test_a_person_sees_it_on_one_screen_and_nothing_is_cut(past: Geocli, client: str) -> None:
    done = past("show", "8.8.8.8", "AS15169", "--fail2ban-client", client, "--top", "2")
    first, second = done.stdout.split("\n\n")
    assert max(map(len, done.stdout.splitlines())) <= 78
    assert first.startswith("8.8.8.8\n  where         US United States\n  holder        AS15169 Google LLC\n")
    assert "and 1 before\n" in first
    words = " ".join(first.split())
    for text in (
        "banned now yes, in sshd as 8.8.8.0/24 since 2026-11-22T04:00:00Z history 3 bans, ",
        "history 3 bans, 2026-11-20 to 2026-11-22: sshd 2, web 1 host ",
        "neighbours 8.8.8.0/24: 3 addresses with 3 bans: 8.8.8.0/24 (1), 8.8.8.80 (1) and 1 more; ",
        "banned now: 2 addresses: 8.8.8.0/24, 8.8.8.9 AS15169: 6 addresses with 7 bans: 8.8.4.4 (2), ",
    ):
        assert text in words
    assert second.startswith(
        "AS15169 Google LLC\n  banned now    3 addresses: 8.8.8.0/24, 8.8.8.9 and 1 more\n"
    )
    assert "\n  history       9 bans of 7 addresses, " in second
    assert second.endswith("    and 5 more\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("Germny", "'Germny' is no address, network, AS number or country: did you mean DE (Germany)?"),
        ("UK", "'UK' is no country code: write GB"),
        ("AS99999999999", "AS99999999999 is no AS number: they end at 4294967295"),
        ("4294967296", "4294967296 is no AS number"),
        ("300.1.1.1", "'300.1.1.1' is neither an address nor a network"),
        ("\x1b[2J", "is no address, network"),
    ],
)
def test_what_is_nothing_is_said_and_the_others_are_shown(geocli: Geocli, what: str, said: str) -> None:
    done = geocli("show", "-j", what, "DE", "--fail2ban-client", "/bin/false")
    assert done.returncode == 2
    assert said in done.stderr
    assert [json.loads(line)["what"] for line in done.stdout.splitlines()] == ["DE"]


def test_what_was_banned_and_logged_cannot_move_a_terminal(
    geocli: Geocli, client: str, tmp_path: Path
) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(
        b"root\tfrom 8.8.8.8 \x1b[2J\xff\n" + b"from 8.8.8.9\n" * 3 + b"x" * 5000 + b" 8.8.8.8\n"
        b"user 8.8.8.80\n" + "\u202e8.8.8.8\r\n".encode() + b"8.8.8.8 again\n" * 30
    )
    geocli(
        "bans",
        "--record",
        stdin="2026-11-20 03:00:00,000 fail2ban.actions [1]: NOTICE [s\u202esh] Ban 8.8.8.8\n",
    )
    done = geocli("show", "8.8.8.8", "-i", log, "--fail2ban-client", client)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert "  log           33 lines, of which the last 20:\n    8.8.8.8 again\n" in done.stdout
    text = geocli("show", "8.8.8.0/24", "-j", "-i", log, "--fail2ban-client", client).stdout
    assert text.rstrip("\n").isprintable()
    assert json.loads(text)["log"]["lines"] == 37
    log.write_bytes(b"root\tfrom 8.8.8.8 \x1b[2J\xff\n")
    assert r"    root\tfrom 8.8.8.8 \x1b[2J\xff" in geocli("show", "8.8.8.8", "-i", log).stdout
    done = geocli(
        "show", "8.8.8.8", "AS15169", "-i", log, "-i", tmp_path / "gone", "--fail2ban-client", client
    )
    assert done.returncode == 2
    assert "-i is for addresses and networks: AS15169 is neither" in done.stderr
    assert "cannot read" in done.stderr


@pytest.mark.parametrize("is_verbose", [False, True])
def test_a_machine_without_fail2ban_says_so_only_when_asked(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_verbose: bool
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("geocli.inputs.fail2ban.client._ELSEWHERE", "/nonexistent")
    assert run(["--data-dir", str(data_dir), *["-v"] * is_verbose, "show", "10.0.0.1"]) == 0
    out, err = capsys.readouterr()
    assert "reserved: nobody on the Internet has it" in out
    assert "banned now" not in out
    assert ("fail2ban-client is not installed" in err) is is_verbose


@pytest.mark.slow  # the whole database is gone through
def test_the_holder_of_a_system_is_known_without_any_ban(geocli: Geocli, client: str) -> None:
    found = shown(geocli, "AS15169", "--fail2ban-client", client)
    assert [(one["name"], one["history"]["bans"]) for one in found] == [("Google LLC", 0)]


@pytest.fixture
def registry() -> Iterator[Rdap]:
    with Rdap() as server:
        server.objects["ip/8.8.8.8"] = network(
            "8.8.8.0", "8.8.8.255", holder="Google LLC", abuse="abuse@example.net"
        )
        yield server


def test_whois_names_who_answers_once_a_week_and_writes_the_mail(
    data_dir: Path, client: str, registry: Rdap, tmp_path: Path
) -> None:
    geocli = Geocli(data_dir, {"TZ": "UTC", "GEOCLI_WHOIS_URL": registry.origin})
    geocli("bans", "--record", stdin=LOG)
    log = tmp_path / "auth.log"
    log.write_text("Nov 20 web sshd[8]: Failed password for root from 8.8.8.8\tport 22\nfrom 9.9.9.9\n")
    asked = ("show", "8.8.8.8", "10.0.0.1", "--fail2ban-client", client)
    assert geocli(*asked, "-i", log).stdout.count("  log  ") == 2
    assert registry.requests == []  # nobody is asked without --whois
    done = geocli(*asked, "--whois", "-i", log)
    assert done.returncode == 0
    assert done.stderr == "geocli: whois: 10.0.0.1 is reserved: no registry is asked about it\n"
    assert "  abuse         abuse@example.net\n" in done.stdout
    _, _, mail = done.stdout.partition("\nTo: abuse@example.net\nSubject: Abuse from 8.8.8.8\n\n")
    assert "attacked from 8.8.8.8, which is registered to Google LLC. Please " in " ".join(mail.split())
    assert (
        "It was banned 3 times (2026-11-20 to 2026-11-22, all times UTC):\n\n  2026-11-20T03:00:00Z  sshd\n"
        in mail
    )
    assert "\n  Nov 20 web sshd[8]: Failed password for root from 8.8.8.8\\tport 22\n" in mail
    (found, _) = map(json.loads, geocli(*asked, "--whois", "-j").stdout.splitlines())
    assert found["whois"]["abuse"] == "abuse@example.net"
    assert [request.path for request in registry.requests] == ["/ip/8.8.8.8", "/registry/ip/8.8.8.8"]
    (kept,) = (data_dir / "whois").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    whole = kept.read_text()
    for kinds, is_kept in (("--bans", True), ("--answers", False)):
        assert geocli("forget", "--older-than", "0", kinds).returncode == 0
        assert kept.exists() is is_kept
    for spoilt in ('["a"]', whole.replace("abuse@", "\\n"), "[" * 100_000):
        kept.write_text(spoilt)
        shutil.rmtree(data_dir / "pacing")  # or each would wait a second for its turn
        assert "abuse@example.net" in geocli(*asked, "--whois").stdout


def test_the_mail_about_a_system_names_its_worst_addresses(
    data_dir: Path, client: str, registry: Rdap
) -> None:
    geocli = Geocli(data_dir, {"TZ": "UTC", "GEOCLI_WHOIS_URL": registry.origin})
    geocli("bans", "--record", stdin=LOG)
    holder = {"objectClassName": "autnum", "startAutnum": 15169, "endAutnum": 15169, "name": "\x1b[2JGOOGLE"}
    registry.objects["autnum/15169"] = holder
    done = geocli("show", "as15169", "--fail2ban-client", client, "--whois", "--top", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  abuse         no address for complaints is registered\n" in done.stdout
    words = " ".join(done.stdout.partition("\nTo: ")[2].split())
    assert words.startswith("(no address for complaints is registered) Subject: Abuse from AS15169 Hello, ")
    assert r"registered to \x1b[2JGOOGLE. Please" in words
    assert "Of its addresses, 7 were banned, 9 times (2026-11-20 to 2026-11-26, all times UTC); " in words
    assert words.endswith("how often each: 8.8.4.4 2 and 6 more Regards")


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.GARBAGE, Fault.OVERSIZED, Fault.TOO_MANY])
def test_a_registry_that_does_not_answer_costs_its_answer_and_nothing_else(
    data_dir: Path, client: str, registry: Rdap, fault: Fault
) -> None:
    geocli = Geocli(data_dir, {"TZ": "UTC", "GEOCLI_WHOIS_URL": registry.origin})
    registry.fail_next(fault)  # faults strike answers, not redirects
    done = geocli("show", "--fail2ban-client", client, "--whois", "-j", "8.8.8.8")
    assert (done.returncode, json.loads(done.stdout)["whois"]) == (3, None)
    assert done.stderr.startswith("geocli: whois: 127.0.0.1:")
    assert done.stderr.count("\n") == 1


def test_what_no_registry_knows_is_said(data_dir: Path, client: str, registry: Rdap) -> None:
    geocli = Geocli(data_dir, {"TZ": "UTC", "GEOCLI_WHOIS_URL": registry.origin})
    asked = ("show", "--fail2ban-client", client, "--whois", "-j")
    done = geocli(*asked, "9.9.9.9")
    assert (done.returncode, json.loads(done.stdout)["whois"]) == (0, None)
    assert done.stderr == "geocli: whois: no registry knows 9.9.9.9\n"
    done = geocli(*asked, "DE")
    assert (done.returncode, done.stderr) == (2, "geocli: --whois: nobody answers for all of DE\n")


def test_the_running_server_is_asked(geocli: Geocli, fail2ban_server: Fail2ban) -> None:
    fail2ban_server.ban("sshd", "192.0.2.1", "198.51.100.0/24")
    here = ("--fail2ban-client", fail2ban_server.client, "--socket", str(fail2ban_server.socket))
    assert geocli("bans", "--record", *here).returncode == 0
    first, second, third = shown(geocli, "192.0.2.1", "198.51.100.77", "192.0.2.2", *here)
    (ban,) = first["history"]["latest"]
    (now,) = first["server"]["covering"]
    assert {name: ban[name] for name in now} == now
    assert (ban["host"], ban["ban_count"]) == ("web1", None)
    assert [ban["ip"] for ban in second["history"]["latest"]] == ["198.51.100.0/24"]
    assert third["neighbours"]["192.0.2.0/24"]["worst"] == [{"ip": "192.0.2.1", "bans": 1}]
    assert [ban["jail"] for ban in first["server"]["covering"]] == ["sshd"]
    assert [ban["ip"] for ban in second["server"]["covering"]] == ["198.51.100.0/24"]
    assert third["server"]["covering"] == []
    assert third["neighbours"]["192.0.2.0/24"]["banned_now"] == 1

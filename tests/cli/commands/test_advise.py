"""``geocli advise``: as users run it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from geocli.output.advice import COLUMNS
from geocli.output.rules.formats import RULE_FORMATS
from tests.benchmarks.inputs import write_addresses
from tests.conftest import Geocli
from tests.support.ban_month import attackers, month_of_bans
from tests.support.peak_memory import peak_memory

CLUSTER = "".join(f"45.148.10.{host}\n" for host in range(64, 128))
IGNORE = """\
#!/bin/sh
case "$*" in
    *banned) echo "[{'sshd': ['45.148.10.64', '45.148.10.65', '45.148.10.66', '45.148.10.67']}]" ;;
    *ignoreip) printf 'These IP addresses/networks are ignored:\\n`- 45.148.10.67\\n' ;;
    *) echo ;;
esac
"""


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """The log of a month that ends today."""
    path = tmp_path / "fail2ban.log"
    path.write_text(month_of_bans(datetime.now(UTC).replace(tzinfo=None)), encoding="utf-8")
    return path


@pytest.fixture
def geocli(data_dir: Path, tmp_path: Path) -> Geocli:
    """With a fail2ban in which nobody is banned, and nobody ignored."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fail2ban-client").write_text("#!/bin/sh\necho '[]'\n")
    (tmp_path / "bin" / "fail2ban-client").chmod(0o755)
    return Geocli(data_dir, {"TZ": "UTC", "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})


def bans_file(tmp_path: Path, text: str = CLUSTER) -> Path:
    path = tmp_path / "bans.txt"
    path.write_text(text, encoding="utf-8")
    return path


def advise(geocli: Geocli, *arguments: str | Path, stdin: str | None = None) -> str:
    done = geocli("advise", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_rows_in_a_pipe_and_in_every_form(geocli: Geocli) -> None:
    line = "45.148.10.64/26\t64\t64\t1.0\t1.0"
    assert advise(geocli, stdin=CLUSTER).startswith(line)
    assert advise(geocli, "-f", "network,bans", stdin=CLUSTER) == "45.148.10.64/26\t64\n"
    assert advise(geocli, "--format", "plain", stdin=CLUSTER) == "45.148.10.64/26\n"
    (row,) = (json.loads(line) for line in advise(geocli, "-j", stdin=CLUSTER).splitlines())
    assert tuple(row) == COLUMNS
    assert (row["network"], row["addresses"], row["blocked"], row["density"]) == (
        "45.148.10.64/26",
        64,
        64,
        1.0,
    )
    rows = list(csv.DictReader(io.StringIO(advise(geocli, "--format", "csv", stdin=CLUSTER))))
    assert rows[0]["network"] == "45.148.10.64/26"
    table = advise(geocli, "--table", stdin=CLUSTER)
    assert "1 network, 64 addresses, hold 100 % of the 64 bans" in table
    assert "rules, and the bans that they hold:" in table


def test_nothing_to_ban_is_no_row_and_an_empty_set(geocli: Geocli) -> None:
    assert advise(geocli, "-i", "/dev/null") == ""
    assert advise(geocli, stdin="45.148.10.1\n") == ""
    script = advise(geocli, "-i", "/dev/null", "--format", "nft")
    assert "delete table inet geocli_advice" in script
    assert "elements" not in script


def test_who_is_allowed_is_left_out_and_told(geocli: Geocli, tmp_path: Path) -> None:
    allow = tmp_path / "mine.txt"
    allow.write_text("# home\n45.148.10.100\n")
    log = tmp_path / "auth.log"
    log.write_text(
        "Nov 23 21:42:11 web sshd[8]: Accepted publickey for ann from 45.148.10.120 port 4242 ssh2: ED25519\n"
    )
    for option, value, spared, why in (
        ("--allow", "45.148.10.99", "45.148.10.99", "--allow"),
        ("--allow", "45.148.10.96/30", "45.148.10.98", "--allow"),
        ("--allow", str(allow), "45.148.10.100", str(allow)),
        ("--allow-log", str(log), "45.148.10.120", "a login (sshd)"),
    ):
        done = geocli("advise", option, value, "--format", "plain", stdin=CLUSTER)
        assert done.returncode == 0
        networks = [ip_network(line) for line in done.stdout.splitlines()]
        assert networks
        assert not any(ip_address(spared) in network for network in networks)
        assert done.stderr.startswith("geocli: left out: 45.148.10.64/26, 64 bans, for 45.148.10.")
        assert f"({why})" in done.stderr
        assert geocli("advise", "-q", option, value, stdin=CLUSTER).stderr == ""
        script = geocli("advise", option, value, "--format", "ipset", stdin=CLUSTER)
        assert script.stderr == ""
        assert "# left out: 45.148.10.64/26, 64 bans, for 45.148.10." in script.stdout


def test_the_running_fail2bans_ignoreip_is_never_banned(geocli: Geocli, tmp_path: Path) -> None:
    client = tmp_path / "fail2ban-client"
    client.write_text(IGNORE)
    client.chmod(0o755)
    done = geocli("advise", "--fail2ban-client", client, "--format", "plain", "-i", bans_file(tmp_path))
    assert "ignoreip of the jail sshd" in done.stderr
    assert "45.148.10.67" not in done.stdout
    assert not any(ip_address("45.148.10.67") in ip_network(line) for line in done.stdout.splitlines())
    asked = geocli("advise", "--client", "--fail2ban-client", client, "--format", "plain")
    assert asked.stdout == "45.148.10.64/31\n"


def test_a_fail2ban_that_cannot_be_asked_is_told_and_does_no_harm(geocli: Geocli, tmp_path: Path) -> None:
    client = tmp_path / "fail2ban-client"
    client.write_text("#!/bin/sh\necho 'Permission denied to socket' >&2; exit 255\n")
    client.chmod(0o755)
    done = geocli("advise", "--fail2ban-client", client, "--format", "plain", "-i", bans_file(tmp_path))
    assert (done.returncode, done.stdout) == (0, "45.148.10.64/26\n")
    assert done.stderr.startswith("geocli: ignoreip is not known: ")


def test_the_session_is_never_banned(geocli: Geocli) -> None:
    here = Geocli(geocli.data_dir, {**geocli.environment, "SSH_CLIENT": "45.148.10.77 4242 22"})
    done = here("advise", "--format", "plain", stdin=CLUSTER)
    assert "45.148.10.77 (this session (SSH_CLIENT))" in done.stderr
    assert not any(ip_address("45.148.10.77") in ip_network(line) for line in done.stdout.splitlines())


def test_a_holder_may_be_spared_also_where_nobody_was_banned(geocli: Geocli) -> None:
    # 8.8.8.0/24 is Google's; of it only the edges are banned, of 8.8.9.0/24 (Google's too) nothing.
    bans = "".join(f"8.8.8.{host}\n8.8.10.{host}\n" for host in range(0, 256, 4)) + CLUSTER
    assert "8.8.8.0/22" in advise(geocli, "--format", "plain", stdin=bans) or "8.8.8.0/24" in advise(
        geocli, "--format", "plain", stdin=bans
    )
    for spared in ("AS15169", "as15169", "cloud"):
        done = geocli("advise", "--allow", spared, "--format", "plain", stdin=bans)
        google = geocli("lookup", "--no-cache", "-f", "asn", stdin=done.stdout).stdout.split()
        assert "45.148.10.64/26" in done.stdout
        assert "15169" not in google


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "0"], "--budget"),
        (["--max-prefix", "33"], "--max-prefix"),
        (["--max-prefix", "x"], "--max-prefix"),
        (["--max-prefix", "20,65"], "--max-prefix"),
        (["--max-prefix", "1,2,3"], "--max-prefix"),
        (["--by", "country"], "--by takes network or asn"),
        (["--by", "asn", "--max-blocked", "9"], "--by asn bans whole AS"),
        (["--format", "pf"], "--format takes nft"),
        (["--format", "nft", "-j"], "--format is a form by itself"),
        (["--format", "nft", "--backtest", "7d"], "show rows"),
        (["--backtest", "7d", "--by", "asn"], "give one of"),
        (["--backtest", "0s"], "--backtest"),
        (["--ban-time", "soon"], "--ban-time"),
        (["--ban-time", "99999999d"], "--ban-time"),
        (["--allow", "no-such-thing"], "--allow: 'no-such-thing' is no address"),
        (["--allow", "/dev/null"], "holds no address"),
        (["--history", "-i", "x"], "--history reads what was recorded"),
        (["--host", "web"], "--host is for --history"),
        (["--client", "-i", "x"], "give one of FILE"),
        (["-i", "/no/such/file"], "cannot read /no/such/file"),
        (["--diff", "/no/such/file"], "cannot read /no/such/file"),
        (["--since", "7"], "--since"),
        (["--country", "UK", "--field", "nothing"], ""),
    ],
)
def test_what_cannot_be_is_one_line(geocli: Geocli, arguments: list[str], said: str) -> None:
    done = geocli("advise", *arguments, stdin=CLUSTER)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_what_is_not_understood_writes_no_script(geocli: Geocli, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    done = geocli("advise", "-i", picture, "--format", "nft")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_list_without_times_cannot_be_backtested(geocli: Geocli) -> None:
    done = geocli("advise", "--backtest", "7d", stdin=CLUSTER)
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not say when the bans began" in done.stderr


@pytest.mark.parametrize("budget", [12, 100])
def test_on_the_past_advice_does_better_than_as_many_networks_of_256(
    geocli: Geocli, month: Path, budget: int
) -> None:
    out = advise(geocli, "-i", month, "--backtest", "10d", "--budget", str(budget), "-j")
    alone, addresses, plain, advice = (json.loads(line) for line in out.splitlines())
    assert [row["method"] for row in (alone, addresses, plain, advice)] == [
        "fail2ban alone", "addresses", "plain /24", "advice",
    ]  # fmt: skip
    assert alone["avoided"] == alone["rules"] == 0
    assert plain["rules"] == advice["rules"] == budget
    assert advice["blocked"] <= plain["blocked"] == 256 * budget
    assert advice["avoided"] > plain["avoided"] > addresses["avoided"]
    assert advice["share"] == round(advice["avoided"] / advice["bans"], 4)
    assert advice["newcomers"] > 0


def test_a_hundred_rules_hold_more_than_the_hundred_busiest_of_256(geocli: Geocli, tmp_path: Path) -> None:
    addresses = [address for address, _ in attackers()]
    busiest: dict[str, int] = {}
    for address in addresses:
        network = address.rpartition(".")[0]
        busiest[network] = busiest.get(network, 0) + 1
    held = sum(sorted(busiest.values())[-100:])
    rows = advise(
        geocli, "-i", bans_file(tmp_path, "\n".join(addresses)), "-f", "network,bans,blocked"
    ).splitlines()
    bans = sum(int(row.split("\t")[1]) for row in rows)
    blocked = sum(int(row.split("\t")[2]) for row in rows)
    assert len(rows) == 100
    assert held == 2780  # 38.9 %, as people have measured
    assert bans > held
    assert blocked <= 25_600
    banned = {int(ip_address(address)) for address in addresses}
    for row in rows[:20]:
        text, held_here, _ = row.split("\t")
        assert int(held_here) == sum(int(address) in banned for address in ip_network(text))


def test_the_history_becomes_a_script_that_nft_takes(geocli: Geocli, month: Path) -> None:
    assert geocli("bans", "--record", "--host", "web", "-i", month).returncode == 0
    script = advise(geocli, "--history", "--since", "30d", "--format", "nft")
    assert script.startswith("#!/usr/sbin/nft -f\n# geocli advise: 100 networks, ")
    assert " % of the 9," in script
    assert "bans of 3" in script  # days
    if not shutil.which("nft"):
        pytest.skip("needs nft")
    done = subprocess.run(
        ["unshare", "-n", "nft", "-c", "-f", "-"], input=script, capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespace can be made here")
    assert (done.returncode, done.stderr) == (0, "")
    geocli("flush")
    assert advise(geocli, "--history", "--since", "30d", "-f", "network").splitlines() == [
        line.split()[0].removesuffix("/32") for line in script.splitlines() if " timeout " in line
    ]
    assert advise(geocli, "--history", "--host", "other") == ""


@pytest.mark.parametrize("name", RULE_FORMATS)
def test_every_script_says_when_it_ends_and_can_be_for_good(geocli: Geocli, name: str) -> None:
    ends = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%dT}"
    script = advise(geocli, "--format", name, stdin=CLUSTER)
    assert "45.148.10.64/26" in script
    assert (f", until {ends}" in script) == RULE_FORMATS[name].keeps_time
    for_good = advise(geocli, "--format", name, "--ban-time", "0", stdin=CLUSTER)
    assert "until" not in for_good
    assert "604800" not in for_good


def test_the_difference_to_the_last_advice(geocli: Geocli, tmp_path: Path) -> None:
    last = tmp_path / "last"
    for form in (["--format", "nft"], ["--format", "plain"], ["-j"], ["--csv"], ["--format", "iptables"]):
        last.write_text(advise(geocli, *form, stdin=CLUSTER))
        assert advise(geocli, "--diff", last, stdin=CLUSTER) == ""
    last.write_text("9.9.9.9\n45.148.10.64/26\n")
    more = CLUSTER + "5.6.7.8\n" * 3
    rows = [line.split("\t")[:3] for line in advise(geocli, "--diff", last, stdin=more).splitlines()]
    assert rows == [["new", "5.6.7.8", "1"], ["gone", "9.9.9.9", ""]]


def test_whole_as_with_a_plain_warning(make_mmdb: object, geocli: Geocli) -> None:
    file = make_mmdb(  # type: ignore[operator]
        "as",
        {
            "45.148.8.0/22": {"asn": 64500, "as_name": "Bulk Hosting"},
            "5.6.0.0/16": {"asn": 64500, "as_name": "Bulk Hosting"},
            "7.7.0.0/16": {"asn": 64501, "as_name": "Small Telecom"},
            "2a02:4780::/32": {"asn": 64501, "as_name": "Small Telecom"},
        },
    )
    small = Geocli(geocli.data_dir, {**geocli.environment, "GEOCLI_LOOKUP_MMDB": str(file)})
    bans = CLUSTER + "7.7.7.7\n7.7.7.8\n2a02:4780::1\n"
    done = small("advise", "--by", "asn", "-j", "--allow", "5.6.7.8", stdin=bans)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["asn"], row["kind"], row["bans"], row["addresses"]) for row in rows] == [
        (64500, "hosting", 64, 64),
        (64501, "access", 3, 3),
    ]
    assert rows[0]["blocked"] == 1024 + 65536 - 1
    assert done.stderr.startswith(
        "geocli: these 2 AS are 132,095 addresses and 1 IPv6 /64, and 67 of them were banned"
    )
    script = small("advise", "-q", "--by", "asn", "--budget", "1", "--format", "plain", stdin=bans)
    assert (script.stdout, script.stderr) == ("5.6.0.0/16\n45.148.8.0/22\n", "")
    spared = small("advise", "-q", "--by", "asn", "--allow", "AS64500", "-f", "asn", stdin=bans)
    assert spared.stdout == "64501\n"
    nft = small("advise", "-q", "--by", "asn", "--format", "nft", stdin=bans)
    assert "5.6.0.0/16 timeout 604800s,  # AS64500 Bulk Hosting" in nft.stdout


def test_advice_asks_nobody_and_writes_nothing(geocli: Geocli) -> None:
    setting = {"GEOCLI_LOOKUP_PROVIDER": "ip-api", "GEOCLI_IP_API_URL": "http://127.0.0.1:1"}
    online = Geocli(geocli.data_dir, {**geocli.environment, **setting})
    assert advise(online, "--format", "plain", stdin=CLUSTER) == "45.148.10.64/26\n"
    assert not geocli.data_dir.exists()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--by", "asn"), ("--allow", "access")])
def test_hundreds_of_thousands_of_addresses_take_little_memory(
    geocli: Geocli, tmp_path: Path, options: tuple[str, ...]
) -> None:
    source = tmp_path / "addresses"
    write_addresses(source, 400_000, 0)
    with (tmp_path / "advice").open("wb") as advice:
        command = [*geocli.command, "advise", "-i", str(source), "-c", *options]
        assert peak_memory(command, geocli.env, advice) < 170_000  # KiB

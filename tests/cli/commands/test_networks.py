"""``geocli networks``: networks as rows and as rules, and what is said where there are none."""

from __future__ import annotations

import json
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.conftest import Geocli, MakeMmdb, need
from tests.support.peak_memory import peak_memory

KABEL = {"country_code": "DE", "asn": "AS64500", "as_name": "Kabel Süd"}
NORD = {"country_code": "FR", "asn": "AS64501", "as_name": "KABEL Nord"}


@pytest.fixture
def small(geocli: Geocli, make_mmdb: MakeMmdb) -> Geocli:
    """A geocli with a database of a few networks."""
    file = make_mmdb(
        "small",
        {
            "5.0.0.0/24": KABEL,
            "5.0.1.0/25": KABEL,
            "5.0.1.128/25": NORD,
            "5.0.2.7/32": KABEL,
            "10.0.0.0/8": KABEL,  # nobody asks a database about these
            "2a02:4780::/33": KABEL,
            "2a02:4780:8000::/33": KABEL,
        },
    )
    return Geocli(geocli.data_dir, {**geocli.environment, "GEOCLI_LOOKUP_MMDB": str(file)})


def listed(geocli: Geocli, *arguments: str) -> list[str]:
    done = geocli("networks", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_networks_are_joined_and_filters_hold_together(small: Geocli) -> None:
    both = ["5.0.0.0/23", "5.0.2.7", "2a02:4780::/32"]
    german = ["5.0.0.0/24", "5.0.1.0/25", "5.0.2.7", "2a02:4780::/32"]
    assert listed(small, "--country", "de") == german
    assert listed(small, "--country", "DE,France") == both
    assert listed(small, "--asn", "64500", "--asn", "AS64501", "-4") == both[:2]
    assert listed(small, "--org", "kabel", "-6") == both[2:]
    assert listed(small, "--org", "nord", "--org", "süd", "--format", "plain") == both
    assert listed(small, "--org", "kabel", "--country", "FR") == ["5.0.1.128/25"]


def test_a_row_has_its_ends_and_its_size(small: Geocli) -> None:
    rows = [json.loads(line) for line in listed(small, "--asn", "64500", "-j")]
    assert rows[1] == {
        "network": "5.0.1.0/25", "version": 4, "first": "5.0.1.0", "last": "5.0.1.127", "addresses": 128,
    }  # fmt: skip
    assert rows[3]["last"] == "2a02:4780:ffff:ffff:ffff:ffff:ffff:ffff"
    assert rows[3]["addresses"] == ip_network("2a02:4780::/32").num_addresses
    assert listed(small, "--asn", "64501", "--format", "csv") == [
        "network,version,first,last,addresses",
        "5.0.1.128/25,4,5.0.1.128,5.0.1.255,128",
    ]
    table = small("networks", "--asn", "64501", "--table")
    assert "5.0.1.128/25" in table.stdout
    assert table.stderr == "geocli: 1 network with 128 addresses\n"


def test_look_ups_say_the_same(small: Geocli) -> None:
    for network in listed(small, "--country", "DE"):
        first, last = ip_network(network)[0], ip_network(network)[-1]
        done = small("lookup", "--no-cache", str(first), str(last), "-f", "country_code,asn")
        assert done.stdout == "DE\t64500\n" * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--asn", "64999"], "no network of AS64999 is in mmdb:Test-"),
        (["--asn", "64501", "-6"], "no IPv6 network of AS64501 is in"),
        (["--country", "AQ"], "no network of AQ is in"),
        (["--org", "nobody"], "no network of a holder with 'nobody' in its name is in"),
        (["--country", "FR", "--asn", "64500"], "no network of FR and AS64500 is in"),
        ([], "say whose networks"),
        (["--org", " "], "--org: give a part"),
        (["--country", "UK"], "--country: 'UK' is no country code: write GB"),
        (["--asn", "x"], "--asn: 'x' is no AS number"),
        (["--asn", "64500", "-4", "-6"], "-4 or -6"),
        (["--asn", "64500", "--format", "pf"], "--format takes nft"),
        (["--asn", "64500", "--format", "nft", "-j"], "--format is a form by itself"),
        (["--asn", "64500,64999", "--format", "nft"], "no network of AS64999 is in"),
        (["--asn", "64500", "--mmdb", "/nowhere"], "/nowhere: cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(small: Geocli, arguments: list[str], said: str) -> None:
    done = small("networks", *arguments)
    assert done.returncode == (4 if "/nowhere" in arguments else 2)
    assert done.stdout == ""
    assert done.stderr.startswith("geocli: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_there_is_listed_beside_what_is_not(small: Geocli) -> None:
    done = small("networks", "--asn", "64501,64999")
    assert (done.returncode, done.stdout) == (2, "5.0.1.128/25\n")
    assert "no network of AS64999 is in" in done.stderr
    assert not small.data_dir.exists()  # it keeps nothing


def test_scripts_have_a_name_of_their_own_and_never_end(small: Geocli) -> None:
    for name in ("nft", "ipset", "iptables", "fail2ban", "nginx"):
        script = "\n".join(listed(small, "--country", "DE", "--format", name))
        assert "# geocli networks: 4 networks of DE, by mmdb:Test-" in script
        assert "advice" not in script
        assert "5.0.2.7/32" in script
        assert "timeout 6" not in script


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "program"),
    [
        ("nft", ["nft", "-c", "-f", "-"]),
        ("ipset", ["ipset", "restore"]),
        ("iptables", ["iptables-restore", "--test"]),
        ("iptables", ["ip6tables-restore", "--test"]),
    ],
)
def test_programs_take_the_scripts_of_a_large_system(geocli: Geocli, form: str, program: list[str]) -> None:
    need(program[0])
    script = "\n".join(listed(geocli, "--asn", "14061", "--format", form)) + "\n"
    done = subprocess.run(
        ["unshare", "-n", *program], input=script, capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespace can be made here")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_large_country_takes_little_memory(geocli: Geocli, tmp_path: Path) -> None:
    command = [*geocli.command, "networks", "--country", "US,CN,RU", "--format", "nft"]
    with (tmp_path / "script").open("wb") as script:
        assert peak_memory(command, geocli.env, script) < 200_000  # KiB

"""The field ``tags``, as users ask for it: everywhere where rows have an address, and nowhere unasked."""

from __future__ import annotations

import json
import lzma

import pytest

from geocli.model.records import FIELDS
from tests.conftest import FIXTURES, Geocli, MakeMmdb

CENSYS = "162.142.125.7"
BOTH = "52.73.169.169"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["-f", "ip,tags"], f"{BOTH}\tcloud:aws,scanner:cybergreen\n8.8.8.8\t\n"),
        (["-f", "tags"], "cloud:aws,scanner:cybergreen\n\n"),
        (["-t", "{tags} {ip}"], f"cloud:aws,scanner:cybergreen {BOTH}\n 8.8.8.8\n"),
        (["-c", "-f", "tags,ip"], f'tags,ip\r\n"cloud:aws,scanner:cybergreen",{BOTH}\r\n,8.8.8.8\r\n'),
        (["--tsv", "-f", "ip,tags"], f"ip\ttags\n{BOTH}\tcloud:aws,scanner:cybergreen\n8.8.8.8\t\n"),
        (
            ["-j", "-f", "ip,tags"],
            (
                f'{{"ip": "{BOTH}", "tags": ["cloud:aws", "scanner:cybergreen"]}}\n'
                '{"ip": "8.8.8.8", "tags": null}\n'
            ),
        ),
    ],
)
def test_every_form_shows_them(geocli: Geocli, options: list[str], shown: str) -> None:
    done = geocli(*options, BOTH, "8.8.8.8")
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, "")


def test_they_are_in_a_table(geocli: Geocli) -> None:
    lines = geocli("--table", "-f", "ip,tags", BOTH, "8.8.8.8").stdout.splitlines()
    assert lines[0].split() == ["ip", "tags"]
    assert lines[2].split() == [BOTH, "cloud:aws,scanner:cybergreen"]


def test_unasked_they_are_neither_shown_nor_kept(geocli: Geocli) -> None:
    assert geocli("-f", "tags", CENSYS).stdout == "scanner:censys\n"
    assert tuple(json.loads(geocli("-j", CENSYS).stdout)) == FIELDS
    geocli("flush")
    geocli("8.8.8.8", "-f", "tags")  # it waits in the journal
    files = [path for path in geocli.data_dir.rglob("*") if path.is_file()]
    assert {"geo.db", "cache.db"} <= {path.name for path in files}
    assert not any(b"scanner:" in path.read_bytes() for path in files)
    assert geocli("-f", "tags", CENSYS).stdout == "scanner:censys\n"


def test_bans_the_history_and_annotate_have_them(geocli: Geocli) -> None:
    bans = f"sshd {CENSYS}\n8.8.8.8\n"
    assert geocli("bans", "-f", "ip,tags", stdin=bans).stdout == f"{CENSYS}\tscanner:censys\n8.8.8.8\t\n"
    assert geocli("bans", "--record", stdin=bans).returncode == 0
    shown = geocli("bans", "--history", "-f", "ip,tags").stdout
    assert sorted(shown.splitlines()) == [f"{CENSYS}\tscanner:censys", "8.8.8.8\t"]
    assert geocli("annotate", "-t", " [{tags}]", stdin=f"from {CENSYS}\n").stdout == (
        f"from {CENSYS} [scanner:censys]\n"
    )


def test_all_that_is_known_about_an_address_has_them(geocli: Geocli) -> None:
    assert f"\n  {'tags':14}cloud:aws, scanner:cybergreen\n" in geocli("show", BOTH).stdout
    assert "tags" not in geocli("show", "8.8.8.8").stdout
    documents = [
        json.loads(line) for line in geocli("show", "-j", CENSYS, "8.8.8.8", "us").stdout.splitlines()
    ]
    assert [one["tags"] for one in documents] == [["scanner:censys"], None, None]


def test_where_rows_have_no_address_there_are_none(geocli: Geocli) -> None:
    done = geocli("bans", "--by", "country", "-f", "tags", stdin=CENSYS)
    assert done.returncode == 2
    assert "no field is called 'tags': there is country_code" in done.stderr
    assert "did you mean tags?" in geocli("-f", "tag", CENSYS).stderr


def test_a_tenth_of_the_worst_are_scanners_that_say_so(geocli: Geocli) -> None:
    with lzma.open(FIXTURES / "attackers" / "attackers-2026-08.tsv.xz", "rt") as file:
        rows = (line.split() for line in file)
        worst = "\n".join(address for address, lists in rows if int(lists) >= 3)
    shown = geocli("lookup", "--no-cache", "-f", "tags", stdin=worst)
    kinds = [line.split(":")[0] for line in shown.stdout.splitlines()]
    assert len(kinds) == 7154
    assert sum("scanner:" in line for line in shown.stdout.splitlines()) == 789


def test_advice_spares_scanners_wherever_they_are(geocli: Geocli) -> None:
    bans = "".join(f"{BOTH.rpartition('.')[0]}.{host}\n" for host in (168, 169, 170, 171))
    found = [json.loads(line) for line in geocli("advise", "-q", "-j", stdin=bans).stdout.splitlines()]
    assert {row["kind"] for row in found} == {"cloud"}
    spared = geocli("advise", "--allow", "research", "-f", "network", stdin=bans)
    assert BOTH not in spared.stdout.split()
    assert f"{BOTH} (--allow research" in spared.stderr


def test_a_scanner_in_an_as_spares_its_own_addresses_and_not_the_whole_as(
    make_mmdb: MakeMmdb, geocli: Geocli
) -> None:
    path = make_mmdb("as", {f"{BOTH.rpartition('.')[0]}.0/24": {"asn": 64500, "as_name": "Bulk Hosting"}})
    bans = f"{BOTH}\n{BOTH}\n{BOTH.rpartition('.')[0]}.7\n"
    options = ("advise", "-q", "--by", "asn", "--allow", "research", "-f", "asn,kind,bans,blocked")
    small = Geocli(geocli.data_dir, {**geocli.environment, "GEOCLI_LOOKUP_MMDB": str(path)})
    assert small(*options, stdin=bans).stdout == "64500\thosting\t3\t255\n"

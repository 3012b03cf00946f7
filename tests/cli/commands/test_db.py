"""``geocli db`` as users run it. What an update may meet on its way is in ``tests/test_update.py``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geocli.lookup.tags import tag_file
from geocli.mmdb.embedded import embedded_path
from tests.conftest import Geocli
from tests.mmdb.handmade import BUILT, encode, one_record
from tests.support.emulators import Dbip
from tests.support.terminal import on_terminal

DAY = 86400


@pytest.fixture
def dbip(tmp_path: Path) -> Iterator[Dbip]:
    with Dbip() as server:
        for kind, record in {
            "country": {"country": {"iso_code": "FR"}},
            "asn": {"autonomous_system_number": 64496},
            "city": {"country": {"iso_code": "FR"}, "city": {"names": {"en": "Paris"}}},
        }.items():
            made = one_record(tmp_path / "made", encode(record), database_type=f"DBIP-{kind}")
            server.publish(kind, f"{datetime.now(UTC):%Y-%m}", made.read_bytes())
        yield server


@pytest.fixture
def user(data_dir: Path, dbip: Dbip) -> Geocli:
    return Geocli(data_dir, {"GEOCLI_DBIP_URL": dbip.base})


def rows(geocli: Geocli, *arguments: str | Path) -> list[dict[str, Any]]:
    done = geocli("db", "list", "-j", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_downloads_the_embedded_database_is_listed(geocli: Geocli) -> None:
    row, tags = rows(geocli)
    assert row["name"] == embedded_path().stem
    assert row["used_for"] == "country,asn"
    assert "DB-IP" in row["licence"]
    assert (tags["name"], tags["used_for"]) == (tag_file().path.stem, "tags")
    assert tags["licence"].startswith("CC0 1.0. MISP")
    assert Path(tags["path"]).with_suffix(".licence.txt").is_file()


def test_the_list_says_what_each_is_used_for(user: Geocli, data_dir: Path) -> None:
    assert user("db", "update", "dbip", "dbip-city").returncode == 0
    listed = rows(user)
    assert [(row["name"], row["used_for"]) for row in listed] == [
        ("dbip-city", "country,city"),
        ("dbip-asn", "asn"),
        ("dbip-country", None),
        (embedded_path().stem, None),
        (tag_file().path.stem, "tags"),
    ]
    city = listed[0]
    assert (city["type"], city["edition"]) == ("DBIP-city", "2026-10-01")
    assert city["age_days"] == int((datetime.now(UTC).timestamp() - BUILT) // DAY)
    assert city["path"] == str(data_dir / "mmdb" / "dbip-city-2026-10-01.country+city.mmdb")
    assert city["size"] == Path(city["path"]).stat().st_size
    assert "CC BY 4.0" in city["licence"]


def test_files_that_are_named_are_listed_alone(user: Geocli, tmp_path: Path) -> None:
    user("db", "update")
    mine = one_record(tmp_path / "mine.mmdb", encode({"asn": 5}))
    (row,) = rows(user, "--mmdb", mine)
    assert (row["name"], row["used_for"], row["licence"]) == ("mine", "asn", None)


def test_a_downloaded_file_that_is_damaged_is_named_and_the_others_are_listed(
    user: Geocli, data_dir: Path
) -> None:
    user("db", "update")
    damaged = data_dir / "mmdb" / "dbip-asn-2026-10-01.asn.mmdb"
    damaged.write_bytes(damaged.read_bytes()[:50])
    done = user("db", "list", "-f", "name")
    assert done.returncode == 4
    assert done.stdout.splitlines() == ["dbip-country", embedded_path().stem, tag_file().path.stem]
    assert done.stderr.startswith(f"geocli: {damaged}: ")
    assert done.stderr.count("\n") == 1
    for command in (["8.8.8.8"], ["db", "verify"], ["stats"]):
        done = user(*command)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1)
        assert str(damaged) in done.stderr
    damaged.unlink()
    assert user("8.8.8.8", "-f", "country_code,asn").stdout == "FR\t15169\n"


def test_what_was_downloaded_passes_verification(user: Geocli) -> None:
    user("db", "update")
    done = user("-v", "db", "verify")
    assert done.returncode == 0
    assert done.stderr.count(": whole; ") == 2


def test_commands_that_need_no_network_import_no_http(user: Geocli) -> None:
    script = (
        "import sys; from geocli.cli.app import run; run(['db', 'list']); run(['db', 'verify', sys.argv[1]]);"
        "assert not {'httpx', 'asyncio'} & set(sys.modules)"
    )
    done = subprocess.run(
        [user.command[0], "-c", script, "/missing"], env=user.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_files_named_by_the_user_come_before_what_was_downloaded(user: Geocli, tmp_path: Path) -> None:
    user("db", "update")
    mine = one_record(tmp_path / "mine.mmdb", encode({"country_code": "DE"}))
    done = user("--mmdb", mine, "8.8.8.8", "-f", "country_code,asn,source")
    assert done.stdout == "DE\t\tmmdb:Handmade-2026-10-01\n"


def test_on_a_terminal_the_update_says_what_it_did(user: Geocli) -> None:
    first, second = (on_terminal(user, "db", "update", *names) for names in (["dbip-asn"], []))
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("dbip-asn: new, ")
    assert second.out.startswith("dbip-asn: nothing new")
    assert on_terminal(user, "-q", "db", "update") == (0, "", "")


def test_on_a_terminal_there_is_a_bar_while_it_lasts(user: Geocli, dbip: Dbip) -> None:
    dbip.latency = 0.7
    shown = on_terminal(user, "db", "update", "dbip-asn", bar=True)
    assert "KiB" in shown.err
    assert shown.out.startswith("dbip-asn: new, ")


def test_a_downloaded_file_that_is_damaged_is_mended_by_the_next_update(user: Geocli, data_dir: Path) -> None:
    user("db", "update")
    (data_dir / "mmdb" / "dbip-asn-2026-10-01.asn.mmdb").write_bytes(b"")
    assert user("8.8.8.8").returncode == 4
    assert user("db", "update").returncode == 0
    assert user("8.8.8.8", "-f", "asn").stdout == "64496\n"

"""A database that is old: said to people, once a day, and under their tables."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geocli.cli.age_notice import age_line
from geocli.config.settings import Settings
from geocli.mmdb.downloads.installed import embedded
from tests.conftest import Geocli, MakeMmdb
from tests.support.terminal import on_terminal

BEGUN = datetime.strptime(f"{embedded().edition}-01", "%Y-%m-%d").replace(tzinfo=UTC)
LINE = r"geocli: the database is \d+ days old: geocli db update"


@pytest.fixture
def old(geocli: Geocli) -> Geocli:
    """For whom the embedded database is old."""
    return Geocli(geocli.data_dir, {"GEOCLI_LOOKUP_MAX_DB_AGE": "1s"})


@pytest.mark.parametrize(
    ("days", "line"), [(0, None), (60, None), (61, "the database is 61 days old: geocli db update")]
)
def test_it_is_said_from_61_days_after_the_edition_on(days: int, line: str | None, data_dir: Path) -> None:
    now = (BEGUN + timedelta(days=days, hours=5)).timestamp()
    assert age_line(Settings(data_dir), now) == line
    assert age_line(Settings(data_dir, provider=("ip-api",)), now) is None
    assert age_line(Settings(data_dir, max_db_age=100 * 86400), now) is None


def test_a_download_that_is_young_enough_is_what_counts(data_dir: Path) -> None:
    (data_dir / "mmdb").mkdir(0o700, parents=True)
    now = (BEGUN + timedelta(days=100)).timestamp()
    young = f"{BEGUN + timedelta(days=90):%Y-%m-%d}"
    (data_dir / "mmdb" / f"a-{young}.country.mmdb").touch()
    assert age_line(Settings(data_dir), now) == "the database is 100 days old: geocli db update"  # for the AS
    (data_dir / "mmdb" / f"b-{young}.asn.mmdb").touch()
    assert age_line(Settings(data_dir), now) is None


def test_files_that_the_user_named_count_by_what_they_say(make_mmdb: MakeMmdb, data_dir: Path) -> None:
    file = make_mmdb("mine", {"8.8.8.0/24": {"country": {"iso_code": "US"}}})
    later = time.time() + 1000 * 86400
    line = age_line(Settings(data_dir, mmdb=(file,)), later)
    assert re.fullmatch(r"the database is \d+ days old: give a newer one", line or "")


def test_a_look_up_on_a_terminal_says_so_once_a_day(old: Geocli, data_dir: Path) -> None:
    first = on_terminal(old, "8.8.8.8")
    assert first.code == 0
    assert re.fullmatch(LINE, first.err.strip())
    assert on_terminal(old, "8.8.8.8").err == ""
    assert not re.search(LINE, on_terminal(old, "summarize", "--by", "country").err)
    said = data_dir / "age-notice"
    assert said.stat().st_mode & 0o777 == 0o600
    os.utime(said, (time.time() - 86500,) * 2)
    assert re.fullmatch(LINE, on_terminal(old, "9.9.9.9").err.strip())


def test_pipes_cron_and_the_quiet_never_hear_it(old: Geocli, data_dir: Path) -> None:
    for arguments in (["8.8.8.8"], ["bans", "--table"], ["bans", "--by", "country"], ["summarize"]):
        done = old(*arguments, stdin="8.8.8.8\n")
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert on_terminal(old, "-q", "8.8.8.8").err == ""
    assert not (data_dir / "age-notice").exists()


def test_it_stands_under_every_table_of_bans(old: Geocli, tmp_path: Path) -> None:
    bans = tmp_path / "bans.txt"
    bans.write_text("8.8.8.8\n9.9.9.9\n")
    for arguments in ([], ["--by", "country"]):
        for _ in range(2):
            shown = on_terminal(old, "bans", "-i", str(bans), *arguments)
            assert shown.code == 0
            assert re.search(LINE, shown.err), arguments
    assert on_terminal(old, "bans", "-i", str(bans), "-j").err == ""


def test_it_is_in_the_foot_of_a_report(old: Geocli, geocli: Geocli, tmp_path: Path) -> None:
    bans = tmp_path / "bans.txt"
    bans.write_text("8.8.8.8\n")
    page = tmp_path / "page.html"
    for who, expected in ((old, True), (geocli, False)):
        assert who("report", "-i", bans, "-o", page).returncode == 0
        assert (
            bool(re.search(r"The database is \d+ days old: geocli db update\.", page.read_text())) is expected
        )


def test_a_file_that_cannot_be_read_is_said_by_the_look_up_alone(old: Geocli, tmp_path: Path) -> None:
    shown = on_terminal(old, "--mmdb", str(tmp_path / "none.mmdb"), "8.8.8.8")
    assert shown.code == 4
    assert "days old" not in shown.err


def test_the_limit_is_a_setting(geocli: Geocli) -> None:
    rows = {
        row["setting"]: row for row in map(json.loads, geocli("config", "show", "-j").stdout.splitlines())
    }
    assert rows["lookup.max_db_age"]["variable"] == "GEOCLI_LOOKUP_MAX_DB_AGE"

"""The tables in the documentation are what the tool measures, and show what was asked of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import FIXTURES
from tests.support.real_month import ADMINS, DIRECTORY, real_bans
from tools.advise_table import bans_of, table

PAGE = Path(__file__).parents[3] / "docs" / "advise.md"


def shown(begin: str, end: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return text.split(f"<!-- {begin} -->\n")[1].split(f"\n<!-- {end} -->")[0].splitlines()


@pytest.mark.slow
def test_the_page_has_the_table() -> None:
    lines = list(table(bans_of(FIXTURES / "attackers" / "attackers-2026-08.tsv.xz")))
    assert lines == shown("table", "end of table")
    figures = {line.split("|")[2].strip(" *"): line.split("|") for line in lines if "| 100 |" in line}
    held = {way: int(cells[3].replace(",", "")) for way, cells in figures.items()}
    blocked = {way: int(cells[5].replace(",", "")) for way, cells in figures.items()}
    assert held["advice"] > held["the busiest /24"]
    assert blocked["advice"] <= blocked["the busiest /24"]


def test_the_page_has_the_table_of_the_real_month() -> None:
    bans = bans_of(DIRECTORY / "fail2ban.log.xz")
    assert [(ban.banned_at, ban.address) for ban in bans] == list(real_bans())
    assert list(table(bans, ADMINS)) == shown("month", "end of month")

"""The table in the documentation is what the tool measures, and shows what was asked of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import FIXTURES
from tools.advise_table import addresses, table

PAGE = Path(__file__).parents[3] / "docs" / "advise.md"


@pytest.mark.slow
def test_the_page_has_the_table() -> None:
    lines = list(table(addresses(FIXTURES / "attackers" / "attackers-2026-08.tsv.xz")))
    shown = PAGE.read_text(encoding="utf-8").split("<!-- table -->\n")[1].split("\n<!-- end")[0]
    assert shown == "\n".join(lines)
    figures = {line.split("|")[2].strip(" *"): line.split("|") for line in lines if "| 100 |" in line}
    held = {way: int(cells[3].replace(",", "")) for way, cells in figures.items()}
    blocked = {way: int(cells[5].replace(",", "")) for way, cells in figures.items()}
    assert held["advice"] > held["the busiest /24"]
    assert blocked["advice"] <= blocked["the busiest /24"]

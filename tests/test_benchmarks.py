"""The benchmarks run: of what nobody runs for weeks, nobody sees that it broke."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows", ["flush of", "lookup -j", "summarize", "annotate", "bans --by", "--version"], ids=str
)
def test_the_rows_of_the_table_are_measured(rows: str) -> None:
    small = ["--rounds", "1", "--count", "500", "--megabytes", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *small, f"--only={rows}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured = [line for line in done.stdout.splitlines() if line.startswith(f"| {rows}")]
    assert measured
    for line in measured:
        assert float(line.split("|")[2]) > 0

"""How cost grows: what one address or line costs, and what memory, of more and more of them."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.benchmarks.cases import Cases
from tests.benchmarks.comparisons import Comparisons
from tests.benchmarks.states import Inputs
from tests.benchmarks.table import Table

if TYPE_CHECKING:
    from tests.benchmarks.measure import Bench, Case

_SIZES = (10_000, 100_000, 1_000_000)
_REPEATED = 100_000  # items up to which a case is measured in every round: beyond, noise is small


def show_growth(bench: Bench, largest: int, rounds: int, ipv6: int, only: str) -> None:
    """Print the table: a case in each row, a size in each column. Starting geocli is part of the cost."""
    sizes = [*(size for size in _SIZES if size < largest), largest]
    columns = []
    for size in sizes:
        inputs = Inputs(bench, bench.scratch / f"inputs-{size}", size, size, ipv6)
        known = Comparisons(bench, bench.scratch / f"known-{size}", size, size)
        columns.append([*Cases(bench, inputs).bulk("n", "n lines"), *known.shuffled("n")])
    table = Table(("µs an address or line; MB", 30), *((f"{size:,}", 16) for size in sizes))
    for cases in zip(*columns, strict=True):
        if only in cases[0].name:
            table.row(cases[0].name, *(_cell(bench, case, rounds) for case in cases))


def _cell(bench: Bench, case: Case, rounds: int) -> str:
    case.prepare()
    memory = bench.memory(case.command)
    seconds = []
    for _ in range(rounds if case.items <= _REPEATED else 1):
        case.prepare()
        seconds.append(bench.seconds(case.command))
    return f"{statistics.median(seconds) / case.items * 1e6:.2f} µs, {memory:.0f} MB"

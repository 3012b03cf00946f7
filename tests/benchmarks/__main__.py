"""Runs the benchmarks and prints one table: figure, baseline, ratio, target, memory.

Whole processes, a figure and its baseline in turn (A B A B ...), medians of the ratios pair by pair:
machines are noisy, and a ratio stays when the speed of the machine does not.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks.cases import Cases
from tests.benchmarks.comparisons import Comparisons
from tests.benchmarks.fleet import FleetServer
from tests.benchmarks.growth import show_growth
from tests.benchmarks.inputs import LINE
from tests.benchmarks.measure import Bench, Case, Result
from tests.benchmarks.memory import show_memory
from tests.benchmarks.peers import show_peers
from tests.benchmarks.states import Inputs
from tests.benchmarks.table import Table

_MOST_MEMORY = 150  # MB
_MILLION = 1_000_000


def main() -> None:
    """Print the table that the options name."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="geocli-benchmarks-") as name:
        scratch = Path(name)
        bench = Bench(scratch)
        if options.peers:
            show_peers(bench, options.rounds, options.count)
        elif options.memory:
            show_memory(bench, options.count, options.ipv6, options.only)
        elif options.growth:
            show_growth(bench, options.growth, options.rounds, options.ipv6, options.only)
        else:
            server = FleetServer(scratch)
            lines = options.megabytes * _MILLION // LINE
            inputs = Inputs(bench, scratch / "inputs", options.count, lines, options.ipv6)
            beside = Comparisons(bench, scratch / "beside", options.count, lines)
            cases = [*Cases(bench, inputs).all(), *beside.all(), *server.cases(bench, inputs)]
            try:
                _show(bench, [case for case in cases if options.only in case.name], options.rounds)
            finally:
                server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is measured [5]")
    parser.add_argument("--count", type=int, default=_MILLION, help="addresses in bulk rows [1000000]")
    parser.add_argument("--megabytes", type=int, default=100, help="size of the log [100]")
    parser.add_argument("--ipv6", type=int, default=0, metavar="PERCENT", help="how many are IPv6 [0]")
    parser.add_argument("--only", default="", metavar="PART", help="only rows whose name has this in it")
    other = parser.add_mutually_exclusive_group()
    other.add_argument(
        "--growth",
        type=int,
        nargs="?",
        const=_MILLION,
        metavar="LARGEST",
        help="instead: what one item costs in each bulk row, of 10000, 100000 and 1000000, and of LARGEST",
    )
    other.add_argument("--memory", action="store_true", help="instead: the memory of each command")
    other.add_argument("--peers", action="store_true", help="instead: other programs with the same addresses")
    return parser.parse_args()


def _show(bench: Bench, cases: list[Case], rounds: int) -> None:
    table = Table(
        ("figure", 35),
        ("seconds", 7),
        ("baseline", 16),
        ("seconds", 7),
        ("ratio", 8),
        ("target", 11),
        ("MB", 5),
    )
    for case in cases:
        table.row(case.name, *_cells(case, bench.measure(case, rounds)))


def _cells(case: Case, result: Result) -> list[str]:
    ratio, target = f"{result.ratio:.2f}", ""
    if case.is_difference:
        ratio = f"{result.ratio:+.3f} s"
    if case.most is not None:
        target = f"≤ {case.most}" if not case.is_difference else f"≤ +{case.most} s"
        target += " ✗" if result.ratio > case.most else ""
    memory = f"{result.memory:.0f}" + (" ✗" if result.memory > _MOST_MEMORY else "")
    return [f"{result.figure:.3f}", case.baseline, f"{result.base:.3f}", ratio, target, memory]


if __name__ == "__main__":
    main()

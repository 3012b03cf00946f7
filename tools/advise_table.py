"""Measure advice on a list of attackers: the table in docs/advise.md.

    python -m tools.advise_table FILE

FILE is ``address<TAB>number of block lists``, compressed with xz. Those on three lists and more count, each
as one ban of today.
"""

from __future__ import annotations

import lzma
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocli.bans.advice.advice import Terms, advise
from geocli.bans.advice.allowed import AllowList
from geocli.bans.advice.evidence import Evidence, Holder
from geocli.bans.advice.kinds import listed_kind
from geocli.bans.advice.prefix import prefix_of
from geocli.lookup.tags import values as tags_of
from geocli.providers.mmdb import MmdbProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LISTS = 3
_BUDGETS = (12, 100, 1000)
_NOW = 0.0
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {}),
    ("`--max-blocked 1000000`", {"max_blocked": 1_000_000}),
    ("`--innocents 4096`", {"innocents": 4096}),
)


def addresses(path: Path) -> list[str]:
    """The addresses on three block lists and more."""
    lines = (line.split("\t") for line in lzma.decompress(path.read_bytes()).decode().splitlines())
    return [address for address, lists in lines if int(lists) >= _LISTS]


def evidence_of(targets: Sequence[str]) -> Evidence:
    """One ban of each, with its holder."""
    evidence = Evidence(_NOW)
    for record in MmdbProvider([]).records(list(targets), "2026-08-22T00:00:00Z"):
        (tags,) = tags_of([record.ip])
        holder = Holder(record.country_code, record.asn, record.org, listed_kind(tags))
        evidence.add(prefix_of(record.ip), None, None, holder)
    return evidence


def table(targets: Sequence[str]) -> Iterator[str]:
    """The table, as lines of Markdown."""
    evidence = evidence_of(targets)
    busiest = Counter(target.rpartition(".")[0] for target in targets)
    yield "| rules | way | bans held | | addresses blocked | sure to be of the best |"
    yield "|---|---|---|---|---|---|"
    for budget in _BUDGETS:
        plain = sum(count for _, count in busiest.most_common(budget))
        yield _row(budget, "the busiest /24", plain, len(targets), 256 * budget, None)
        for option, settings in _OPTIONS:
            advice = advise(evidence, AllowList([]), Terms(budget)._replace(**settings))
            way = f"advice, {option}" if option else "**advice**"
            yield _row(len(advice.networks), way, advice.held, len(targets), advice.blocked, advice.bound)


def _row(rules: int, way: str, held: int, total: int, blocked: int, bound: float | None) -> str:
    sure = "" if bound is None else f"{100 * bound:.1f} %"
    return f"| {rules:,} | {way} | {held:,} | {100 * held / total:.1f} % | {blocked:,} | {sure} |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for line in table(addresses(Path(sys.argv[1]))):
        print(line)  # noqa: T201 (its output)

"""Measure advice on bans: the tables in docs/advise.md.

    python -m tools.advise_table FILE [ALLOWED...]

FILE, compressed with xz, is ``address<TAB>number of block lists``: those on three lists and more count, each
as one ban of today. Or it is fail2ban's log, judged when it ends. Nobody who is ALLOWED is advised.
"""

from __future__ import annotations

import lzma
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.bans.advice.advice import Terms, advise
from geocli.bans.advice.allowed import AllowList, allowed
from geocli.bans.advice.evidence import Evidence
from geocli.bans.advice.gathered import Holder
from geocli.bans.advice.kinds import listed_kind
from geocli.bans.advice.prefix import prefix_of
from geocli.lookup.tags import values as tags_of
from geocli.providers.mmdb import MmdbProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LISTS = 3
_OPTIONS: dict[str, dict[str, Any]] = {
    "--max-blocked 1000000": {"max_blocked": 1_000_000},
    "--innocents 4096": {"innocents": 4096},
}


class Ban(NamedTuple):
    """A banned address; without a time it is a ban of now."""

    address: str
    banned_at: str | None = None


def bans_of(path: Path) -> list[Ban]:
    """The bans in a log, or the addresses on three block lists and more."""
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    if "\t" in lines[0]:
        fields = (line.split("\t") for line in lines)
        return [Ban(address) for address, lists in fields if int(lists) >= _LISTS]
    words = (line.split() for line in lines if "] Ban " in line)
    return [Ban(rest[-1], f"{day}T{clock.partition(',')[0]}Z") for day, clock, *rest in words]


def evidence_of(bans: Sequence[Ban]) -> Evidence:
    """All of them, with their holders, judged at the last."""
    last = max((ban.banned_at for ban in bans if ban.banned_at), default="1970-01-01T00:00:00Z")
    evidence = Evidence(datetime.fromisoformat(last).timestamp() + 1)
    records = MmdbProvider([]).records([ban.address for ban in bans], "2026-08-22T00:00:00Z")
    for ban, record in zip(bans, records, strict=True):
        (tags,) = tags_of([record.ip])
        holder = Holder(record.country_code, record.asn, record.org, listed_kind(tags))
        evidence.add(prefix_of(record.ip), ban.banned_at, None, holder)
    return evidence


def table(bans: Sequence[Ban], spared: Sequence[str] = ()) -> Iterator[str]:
    """The table, as lines of Markdown. A log is of one server: so few bans need less of it."""
    is_log = bans[0].banned_at is not None
    budgets = (12, 50) if is_log else (12, 100, 1000)
    options = ("", "--innocents 4096") if is_log else ("", *_OPTIONS)
    evidence = evidence_of(bans)
    allow = AllowList(allowed(spared, "--allow"))
    busiest = Counter(ban.address.rpartition(".")[0] for ban in bans)
    yield "| rules | way | bans held | | addresses blocked | sure to be of the best |"
    yield "|---|---|---|---|---|---|"
    for budget in budgets:
        plain = sum(count for _, count in busiest.most_common(budget))
        yield _row(budget, "the busiest /24", plain, len(bans), 256 * budget, None)
        for option in options:
            advice = advise(evidence, allow, Terms(budget)._replace(**_OPTIONS.get(option, {})))
            way = f"advice, `{option}`" if option else "**advice**"
            yield _row(len(advice.networks), way, advice.held, len(bans), advice.blocked, advice.bound)


def _row(rules: int, way: str, held: int, total: int, blocked: int, bound: float | None) -> str:
    sure = "" if bound is None else f"{100 * bound:.1f} %"
    return f"| {rules:,} | {way} | {held:,} | {100 * held / total:.1f} % | {blocked:,} | {sure} |"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for line in table(bans_of(Path(sys.argv[1])), sys.argv[2:]):
        print(line)  # noqa: T201 (its output)

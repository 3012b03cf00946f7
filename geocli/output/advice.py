"""Advice as rows, as a sentence, as a curve, and as rules for a firewall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.output.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geocli.bans.advice.advice import Advice, Advised, LeftOut
    from geocli.bans.advice.backtest import Outcome
    from geocli.bans.advice.prefix import Prefix
    from geocli.bans.advice.systems import System

COLUMNS = (
    "network", "addresses", "bans", "share", "density", "country_code", "asn", "org", "kind", "blocked",
)  # fmt: skip
SYSTEM_COLUMNS = (
    "asn", "org", "kind", "country_code", "networks", "addresses", "bans", "share", "density", "blocked",
)  # fmt: skip
OUTCOME_COLUMNS = ("method", "rules", "blocked", "avoided", "bans", "share", "newcomers")

_BAR = 40


def row(network: Advised, bans: int) -> tuple[object, ...]:
    """The values of ``COLUMNS``, of ``bans`` in all."""
    holder = network.holder
    return (
        str(network.prefix), network.addresses, network.bans, _part(network.bans, bans),
        round(network.density, 4), holder.country_code, holder.asn, holder.org, holder.kind,
        network.prefix.units,
    )  # fmt: skip


def system_row(system: System, bans: int) -> tuple[object, ...]:
    """The values of ``SYSTEM_COLUMNS``, of ``bans`` in all."""
    holder = system.holder
    return (
        holder.asn, holder.org, holder.kind, holder.country_code, len(system.networks), system.addresses,
        system.bans, _part(system.bans, bans), _part(system.addresses, system.blocked), system.blocked,
    )  # fmt: skip


def outcome_row(outcome: Outcome) -> tuple[object, ...]:
    """The values of ``OUTCOME_COLUMNS``."""
    return (
        outcome.method, outcome.rules, outcome.blocked, outcome.avoided, outcome.bans,
        round(outcome.share, 4), outcome.newcomers,
    )  # fmt: skip


def changes(old: Iterable[Prefix], networks: Sequence[Advised], bans: int) -> list[tuple[object, ...]]:
    """``(change, *COLUMNS)``: what is ``new``, then what is ``gone``; of that only the network is known."""
    before = set(old)
    now = {network.prefix for network in networks}
    new = [("new", *row(network, bans)) for network in networks if network.prefix not in before]
    unknown = (None,) * (len(COLUMNS) - 2)
    gone = [("gone", str(prefix), *unknown, prefix.units) for prefix in sorted(before - now)]
    return [*new, *gone]


def sentence(advice: Advice, days: int | None, budget: int) -> str:
    """What it costs and what it holds, and what the next round budget would hold."""
    held = f"hold {_percent(advice.held, advice.bans)} of the {_count(advice.bans, 'ban')}"
    when = f" of {_count(days, 'day')}" if days is not None else ""
    more = next(((rules, bans) for rules, bans in sorted(advice.curve.items()) if rules >= 2 * budget), None)
    would = (
        f"; {more[0]:,} would hold {_percent(more[1], advice.bans)}" if more and more[1] > advice.held else ""
    )
    prefixes = [network.prefix for network in advice.networks]
    return f"{_count(len(prefixes), 'network')}, {blocked(prefixes)}, {held}{when}{would}"


def blocked(prefixes: Iterable[Prefix]) -> str:
    """How many addresses these networks have, for people: ``3,072 addresses and 4 IPv6 /64``."""
    units = {4: 0, 6: 0}
    for prefix in prefixes:
        units[prefix.version] += prefix.units
    parts = [_count(units[4], "address")] if units[4] or not units[6] else []
    if units[6]:
        parts.append(f"{units[6]:,} IPv6 /64")
    return " and ".join(parts)


def left_out(networks: Sequence[LeftOut]) -> list[str]:
    """A sentence for each network that is not advised for somebody's sake."""
    return [
        f"left out: {network.prefix}, {_count(network.bans, 'ban')}, for {', '.join(network.why)}"
        for network in networks
    ]


def curve(held: Mapping[int, int], bans: int) -> str:
    """How much of the bans the best so many rules hold, as bars, for a terminal."""
    if not bans or not held:
        return ""
    width = max(len(f"{rules:,}") for rules in held)
    lines = [
        f"{rules:>{width},} {'█' * round(_BAR * count / bans):<{_BAR}} {_percent(count, bans)}"
        for rules, count in sorted(held.items())
    ]
    return "\n".join(["rules, and the bans that they hold:", *lines, ""])


def rules_of(advice: Advice) -> list[Rule]:
    """The networks as rules, with what is known of each."""
    return [Rule(network.prefix.cidr, _note(network)) for network in advice.networks]


def rules_of_systems(systems: Iterable[System]) -> list[Rule]:
    """The networks of whole AS as rules."""
    return [
        Rule(prefix.cidr, f"AS{system.holder.asn} {system.holder.org or ''}".strip())
        for system in systems
        for prefix in system.networks
    ]


def _note(network: Advised) -> str:
    holder = network.holder
    name = f"AS{holder.asn} {holder.org or ''}".strip() if holder.asn is not None else "holder unknown"
    return f"{_count(network.bans, 'ban')}, {name} ({holder.kind})"


def _part(some: int, all_: int) -> float:
    return round(some / all_, 4) if all_ else 0.0


def _percent(some: int, all_: int) -> str:
    return f"{100 * some / all_:.0f} %" if all_ else "0 %"


def _count(number: int, word: str) -> str:
    plural = "" if number == 1 else "es" if word.endswith("s") else "s"
    return f"{number:,} {word}{plural}"

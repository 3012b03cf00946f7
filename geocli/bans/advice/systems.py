"""Whole AS as rules: the bluntest way, and what goes with it.

An AS is chosen by the weight of its bans, most first. Its networks are those that a database has for it, or,
where none tells them all, those that its banned addresses are in; who is allowed is cut out of them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from geocli.bans.advice.prefix import covering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geocli.bans.advice.allowed import AllowList
    from geocli.bans.advice.evidence import Evidence
    from geocli.bans.advice.gathered import Holder
    from geocli.bans.advice.prefix import Prefix


class System(NamedTuple):
    """An AS with its banned addresses and their bans, and the networks that blocking it takes."""

    holder: Holder
    addresses: int
    bans: int
    networks: Sequence[Prefix] = ()

    @property
    def blocked(self) -> int:
        """The addresses, and IPv6 /64, of its networks."""
        return sum(network.units for network in self.networks)


def worst_systems(evidence: Evidence, budget: int, least_bans: int, spared: Iterable[int]) -> list[System]:
    """The AS whose bans weigh most, without their networks; an AS in ``spared`` is none of them."""
    weights: Counter[int] = Counter()
    bans: Counter[int] = Counter()
    addresses: Counter[int] = Counter()
    holders: dict[int, dict[Holder, tuple[int, int]]] = {}  # by AS: bans of each, and the place of the first
    left_out = set(spared)
    for place, prefix, count, weight, holder in evidence.weighed():
        asn = holder.asn
        if asn is None or asn in left_out:
            continue
        weights[asn] += weight
        bans[asn] += count
        addresses[asn] += prefix.units
        of_system = holders.setdefault(asn, {})
        held, first = of_system.get(holder.of_system, (0, place))
        of_system[holder.of_system] = held + count, min(first, place)
    ranked = sorted((asn for asn in weights if bans[asn] >= least_bans), key=lambda asn: (-weights[asn], asn))
    return [System(_main(holders[asn]), addresses[asn], bans[asn]) for asn in ranked[:budget]]


def _main(holders: Mapping[Holder, tuple[int, int]]) -> Holder:
    """The one with most bans, of two the first that was banned."""
    return min(holders, key=lambda holder: (-holders[holder][0], holders[holder][1]))


def with_networks(
    systems: Sequence[System], networks: Mapping[int, Iterable[Prefix]], allow: AllowList
) -> list[System]:
    """The same with their networks, joined where they touch, by AS number, without who is allowed."""
    return [
        system._replace(networks=_free(networks.get(system.holder.asn or 0, ()), allow)) for system in systems
    ]  # fmt: skip


def _free(networks: Iterable[Prefix], allow: AllowList) -> list[Prefix]:
    spans: list[tuple[int, int, int]] = []
    for prefix in sorted(networks):
        for first, last in allow.without(prefix):
            if spans and spans[-1][0] == prefix.version and first <= spans[-1][2] + 1:
                spans[-1] = (prefix.version, spans[-1][1], max(last, spans[-1][2]))
            else:
                spans.append((prefix.version, first, last))
    return [part for version, first, last in spans for part in covering(version, first, last)]

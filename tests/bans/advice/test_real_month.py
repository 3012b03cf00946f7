"""Advice on a month of real bans: nobody allowed is inside, and no choice would be much better.

What a choice is worth is counted here as docs/advise.md says it, plainly and without geocli's arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice.advice import Terms, advise
from geocli.bans.advice.allowed import AllowList, allowed
from geocli.bans.advice.evidence import Evidence
from geocli.bans.advice.gathered import Holder
from geocli.bans.advice.prefix import prefix_of
from geocli.providers.mmdb import MmdbProvider
from tests.support.examples import examples
from tests.support.real_month import ADMINS, RealBan, real_bans

HALF_LIFE = 30 * 86400
CARE = {"hosting": 1, "cloud": 1, "research": 1, "unknown": 2, "access": 4}
LARGEST = 20
LEAST = 2
BANNED = tuple(sorted({ban.address for ban in real_bans()}, key=ip_address))
NOW = max(datetime.fromisoformat(ban.moment) for ban in real_bans()).timestamp() + 1


@cache
def holders() -> dict[str, Holder]:
    records = MmdbProvider([]).records(list(BANNED), "2026-08-22T00:00:00Z")
    return {record.ip: Holder(record.country_code, record.asn, record.org) for record in records}


def evidence(bans: Iterable[RealBan]) -> Evidence:
    collected = Evidence(NOW)
    for moment, address in bans:
        collected.add(prefix_of(address), moment, None, holders()[address])
    return collected


def of(addresses: Iterable[str]) -> list[RealBan]:
    wanted = set(addresses)
    return [ban for ban in real_bans() if ban.address in wanted]


def worth(networks: Iterable[IPv4Network], bans: Sequence[RealBan], innocents: int) -> float:
    """In bans of now."""
    total = 0.0
    for network in networks:
        held = [ban for ban in bans if ip_address(ban.address) in network]
        addresses = {ban.address for ban in held}
        care = sum(CARE[holders()[address].kind] for address in addresses) / len(addresses)
        ages = (NOW - datetime.fromisoformat(ban.moment).timestamp() for ban in held)
        total += sum(2 ** (-age / HALF_LIFE) for age in ages)
        total -= (network.num_addresses - len(addresses)) * care / innocents
    return total


def choices(bans: Sequence[RealBan], innocents: int) -> dict[IPv4Network, float]:
    """Every network that may be advised, with what it is worth alone."""
    everything = {
        ip_network((ban.address, length), strict=False) for ban in bans for length in range(LARGEST, 33)
    }
    return {
        network: worth([network], bans, innocents)
        for network in everything
        if isinstance(network, IPv4Network)
        and sum(ip_address(ban.address) in network for ban in bans) >= LEAST
    }


def best_by_rules(values: dict[IPv4Network, float], budget: int, most: int | None) -> list[float]:
    """What the best so many networks are worth, of all sets that there are."""
    best = [0.0]
    for rules in range(1, budget + 1):
        sets = (
            chosen
            for chosen in combinations(values, rules)
            if not any(one.overlaps(other) for one, other in combinations(chosen, 2))
            and (most is None or sum(network.num_addresses for network in chosen) <= most)
        )
        best.append(max(best[-1], *(sum(values[network] for network in chosen) for chosen in sets), 0.0))
    return best


def advised(bans: Sequence[RealBan], terms: Terms, allow: Sequence[str] = ()) -> list[IPv4Network]:
    advice = advise(evidence(bans), AllowList(allowed(allow, "spared")), terms)
    networks = [IPv4Network(network.prefix.cidr) for network in advice.networks]
    for network, row in zip(networks, advice.networks, strict=True):
        held = [ban for ban in bans if ip_address(ban.address) in network]
        assert (row.bans, row.addresses) == (len(held), len({ban.address for ban in held}))
    assert advice.bans == len(bans)
    assert advice.held == sum(any(ip_address(ban.address) in n for n in networks) for ban in bans)
    assert advice.blocked == sum(network.num_addresses for network in networks) <= terms.most
    assert len(networks) <= terms.budget
    return networks


@pytest.mark.parametrize("innocents", [256, 4096, 65536])
@pytest.mark.parametrize("budget", [1, 2, 3])
def test_on_the_whole_month_no_choice_of_so_many_networks_is_much_better(budget: int, innocents: int) -> None:
    blocks: dict[IPv4Network, list[str]] = {}
    for address in BANNED:
        blocks.setdefault(IPv4Network((address, LARGEST), strict=False), []).append(address)
    # No network is in two of these, so the best of all is the best way to share the rules among their bests.
    best = [0.0] * (budget + 1)
    for addresses in blocks.values():
        here = best_by_rules(choices(of(addresses), innocents), budget, None)
        best = [max(best[n - k] + here[k] for k in range(n + 1)) for n in range(budget + 1)]
    chosen = advised(real_bans(), Terms(budget, innocents=innocents, max_blocked=1 << 20))
    assert worth(chosen, real_bans(), innocents) >= 0.95 * best[budget] > 0


@pytest.mark.parametrize("innocents", [1024, 65536])
@pytest.mark.parametrize("begin", range(0, len(BANNED) - 6, 6))
def test_no_choice_of_a_part_that_blocks_no_more_is_much_better(begin: int, innocents: int) -> None:
    bans = of(BANNED[begin : begin + 12])
    values = choices(bans, innocents)
    for budget, most in ((1, 64), (2, 200), (2, 1500)):
        best = best_by_rules(values, budget, most)[budget]
        chosen = advised(bans, Terms(budget, innocents=innocents, max_blocked=most))
        assert worth(chosen, bans, innocents) >= 0.95 * best


def beside(address: str, steps: int) -> str:
    return str(IPv4Address((int(IPv4Address(address)) + steps) % (1 << 32)))


spared = st.builds(beside, st.sampled_from(BANNED), st.integers(-3, 3) | st.integers(-2000, 2000))


@examples(150)
@given(
    st.lists(st.tuples(spared, st.sampled_from([32, 32, 32, 30, 27, 24, 20])), min_size=1, max_size=30),
    st.integers(1, 100),
    st.sampled_from([64, 256, 4096, 1 << 16]),
    st.sampled_from([16, 20, 24]),
    st.integers(1, 3),
)
def test_nobody_who_is_allowed_is_ever_inside(
    nets: list[tuple[str, int]], budget: int, innocents: int, largest: int, least: int
) -> None:
    allow = [str(ip_network(net, strict=False)) for net in nets]
    terms = Terms(budget, {4: largest, 6: 48}, least, innocents)
    for network in advised(real_bans(), terms, allow):
        assert not any(network.overlaps(IPv4Network(text)) for text in allow)
        assert network.prefixlen >= largest


def test_who_runs_the_server_would_be_first_without_an_allow_list() -> None:
    alone = advised(real_bans(), Terms())
    assert str(alone[0]) == f"{ADMINS[1]}/32"
    spared = advised(real_bans(), Terms(), ADMINS)
    assert set(alone) - set(spared) == {IPv4Network(address) for address in ADMINS[:2]}

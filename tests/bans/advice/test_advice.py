"""Advice finds what was planted, locks nobody out, and weighs what bans say."""

from __future__ import annotations

import random
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice import choice, forest
from geocli.bans.advice.advice import Advice, Terms, advise, budgets_beside
from geocli.bans.advice.allowed import AllowList, Spared, allowed
from geocli.bans.advice.backtest import Outcome, backtest
from geocli.bans.advice.evidence import HALF_LIFE, Evidence
from geocli.bans.advice.gathered import Gathered, Holder
from geocli.bans.advice.prefix import prefix_of
from geocli.model.addresses import is_reserved
from geocli.model.records import utc_text
from geocli.system import rows
from tests.support.examples import examples

NOW = 1_790_000_000.0
HOSTER = Holder("DE", 24940, "Hetzner Online GmbH")
PROVIDER = Holder("DE", 3320, "Deutsche Telekom AG")
NOBODY = AllowList([])
PLAIN = Terms(innocents=64)
Network = IPv4Network | IPv6Network


def evidence(*bans: tuple[str, str | None, int | None, Holder]) -> Evidence:
    collected = Evidence(NOW)
    for target, *facts in bans:
        collected.add(prefix_of(target), *facts)  # type: ignore[arg-type]  # three of them
    return collected


def cluster(network: str, count: int, holder: Holder = HOSTER) -> list[tuple[str, None, None, Holder]]:
    hosts = list(ip_network(network))
    return [(str(hosts[i * len(hosts) // count]), None, None, holder) for i in range(count)]


def overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def texts(found: Evidence, terms: Terms = PLAIN, allow: AllowList = NOBODY) -> list[str]:
    return [str(network.prefix) for network in advise(found, allow, terms).networks]


places = st.integers(0, 255).map(lambda host: f"45.148.10.{host}") | st.integers(0, 4095).map(
    lambda host: f"2a02:4780:{host >> 4:x}:{host & 15:x}::1"
)
addresses = places | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str)
networks = st.builds(
    lambda address, length: str(ip_network(f"{address}/{length * (1 + (':' in address))}", strict=False)),
    addresses,
    st.integers(8, 32),
)  # fmt: skip


@examples(150)
@given(
    st.lists(st.tuples(addresses | networks, st.integers(1, 30)), min_size=1, max_size=40),
    st.lists(addresses | networks, max_size=8),
    st.integers(1, 30),
    st.integers(1, 3),
    st.sampled_from([8, 16, 20, 24, 32]),
    st.integers(1, 500),
)
def test_nobody_who_is_allowed_is_ever_inside(
    bans: list[tuple[str, int]], spared: list[str], budget: int, least: int, largest: int, innocents: int
) -> None:
    collected = Evidence(NOW)
    for target, count in bans:
        if not ip_address(target.partition("/")[0]).is_unspecified:
            for _ in range(count):
                collected.add(prefix_of(target), None, None, HOSTER)
    allow = AllowList(allowed(spared, "spared"))
    terms = Terms(budget, {4: largest, 6: 2 * largest}, least, innocents)
    advice = advise(collected, allow, terms)
    chosen = [ip_network(network.prefix.cidr) for network in advice.networks]
    for whole in chosen:
        assert not is_reserved(str(whole).removesuffix("/32"))
        assert whole.prefixlen >= (largest if whole.version == 4 else min(2 * largest, 64))
        assert not any(overlap(whole, ip_network(target)) for target in spared)
    assert not any(overlap(a, b) for a, b in combinations(chosen, 2))
    assert len(chosen) <= budget
    assert all(network.bans >= least for network in advice.networks)
    for left in advice.left_out:
        assert left.why
        assert not allow.is_free(left.prefix)
    # The same numbers, counted plainly.
    for network in advice.networks:
        whole = ip_network(network.prefix.cidr)
        assert network.bans == sum(count for target, count in bans if overlap(whole, ip_network(target)))
    assert advice.held <= advice.bans == collected.bans


@pytest.mark.parametrize("seed", range(8))
def test_planted_clusters_are_found(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 (a simulation)
    planted = [
        f"{generator.randrange(11, 99)}.{generator.randrange(256)}.{generator.randrange(256)}.0/24"
        for _ in range(6)
    ] + [f"{generator.randrange(120, 126)}.{generator.randrange(256)}.16.0/22", "2a02:4780:77:ab00::/56"]
    noise = {
        f"{generator.randrange(130, 168)}.{generator.randrange(256)}.{generator.randrange(256)}.{host}"
        for host in range(250)
    }
    collected = evidence(*((address, None, None, PROVIDER) for address in noise))
    for network in planted:
        space = ip_network(network)
        first = int(space.network_address)
        last = int(space.broadcast_address)
        step = max(1, (last - first + 1) // (200 if space.prefixlen < 24 else 60))
        for number in range(first, last + 1, step):
            collected.add(prefix_of(str(ip_address(number))), None, None, HOSTER)
    wanted = {str(prefix_of(network)) for network in planted}
    assert set(texts(collected, Terms(8, max_blocked=10_000))) == wanted
    assert wanted <= set(texts(collected, Terms()))


@examples(60)
@given(
    st.lists(
        st.tuples(addresses | networks, st.integers(1, 3), st.sampled_from([HOSTER, PROVIDER])), max_size=60
    ),
    st.lists(addresses, max_size=4),
    st.integers(1, 30),
    st.sampled_from([None, 50, 5000]),
    st.integers(0, 3),
)
def test_advice_out_of_a_file_is_that_out_of_memory(
    bans: list[tuple[str, int, Holder]], spared: list[str], budget: int, blocked: int | None, most: int
) -> None:
    def advised() -> tuple[Advice, list[Outcome]]:
        gathered, old, late = Gathered(), utc_text(NOW - 9), utc_text(NOW - 5)
        everybody = Spared()
        for place, (target, count, holder) in enumerate(bans):
            for number in range(count):
                gathered.add(prefix_of(target), late if number else old, number * 3, holder)
            if target in spared:
                everybody.add(prefix_of(target).key, place, f"--allow AS{holder.asn}")
        allow = AllowList(allowed(spared, "mine"), everybody)
        terms = Terms(budget, innocents=4096, max_blocked=blocked)
        advice = advise(Evidence(NOW, gathered), allow, terms, [1, 3])
        before, later = Evidence(NOW, gathered, before=late), Evidence(NOW, gathered, since=late)
        return advice, backtest(before, later, allow, terms)

    expected = advised()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "MOST", most)
        patch.setattr(rows, "AT_ONCE", 2)
        patch.setattr(forest, "_AT_ONCE", 1)
        patch.setattr(choice, "_MOST_KEPT", most)
        assert advised() == expected


def test_of_many_that_are_worth_the_same_the_first_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [(f"{octet}.7.7.7", None, None, HOSTER) for octet in range(11, 99)] * 2
    expected = advise(evidence(*twice), NOBODY, PLAIN._replace(budget=5))
    assert [str(network.prefix) for network in expected.networks] == [f"{n}.7.7.7" for n in range(11, 16)]
    monkeypatch.setattr(choice, "_MOST_TIED", 0)
    assert advise(evidence(*twice), NOBODY, PLAIN._replace(budget=5)) == expected


def test_advice_says_what_it_costs() -> None:
    found = evidence(
        *cluster("45.148.10.0/24", 64), *cluster("5.6.7.0/29", 8, PROVIDER), ("9.9.9.9", None, None, HOSTER)
    )
    advice = advise(found, NOBODY, PLAIN._replace(budget=2), [1, 2, 5])
    first, second = advice.networks
    assert (str(first.prefix), first.addresses, first.bans, first.density) == ("45.148.10.0/24", 64, 64, 0.25)
    assert (first.holder, first.holder.kind, first.prefix.units) == (HOSTER, "hosting", 256)
    assert (str(second.prefix), second.density, second.holder.kind) == ("5.6.7.0/29", 1.0, "access")
    assert (advice.bans, advice.addresses, advice.held, advice.blocked) == (73, 73, 72, 264)
    assert advice.curve == {1: 64, 2: 72, 5: 72}
    assert advice.bound == 1


def test_innocent_neighbours_at_an_access_provider_count_more() -> None:
    bans = 4  # of 256 addresses: just enough for a hosting company's network, too few for a provider's
    assert texts(evidence(*cluster("45.148.10.0/24", bans)), PLAIN._replace(budget=1)) == ["45.148.10.0/24"]
    assert texts(evidence(*cluster("45.148.10.0/24", bans, PROVIDER))) == []
    assert texts(evidence(*cluster("45.148.10.0/24", 40, PROVIDER))) == ["45.148.10.0/24"]


def test_a_ban_of_last_year_counts_less_than_one_of_today() -> None:
    old = utc_text(NOW - 6 * HALF_LIFE)
    stale = [(ip, old, None, holder) for ip, _, _, holder in cluster("45.148.10.0/24", 100)]
    fresh = cluster("45.148.20.0/24", 20)
    assert texts(evidence(*stale, *fresh), PLAIN._replace(budget=1)) == ["45.148.20.0/24"]
    assert texts(evidence(*stale), PLAIN._replace(budget=1)) == []  # sixty-fourths of a ban
    assert texts(evidence(*stale), Terms(1, innocents=65536)) == ["45.148.10.0/24"]


def test_who_comes_again_counts_again() -> None:
    twice = [("9.9.9.9", None, None, HOSTER)] * 2
    assert texts(evidence(*twice)) == ["9.9.9.9"]
    assert texts(evidence(*twice[:1])) == []  # fail2ban does that alone
    assert texts(evidence(*twice), PLAIN._replace(min_bans=3)) == []
    # fail2ban's count speaks for bans that the list does not have.
    counted = [("9.9.9.9", None, 12, HOSTER)] * 2
    assert texts(evidence(*counted, *(("9.9.8.8", None, None, HOSTER),) * 3), PLAIN._replace(budget=1)) == [
        "9.9.9.9"
    ]


def test_what_an_allowed_address_keeps_from_being_banned_is_told() -> None:
    found = evidence(*cluster("45.148.10.0/24", 128))
    allow = AllowList(allowed(["45.148.10.3"], "ignoreip of the jail sshd"))
    advice = advise(found, allow, PLAIN._replace(budget=3))
    (left,) = advice.left_out
    assert (str(left.prefix), left.bans) == ("45.148.10.0/24", 128)
    assert left.why == ("45.148.10.3 (ignoreip of the jail sshd)",)
    assert [str(n.prefix) for n in advice.networks] == [
        "45.148.10.128/25",
        "45.148.10.64/26",
        "45.148.10.32/27",
    ]
    assert advise(found, NOBODY, PLAIN._replace(budget=3)).left_out == []


def test_ipv6_is_counted_in_64s() -> None:
    found = evidence(*((f"2a02:4780:1:{i:x}::{j}", None, None, HOSTER) for i in range(4) for j in range(3)))
    (network,) = advise(found, NOBODY, PLAIN).networks
    assert (str(network.prefix), network.addresses, network.bans) == ("2a02:4780:1::/62", 4, 12)
    allow = AllowList(allowed(["2a02:4780:1:2::dead"], "mine"))
    assert texts(found, PLAIN, allow) == ["2a02:4780:1::/63", "2a02:4780:1:3::/64"]


def test_a_network_that_was_banned_is_no_neighbour_of_itself() -> None:
    found = evidence(("45.148.10.0/24", None, None, HOSTER), ("45.148.10.9", None, None, HOSTER))
    (network,) = advise(found, NOBODY, PLAIN).networks
    assert (str(network.prefix), network.addresses, network.bans, network.density) == (
        "45.148.10.0/24",
        256,
        2,
        1,
    )
    assert texts(evidence(*[("45.0.0.0/8", None, None, HOSTER)] * 9)) == []  # wider than what is advised


@pytest.mark.parametrize("most", [1, 40, 256, 300, 512, 1024])
def test_no_more_addresses_are_blocked_than_are_granted(most: int) -> None:
    found = evidence(*cluster("45.148.8.0/22", 512), *cluster("5.6.7.0/24", 60), *cluster("7.7.7.0/26", 30))
    advice = advise(found, NOBODY, Terms(2, max_blocked=most))
    assert advice.blocked <= most
    # No worse than as many networks of one size as fit.
    size = most // 2
    if size:
        length = 33 - size.bit_length()
        fixed = advise(found, NOBODY, Terms(2, {4: length, 6: 64}))
        assert advice.held >= fixed.held


def test_budgets_beside_one_have_a_larger_one() -> None:
    assert budgets_beside(12) == [1, 3, 10, 12, 30]
    assert budgets_beside(100) == [1, 3, 10, 30, 100, 300]
    assert budgets_beside(1)[-1] > 1


def test_nothing_is_advised_out_of_nothing() -> None:
    advice = advise(Evidence(NOW), NOBODY, PLAIN, [1, 2])
    assert (advice.networks, advice.left_out, advice.bans, advice.curve) == ([], [], 0, {1: 0, 2: 0})

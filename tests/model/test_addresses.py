"""One address or network: its canonical form, and whether nobody on the Internet can have it."""

from __future__ import annotations

import csv
import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geocli.inputs.in_text import find_targets
from geocli.model.address_space import is_given_out
from geocli.model.addresses import (
    LONGEST_TARGET,
    is_reserved,
    parse_target,
    split_reserved,
)
from geocli.model.reserved import inner_ipv4
from tests.support.examples import examples
from tests.support.targets import ADDRESSES, V6, Address, Network, canonical, written_targets


@examples(200)
@given(written_targets())
def test_any_spelling_of_a_target_parses_to_the_canonical_one(target: tuple[str, str]) -> None:
    text, expected = target
    assert parse_target(text) == expected
    assert parse_target(f"  {text}\n") == expected
    assert parse_target(expected) == expected


@examples(100)
@given(V6, st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_.~-]{0,15}", fullmatch=True))
def test_a_zone_id_is_cut_off(address: IPv6Address, zone: str) -> None:
    assume(not re.fullmatch(r"..(:..){7}", str(address)))
    assert parse_target(f"{address}%{zone}") == canonical(address)
    assert parse_target(f"{address}%{zone}/32") == canonical(ip_network(f"{address}/32", strict=False))
    if zone[-1] not in "~-" and is_given_out(address.packed):
        assert find_targets(f"on {address}%{zone} up".encode()) == [canonical(address)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "example.com",
        "1.2.3",
        "1.2.3.4.5",
        "010.1.1.1",
        "300.1.1.1",
        "1.2.3.4:22",
        "[::1]",
        "1.2.3.4%eth0",
        "fe80::1%",
        "%eth0",
        "1:2",
        "::1::",
        "aa:bb:cc:dd:ee:ff",
        "1.2.3.4 5.6.7.8",
        "1.2.3.4,5.6.7.8",
        "1.2.3.4-1.2.3.9",
        "AS64500",
        "16909060",
        "0x01020304",
        "\u0661.\u0662.\u0663.\u0664",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3.4/+8",
        "1.2.3.4/ 8",
        "1.2.3.4/x",
        "1.2.3.4/8/8",
        "1.2.3.4/255.255.255.0",
        "1.2.3.4/\u0668",
        "::1/129",
        "::1/",
        "/24",
        "1.2.3.4\n5",
        "\x1b[31m1.2.3.4",
        "\ud800",
        "1" * 100_000,
        "1.2.3.4/" + "1" * 100_000,
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_what_is_no_target_is_refused_in_one_short_printable_line(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (its text is looked at)
        parse_target(text)
    message = str(caught.value)
    assert ascii(text.strip())[1:LONGEST_TARGET].rstrip("'") in message
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 10 * LONGEST_TARGET


def test_a_prefix_that_is_too_long_is_told_how_long_it_may_be() -> None:
    with pytest.raises(ValueError, match="between 0 and 32"):
        parse_target("1.2.3.4/33")
    with pytest.raises(ValueError, match="between 0 and 128"):
        parse_target("::1/129")


def _is_given_out(target: str) -> bool:
    network = ip_network(target)
    return network.version == 4 or is_given_out(network.network_address.packed, network.prefixlen)


@examples(200)
@given(st.one_of(st.text(), st.text(alphabet="0123456789abcdf:./% x", max_size=30)))
@example("1.2.3.4/24")
@example("fe80::1%eth0/64")
def test_any_argument_is_a_target_or_a_value_error(text: str) -> None:
    try:
        target = parse_target(text)
    except ValueError:
        return
    assert parse_target(target) == target
    if not re.fullmatch(r"..(:..){7}", target) and _is_given_out(target):
        assert find_targets(target.encode()) == [target]


# --- reserved -----------------------------------------------------------------------------------------

IANA = Path(__file__).parents[1] / "fixtures" / "iana" / "special-purpose.csv"
# What the registries leave open. The first leads nowhere any more; the second was given back.
NOT_APPLICABLE = {"192.88.99.0/24": True, "2001::/32": True, "2001:10::/28": False, "2002::/16": True}
# Multicast (RFC 5771, RFC 4291); what is not global unicast (2000::/3) is not assigned to anybody.
OTHERS = {"0.0.0.0/0": True, "224.0.0.0/4": False, "::/0": False, "2000::/3": True, "ff00::/8": False}


def registry() -> dict[str, bool]:
    """Each block with whether it is globally reachable; the most specific one decides."""
    with IANA.open(encoding="utf-8", newline="") as file:
        rows = [(row["Address Block"], row["Globally Reachable"]) for row in csv.DictReader(file)]
    return OTHERS | {
        block: NOT_APPLICABLE[block] if reachable == "N/A" else reachable == "True"
        for block, reachable in rows
    }


REGISTRY: list[tuple[Network, bool]] = [
    (ip_network(text), reachable) for text, reachable in registry().items()
]
NAT64, SIX_TO_FOUR, TEREDO = map(IPv6Network, ("64:ff9b::/96", "2002::/16", "2001::/32"))
# They lead to the IPv4 address in it.
REGISTRY += [
    (
        IPv6Network((int(outer[0]) + (int(network[0]) << shift), outer.prefixlen + network.prefixlen)),
        reachable,
    )
    for outer, shift in ((NAT64, 0), (SIX_TO_FOUR, 80))
    for network, reachable in REGISTRY
    if isinstance(network, IPv4Network)
]


def oracle_of_address(address: Address) -> bool:
    if address in TEREDO:
        return oracle_of_address(IPv4Address(~int(address) & 0xFFFFFFFF))
    holding = [
        (network.prefixlen, reachable)
        for network, reachable in REGISTRY
        if network.version == address.version and address in network
    ]
    return not max(holding)[1]


EDGES: dict[int, list[int]] = {
    version: sorted(
        {
            edge
            for network, _ in REGISTRY
            if network.version == version
            for edge in (int(network[0]), int(network[-1]) + 1)
        }
    )
    for version in (4, 6)
}


def oracle_of_network(network: Network) -> bool:
    """Whether all of a network is reserved: nothing changes between two edges."""
    if isinstance(network, IPv6Network) and network.subnet_of(TEREDO):
        return network.prefixlen >= 96 and oracle_of_network(
            IPv4Network((~int(network[-1]) & 0xFFFFFFFF, network.prefixlen - 96))
        )
    kind = type(network[0])
    first, last = int(network[0]), int(network[-1])
    points = [first, *(edge for edge in EDGES[network.version] if first < edge <= last)]
    return all(oracle_of_address(kind(point)) for point in points)


ALL_EDGES: list[Address] = [
    kind(edge + step)
    for version, kind in ((4, IPv4Address), (6, IPv6Address))
    for edge in EDGES[version]
    for step in (-2, -1, 0, 1)
    if 0 <= edge + step < 2 ** (32 if version == 4 else 128)
]


def test_the_edges_of_special_ranges_are_where_the_registries_have_them() -> None:
    # No target is spelt as mapped.
    edges = [address for address in ALL_EDGES if not getattr(address, "ipv4_mapped", None)]
    assert [address for address in edges if is_reserved(str(address)) is not oracle_of_address(address)] == []


@examples(250)
@given(st.one_of(st.sampled_from(ALL_EDGES), ADDRESSES), st.integers(-300, 300))
def test_an_address_is_reserved_where_the_registries_say_so(near: Address, step: int) -> None:
    number = int(near) + step
    assume(0 <= number < 2**near.max_prefixlen)
    address = type(near)(number)
    assert is_reserved(parse_target(str(address))) is oracle_of_address(
        getattr(address, "ipv4_mapped", None) or address
    )


@examples(250)
@given(st.one_of(st.sampled_from(ALL_EDGES), ADDRESSES), st.integers(0, 128))
def test_a_network_is_reserved_only_when_all_of_it_is(near: Address, prefix: int) -> None:
    assume(prefix <= near.max_prefixlen)
    network = ip_network(f"{near}/{prefix}", strict=False)
    target = parse_target(str(network))
    assert is_reserved(target) is oracle_of_network(ip_network(target))


def test_every_special_range_and_what_is_around_it_agrees_with_the_registries() -> None:
    around = {
        network.supernet(new_prefix=prefix)
        for network, _ in REGISTRY
        for prefix in range(network.prefixlen + 1)
    }
    targets = [parse_target(str(network)) for network in around]
    wrong = [target for target in targets if is_reserved(target) is not oracle_of_network(ip_network(target))]
    assert wrong == []


def test_every_entry_of_ianas_registries_is_answered_as_it_says() -> None:
    has_exceptions = {"192.0.0.0/24", "2001::/23", "::/0", "0.0.0.0/0"}
    wrong = []
    for block, reachable in registry().items():
        network = ip_network(block)
        if network.version == 6 and network[0].ipv4_mapped:
            continue  # no target is spelt so
        first, target = str(network[0]), parse_target(block)
        answered = (is_reserved(first), is_reserved(target))
        wrong += [block] * (answered != (oracle_of_address(network[0]), oracle_of_network(network)))
        if block not in has_exceptions:
            wrong += [block] * (not reachable and not is_reserved(target))
            wrong += [block] * (reachable and network.version == 4 and is_reserved(first))
    assert wrong == []


@pytest.mark.parametrize(
    ("target", "inside"),
    [
        ("64:ff9b::808:808", "8.8.8.8"),
        ("64:ff9b::", "0.0.0.0"),
        ("64:ff9b::505e:5f00/120", "80.94.95.0/24"),
        ("64:ff9b::/96", "0.0.0.0/0"),
        ("64:ff9b::/95", None),
        ("64:ff9b:1::808:808", None),
        ("64:ff9b::1:808:808", None),
        ("2002:808:808::1", "8.8.8.8"),
        ("2002:808:808:1:2:3:4:5", "8.8.8.8"),
        ("2002:808:808::/48", "8.8.8.8"),
        ("2002:808:800::/40", "8.8.8.0/24"),
        ("2002::/16", "0.0.0.0/0"),
        ("2002::/15", None),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ("2001::f7f7:f7f7", "8.8.8.8"),
        ("2001::f7f7:f700/120", "8.8.8.0/24"),
        ("2001::/32", None),
        ("2001:0:1::/64", None),
        ("2001:4860:4860::8888", None),
        ("2001:db8::1", None),
        ("2001:1::1", None),
        ("2000::1", None),
        ("8.8.8.8", None),
        ("8.8.8.0/24", None),
        ("::ffff:0:808:808", None),
    ],
)
def test_what_is_inside_of_an_address_of_a_transition(target: str, inside: str | None) -> None:
    assert parse_target(target) == target
    assert inner_ipv4(target) == inside


@given(st.ip_addresses(v=4), st.integers(0, 2**63))
def test_an_address_of_a_transition_is_reserved_where_what_is_inside_is(
    address: IPv4Address, rest: int
) -> None:
    number = int(address)
    outer = [
        IPv6Address(int(NAT64[0]) + number),
        IPv6Address(int(SIX_TO_FOUR[0]) + (number << 80) + rest),
        IPv6Address(int(TEREDO[0]) + (rest << 32) + (~number & 0xFFFFFFFF)),
    ]
    for one in outer:
        assert inner_ipv4(str(one)) == str(address)
        assert is_reserved(str(one)) is is_reserved(str(address))


PARTLY_RESERVED = """
    0.0.0.0/0 192.0.0.0/24 192.0.0.8/29 172.0.0.0/8 192.0.0.0/3 126.0.0.0/7
    ::/0 2000::/3 2001::/23 2001:2::/31 3ffe::/15 64:ff9b::/96 64:ff9b::a00:0/103 64::/16
"""


@pytest.mark.parametrize("target", PARTLY_RESERVED.split())
def test_a_network_partly_outside_of_a_reserved_range_is_not_reserved(target: str) -> None:
    assert not is_reserved(target)


@examples(200)
@given(ADDRESSES)
def test_what_the_standard_library_calls_local_or_multicast_is_reserved(address: Address) -> None:
    plain = ip_address(parse_target(str(address)))
    if plain.is_loopback or plain.is_link_local or plain.is_multicast or plain.is_unspecified:
        assert is_reserved(str(plain))


@given(st.lists(st.ip_addresses().map(str)))
def test_targets_are_split_as_each_by_itself(targets: list[str]) -> None:
    reserved, others = split_reserved(targets)
    assert reserved == list(filter(is_reserved, targets))
    assert others == [target for target in targets if not is_reserved(target)]

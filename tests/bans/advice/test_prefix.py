"""Prefixes are the networks that ``ipaddress`` knows."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network, summarize_address_range

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice.prefix import Prefix, covering, prefix_of


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_an_ipv4_network_keeps_its_text(number: int, length: int) -> None:
    network = ip_network((number, length), strict=False)
    prefix = prefix_of(str(network))
    assert prefix.cidr == str(network)
    assert str(prefix) == str(network).removesuffix("/32")
    assert (prefix.units, prefix.first) == (network.num_addresses, int(network.network_address))
    assert prefix.last == int(network.broadcast_address)


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_an_ipv6_network_is_its_64s(number: int, length: int) -> None:
    network = ip_network((IPv6Address(number), length), strict=False)
    prefix = prefix_of(str(network))
    assert ip_network(str(prefix)) == (network if length <= 64 else network.supernet(new_prefix=64))
    assert prefix.units == 2 ** max(0, 64 - length)


@pytest.mark.parametrize("text", ["", "host", "1.2.3", "1.2.3.4/x", "::1/", "1.2.3.4/40", "1.2.3.4/-1", "\0"])
def test_other_text_is_none(text: str) -> None:
    if text == "::1/":
        assert prefix_of(text) == prefix_of("::1")
        return
    with pytest.raises(ValueError, match="neither an address nor a network"):
        prefix_of(text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_is_covered_by_the_fewest_prefixes(one: int, other: int) -> None:
    first, last = sorted((one, other))
    summary = summarize_address_range(IPv4Address(first), IPv4Address(last))
    assert [prefix.cidr for prefix in covering(4, first, last)] == [str(network) for network in summary]


def test_all_of_ipv6_is_one_prefix() -> None:
    assert covering(6, 0, 2**64 - 1) == [Prefix(6, 0, 0)]

"""The allow list is its addresses, reserved space, and nothing else."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice.allowed import AllowList, allowed
from geocli.bans.advice.prefix import Prefix, prefix_of
from geocli.model.addresses import is_reserved
from geocli.model.reserved import reserved_networks

near = st.integers(0, 255).map(lambda host: f"45.148.10.{host}")
parts = st.builds(
    lambda address, length: str(ip_network(f"{address}/{length}", strict=False)), near, st.integers(22, 32)
)


@given(st.lists(parts, max_size=6), parts)
def test_a_network_is_free_when_none_of_its_addresses_is_allowed(spared: list[str], network: str) -> None:
    allow = AllowList(allowed(spared, "mine"))
    taken = {address for target in spared for address in ip_network(target)}
    left = [int(address) for address in ip_network(network) if address not in taken]
    prefix = prefix_of(network)
    assert allow.is_free(prefix) == (len(left) == prefix.units)
    assert [n for first, last in allow.without(prefix) for n in range(first, last + 1)] == left
    assert bool(allow.reasons(prefix)) == (len(left) < prefix.units)


def test_reserved_space_is_always_allowed() -> None:
    allow = AllowList([])
    for text in (
        "10.0.0.0/8",
        "192.168.7.7",
        "127.0.0.1",
        "100.64.0.0/12",
        "fe80::/64",
        "2001:db8:1::/48",
        "::/64",
    ):
        assert not allow.is_free(prefix_of(text)), text
        assert "private or reserved space" in allow.reasons(prefix_of(text))[0]
    for text in ("8.8.8.8", "11.0.0.0/8", "2a02:4780::/32", "2001:4860:4860::/48"):
        assert allow.is_free(prefix_of(text)), text
        assert allow.reasons(prefix_of(text)) == ()
    assert not allow.is_free(Prefix(4, 0, 0))


def test_the_reserved_networks_are_all_that_is_reserved() -> None:
    networks = [ip_network(text) for text in reserved_networks()]
    for network in networks:
        assert is_reserved(str(network)) or str(network).startswith("::"), network
    edges = [
        address
        for network in networks
        for address in (int(network.network_address) - 1, int(network.broadcast_address) + 1)
        if 0 < address < (1 << network.max_prefixlen)
    ]
    for edge in edges:
        for address in {ip_address(edge), ip_address(edge % (1 << 32))}:
            if address in ip_network("2001::/32"):
                continue  # Teredo: the end of an address decides
            inside = any(address.version == network.version and address in network for network in networks)
            assert inside == is_reserved(str(address)), address

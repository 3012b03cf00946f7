from __future__ import annotations

from ipaddress import IPv4Address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb import known
from geocli.mmdb.known import KnownNetworks

# Few enough that they meet.
ADDRESSES = st.builds(
    lambda high, low: str(IPv4Address(high << 28 | low)), st.integers(0, 3), st.integers(0, 4095)
)
QUESTIONS = st.lists(st.tuples(ADDRESSES, st.integers(0, 32)), max_size=60)


@given(QUESTIONS, st.lists(ADDRESSES, max_size=60))
def test_what_is_found_is_what_was_said_about_a_network_around_it(
    added: list[tuple[str, int]], asked: list[str]
) -> None:
    networks: KnownNetworks[str] = KnownNetworks()
    for address, prefix in added:
        networks.add(address, prefix, str(ip_network((address, prefix), strict=False)))
    for address in asked:
        found = networks.find(address)
        assert found is None or IPv4Address(address) in ip_network(found)
    for address, prefix in added:
        assert (networks.find(address) is not None) or prefix > 24


def test_nothing_is_known_about_ipv6_and_single_addresses() -> None:
    networks: KnownNetworks[int] = KnownNetworks()
    networks.add("2001:db8::1", 16, 1)
    networks.add("2001:db8::192.0.2.1", 16, 1)
    networks.add("192.0.2.1", 32, 1)
    assert networks.find("2001:db8::1") is networks.find("192.0.2.1") is networks.find("192.0.2.2") is None


def test_memory_is_bounded() -> None:
    networks: KnownNetworks[int] = KnownNetworks()
    for number in range(known._MOST + 10):
        networks.add(str(IPv4Address(number << 8)), 24, number)
    assert len(networks._values) <= known._MOST
    assert networks.find(str(IPv4Address(known._MOST + 9 << 8 | 5))) == known._MOST + 9

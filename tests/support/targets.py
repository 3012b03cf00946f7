"""Addresses to look up, and addresses and networks as somebody may write them."""

from __future__ import annotations

import random
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from hypothesis import assume
from hypothesis import strategies as st

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAPPED = IPv6Network("::ffff:0:0/96")


def addresses(count: int) -> list[str]:
    """So many distinct public addresses, always the same."""
    chosen = random.Random(5200)  # noqa: S311 (not a secret)
    found: dict[str, None] = {}
    while len(found) < count:
        found[f"{chosen.choice([5, 23, 45, 91, 185])}.{chosen.randrange(256)}.{chosen.randrange(256)}.1"] = (
            None
        )
    return list(found)


def canonical(thing: Address | Network) -> str:
    """What geocli must call an address or a network, told by ``ipaddress`` alone."""
    if isinstance(thing, IPv6Address):
        return str(thing.ipv4_mapped or thing)
    if isinstance(thing, IPv6Network) and thing.subnet_of(MAPPED):
        mapped = thing.network_address.ipv4_mapped
        assert mapped is not None
        thing = IPv4Network((int(mapped), thing.prefixlen - 96))
    if isinstance(thing, (IPv4Network, IPv6Network)) and thing.prefixlen == thing.max_prefixlen:
        return str(thing.network_address)
    return str(thing)


V4 = st.ip_addresses(v=4)
V6 = st.one_of(
    st.ip_addresses(v=6),
    st.builds(lambda address: IPv6Address((0xFFFF << 32) + int(address)), V4),
    st.builds(
        lambda mask, number: IPv6Address(number & sum(0xFFFF << 16 * i for i in range(8) if mask >> i & 1)),
        st.integers(0, 255),
        st.integers(0, 2**128 - 1),
    ),
)
ADDRESSES: st.SearchStrategy[Address] = st.one_of(V4, V6)
# In space that IANA has given out: what is taken for an address in text.
GIVEN_OUT_V6 = st.one_of(
    V6.map(lambda address: IPv6Address(int(address) % (1 << 125) | 1 << 125)),  # 2000::/3
    V6.map(lambda address: IPv6Address(int(address) % (1 << 121) | 0xFC << 120)),
    V6.map(lambda address: IPv6Address(int(address) % (1 << 64) | 0xFE80 << 112)),
    V4.map(lambda address: IPv6Address(int(address) | 0xFFFF << 32)),
    V4.map(lambda address: IPv6Address(int(address) | 0x64FF9B << 96)),
    V4.map(lambda address: IPv6Address(int(address))),
)
GIVEN_OUT: st.SearchStrategy[Address] = st.one_of(V4, GIVEN_OUT_V6)


def with_dotted_end(address: IPv6Address) -> str:
    groups = address.exploded.split(":")
    return ":".join(groups[:6]) + f":{IPv4Address(int(address) & 0xFFFFFFFF)}"


@st.composite
def spellings(draw: st.DrawFn, addresses: st.SearchStrategy[Address] = ADDRESSES) -> tuple[str, Address]:
    """An address and one of the ways in which it may be written."""
    address = draw(addresses)
    if isinstance(address, IPv4Address):
        return str(address), address
    spelling = draw(st.sampled_from(["short", "exploded", "dotted"]))
    text = {"short": str(address), "exploded": address.exploded, "dotted": with_dotted_end(address)}[spelling]
    if draw(st.booleans()):
        text = text.upper()
    # Eight groups of two digits are an EUI-64.
    assume(not re.fullmatch(r"..(:..){7}", text))
    return text, address


@st.composite
def written_targets(draw: st.DrawFn, addresses: st.SearchStrategy[Address] = ADDRESSES) -> tuple[str, str]:
    """An address or a network as somebody may write it, and its canonical form."""
    text, address = draw(spellings(addresses))
    if draw(st.booleans()):
        return text, canonical(address)
    prefix = draw(st.integers(0, address.max_prefixlen))
    return f"{text}/{prefix}", canonical(ip_network(f"{address}/{prefix}", strict=False))

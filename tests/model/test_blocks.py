"""Blocks: what is inside, and how its text begins."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from geocli.model.addresses import parse_target
from geocli.model.blocks import Block, block_of

# Groups of zeros are what shortens the text of IPv6.
_V6 = st.lists(st.sampled_from(["0", "1", "db8", "2001", "ffff"]), min_size=8, max_size=8).map(":".join)
_ADDRESSES = st.one_of(st.ip_addresses(v=4).map(str), _V6, st.ip_addresses(v=6).map(str)).map(parse_target)


def block(text: str) -> Block:
    found = block_of(text)
    assert found is not None
    return found


@given(_ADDRESSES, st.integers(0, 128), st.integers(0, 128), st.integers(0, (1 << 128) - 1))
def test_what_is_inside_begins_as_the_block_says_and_is_held(
    address: str, length: int, inner: int, number: int
) -> None:
    one = block(address)
    outer = one.around(length)
    assert outer.text == parse_target(str(ip_network((address, outer.length), strict=False)))
    inside = Block(one.version, outer.first | (number & (outer.last - outer.first)), one.length).around(
        max(inner, outer.length)
    )
    assert inside.text.startswith(outer.starting)
    assert outer.holds(inside.text)
    assert outer.text in inside.covering() or outer.length == 0
    assert inside.holds(outer.text) == (inside == outer)


@given(_ADDRESSES, _ADDRESSES, st.integers(0, 128))
def test_what_is_outside_is_not_held(address: str, other: str, length: int) -> None:
    outer = block(address).around(length)
    network = ip_network(outer.text)
    assert outer.holds(other) == (ip_address(other) in network)
    assert not outer.holds("root")
    assert not outer.holds(f"{other}/x")

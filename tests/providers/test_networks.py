"""The networks of a country, an AS or a holder are exactly those about whose addresses look-ups say so."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv6Address,
    collapse_addresses,
    ip_address,
    ip_network,
    summarize_address_range,
)
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.downloads.installed import file_name
from geocli.mmdb.networks import Network, Wanted
from geocli.model.addresses import (
    canonical_address,
    is_reserved,
)
from geocli.model.errors import DamagedFileError
from geocli.model.ranges import blocks
from geocli.model.reserved import inner_ipv4, public_ranges, reserved_networks
from geocli.providers.mmdb import MmdbProvider
from tests.conftest import write_mmdb
from tests.mmdb import handmade
from tests.support.examples import examples

BITS = {4: 32, 6: 128}
SPACES = ["5.0.0.0/8", "9.9.9.0/24", "192.0.2.0/24", "10.0.0.0/8", "2600::/16", "2001::/20", "2002::/16"]
ANSWERS = [
    {"country_code": "DE"},
    {"country_code": "FR", "asn": "AS64500", "as_name": "Kabel Süd"},
    {"asn": "AS64501", "as_name": "KABEL Nord"},
    {"country_code": "DE", "asn": "AS64501"},
    {"as_name": "Kabel"},
]
WANTED = [
    Wanted(frozenset({"DE"})),
    Wanted(frozenset({"DE", "FR"})),
    Wanted(asns=frozenset({64501})),
    Wanted(names=("kabel",)),
    Wanted(frozenset({"FR"}), frozenset({64500, 64501}), ("süd", "nord")),
]


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A network in one of a few stretches, so that they come to lie in and beside each other."""
    space = ip_network(draw(st.sampled_from(SPACES)))
    length = draw(st.integers(space.prefixlen, min(space.prefixlen + 10, space.max_prefixlen)))
    steps = length - space.prefixlen
    number = draw(st.integers(0, (1 << steps) - 1))
    first = int(space.network_address) + (number << space.max_prefixlen - length)
    return f"{ip_address(first)}/{length}"


def edges(texts: Iterator[str] | list[str]) -> Iterator[str]:
    """The addresses around both ends of networks: between them, no answer changes."""
    for text in texts:
        network = ip_network(text)
        first, last = int(network.network_address), int(network.broadcast_address)
        for number in (first - 1, first, last, last + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                yield str(type(network.network_address)(number))


def is_in(address: str, found: list[Network]) -> bool:
    parsed = ip_address(address)
    return any(one.version == parsed.version and one.first <= int(parsed) <= one.last for one in found)


def looked_up(provider: MmdbProvider, address: str, wanted: Wanted) -> bool:
    """What a look-up would say, by its own way."""
    if is_reserved(address):
        return False
    (record,) = provider.records([address], "2026-11-23T12:00:00Z")
    return (
        (not wanted.countries or record.country_code in wanted.countries)
        and (not wanted.asns or record.asn in wanted.asns)
        and (not wanted.names or any(name in (record.org or "").casefold() for name in wanted.names))
    )


@examples(60)
@given(
    st.lists(st.dictionaries(networks(), st.sampled_from(ANSWERS), max_size=8), min_size=1, max_size=3),
    st.sampled_from(WANTED),
    st.sampled_from([24, 28, 32]),
)
def test_networks_are_exactly_the_databases(
    tmp_path: Path, contents: list[dict[str, Any]], wanted: Wanted, size: int
) -> None:
    files = []
    for number, content in enumerate(contents):
        content["1.1.1.0/24"] = ANSWERS[1]  # a file of which geocli can use nothing is refused
        written = write_mmdb(tmp_path, f"written{number}", content)
        files.append(handmade.repacked(written, tmp_path / f"db{number}.mmdb", size))
    provider = MmdbProvider(files)
    found = list(provider.networks(wanted, (4, 6)))
    spans = [(one.version, one.first, one.last) for one in found]
    assert spans == sorted(spans)
    assert all(a[0] != b[0] or a[2] < b[1] for a, b in pairwise(spans))
    for address in dict.fromkeys(
        edges([*(n for content in contents for n in content), *reserved_networks()])
    ):
        parsed = ip_address(address)
        if canonical_address(parsed) != address or inner_ipv4(address):
            assert not is_in(address, found)
        else:
            assert is_in(address, found) == looked_up(provider, address, wanted), address


@given(st.sampled_from([4, 6]), st.data())
def test_blocks_are_the_fewest_networks_of_a_range(version: int, data: st.DataObject) -> None:
    most = (1 << BITS[version]) - 1
    numbers = st.one_of(st.integers(0, most), st.integers(0, 300), st.integers(most - 300, most))
    first, last = sorted((data.draw(numbers), data.draw(numbers)))
    kind: Any = IPv4Address if version == 4 else IPv6Address
    assert list(blocks(first, last, BITS[version])) == [
        (int(one.network_address), one.prefixlen)
        for one in collapse_addresses(summarize_address_range(kind(first), kind(last)))
    ]


def test_public_ranges_are_what_is_neither_reserved_nor_in_transition() -> None:
    for version in (4, 6):
        ranges = public_ranges(version)
        assert ranges == sorted(ranges)
        for address in edges(reserved_networks()):
            parsed = ip_address(address)
            if parsed.version == version and canonical_address(parsed) == address:
                expected = not is_reserved(address) and not inner_ipv4(address)
                assert any(a <= int(parsed) <= b for a, b in ranges) == expected, address
    assert not any(
        a <= int(ip_address(text)) <= b
        for text in ("2001::1", "2002::", "2002:808:808::1", "64:ff9b::808:808")
        for a, b in public_ranges(6)
    )


DE = Wanted(frozenset({"DE"}))


def found_in(file: Path, wanted: Wanted = DE) -> list[tuple[int, int, int]]:
    return [found[:3] for found in MmdbProvider([file]).networks(wanted, (4, 6))]


def test_the_order_of_nodes_in_a_file_does_not_matter(tmp_path: Path) -> None:
    """Nodes that stand behind what is below them, and a node that stands in two places."""
    record = handmade.encode({"country_code": "DE"})
    leaf, empty = 4 + 16, 4
    # 0 is the root; 0... -> 3 -> 2 -> 1, and 1... -> 3 too.
    file = handmade.write(tmp_path / "db.mmdb", [(3, 3), (leaf, empty), (1, empty), (2, empty)], record)
    # 0.0.0.0/4 without 0.0.0.0/8 and 10.0.0.0/8, which are reserved; 128.0.0.0/4.
    assert found_in(file)[-1] == (4, 128 << 24, (144 << 24) - 1)
    assert {first >> 28 for _, first, _ in found_in(file)} == {0, 8}
    assert sum(last - first + 1 for _, first, last in found_in(file)) == (14 + 16) << 24


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(1, 1), (0, 18)], id="a circle"),
        pytest.param([*((n + 1, n + 1) for n in range(40)), (57, 41)], id="more bits than an address has"),
    ],
)
def test_a_tree_that_leads_nowhere_is_damaged(tmp_path: Path, pairs: list[tuple[int, int]]) -> None:
    file = handmade.write(tmp_path / "db.mmdb", pairs, handmade.encode({"country_code": "DE"}))
    with pytest.raises(DamagedFileError, match="leads nowhere"):
        found_in(file)


def test_a_small_file_with_too_many_networks_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each node has the next one on both sides: 2^31 networks."""
    monkeypatch.setattr("geocli.mmdb.networks._MOST_STEPS", 10_000)
    pairs = [*((n + 1, n + 1) for n in range(31)), (32 + 16, 32)]
    file = handmade.write(tmp_path / "db.mmdb", pairs, handmade.encode({"country_code": "DE"}))
    with pytest.raises(DamagedFileError, match="leads nowhere"):
        found_in(file)


@pytest.mark.slow
@pytest.mark.parametrize("downloads", [("places", "holders"), ("holders",)])
def test_of_several_downloads_each_leads_where_look_ups_let_it(
    tmp_path: Path, downloads: tuple[str, ...]
) -> None:
    """A newer database of holders, and one of countries or the embedded one."""
    directory = tmp_path / "mmdb"
    directory.mkdir(mode=0o700)
    contents = {
        "places": {"9.9.0.0/16": ANSWERS[1], "8.8.8.0/24": ANSWERS[0], "2600:9000::/28": ANSWERS[3]},
        "holders": {"9.9.9.0/25": ANSWERS[2], "8.8.0.0/16": ANSWERS[3], "2600:9000:f000::/36": ANSWERS[1]},
    }
    gives = {"places": ("country", "city"), "holders": ("asn",)}
    for name in downloads:
        written = write_mmdb(tmp_path, name, contents[name])
        written.rename(directory / file_name(name, "2031-01-01", gives[name]))
    provider = MmdbProvider([], directory)
    for wanted in (
        Wanted(asns=frozenset({64501, 16509})),
        Wanted(frozenset({"US", "FR"}), frozenset({64500, 64501})),
        Wanted(names=("kabel",)),
    ):
        found = list(provider.networks(wanted, (4, 6)))
        assert found
        for address in edges([network for content in contents.values() for network in content]):
            assert is_in(address, found) == looked_up(provider, address, wanted), (address, wanted)
        for version, first, last, _ in found[:: max(1, len(found) // 50)]:
            kind: Any = IPv4Address if version == 4 else IPv6Address
            assert looked_up(provider, str(kind(first)), wanted)
            assert looked_up(provider, str(kind(last)), wanted)

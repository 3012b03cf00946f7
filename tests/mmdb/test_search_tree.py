"""The search tree walked for many addresses says what the database says about each, byte for byte."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.reader import Database
from geocli.mmdb.search_tree import Tree
from geocli.model.addresses import parse_target
from geocli.model.record_batch import RecordBatch
from geocli.providers.mmdb import MmdbProvider
from tests.conftest import MakeMmdb, write_mmdb
from tests.support.targets import GIVEN_OUT_V6

NOW = "2026-11-25T00:00:00Z"
NETWORKS: Mapping[str, Any] = {
    "1.0.0.0/8": {"country": {"iso_code": "AU"}},
    "1.2.0.0/17": {"country": {"iso_code": "NZ"}},
    "1.2.3.0/24": {"country": {"iso_code": "DE"}, "autonomous_system_number": 24940},
    "1.2.3.4/32": {"country": {"iso_code": "FR"}},
    "128.0.0.0/1": {"country": {"iso_code": "US"}},
    "2001:4860::/32": {"country": {"iso_code": "US"}},
    "2001:4860:4860::/48": {"country": {"iso_code": "CA"}},
    "2001:4860:4860:0:8000::/65": {"country": {"iso_code": "MX"}},
    "2001:4860:4860::8844/128": {"country": {"iso_code": "BR"}},
    "2000::/12": {"country": {"iso_code": "JP"}},
    "2a00::/11": {"country": {"iso_code": "GB"}},
    "fd00::/8": {"country": {"iso_code": "IS"}},
}
EDGES = [
    "1.0.0.0", "1.255.255.255", "1.2.0.0", "1.2.127.255", "1.2.128.0", "1.2.2.255", "1.2.3.0", "1.2.3.3",
    "1.2.3.4", "1.2.3.5", "1.2.3.255", "1.2.4.0", "2.0.0.1", "127.255.255.255", "128.0.0.0",
    "223.255.255.255", "2001:4860::", "2001:4860:4860::8843", "2001:4860:4860::8844", "2001:4860:4860::8845",
    "2001:4860:4860:0:7fff:ffff:ffff:ffff", "2001:4860:4860:0:8000::", "2001:4860:4861::", "2001:4861::",
    "2a00::1", "2a1f:ffff:ffff:ffff::1", "2a20::", "3fff::1", "2001:db8::1", "64:ff9b::102:304",
    "2002:102:304::1", "2001:0:4136:e378:8000:63bf:fefd:fcfb", "::1", "fd00::1", "fe80::1",
]  # fmt: skip
ADDRESSES = st.lists(st.ip_addresses(v=4).map(str), unique=True, min_size=1)
V6 = st.one_of(
    GIVEN_OUT_V6,
    st.sampled_from(["2001:4860:", "2a01:4f8:", "2001:", "2600:"]).map(lambda head: f"{head}4860::8844"),
).map(lambda address: parse_target(str(address)))
MIXED = st.lists(
    st.one_of(
        st.ip_addresses().map(str),
        V6,
        st.sampled_from(
            [*EDGES, "1.2.0.0/16", "1.2.3.0/24", "0.0.0.0/0", "2001:4860::/40", "64:ff9b::102:300/120"]
        ),
    ),
    unique=True,
    min_size=1,
)


def walking(files: list[Path]) -> MmdbProvider:
    """A provider that has been asked so much that it walks the tree."""
    made = MmdbProvider(files)
    opened = made._databases()
    opened._forest = opened._planted()
    assert opened._forest is not None
    return made


def same(files: list[Path], targets: list[str]) -> None:
    assert walking(files).batch(targets, NOW).records() == MmdbProvider(files).records(targets, NOW)


@pytest.mark.parametrize("record_size", [24, 28, 32])
@pytest.mark.parametrize("ip_version", [4, 6])
def test_every_size_of_record_is_understood(make_mmdb: MakeMmdb, record_size: int, ip_version: int) -> None:
    networks = {text: value for text, value in NETWORKS.items() if ip_version == 6 or ":" not in text}
    path = make_mmdb("sizes", networks, ip_version=ip_version)
    writer_size = Database(path)._metadata.record_size
    # mmdb_writer chooses the size by itself; the same tree is written again with the one that is wanted.
    path.write_bytes(with_record_size(path.read_bytes(), Database(path)._metadata, record_size))
    assert writer_size == 24
    same([path], EDGES)


def with_record_size(data: bytes, metadata: Any, size: int) -> bytes:
    """A file with 24-bit records as one with records of another size."""
    nodes = metadata.node_count
    records = [int.from_bytes(data[3 * n : 3 * n + 3], "big") for n in range(2 * nodes)]
    tree = bytearray()
    for left, right in zip(records[::2], records[1::2], strict=True):
        if size == 28:
            middle = bytes([(left >> 24) << 4 | right >> 24])
            tree += left.to_bytes(4, "big")[1:] + middle + right.to_bytes(4, "big")[1:]
        else:
            tree += left.to_bytes(size // 8, "big") + right.to_bytes(size // 8, "big")
    said = b"\x4brecord_size"  # a text of eleven bytes, and behind it an integer of one byte
    rest = data[6 * nodes :]
    at = rest.rindex(said) + len(said)
    assert rest[at : at + 2] == b"\xa1\x18"
    return bytes(tree) + rest[:at] + bytes([0xA1, size]) + rest[at + 2 :]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One database for the country, and one for the AS, with networks of other sizes."""
    place = tmp_path_factory.mktemp("two")
    systems = {
        "1.2.0.0/16": {"autonomous_system_number": 64500, "autonomous_system_organization": "One"},
        "1.2.3.128/25": {"autonomous_system_number": 64501, "autonomous_system_organization": "Two"},
    }
    return [write_mmdb(place, "country", NETWORKS), write_mmdb(place, "asn", systems)]


def test_at_the_edges_of_networks(two: list[Path]) -> None:
    for files in ([two[0]], [two[1]], two):
        same(files, EDGES)


@given(MIXED)
def test_bulk_and_single_records_are_the_same_of_files(two: list[Path], targets: list[str]) -> None:
    same(two, targets)


@given(ADDRESSES)
def test_bulk_and_single_records_are_the_same_of_the_embedded_database(targets: list[str]) -> None:
    assert EMBEDDED.batch(targets, NOW).records() == MmdbProvider([]).records(targets, NOW)


@given(st.lists(V6, unique=True, min_size=1))
def test_bulk_and_single_records_are_the_same_of_ipv6(targets: list[str]) -> None:
    assert EMBEDDED.batch(targets, NOW).records() == MmdbProvider([]).records(targets, NOW)


EMBEDDED = walking([])


def test_ten_thousand_addresses_of_the_embedded_database() -> None:
    chosen = random.Random(6)  # noqa: S311 (not a secret)
    targets = [socket.inet_ntoa(chosen.randbytes(4)) for _ in range(10_000)]
    heads = [
        bytes.fromhex(head) for head in ("20014860", "200300c0", "2600", "2a01", "2a02", "2400cb00", "2c")
    ]
    targets += [
        socket.inet_ntop(socket.AF_INET6, (chosen.choice(heads) + chosen.randbytes(16))[:16])
        for _ in range(3_000)
    ]
    block = EMBEDDED.batch(targets, NOW)
    assert block.records() == MmdbProvider([]).records(targets, NOW)
    assert RecordBatch.of(block.records()).records() == block.records()


def test_some_thousands_too_few_for_the_tree(two: list[Path]) -> None:
    chosen = random.Random(7)  # noqa: S311 (not a secret)
    targets = [socket.inet_ntoa(chosen.randbytes(4)) for _ in range(2_000)]
    targets += [*EDGES, "2001:4860:4860::8888", "8.8.8.0/24", "2a00::/16"]
    chosen.shuffle(targets)
    for files in ([], two):
        for some in (targets, ["::1"] * 200):
            assert MmdbProvider(files).batch(some, NOW).records() == MmdbProvider(files).records(some, NOW)


def test_a_tree_that_leads_nowhere_is_no_crash() -> None:
    for record in (0, 1):  # to itself, in a circle
        tree = Tree(record.to_bytes(3, "big") * 2 + bytes(6), 2, 24, 4)
        with pytest.raises(IndexError):
            tree.find([1])
        with pytest.raises(IndexError):
            Tree(record.to_bytes(3, "big") * 2 + bytes(6), 2, 24, 6).find_v6([1], [1])
    for count, size in ((10**9, 24), (0, 24), (1, 25)):
        with pytest.raises(ValueError, match="larger than the file"):
            Tree(bytes(100), count, size, 4)


def test_a_file_that_was_replaced_is_not_walked(make_mmdb: MakeMmdb) -> None:
    path = make_mmdb("old", {"1.2.3.0/24": {"country": {"iso_code": "DE"}}})
    database = Database(path)
    make_mmdb("new", {"1.2.3.0/24": {"country": {"iso_code": "FR"}}}).rename(path)
    assert database.tree() is None

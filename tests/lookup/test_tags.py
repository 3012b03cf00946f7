"""Tags: the list that ships is in order, answers are those of the list, and a damaged one is named."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.advice.kinds import CARE, listed_kind
from geocli.lookup.tags import TagList, listed_networks, read_ranges, shipped, tag_file
from geocli.model.addresses import parse_target
from geocli.model.errors import DamagedFileError

RANGES = [
    ("192.0.2.0", "192.0.2.9", "cloud:aws"),
    ("192.0.2.10", "192.0.2.10", "cloud:aws,scanner:censys"),
    ("192.0.2.11", "192.0.2.127", "cloud:aws"),
    ("192.0.2.200", "192.0.2.255", "cdn:fastly"),
    ("255.255.255.0", "255.255.255.255", "scanner:last"),
    ("2001:db8::", "2001:db8::ffff", "scanner:censys"),
]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> TagList:
    path = tmp_path_factory.mktemp("tags") / "tags.tsv"
    return TagList(write(path, "".join("\t".join(row) + "\n" for row in RANGES)))


def expected(target: str) -> tuple[str, ...] | None:
    """Address by address, what all of a target have."""
    common: set[str] | None = None
    for address in ip_network(target):
        inside = (
            set(tags.split(","))
            for first, last, tags in RANGES
            if (":" in first) == (address.version == 6)
            and int(ip_address(first)) <= int(address) <= int(ip_address(last))
        )
        found = next(inside, set[str]())
        common = found if common is None else common & found
    return tuple(sorted(common or ())) or None


def test_the_list_that_ships_is_in_order_and_has_known_tags() -> None:
    one = tag_file()
    ranges = list(read_ranges(one.path))
    assert 5_000 < len(ranges) < 20_000
    assert one.size < 500_000
    assert {tag.partition(":")[0] for _, _, _, tags in ranges for tag in tags} == {"scanner", "cloud", "cdn"}
    assert all(list(tags) == sorted(set(tags)) for _, _, _, tags in ranges)
    assert shipped().of(["162.142.125.7", "2606:4700::1", "8.8.8.8"]) == [
        ("scanner:censys",),
        ("cdn:cloudflare",),
        None,
    ]
    networks = list(listed_networks())
    assert len(networks) >= len(ranges)
    assert all(parse_target(network) == network for network, _ in networks)


@given(st.integers(0, 255), st.integers(24, 32))
def test_a_network_has_what_all_of_its_addresses_have(small: TagList, last: int, length: int) -> None:
    for base in ("192.0.2.", "255.255.255."):
        target = parse_target(f"{base}{last}/{length}")
        assert small.of([target]) == [expected(target)]
        assert small.of([f"{base}{last}"] * 3) == [expected(f"{base}{last}")] * 3


def test_other_text_has_no_tags_and_ipv4_inside_of_ipv6_has_its_own(small: TagList) -> None:
    assert small.of(["192.0.2.10", None, "", "root", "192.0.2.010", "1", "2001:db8::5", "::/0"]) == [
        ("cloud:aws", "scanner:censys"),
        *[None] * 5,
        ("scanner:censys",),
        None,
    ]
    assert small.of(["64:ff9b::c000:20a", "2002:c000:20a::1"]) == [("cloud:aws", "scanner:censys")] * 2
    assert small.of([]) == []
    for text in ("1.2.3", "0x1.2.3.4", "192.0.2.10 x", "192.0.2.10\n", "\ud800", "2002:zz::", "192.0.2.1\0"):
        assert small.of([text]) == [None]
        assert small.of([text, "192.0.2.10", "2001:db8::1"])[1:] == [
            ("cloud:aws", "scanner:censys"),
            ("scanner:censys",),
        ]


@pytest.mark.parametrize(
    "text",
    [
        "not a list\n",
        "192.0.2.0\t192.0.2.9\n",
        "192.0.2.0\t2001:db8::\tcloud:aws\n",
        "192.0.2.9\t192.0.2.0\tcloud:aws\n",
        "192.0.2.0\t192.0.2.9\tcloud:aws\n192.0.2.9\t192.0.2.10\tcloud:aws\n",
        "192.0.2.0\t192.0.2.9\tcloud:\u00e4\n",
    ],
)
def test_a_damaged_list_is_named(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tags.tsv", text)
    with pytest.raises(DamagedFileError, match=r"tags\.tsv: .*install geocli again"):
        TagList(path)


def test_a_list_tells_the_kind_of_a_holder() -> None:
    assert [listed_kind(tags) for tags in (["cloud:aws", "scanner:x"], ["cdn:x"], ["other"], [], None)] == [
        "research",
        "cloud",
        None,
        None,
        None,
    ]
    assert {listed_kind(tags) for _, tags in listed_networks()} <= CARE.keys()

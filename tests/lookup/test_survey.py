"""A survey finds every network of a stretch, as the database has them."""

from __future__ import annotations

from collections.abc import Sequence

from geocli.lookup.survey import Stretch, survey
from geocli.mmdb.reader import Database
from tests.conftest import MakeMmdb


def test_networks_follow_one_another(make_mmdb: MakeMmdb) -> None:
    file = make_mmdb(
        "small",
        {
            "8.8.0.0/17": {"asn": 1, "as_name": "One"},
            "8.8.128.0/18": {"asn": 2, "as_name": "Two"},
            "8.8.130.7/32": {"asn": 3, "as_name": "Three"},
            "2a02:4780::/32": {"asn": 4, "as_name": "Four"},
            "2a02:4780:1:2::/64": {"asn": 5, "as_name": "Five"},
        },
    )
    database = Database(file)
    asked = 0

    def look_up(targets: Sequence[str]) -> list[tuple[int, int | None]]:
        nonlocal asked
        asked += len(targets)
        return [(length, data and data["asn"]) for data, length in database.find(targets)]

    base = 8 << 24 | 8 << 16
    found = sorted(
        survey([Stretch(4, base + 100, base + 0xFFFF)], look_up),
        key=lambda item: item[0],
    )
    # Every address once, in order, without a gap.
    assert [part.first for part, _ in found] == [base + 100, *(part.last + 1 for part, _ in found[:-1])]
    assert found[-1][0].last == base + 0xFFFF
    sizes: dict[int | None, int] = {}
    for part, asn in found:
        sizes[asn] = sizes.get(asn, 0) + part.last - part.first + 1
    assert sizes == {1: 32768 - 100, 2: 16383, 3: 1, None: 16384}
    assert asked < 40
    v6 = 0x2A024780 << 32
    parts = {asn: part for part, asn in survey([Stretch(6, v6, v6 + 0x1FFFF)], look_up)}
    assert parts[5] == Stretch(6, v6 + 0x10002, v6 + 0x10002)

"""What people see: the screen of a real terminal, read line by line, at the widths that terminals have."""

from __future__ import annotations

import random
import re
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path

import pytest

from geocli.model.addresses import is_reserved
from tests.conftest import Geocli
from tests.support.tmux import on_screen

WIDTHS = (40, 60, 80, 100, 200)
BANS = 5000
LONGEST = "2a0a:1111:2222:3333:4444:5555:6666:7777"

_ADDRESS = re.compile(r"\d+\.\d+\.[\d.]*|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*")


def some_addresses(count: int) -> list[str]:
    """Addresses of both families, of all lengths, and each once."""
    chosen = random.Random(21)  # noqa: S311 (not a secret)
    found = {LONGEST: None, "2001:67c:2e8::1": None}
    while len(found) < count:
        if chosen.random() < 0.1:
            number = (
                0x2A000000 << 96 | chosen.getrandbits(28) << 96 | chosen.getrandbits(chosen.choice((8, 64)))
            )
            found[str(IPv6Address(number))] = None
        else:
            address = str(IPv4Address(chosen.getrandbits(32)))
            if not is_reserved(address):
                found[address] = None
    return sorted(found, key=lambda _: chosen.random())


def rows_of(lines: list[str]) -> list[str]:
    """The lines of a table below its head, without what is said at the end."""
    (rule,) = [number for number, line in enumerate(lines) if line and set(line) == {"─"}]
    rows = lines[rule + 1 :]
    end = next(
        (number for number, line in enumerate(rows) if not line or line.startswith("geocli:")), len(rows)
    )
    return rows[:end]


def check_addresses(lines: list[str], addresses: list[str], columns: int) -> None:
    """Each address stands in one line, whole, and nothing looks like one that is none."""
    shown = [_ADDRESS.findall(line) for line in lines]
    found = [address for in_line in shown for address in in_line]
    assert sorted(found) == sorted(addresses)
    assert max(map(len, lines)) <= columns
    if columns >= 80:
        assert [len(in_line) for in_line in shown] == [1] * len(addresses)  # no row is two lines


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_no_address_is_in_two_pieces_and_no_row_in_two_lines(
    geocli: Geocli, tmp_path: Path, columns: int
) -> None:
    addresses = some_addresses(BANS)
    half = BANS // 2
    jails = [{f"jail-{n}": list(islice(addresses, n, None, 7))} for n in range(7)]
    (tmp_path / "banned").write_text(f"{jails}\n")
    (tmp_path / "first").write_text("".join(f"{ip}\n" for ip in addresses[:half] if len(ip) < 12))
    late = [ip for ip in addresses if ip not in {ip for ip in addresses[:half] if len(ip) < 12}]
    (tmp_path / "late").write_text("".join(f"{ip}\n" for ip in late))

    rows = rows_of(on_screen(geocli, "geocli bans banned", columns, tmp_path))
    check_addresses(rows, addresses, columns)
    # The widths of the first rows are not those of the ones behind a pause.
    for command in ("geocli", "geocli bans -"):
        paused = f"(cat first; sleep 1; cat late) | {command}"
        check_addresses(rows_of(on_screen(geocli, paused, columns, tmp_path)), addresses, columns)
    check_addresses(
        rows_of(on_screen(geocli, "geocli bans banned --by ip", columns, tmp_path)), addresses, columns
    )


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_a_group_is_one_line(geocli: Geocli, tmp_path: Path, columns: int) -> None:
    (tmp_path / "banned").write_text("".join(f"{ip}\n" for ip in some_addresses(1000)))
    for by in ("country", "asn", "network"):
        counted = geocli("bans", "--by", by, "-c", "--no-header", "-i", tmp_path / "banned")
        groups = counted.stdout.splitlines()
        rows = rows_of(on_screen(geocli, f"geocli bans banned --by {by}", columns, tmp_path))
        assert len(rows) == len(groups)
        assert max(map(len, rows)) <= columns
        keys = [line.partition(",")[0] for line in groups]
        if by == "network":
            assert [row.split()[0] for row in rows] == keys
        if columns >= 80:
            assert all(row.endswith("%") for row in rows)
    if columns >= 80:  # a mail has 78
        mailed = geocli("bans", "--by", "country", "--table", "-i", tmp_path / "banned").stdout.splitlines()
        assert max(map(len, mailed)) <= 78

"""Measures how right an MMDB file is about countries.

Usage: ``python -m tools.accuracy FILE DATA CACHE``; DATA and CACHE as in ``tools.embedded``. The yardstick is
GeoLite2, which is itself no truth, but made with care. Measured are: IPv4 addresses that are announced
(a random sample, always the same), addresses that attack, those among them that three block lists name,
announced IPv6 prefixes, and whether prefixes are where their operators say.
"""

from __future__ import annotations

import csv
import lzma
import random
import struct
import sys
import tarfile
from bisect import bisect_right
from collections import Counter, defaultdict
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.layouts import answer_of
from geocli.mmdb.reader import Database
from tools import embedded_inputs as inputs
from tools.npm import WrongFileError, fetch

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

_SAMPLE = 500_000  # addresses: the figure is right to 0.04 per cent
_SEED = 2026
_MANY_LISTS = 3
_HALF = 64  # bits: GeoLite2's package keeps the first 64 of an IPv6 address


class Measured(NamedTuple):
    """How many of those that could be compared were right."""

    what: str
    right: int
    compared: int

    @property
    def per_cent(self) -> float:
        """The share that is right."""
        return 100 * self.right / self.compared if self.compared else 0.0


class Yardstick:
    """GeoLite2's countries, out of the npm package ``geoip-country``."""

    def __init__(self, package: Path) -> None:
        with tarfile.open(package) as archive:
            # Records: first and last address (4 bytes; 8 of IPv6, its first half), two letters.
            self._ranges = {
                family: list(struct.iter_unpack(layout, _content(archive, f"package/data/{name}.dat")))
                for family, name, layout in ((4, "geoip-country", ">II2s"), (6, "geoip-country6", ">QQ2s"))
            }
        self._starts = {family: [found[0] for found in ranges] for family, ranges in self._ranges.items()}

    def country(self, address: IPv4Address | IPv6Address) -> str | None:
        """Return the country of an address, ``None`` where there is none."""
        number = int(address) >> (_HALF if address.version == 6 else 0)
        index = bisect_right(self._starts[address.version], number) - 1
        if index < 0:
            return None
        _, end, code = self._ranges[address.version][index]
        return code.decode("ascii").strip() or None if number <= end else None


class _Vouched:
    """The file is the user's own: the quick reader may have it."""

    def knows(self, _path: Path, _status: os.stat_result) -> bool:
        return True


def measure(file: Path, data: Path, cache: Path) -> Iterator[Measured]:
    """Yield the figures one after the other. Raises ``WrongFileError``, ``GeocliError``."""
    yardstick = Yardstick(fetch(inputs.GEOLITE, cache))
    database = Database(file, _Vouched())
    announced = _announced(inputs.data_file(inputs.IPTOASN[4], data))
    yield _compare("announced IPv4 addresses", database, yardstick, sample(announced, _SAMPLE))
    attackers = list(_attackers(inputs.data_file(inputs.ATTACKERS, data)))
    yield _compare("addresses that attack", database, yardstick, [address for address, _ in attackers])
    worst = [address for address, lists in attackers if lists >= _MANY_LISTS]
    yield _compare("of these, on three block lists", database, yardstick, worst)
    prefixes = _prefixes(fetch(inputs.SYSTEMS, cache), _announced(inputs.data_file(inputs.IPTOASN[6], data)))
    yield _compare("announced IPv6 prefixes", database, yardstick, prefixes)
    yield from _declared(database, inputs.data_file(inputs.OPERATORS, data))


def report(file: Path, data: Path, cache: Path) -> str:
    """Return the figures as TSV with a header."""
    lines = ["right about\tper cent\tof"]
    lines += [f"{one.what}\t{one.per_cent:.2f}\t{one.compared}" for one in measure(file, data, cache)]
    return "\n".join(lines) + "\n"


def countries_of(database: Database, addresses: Iterable[object]) -> Iterator[str | None]:
    """Yield what a file says of each address."""
    for data, _ in database.find(map(str, addresses)):
        yield answer_of(data).country_code if isinstance(data, dict) else None


def _compare(
    what: str, database: Database, yardstick: Yardstick, addresses: Sequence[IPv4Address | IPv6Address]
) -> Measured:
    counted = Counter(
        found == expected
        for address, found in zip(addresses, countries_of(database, addresses), strict=True)
        if (expected := yardstick.country(address)) is not None
    )
    return Measured(what, counted[True], counted.total())


def _declared(database: Database, path: Path) -> Iterator[Measured]:
    """Prefixes that are where their operators say, by their first address."""
    rows: dict[str, list[tuple[object, str]]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["operator"]].append((ip_network(row["network"])[0], row["country_code"]))
    for operator, declared in sorted(rows.items()):
        found = countries_of(database, [address for address, _ in declared])
        right = sum(code == expected for code, (_, expected) in zip(found, declared, strict=True))
        yield Measured(f"prefixes of {operator}", right, len(declared))


def sample(ranges: Sequence[tuple[int, int]], size: int) -> list[IPv4Address | IPv6Address]:
    """Return random IPv4 addresses out of ranges, the same each time."""
    ends = list(accumulate(end - start + 1 for start, end in ranges))
    chosen = random.Random(_SEED)  # noqa: S311 (a sample, not a secret)
    addresses: list[IPv4Address | IPv6Address] = []
    for number in sorted(chosen.randrange(ends[-1]) for _ in range(size)):
        index = bisect_right(ends, number)
        addresses.append(IPv4Address(ranges[index][1] - (ends[index] - 1 - number)))
    return addresses


def _prefixes(package: Path, announced: Sequence[tuple[int, int]]) -> list[IPv4Address | IPv6Address]:
    """The first addresses of the AS set's prefixes that are announced by iptoasn, too."""
    starts = [start for start, _ in announced]
    addresses: set[IPv4Address | IPv6Address] = set()
    with tarfile.open(package) as archive:
        rows = csv.reader(_content(archive, "package/asn-ipv6.csv").decode().splitlines())
        for first, last, number, _ in rows:
            if number != "0":
                networks = summarize_address_range(IPv6Address(first), IPv6Address(last))
                addresses.update(network[0] for network in networks)
    return [
        address
        for address in sorted(addresses, key=int)
        if (index := bisect_right(starts, int(address)) - 1) >= 0 and int(address) <= announced[index][1]
    ]


def _announced(path: Path) -> list[tuple[int, int]]:
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        return [(int(ip_address(row[0])), int(ip_address(row[1]))) for row in csv.reader(file)]


def _attackers(path: Path) -> Iterator[tuple[IPv4Address | IPv6Address, int]]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            address, lists = line.split()
            yield ip_address(address), int(lists)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise WrongFileError(f"the package has no {name}")
    return member.read()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    try:
        sys.stdout.write(report(*map(Path, sys.argv[1:])))
    except WrongFileError as error:
        raise SystemExit(f"accuracy: {error}") from None

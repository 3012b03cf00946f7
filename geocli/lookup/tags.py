"""Tags: what is known of an address beside its place, such as ``scanner:censys`` or ``cloud:aws``.

They come from one list that ships with geocli, made by ``tools/tags.py``. They are told when somebody asks
for them, and are never stored: an address that is a scanner's today may be anybody's tomorrow.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from socket import AF_INET, AF_INET6, inet_aton, inet_pton
from struct import error as struct_error
from struct import unpack
from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.embedded import EMBEDDED
from geocli.model.addresses import canonical_network
from geocli.model.errors import DamagedFileError
from geocli.model.ranges import blocks
from geocli.model.reserved import inner_ipv4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_NAME = "tags-"


class Tags(tuple[str, ...]):
    """Tags, sorted. As text they are a list with commas."""

    __slots__ = ()

    def __str__(self) -> str:
        """The tags with commas between them."""
        return ",".join(self)


class TagRange(NamedTuple):
    """A range of addresses, as numbers, both ends included, and what is known of all of it."""

    version: int
    first: int
    last: int
    tags: Tags


class TagFile(NamedTuple):
    """The list that ships with geocli. ``built``: the first second of its edition, since the epoch."""

    path: Path
    edition: str
    built: int
    size: int
    description: str = "networks of scanners, clouds and content delivery networks"
    licence: str = "CC0 1.0. MISP warning lists (https://github.com/MISP/misp-warninglists)"


class _Space:
    """What is known of the addresses of one version of IP, by where it begins."""

    def __init__(self, ranges: Iterable[TagRange]) -> None:
        self.begins: list[int] = []
        self.tags: list[Tags | None] = [None]
        end = 0
        for _, first, last, tags in ranges:
            if first < end or last < first:
                raise ValueError("ranges are not in order")
            if first == end and self.begins:
                self.begins.pop()
                self.tags.pop()
            self.begins += (first, last + 1)
            self.tags += (tags, None)
            end = last + 1

    def of_network(self, first: int, last: int) -> Tags | None:
        """What is known of all addresses in it."""
        begin, end = bisect_right(self.begins, first), bisect_right(self.begins, last)
        common = self.tags[begin]
        for tags in self.tags[begin + 1 : end + 1]:
            common = Tags(tag for tag in common or () if tag in (tags or ()))
            if not common:
                return None
        return common


class TagList:
    """The list in memory. Raises ``DamagedFileError``."""

    def __init__(self, path: Path) -> None:
        ranges = list(read_ranges(path))
        try:
            self._v4 = _Space(one for one in ranges if one.version == 4)
            self._v6 = _Space(one for one in ranges if one.version == 6)
        except ValueError as error:
            raise DamagedFileError(path, str(error), "install geocli again") from None

    def of(self, targets: Sequence[str | None]) -> list[Tags | None]:
        """What is known of each canonical address or network; ``None`` also for other text."""
        found = self._of_ipv4(targets)
        if found is not None:
            return found
        simple = [target for target in targets if target and ":" not in target and "/" not in target]
        known = dict(zip(simple, self._of_ipv4(simple) or map(self._one, simple), strict=True))
        return [known[target] if target in known else self._one(target) for target in targets]

    def _of_ipv4(self, targets: Sequence[str | None]) -> list[Tags | None] | None:
        """What is known of IPv4 addresses, all at once; ``None`` where not all are that."""
        try:
            text = " ".join(targets)  # type: ignore[arg-type]  # that is the question
            numbers = unpack(f">{len(targets)}I", b"".join(map(inet_aton, text.split(" "))))
            other = text.encode().translate(None, b"0123456789. ")
        except (OSError, TypeError, ValueError, struct_error):
            return None
        # It takes less than four numbers for an address too, and what follows one.
        if other or text.count(".") != 3 * len(targets):
            return None
        begins, tags = self._v4.begins, self._v4.tags
        return [tags[bisect_right(begins, number)] for number in numbers]

    def _one(self, target: str | None) -> Tags | None:
        try:
            target = inner_ipv4(target or "") or target or ""
            if ":" in target and "/" not in target:
                number = int.from_bytes(inet_pton(AF_INET6, target))
                return self._v6.tags[bisect_right(self._v6.begins, number)]
            network = ip_network(target)
        except (OSError, ValueError):
            return None
        space = self._v4 if network.version == 4 else self._v6
        return space.of_network(int(network.network_address), int(network.broadcast_address))


def tag_file() -> TagFile:
    """The list that ships with geocli. Raises ``DamagedFileError`` where it is gone."""
    found = sorted(EMBEDDED.glob(f"{_NAME}[0-9][0-9][0-9][0-9]-[0-9][0-9].tsv"))
    if not found:
        raise DamagedFileError(EMBEDDED, "holds no list of tags", "install geocli again")
    edition = found[-1].stem.removeprefix(_NAME)
    built = datetime.fromisoformat(f"{edition}-01T00:00:00Z")
    return TagFile(found[-1], edition, int(built.timestamp()), found[-1].stat().st_size)


def read_ranges(path: Path) -> Iterator[TagRange]:
    """Yield what a list has: ``first<TAB>last<TAB>tag,tag``, in order. Raises ``DamagedFileError``."""
    known: dict[str, Tags] = {}
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            first, last, names = line.split("\t")
            family, version = (AF_INET6, 6) if ":" in first else (AF_INET, 4)
            tags = known.setdefault(names, Tags(names.split(",")))
            begin, end = (int.from_bytes(inet_pton(family, text)) for text in (first, last))
            yield TagRange(version, begin, end, tags)
    except (OSError, ValueError) as error:
        raise DamagedFileError(path, f"is no list of tags ({error})", "install geocli again") from None


def listed_networks() -> Iterator[tuple[str, Tags]]:
    """Yield all that ships with geocli, as canonical addresses and networks. Raises ``DamagedFileError``."""
    for version, first, last, tags in read_ranges(tag_file().path):
        bits, address = (32, IPv4Address) if version == 4 else (128, IPv6Address)
        for begin, length in blocks(first, last, bits):
            yield canonical_network(address(begin), length), tags


@cache
def shipped() -> TagList:
    """The list that ships with geocli, read once. Raises ``DamagedFileError``."""
    return TagList(tag_file().path)


def values(targets: Sequence[str | None]) -> list[Tags | None]:
    """The field ``tags`` of records of these addresses and networks."""
    return shipped().of(targets)

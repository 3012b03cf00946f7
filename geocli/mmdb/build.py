"""Builds one MMDB file out of range CSVs: countries, AS numbers with organisations, or both.

The file has MaxMind's field layout, so that every MMDB reader understands it. Country and AS ranges of
one family are laid over each other and cut where either begins or ends; neighbours with the same
answer become one range, and equal parts of the search tree are stored once.

A CSV row is ``start,end,country code`` or ``start,end,AS number,organisation``: both ends inclusive,
as addresses or as integers, one family in one file (the layout of the ip-location-db sets). Nothing here
prints; progress goes to a callback.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from mmdb_writer import MMDBWriter, SearchTreeLeaf, SearchTreeNode, TreeWriter
from netaddr import IPAddress, IPRange, IPSet

from geocli.countries import country_code, country_name
from geocli.errors import UsageError
from geocli.records import MAX_ASN, clean_text

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_STEP = 5_000  # how many rows or networks between two calls of Progress
_EDITION = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
_FIRST_V6 = 2**32  # an integer from here on cannot be IPv4


class Origin(NamedTuple):
    """What the finished file says of itself. ``edition`` is a month or a day: ``2026-06``, ``2026-06-17``."""

    database_type: str
    edition: str
    description: str
    licence: str

    @property
    def epoch(self) -> int:
        """The edition's first second, UTC, since 1970: the age of the data, not of the file."""
        try:
            if not _EDITION.fullmatch(self.edition):
                raise ValueError  # noqa: TRY301 (one way out for both kinds of nonsense)
            day = self.edition if len(self.edition) > len("YYYY-MM") else f"{self.edition}-01"
            return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        except ValueError:
            raise UsageError(f"{self.edition!r} is no edition: give YYYY-MM or YYYY-MM-DD") from None


class Overlaps(Enum):
    """What to do where two ranges of one kind overlap."""

    REFUSE = "refuse"
    NARROWEST = "narrowest"  # as in routing: the more specific range wins, of equals the later row


class Built(NamedTuple):
    """What became of the CSV files: ranges read, networks and bytes written.

    ``no_country`` counts the ranges passed over, by code: ``ZZ``, withdrawn codes such as ``AN``.
    """

    ranges: int
    networks: int
    size: int
    no_country: dict[str, int]


class _Range(NamedTuple):
    start: int
    end: int
    value: Any
    path: Path
    line: int


class _Answer(NamedTuple):
    country: str | None
    system: tuple[int, str | None] | None


def build(
    country_files: Sequence[Path],
    asn_files: Sequence[Path],
    output: Path,
    origin: Origin,
    overlaps: Overlaps,
    progress: Progress,
) -> Built:
    """Write ``output`` (replaced only when the new file is complete).

    Raises ``UsageError`` naming file and line for a row that cannot be right: the wrong number of
    columns, no address, no country, another family, ends the wrong way round, and, where ``overlaps``
    is ``REFUSE``, a range that overlaps another.
    """
    epoch = origin.epoch
    no_country: Counter[str] = Counter()
    countries = _read_all(country_files, partial(_country_of_row, no_country), overlaps, progress)
    systems = _read_all(asn_files, _system_of_row, overlaps, progress)
    pieces = {family: list(_overlay(countries.get(family, []), systems.get(family, []))) for family in (4, 6)}
    writer = MMDBWriter(6, ipv4_compatible=True, int_type="u32")
    networks = _plant(writer, pieces, progress)
    progress("sharing equal parts of the tree", 0, 1)
    _share(writer.tree)
    meta = {
        "ip_version": 6,
        "database_type": origin.database_type,
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": epoch,
        # The format has no keys for two of these: private-use language tags (RFC 5646) keep the map valid.
        "description": {"en": origin.description, "x-edition": origin.edition, "x-licence": origin.licence},
    }
    unfinished = output.with_name(output.name + ".part")
    try:
        TreeWriter(writer.tree, meta, "u32").write(str(unfinished))
        size = unfinished.stat().st_size
        unfinished.replace(output)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(f"cannot write {output}: {error.strerror}") from error
    ranges = sum(len(found) for group in (countries, systems) for found in group.values())
    return Built(ranges, networks, size, dict(no_country))


def _read_all(
    paths: Sequence[Path], value_of: Callable[[list[str]], Any], overlaps: Overlaps, progress: Progress
) -> dict[int, list[_Range]]:
    by_family: dict[int, list[_Range]] = {}
    for path in paths:
        family, ranges = _read(path, value_of, progress)
        by_family.setdefault(family, []).extend(ranges)
    for ranges in by_family.values():
        ranges.sort(key=lambda found: found.start)
        if overlaps is Overlaps.REFUSE:
            _refuse_overlaps(ranges)
    return by_family


def _refuse_overlaps(ranges: list[_Range]) -> None:
    for before, after in itertools.pairwise(ranges):
        if after.start <= before.end:
            other = "" if before.path == after.path else f" of {before.path}"
            raise UsageError(f"{after.path}:{after.line}: overlaps the range of line {before.line}{other}")


def _read(path: Path, value_of: Callable[[list[str]], Any], progress: Progress) -> tuple[int, list[_Range]]:
    ranges: list[_Range] = []
    family = 0
    line = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
            for row in rows:
                line = rows.line_num
                if not row or (line == 1 and not any(char.isdigit() for char in "".join(row[:2]))):
                    continue  # an empty line, or a header
                try:
                    start, start_family = _address(row[0], family)
                    end, end_family = _address(row[1] if len(row) > 1 else "", family)
                    value = value_of(row)
                except ValueError as error:
                    raise UsageError(f"{path}:{line}: {error}") from None
                family = family or max(start_family, end_family)
                if start_family != family or end_family != family:
                    raise UsageError(f"{path}:{line}: not IPv{family}, as the rest of the file is")
                if end < start:
                    raise UsageError(f"{path}:{line}: the range ends before it starts")
                if value is not None:
                    ranges.append(_Range(start, end, value, path, line))
                if line % _STEP == 0:
                    progress(f"reading {path.name}", min(size, raw.tell()), size)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}:{line + 1}: not CSV in UTF-8 ({error})") from None
    if not ranges:
        raise UsageError(f"{path}: holds no ranges")
    return family, ranges


def _address(text: str, family: int) -> tuple[int, int]:
    text = text.strip()
    if text.isascii() and text.isdigit():
        number = int(text[:40])
        if number >= 2**128:
            raise ValueError(f"{text[:50]!r} is no address")
        # A small number in a file of IPv6 numbers is IPv6 as well: ::/96 has them.
        return number, 6 if number >= _FIRST_V6 or family == 6 else 4
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{text[:50]!r} is no address") from None
    return int(address), address.version


def _country_of_row(no_country: Counter[str], row: list[str]) -> str | None:
    if len(row) != 3:
        raise ValueError(f"{len(row)} columns where start,end,country are expected")
    text = row[2].strip()
    code = country_code(text)
    if code is None:
        if text not in {"", "-"} and not (len(text) == 2 and text.isascii() and text.isalpha()):
            raise ValueError(f"{text[:50]!r} is no ISO 3166-1 country code")
        no_country[text.upper()] += 1
    return code


def _system_of_row(row: list[str]) -> tuple[int, str | None] | None:
    if len(row) != 4:
        raise ValueError(f"{len(row)} columns where start,end,AS number,organisation are expected")
    text = row[2].strip().removeprefix("AS")
    if not (text.isascii() and text.isdigit()) or int(text[:11]) > MAX_ASN:
        raise ValueError(f"{row[2][:50]!r} is no AS number")
    number = int(text)
    # 0 is reserved (RFC 7607): the sets write it for "no AS".
    return (number, clean_text(row[3].strip()) or None) if number else None


def _overlay(countries: list[_Range], systems: list[_Range]) -> Iterator[tuple[int, int, _Answer]]:
    """Cut two lists of ranges, each sorted by start, into stretches of one answer."""
    edges = sorted({edge for found in (countries, systems) for r in found for edge in (r.start, r.end + 1)})
    country_at, system_at = _sweep(countries), _sweep(systems)
    open_start, open_end, open_answer = 0, -1, _Answer(None, None)
    for start, after in itertools.pairwise(edges):
        answer = _Answer(country_at(start), system_at(start))
        if start == open_end + 1 and answer == open_answer:
            open_end = after - 1
            continue
        if open_answer != (None, None):
            yield open_start, open_end, open_answer
        open_start, open_end, open_answer = start, after - 1, answer
    if open_answer != (None, None):
        yield open_start, open_end, open_answer


def _sweep(ranges: list[_Range]) -> Callable[[int], Any]:
    """A function from ascending addresses to the value of the narrowest range they fall into."""
    upcoming = 0
    current: list[tuple[int, int, _Range]] = []  # a heap: the narrowest first, of equals the later

    def value_at(address: int) -> Any:
        nonlocal upcoming
        while upcoming < len(ranges) and ranges[upcoming].start <= address:
            begun = ranges[upcoming]
            heappush(current, (begun.end - begun.start, -upcoming, begun))
            upcoming += 1
        while current and current[0][2].end < address:
            heappop(current)
        return current[0][2].value if current else None

    return value_at


def _plant(writer: MMDBWriter, pieces: dict[int, list[tuple[int, int, _Answer]]], progress: Progress) -> int:
    total = sum(map(len, pieces.values()))
    done = networks = 0
    contents: dict[_Answer, dict[str, Any]] = {}
    for family, stretches in pieces.items():
        for start, end, answer in stretches:
            if (content := contents.get(answer)) is None:
                content = contents[answer] = _content(answer)
            span = IPSet(IPRange(IPAddress(start, family), IPAddress(end, family)))
            writer.insert_network(span, content)
            networks += len(span.iter_cidrs())
            done += 1
            if done % _STEP == 0:
                progress("building the tree", done, total)
    return networks


def _content(answer: _Answer) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if answer.country is not None:
        name = country_name(answer.country)
        content["country"] = {"iso_code": answer.country} | ({"names": {"en": name}} if name else {})
    if answer.system is not None:
        number, organisation = answer.system
        content["autonomous_system_number"] = number
        if organisation is not None:
            content["autonomous_system_organization"] = organisation
    return content


def _share(tree: SearchTreeNode) -> None:
    """Let equal subtrees be one object, which the writer then stores once.

    A reader only follows the tree downwards and counts the bits on its way, so it cannot tell.
    """
    leaves: dict[int, SearchTreeLeaf] = {}
    nodes: dict[tuple[int, int], SearchTreeNode] = {}

    def shared(child: Any) -> Any:
        if isinstance(child, SearchTreeNode):
            child.left, child.right = shared(child.left), shared(child.right)
            return nodes.setdefault((id(child.left), id(child.right)), child)
        if isinstance(child, SearchTreeLeaf):
            return leaves.setdefault(id(child.value), child)
        return child

    shared(tree)

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
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import Enum
from errno import EDQUOT, EFBIG, EISDIR, ENOSPC
from functools import partial
from heapq import heappop, heappush
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from mmdb_writer import MMDBWriter, SearchTreeLeaf, SearchTreeNode, TreeWriter
from netaddr import IPAddress, IPRange, IPSet

from geocli.countries import country_code, country_name
from geocli.errors import TryAgainError, UsageError
from geocli.records import MAX_ASN, clean_text

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_STEP = 5_000  # how many rows or networks between two calls of Progress
_LONGEST_TEXT = 1000  # characters; readers look for the metadata in the last 128 KiB of a file
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
            text = self.edition if len(self.edition) > len("YYYY-MM") else f"{self.edition}-01"
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            if day.year < 1971:
                raise ValueError  # noqa: TRY301 (the same)
            return int(day.timestamp())
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
    order: int  # of reading, over all files of a kind


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
    with _writable(output):
        pass  # better now than in three minutes
    no_country: Counter[str] = Counter()
    countries = _read_all(country_files, partial(_country_of_row, no_country), overlaps, progress)
    systems = _read_all(asn_files, _system_of_row, overlaps, progress)
    pieces = {family: list(_overlay(countries.get(family, []), systems.get(family, []))) for family in (4, 6)}
    # The tree keeps IPv4 in ::/96: what a file says of IPv6 there must not answer for it.
    pieces[6] = [(max(start, _FIRST_V6), end, answer) for start, end, answer in pieces[6] if end >= _FIRST_V6]
    writer = MMDBWriter(6, ipv4_compatible=True, int_type="u32")
    networks = _plant(writer, pieces, progress)
    progress("sharing equal parts of the tree", 0, 1)
    _share(writer.tree)
    meta = {
        "ip_version": 6,
        "database_type": clean_text(origin.database_type, 64),
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": epoch,
        # The format has no keys for two of these: private-use language tags (RFC 5646) keep the map valid.
        "description": {
            "en": clean_text(origin.description, _LONGEST_TEXT),
            "x-edition": origin.edition,
            "x-licence": clean_text(origin.licence, _LONGEST_TEXT),
        },
    }
    with _writable(output) as unfinished:
        TreeWriter(writer.tree, meta, "u32").write(str(unfinished))
        size = unfinished.stat().st_size
        unfinished.replace(output)
    ranges = sum(len(found) for group in (countries, systems) for found in group.values())
    return Built(ranges, networks, size, dict(no_country))


@contextmanager
def _writable(output: Path) -> Iterator[Path]:
    """A file beside ``output`` to write first, gone at the end unless it was renamed."""
    unfinished = output.parent / f".{output.name[:200]}.{os.getpid()}.part"
    try:
        if output.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        unfinished.touch()
        yield unfinished
    except OSError as error:
        full = error.errno in {ENOSPC, EDQUOT, EFBIG}
        raise (TryAgainError if full else UsageError)(f"cannot write {output}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _read_all(
    paths: Sequence[Path], value_of: Callable[[list[str]], Any], overlaps: Overlaps, progress: Progress
) -> dict[int, list[_Range]]:
    by_family: dict[int, list[_Range]] = {}
    for path in paths:
        family, ranges = _read(path, value_of, sum(map(len, by_family.values())), progress)
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


def _read(
    path: Path, value_of: Callable[[list[str]], Any], read_before: int, progress: Progress
) -> tuple[int, list[_Range]]:
    ranges: list[_Range] = []
    family = 0
    line = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            # What is not UTF-8 is found by row, below: the decoder reads ahead of it.
            text = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
            rows = csv.reader(text)
            for row in rows:
                line = rows.line_num
                if not row or (line == 1 and not any(char in "0123456789:" for char in "".join(row[:2]))):
                    continue  # an empty line, or a header
                try:
                    "".join(row).encode()
                    start, start_family = _address(row[0])
                    end, end_family = _address(row[1] if len(row) > 1 else "")
                    value = value_of(row)
                except UnicodeEncodeError:
                    raise UsageError(f"{path}:{line}: not UTF-8") from None
                except ValueError as error:
                    raise UsageError(f"{path}:{line}: {error}") from None
                family = family or max(start_family, end_family) or 4
                if not {start_family, end_family} <= {0, family}:
                    raise UsageError(f"{path}:{line}: not IPv{family}, as the rest of the file is")
                if end < start:
                    raise UsageError(f"{path}:{line}: the range ends before it starts")
                # Also without a value: "nobody" in a narrow range is an answer too.
                ranges.append(_Range(start, end, value, path, line, read_before + len(ranges)))
                if line % _STEP == 0:
                    progress(f"reading {path.name}", min(size, raw.tell()) if raw.seekable() else line, size)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except csv.Error as error:
        raise UsageError(f"{path}:{line + 1}: not CSV ({error})") from None
    if all(found.value is None for found in ranges):
        raise UsageError(f"{path}: holds no ranges")
    return family, ranges


def _address(text: str) -> tuple[int, int]:
    """An address as an integer, and its family; 0 for a small integer, which may be either's."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        number = int(text[:40])
        if number >= 2**128:
            raise ValueError(f"{text[:50]!r} is no address")
        return number, 6 if number >= _FIRST_V6 else 0
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
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > 10 or int(digits or "0") > MAX_ASN:
        raise ValueError(f"{row[2][:50]!r} is no AS number")
    number = int(digits or "0")
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
    current: list[tuple[int, int, _Range]] = []  # a heap: the narrowest first, of equals the last read

    def value_at(address: int) -> Any:
        nonlocal upcoming
        while upcoming < len(ranges) and ranges[upcoming].start <= address:
            begun = ranges[upcoming]
            heappush(current, (begun.end - begun.start, -begun.order, begun))
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

"""Range CSVs: read with every row checked, and laid over each other.

A row is ``start,end,country code`` or ``start,end,AS number,organisation``: both ends inclusive, as addresses
or as integers, one family in one file (the layout of the ip-location-db sets).
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from heapq import heappop, heappush
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.countries import country_code
from geocli.model.errors import UsageError
from geocli.model.records import MAX_ASN, clean_text

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

FIRST_V6 = 2**32
"""An integer from here on cannot be IPv4. Below it, ::/96 is where trees of both families keep IPv4."""

STEP = 5_000
"""How many rows or networks there are between two calls of ``Progress``."""


class Overlaps(Enum):
    """What to do where two ranges of one kind overlap."""

    REFUSE = "refuse"
    NARROWEST = "narrowest"  # as in routing: the more specific range wins, of equals the later row


class Range(NamedTuple):
    """An inclusive range of addresses of one family, as integers, what it is said to be, and where."""

    start: int
    end: int
    value: Any
    path: Path
    line: int
    order: int  # of reading, over all files of a kind


class RangeAnswer(NamedTuple):
    """What addresses get from both kinds of ranges: a country, an AS number with its organisation."""

    country: str | None
    system: tuple[int, str | None] | None


def read_ranges(
    paths: Sequence[Path], value_of: Callable[[list[str]], Any], overlaps: Overlaps, progress: Progress
) -> dict[int, list[Range]]:
    """The ranges of all files by family (4, 6), sorted by start. Raises ``UsageError`` for what cannot be."""
    by_family: dict[int, list[Range]] = {}
    for path in paths:
        family, ranges = _read(path, value_of, sum(map(len, by_family.values())), progress)
        by_family.setdefault(family, []).extend(ranges)
    for ranges in by_family.values():
        ranges.sort(key=lambda found: found.start)
        if overlaps is Overlaps.REFUSE:
            _refuse_overlaps(ranges)
    return by_family


def _refuse_overlaps(ranges: list[Range]) -> None:
    for before, after in itertools.pairwise(ranges):
        if after.start <= before.end:
            other = "" if before.path == after.path else f" of {before.path}"
            raise UsageError(f"{after.path}:{after.line}: overlaps the range of line {before.line}{other}")


def _read(
    path: Path, value_of: Callable[[list[str]], Any], read_before: int, progress: Progress
) -> tuple[int, list[Range]]:
    ranges: list[Range] = []
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
                ranges.append(Range(start, end, value, path, line, read_before + len(ranges)))
                if line % STEP == 0:
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
        return number, 6 if number >= FIRST_V6 else 0
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{text[:50]!r} is no address") from None
    return int(address), address.version


def country_of_row(no_country: Counter[str], row: list[str]) -> str | None:
    """The country of a row, ``None`` for none; counts what stands there instead. Raises ``ValueError``."""
    if len(row) != 3:
        raise ValueError(f"{len(row)} columns where start,end,country are expected")
    text = row[2].strip()
    code = country_code(text)
    if code is None:
        if text not in {"", "-"} and not (len(text) == 2 and text.isascii() and text.isalpha()):
            raise ValueError(f"{text[:50]!r} is no ISO 3166-1 country code")
        no_country[text.upper()] += 1
    return code


def system_of_row(row: list[str]) -> tuple[int, str | None] | None:
    """The AS number and organisation of a row, ``None`` for none. Raises ``ValueError``."""
    if len(row) != 4:
        raise ValueError(f"{len(row)} columns where start,end,AS number,organisation are expected")
    text = row[2].strip().removeprefix("AS")
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > 10 or int(digits or "0") > MAX_ASN:
        raise ValueError(f"{row[2][:50]!r} is no AS number")
    number = int(digits or "0")
    # 0 is reserved (RFC 7607): the sets write it for "no AS".
    return (number, clean_text(row[3].strip()) or None) if number else None


def overlay(countries: list[Range], systems: list[Range]) -> Iterator[tuple[int, int, RangeAnswer]]:
    """Cut two lists of ranges, each sorted by start, into stretches of one answer."""
    edges = sorted({edge for found in (countries, systems) for r in found for edge in (r.start, r.end + 1)})
    country_at, system_at = _sweep(countries), _sweep(systems)
    open_start, open_end, open_answer = 0, -1, RangeAnswer(None, None)
    for start, after in itertools.pairwise(edges):
        answer = RangeAnswer(country_at(start), system_at(start))
        if start == open_end + 1 and answer == open_answer:
            open_end = after - 1
            continue
        if open_answer != (None, None):
            yield open_start, open_end, open_answer
        open_start, open_end, open_answer = start, after - 1, answer
    if open_answer != (None, None):
        yield open_start, open_end, open_answer


def _sweep(ranges: list[Range]) -> Callable[[int], Any]:
    """A function from ascending addresses to the value of the narrowest range they fall into."""
    upcoming = 0
    current: list[tuple[int, int, Range]] = []  # a heap: the narrowest first, of equals the last read

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

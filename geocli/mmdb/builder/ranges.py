"""Reads range CSVs, plain or compressed, and checks every row.

A row is ``start,end,country code`` or ``start,end,AS number,organisation``: both ends inclusive, as addresses
or as integers, one family in one file (the layout of the ip-location-db sets). Files may be
compressed with gzip, bzip2 or xz: their first bytes tell.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import lzma
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from socket import AF_INET, AF_INET6, inet_pton
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from geocli.mmdb.builder.as_names import clean_as_name
from geocli.model.countries import country_code
from geocli.model.errors import UsageError
from geocli.model.records import MAX_ASN

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

System = tuple[int, str | None]
"""An AS number, and the name of its holder."""

FIRST_V6 = 2**32
"""An integer from here on cannot be IPv4. Below it, ::/96 is where trees of both families keep IPv4."""

STEP = 5_000
"""How many rows or networks there are between two calls of ``Progress``."""

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"


class Overlaps(Enum):
    """What to do where two ranges of one source overlap."""

    REFUSE = "refuse"
    NARROWEST = "narrowest"  # as in routing: the more specific range wins, of equals the later row


class Range(NamedTuple):
    """An inclusive range of addresses of one family, as integers.

    ``order`` counts all rows of a source. ``value`` is ``None`` where nobody is named: that is an answer too,
    in a narrow range inside of a wide one.
    """

    start: int
    end: int
    order: int
    value: Any


class _Lines:
    """Where the rows of a source stand, by ``Range.order``."""

    def __init__(self) -> None:
        self._files: list[tuple[int, Path]] = []
        self._numbers = array("L")

    def begin(self, path: Path) -> None:
        self._files.append((len(self._numbers), path))

    def add(self, line: int) -> int:
        self._numbers.append(line)
        return len(self._numbers) - 1

    def __getitem__(self, order: int) -> tuple[Path, int]:
        path = next(path for first, path in reversed(self._files) if first <= order)
        return path, self._numbers[order]


def read_ranges(
    paths: Iterable[Path], value_of: Callable[[list[str]], Any], overlaps: Overlaps, progress: Progress
) -> dict[int, list[Range]]:
    """Return the ranges of one source's files by family (4, 6), sorted by start.

    Raises ``UsageError`` for what cannot be, by file and line.
    """
    by_family: dict[int, list[Range]] = {}
    lines = _Lines()
    for path in paths:
        family, ranges = _read(path, value_of, lines, progress)
        by_family.setdefault(family, []).extend(ranges)
    for ranges in by_family.values():
        ranges.sort(key=lambda found: found.start)
        if overlaps is Overlaps.REFUSE:
            _refuse_overlaps(ranges, lines)
    return by_family


def _refuse_overlaps(ranges: list[Range], lines: _Lines) -> None:
    for before, after in itertools.pairwise(ranges):
        if after.start <= before.end:
            (path, line), (other, other_line) = lines[after.order], lines[before.order]
            of = "" if path == other else f" of {other}"
            raise UsageError(f"{path}:{line}: overlaps the range of line {other_line}{of}")


def _read(
    path: Path, value_of: Callable[[list[str]], Any], lines: _Lines, progress: Progress
) -> tuple[int, list[Range]]:
    ranges: list[Range] = []
    family = line = 0
    lines.begin(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            # What is not UTF-8 is found by row, below: the decoder reads ahead of it.
            text = io.TextIOWrapper(_unpacked(raw), encoding="utf-8", errors="surrogateescape", newline="")
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
                ranges.append(Range(start, end, lines.add(line), value))
                if line % STEP == 0:
                    progress(f"reading {path.name}", min(size, raw.tell()) if raw.seekable() else line, size)
    except (EOFError, zlib.error, lzma.LZMAError):
        raise UsageError(f"{path}: is cut off or damaged: it cannot be unpacked") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except csv.Error as error:
        raise UsageError(f"{path}:{line + 1}: not CSV ({error})") from None
    if all(found.value is None for found in ranges):
        raise UsageError(f"{path}: holds no ranges")
    return family, ranges


def _unpacked(raw: io.BufferedReader) -> IO[bytes]:
    """Return what is in a file, whichever way it is compressed."""
    head = raw.peek(len(_XZ))
    if head.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if head.startswith(_BZIP2):
        return bz2.BZ2File(raw)
    if head.startswith(_XZ):
        return lzma.LZMAFile(raw)
    return raw


def _address(text: str) -> tuple[int, int]:
    """An address as an integer, and its family; 0 for a small integer, which may be either's."""
    text = text.strip()
    try:  # ten times as fast as ipaddress
        if ":" in text:
            return int.from_bytes(inet_pton(AF_INET6, text)), 6
        if "." in text:
            return int.from_bytes(inet_pton(AF_INET, text)), 4
    except (OSError, ValueError):
        pass
    if text.isascii() and text.isdigit() and (number := int(text[:40])) < 2**128:
        return number, 6 if number >= FIRST_V6 else 0
    raise ValueError(f"{text[:50]!r} is no address")


def country_of_row(no_country: Counter[str], row: Sequence[str]) -> str | None:
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


def system_of_row(known: dict[tuple[str, str], System | None], row: Sequence[str]) -> System | None:
    """The AS number and organisation of a row, ``None`` for none. Raises ``ValueError``.

    ``known`` are those that were read before: there are more rows than systems.
    """
    if len(row) != 4:
        raise ValueError(f"{len(row)} columns where start,end,AS number,organisation are expected")
    key = row[2], row[3]
    if key not in known:
        text = row[2].strip().removeprefix("AS")
        digits = text.lstrip("0")
        if not (text.isascii() and text.isdigit()) or len(digits) > 10 or int(digits or "0") > MAX_ASN:
            raise ValueError(f"{row[2][:50]!r} is no AS number")
        number = int(digits or "0")
        # 0 is reserved (RFC 7607): the sets write it for "no AS".
        known[key] = (number, clean_as_name(row[3])) if number else None
    return known[key]

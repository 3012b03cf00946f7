"""Builds one MMDB file out of range CSVs: countries, AS numbers with organisations, or both.

The file has MaxMind's field layout, so that every MMDB reader understands it. Country and AS ranges of
one family are laid over each other and cut where either begins or ends; neighbours with the same
answer become one range, and equal parts of the search tree are stored once.

Nothing here prints; progress goes to a callback. The only module that imports mmdb_writer and netaddr.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import EISDIR
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mmdb_writer import MMDBWriter, SearchTreeLeaf, SearchTreeNode, TreeWriter
from netaddr import IPAddress, IPRange, IPSet

from geocli.mmdb.csv_ranges import (
    FIRST_V6,
    STEP,
    Overlaps,
    Progress,
    RangeAnswer,
    country_of_row,
    overlay,
    read_ranges,
    system_of_row,
)
from geocli.model.countries import country_name
from geocli.model.errors import NO_ROOM, TryAgainError, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LONGEST_TEXT = 1000  # characters; readers look for the metadata in the last 128 KiB of a file
_EDITION = re.compile(r"(?:199|[2-9][0-9]{2})[0-9]-[0-9]{2}(?:-[0-9]{2})?")  # the time of such data


class Origin(NamedTuple):
    """What the finished file says of itself. ``edition`` is a month or a day: ``2026-06``, ``2026-06-17``."""

    database_type: str
    edition: str
    description: str
    licence: str

    @property
    def epoch(self) -> int:
        """The edition's first second, UTC, since 1970: the age of the data, not of the file."""
        day = self.edition if len(self.edition) > len("YYYY-MM") else f"{self.edition}-01"
        with suppress(ValueError):  # the 31st of February
            if _EDITION.fullmatch(self.edition):
                return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        raise UsageError(f"{self.edition!r} is no edition: give YYYY-MM or YYYY-MM-DD")


class Built(NamedTuple):
    """What became of the CSV files: ranges read, networks and bytes written.

    ``no_country`` counts the ranges passed over, by code: ``ZZ``, withdrawn codes such as ``AN``.
    """

    ranges: int
    networks: int
    size: int
    no_country: dict[str, int]


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
    countries = read_ranges(country_files, partial(country_of_row, no_country), overlaps, progress)
    systems = read_ranges(asn_files, system_of_row, overlaps, progress)
    pieces = {family: list(overlay(countries.get(family, []), systems.get(family, []))) for family in (4, 6)}
    # The tree keeps IPv4 in ::/96: what a file says of IPv6 there must not answer for it.
    pieces[6] = [(max(start, FIRST_V6), end, answer) for start, end, answer in pieces[6] if end >= FIRST_V6]
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
        full = error.errno in NO_ROOM
        raise (TryAgainError if full else UsageError)(f"cannot write {output}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _plant(
    writer: MMDBWriter, pieces: dict[int, list[tuple[int, int, RangeAnswer]]], progress: Progress
) -> int:
    total = sum(map(len, pieces.values()))
    done = networks = 0
    contents: dict[RangeAnswer, dict[str, Any]] = {}
    for family, stretches in pieces.items():
        for start, end, answer in stretches:
            if (content := contents.get(answer)) is None:
                content = contents[answer] = _content(answer)
            span = IPSet(IPRange(IPAddress(start, family), IPAddress(end, family)))
            writer.insert_network(span, content)
            networks += len(span.iter_cidrs())
            done += 1
            if done % STEP == 0:
                progress("building the tree", done, total)
    return networks


def _content(answer: RangeAnswer) -> dict[str, Any]:
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

"""Builds one MMDB file out of range CSVs: countries, AS numbers with organisations, or both.

The file has MaxMind's field layout, so that every MMDB reader understands it. Country and AS ranges of
one family are laid over each other and cut where either begins or ends; neighbours with the same
answer become one range, and equal parts of the search tree are stored once. The same input gives the same
bytes. Nothing here prints; progress goes to a callback.
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

from geocli.mmdb.builder.encoder import Encoder, Uint
from geocli.mmdb.builder.overlay import RangeAnswer, Vote, answers, stretches
from geocli.mmdb.builder.ranges import (
    FIRST_V6,
    STEP,
    Overlaps,
    Progress,
    country_of_row,
    read_ranges,
    system_of_row,
)
from geocli.mmdb.builder.report import Report
from geocli.mmdb.builder.tree import TreeBuilder, write_tree
from geocli.model.countries import country_name
from geocli.model.errors import NO_ROOM, TryAgainError, UsageError
from geocli.model.records import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from geocli.mmdb.builder.ranges import Range

_LONGEST_TEXT = 1000  # characters; readers look for the metadata in the last 128 KiB of a file
_EDITION = re.compile(r"(?:199|20[0-9])[0-9]-[0-9]{2}(?:-[0-9]{2})?")  # the time of such data
_MARKER = b"\xab\xcd\xefMaxMind.com"


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


class Recipe(NamedTuple):
    """What a file is made of. ``countries`` are the files of each source by its name, the first first.

    ``overlays`` win over them. ``votes`` say, by family (4, 6), how the sources become one country.
    """

    countries: Mapping[str, Sequence[Path]]
    systems: Sequence[Path] = ()
    overlays: Sequence[Path] = ()
    overlaps: Overlaps = Overlaps.REFUSE
    votes: Mapping[int, Vote] = {4: Vote(), 6: Vote()}


class Built(NamedTuple):
    """What became of the CSV files: ranges read, networks and bytes written, and how well sources agree.

    ``no_country`` counts the ranges passed over, by code: ``ZZ``, withdrawn codes such as ``AN``.
    """

    ranges: int
    networks: int
    size: int
    no_country: dict[str, int]
    report: Report


def build(recipe: Recipe, output: Path, origin: Origin, progress: Progress) -> Built:
    """Write ``output`` (replaced only when the new file is complete).

    Raises ``UsageError`` naming file and line for a row that cannot be right: the wrong number of
    columns, no address, no country, another family, ends the wrong way round, and, where overlaps are
    refused, a range that overlaps another of its source.
    """
    epoch = origin.epoch
    with _writable(output):
        pass  # better now than in three minutes
    no_country: Counter[str] = Counter()
    country_of = partial(country_of_row, no_country)
    read = partial(read_ranges, overlaps=recipe.overlaps, progress=progress)
    sources = {name: read(files, country_of) for name, files in recipe.countries.items()}
    declared = read(recipe.overlays, country_of)
    systems = read(recipe.systems, partial(system_of_row, {}))
    tree, encoder, places = TreeBuilder(), Encoder(), _Leaves()
    report = Report(list(sources))
    for family in (4, 6):
        lists = {name: found[family] for name, found in sources.items() if family in found}
        pieces = report.watched(
            stretches(
                list(lists.values()), declared.get(family, []), systems.get(family, []), recipe.votes[family]
            ),
            family,
            list(lists),
        )
        total = sum(map(len, lists.values())) + len(declared.get(family, [])) + len(systems.get(family, []))
        for done, (start, end, answer) in enumerate(answers(pieces)):
            # The tree keeps IPv4 in ::/96: what a file says of IPv6 there must not answer for it.
            if family == 4 or end >= FIRST_V6:
                tree.add(start if family == 4 else max(start, FIRST_V6), end, places.leaf(answer))
            if done % STEP == 0:
                progress(f"building the tree, IPv{family}", min(done, total), total)
    growth = tree.finish()
    progress("writing the file", 0, 1)
    data_places = [encoder.add(_content(answer)) for answer in places.answers]
    tree_bytes, record_bits = write_tree(growth, data_places, len(encoder.data))
    metadata = Encoder(sharing=False)
    metadata.add(_metadata(origin, epoch, len(growth.nodes), record_bits))
    with _writable(output) as unfinished:
        unfinished.write_bytes(tree_bytes + bytes(16) + encoder.data + _MARKER + metadata.data)
        size = unfinished.stat().st_size
        unfinished.replace(output)
    ranges = sum(_count(found) for found in (*sources.values(), declared, systems))
    return Built(ranges, growth.networks, size, dict(no_country), report)


def _count(by_family: dict[int, list[Range]]) -> int:
    return sum(map(len, by_family.values()))


class _Leaves:
    """Numbers distinct answers -1, -2, ... in the order in which they come."""

    def __init__(self) -> None:
        self.answers: dict[RangeAnswer, int] = {}

    def leaf(self, answer: RangeAnswer) -> int:
        return self.answers.setdefault(answer, -len(self.answers) - 1)


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


def _content(answer: RangeAnswer) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if answer.country is not None:
        name = country_name(answer.country)
        content["country"] = {"iso_code": answer.country} | ({"names": {"en": name}} if name else {})
    if answer.system is not None:
        number, organisation = answer.system
        content["autonomous_system_number"] = Uint(number, 32)
        if organisation is not None:
            content["autonomous_system_organization"] = organisation
    return content


def _metadata(origin: Origin, epoch: int, nodes: int, record_bits: int) -> dict[str, Any]:
    return {
        "node_count": Uint(nodes, 32),
        "record_size": Uint(record_bits, 16),
        "ip_version": Uint(6, 16),
        "database_type": clean_text(origin.database_type, 64),
        "languages": ["en"],
        "binary_format_major_version": Uint(2, 16),
        "binary_format_minor_version": Uint(0, 16),
        "build_epoch": Uint(epoch, 64),
        # The format has no keys for two of these: private-use language tags (RFC 5646) keep the map valid.
        "description": {
            "en": clean_text(origin.description, _LONGEST_TEXT),
            "x-edition": origin.edition,
            "x-licence": clean_text(origin.licence, _LONGEST_TEXT),
        },
    }

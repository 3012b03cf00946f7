"""Counts while a database is built: how much of the space has an answer, and how far its sources agree.

IPv4 is weighed by addresses, IPv6 by networks of 2^80 addresses (/48): what one site gets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.mmdb.builder.overlay import Stretch

_UNITS = {4: 1, 6: 1 << 80}
_SPACES = {4: 1 << 32, 6: 1 << 48}  # units in all


class Row(NamedTuple):
    """One line: what was measured, of which source, and the figure in per cent for each family."""

    measure: str
    source: str
    ipv4: float | None
    ipv6: float | None


class Report:
    """The figures of one build. ``sources`` are the names of the sources of countries, in their order."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = sources
        self._units: dict[int, dict[tuple[str, str], float]] = {
            family: defaultdict(float) for family in _UNITS
        }

    def watched(self, pieces: Iterator[Stretch], family: int, names: Sequence[str]) -> Iterator[Stretch]:
        """Pass stretches through and count them. ``names`` are those of the sources in ``Stretch.said``."""
        units, unit = self._units[family], _UNITS[family]
        for piece in pieces:
            yield piece
            weight = (piece.end - piece.start + 1) / unit
            country, system = piece.answer
            if country is not None:
                units["country", ""] += weight
            if system is not None:
                units["as", ""] += weight
                if country is not None:
                    units["country of as", ""] += weight
            if piece.declared is not None:
                units["declared", ""] += weight
            for name, code in zip(names, piece.said, strict=True):
                if code is not None and country is not None:
                    units["compared", name] += weight
                    if code == country:
                        units["agreed", name] += weight

    def rows(self) -> list[Row]:
        """The figures, in per cent."""
        rows = [
            self._row("space with a country", "", ("country", ""), None),
            self._row("space with an AS", "", ("as", ""), None),
            self._row("of it with a country", "", ("country of as", ""), ("as", "")),
            self._row("space with a declared country", "", ("declared", ""), None),
        ]
        rows += [
            self._row("agrees with the result", name, ("agreed", name), ("compared", name))
            for name in self._sources
        ]
        return rows

    def _row(self, measure: str, source: str, part: tuple[str, str], whole: tuple[str, str] | None) -> Row:
        figures = []
        for family in (4, 6):
            of = _SPACES[family] if whole is None else self._units[family][whole]
            figures.append(100 * self._units[family][part] / of if of else None)
        return Row(measure, source, *figures)


def report_text(rows: Sequence[Row]) -> str:
    """Return rows as TSV with a header, for people and scripts."""
    lines = ["measure\tsource\tipv4\tipv6"]
    for row in rows:
        figures = ["" if figure is None else f"{figure:.2f}" for figure in (row.ipv4, row.ipv6)]
        lines.append("\t".join([row.measure, row.source, *figures]))
    return "\n".join(lines) + "\n"

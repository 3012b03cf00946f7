"""The tables of a page: which rows are in it, and what their names look like.

A page holds at most ``MOST_ROWS`` rows of a table, and says how much there is beyond them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geocli.output.report.summary import BusyAddress, Summary

MOST_ROWS = 500

_LONG = 16  # characters: a name that a narrow screen may cut


class Name(NamedTuple):
    """What a row is called: a ``code`` before it, the ``text``, and something ``small`` behind it."""

    code: str = ""
    text: str = ""
    small: str = ""
    is_address: bool = False

    @property
    def title(self) -> str:
        """All of it, for where it is cut; empty where it is too short for that."""
        whole = " ".join(part for part in (self.code, self.text, self.small) if part)
        return whole if len(whole) > _LONG else ""


class Row(NamedTuple):
    """A group: its addresses, what is counted of it, its share, and the bar's length from 0 to 100."""

    name: Name
    addresses: int
    total: int
    share: float
    bar: int


class Table(NamedTuple):
    """Rows, largest first; ``more`` others with ``more_total`` are only counted."""

    id: str
    heading: str
    head: str
    rows: Sequence[Row]
    more: int
    more_total: int


class Addresses(NamedTuple):
    """The addresses that count most, as rows of a table, and all ``others`` that the page names.

    ``times`` is what is known of them: nothing (0), one moment of each (1), or the first and the last (2).
    ``repeated`` of all that are named count more than once. ``unnamed`` are not on the page.
    """

    rows: Sequence[BusyAddress]
    others: Sequence[BusyAddress]
    times: int
    repeated: int
    unnamed: int


def tables_of(picture: Summary, top: int) -> dict[str, Table]:
    """The tables that have a row that is known, by their names; ``top`` rows at least are held."""
    kinds: tuple[tuple[str, str, str, str, Callable[[Sequence[Any]], Name]], ...] = (
        ("country", "countries", "Countries", "country", lambda row: Name(row[0], row[1] or "")),
        ("asn", "asns", "Networks by holder (AS)", "AS", lambda row: Name(f"AS{row[0]}", row[1] or "")),
        ("network", "networks", "Networks", "network", _network),
        ("jail", "jails", "Jails", "jail", lambda row: Name(text=row[0])),
        ("host", "hosts", "Hosts", "host", lambda row: Name(text=row[0])),
    )
    found = {}
    for kind, id_, heading, head, name in kinds:
        groups = picture.hosts if kind == "host" else picture.tables[kind]
        known: list[Sequence[Any]] = [row for row in groups if row[0] is not None]
        if known:
            held, rest = known[: max(MOST_ROWS, top)], known[max(MOST_ROWS, top) :]
            most = known[0][-2] or 1
            rows = [Row(name(row), row[-3], row[-2], row[-1], round(100 * row[-2] / most)) for row in held]
            more, more_total = picture.beyond.get(kind, (0, 0))
            more_total += sum(row[-2] for row in rest)
            found[kind] = Table(id_, heading, head, rows, more + len(rest), more_total)
    return found


def addresses_of(picture: Summary) -> Addresses | None:
    """The addresses, where the page may name any."""
    busiest = picture.busiest
    if not busiest:
        return None
    times = 0
    if any(address.first for address in busiest):
        times = 2 if any(address.first != address.last for address in busiest) else 1
    return Addresses(
        busiest[:MOST_ROWS],
        busiest[MOST_ROWS:],
        times,
        sum(address.total > 1 for address in busiest),
        picture.addresses - len(busiest),
    )


def minute(moment: str) -> str:
    """A record's time as it stands in a table: ``2026-11-25 06:30``."""
    return moment[:16].replace("T", " ")


def _network(row: Sequence[Any]) -> Name:
    return Name(text=row[0], small=" ".join(part for part in (row[1], row[3]) if part), is_address=True)

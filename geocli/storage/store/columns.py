"""The columns that stores have: those of the first release, and those that came later.

A store that an older geocli wrote lacks the later ones. It is read all the same, with nothing in them, and
the next flush adds them. For a new field of a record or a ban, SQLite and PostgreSQL need no more than a line
in ``ADDED``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class Column(Value):
    """A column that came after its table. It may be empty: what was stored before has nothing in it."""

    table: Literal["geo_cache", "bans"]
    name: str
    type: Literal["TEXT", "BIGINT", "DOUBLE PRECISION"]


ADDED: tuple[Column, ...] = ()
"""The later columns, oldest first. What was released stays as it is: new ones go to the end."""


def lacking(steps: int) -> frozenset[str]:
    """Return the names of the columns that a store lacks which has the first ``steps`` of ``ADDED``."""
    return frozenset(column.name for column in ADDED[steps:])


def added_to(table: str) -> tuple[Column, ...]:
    """Return the later columns of a table."""
    return tuple(column for column in ADDED if column.table == table)


def selection(names: Iterable[str], lacks: Collection[str], prefix: str = "") -> str:
    """Return what to select to have all these columns, in this order; ``NULL`` for what a store lacks."""
    return ", ".join("NULL" if name in lacks else f"{prefix}{name}" for name in names)

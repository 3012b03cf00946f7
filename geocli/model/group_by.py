"""What ``--by`` takes: one table of groups, and of their columns.

A group is a line in ``GROUPS``; a column says where its value is, in Python and in the stores' SQL. Lists,
the history before and after a flush, both stores, summaries and reports read this table, so that they agree.

In SQL, ``b`` is a ban and ``g`` the answer about its address. What SQL gives, ``read`` makes a value of.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from geocli.model.bans import LocatedBan
    from geocli.model.records import GeoRecord

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Column(NamedTuple):
    """A column of groups. Either ``of_record`` or ``of_ban`` has its value, ``None`` where it is not known.

    ``answered``: it hangs on the answer about an address, not on the ban or the address itself.
    ``named_by``: the column that decides it, where one does: a country's name follows from its code.
    """

    name: str
    sqlite: str
    postgres: str
    of_record: Callable[[GeoRecord], Any] | None = None
    of_ban: Callable[[LocatedBan], Any] | None = None
    answered: bool = False
    named_by: str | None = None
    read: Callable[[Any], Any] | None = None


class GroupBy(NamedTuple):
    """A value of ``--by``: the columns that tell groups apart, and others that are shown beside them.

    ``in_order``: groups are shown in the order of their values, not the largest first.
    """

    name: str
    keys: tuple[str, ...]
    shown: tuple[str, ...] = ()
    in_order: bool = False


def _answer(name: str, named_by: str | None = None) -> Column:
    sql = f"g.{name}"
    return Column(name, sql, sql, of_record=attrgetter(name), answered=True, named_by=named_by)


def _moment(size: int, begin: int = 0) -> Callable[[LocatedBan], str | None]:
    """Where in the text of its time a ban's value is."""
    return lambda located: located.began and located.began[begin : begin + size]


@lru_cache(maxsize=4096)
def iso_week(day: str) -> str:
    """Return the ISO week of a day: ``2026-11-25`` is in ``2026-W48``; it may begin in the year before."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02}"


@lru_cache(maxsize=4096)
def _weekday(day: str) -> str:
    return WEEKDAYS[date.fromisoformat(day).weekday()]


_DAY = "substr(b.banned_at, 1, 10)"
_DATE_HOUR = "substr(b.banned_at, 1, 13)"
_PG_DATE = f"CAST({_DAY} AS DATE)"

COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        _answer("country_code"),
        _answer("country_name", named_by="country_code"),
        _answer("region"),
        _answer("asn"),
        _answer("org", named_by="asn"),
        _answer("status"),
        _answer("source"),
        # An address without a network is its own.
        Column(
            "network",
            "ifnull(g.network, b.ip)",
            "COALESCE(g.network, b.ip)",
            of_record=lambda record: record.network or record.ip,
            answered=True,
        ),
        Column("ip", "b.ip", "b.ip", of_record=attrgetter("ip")),
        Column(
            "jail",
            "b.jail",
            "b.jail",
            of_ban=lambda located: located.ban.jail,
            read=lambda jail: jail or None,
        ),
        Column("host", "b.host", "b.host", of_ban=lambda located: located.seen and located.seen.host),
        Column("hour", "substr(b.banned_at, 12, 2)", "substr(b.banned_at, 12, 2)", of_ban=_moment(2, 11)),
        Column(
            "weekday",
            f"(strftime('%w', {_DAY}) + 6) % 7",
            f"CAST(EXTRACT(isodow FROM {_PG_DATE}) AS BIGINT) - 1",
            of_ban=lambda located: located.began and _weekday(located.began[:10]),
            read=lambda number: None if number is None else WEEKDAYS[number],
        ),
        Column("day", _DAY, _DAY, of_ban=_moment(10)),
        Column("date_hour", _DATE_HOUR, _DATE_HOUR, of_ban=_moment(13)),
        Column("ban_count", "b.ban_count", "b.ban_count", of_ban=lambda located: located.ban.ban_count),
        # SQLite learned to name ISO weeks in 3.46 only: geocli brings the function along.
        Column(
            "week",
            f"iso_week({_DAY})",
            f"CAST(CAST(EXTRACT(isoyear FROM {_PG_DATE}) AS BIGINT) AS TEXT) || '-W' || "
            f"lpad(CAST(CAST(EXTRACT(week FROM {_PG_DATE}) AS BIGINT) AS TEXT), 2, '0')",
            of_ban=lambda located: located.began and iso_week(located.began[:10]),
        ),
        Column("month", "substr(b.banned_at, 1, 7)", "substr(b.banned_at, 1, 7)", of_ban=_moment(7)),
    )
}

GROUPS: Mapping[str, GroupBy] = {
    group.name: group
    for group in (
        GroupBy("country", ("country_code",), ("country_name",)),
        GroupBy("asn", ("asn",), ("org",)),
        GroupBy("org", ("org",)),
        GroupBy("network", ("network",), ("country_code", "asn", "org")),
        GroupBy("region", ("region", "country_code")),
        GroupBy("ip", ("ip",), ("country_code", "country_name", "asn", "org")),
        GroupBy("jail", ("jail",)),
        GroupBy("host", ("host",)),
        GroupBy("hour", ("hour",), in_order=True),
        GroupBy("weekday", ("weekday",), in_order=True),
        GroupBy("day", ("day",), in_order=True),
        GroupBy("week", ("week",), in_order=True),
        GroupBy("month", ("month",), in_order=True),
    )
}
"""All values of ``--by``. Times are UTC's, weeks those of ISO 8601; an hour is one of the 24 of a day."""


class Grouping:
    """One group of the table, or several at once: then each combination of their values is a group.

    ``with_people``: a user or a host that was banned has a group even where that is a network, which it has
    not. ``with_addresses``: how many addresses a group has is counted; of bans alone, stores tell quicker.
    """

    def __init__(
        self, groups: Iterable[GroupBy], *, with_people: bool = False, with_addresses: bool = True
    ) -> None:
        self.groups = tuple(groups)
        names = [name for group in self.groups for name in (*group.keys, *group.shown)]
        keys = {name for group in self.groups for name in group.keys}
        self.columns = tuple(COLUMNS[name] for name in dict.fromkeys(names))
        self.names = tuple(column.name for column in self.columns)
        self.keys = tuple(index for index, name in enumerate(self.names) if name in keys)
        self.in_order = all(group.in_order for group in self.groups)
        self.has_network = "network" in keys and not with_people
        """Whether what is no address belongs to no group: a user or a host that was banned has no network."""
        self.with_addresses = with_addresses

    @property
    def name(self) -> str:
        """What was given as ``--by``."""
        return ",".join(group.name for group in self.groups)

    @property
    def answered(self) -> bool:
        """Whether a value hangs on the answer about an address."""
        return any(column.answered for column in self.columns)

    @property
    def about_bans(self) -> tuple[str, ...]:
        """The groups that hang on a ban: an address alone has no value for them."""
        return tuple(
            group.name
            for group in self.groups
            if any(COLUMNS[name].of_ban is not None for name in group.keys)
        )

    def key(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what tells the group of these values from others."""
        return tuple([values[index] for index in self.keys])

    def of_record(self, record: GeoRecord) -> tuple[Any, ...]:
        """Return the values of an address. Only where nothing is ``about_bans``."""
        return tuple([column.of_record(record) for column in self.columns if column.of_record is not None])

    def of_ban(self, located: LocatedBan) -> tuple[Any, ...]:
        """Return the values of a ban."""
        return tuple(
            [
                column.of_ban(located) if column.of_ban is not None else _of(column, located.record)
                for column in self.columns
            ]
        )

    def answered_by(self, record: GeoRecord, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return these values with what the answer decides taken from this record."""
        return tuple(
            [
                _of(column, record) if column.answered else value
                for column, value in zip(self.columns, values, strict=True)
            ]
        )

    def order(self, values: tuple[Any, ...]) -> list[Any]:
        """Return what sorts groups by their values; what is not known comes last."""
        return [
            (value is None, WEEKDAYS.index(value) if name == "weekday" and value else str(value))
            for name, value in zip(self.names, values, strict=True)
        ]


def _of(column: Column, record: GeoRecord) -> Any:
    return None if column.of_record is None else column.of_record(record)


ADDRESS = Grouping([GroupBy("ip", ("ip",))])
"""Each address by itself, and nothing beside it."""

PLACE = Grouping(
    [GroupBy("place", ("network", "country_code", "country_name", "asn", "org", "status", "source"))],
    with_people=True,
)
"""All that answers say: who wants several groups that hang on answers alone can make them of this one."""

DATE_HOUR_AND_JAIL = Grouping([GroupBy("date_hour", ("date_hour",)), GROUPS["jail"]], with_addresses=False)
"""When bans began, to the hour (``2026-11-25T06``), and in which jail."""

EVIDENCE = Grouping([GROUPS["ip"], GroupBy("evidence", ("date_hour", "ban_count"))], with_addresses=False)
"""What advice needs to know of bans: the address with its holder, when, and how often by then."""


def parse_by(text: str) -> Grouping:
    """Return the grouping that a value of ``--by`` names. Raises ``ValueError``.

    Example: ``parse_by("country,jail").names`` is ``("country_code", "country_name", "jail")``.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in GROUPS:
            raise ValueError(f"there is no {ascii(name)[:80]}, there is {', '.join(GROUPS)}")
    return Grouping(GROUPS[name] for name in dict.fromkeys(names))

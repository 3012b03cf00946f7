"""In what order rows are shown: ``--sort``, columns with commas between.

Of each the smallest comes first or, with ``-`` before its name, the largest, as with ``ps --sort``. Addresses
and networks go by their number, weekdays begin on Monday. What is not known comes last, whichever way the
rest goes.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.group_by import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ADDRESSES = frozenset({"ip", "network"})
_OFFSET, _WIDTH = 1 << 136, 18  # of whole numbers as bytes: addresses of IPv6 have 128 bits
_FIRST, _LAST = b"0", b"1"
_TURN = bytes(range(255, -1, -1))


class RowOrder(NamedTuple):
    """Where in a row each column is that decides, its name, and whether the largest comes first."""

    keys: tuple[tuple[int, str, bool], ...] = ()

    def sorted(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the rows in this order; rows that are equal in it stay as they were."""
        ordered = list(rows)
        for index, name, is_descending in reversed(self.keys):
            known = [row for row in ordered if row[index] is not None]
            unknown = [row for row in ordered if row[index] is None]
            known.sort(key=lambda row, index=index, name=name: rank(name, row[index]), reverse=is_descending)  # type: ignore[misc]  # mypy knows no lambdas with defaults
            ordered = known + unknown
        return ordered

    def key(self, row: Sequence[Any]) -> bytes:
        """Return bytes that sort rows as ``sorted`` does, where so many are to be sorted elsewhere."""
        return b"".join(
            _LAST if row[index] is None else _FIRST + _part(name, row[index], is_descending)
            for index, name, is_descending in self.keys
        )


def parse_order(text: str, columns: Sequence[str]) -> RowOrder:
    """Return the order that ``--sort`` names. Raises ``ValueError`` for what is not one of the columns.

    Example: ``parse_order("-bans,ip", ("ip", "bans")).keys`` is ``((1, "bans", True), (0, "ip", False))``.
    """
    keys = []
    for part in text.split(","):
        name = part.strip()
        is_descending = name.startswith("-")
        name = name.removeprefix("-")
        if name not in columns:
            raise ValueError(f"no column is called {ascii(name)[:80]}, there is {', '.join(columns)}")
        keys.append((columns.index(name), name, is_descending))
    return RowOrder(tuple(keys))


def rank(name: str, value: Any) -> Any:
    """Return what a value that is known is sorted by in this column: a number, a text, or a tuple of them."""
    if name in _ADDRESSES:
        return _address_rank(str(value))
    if name == "weekday":
        return WEEKDAYS.index(value)
    return value.casefold() if isinstance(value, str) else value


def _address_rank(text: str) -> tuple[int, int, int, str]:
    from ipaddress import ip_network  # only where addresses are sorted

    try:
        network = ip_network(text)
    except ValueError:  # a user or a host can be banned too
        return (9, 0, 0, text)
    return (network.version, int(network.network_address), network.prefixlen, "")


def sortable(value: Any) -> bytes:
    """Return bytes that compare as these values do: of one form, without control characters.

    None begins with all of another.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass") + b"\0"
    if isinstance(value, int):
        return (value + _OFFSET).to_bytes(_WIDTH, "big")
    if isinstance(value, float):  # whose bits compare as numbers do, except that those below 0 go down
        data = pack(">d", value + 0.0)
        return data.translate(_TURN) if data[0] & 0x80 else bytes([data[0] | 0x80]) + data[1:]
    return b"".join(map(sortable, value))


def _part(name: str, value: Any, is_descending: bool) -> bytes:  # noqa: FBT001 (as in the keys)
    data = sortable(rank(name, value))
    return data.translate(_TURN) if is_descending else data

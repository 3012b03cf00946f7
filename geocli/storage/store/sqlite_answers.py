"""The statements about answers in SQLite, and what they give.

Texts are of geocli's own; values come as parameters.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from geocli.model.record_batch import SHARED, AnswerDictionary, RecordBatch, Shared
from geocli.model.records import FIELDS
from geocli.storage.store.clocks import believed
from geocli.storage.store.columns import selection
from geocli.storage.store.sound_rows import sound
from geocli.storage.store.sqlite_schema import lacks
from geocli.storage.store.times import COLUMNS, NO_KIND, most_frequent, times_of, usable_times
from geocli.system.sqlite_errors import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from geocli.model.records import GeoRecord

_COLUMNS = ", ".join(FIELDS)
# What addresses have in common comes as one text, which most have in common too: a third less to be read.
_DEGREES = frozenset({"latitude", "longitude"})  # in JSON they would be rounded
# Asked in the order of the index, one after the other.
_FIND = (
    "SELECT ip, network, json_array({}) FROM json_each(?) AS asked CROSS JOIN geo_cache ON ip = asked.value"
)
# Of many answers most are of one kind. What is as expected need not be said: a fifth of the time.
_UNEXPECTED = (
    f"SELECT asked.key, {COLUMNS} FROM json_each(?) AS asked LEFT JOIN geo_cache ON ip = asked.value "  # noqa: S608 (constants)
    "WHERE (status, source, resolved_at) IS NOT (?, ?, ?)"
)
_ALL = "SELECT {} FROM geo_cache WHERE ip > ? ORDER BY ip LIMIT ?"
OUTLIVED = (
    f"SELECT ip, {believed('resolved_at', ':latest')} AS since FROM geo_cache "  # noqa: S608 (constants)
    "WHERE since < iif(status = 'ok', :before, :unknown_before) AND (since, ip) > (:last, :last_ip) "
    "ORDER BY since, ip LIMIT :size"
)
COUNT = (
    "SELECT count(*), count(*) FILTER (WHERE status = 'unknown'), count(*) FILTER (WHERE resolved_at > ?) "
    "FROM geo_cache"
)


class AnswerReader:
    """Reads answers about given targets from the file at ``path``, and keeps what many have in common."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._dictionary = AnswerDictionary(_understood)
        self._usual = NO_KIND  # of the answers asked about last

    def batch(self, connection: sqlite3.Connection, targets: Collection[str]) -> RecordBatch:
        """The stored records of these, by column, in no order. Raises ``GeocliError``."""
        with translated(self._path):
            lacking = lacks(connection, self._path)
            answer = ", ".join(
                f"quote({name})" if name in _DEGREES else selection([name], lacking) for name in SHARED
            )
            rows = connection.execute(_FIND.format(answer), (json.dumps(sorted(targets)),)).fetchall()
        targets = [ip for ip, *_ in rows]
        return sound(self._path, targets, rows, lambda numbers: self._block([rows[n] for n in numbers]))

    def _block(self, rows: list[tuple[Any, ...]]) -> RecordBatch:
        ips, networks, texts = zip(*rows, strict=True) if rows else ((), (), ())
        return self._dictionary.batch(ips, networks, texts)

    def times(
        self,
        connection: sqlite3.Connection,
        targets: Collection[str],
        usable: Callable[[GeoRecord], bool],
    ) -> dict[str, str]:
        """When each target's answer was given, of those that have a usable one. Raises ``GeocliError``."""
        with translated(self._path):
            ordered, usual = sorted(targets), self._usual
            rows = connection.execute(_UNEXPECTED, (json.dumps(ordered), *usual)).fetchall()
        if not rows:  # then one of them speaks for all
            found = usable_times(ordered[:1], [usual], usable)  # which was right for others
            return dict.fromkeys(ordered, *found.values()) if found else {}
        kinds = [usual] * len(ordered)
        for place, *kind in rows:
            kinds[place] = tuple(kind)
        times = sound(self._path, ordered, kinds, partial(times_of, ordered, kinds, usable))
        self._usual = most_frequent(kinds)  # none that is bad
        return times


def every(connection: sqlite3.Connection, last: str, size: int, lacking: Collection[str]) -> sqlite3.Cursor:
    """The rows of all fields of at most so many answers behind an address, in its order."""
    return connection.execute(_ALL.format(selection(FIELDS, lacking)), (last, size))


def _understood(texts: Sequence[str]) -> Iterable[Shared]:
    """The answers that ``_FIND`` gives as texts."""
    for values in json.loads(f"[{','.join(texts)}]"):
        answer = dict(zip(SHARED, values, strict=True))
        for name in _DEGREES:
            answer[name] = None if answer[name] == "NULL" else float(answer[name])
        yield tuple(answer.values())

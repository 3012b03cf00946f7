"""The statements about answers in SQLite, and what they give.

Texts are of geocli's own; values come as parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geocli.model.record_batch import SHARED, Shared
from geocli.model.records import FIELDS
from geocli.storage.store.clocks import NO_TIME, believed, mend_answers
from geocli.storage.store.times import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLUMNS = ", ".join(FIELDS)
# What addresses have in common comes as one text, which most have in common too: a third less to be read.
DEGREES = frozenset({"latitude", "longitude"})  # in JSON they would be rounded
# Asked in the order of the index, one after the other.
FIND = (
    "SELECT ip, network, json_array({}) FROM json_each(?) AS asked CROSS JOIN geo_cache ON ip = asked.value"
)
# Of many answers most are of one kind. What is as expected need not be said: a fifth of the time.
UNEXPECTED = (
    f"SELECT asked.key, {COLUMNS} FROM json_each(?) AS asked LEFT JOIN geo_cache ON ip = asked.value "  # noqa: S608 (constants)
    "WHERE (status, source, resolved_at) IS NOT (?, ?, ?)"
)
ALL = "SELECT {} FROM geo_cache WHERE ip > ? ORDER BY ip LIMIT ?"
OUTLIVED = (
    f"SELECT ip, {believed('resolved_at', ':latest')} AS since FROM geo_cache "  # noqa: S608 (constants)
    "WHERE since < iif(status = 'ok', :before, :unknown_before) AND (since, ip) > (:last, :last_ip) "
    "ORDER BY since, ip LIMIT :size"
)
COUNT = (
    "SELECT count(*), count(*) FILTER (WHERE status = 'unknown'), count(*) FILTER (WHERE resolved_at > ?) "
    "FROM geo_cache"
)
MEND = mend_answers("temp.arrived", ":latest", NO_TIME)
"""Of answers that were collected, what has a time that cannot be right."""

# What a flush has is collected in temporary tables first, without touching the store, and sorted before it
# meets the indexes, which are then walked once: one by one, each of millions would find another page of them.
COLLECT = f"CREATE TEMP TABLE arrived ({_COLUMNS})"
ARRIVE = f"INSERT INTO temp.arrived VALUES ({', '.join('?' * len(FIELDS))})"  # noqa: S608 (the same)
REPLAY = (
    f"INSERT INTO geo_cache ({_COLUMNS}) SELECT {_COLUMNS} FROM temp.arrived WHERE true ORDER BY ip, rowid "  # noqa: S608 (the same); of two about one address, the later still comes later
    f"ON CONFLICT (ip) DO UPDATE SET {', '.join(f'{f} = excluded.{f}' for f in FIELDS[1:])} "
    "WHERE (excluded.status = 'ok', excluded.resolved_at) >= "
    f"(geo_cache.status = 'ok', {believed('geo_cache.resolved_at', ':latest')})"
)
"""All answers that were collected, and those that are there: of each address the better one."""


def understood(texts: Sequence[str]) -> Iterable[Shared]:
    """The answers that ``FIND`` gives as texts."""
    import json  # an idle flush does without

    for values in json.loads(f"[{','.join(texts)}]"):
        answer = dict(zip(SHARED, values, strict=True))
        for name in DEGREES:
            answer[name] = None if answer[name] == "NULL" else float(answer[name])
        yield tuple(answer.values())

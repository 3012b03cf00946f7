"""The baseline of a flush: the same rows into the same schema with one ``executemany`` and one commit.

Takes a file of JSON Lines, as ``lookup -j`` prints them, and a database, new or full; prints the seconds from
the first row to the end of the commit. What comes before (starting, reading JSON, the schema) is not among
them, while the flush that it is compared with is a whole process.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from geocli.model.records import FIELDS
from geocli.storage.store.migrations import migrate

shared: dict[Any, Any] = {}  # equal values are one object, as when geocli reads a segment
with Path(sys.argv[1]).open(encoding="utf-8") as lines:
    rows = [
        (ip, *(shared.setdefault(value, value) for value in rest))
        for ip, *rest in (json.loads(line).values() for line in lines)
    ]
rows.sort()  # the store's own order: in any other one, each of millions would find another page of it
connection = sqlite3.connect(sys.argv[2], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("PRAGMA cache_size = -32000")  # twice what a flush takes: without sorting it needs more
connection.execute("BEGIN")
migrate(connection)
connection.execute("COMMIT")
begun = time.perf_counter()
connection.execute("BEGIN IMMEDIATE")
connection.executemany(
    f"INSERT INTO geo_cache VALUES ({', '.join('?' * len(FIELDS))}) ON CONFLICT (ip) DO UPDATE SET "  # noqa: S608 (constants)
    + ", ".join(f"{field} = excluded.{field}" for field in FIELDS[1:]),
    rows,
)
connection.execute("COMMIT")
print(time.perf_counter() - begun)

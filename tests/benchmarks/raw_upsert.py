"""The baseline of a flush: the same rows into the same schema with one ``executemany`` and one commit.

Takes a JSON file of rows and a database; makes the schema, then prints the seconds that the rows took.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

from geocli.records import FIELDS
from geocli.store.migrations import migrate

rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
connection = sqlite3.connect(sys.argv[2], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
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

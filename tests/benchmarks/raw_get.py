"""The baseline of bulk look-ups: ``maxminddb`` asked for every line of a file, nothing written."""

import sys

import maxminddb

from geocli.mmdb.file import embedded_path

with maxminddb.open_database(embedded_path()) as database, open(sys.argv[1]) as lines:  # noqa: PTH123 (plain)
    for line in lines:
        database.get(line.rstrip("\n"))

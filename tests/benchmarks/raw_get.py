"""The baseline of bulk look-ups: ``maxminddb`` asked for every line of stdin, nothing written."""

import sys

import maxminddb

from geocli.mmdb.embedded import embedded_path

with maxminddb.open_database(embedded_path()) as database:
    for line in sys.stdin:
        database.get(line.rstrip("\n"))

"""The baseline of a database of bans: Python's ``sqlite3`` reads the same rows, which are written as CSV."""

import csv
import sqlite3
import sys

SELECT = "SELECT jail, ip, timeofban, bantime, bancount, data FROM bips ORDER BY timeofban, rowid"

csv.writer(sys.stdout).writerows(sqlite3.connect(sys.argv[1]).execute(SELECT))

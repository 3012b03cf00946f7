"""A peer: ``geoip2fast`` asked for every line of stdin, with country and AS, written as CSV."""

import csv
import sys
from importlib import import_module

database = import_module("geoip2fast").GeoIP2Fast(geoip2fast_data_file="geoip2fast-asn.dat.gz")
writer = csv.writer(sys.stdout)
for line in sys.stdin:
    found = database.lookup(line.rstrip("\n"))
    writer.writerow((found.ip, found.country_code, found.country_name, found.asn_name, found.cidr))

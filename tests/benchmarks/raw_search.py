"""The baseline for logs: one regular expression that finds IPv4 addresses, and nothing else."""

import re
import sys
from pathlib import Path

PATTERN = re.compile(rb"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")

with Path(sys.argv[1]).open("rb") as file:
    for lines in iter(lambda: file.readlines(1 << 16), []):
        PATTERN.findall(b"".join(lines))

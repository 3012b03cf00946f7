"""The baseline for logs: one regular expression that finds IPv4 addresses, and nothing else."""

import re
import sys

PATTERN = re.compile(rb"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")

for lines in iter(lambda: sys.stdin.buffer.readlines(1 << 16), []):
    PATTERN.findall(b"".join(lines))

"""Kills many processes, and prints one line of figures. The package says what that proves."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.torture.rounds import torture


def main() -> None:
    """Exit with 1 if there is any finding; its data directories are kept then."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="how many processes to kill")
    parser.add_argument("--seed", type=int, default=1, help="of all choices")
    parser.add_argument("--data-dir", type=Path, help="an empty directory; default: a temporary one")
    options = parser.parse_args()
    directory = options.data_dir or Path(tempfile.mkdtemp(prefix="geocli-torture-"))
    directory.mkdir(parents=True, exist_ok=True)
    report = torture(options.kills, options.seed, directory)
    print(report)
    print(*report.findings, sep="\n", file=sys.stderr, end="\n" if report.findings else "")
    if report.findings:
        sys.exit(1)
    if options.data_dir is None:
        directory.rmdir()


if __name__ == "__main__":
    main()

"""How much memory a program takes at its peak."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

# A process begins as a copy of the one that starts it, and that counts as its own: so a small one starts it.
_MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def peak_memory(command: Sequence[str], env: Mapping[str, str], stdout: IO[bytes]) -> int:
    """Run a command that succeeds; return how many KiB it had in memory at most."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], env=env, stdout=stdout, stderr=subprocess.PIPE, check=True
    )
    return int(done.stderr.split()[-1])

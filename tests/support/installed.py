"""The program ``geocli`` that pip installed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "geocli"


@cache
def _complaint() -> str:
    try:
        done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.strip()


def installed_program() -> Path:
    """Return where it is. Skips the test where it cannot be started: pip's scripts break below a "$"."""
    if complaint := _complaint():
        reason = f"{PROGRAM} cannot be started: {complaint}"
        if os.environ.get("GEOCLI_TEST_NO_SKIPS"):
            pytest.fail(f"{reason}; and GEOCLI_TEST_NO_SKIPS is set")
        pytest.skip(reason)
    return PROGRAM

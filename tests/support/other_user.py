"""geocli as another user: with an interpreter, packages and a checkout that this user can reach.

They may all be below a home that others cannot enter. Then the system's own interpreter of the same version
does, with the packages of this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).parents[2]
_IMPORTS = "import geocli.cli.app, diskcache, sqlite_utils, rich, maxminddb.extension"


class Interpreter(NamedTuple):
    """How geocli is started, and what its environment needs for that."""

    command: list[str]
    environment: dict[str, str]


@cache
def interpreter_of(user: int) -> Interpreter:
    """Return what a user can start. Only root may ask. The test is skipped where there is nothing."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    site = sysconfig.get_path("purelib")
    for program in (sys.executable, f"/usr/bin/python{version}"):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{site}",
        }
        try:
            done = subprocess.run(
                [program, "-c", _IMPORTS],
                env=environment,
                cwd="/",
                user=user,
                group=user,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return Interpreter([program, "-m", "geocli"], environment)
    reason = f"user {user} can reach no interpreter, or not {CHECKOUT}"
    if os.environ.get("GEOCLI_TEST_NO_SKIPS"):
        pytest.fail(f"{reason}, and GEOCLI_TEST_NO_SKIPS is set")
    pytest.skip(reason)

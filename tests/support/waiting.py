"""Waiting for what another process or thread does, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds that the busiest machine takes at most for what takes a quiet one hardly any."""


def wait_until(is_so: Callable[[], object]) -> None:
    """Look again and again. Fails when it is not so after ``PATIENCE``: then it never will be."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)

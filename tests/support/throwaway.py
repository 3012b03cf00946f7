"""A shell in which /etc, /opt, /usr/local, /var, /root and /home may be changed: it all ends with the shell.

A mount namespace with overlays in memory over the real directories: that takes root.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

import pytest

from tests.conftest import need

_OVERLAYS = """
place=$(mktemp -d)
mount -t tmpfs tmpfs "$place"
for one in etc opt usr/local var root home; do
    mkdir -p "$place/$one/upper" "$place/$one/work"
    mount -t overlay overlay -o "lowerdir=/$one,upperdir=$place/$one/upper,workdir=$place/$one/work" "/$one"
done
mount -t tmpfs tmpfs /run
cd /
"""


def throwaway(
    script: str, environment: Mapping[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a shell script as root where it can do no harm. Skips the test where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("only root can set up a machine")
    alone = [need("unshare"), "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private"]
    return subprocess.run(
        [*alone, "bash", "-euc", f"{_OVERLAYS}\n{script}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(environment),
        timeout=timeout,
        check=False,
    )

"""Bare Debian systems, made by debootstrap once and kept, and changed in memory only.

They are kept below ``GEOCLI_TEST_CACHE``, or ``/var/tmp/geocli-tests``. Making one takes a minute and the
network; what runs in one has no network at all.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import need

CACHE = Path(os.environ.get("GEOCLI_TEST_CACHE", "/var/tmp/geocli-tests"))  # noqa: S108 (kept for the next run)
SUITES = {"bookworm": "12", "trixie": "13"}
_PACKAGES = "python3,python3-venv,pipx,man-db,bash-completion,ca-certificates"
_ENTER = """
place=$(mktemp -d)
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$place/upper,workdir=$place/work" "$place/root"
mkdir -p "$place/root/release"
mount --bind "$2" "$place/root/release"
mount -t proc proc "$place/root/proc"
mount --bind /dev "$place/root/dev"
exec chroot "$place/root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
    PATH=/root/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PIP_NO_INDEX=1 PIP_FIND_LINKS=/release/wheels PIP_ROOT_USER_ACTION=ignore \
    UV_OFFLINE=1 UV_FIND_LINKS=/release/wheels UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
    bash -euc "$3"
"""


def bare_tree(suite: str) -> Path:
    """Return a bare system of this name. Skips the test where none can be made."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a system")
    tree = CACHE / suite
    if not tree.is_dir():
        unfinished = CACHE / f"{suite}.unfinished"
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["rm", "-rf", str(unfinished)], check=True)
        command = [need("debootstrap"), "--variant=minbase", f"--include={_PACKAGES}", suite, str(unfinished)]
        subprocess.run(command, check=True, capture_output=True)
        unfinished.rename(tree)
    return tree


def run_in(tree: Path, release: Path, script: str) -> str:
    """Run a script as root in a tree; ``/release`` has the files of a release. Return what it prints."""
    command = [
        need("unshare"), "--mount", "--pid", "--net", "--fork", "--propagation", "private",
        "bash", "-euc", _ENTER, "bash", str(tree), str(release), script,
    ]  # fmt: skip
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

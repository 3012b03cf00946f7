"""How often a command waits for the disk. A machine with a fast disk hides it, so it is counted."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Geocli, need
from tests.support.targets import addresses

pytestmark = pytest.mark.slow  # each system call is looked at


def waits(geocli: Geocli, tmp_path: Path, *arguments: str, stdin: str = "") -> int:
    counts = tmp_path / "strace"
    command = [
        need("strace"),
        "-f",
        "--seccomp-bpf",  # stops at nothing else
        "-c",
        "-o",
        str(counts),
        "-e",
        "trace=fsync,fdatasync,sync,sync_file_range",
    ]
    subprocess.run(
        [*command, *geocli.command, *arguments],
        env=geocli.env,
        input=stdin,
        stdout=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*sync", counts.read_text(), re.M)
    return sum(map(int, rows))


def test_a_look_up_waits_only_for_what_is_new(geocli: Geocli, tmp_path: Path) -> None:
    assert 1 <= waits(geocli, tmp_path, "8.8.8.8") <= 6
    assert waits(geocli, tmp_path, "8.8.8.8") == 0
    assert 1 <= waits(geocli, tmp_path, "9.9.9.9") <= 6
    assert 1 <= waits(geocli, tmp_path, "-j", stdin="\n".join(addresses(4000))) <= 6


@pytest.mark.parametrize("count", [1, 90_000])  # the logs of so many are emptied at once
def test_a_flush_waits_as_often_for_many_as_for_one(geocli: Geocli, tmp_path: Path, count: int) -> None:
    geocli("-f", "ip", stdin="\n".join(addresses(count)))
    assert 2 <= waits(geocli, tmp_path, "flush") <= 10
    assert waits(geocli, tmp_path, "flush") == 0
    assert waits(geocli, tmp_path, "-j", stdin="\n".join(addresses(count))) == 0
    geocli("9.9.9.9")
    assert 2 <= waits(geocli, tmp_path, "flush") <= 10

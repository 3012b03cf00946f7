"""A memory that a group may read: root's geocli writes it, a user of the group asks it, nobody else can."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Geocli, need

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]

GROUP = 23456
SOMEBODY = 34567


@pytest.fixture
def memory() -> Iterator[Path]:
    """A data directory as ``geocli setup --group`` makes it, where other users can get to."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        directory = Path(place) / "data"
        directory.mkdir()
        os.chown(directory, 0, GROUP)
        directory.chmod(0o2750)
        yield directory


def ask(memory: Path, *arguments: str, group: int = GROUP) -> subprocess.CompletedProcess[str]:
    """Run geocli as a user of that group. Its program is mounted where such a user can get to."""
    command = (
        f'mount --bind "{sys.prefix}" /mnt && exec setpriv --reuid {SOMEBODY} --regid {SOMEBODY} '
        f'--groups {group} --inh-caps=-all --no-new-privs /mnt/bin/python -m geocli "$@"'
    )
    done = subprocess.run(
        [need("unshare"), "--mount", "sh", "-c", command, "sh", *arguments],
        input="",
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GEOCLI_DATA_DIR": str(memory)},
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done


def everything_in(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_what_is_made_in_it_is_for_the_group_to_read(memory: Path) -> None:
    root = Geocli(memory)
    assert root("8.8.8.8").returncode == 0
    assert root("flush").returncode == 0
    assert root("1.1.1.1").returncode == 0
    made = list(memory.rglob("*"))
    assert {"geo.db", "journal", "cache.db", "cache.db-wal"} <= {path.name for path in made}
    for path in made:
        assert path.stat().st_gid == GROUP, path
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o2750 if path.is_dir() else 0o640), (path, oct(mode))


@pytest.mark.parametrize("last", ["waits in the journal", "is in the store", "is in a store nobody has open"])
def test_a_user_of_the_group_has_roots_answers_and_writes_nothing(memory: Path, last: str) -> None:
    root = Geocli(memory)
    root("8.8.8.8")
    if last != "waits in the journal":
        root("flush")
    if last == "is in a store nobody has open":
        for end in ("-wal", "-shm"):
            (memory / f"geo.db{end}").unlink(missing_ok=True)
    resolved = json.loads(root("-j", "8.8.8.8").stdout)["resolved_at"]
    before = everything_in(memory)
    done = ask(memory, "-j", "8.8.8.8", "1.1.1.1")
    assert (done.returncode, done.stderr) == (0, "")
    known, new = map(json.loads, done.stdout.splitlines())
    assert (known["resolved_at"], known["org"]) == (resolved, "Google LLC")
    assert new["org"] == "Cloudflare, Inc."
    assert ask(memory, "stats", "-j").returncode == 0
    assert ask(memory, "bans", "--history").returncode == 0
    assert everything_in(memory) == before


def test_a_user_of_the_group_cannot_flush_or_forget(memory: Path) -> None:
    root = Geocli(memory)
    root("8.8.8.8")
    for command in (["flush"], ["forget", "--older-than", "1d"]):
        done = ask(memory, *command)
        assert done.returncode in {2, 4}
        assert done.stderr.startswith("geocli: ")
        assert done.stderr.count("\n") == 1
    assert json.loads(root("stats", "-j").stdout)["dirty"] == 1


def test_others_are_told_that_they_may_not(memory: Path) -> None:
    Geocli(memory)("8.8.8.8")
    done = ask(memory, "8.8.8.8", group=GROUP + 1)
    assert done.returncode == 4
    assert "Google LLC" in done.stdout
    assert "geocli: " in done.stderr

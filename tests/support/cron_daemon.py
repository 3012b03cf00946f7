"""A real cron daemon of our own: it sees our crontabs and our sendmail, and nobody else sees them.

Debian's cron looks for all of that at fixed places. So it runs in a mount namespace in which our directories
are at these places: that takes root. The machine's own cron, if there is one, does not notice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import need

CONTROL = "this is mailed"
"""What another job prints each minute, so that a test can see that mail arrives."""

_PLACES = {
    "crontabs": "/var/spool/cron/crontabs",
    "cron.d": "/etc/cron.d",
    "crontab": "/etc/crontab",
    "run": "/run",
    "sbin": "/usr/sbin",
}
_SENDMAIL = """#!/bin/sh
cat > "{mails}/.$$" && mv "{mails}/.$$" "{mails}/$$"
"""


@dataclass(frozen=True)
class Cron:
    """A running daemon. What it wants to mail is in ``mails``, a file each."""

    directory: Path
    process: subprocess.Popen[bytes]
    since: float

    @property
    def mails(self) -> list[str]:
        files = [path for path in (self.directory / "mails").iterdir() if not path.name.startswith(".")]
        return [path.read_text() for path in files]

    def wait_for_jobs(self, seconds: float) -> None:
        """Until it has mailed, and runs nothing; at most until so many seconds after its start."""
        while not self.mails or self._is_busy():
            assert self.process.poll() is None, "cron has ended"
            assert time.monotonic() - self.since < seconds, "cron did nothing"
            time.sleep(0.1)

    def _is_busy(self) -> bool:
        return any(_parent(path) == self.process.pid for path in Path("/proc").glob("[0-9]*/stat"))


def _parent(stat: Path) -> int | None:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return None


def start(directory: Path, crontab: str) -> Cron:
    """A daemon with this crontab of root's. Raises ``CalledProcessError`` where that may not be."""
    for name in ("crontabs", "cron.d", "run", "sbin", "mails"):
        (directory / name).mkdir()
    (directory / "crontab").touch()
    shutil.copy2(need("cron"), directory / "sbin" / "cron")
    sendmail = directory / "sbin" / "sendmail"
    sendmail.write_text(_SENDMAIL.format(mails=directory / "mails"))
    sendmail.chmod(0o755)
    (directory / "cron.d" / "control").write_text(f"* * * * * root echo {CONTROL}\n")
    table = directory / "crontabs" / "root"
    table.write_text(crontab)
    table.chmod(0o600)
    places = [(directory / name, place) for name, place in _PLACES.items() if Path(place).exists()]
    mounts = "".join(f'mount --bind "{ours}" "{theirs}"\n' for ours, theirs in places)
    alone = [need("unshare"), "--mount", "--propagation", "private", "sh", "-euc"]
    subprocess.run([*alone, mounts], check=True, capture_output=True)
    process = subprocess.Popen([*alone, f"{mounts}exec /usr/sbin/cron -f"], stdin=subprocess.DEVNULL)
    return Cron(directory, process, time.monotonic())


def daemon(directory: Path, crontab: str) -> Iterator[Cron]:
    """One while a fixture lasts. Skips the test where the user is not root, or may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root has a cron daemon of its own")
    try:
        cron = start(directory, crontab)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no mount namespace here: {error.stderr.decode().strip()}")
    try:
        yield cron
    finally:
        cron.process.terminate()
        cron.process.wait(10)

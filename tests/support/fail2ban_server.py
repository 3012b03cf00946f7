"""A real fail2ban server of our own: in a temporary directory, with jails whose actions do nothing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import need
from tests.support.waiting import PATIENCE, wait_until

JAILS = {"sshd": 600, "web.bots": 604_800, "my-jail": -1, "empty": 600}
"""Names in the order of the configuration, and for how many seconds each bans (-1: for good)."""


@dataclass(frozen=True)
class Fail2ban:
    """A running server. ``client`` is the real fail2ban-client, which finds it by ``socket``."""

    directory: Path
    client: str

    @property
    def socket(self) -> Path:
        return self.directory / "fail2ban.sock"

    @property
    def database(self) -> Path:
        return self.directory / "fail2ban.sqlite3"

    @property
    def log(self) -> Path:
        return self.directory / "fail2ban.log"

    def __call__(self, *arguments: str) -> bytes:
        """What fail2ban-client prints for this command, which must succeed."""
        return self._run(*arguments, check=True).stdout

    def _run(self, *arguments: str, check: bool) -> subprocess.CompletedProcess[bytes]:
        command = [self.client, "-c", str(self.directory), "-s", str(self.socket), *arguments]
        return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=check)

    def is_up(self) -> bool:
        return self._run("ping", check=False).returncode == 0

    def ban(self, jail: str, *identifiers: str) -> None:
        """Ban these, and wait until the server's other threads have done it."""
        self("set", jail, "banip", *identifiers)
        for identifier in identifiers:
            wait_until(partial(self.has_banned, jail, identifier))

    def has_banned(self, jail: str, identifier: str) -> bool:
        return self("get", jail, "banned", identifier) == b"1\n"

    def unban(self, jail: str, *identifiers: str) -> None:
        self("set", jail, "unbanip", *identifiers)

    def clear(self) -> None:
        self("unban", "--all")


def configure(directory: Path) -> None:
    (directory / "filter.d").mkdir()
    (directory / "action.d").mkdir()
    (directory / "filter.d" / "nothing.conf").write_text(
        "[Definition]\nfailregex = ^no line is like this <HOST>$\n"
    )
    (directory / "watched.log").touch()
    (directory / "fail2ban.conf").write_text(
        "[Definition]\nloglevel = INFO\nsyslogsocket = auto\n"
        f"logtarget = {directory}/fail2ban.log\nsocket = {directory}/fail2ban.sock\n"
        f"pidfile = {directory}/fail2ban.pid\ndbfile = {directory}/fail2ban.sqlite3\ndbpurgeage = 1d\n"
    )
    defaults = (
        f"[DEFAULT]\nbackend = polling\nfilter = nothing\nlogpath = {directory}/watched.log\naction =\n"
    )
    jails = "".join(f"[{name}]\nenabled = true\nbantime = {seconds}\n" for name, seconds in JAILS.items())
    (directory / "jail.conf").write_text(defaults + jails)


@pytest.fixture(scope="session")
def running_fail2ban() -> Iterator[Fail2ban]:
    program, client = need("fail2ban-server"), need("fail2ban-client")
    # pytest's own directories are too deep: the path of a socket may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="fail2ban-"))
    configure(directory)
    server = Fail2ban(directory, client)
    process = subprocess.Popen(
        [program, "-c", str(directory), "-f", "start"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: process.poll() is not None or server.is_up())
        assert process.poll() is None, server.log.read_text() if server.log.exists() else "no log"
        wait_until(lambda: server("status").count(b",") == len(JAILS) - 1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def fail2ban_server(running_fail2ban: Fail2ban) -> Fail2ban:
    """The session's one server, with nobody banned."""
    running_fail2ban.clear()
    return running_fail2ban

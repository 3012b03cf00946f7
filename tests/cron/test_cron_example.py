"""``cron.example`` is valid as it stands: for cron, for systemd, and for a shell that runs its line."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Crontab, Geocli, need
from tests.support.cron_daemon import CONTROL, Cron, daemon

EXAMPLE = Path(__file__).parents[2] / "cron.example"
TEXT = EXAMPLE.read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def units() -> dict[str, str]:
    """The systemd units in the comments, by file name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in TEXT.splitlines():
        if match := re.fullmatch(r"# /etc/systemd/system/(\S+)", line):
            name = match[1]
            found[name] = []
        elif name and line.startswith("#"):
            found[name].append(line.removeprefix("#").strip())
    return {name: "\n".join(lines) + "\n" for name, lines in found.items()}


def test_it_flushes_every_minute_and_draws_every_night() -> None:
    assert LINES == [
        "* * * * * /usr/local/bin/geocli --data-dir /var/lib/geocli flush",
        "17 4 * * * /usr/local/bin/geocli --data-dir /var/lib/geocli report --client -o /root/bans.html",
    ]


def test_cron_accepts_it(crontab: Crontab) -> None:
    crontab.write(EXAMPLE.read_bytes())
    assert LINES[0] in (crontab.read() or b"").decode()


def test_systemd_accepts_its_units(tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    files = []
    for name, text in units().items():
        path = tmp_path / name
        path.write_text(text.replace("/usr/local/bin/geocli", "/bin/true"))
        files.append(str(path))
    assert [Path(file).suffix for file in files] == [".service", ".timer"]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "geocli" in line]
    assert complaints == []


def run_line(geocli: Geocli, line: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of a line, with what cron gives a job: a bare environment, no terminal."""
    command = line.split(maxsplit=5)[5].replace("/var/lib/geocli", str(data_dir))
    command = command.replace("/root/", f"{data_dir.parent}/")
    command = command.replace("/usr/local/bin/geocli", shlex.join(geocli.command))
    environment = {
        "HOME": str(data_dir.parent),
        "PATH": f"{data_dir.parent}:/usr/bin:/bin",
        "SHELL": "/bin/sh",
    }
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_line_flushes(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    done = run_line(geocli, LINES[0], data_dir)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(geocli("stats", "-j").stdout)["stored"] == 1


def test_the_second_line_draws_who_is_banned_now(geocli: Geocli, data_dir: Path) -> None:
    client = data_dir.with_name("fail2ban-client")
    client.write_text("#!/bin/sh\necho \"[{'sshd': ['8.8.8.8', '1.1.1.1']}]\"\n")
    client.chmod(0o755)
    done = run_line(geocli, LINES[1], data_dir)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "2 bans of 2 addresses" in data_dir.with_name("bans.html").read_text()


@pytest.fixture
def flushed_by_cron(geocli: Geocli, tmp_path: Path) -> Iterator[Cron]:
    """A real cron daemon with the example's first line in root's crontab, and answers in the journal."""
    geocli("8.8.8.8", "1.1.1.1", "2001:4860:4860::8888")
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 3
    directory = tmp_path / "cron"
    directory.mkdir()
    program = shutil.which("geocli", path=Path(sys.executable).parent)
    assert program is not None
    line = (
        LINES[0]
        .replace("/usr/local/bin/geocli", shlex.quote(program))
        .replace("/var/lib/geocli", str(geocli.data_dir))
    )
    yield from daemon(directory, f"{line}\n")


@pytest.mark.slow  # cron begins with the next minute
def test_cron_flushes_and_mails_nothing(flushed_by_cron: Cron, geocli: Geocli) -> None:
    flushed_by_cron.wait_for_jobs(300)
    stats = json.loads(geocli("stats", "-j").stdout)
    assert (stats["dirty"], stats["stored"]) == (0, 3)
    assert all(mail.endswith(f"\n\n{CONTROL}\n") for mail in flushed_by_cron.mails)

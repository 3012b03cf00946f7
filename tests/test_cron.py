"""``cron.example`` is valid as it stands: for cron, for systemd, and for a shell that runs its line."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.conftest import Crontab, Geocli, need

EXAMPLE = Path(__file__).parent.parent / "cron.example"
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


def test_there_is_one_line_and_it_runs_every_minute() -> None:
    assert LINES == ["* * * * * /usr/local/bin/geocli --data-dir /var/lib/geocli flush"]


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


def test_the_line_does_what_it_says(geocli: Geocli, data_dir: Path) -> None:
    geocli("8.8.8.8")
    command = LINES[0].split(maxsplit=5)[5].replace("/var/lib/geocli", str(data_dir))
    command = command.replace("/usr/local/bin/geocli", " ".join(geocli.command))
    # What cron gives a job: a bare environment, no terminal, and whatever is printed goes into a mail.
    environment = {"HOME": str(data_dir.parent), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(geocli("stats", "-j").stdout)["stored"] == 1

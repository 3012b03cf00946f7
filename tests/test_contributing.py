"""What CONTRIBUTING.md says of how geocli grows is true: its examples work in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(
    r"^```python\n# (\S+?)(?:: (\w+))?\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.S | re.M
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a geocli that has all the examples in it."""
    place = tmp_path_factory.mktemp("grown")
    shutil.copytree(ROOT / "geocli", place / "geocli", ignore=shutil.ignore_patterns("__pycache__"))
    for name, table, code in BLOCKS:
        file = place / name
        text = code
        if table:
            # At the end of the table: before the line that closes it, and what is inside.
            pattern = rf"^({table}\b[^\n]*= [({{]\n(?:.*?\n)*?)((?:    \)\n)?[)}}]\n)"
            found = re.search(pattern, file.read_text("utf-8"), re.M)
            assert found, (name, table)
            text = found.string[: found.end(1)] + code + found.string[found.end(1) :]
        else:
            assert not file.exists()
        file.write_text(text, encoding="utf-8")

    def run(*arguments: str, stdin: str = "", module: str = "geocli") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=place,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(place),
                "PYTHONPATH": f"{place}:{ROOT}",
                "GEOCLI_DATA_DIR": str(place / "data"),
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_each_kind_has_an_example() -> None:
    assert [table for _, table, _ in BLOCKS if table] == [
        "FORMATS",
        "PROVIDERS",
        "BAN_SOURCES",
        "COLUMNS",
        "GROUPS",
    ]


def test_the_format(grown: Run) -> None:
    done = grown("--markdown", "-f", "ip,asn", "8.8.8.8")
    assert (done.stderr, done.stdout) == ("", "| ip | asn |\n|---|---|\n| 8.8.8.8 | 15169 |\n")
    assert "--markdown" in grown("lookup", "--help").stdout


def test_the_provider(grown: Run) -> None:
    done = grown("--no-cache", "-p", "office,mmdb", "-f", "source,country_code", "8.8.8.8", "1.1.1.1")
    first, second = done.stdout.splitlines()
    assert first == "office\tNL"
    assert second.startswith("mmdb:")
    assert "office" in grown("-p", "nothing", "8.8.8.8").stderr


def test_the_ban_source(grown: Run) -> None:
    done = grown("bans", "-f", "jail,ip", stdin="banned;192.0.2.1;web\nbanned;2001:db8::/32;mail\n")
    assert (done.stderr, done.stdout) == ("", "web\t192.0.2.1\nmail\t2001:db8::/32\n")
    for command in ("bans", "report", "advise"):
        text = " ".join(grown(command, "--help").stdout.split())
        assert "cscli decisions list" in text
        assert "a ledger of bans" in text


def test_the_group_before_and_after_a_flush(grown: Run) -> None:
    assert grown("bans", "--record", "--host", "a", stdin="banned;8.8.8.8;web\n").returncode == 0
    expected = "\tUS\t1\t1\t1.0\n"
    assert grown("bans", "--history", "--by", "city").stdout == expected
    assert grown("flush").returncode == 0
    assert grown("bans", "--history", "--by", "city").stdout == expected
    assert grown("bans", "--by", "city", stdin="banned;8.8.8.8;web\n").stdout == expected
    assert grown("summarize", "--by", "city", stdin="8.8.8.8\n").stdout == expected


def test_the_manual_has_them_all(grown: Run) -> None:
    text = grown(module="tools.manpage").stdout
    for name in ("markdown", "office", "city"):
        assert name in text, name

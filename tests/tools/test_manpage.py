"""The manual page: made from the commands, current, and what man and mandoc call clean."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from geocli.cli.app import COMMANDS
from geocli.config.keys import KEYS, variable
from geocli.model.errors import ExitCode
from tests.conftest import Geocli, need
from tools import manpage

ROOT = Path(__file__).parents[2]
FILE = ROOT / "geocli" / "data" / "geocli.1"


def shown() -> str:
    """The page as man shows it, without what makes it bold, and in one line."""
    groff = need("groff")
    done = subprocess.run(
        [groff, "-man", "-Tascii", "-P-c", FILE], capture_output=True, text=True, check=True
    )
    return " ".join(re.sub(r".\x08", "", done.stdout).split())


def test_the_page_that_ships_is_that_of_today_s_commands() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "tools.manpage"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert FILE.read_text(encoding="utf-8") == made, "python -m tools.manpage > geocli/data/geocli.1"


def test_the_page_goes_where_man_finds_it() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    shared = build["targets"]["wheel"]["shared-data"]
    assert shared[str(FILE.relative_to(ROOT))] == "share/man/man1/geocli.1"


def test_man_and_mandoc_have_nothing_to_say() -> None:
    groff = subprocess.run(
        [need("groff"), "-ww", "-man", "-Tutf8", FILE], capture_output=True, text=True, check=True
    )
    assert groff.stderr == ""
    lint = subprocess.run(
        [need("mandoc"), "-Tlint", "-Wwarning", FILE], capture_output=True, text=True, check=False
    )
    # A date would change with every day that the page is made.
    assert [line for line in lint.stdout.splitlines() if "missing date" not in line] == []


def test_every_command_option_variable_and_exit_code_is_in_it(geocli: Geocli) -> None:
    text = shown()
    for command in COMMANDS:
        for line in geocli(command, "--help").stdout.splitlines():
            if (match := re.match(r"  (-\S+(?:, -\S+)*)", line)) and "--help" not in line:
                assert match[1] in text, (command, line)
    assert "geocli cron install [OPTIONS]" in text
    assert "geocli db build [OPTIONS]" in text
    for section, key in KEYS:
        assert f"{variable(section, key)} {key} in section [{section}]." in text
    for code in ExitCode:
        assert f" {int(code)} " in text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (".so /etc/passwd", "\\&.so /etc/passwd"),
        ("'x'", "\\(aqx\\(aq"),
        ("a\\b", "a\\eb"),
        ("--x", "\\-\\-x"),
        ("…~^`", "\\[u2026]\\(ti\\(ha\\(ga"),
    ],
)
def test_text_is_shown_as_it_is(text: str, source: str) -> None:
    assert manpage._escaped(text) == source

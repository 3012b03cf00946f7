"""The command line as a whole: where options may stand, what help says, how errors look."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geocli import __version__
from geocli.cli.app import COMMANDS, arrange
from tests.conftest import Geocli


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["8.8.8.8"], ["lookup", "8.8.8.8"]),
        (["-j", "8.8.8.8"], ["lookup", "-j", "8.8.8.8"]),
        (["lookup", "8.8.8.8", "-q"], ["-q", "lookup", "8.8.8.8"]),
        (["flush", "-v"], ["-v", "flush"]),
        (["8.8.8.8", "--data-dir", "/x", "-j"], ["--data-dir", "/x", "lookup", "8.8.8.8", "-j"]),
        (["--data-dir=/x", "stats"], ["--data-dir=/x", "stats"]),
        (["--", "flush"], ["lookup", "--", "flush"]),
        (["lookup", "flush"], ["lookup", "flush"]),
        (["lookup", "--help"], ["lookup", "--help"]),
    ],
)
def test_people_may_put_options_where_they_like(typed: list[str], meant: list[str]) -> None:
    assert arrange(typed)[0] == meant


@pytest.mark.parametrize("option", ["--data-dir", "--config", "--store", "--color"])
@pytest.mark.parametrize("joined", [False, True])
def test_a_variable_that_is_not_set_names_nothing(
    geocli: Geocli, tmp_path: Path, option: str, joined: bool
) -> None:
    given = [f"{option}="] if joined else [option, ""]
    done = subprocess.run(
        [*geocli.command, *given, "8.8.8.8"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"geocli: {option} got an empty text: is a variable not set?\n"
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_a_module() -> None:
    modules = Path(sys.modules["geocli"].__file__ or "").parent / "cli" / "commands"
    assert set(COMMANDS) <= {path.stem for path in modules.glob("[a-z]*.py")}


def test_the_version_is_told(geocli: Geocli) -> None:
    assert geocli("--version").stdout == f"geocli {__version__}\n"


def test_help_names_every_command_and_fits_a_pipe(geocli: Geocli) -> None:
    for option in ("--help", "-h"):
        done = geocli(option)
        assert done.returncode == 0
        assert all(f"  {command} " in done.stdout for command in COMMANDS)
        assert all(summary in done.stdout for summary in COMMANDS.values())  # none is cut
        assert "\x1b" not in done.stdout
    for command in COMMANDS:
        done = geocli(command, "--help")
        assert done.returncode == 0
        assert f"geocli {command}" in done.stdout
    assert "geocli db build" in geocli("db", "build", "--help").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["lookup", "--nonsense"],
        ["flush", "extra"],
        ["db", "nonsense"],
        ["--color", "pink", "8.8.8.8"],
        ["-i"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_two(geocli: Geocli, arguments: list[str]) -> None:
    done = geocli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("geocli: ")


def test_a_broken_configuration_is_named(geocli: Geocli, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[lookup]\nprovidr = 'mmdb'\n")
    done = geocli("--config", config, "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "")
    assert str(config) in done.stderr
    assert "did you mean provider" in done.stderr


def test_the_configuration_is_used(geocli: Geocli, tmp_path: Path) -> None:
    config = tmp_path / ".config" / "geocli" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[lookup]\nmmdb = ['/nonexistent.mmdb']\n")
    assert "/nonexistent.mmdb" in geocli("8.8.8.8").stderr


def test_completion_scripts_are_given_for_every_shell(geocli: Geocli) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            geocli.command,
            env=geocli.env | {"_GEOCLI_COMPLETE": f"source_{shell}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "geocli" in done.stdout
        assert "Traceback" not in done.stderr


def test_hostile_arguments_cannot_write_to_the_terminal(geocli: Geocli) -> None:
    for arguments in (["\x1b[2J\r"], ["--\x1b[2J"], ["-i", "\x1b[2J"], ["-f", "\x1b[2J"], ["-p", "\x1b[2J"]):
        done = geocli(*arguments)
        assert "\x1b" not in done.stderr
        assert "\r" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_an_argument_that_is_not_text_is_a_usage_error(geocli: Geocli) -> None:
    done = subprocess.run(
        [os.fsencode(part) for part in geocli.command] + [b"\xff\xfe"],
        env=geocli.env,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lokup", "lookup"), ("banss", "bans"), ("anotate", "annotate"), ("reports", "report")],
)
def test_what_is_nearly_a_command_gets_the_command(geocli: Geocli, typed: str, meant: str) -> None:
    done = geocli(typed, "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"geocli: no command is called '{typed}': did you mean geocli {meant}?\n"


def test_what_is_nearly_a_field_gets_the_fields(geocli: Geocli) -> None:
    done = geocli("-f", "country", "8.8.8.8")
    assert done.returncode == 2
    assert done.stderr.endswith("did you mean country_code or country_name?\n")


def test_help_is_a_command_too(geocli: Geocli) -> None:
    assert geocli("help").stdout == geocli("--help").stdout
    assert geocli("help", "bans").stdout == geocli("bans", "--help").stdout


@pytest.mark.parametrize("command", ["db", "cron", "store", "config"])
def test_a_command_of_commands_alone_shows_its_help(geocli: Geocli, command: str) -> None:
    done = geocli(command)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == geocli(command, "--help").stdout
    assert "\\b" not in done.stdout

"""Text without an address is an empty result; on a terminal one line says so."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.conftest import Geocli
from tests.support.terminal import on_terminal


@pytest.fixture(name="none")
def _none(tmp_path: Path) -> str:
    path = tmp_path / "none.log"
    path.write_text("nothing of the kind, version 1.2.3\n")
    return str(path)


@pytest.fixture(name="commands")
def _commands(none: str, tmp_path: Path) -> list[list[str]]:
    page = str(tmp_path / "page.html")
    return [["-i", none], ["summarize", none], ["annotate", none], ["report", "--log", none, "-o", page]]


def test_a_terminal_is_told_that_there_was_no_address(
    geocli: Geocli, commands: list[list[str]], none: str
) -> None:
    for arguments in commands:
        shown = on_terminal(geocli, *arguments)
        assert (shown.code, shown.err) == (0, f"geocli: no address in {none}\n"), arguments


def test_a_pipe_is_not_told(geocli: Geocli, commands: list[list[str]]) -> None:
    for arguments in commands:
        done = geocli(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments


@pytest.mark.parametrize("arguments", [[], ["summarize"], ["annotate"], ["-i", "-"]])
def test_a_terminal_is_told_that_the_pipe_was_empty(geocli: Geocli, arguments: list[str]) -> None:
    shown = on_terminal(geocli, *arguments, stdin="")
    assert (shown.code, shown.err) == (0, "geocli: standard input is empty\n")


def test_nothing_is_said_where_something_was_found_or_could_not_be_read(
    geocli: Geocli, none: str, tmp_path: Path
) -> None:
    assert on_terminal(geocli, "-6", stdin="192.0.2.1\n").err == ""
    assert on_terminal(geocli, "-q", "-i", none).err == ""
    missing = tmp_path / "missing"
    assert on_terminal(geocli, "-i", none, "-i", str(missing)).err.startswith("geocli: cannot read")
    both = on_terminal(geocli, "-i", none, "-i", none)
    assert both.err == "geocli: no address in 2 inputs\n"


def test_verbose_tells_what_each_input_was_and_what_was_in_it(
    geocli: Geocli, none: str, tmp_path: Path
) -> None:
    packed, wide, large = (tmp_path / name for name in ("list.gz", "wide.txt", "large.log"))
    packed.write_bytes(gzip.compress(b"1.1.1.1\n8.8.8.8\n2001:4860:4860::8888"))
    wide.write_bytes("8.8.8.8\n".encode("utf-16"))
    large.write_text("9.9.9.9 1.1.1.1 - - GET /\n" * 200_000)  # workers take part
    expected = [
        f"geocli: {packed}: text, packed by gzip: 3 lines, 3 addresses",
        f"geocli: {wide}: text in UTF-16: 1 line, 1 address",
        f"geocli: {large}: text: 200,000 lines, 400,000 addresses",
        f"geocli: {none}: text: 1 line, 0 addresses",
    ]
    page = str(tmp_path / "page.html")
    inputs = [str(path) for path in (packed, wide, large, none)]
    logs = [word for path in inputs for word in ("--log", path)]
    listed = [word for path in inputs for word in ("-i", path)]
    for command in (
        ["lookup", "-u", *listed],
        ["summarize", *inputs],
        ["annotate", *inputs],
        ["report", *logs, "-o", page],
    ):
        done = geocli("-v", *command)
        assert done.returncode == 0
        assert [line for line in done.stderr.splitlines() if ": text" in line] == expected, command

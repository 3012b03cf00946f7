"""The examples in the help of each command are lines that geocli takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from geocli.cli.app import COMMANDS, arrange, command_tree
from geocli.cli.examples import EXAMPLES
from geocli.config.keys import KEYS
from geocli.model.group_by import parse_by
from tests.conftest import Geocli

_WIDTH = 80
_LINES = [(command, example.line) for command, examples in EXAMPLES.items() for example in examples]


@cache
def tree() -> Any:
    return command_tree()


def commands_of(command: Any, path: str = "") -> Iterator[str]:
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from commands_of(child, f"{path}{name} ")
        else:
            yield f"{path}{name}"


def test_each_command_has_examples() -> None:
    assert sorted(commands_of(tree())) == sorted(EXAMPLES)
    assert {name.split()[0] for name in EXAMPLES} == set(COMMANDS)


@pytest.mark.parametrize(("command", "line"), _LINES, ids=[line for _, line in _LINES])
def test_an_example_is_parsed_as_the_command_that_it_is_of(command: str, line: str) -> None:
    nested = re.search(r"\$\((.*)\)", line)
    words = shlex.split((nested[1] if nested else line).replace("/var/log/", "/nowhere/"))
    words = words[words.index("geocli") + 1 :]
    end = next((number for number, word in enumerate(words) if word in {"|", ">"}), len(words))
    arguments, _ = arrange(words[:end])
    context = tree().make_context("geocli", arguments)
    path = []
    while True:
        name, found, rest = context.command.resolve_command(context, context._protected_args + context.args)
        path.append(name)
        context = found.make_context(name, rest, parent=context)  # raises for what it does not take
        if not hasattr(found, "commands"):
            break
    assert " ".join(path) == command
    if by := context.params.get("by"):
        parse_by(by)
    assert len(f"    {line}") < _WIDTH


def test_help_shows_the_examples_as_they_are_and_no_marks(geocli: Geocli) -> None:
    for arguments in (["bans", "--help"], ["help", "bans"]):
        shown = geocli(*arguments).stdout
        assert shown.endswith(
            "  Examples:\n"
            + "".join(f"    {example.aim}:\n      {example.line}\n" for example in EXAMPLES["bans"])
        )
    for arguments in ([], ["db", "update"], ["show"]):
        shown = geocli(*arguments, "-h").stdout
        assert "\\b" not in shown
        assert "\b" not in shown
    assert (
        "\n  geocli 8.8.8.8                    is short for: geocli lookup 8.8.8.8\n  f"
        in geocli("-h").stdout
    )
    assert "Examples:\n    Newer" in geocli("db", "update", "-h").stdout
    assert ("lookup", "ttl") in KEYS  # an example asks for it

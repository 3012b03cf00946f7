"""What the shell may complete: only imported when it asks.

Names of commands and options are Typer's business. Here it learns what geocli does before Typer sees the
arguments (the default command, global options anywhere), and which values options take: a metavar such as
``country|asn`` lists them.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup, TyperOption
from typer.models import ArgumentInfo, OptionInfo

from geocli.cli import completion_values
from geocli.config.sources import PROVIDERS
from geocli.model.records import FIELDS
from geocli.output.formats.derived import derived_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping

    import typer

_CHOICE = re.compile(r"[a-z0-9_-]+(\|[a-z0-9_-]+)+")
_NOT_EVERYWHERE = {"version", "install_completion", "show_completion"}


def offer_values(app: typer.Typer) -> None:
    """Tell all options of the app, and of the groups in it, which values they take."""
    callbacks = [command.callback for command in app.registered_commands]
    if app.registered_callback is not None:
        callbacks.append(app.registered_callback.callback)
    for callback in filter(None, callbacks):
        for parameter in inspect.signature(callback).parameters.values():
            for info in getattr(parameter.annotation, "__metadata__", ()):
                if isinstance(info, OptionInfo) and info.autocompletion is None:
                    info.autocompletion = _values_of(info)
                elif isinstance(info, ArgumentInfo) and info.metavar == "[NAME|URL]...":
                    info.autocompletion = completion_values.databases
    for group in app.registered_groups:
        if group.typer_instance is not None:
            offer_values(group.typer_instance)


def _values_of(option: OptionInfo) -> Callable[..., list[str]] | None:
    names = (option.default, *(option.param_decls or ()))  # Typer's own way with the first name
    if "--field" in names:
        return lambda ctx, incomplete: lists_of(_fields(ctx), incomplete)
    if "--provider" in names:
        return lambda incomplete: lists_of(_providers(), incomplete)
    if "--sort" in names:
        return lambda ctx, incomplete: lists_of(_fields(ctx), incomplete)
    if "--country" in names and "CC" in (option.metavar or ""):
        return completion_values.countries
    if "--jail" in names:
        return lambda ctx, incomplete: completion_values.jails(ctx, incomplete)
    if "--host" in names:
        return lambda ctx, incomplete: completion_values.recorded(ctx, "host", incomplete)
    if "--by" in names and option.metavar and "|jail|" in option.metavar:
        groups = option.metavar.split("|")
        return lambda ctx, incomplete: lists_of(completion_values.groups(ctx.params, groups), incomplete)
    if "--by" in names and option.metavar:
        groups = option.metavar.split("|")
        return lambda incomplete: lists_of(groups, incomplete)
    if option.metavar and _CHOICE.fullmatch(option.metavar):
        choices = option.metavar.split("|")
        return lambda incomplete: [choice for choice in choices if choice.startswith(incomplete)]
    return None


def lists_of(names: Iterable[str], incomplete: str) -> list[str]:
    """How a list of names with commas may go on: each name that it does not have yet.

    What stands before the last comma comes back only if it is made of such names: a shell evaluates it.
    """
    known = list(dict.fromkeys(names))
    *given, begun = incomplete.split(",")
    if not set(given).issubset(known):
        return []
    before = "".join(f"{name}," for name in given)
    return [before + name for name in known if name.startswith(begun) and name not in given]


def _providers() -> list[str]:
    return [provider.name for provider in PROVIDERS]


def _fields(ctx: typer.Context) -> Iterable[str]:
    """The fields of a command's rows: what its module says they are, else a record's."""
    module = sys.modules[ctx.command.callback.__module__] if ctx.command.callback else None
    columns_of: Callable[[str | None], Iterable[str]] | None = getattr(module, "columns_of", None)
    columns: Iterable[str] = (
        getattr(module, "COLUMNS", FIELDS) if columns_of is None else columns_of(ctx.params.get("by"))
    )
    known = tuple(columns)
    return (*known, *derived_names(known))


def group_class(default_command: str) -> type[TyperGroup]:
    """Geocli as a whole, for completion: the default command put in, global options in all commands."""

    class Completing(TyperGroup):
        def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
            return super().make_context(info_name, self._with_command(args), parent, **extra)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            command = super().get_command(ctx, cmd_name)
            if command is not None:
                options = [option for option in self.params if option.name not in _NOT_EVERYWHERE]
                for one in [command, *getattr(command, "commands", {}).values()]:
                    one.params += [option for option in options if option not in one.params]
            return command

        def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
            items = super().shell_complete(ctx, incomplete)
            if incomplete.startswith("-"):  # the command may be left out
                known = {item.value for item in items}
                others = self.get_command(ctx, default_command).shell_complete(ctx, incomplete)
                items += [item for item in others if item.value not in known]
            return items

        def _with_command(self, args: list[str]) -> list[str]:
            takes_value = {
                name: not option.is_flag
                for option in self.params
                if isinstance(option, TyperOption)
                for name in option.opts
            }
            position = 0
            while position < len(args) and (name := args[position].partition("=")[0]) in takes_value:
                position += 2 if takes_value[name] and "=" not in args[position] else 1
            if position >= len(args) or args[position] in self.commands:
                return args
            return [*args[:position], default_command, *args[position:]]

    return Completing


def join_values(environment: MutableMapping[str, str]) -> None:
    """Have bash's words for ``--field=cou``, which are three, be ``--field cou``."""
    words = environment.get("COMP_WORDS", "").split("\n")
    try:
        current = int(environment.get("COMP_CWORD", ""))
    except ValueError:
        return
    for index in range(len(words) - 1, 0, -1):
        if words[index] == "=" and words[index - 1].startswith("--"):
            if index == current:
                words[index] = ""
            else:
                del words[index]
                current -= index < current
    environment["COMP_WORDS"] = "\n".join(words)
    environment["COMP_CWORD"] = str(current)

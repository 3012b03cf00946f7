"""Values that a shell may offer and that no metavar lists: countries, databases, what the history has.

What a shell gets may be evaluated by it, so that only plain names are offered. Nothing is written, and what
cannot be read offers nothing: a half-typed line is no place for errors.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geocli.model.errors import GeocliError, Problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

_PATIENCE = 2.0  # seconds: who waits for TAB has little
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def countries(incomplete: str) -> list[str]:
    """How a list of countries may go on: with codes, and with names of one word, in the case that is typed.

    A shell takes only what begins as the line does.
    """
    from geocli.model.country_names import NAMES

    *given, begun = incomplete.split(",")
    if not all(_PLAIN.fullmatch(name) for name in given):
        return []
    before, word = "".join(f"{name}," for name in given), begun.casefold()
    names = [*NAMES, *(name for name in NAMES.values() if begun and name.isascii() and name.isalpha())]
    return [before + begun + name[len(begun) :] for name in names if name.casefold().startswith(word)]


def databases(incomplete: str) -> list[str]:
    """The databases that can be downloaded, and their publishers."""
    from geocli.mmdb.downloads.publishers.base import all_names

    return [name for name in all_names() if name.startswith(incomplete)]


def jails(ctx: typer.Context, incomplete: str) -> list[str]:
    """The jails of the history, most bans first; where it has none, those of the running server."""
    if found := recorded(ctx, "jail", ""):
        return _that_fit(found, incomplete)
    from geocli.inputs.fail2ban.client import is_installed, jail_names

    program, socket = ctx.params.get("program"), ctx.params.get("socket")
    with suppress(GeocliError, OSError):
        if is_installed(program):
            names = jail_names(program, None if socket is None else Path(socket), _PATIENCE)
            return _that_fit(names, incomplete)
    return []


def recorded(ctx: typer.Context, column: str, incomplete: str) -> list[str]:
    """The jails or hosts of the history, most bans first."""
    from geocli.cli.progress import Progress
    from geocli.cli.session import open_history
    from geocli.config.settings import Flags, load_settings
    from geocli.model.bans import BanQuery
    from geocli.model.group_by import parse_by

    # A global option may stand before the command and behind it.
    given = {
        name: value
        for params in (ctx.find_root().params, ctx.params)
        for name, value in params.items()
        if value is not None
    }
    with suppress(GeocliError, OSError):
        # Typer has made nothing of the texts of a line that is not finished.
        data_dir, config = (Path(given[name]) if name in given else None for name in ("data_dir", "config"))
        flags = Flags(data_dir, config, quiet=True, store=given.get("store"))
        settings = load_settings(flags, os.environ)
        with open_history(settings, Problems(), Progress(settings)) as history:
            rows = history.count(BanQuery(), parse_by(column)).rows(None)
        return _that_fit([str(row[0]) for row in rows if row[0] is not None], incomplete)
    return []


def _that_fit(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and _PLAIN.fullmatch(name)]


def groups(given: Mapping[str, Any], names: list[str]) -> list[str]:
    """Those groups that the line so far can be asked for: a list tells no hosts, and a change no days."""
    if "history" not in given:
        return names
    from geocli.cli.ban_options import NEEDS_HISTORY
    from geocli.model.group_by import GROUPS

    of_changes = given.get("new") or given.get("compare") is not None
    if of_changes:
        return [name for name in names if not GROUPS[name].in_order]
    return names if given.get("history") else [name for name in names if name not in NEEDS_HISTORY]

"""What ``geocli setup`` changes on a machine, or in a home, and takes back.

Everything is a ``Change`` of something that has a text: a file, a link, a directory. So it can be shown
before it is made, made twice, and undone: what is not geocli's stays as it is, byte for byte.
"""

from __future__ import annotations

import shlex
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geocli.cron import crontab_block
from geocli.cron.crontab import Change, TableFile
from geocli.cron.own_files import OwnFile
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geocli.cron.crontab import Table

_BLOCK = b"# >>> geocli: written by geocli setup, taken out by geocli setup --remove"

_DATA = Path(__file__).parents[1] / "data"
_SHARE = {
    "man/man1/geocli.1": "geocli.1",
    "bash-completion/completions/geocli": "completions/geocli.bash",
    "zsh/site-functions/_geocli": "completions/_geocli",
    "fish/vendor_completions.d/geocli.fish": "completions/geocli.fish",
}
"""The manual page and the completions: where they are below a ``share``, and in a checkout's ``data``."""


class Places(NamedTuple):
    """Where things go. What is ``None`` has no place there: a home has no ban actions."""

    share: Path
    programs: Path
    on_every_path: tuple[Path, ...]
    config: Path | None = None
    actions: Path | None = None


MACHINE = Places(
    share=Path("/usr/local/share"),
    programs=Path("/usr/local/bin"),
    on_every_path=tuple(map(Path, ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin"))),
    config=Path("/etc/geocli/config.toml"),
    actions=Path("/etc/fail2ban/action.d"),
)


def home_places(home: Path, config: Path) -> Places:
    """Return the places of one user."""
    programs = home / ".local" / "bin"
    return Places(home / ".local" / "share", programs, (programs, *MACHINE.on_every_path), config)


def shipped(name: str) -> bytes | None:
    """Return a file of ``_SHARE`` as it came with geocli, ``None`` where it did not.

    In an installed geocli it is below the ``share`` of the environment, or beside the package where that was
    unpacked without one; in a checkout it is in the package's ``data``.
    """
    package = _DATA.parent
    shares = (Path(sysconfig.get_path("data")), package.parent, Path(sys.prefix))
    for path in (*(share / "share" / name for share in shares), _DATA / _SHARE[name]):
        try:
            return path.read_bytes()
        except OSError:
            continue
    return None


def _marked(name: str, text: bytes, mark: str) -> bytes:
    """Return the text of a shipped file with a mark in a comment, where its readers bear one."""
    head, rest = text.split(b"\n", 1)
    comment = '.\\" ' if name.endswith(".1") else "# "
    return head + f"\n{comment}{mark}\n".encode() + rest


def share_changes(places: Places) -> list[Change]:
    """Return what puts the manual page and the completions in place; somebody else's stay as they are."""
    changes = []
    for name in _SHARE:
        table = OwnFile(places.share / name)
        text, before = shipped(name), table.read()
        comes_anyway = (Path("/usr/share") / name).exists() or (Path("/usr/share") / f"{name}.gz").exists()
        if text is not None and not comes_anyway and (before is None or table.is_own(before)):
            changes.append(Change(table, before, _marked(name, text, table.mark(before))))
    return changes


def program_change(places: Places, program: Sequence[str]) -> Change | None:
    """Return what makes ``geocli`` a command wherever it is typed; ``None`` where it is one, or cannot be.

    A script and no link: a link could not say whose it is.
    """
    path = Path(program[0])
    table = OwnFile(places.programs / "geocli", 0o755)
    before = table.read()
    if path.parent in places.on_every_path and not table.is_own(before):
        return None
    if not path.is_absolute() or (before is not None and not table.is_own(before)):  # another geocli's
        return None
    if path == table.path:  # called by it
        return Change(table, before, before)
    command = " ".join(map(shlex.quote, program))
    return Change(table, before, f'#!/bin/sh\n# {table.mark(before)}\nexec {command} "$@"\n'.encode())


def action_change(places: Places, program: str, data_dir: Path) -> Change | None:
    """Return what installs fail2ban's action; ``None`` where there is no fail2ban, or an action of one's own.

    Raises ``UsageError`` for paths that an action cannot hold.
    """
    if places.actions is None or not places.actions.is_dir():
        return None
    for word in (program, str(data_dir)):
        # It stands in double quotes in a shell's command, after fail2ban has put its own <tags> in.
        if not word.isprintable() or set(word) & set('"\\$`<>%'):
            raise UsageError(f"fail2ban's action cannot hold {ascii(word)}")
    table = OwnFile(places.actions / "geocli.conf")
    text = (_DATA / "action.d" / "geocli.conf").read_text(encoding="utf-8")
    text = text.replace("geocli = /usr/local/bin/geocli", f"geocli = {program}")
    text = text.replace("data_dir = /var/lib/geocli", f"data_dir = {data_dir}")
    before = table.read()
    if before is not None and not table.is_own(before):
        return None
    return Change(table, before, f"# {table.mark(before)}\n{text}".encode())


class _ConfigFile(TableFile):
    """A configuration file; its directory, which has geocli's name, goes with it when it is empty."""

    def write(self, text: bytes | None) -> None:
        super().write(text)
        if text is None:
            with suppress(OSError):
                self.path.parent.rmdir()


def config_change(places: Places, data_dir: Path) -> Change | None:
    """Return what names the data directory in the machine's configuration; ``None`` where that is done.

    Raises ``UsageError`` where it names another.
    """
    if places.config is None:
        return None
    table = _ConfigFile(places.config)
    before = table.read()
    without = crontab_block.remove(before) if before is not None else None
    named = _named(without or b"", places.config)
    if named is not None:
        if Path(named) != data_dir:
            raise UsageError(f"{places.config} names {named} already: change it there, or --data-dir {named}")
        return None
    lines = [b"[data]", f"dir = {_toml_text(str(data_dir))}".encode()]
    return Change(table, before, crontab_block.install(before, lines, _BLOCK))


def _toml_text(text: str) -> str:
    import json  # a basic string of TOML takes JSON's escapes

    return json.dumps(text, ensure_ascii=False)


def _named(text: bytes, path: Path) -> str | None:
    import tomllib

    try:
        document = tomllib.loads(text.decode())
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    section = document.get("data")
    named = section.get("dir") if isinstance(section, dict) else None
    return named if isinstance(named, str) else None


def removals(places: Places, tables: Iterable[Table]) -> list[Change]:
    """Return what takes all of it out again; ``tables`` are those that may have jobs in them."""
    changes = []
    for table in tables:
        before = table.read()
        changes.append(Change(table, before, None if before is None else crontab_block.remove(before)))
    files = [OwnFile(places.programs / "geocli"), *(OwnFile(places.share / name) for name in _SHARE)]
    if places.actions is not None:
        files.append(OwnFile(places.actions / "geocli.conf"))
    for file in files:
        before = file.read()
        if file.is_own(before):
            changes.append(Change(file, before, None))
    if places.config is not None:
        config = _ConfigFile(places.config)
        before = config.read()
        changes.append(Change(config, before, None if before is None else crontab_block.remove(before)))
    return changes


def memories(directories: Iterable[Path]) -> list[Path]:
    """Return those of some data directories that hold something, each once."""
    return [
        directory
        for directory in dict.fromkeys(directories)
        if (directory / "geo.db").exists() or (directory / "journal").exists()
    ]

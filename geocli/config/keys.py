"""What can be set in the environment and in the configuration file, and what is set there.

``KEYS`` is the list of it: ``ttl`` in ``[lookup]`` of the file, and the variable ``GEOCLI_LOOKUP_TTL``. Each
value that is found carries where it was found. What it means is the business of ``settings``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from geocli.config.parsers import (
    Secret,
    duration_text,
    name_list,
    parse_directory,
    parse_duration,
    parse_name,
    parse_secret,
    parse_timeout,
    parse_url,
    path_list,
)
from geocli.config.publishers import PUBLISHERS
from geocli.config.sources import PROVIDERS
from geocli.config.store_url import parse_server
from geocli.model.errors import DamagedFileError, UsageError
from geocli.model.value import Value
from geocli.system.ownership import check_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Key(Value):
    """How a value is read: from text, or, where there is a ``separator``, from a list of texts."""

    parse: Callable[[Any], Any]
    separator: str | None = None

    def from_text(self, text: str) -> Any:
        """The value that a variable says. Raises ``ValueError``."""
        return self.parse(text.split(self.separator) if self.separator else text)

    def from_toml(self, value: object) -> Any:
        """The value that the file says. Raises ``ValueError``."""
        if self.separator and isinstance(value, list) and all(isinstance(item, str) for item in value):
            return self.parse(value)
        if isinstance(value, str):
            return self.from_text(value)
        if not self.separator and isinstance(value, int) and not isinstance(value, bool):
            return self.from_text(str(value))
        shown = "this" if self.parse is parse_secret else ascii(value)[:80]
        raise ValueError(f"{shown} cannot be used here")

    def to_text(self, value: Any) -> str | None:
        """What ``from_text`` reads as this value; a secret is not told."""
        if value is None:
            return None
        if self.parse is parse_secret or isinstance(value, Secret):
            return "***"
        if self.parse in {parse_duration, parse_timeout}:
            return duration_text(value)
        return self.separator.join(map(str, value)) if self.separator else str(value)


DATA_DIR = ("data", "dir")

KEYS: dict[tuple[str, str], Key] = {
    DATA_DIR: Key(parse_directory),  # and so its variable is GEOCLI_DATA_DIR
    ("lookup", "provider"): Key(name_list, ","),
    ("lookup", "mmdb"): Key(path_list, ":"),  # as in PATH
    ("lookup", "ttl"): Key(parse_duration),
    ("lookup", "ttl_unknown"): Key(parse_duration),
    ("lookup", "max_wait"): Key(parse_duration),
    ("lookup", "max_db_age"): Key(parse_duration),
    ("store", "url"): Key(parse_server),
    ("store", "read_timeout"): Key(parse_timeout),
    ("store", "busy_timeout"): Key(parse_duration),
    ("bans", "host"): Key(parse_name),
    ("whois", "url"): Key(parse_url),
    ("whois", "timeout"): Key(parse_timeout),
}
for _provider in PROVIDERS:
    KEYS |= {(_provider.section, _name): Key(_parse) for _name, _parse in _provider.settings.items()}
for _publisher in PUBLISHERS:
    KEYS |= {(_publisher.section, _name): Key(_parse) for _name, _parse in _publisher.settings.items()}


class Found(Value):
    """A value that is set. ``origin`` is environment or file, ``where`` which variable or which file."""

    value: Any
    origin: str
    where: str


def variable(section: str, key: str) -> str:
    """The environment variable of a key."""
    return f"GEOCLI_{section}_{key}".upper()


def read_configuration(
    path: Path | None, environment: Mapping[str, str], machine: Path | None = None
) -> dict[tuple[str, str], Found]:
    """What the environment, the user's file and the machine's file say, in this order.

    ``None`` is a file that is not there, or, of the machine's, not for this user. That one's data directory
    counts where the user may read it: for everybody else it is as if nothing had been set up.

    Raises ``UsageError`` naming the variable, or the file and the key, that cannot be used, and
    ``DamagedFileError`` for a file that others may write, or, where a key is in it, read.
    """
    found = {} if machine is None else _of_the_machine(machine)
    if path is not None:
        found |= _from_file(path)
    for (section, key), known in KEYS.items():
        name = variable(section, key)
        if (text := environment.get(name)) and (section, key) != DATA_DIR:  # a relative one is of this moment
            try:
                found[section, key] = Found(known.from_text(text), "environment", name)
            except ValueError as error:
                raise UsageError(f"{name}: {error}") from None
    return found


def unused_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence about each variable that is called like one of geocli's and sets nothing."""
    known = {"GEOCLI_CONFIG", *(variable(*names) for names in KEYS)}
    return [
        f"{name} sets nothing{_nearest(name, known)}"
        for name in sorted(environment)
        if name.startswith("GEOCLI_") and name not in known
    ]


def _of_the_machine(path: Path) -> dict[tuple[str, str], Found]:
    found = _from_file(path)
    if DATA_DIR in found and not _may_use(found[DATA_DIR].value):
        del found[DATA_DIR]
    return found


def _may_use(directory: Path) -> bool:
    return os.geteuid() == 0 or os.access(directory, os.R_OK | os.X_OK)


def _from_file(path: Path) -> dict[tuple[str, str], Found]:
    import tomllib  # only where there is a file to read

    check_trusted([path])
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise UsageError(f"cannot read the configuration file {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one, so is a number of 5,000 digits
        raise UsageError(f"{path} is not TOML: {error}") from None
    found: dict[tuple[str, str], Found] = {}
    sections = {section for section, _ in KEYS}
    for section, table in document.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {ascii(section)} stands outside of a section")
        if not table and section not in sections:
            raise UsageError(f"{path}: unknown section [{section}]{_nearest(section, sections)}")
        for key, value in table.items():
            if (known := KEYS.get((section, key))) is None:
                nearest = _nearest(f"{key} in [{section}]", {f"{name} in [{part}]" for part, name in KEYS})
                raise UsageError(f"{path}: unknown key {ascii(key)} in [{section}]{nearest}")
            try:
                found[section, key] = Found(known.from_toml(value), "file", str(path))
            except ValueError as error:
                raise UsageError(f"{path}: {key} in [{section}]: {error}") from None
    if mode & 0o077 and any(isinstance(one.value, Secret) for one in found.values()):
        raise DamagedFileError(path, "holds a key, and others than you may open it", f"chmod 600 {path}")
    return found


def _nearest(name: str, known: set[str]) -> str:
    import difflib  # only where something is wrong

    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""

"""Settings: what the user wants, out of flags, environment, configuration file and defaults.

Each value comes from the first of these that gives one. Reading happens here, once; everything else
gets the frozen result. ``_KEYS`` is the list of what a configuration file may hold, and the names of the
environment variables follow from it: ``ttl`` in ``[lookup]`` is ``GEOCLI_LOOKUP_TTL``.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.errors import DamagedFileError, UsageError
from geocli.ownership import check_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_LONGEST_TIMEOUT = 3600
_LONGEST_KEY = 200
_DURATION = re.compile(r"(\d{1,9})\s*([smhdwy]?)")


class Flags(NamedTuple):
    """The global options as typed; ``None`` is "not given"."""

    data_dir: Path | None = None
    config: Path | None = None
    color: str | None = None
    quiet: bool = False
    verbose: bool = False


class Secret(str):
    """A key: like any text, except that it does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)"


class SourceSettings(NamedTuple):
    """How an online source is asked; what is ``None`` is the source's own business.

    ``timeout`` is seconds for each step of a request: connecting, sending, each piece of the answer.
    """

    url: str | None = None
    key: Secret | None = None
    timeout: float = 10
    batch_size: int | None = None
    concurrency: int | None = None


class Settings(NamedTuple):
    """Everything that can be set. Times are seconds, paths are as given."""

    data_dir: Path
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    provider: tuple[str, ...] = ("mmdb",)
    mmdb: tuple[Path, ...] = ()
    ttl: float = 30 * 86400
    ttl_unknown: float = 86400
    busy_timeout: float = 10
    max_wait: float | None = None
    sources: Mapping[str, SourceSettings] = MappingProxyType({})

    def with_timeout(self, seconds: float) -> Settings:
        """The same, with this timeout for all online sources."""
        return self._replace(
            sources=MappingProxyType({name: s._replace(timeout=seconds) for name, s in self.sources.items()})
        )

    def source(self, name: str) -> SourceSettings:
        """The settings of the online source of that name."""
        return self.sources.get(name, SourceSettings())


def parse_duration(text: str) -> float:
    """``90``, ``90s``, ``5m``, ``24h``, ``7d``, ``4w`` or ``1y`` as seconds. Raises ``ValueError``."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{ascii(text[:40])} is no duration: write 90s, 5m, 24h, 7d, 4w or 1y")
    return float(match[1]) * _UNITS[match[2] or "s"]


def parse_moment(text: str, now: float) -> float:
    """``24h`` ago, or an ISO 8601 time (local where it has no zone), as seconds since the epoch.

    Raises ``ValueError``.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        shown = ascii(text[:40])
        raise ValueError(f"{shown} is no time: write 24h, 7d, 2026-11-23 or 2026-11-23T12:00") from None


def parse_names(text: str) -> tuple[str, ...]:
    """A list of names separated by commas. Raises ``ValueError`` when it is empty."""
    return _names(text.split(","))


def _names(items: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name for name in map(str.strip, items) if name)
    if not names:
        raise ValueError("the list is empty")
    return names


def _paths(items: Sequence[str]) -> tuple[Path, ...]:
    try:
        return tuple(Path(item).expanduser() for item in items if item)
    except RuntimeError as error:  # ~somebody who has no home directory
        raise ValueError(str(error)) from None


def _url(text: str) -> str:
    from urllib.parse import urlsplit  # only where there is a URL

    try:
        parts = urlsplit(text)
        has_password = parts.username is not None
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # its message would show what may be a key
        is_url = has_password = False
    if not is_url or not text.isprintable() or " " in text:
        raise ValueError("it is no URL: write http://host/path or https://host/path")
    if has_password or parts.query or parts.fragment:
        raise ValueError("give scheme, host and path only: a key has its own setting")
    return text


def _secret(text: str) -> Secret:
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > _LONGEST_KEY:
        raise ValueError("that cannot be a key")
    return Secret(text)


def parse_timeout(text: str) -> float:
    """A duration that can be a timeout. Raises ``ValueError``."""
    seconds = parse_duration(text)
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ValueError(f"a timeout is between 1 and {_LONGEST_TIMEOUT} seconds")
    return seconds


def _count(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= most):
            raise ValueError(f"{ascii(text[:40])} is no number from 1 to {most}")
        return int(text)

    return parse


class _Key(NamedTuple):
    """How a value is read: from text, or, where there is a ``separator``, from a list of texts."""

    parse: Callable[[Any], Any]
    separator: str | None = None

    def from_text(self, text: str) -> Any:
        return self.parse(text.split(self.separator) if self.separator else text)

    def from_toml(self, value: object) -> Any:
        if self.separator and isinstance(value, list) and all(isinstance(item, str) for item in value):
            return self.parse(value)
        if isinstance(value, str):
            return self.from_text(value)
        if not self.separator and isinstance(value, int) and not isinstance(value, bool):
            return self.from_text(str(value))
        shown = "this" if self.parse is _secret else ascii(value)[:80]
        raise ValueError(f"{shown} cannot be used here")


_KEYS: dict[tuple[str, str], _Key] = {
    ("lookup", "provider"): _Key(_names, ","),
    ("lookup", "mmdb"): _Key(_paths, ":"),  # as in PATH
    ("lookup", "ttl"): _Key(parse_duration),
    ("lookup", "ttl_unknown"): _Key(parse_duration),
    ("lookup", "max_wait"): _Key(parse_duration),
    ("store", "busy_timeout"): _Key(parse_duration),
}
_SOURCES = {"ip-api": "key", "country-is": None, "ipinfo": "token"}
"""The online sources, and what their key is called."""

for _name, _key_name in _SOURCES.items():
    _section = _name.replace("-", "_")
    _KEYS[_section, "url"] = _Key(_url)
    if _key_name:
        _KEYS[_section, _key_name] = _Key(_secret)
    _KEYS[_section, "timeout"] = _Key(parse_timeout)
    _KEYS[_section, "batch_size"] = _Key(_count(1000))
    _KEYS[_section, "concurrency"] = _Key(_count(32))


def load_settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The settings for one run.

    Raises ``UsageError`` naming the variable, or the file and the key, that cannot be used.
    """
    values = _from_file(_config_path(flags, environment))
    for (section, key), known in _KEYS.items():
        variable = f"GEOCLI_{section}_{key}".upper()
        if text := environment.get(variable):
            try:
                values[section, key] = known.from_text(text)
            except ValueError as error:
                raise UsageError(f"{variable}: {error}") from None
    color = flags.color or ("never" if environment.get("NO_COLOR") else "auto")
    if color not in {"auto", "always", "never"}:
        raise UsageError(f"--color takes auto, always or never, not {ascii(color)}")
    return Settings(
        data_dir=_data_dir(flags, environment),
        color=color,
        quiet=flags.quiet,
        verbose=flags.verbose,
        sources=MappingProxyType({name: _source(name, values) for name in _SOURCES}),
        **{key: value for (section, key), value in values.items() if section in {"lookup", "store"}},
    )


def _source(name: str, values: Mapping[tuple[str, str], Any]) -> SourceSettings:
    found = {key: value for (section, key), value in values.items() if section == name.replace("-", "_")}
    secret = found.pop(_SOURCES[name] or "key", None)
    return SourceSettings(key=secret, **found)


def _data_dir(flags: Flags, environment: Mapping[str, str]) -> Path:
    if flags.data_dir is not None:
        return flags.data_dir.absolute()
    if directory := environment.get("GEOCLI_DATA_DIR"):
        return Path(directory).absolute()
    from platformdirs import user_data_path  # only where nothing said where

    return user_data_path("geocli", appauthor=False)


def _config_path(flags: Flags, environment: Mapping[str, str]) -> Path | None:
    """The configuration file, or ``None`` when it is the default one and does not exist."""
    if flags.config is not None:
        return flags.config
    if file := environment.get("GEOCLI_CONFIG"):
        return Path(file)
    # What platformdirs answers on POSIX, without importing it for every look-up.
    base = environment.get("XDG_CONFIG_HOME", "")
    try:
        directory = Path(base) if base.startswith("/") else Path("~/.config").expanduser()
        path = directory / "geocli" / "config.toml"
        return path if path.exists() else None
    except (OSError, RuntimeError):  # a name too long to be one; nobody's home
        return None


def _from_file(path: Path | None) -> dict[tuple[str, str], Any]:
    if path is None:
        return {}
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
    values: dict[tuple[str, str], Any] = {}
    for section, table in document.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {ascii(section)} stands outside of a section")
        for key, value in table.items():
            if (known := _KEYS.get((section, key))) is None:
                raise UsageError(f"{path}: unknown key {ascii(key)} in [{section}]{_nearest(section, key)}")
            try:
                values[section, key] = known.from_toml(value)
            except ValueError as error:
                raise UsageError(f"{path}: {key} in [{section}]: {error}") from None
    if mode & 0o077 and any(isinstance(value, Secret) for value in values.values()):
        raise DamagedFileError(path, "holds a key, and others than you may open it", f"chmod 600 {path}")
    return values


def _nearest(section: str, key: str) -> str:
    import difflib

    known = {f"{name} in [{part}]" for part, name in _KEYS}
    close = difflib.get_close_matches(f"{key} in [{section}]", known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""

"""Settings: what the user wants, out of flags, environment, configuration file and defaults.

Each value comes from the first of these that gives one; the user's configuration file comes before the
machine's. Reading happens here, once; everything else gets the frozen result. ``explained`` says of each
value where it came from. What may stand in a configuration file is listed in ``keys``, which is imported
where anything is set: mostly nothing is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geocli.model.errors import UsageError
from geocli.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geocli.config.keys import Found
    from geocli.config.parsers import Secret
    from geocli.config.sources import ProviderChoice

    Settable = Mapping[tuple[str, str], Found]
    """What is set, by section and key."""

MACHINE_CONFIG = Path("/etc/geocli/config.toml")
"""The configuration of the machine: what its users' own files do not say. ``geocli setup`` writes it."""

_PLAIN = {"lookup", "store", "bans", "whois"}  # sections whose keys are fields of ``Settings``
_OF_THIS_MODULE = {"GEOCLI_DATA_DIR", "GEOCLI_CONFIG"}  # variables that are read here

NAMES = {
    ("store", "url"): "store_url",
    ("whois", "url"): "whois_url",
    ("whois", "timeout"): "whois_timeout",
}
"""What keys are called in ``Settings``, where it is not their own name."""


class Flags(Value):
    """The global options as typed; ``None`` is "not given"."""

    data_dir: Path | None = None
    config: Path | None = None
    color: str | None = None
    quiet: bool = False
    verbose: bool = False
    store: str | None = None


class SourceSettings(Value):
    """How an online source is asked; what is ``None`` is the source's own business.

    ``timeout`` is seconds for each step of a request: connecting, sending, each piece of the answer.
    """

    url: str | None = None
    key: Secret | None = None
    timeout: float = 10
    batch_size: int | None = None
    concurrency: int | None = None
    data_url: str | None = None


class PublisherSettings(Value):
    """Where a publisher's databases are downloaded, and with which account."""

    url: str | None = None
    account_id: str | None = None
    licence_key: Secret | None = None


class Settings(Value):
    """Everything that can be set. Times are seconds, paths are as given.

    Of ``sources`` and ``publishers`` those are here for which something is set.
    """

    data_dir: Path
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    provider: tuple[str, ...] = ("mmdb",)
    mmdb: tuple[Path, ...] = ()
    ttl: float = 30 * 86400
    ttl_unknown: float = 86400
    max_db_age: float = 60 * 86400
    store_url: str | None = None
    read_timeout: float = 0.3
    busy_timeout: float = 10
    max_wait: float | None = None
    host: str | None = None
    whois_url: str = "https://rdap.org"
    whois_timeout: float = 10
    sources: Mapping[str, SourceSettings] = MappingProxyType({})
    publishers: Mapping[str, PublisherSettings] = MappingProxyType({})

    def with_timeout(self, seconds: float) -> Settings:
        """The same, with this timeout for all online sources."""
        from geocli.config.sources import ONLINE

        sources = {name: self.source(name).replace(timeout=seconds) for name in ONLINE}
        return self.replace(sources=MappingProxyType(sources), whois_timeout=seconds)

    def source(self, name: str) -> SourceSettings:
        """The settings of the online source of that name."""
        return self.sources.get(name, SourceSettings())

    def publisher(self, name: str) -> PublisherSettings:
        """The settings of the publisher of that name; one that is a source too has them there."""
        return self.publishers.get(name, PublisherSettings())


def load_settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The settings for one run.

    Raises ``UsageError`` naming the variable, or the file and the key, that cannot be used.
    """
    return settings_of(flags, environment, found_settings(flags, environment))


def config_path(flags: Flags, environment: Mapping[str, str]) -> Path:
    """The configuration file, whether or not it exists. Raises ``UsageError`` where nobody has a home."""
    if flags.config is not None:
        return flags.config.absolute()
    if file := environment.get("GEOCLI_CONFIG"):
        return _meant_literally("GEOCLI_CONFIG", file)
    # What platformdirs answers on POSIX, without importing it for every look-up.
    base = environment.get("XDG_CONFIG_HOME", "")
    try:
        directory = Path(base) if base.startswith("/") else Path("~/.config").expanduser()
    except RuntimeError:
        raise UsageError("you have no home directory: name a configuration file with --config") from None
    return directory / "geocli" / "config.toml"


def _existing_config(flags: Flags, environment: Mapping[str, str]) -> Path | None:
    """The configuration file, or ``None`` when it is the default one and does not exist."""
    if flags.config is not None or environment.get("GEOCLI_CONFIG"):
        return config_path(flags, environment)
    try:
        path = config_path(flags, environment)
        return path if path.exists() else None
    except (OSError, UsageError):  # a name too long to be one; nobody's home
        return None


def found_settings(flags: Flags, environment: Mapping[str, str]) -> Settable:
    """What is set in files, in the environment and by ``--store``. Raises what ``load_settings`` raises."""
    config = _existing_config(flags, environment)
    # It is not there, or not for this user.
    machine = MACHINE_CONFIG if os.access(MACHINE_CONFIG, os.R_OK) else None
    variables = [name for name in environment if name.startswith("GEOCLI_") and name not in _OF_THIS_MODULE]
    if config is None and machine is None and not variables and flags.store is None:
        return {}
    from geocli.config.keys import Found, read_configuration

    found = read_configuration(config, environment, machine)
    if flags.store is not None:
        from geocli.config.parsers import Secret
        from geocli.config.store_url import parse_server

        try:
            url = parse_server(flags.store)
        except ValueError as error:
            raise UsageError(f"--store: {error}") from None
        if isinstance(url, Secret):  # everybody on the machine sees what programs are started with
            raise UsageError("--store: no password on the command line: use ~/.pgpass or GEOCLI_STORE_URL")
        found["store", "url"] = Found(url, "flag", "--store")
    return found


def settings_of(flags: Flags, environment: Mapping[str, str], found: Settable) -> Settings:
    """The settings that this makes. Raises ``UsageError``."""
    color = flags.color or ("never" if environment.get("NO_COLOR") else "auto")
    if color not in {"auto", "always", "never"}:
        raise UsageError(f"--color takes auto, always or never, not {ascii(color)}")
    settings = Settings(
        data_dir=_data_dir(flags, environment, found),
        color=color,
        quiet=flags.quiet,
        verbose=flags.verbose,
        **{NAMES.get(key, key[1]): one.value for key, one in found.items() if key[0] in _PLAIN},
    )
    sections = {section for section, _ in found} - _PLAIN
    if not sections:
        return settings
    from geocli.config.publishers import PUBLISHERS_ALONE
    from geocli.config.sources import ONLINE

    return settings.replace(
        sources=MappingProxyType(
            {name: _source(one, found) for name, one in ONLINE.items() if one.section in sections}
        ),
        publishers=MappingProxyType(
            {name: PublisherSettings(**_section(name, found)) for name in PUBLISHERS_ALONE & sections}
        ),
    )


def _source(provider: ProviderChoice, found: Settable) -> SourceSettings:
    own = _section(provider.section, found)
    secret = own.pop(provider.key or "key", None)
    return SourceSettings(key=secret, **own)


def _section(name: str, found: Settable) -> dict[str, Any]:
    return {key: one.value for (section, key), one in found.items() if section == name}


def _data_dir(flags: Flags, environment: Mapping[str, str], found: Settable) -> Path:
    if flags.data_dir is not None:  # by a shell: whatever is in it now is meant
        directory = flags.data_dir.absolute()
    elif text := environment.get("GEOCLI_DATA_DIR"):
        directory = _meant_literally("GEOCLI_DATA_DIR", text)
    elif one := found.get(("data", "dir")):
        directory = Path(one.value)
    else:
        if base := environment.get("XDG_DATA_HOME"):
            _meant_literally("XDG_DATA_HOME", base)
        directory = _usual_data_dir(environment) or own_data_dir()
    if not all(char.isprintable() or "\udc80" <= char <= "\udcff" for char in str(directory)):
        raise UsageError(
            f"the data directory has a line break or the like in its name: {ascii(str(directory))}"
        )
    return directory


def _meant_literally(variable: str, text: str) -> Path:
    """The path in a variable. Raises ``UsageError`` for what a shell would have replaced.

    In a crontab and in systemd's Environment= there is no shell: a directory called $HOME would be made.
    """
    if text.startswith(("~", "$")):
        reason = "cron and systemd do not replace $NAME or ~, write the path out"
        raise UsageError(f"{variable} is {ascii(text)[:200]}: {reason}")
    return Path(text).absolute()


def _usual_data_dir(environment: Mapping[str, str]) -> Path | None:
    """What platformdirs answers on most machines, without the 3 ms that each command would take to import it.

    ``None`` where there is more to it.
    """
    home, base = environment.get("HOME", ""), environment.get("XDG_DATA_HOME", "")
    if sys.platform != "linux" or "ANDROID_DATA" in environment or not _is_plain(home):
        return None
    if not base:
        return Path(home, ".local", "share", "geocli")
    return Path(base, "geocli") if _is_plain(base) else None


def _is_plain(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//") and path == path.strip()


def own_data_dir() -> Path:
    """Where this user's own memory is when nothing says where. Not made, and perhaps not used."""
    from platformdirs import user_data_path  # only where nothing said where

    try:
        return user_data_path("geocli", appauthor=False)
    except RuntimeError:  # no HOME, and a user without an entry in the system's list
        raise UsageError(
            "you have no home directory: say with --data-dir or GEOCLI_DATA_DIR where data is to be"
        ) from None

"""Settings: what the user wants, out of flags, environment, configuration file and defaults.

Each value comes from the first of these that gives one; the user's configuration file comes before the
machine's. Reading happens here, once; everything else
gets the frozen result. ``explain`` says of each value where it came from. What may stand in a configuration
file is listed in ``configuration``.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.config.keys import DATA_DIR, KEYS, Found, read_configuration, variable
from geocli.config.parsers import Secret
from geocli.config.sources import ONLINE, PUBLISHERS
from geocli.config.store_url import parse_server
from geocli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geocli.config.sources import ProviderChoice

MACHINE_CONFIG = Path("/etc/geocli/config.toml")
"""The configuration of the machine: what its users' own files do not say. ``geocli setup`` writes it."""

_PLAIN = {"lookup", "store", "bans", "whois"}  # sections whose keys are fields of ``Settings``


class Flags(NamedTuple):
    """The global options as typed; ``None`` is "not given"."""

    data_dir: Path | None = None
    config: Path | None = None
    color: str | None = None
    quiet: bool = False
    verbose: bool = False
    store: str | None = None


class SourceSettings(NamedTuple):
    """How an online source is asked; what is ``None`` is the source's own business.

    ``timeout`` is seconds for each step of a request: connecting, sending, each piece of the answer.
    """

    url: str | None = None
    key: Secret | None = None
    timeout: float = 10
    batch_size: int | None = None
    concurrency: int | None = None
    data_url: str | None = None


class PublisherSettings(NamedTuple):
    """Where a publisher's databases are downloaded, and with which account."""

    url: str | None = None
    account_id: str | None = None
    licence_key: Secret | None = None


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
        return self._replace(
            sources=MappingProxyType({name: s._replace(timeout=seconds) for name, s in self.sources.items()}),
            whois_timeout=seconds,
        )

    def source(self, name: str) -> SourceSettings:
        """The settings of the online source of that name."""
        return self.sources.get(name, SourceSettings())

    def publisher(self, name: str) -> PublisherSettings:
        """The settings of the publisher of that name; one that is a source too has them there."""
        return self.publishers.get(name, PublisherSettings())


_PUBLISHERS_ALONE = frozenset(publisher.section for publisher in PUBLISHERS) - ONLINE.keys()

_NAMES = {
    ("store", "url"): "store_url",
    ("whois", "url"): "whois_url",
    ("whois", "timeout"): "whois_timeout",
}
"""What keys are called in ``Settings``, where it is not their own name."""


class Explained(NamedTuple):
    """One setting, for people: its value and where that came from.

    ``value`` is as it may be written into ``variable``, ``***`` for a key, ``None`` where nothing is set.
    ``origin`` is flag, environment, file or default, ``where`` which flag, which variable or which file.
    """

    setting: str
    value: str | None
    origin: str
    where: str | None
    variable: str | None


def load_settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The settings for one run.

    Raises ``UsageError`` naming the variable, or the file and the key, that cannot be used.
    """
    found = _found(flags, environment)
    return _settings(flags, environment, found)


def explain(flags: Flags, environment: Mapping[str, str]) -> list[Explained]:
    """Every setting of one run. Raises what ``load_settings`` raises."""
    found = _found(flags, environment)
    settings = _settings(flags, environment, found)
    config = config_path(flags, environment)
    globals_ = (
        ("data_dir", str(settings.data_dir), flags.data_dir, variable(*DATA_DIR)),
        ("config", str(config), flags.config, "GEOCLI_CONFIG"),
        ("color", settings.color, flags.color, "NO_COLOR"),
        ("quiet", str(settings.quiet).lower(), flags.quiet or None, None),
        ("verbose", str(settings.verbose).lower(), flags.verbose or None, None),
    )
    rows = []
    for name, value, flag, by in globals_:
        origin, where = "default", None
        if flag is not None:
            origin, where = "flag", f"--{name.replace('_', '-')}"
        elif by and environment.get(by):
            origin, where = "environment", by
        elif name == "data_dir" and (one := found.get(DATA_DIR)):
            origin, where = one.origin, one.where
        rows.append(Explained(name, value, origin, where, by))
    for (section, key), known in KEYS.items():
        if (section, key) == DATA_DIR:
            continue
        one = found.get((section, key))
        origin, where = ("default", None) if one is None else (one.origin, one.where)
        text = known.to_text(_value(settings, section, key))
        rows.append(Explained(f"{section}.{key}", text, origin, where, variable(section, key)))
    return rows


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


def _found(flags: Flags, environment: Mapping[str, str]) -> Mapping[tuple[str, str], Found]:
    found = read_configuration(_existing_config(flags, environment), environment, MACHINE_CONFIG)
    if flags.store is not None:
        try:
            url = parse_server(flags.store)
        except ValueError as error:
            raise UsageError(f"--store: {error}") from None
        if isinstance(url, Secret):  # everybody on the machine sees what programs are started with
            raise UsageError("--store: no password on the command line: use ~/.pgpass or GEOCLI_STORE_URL")
        found["store", "url"] = Found(url, "flag", "--store")
    return found


def _settings(
    flags: Flags, environment: Mapping[str, str], found: Mapping[tuple[str, str], Found]
) -> Settings:
    color = flags.color or ("never" if environment.get("NO_COLOR") else "auto")
    if color not in {"auto", "always", "never"}:
        raise UsageError(f"--color takes auto, always or never, not {ascii(color)}")
    return Settings(
        data_dir=_data_dir(flags, environment, found),
        color=color,
        quiet=flags.quiet,
        verbose=flags.verbose,
        sources=MappingProxyType({name: _source(one, found) for name, one in ONLINE.items()}),
        publishers=MappingProxyType(
            {name: PublisherSettings(**_section(name, found)) for name in _PUBLISHERS_ALONE}
        ),
        **{_NAMES.get(key, key[1]): one.value for key, one in found.items() if key[0] in _PLAIN},
    )


def _source(provider: ProviderChoice, found: Mapping[tuple[str, str], Found]) -> SourceSettings:
    own = _section(provider.section, found)
    secret = own.pop(provider.key or "key", None)
    return SourceSettings(key=secret, **own)


def _section(name: str, found: Mapping[tuple[str, str], Found]) -> dict[str, Any]:
    return {key: one.value for (section, key), one in found.items() if section == name}


def _value(settings: Settings, section: str, key: str) -> Any:
    """What became of a key of ``KEYS``: the same way back that ``_settings`` goes."""
    for name, provider in ONLINE.items():
        if section == provider.section:
            return getattr(settings.source(name), "key" if key == provider.key else key)
    holder = settings.publisher(section) if section in _PUBLISHERS_ALONE else settings
    return getattr(holder, _NAMES.get((section, key), key))


def _data_dir(flags: Flags, environment: Mapping[str, str], found: Mapping[tuple[str, str], Found]) -> Path:
    if flags.data_dir is not None:  # by a shell: whatever is in it now is meant
        directory = flags.data_dir.absolute()
    elif text := environment.get("GEOCLI_DATA_DIR"):
        directory = _meant_literally("GEOCLI_DATA_DIR", text)
    elif one := found.get(DATA_DIR):
        directory = Path(one.value)
    else:
        if base := environment.get("XDG_DATA_HOME"):
            _meant_literally("XDG_DATA_HOME", base)
        directory = own_data_dir()
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


def own_data_dir() -> Path:
    """Where this user's own memory is when nothing says where. Not made, and perhaps not used."""
    from platformdirs import user_data_path  # only where nothing said where

    try:
        return user_data_path("geocli", appauthor=False)
    except RuntimeError:  # no HOME, and a user without an entry in the system's list
        raise UsageError(
            "you have no home directory: say with --data-dir or GEOCLI_DATA_DIR where data is to be"
        ) from None

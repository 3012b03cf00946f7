"""Every setting of one run, for people: its value, and where that came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.config.keys import DATA_DIR, KEYS, variable
from geocli.config.publishers import PUBLISHERS_ALONE
from geocli.config.settings import NAMES, config_path, found_settings, settings_of
from geocli.config.sources import ONLINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geocli.config.settings import Flags, Settings


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


def explain(flags: Flags, environment: Mapping[str, str]) -> list[Explained]:
    """Every setting of one run. Raises what ``load_settings`` raises."""
    found = found_settings(flags, environment)
    settings = settings_of(flags, environment, found)
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


def _value(settings: Settings, section: str, key: str) -> Any:
    """What became of a key of ``KEYS``: the same way back that ``settings_of`` goes."""
    for name, provider in ONLINE.items():
        if section == provider.section:
            return getattr(settings.source(name), "key" if key == provider.key else key)
    holder = settings.publisher(section) if section in PUBLISHERS_ALONE else settings
    return getattr(holder, NAMES.get((section, key), key))

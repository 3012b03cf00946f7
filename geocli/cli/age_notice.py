"""Says to people, not to scripts, that the database that answers is old: a country moves in a few months."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from geocli.cli.console import is_watched, say
from geocli.model.errors import GeocliError
from geocli.system.files import open_private

if TYPE_CHECKING:
    from geocli.config.settings import Settings

_DAY = 86400  # seconds
_SAID = "age-notice"  # in the data directory: when it was said is its time


def watch_age(settings: Settings) -> None:
    """Say once a day, on a terminal, that the database is older than it should be.

    Costs a look at one file on a terminal and nothing elsewhere; a script never sees it, and writes nothing.
    """
    if not is_watched(settings):
        return
    path, now = settings.data_dir / _SAID, time.time()
    with suppress(OSError):
        if 0 <= now - path.stat().st_mtime < _DAY:
            return
    if (line := age_line(settings, now)) is None:
        return
    say(line)
    with suppress(OSError):  # then it is said again
        os.close(open_private(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (now, now), follow_symlinks=False)


def say_age_under_table(settings: Settings, form: str) -> None:
    """Say it under a table that a person looks at, each time."""
    if settings.quiet or form != "table" or sys.stdout is None or not sys.stdout.isatty():
        return
    if (line := age_line(settings, time.time())) is not None:
        say(line)


def age_line(settings: Settings, now: float) -> str | None:
    """Return what is to be said, ``None`` where the databases that answer are young enough."""
    if "mmdb" not in settings.provider:
        return None
    from geocli.mmdb.downloads.installed import oldest_in_use

    try:
        age = oldest_in_use(settings.data_dir / "mmdb", settings.mmdb, now)
    except GeocliError:  # the look-up has said so
        return None
    if age is None or age * _DAY <= settings.max_db_age:
        return None
    return f"the database is {age} days old: " + ("give a newer one" if settings.mmdb else "geocli db update")

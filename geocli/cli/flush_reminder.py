"""Says on a terminal, once, that nobody flushes: the journal grows, and look-ups get slow."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from geocli.cli.console import is_watched, say
from geocli.model.errors import GeocliError
from geocli.system.files import open_private

if TYPE_CHECKING:
    from geocli.config.settings import Settings
    from geocli.storage.journal.journal import Journal

PATIENCE = 600
"""Seconds that the oldest answer may wait. cron flushes every minute."""

_SILENCE = 86400  # seconds until the same is worth saying again
_SAID = "flush-notice"  # in the data directory: when it was said is its time


def watch_journal(journal: Journal, settings: Settings) -> None:
    """Say that cron does not seem to flush, if it does not, somebody is there, and it is news.

    News is what was not said since the oldest answer began to wait, nor for a day. Costs one row of an index
    on a terminal and nothing elsewhere; a script never sees it, and writes nothing.
    """
    if not is_watched(settings):
        return
    try:
        oldest = journal.oldest()
    except GeocliError:  # whoever needed the journal has said so
        return
    now = time.time()
    if oldest is None or now - oldest <= PATIENCE:
        return
    path = settings.data_dir / _SAID
    with suppress(OSError):
        said = path.stat().st_mtime
        if oldest < said <= now and now - said < _SILENCE:
            return
    from geocli.output.status.text import age

    say(
        f"the journal has been waiting for a flush for {age(now - oldest)}: cron does not seem to run"
        " geocli flush; geocli cron install has it do so"
    )
    with suppress(OSError):  # then it is said again
        os.close(open_private(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (now, now), follow_symlinks=False)

"""Opens what most commands work on: the journal and the store that the settings name."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geocli.storage.journal.journal import Journal
from geocli.storage.store.base import open_store
from geocli.system.files import check_trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.config.settings import Settings
    from geocli.storage.store.base import Store


@contextmanager
def journal_and_store(settings: Settings) -> Iterator[tuple[Journal, Store]]:
    """Both, closed at the end. Neither is made before it is asked.

    Raises ``DamagedFileError`` when others than the user may have written them.
    """
    directory = settings.data_dir
    journal_directory = directory / "journal"
    check_trusted((directory, directory / "geo.db", journal_directory, journal_directory / "cache.db"))
    store = open_store(settings)
    try:
        with Journal(journal_directory, settings.busy_timeout) as journal:
            yield journal, store
    finally:
        store.close()

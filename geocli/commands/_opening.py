"""Opens what most commands work on: the journal and the store that the settings name."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geocli.journal import Journal
from geocli.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.settings import Settings
    from geocli.store import Store


@contextmanager
def journal_and_store(settings: Settings) -> Iterator[tuple[Journal, Store]]:
    """Both, closed at the end. Neither is made or even looked at before it is asked."""
    store = open_store(settings)
    try:
        with Journal(settings.data_dir / "journal", settings.busy_timeout) as journal:
            yield journal, store
    finally:
        store.close()

"""Opens what most commands work on: the journal and the store that the settings name."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geocli.storage.journal.journal import Journal
from geocli.storage.store.open import open_store
from geocli.system.ownership import check_trusted, closed_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geocli.bans.history import History
    from geocli.config.settings import Settings
    from geocli.model.errors import Problems
    from geocli.storage.store.base import Store
    from geocli.system.reporter import Reporter


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


def note_closed_directory(settings: Settings, problems: Problems) -> None:
    """Note where downloaded databases cannot be looked for, and the embedded one answers in their place.

    For work that asks neither journal nor store.
    """
    if not settings.mmdb and (closed := closed_directory(settings.data_dir / "mmdb")) is not None:
        problems.note(closed)


def open_history(
    settings: Settings, journal: Journal, store: Store, problems: Problems, reporter: Reporter
) -> History:
    """The history that these settings name, and the local databases of their chain behind it.

    Raises ``GeocliError`` when journal or store cannot be read.
    """
    from geocli.bans.history import Atlas, History
    from geocli.lookup.cache import Cache
    from geocli.lookup.pipeline import Pipeline
    from geocli.lookup.resolver import Resolver
    from geocli.providers.base import load_provider

    chain = [load_provider(name, settings) for name in dict.fromkeys(settings.provider)]
    local = [provider for provider in chain if provider.local]
    cache = Cache(journal, store, problems)
    pipeline = None
    if local:
        resolver = Resolver(local, cache, settings, reporter)
        pipeline = Pipeline(resolver, cache, lambda _: b"", problems)
    return History(journal, store, Atlas(cache, pipeline))

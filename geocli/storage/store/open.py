"""Opens the store that a path or a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from geocli.config.settings import Settings
    from geocli.storage.store.base import Store


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Nothing is opened or made yet. Raises ``UsageError``."""
    if settings.store_url is not None:
        from geocli.storage.store.postgres.store import PostgresStore  # most machines have no server

        return PostgresStore(settings.store_url, settings.read_timeout, settings.busy_timeout)
    return open_file(settings.data_dir / "geo.db", settings)


def open_file(path: Path, settings: Settings) -> Store:
    """The store in this file."""
    from geocli.storage.store.sqlite import SqliteStore

    return SqliteStore(path, settings.busy_timeout)


def open_server(url: str, settings: Settings) -> Store:
    """The store behind this URL, for work that waits for nobody else: it has time. Raises ``UsageError``."""
    from geocli.storage.store.postgres.store import PostgresStore

    patience = max(settings.read_timeout, settings.busy_timeout)
    return PostgresStore(url, patience, patience)

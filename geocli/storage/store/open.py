"""Opens the store that a path or a URL names. A store engine is a package, and a line in ``ENGINES``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from geocli.config.settings import Settings
    from geocli.storage.store.base import Store


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name. Nothing is opened or made yet. Raises ``UsageError``."""
    if settings.store_url is not None:
        return _server(settings.store_url, settings.read_timeout, settings.busy_timeout)
    return open_file(settings.data_dir / "geo.db", settings)


def open_file(path: Path, settings: Settings) -> Store:
    """Return the store in this file."""
    from geocli.storage.store.sqlite import SqliteStore

    return SqliteStore(path, settings.busy_timeout)


def open_server(url: str, settings: Settings) -> Store:
    """Return the store behind this URL, for work that nobody else waits for: it has time.

    Raises ``UsageError``.
    """
    patience = max(settings.read_timeout, settings.busy_timeout)
    return _server(url, patience, patience)


def _server(url: str, read_timeout: float, busy_timeout: float) -> Store:
    from geocli.config.store_url import ENGINES, scheme_of  # most machines have no server

    module = importlib.import_module(ENGINES[scheme_of(url)])
    store: Store = module.create(url, read_timeout, busy_timeout)
    return store

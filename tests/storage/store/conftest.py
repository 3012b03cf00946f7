"""Every test that takes ``store`` or ``make_store`` runs over each kind of store there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from geocli.storage.store.base import Store
from geocli.storage.store.postgres.store import PostgresStore
from geocli.storage.store.sqlite import SqliteStore
from tests.support.postgres_server import Postgres, postgres, running_postgres

__all__ = ["postgres", "running_postgres"]

MakeStore = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """A function that gives a store with nothing in it. Use one after the other."""
    with ExitStack() as stack:
        number, url = 0, ""

        def make() -> Store:
            nonlocal number, url
            number += 1
            if request.param == "sqlite":
                # The first is where tests look for it.
                directory = tmp_path / ("data" if number == 1 else f"data-{number}")
                return stack.enter_context(closing(SqliteStore(directory / "geo.db", 0.2)))
            server: Postgres = request.getfixturevalue("postgres")
            if url:  # quicker than other tables
                server.empty(url)
            else:
                url = server.new_url()
            return stack.enter_context(closing(PostgresStore(url, 5, 5)))

        yield make


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """A store with nothing in it."""
    return make_store()

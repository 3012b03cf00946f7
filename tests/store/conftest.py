"""Every test that takes ``store`` or ``make_store`` runs over each kind of store there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from geocli.store import Store
from geocli.store.postgres import PostgresStore
from geocli.store.sqlite import SqliteStore
from tests.postgres_server import Postgres, postgres, running_postgres

__all__ = ["postgres", "running_postgres"]

MakeStore = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """A function that gives another store each time, with nothing in it."""
    with ExitStack() as stack:
        number = 0

        def make() -> Store:
            nonlocal number
            number += 1
            if request.param == "sqlite":
                # The first is where tests look for it.
                directory = tmp_path / ("data" if number == 1 else f"data-{number}")
                return stack.enter_context(closing(SqliteStore(directory / "geo.db", 0.2)))
            server: Postgres = request.getfixturevalue("postgres")
            return stack.enter_context(closing(PostgresStore(server.new_url(), 5, 5)))

        yield make


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """A store with nothing in it."""
    return make_store()

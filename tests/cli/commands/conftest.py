"""What tests of commands share: a real PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.support.postgres_server import Postgres, postgres, running_postgres

__all__ = ["postgres", "running_postgres"]


@pytest.fixture
def url(postgres: Postgres) -> str:
    """Where there is no store yet."""
    return postgres.new_url()

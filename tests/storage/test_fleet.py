"""Many machines, one store, a server that is killed: the short version, see ``tests/torture/fleet.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.postgres_server import Postgres, postgres, running_postgres
from tests.torture.fleet import fleet

__all__ = ["postgres", "running_postgres"]


@pytest.mark.slow
def test_nothing_is_lost_between_many_machines_and_a_server_that_is_killed(
    postgres: Postgres, tmp_path: Path
) -> None:
    figures, findings = fleet(postgres, tmp_path, hosts=6, count=600, seconds=5, kills=1)
    assert findings == []
    assert figures["stored"] == 600 + 5 * 150
    print(figures)

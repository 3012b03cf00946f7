"""What SQLite says as errors of geocli's."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from geocli.model.errors import TryAgainError
from geocli.system.sqlite_errors import translated


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (MemoryError(), "there is not enough memory; try again"),
        (OSError(errno.ENOSPC, "No space left on device"), "full|No space"),
    ],
    ids=["memory", "disk"],
)
def test_a_transaction_that_sqlite_ended_of_itself_is_why_that_was(reason: Exception, said: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)

    def write() -> None:
        with translated(Path("/data/geo.db")):
            try:
                raise reason
            finally:
                connection.execute("ROLLBACK")  # there is none: "no transaction is active"

    with pytest.raises(TryAgainError, match=said):
        write()
    connection.close()

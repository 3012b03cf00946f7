"""A flush to a PostgreSQL server, beside ``psql`` with the same rows and the same upsert.

The baseline is a process too: ``COPY`` from a file that is ready into the same temporary table, and the same
statement, in one transaction. The server has PostgreSQL's own defaults, but for 128 MB of buffers.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from geocli.model.records import FIELDS
from geocli.storage.store.postgres.schema import INCOMING_ANSWERS
from geocli.storage.store.postgres.writer import COPY_ANSWERS, UPSERT_ANSWERS
from tests.benchmarks.measure import Case, Command, geocli
from tests.support.postgres_server import Postgres, find_postgres

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.measure import Bench
    from tests.benchmarks.states import Inputs

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
_DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "'128MB'"}


class FleetServer:
    """A server that is started when a case needs it."""

    def __init__(self, scratch: Path) -> None:
        self._directory = scratch / "postgres"
        self._server: Postgres | None = None

    def cases(self, bench: Bench, inputs: Inputs) -> list[Case]:
        """A flush into an empty store; nothing where there is no server or no ``psql``."""
        if shutil.which("psql") is None or find_postgres() is None:
            return []
        self._directory.mkdir()
        for directory in (self._directory, *self._directory.parents[:1]):
            directory.chmod(0o755)  # the server is another user
        server = self._server = Postgres(self._directory, **_DURABLE)
        rows, script = bench.scratch / "rows.copy", bench.scratch / "raw.sql"

        def begin() -> None:
            """Leave the tables as they are before the first row."""
            server.start()
            if not rows.exists():
                inputs.need("journal")
                _write_rows(inputs.rows("journal"), rows)
                script.write_text(_script(rows))
            if server.execute("SELECT to_regclass('geo_cache')") == [(None,)]:
                bench.seconds(geocli(inputs.need("other"), "--store", server.url(), "flush"))
            server.execute("TRUNCATE geo_cache")
            server.execute("CHECKPOINT")

        def prepare() -> None:
            begin()
            inputs.restore("journal")

        def base() -> float:
            begin()
            return bench.seconds(
                Command(("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script), server.url()))
            )

        command = geocli(inputs.work, "--store", server.url(), "flush")
        name = f"flush of {inputs.count:,}, PostgreSQL"
        return [Case(name, command, "psql", base, 2, prepare, items=inputs.count)]

    def stop(self) -> None:
        """Stop it, if it was started."""
        if self._server is not None:
            self._server.kill()


def _write_rows(printed: Path, path: Path) -> None:
    """What ``lookup -j`` printed as a file in COPY's own format, numbered."""
    with printed.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines):
            values = [number, *(json.loads(line)[field] for field in FIELDS)]
            shown = ["\\N" if value is None else str(value).translate(_ESCAPED) for value in values]
            file.write("\t".join(shown) + "\n")


def _script(rows: Path) -> str:
    """All of it for ``psql``, which knows no parameters: no time is too late to be believed."""
    upsert = UPSERT_ANSWERS.replace("%(latest)s", "'9999-12-31T23:59:59Z'")
    copy = COPY_ANSWERS.replace("COPY", "copy").replace("FROM STDIN", f"from '{rows}'")
    return f"BEGIN;\n{' '.join(INCOMING_ANSWERS.split())};\n\\{copy}\n{upsert};\nCOMMIT;\n"

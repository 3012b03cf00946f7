"""A real PostgreSQL server of our own: in a temporary directory, on a port of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from tests.conftest import need

PATIENCE = 60
USER = "geocli"


def find_postgres() -> Path | None:
    """The directory of the server's programs, which are in nobody's PATH, if there is one."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return places[-1].parent if places else None


def need_postgres() -> Path:
    """The same. As ``need`` else."""
    return find_postgres() or Path(need("initdb")).parent


class Postgres:
    """A server. ``start``, ``stop`` and ``kill`` it as often as you like: the data stay."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self._programs = need_postgres()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self.password = "it's-a?se/cret#-with@all%of:them"  # noqa: S105 (of nobody else's)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._settings = {
            "listen_addresses": "'127.0.0.1'",
            "port": self.port,
            "unix_socket_directories": f"'{directory}'",
            "max_connections": 60,
            "shared_buffers": "'64MB'",
            "fsync": "off",  # nothing here outlives the machine
            "full_page_writes": "off",
        } | settings
        # The server refuses to run as root.
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(directory, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _make(self) -> None:
        self._run(
            "initdb", "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-instructions"
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self._settings.items())
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    @property
    def data(self) -> Path:
        return self._directory / "data"

    @property
    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")

    def url(self, database: str = "postgres", parameters: str = "") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}" + (
            f"?{parameters}" if parameters else ""
        )

    def new_url(self) -> str:
        """A URL behind which there is nothing yet: a schema of its own, so that it costs no database."""
        self._made += 1
        self.execute(f"CREATE SCHEMA test_{self._made}")
        return self.url(parameters=f"options=-csearch_path%3Dtest_{self._made}")

    def empty(self, url: str) -> None:
        """Leave nothing behind a URL that stores have used."""
        with psycopg.connect(url, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('bans')").fetchall() != [(None,)]:
                connection.execute("DELETE FROM geo_cache")
                connection.execute("DELETE FROM bans")
                connection.execute("DELETE FROM geo_state WHERE name = 'last_flush'")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if not self.data.exists():
            self._make()
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                # After a kill, the next one waits for the last of its children to be gone.
                with (self._directory / "log").open("ab") as log:
                    self._process = subprocess.Popen(
                        [self._programs / "postgres", "-D", self.data],
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._as,  # type: ignore[call-overload]
                    )  # fmt: skip
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as a service does: clients are told."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would: nobody is told anything."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it answer nobody, while the system still takes connections for it."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            children = self._children()
            self._process.send_signal(number)
            if number is signal.SIGKILL:
                for child in children:
                    with suppress(ProcessLookupError):
                        os.kill(child, number)
            self._process.wait(PATIENCE)
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in (self._process.pid, *self._children()):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _children(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return self._process is not None and self._process.poll() is None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self.data, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, check=True, cwd="/", timeout=PATIENCE, **self._as,  # type: ignore[call-overload]
        )  # fmt: skip

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the owner of everything; its rows, if it gives any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Postgres]:
    """The session's one server."""
    need_postgres()
    # pytest's own directories are too deep for the path of a socket, and nobody else may enter them.
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    directory.chmod(0o755)
    server = Postgres(directory)
    try:
        server.start()
        server.execute(
            f"CREATE ROLE guarded LOGIN PASSWORD '{server.password.replace(chr(39), 2 * chr(39))}'"
        )
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres(running_postgres: Postgres) -> Postgres:
    """The same, running, whatever a test before did to it."""
    running_postgres.start()
    return running_postgres

"""What tests share: geocli as a process, MMDB files made on the spot, programs that may be missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPNetwork, IPSet

from tests.support import examples as _profiles  # noqa: F401 (registers them)
from tests.support.fork_server import fork_server

FIXTURES = Path(__file__).parent / "fixtures"


_SHARED = {"postgres", "running_postgres", "fail2ban_server", "running_fail2ban", "browser", "crontab"}
"""Fixtures of which a machine has one. Tests that take one run in one worker, one after the other."""


_LONG = 60


def pytest_configure(config: pytest.Config) -> None:
    # What a shell starts in the background ignores interrupts, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.load_profile(config.getoption("--hypothesis-profile") or "quick")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be skipped, a skipped test is one that failed."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("GEOCLI_TEST_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("\nGEOCLI_TEST_NO_SKIPS is set, and tests were skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors, for some wait; none for a few tests, which one would only delay."""
    if config.option.usepdb or all(".py" in argument for argument in config.args):
        return 0
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A short name for a long value; and the same in each worker where the value is random."""
    return f"{argname}-{len(val)}" if isinstance(val, (str, bytes)) and len(val) > _LONG else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put together what one worker has to do, and in what order."""
    for item in items:
        shared = _SHARED.intersection(getattr(item, "fixturenames", ()))
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if shared or "postgres" in parameters.values():
            item.add_marker(pytest.mark.slow)  # a server or a browser takes seconds to begin
        if shared:
            item.add_marker(pytest.mark.xdist_group(min(shared).removeprefix("running_")))
        elif item.get_closest_marker("in_order"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    # What takes long begins first: then no worker is left alone with it at the end.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@dataclass(frozen=True)
class Geocli:
    """Runs geocli in a process of its own, with its own data directory.

    Called, it forks that process from one that has imported geocli already; ``command`` is for who starts it
    from nothing, as users do. ``GeocliProcess`` always does.
    """

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GEOCLI_") and name not in {"NO_COLOR", "COLUMNS"}
        }
        return (
            kept
            | {"GEOCLI_DATA_DIR": str(self.data_dir), "HOME": str(self.data_dir.parent)}
            # The embedded database gets old, and tests do not.
            | {"GEOCLI_LOOKUP_MAX_DB_AGE": "1000y"}
            | dict(self.environment)
        )

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "geocli"]

    def __call__(
        self, *arguments: str | Path, stdin: str | bytes | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; text is UTF-8 with what is not UTF-8 kept as surrogates."""
        data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin or b""
        done = self._run([*map(str, arguments)], data, timeout)
        out, err = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def _run(self, arguments: list[str], stdin: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
        env = self.env
        server = fork_server()
        if server is None or not server.can_run(env):
            return self._start(arguments, stdin, timeout)
        return server.run(arguments, env, stdin, timeout)

    def _start(
        self, arguments: list[str], stdin: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.command, *arguments],
            input=stdin,
            capture_output=True,
            env=self.env,
            timeout=timeout,
            check=False,
        )


class GeocliProcess(Geocli):
    """The same, started from nothing each time: for tests of that start."""

    _run = Geocli._start


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where a test's geocli keeps its files; not made yet."""
    return tmp_path / "data"


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    return Geocli(data_dir)


@pytest.fixture
def geocli_process(data_dir: Path) -> GeocliProcess:
    return GeocliProcess(data_dir)


MakeMmdb = Callable[..., Path]


def write_mmdb(
    directory: Path,
    name: str,
    networks: Mapping[str, Any],
    database_type: str = "Test",
    ip_version: int = 6,
    **options: Any,
) -> Path:
    """Write an MMDB file: ``write_mmdb(directory, "name", {"192.0.2.0/24": {...}}, ...)``."""
    writer = MMDBWriter(
        ip_version,
        database_type,
        languages=["en"],
        description={"en": f"{name}, made by a test", **options.pop("description", {})},
        ipv4_compatible=ip_version == 6,
        **options,
    )
    for network, content in networks.items():
        writer.insert_network(IPSet([IPNetwork(network)]), content)
    path = directory / f"{name}.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def make_mmdb(tmp_path: Path) -> MakeMmdb:
    """``write_mmdb`` in the test's own directory."""
    return partial(write_mmdb, tmp_path)


def need(program: str) -> str:
    """The path of a system program. Without it the test is skipped, except where nothing may be."""
    path = shutil.which(program)
    if path is None:
        if os.environ.get("GEOCLI_TEST_NO_SKIPS"):
            pytest.fail(f"{program} is not installed, and GEOCLI_TEST_NO_SKIPS is set")
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail what works for longer: a guard against quadratic work, far above what linear work takes.

    The seconds are the processor's, whatever else the machine does meanwhile.
    """

    def give_up(*_: object) -> None:
        raise TimeoutError(f"still at it after {seconds} s")

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Crontab:
    """A real crontab that a test may change: for root that of a user who has none, else one's own."""

    program: str
    user: str | None

    @property
    def options(self) -> list[str]:
        return ["--user", self.user] if self.user else []

    @property
    def command(self) -> list[str]:
        return [self.program, *(["-u", self.user] if self.user else [])]

    def read(self) -> bytes | None:
        """The text, or ``None`` where there is no crontab."""
        done = subprocess.run([*self.command, "-l"], capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def write(self, text: bytes | None) -> None:
        """Have this text there, or no crontab."""
        if text is None:
            subprocess.run([*self.command, "-r"], capture_output=True, check=False)
        else:
            subprocess.run([*self.command, "-"], input=text, check=True)


@pytest.fixture
def crontab() -> Iterator[Crontab]:
    """A crontab to play with. What was in it comes back."""
    table = Crontab(need("crontab"), "nobody" if os.geteuid() == 0 else None)
    with (Path(tempfile.gettempdir()) / f"geocli-crontab-{os.getuid()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of these tests has the same user
        before = table.read()
        table.write(None)
        try:
            yield table
        finally:
            table.write(before)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody but its holder vouches for."""
    place = tmp_path_factory.mktemp("tls")
    key, file = place / "key.pem", place / "certificate.pem"
    subprocess.run(
        [
            *(need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-keyout", str(key), "-out", str(file), "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context

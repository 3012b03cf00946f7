"""Starts geocli in a few milliseconds: a process that has imported everything forks one for each command.

What runs is ``geocli.__main__.main`` in a process of its own, with its own descriptors, environment,
directory, umask and signals, as after ``exec``; only the start of the interpreter and the imports are saved.
What a test patches in its own process is not seen there, and what a command leaves behind is gone with it.

The requests come through a socket: the command's three descriptors and one end of another socket. The command
reads from that what to do, and the server writes to it the number of the process, and how it ended.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

_CHECKOUT = Path(__file__).parents[2]
_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")
"""What variables are called that are read when an interpreter starts, and never again."""

_MEASURE = "GEOCLI_TEST_COVERAGE"


class ForkServer:
    """The server as its client sees it. It ends with the process that started it."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=self._environment | _measured(),
                cwd=_CHECKOUT,
                pass_fds=[theirs.fileno()],
            )
        self._lock = threading.Lock()
        atexit.register(self.close)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Whether an interpreter that starts in this environment is like the server's."""
        return _of_interpreter(environment) == _of_interpreter(self._environment)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run geocli to its end, as ``subprocess.run`` would."""
        request = {
            "arguments": arguments,
            "environment": dict(environment),
            "directory": str(Path.cwd()),
            "umask": _umask(),
        }
        with ExitStack() as opened:
            ours, theirs = socket.socketpair()
            pipes = [os.pipe(), os.pipe(), os.pipe()]
            given = [pipes[0][0], pipes[1][1], pipes[2][1]]
            kept = [pipes[0][1], pipes[1][0], pipes[2][0]]
            files = [
                opened.enter_context(os.fdopen(end, mode, buffering=0))
                for end, mode in zip(kept, ("wb", "rb", "rb"), strict=True)
            ]
            opened.enter_context(ours)
            try:
                with self._lock:
                    socket.send_fds(self._socket, [b"!"], [*given, theirs.fileno()])
            finally:
                theirs.close()
                for end in given:
                    os.close(end)
            answers = opened.enter_context(ours.makefile("rb"))
            ours.sendall(json.dumps(request).encode() + b"\n")
            pid = int(answers.readline())
            try:
                out, err = _talk(files, stdin, time.monotonic() + timeout)
                return subprocess.CompletedProcess(["geocli", *arguments], int(answers.readline()), out, err)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise


@cache
def fork_server() -> ForkServer | None:
    """The one server of this process, or ``None`` where there can be none."""
    return ForkServer() if sys.platform == "linux" else None


def _of_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_START)}


def _measured() -> dict[str, str]:
    """What tells the server that coverage is measured, where it is: of its commands as of the tests."""
    coverage = sys.modules.get("coverage")
    is_on = coverage is not None and coverage.Coverage.current() is not None
    return {_MEASURE: str(_CHECKOUT / "pyproject.toml")} if is_on else {}


def _measure_coverage() -> None:
    if configuration := os.environ.pop(_MEASURE, None):
        import coverage

        # The configuration says to save what each process that is forked from this one has run.
        coverage.Coverage(config_file=configuration, data_suffix=True).start()


def _umask() -> int:
    """That of this process. ``os.umask`` tells it only by changing it, for all threads."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    raise AssertionError("the kernel is older than 4.7")


def _talk(files: Sequence[Any], stdin: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Write all of stdin, and read both others to their end, in whatever order the command does that."""
    rest = memoryview(stdin)
    to: Any = files[0]
    found: dict[Any, list[bytes]] = {source: [] for source in files[1:]}
    with selectors.DefaultSelector() as selector:
        for source in found:
            selector.register(source, selectors.EVENT_READ)
        if rest:
            os.set_blocking(to.fileno(), False)
            selector.register(to, selectors.EVENT_WRITE, to)
        else:
            to.close()
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                raise TimeoutError("the command does not end")
            for key, _ in ready:
                if key.data is not to:
                    part = os.read(key.fd, 1 << 16)
                    found[key.fileobj].append(part)
                    if not part:
                        selector.unregister(key.fileobj)
                    continue
                try:
                    rest = rest[os.write(key.fd, rest[: 1 << 16]) :]
                except BrokenPipeError:  # the command has read enough
                    rest = rest[:0]
                if not rest:
                    selector.unregister(to)
                    to.close()
    out, err = (b"".join(parts) for parts in found.values())
    return out, err


def _serve(requests: socket.socket) -> None:
    """Fork a process for each request, until nobody can send one any more."""
    running: dict[int, tuple[int, socket.socket]] = {}  # by the descriptor that tells that it has ended
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is requests:
                    message, given, _, _ = socket.recv_fds(requests, 1, 4)
                    if not message:
                        return
                    client = socket.socket(fileno=given.pop())
                    pid = os.fork()
                    if pid == 0:
                        _become_geocli(client, given)
                    for descriptor in given:
                        os.close(descriptor)
                    ended = os.pidfd_open(pid)
                    running[ended] = (pid, client)
                    selector.register(ended, selectors.EVENT_READ)
                    client.sendall(b"%d\n" % pid)
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    pid, client = running.pop(key.fd)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    with client, suppress(OSError):
                        client.sendall(b"%d\n" % code)


def _become_geocli(client: socket.socket, given: Sequence[int]) -> NoReturn:
    """Be what ``python -m geocli`` is. Never returns."""
    code = 1
    try:
        with client.makefile("rb") as file:
            request = json.loads(file.readline())
        for number, descriptor in enumerate(given):
            os.dup2(descriptor, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 16 else 1 << 16)
        os.chdir(request["directory"])
        os.umask(request["umask"])
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
            own = getattr(sys, name)
            stream = open(number, mode, encoding=own.encoding, errors=own.errors, closefd=False)  # noqa: SIM115 (for good)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        sys.stderr.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # made above
        from geocli import __main__ as geocli

        sys.argv = [str(geocli.__file__), *request["arguments"]]
        geocli.main()
    except BaseException:  # noqa: BLE001 (as the interpreter does)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _import_everything() -> None:
    import geocli

    for module in pkgutil.walk_packages(geocli.__path__, "geocli."):
        if module.name != "geocli.__main__":
            with suppress(ImportError):  # of what is installed with an extra
                importlib.import_module(module.name)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the one who waits for the command
    _measure_coverage()
    _import_everything()
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))

"""One geocli process, from its start to its end, by nature or by SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Geocli
from tests.torture.aims import AtCall, Kill

_LONGEST = 60.0  # seconds that a process may take, killed or not
_PATIENCE = 5.0  # seconds in which workers must have noticed that their parent is gone


@dataclass(frozen=True)
class Job:
    """What a process is to do; ``targets`` is what it must print, in this order."""

    kind: str
    arguments: tuple[str, ...]
    targets: tuple[str, ...] = ()
    kill: Kill | None = None
    delay: float = 0.0

    def __str__(self) -> str:
        words = " ".join(self.arguments)
        shown = words if len(words) < 120 else words[:120] + "..."
        return f"geocli {shown} ({len(self.targets)} targets, after {self.delay:.3f} s, {self.kill})"


@dataclass(frozen=True)
class Ended:
    """How it went. ``out`` is what it printed, complete lines only."""

    job: Job
    code: int
    out: bytes
    err: str
    struck: bool
    seconds: float
    problems: tuple[str, ...]


class Process:
    """A running one, as ``aims`` sees it."""

    def __init__(self, geocli: Geocli, job: Job, typical_seconds: float) -> None:
        self.data_dir = geocli.data_dir
        self.typical_seconds = typical_seconds
        aim = job.kill.aim if job.kill else None
        prefix = aim.prefix if isinstance(aim, AtCall) else []
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 (end() closes it)
        self._process = subprocess.Popen(
            [*prefix, *geocli.command, *job.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._err,
            env=geocli.env,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._parts: list[bytes] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as out:
            while part := os.read(out.fileno(), 1 << 16):
                self._parts.append(part)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def has_printed(self) -> bool:
        return bool(self._parts)

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def wait(self, seconds: float | None) -> None:
        """Until it has ended, or for so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LONGEST if seconds is None else seconds)

    def workers(self) -> list[int]:
        """The other processes of its session: those that it forked."""
        return [pid for pid in _session(self.pid) if pid != self.pid]

    def end(self) -> tuple[bytes, str, list[str]]:
        """Wait for its end, and for the end of all that it forked: what was printed, and what is wrong."""
        problems = []
        self.wait(None)
        if self.is_running:
            problems.append("does not end")
        deadline = time.monotonic() + _PATIENCE
        while (left := self.workers()) and time.monotonic() < deadline:
            time.sleep(0.01)
        if left:
            problems.append(f"{len(left)} processes are left over")
        for pid in _session(self.pid) if problems else []:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._reading.join()
        with self._err:
            self._err.seek(0)
            err = self._err.read().decode("utf-8", "replace")
        out = b"".join(self._parts)
        return out[: out.rfind(b"\n") + 1], err, problems


def run(geocli: Geocli, job: Job, typical_seconds: float = 0.0) -> Ended:
    """Do a job to its end."""
    time.sleep(job.delay)
    begun = time.monotonic()
    process = Process(geocli, job, typical_seconds)
    struck = job.kill is not None and job.kill.strike(process)
    out, err, problems = process.end()
    seconds = time.monotonic() - begun
    return Ended(job, process.code or 0, out, err, struck, seconds, tuple(problems))


def _session(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):  # it has just ended
            state, _, _, session, *_ = path.read_text().rpartition(")")[2].split()
            if int(session) == leader and state not in "ZX":
                found.append(int(path.parent.name))
    return found

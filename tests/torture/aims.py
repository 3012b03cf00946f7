"""When a process is killed, and what of it."""

from __future__ import annotations

import math
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.torture.processes import Process

STRACE = shutil.which("strace")

# System calls: how often each is chosen, and how often such a process makes it, at most.
_Calls = dict[str, tuple[int, int]]
_LOOKUP_CALLS: _Calls = {
    "pwrite64": (5, 150),
    "fcntl": (3, 250),  # SQLite's locks
    "fdatasync": (3, 3),
    "ftruncate": (2, 1),
    "write": (2, 1),  # prints
    "fsync": (1, 1),  # this and the next only where files are made
    "?unlink,?unlinkat": (1, 2),
    "?mkdir,?mkdirat": (1, 2),
}
_LARGE_LOOKUP_CALLS = _LOOKUP_CALLS | {"pwrite64": (5, 1000), "fcntl": (3, 500), "write": (4, 6)}
_FLUSH_CALLS: _Calls = {
    "pwrite64": (5, 1500),
    "fcntl": (3, 300),
    "fdatasync": (5, 8),
    "ftruncate": (3, 4),
    "flock": (1, 1),
    "fsync": (1, 1),
    "?unlink,?unlinkat": (1, 1),
}
_JOURNAL = ("journal/cache.db-wal",)
_STORE = ("geo.db", "geo.db-wal", *_JOURNAL)
_POLL = 0.0005  # seconds
_LATEST = 0.02  # seconds from an event to the kill

Victim = Literal["itself", "its group", "a worker"]


@dataclass(frozen=True)
class AtTime:
    """After this share of the time that such a process takes."""

    share: float

    def wait(self, process: Process) -> None:
        process.wait(process.typical_seconds * self.share)


@dataclass(frozen=True)
class AtOutput:
    """So many seconds after its first output."""

    seconds: float

    def wait(self, process: Process) -> None:
        while process.is_running and not process.has_printed:
            time.sleep(_POLL)
        process.wait(self.seconds)


@dataclass(frozen=True)
class AtWrite:
    """So many seconds after the n-th change of a file, by whomever."""

    file: str
    number: int
    seconds: float

    def wait(self, process: Process) -> None:
        state, changes = self._state(process.data_dir), 0
        while process.is_running and changes < self.number:
            time.sleep(_POLL)
            now = self._state(process.data_dir)
            changes, state = changes + (now != state), now
        process.wait(self.seconds)

    def _state(self, data_dir: Path) -> tuple[int, int] | None:
        try:
            found = (data_dir / self.file).stat()
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns


@dataclass(frozen=True)
class AtCall:
    """Just before its n-th system call of this name. strace does it."""

    call: str
    number: int

    @property
    def prefix(self) -> list[str]:
        """What to put before the command."""
        inject = f"inject={self.call}:signal=SIGKILL:when={self.number}"
        quiet = ["-qqq", "-o", os.devnull, "-e", "signal=none"]
        return [str(STRACE), *quiet, "-e", f"trace={self.call}", "-e", inject]

    def wait(self, process: Process) -> None:
        process.wait(None)


Aim = AtTime | AtOutput | AtWrite | AtCall


@dataclass(frozen=True)
class Kill:
    """What is to be killed, and when."""

    aim: Aim
    victim: Victim

    def strike(self, process: Process) -> bool:
        """Wait for the moment and kill. ``False`` if it was over before."""
        self.aim.wait(process)
        if isinstance(self.aim, AtCall):
            return process.code == -signal.SIGKILL
        if self.victim == "a worker":
            workers = process.workers()
            return bool(workers) and _kill(workers[0])
        if process.is_running:
            (os.killpg if self.victim == "its group" else os.kill)(process.pid, signal.SIGKILL)
            process.wait(None)
        return process.code == -signal.SIGKILL


def choose(random: Random, kind: str, *, alone: bool) -> Kill:
    """A way to be killed, for a process of this kind (``rounds``)."""
    if kind == "many" and random.random() < 0.15:
        return Kill(AtOutput(random.uniform(0, 0.3)), "a worker")
    aim = random.choices(["time", "write", "output", "call"], (25, 20, 15, 40))[0]
    if alone and aim != "time":
        aim = "call"
    if aim == "call" and not STRACE:
        aim = "time"
    if aim == "call":
        calls = {"flush": _FLUSH_CALLS, "many": _LARGE_LOOKUP_CALLS}.get(kind, _LOOKUP_CALLS)
        call = random.choices([*calls], [often for often, _ in calls.values()])[0]
        # As many among the first ten as among the next ninety.
        number = int(math.exp(random.uniform(0, math.log(calls[call][1] + 1))))
        return Kill(AtCall(call, number), "itself")
    victim: Victim = random.choice(["itself", "its group"])
    if aim == "time":
        return Kill(AtTime(random.random()), victim)
    delay = random.uniform(0, _LATEST)
    if aim == "output" and kind not in {"flush", "refresh", "record"}:  # these print nothing
        return Kill(AtOutput(delay), victim)
    file = random.choice(_STORE if kind == "flush" else _JOURNAL)
    return Kill(AtWrite(file, random.randint(1, 2), delay), victim)


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True

"""Processes measured: seconds, and the memory of all that one starts."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
GEOCLI = str(Path(sysconfig.get_path("scripts")) / "geocli")

_NOTHING = Path(os.devnull)
_PAUSE = 0.02  # seconds between two looks at memory
_PROC = Path("/proc")


class Command(NamedTuple):
    """What is run. ``data`` is geocli's data directory."""

    arguments: tuple[str, ...]
    data: Path = _NOTHING
    stdin: Path = _NOTHING


def geocli(data: Path, *arguments: str, stdin: Path = _NOTHING) -> Command:
    """The geocli that is installed beside this Python, whatever the working directory holds."""
    return Command((GEOCLI, *arguments), data, stdin)


def script(name: str, *arguments: str | Path, stdin: Path = _NOTHING) -> Command:
    """One of the baselines, which are scripts in this folder."""
    return Command((sys.executable, str(HERE / name), *map(str, arguments)), stdin=stdin)


def _nothing() -> None:
    pass


class Case(NamedTuple):
    """A command and what it is compared with: one line of the table.

    ``prepare`` comes before each run of the command and takes no part in the figures. ``most`` is the target
    of the ratio, or of the difference in seconds where the case ``is_difference``. ``items`` is how many
    addresses or lines there are; a case without is over in a moment.
    """

    name: str
    command: Command
    baseline: str
    base: Callable[[], float]
    most: float | None = None
    prepare: Callable[[], object] = _nothing
    is_difference: bool = False
    items: int = 0


class Result(NamedTuple):
    """Medians: seconds of both, and of their ratios (or differences) pair by pair. ``memory`` is in MB."""

    figure: float
    base: float
    ratio: float
    memory: float


class Bench:
    """Runs commands in an environment as users have it. What they print goes to ``output``, a real file."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.output = scratch / "output"
        self._errors = scratch / "errors"
        unset = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
        self._env = {
            name: value
            for name, value in os.environ.items()
            if name not in unset and not name.startswith("GEOCLI_")
        }

    def seconds(self, command: Command) -> float:
        """How long a process takes from start to end."""
        return self._run(command, lambda process: process.wait())

    def memory(self, command: Command) -> float:
        """Megabytes that a process and its descendants need at most.

        Each page is counted once, whoever shares it (PSS), as often as we look. What the process alone needed
        at any moment is exact, and the larger of the two is the answer.
        """
        peak = 0.0

        def watch(process: subprocess.Popen[bytes]) -> None:
            nonlocal peak
            while True:
                # A process that has ended, but was not waited for, still has its number and its peak.
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    unit = 1 if sys.platform == "darwin" else 1024
                    peak = max(peak, usage.ru_maxrss * unit / 1e6)
                    return
                peak = max(peak, sum(map(_proportional, _tree(process.pid))) * 1024 / 1e6)
                time.sleep(_PAUSE)

        self._run(command, watch)
        return peak

    def measure(self, case: Case, rounds: int) -> Result:
        """A figure and its baseline in turn (A B A B ...), after a run that warms caches and shows memory."""
        case.prepare()
        memory = self.memory(case.command)
        if not case.items:
            case.base()
            rounds *= 4  # where a run is short, noise is long
        pairs = []
        for _ in range(rounds):
            case.prepare()
            pairs.append((self.seconds(case.command), case.base()))
        return Result(
            statistics.median(a for a, _ in pairs),
            statistics.median(b for _, b in pairs),
            statistics.median(a - b if case.is_difference else a / b for a, b in pairs),
            memory,
        )

    def _run(self, command: Command, wait: Callable[[subprocess.Popen[bytes]], object]) -> float:
        self.output.unlink(missing_ok=True)  # freeing what an earlier run wrote takes time too
        environment = self._env | {"GEOCLI_DATA_DIR": str(command.data), "HOME": str(self.scratch)}
        with (
            command.stdin.open("rb") as stdin,
            self.output.open("wb") as stdout,
            self._errors.open("wb") as stderr,
        ):
            begun = time.perf_counter()
            process = subprocess.Popen(
                command.arguments, stdin=stdin, stdout=stdout, stderr=stderr, env=environment
            )
            wait(process)
            seconds = time.perf_counter() - begun
        if process.returncode:
            message = self._errors.read_text(errors="replace").strip()
            sys.exit(f"{' '.join(command.arguments)}: exit code {process.returncode}: {message}")
        return seconds


def _tree(root: int) -> set[int]:
    """The process and its descendants; none where there is no /proc."""
    parents: dict[int, int] = {}
    with suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    status = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
                    parents[int(entry.name)] = int(status.split()[1])
    found, level = {root}, {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found


def _proportional(pid: int) -> int:
    """Kilobytes of a process: its own pages, and its share of others. 0 when it is gone."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0

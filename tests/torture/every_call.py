"""Kills one look-up and one flush before each of the system calls that change something, one at a time.

``python -m tests.torture.every_call`` takes some minutes and needs strace. Nothing is left to chance, but
nobody else is at work: the rounds are for that. What is checked is the same.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.conftest import Geocli
from tests.torture.aims import AtCall, Kill
from tests.torture.processes import Job, run
from tests.torture.rounds import HOST, Life, Report, ban_line

_CALLS = "?mkdir,?mkdirat,?unlink,?unlinkat,?rename,?renameat,fsync,fdatasync,ftruncate,flock,pwrite64,write"
_FIRST = ("8.8.8.8", "2001:4860:4860::8888")
_SECOND = ("9.9.9.9", "1.1.1.1")
_ZONE = {"TZ": "UTC"}


def jobs(directory: Path) -> Iterator[tuple[str, list[Job], Job]]:
    """What is done to a new data directory, and by whom one is killed at each of its calls."""
    first, second = (Job("lookup", ("lookup", "-j", *targets), targets) for targets in (_FIRST, _SECOND))
    flush = Job("flush", ("flush",))
    yield "the first look-up", [], first
    yield "a look-up", [first], second
    yield "the first flush", [first], flush
    yield "a look-up after a flush", [first, flush], second
    yield "a flush", [first, flush, second], flush
    bans = directory / "bans"
    bans.write_text("".join(map(ban_line, (*_FIRST, *_SECOND))))
    record = Job("record", ("bans", "--record", "--host", HOST, "-i", str(bans)))
    yield "the first recording", [], record
    yield "a flush of bans", [first, flush, record], flush


def calls(geocli: Geocli, job: Job) -> Counter[str]:
    """How often a job makes which of the calls."""
    command = ["strace", "-qqq", "-e", f"trace={_CALLS}", "-e", "signal=none", *geocli.command]
    with tempfile.NamedTemporaryFile() as log:
        subprocess.run(
            [*command[:1], "-o", log.name, *command[1:], *job.arguments],
            stdout=subprocess.DEVNULL,
            env=geocli.env,
            check=True,
        )
        return Counter(re.findall(r"^(\w+)\(", Path(log.name).read_text("latin-1"), re.M))


def main() -> None:
    """Exit with 1 if there is any finding."""
    report, begun, random = Report(), time.monotonic(), Random(1)  # noqa: S311 (not a secret)
    directory = Path(tempfile.mkdtemp(prefix="geocli-torture-"))
    for name, before, job in jobs(directory):
        template = Geocli(directory / "template" / "data", _ZONE)
        for earlier in before:
            run(template, earlier)
        counted = Geocli(directory / "counted" / "data", _ZONE)
        _copy(template, counted)
        for call, most in calls(counted, job).items():
            for number in range(1, most + 1):
                kill = Kill(AtCall(call, number), "itself")
                life = Life(directory / f"{call}-{number}", _ZONE, report)
                _copy(template, life.geocli)
                life.see(run(life.geocli, Job(job.kind, job.arguments, job.targets, kill)))
                life.check(life.geocli)
                life.try_commands(life.geocli, random, remember=True)
                life.finish()
                if life.findings:
                    report.findings += [f"{name}, before {call} number {number}:", *life.findings]
                shutil.rmtree(directory / f"{call}-{number}", ignore_errors=True)
        shutil.rmtree(directory / "template", ignore_errors=True)
        shutil.rmtree(directory / "counted", ignore_errors=True)
    shutil.rmtree(directory)
    report.seconds = time.monotonic() - begun
    print(report)
    print(*report.findings, sep="\n", file=sys.stderr, end="\n" if report.findings else "")
    sys.exit(1 if report.findings else 0)


def _copy(source: Geocli, target: Geocli) -> None:
    target.data_dir.parent.mkdir(parents=True, exist_ok=True)
    if source.data_dir.exists():
        shutil.copytree(source.data_dir, target.data_dir)


if __name__ == "__main__":
    main()

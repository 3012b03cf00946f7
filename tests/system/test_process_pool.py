"""Work on other processors: results in order, failures told, nobody left behind."""

from __future__ import annotations

import os
import signal
import time

import pytest

from geocli.system import process_pool
from geocli.system.process_pool import WorkerFailedError, Workers


@pytest.fixture(autouse=True)
def three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "processors", lambda: 3)


def shout(task: bytes) -> list[bytes]:
    if task == b"fail":
        raise ValueError("no")
    if task == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.startswith(b"slow"):
        time.sleep(0.05)
    return [task.upper() * 50_000] * 2  # far more than a pipe holds


def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = [(b"slow%d" if n % 3 else b"quick%d") % n for n in range(20)]
    results = []
    with Workers(shout) as crew:
        for task in tasks:
            if not crew.has_room:
                results.append(crew.take())
            crew.give(task)
        while crew.waiting:
            results.append(crew.take())
    assert results == [task.upper() * 100_000 for task in tasks]


@pytest.mark.parametrize("bad", [b"fail", b"die"])
def test_a_task_that_cannot_be_done_is_told_and_only_that_one(bad: bytes) -> None:
    with Workers(shout) as crew:
        crew.give(b"one")
        crew.give(bad)
        crew.give(b"two")
        assert crew.take() == b"ONE" * 100_000
        with pytest.raises(WorkerFailedError):
            crew.take()
        assert crew.take() == b"TWO" * 100_000


def test_a_worker_takes_what_comes_next_but_nobody_waits_for_ever() -> None:
    large = [b"%d" % n * (4 << 20) for n in range(8)]  # neither a task nor a result fits into a pipe
    tasks = [task for pair in zip([b"one", b"two"] * 4, large, strict=True) for task in pair]
    with Workers(lambda task: [task.upper()]) as crew:
        for task in tasks:  # whether one has room or not
            crew.give(task)
        assert crew.waiting == len(tasks)
        assert [crew.take() for _ in tasks] == [task.upper() for task in tasks]
        assert crew.has_room


def test_closing_ends_all_of_them_whatever_they_do() -> None:
    def endless(task: bytes) -> list[bytes]:
        time.sleep(600)
        return [task]

    with Workers(endless) as crew:
        crew.give(b"")
        pids = [worker.pid for worker in crew._all]
        assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_interrupt_is_the_parents_business() -> None:
    with Workers(shout) as crew:
        for worker in crew._all:
            os.kill(worker.pid, signal.SIGINT)
        crew.give(b"on")
        assert crew.take() == b"ON" * 100_000


def test_without_processes_there_are_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork() -> int:
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_fork)
    with pytest.raises(WorkerFailedError):
        Workers(shout)

"""Work on other processors: a function of bytes to bytes, in parts, in forked processes, results in order.

A worker that cannot do a task says so, and whoever gave it does it himself; so errors are raised where they
can be reported. Nothing is shared but two pipes, and nothing read from them is executed.
"""

from __future__ import annotations

import os
import signal
import struct
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LENGTH = struct.Struct("<q")
_FAILED = -1
_WIDE = 1 << 20  # bytes of a pipe: as much as anybody may have
_MARGIN = 1 << 13  # bytes of those that are not to be counted on: the length, a page that is not full
_AHEAD = 2  # tasks that a worker may have, if it need not be waited for: one that it does, and the next
_MOST = 4  # processes: the one that gives out the work cannot feed more


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerFailedError(Exception):
    """A worker could not do its task, or is gone."""


class _Worker:
    def __init__(self, pid: int, tasks: int, results: int, room: int) -> None:
        self.pid = pid
        self.tasks = tasks  # file descriptors
        self.results = results
        self.room = room  # bytes of a task that it takes while it does another one
        self.has = 0  # tasks
        self.done: deque[bytearray] = deque()  # results that were read before anybody asked for them


class Workers:
    """Processes forked from this one, as it is now. Use as a context manager.

    The caller must not have anything open that a child may not share, a database above all. Raises
    ``WorkerFailedError`` when there can be none.
    """

    def __init__(self, function: Callable[[bytes], Sequence[bytes]]) -> None:
        self._given: deque[_Worker] = deque()
        self._all: list[_Worker] = []
        with suppress(OSError):  # no more processes or files: fewer will do
            for _ in range(min(processors(), _MOST)):
                self._all.append(self._fork(function))
        if not self._all:
            raise WorkerFailedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all of them, whatever they are doing."""
        for worker in self._all:
            os.close(worker.tasks)
            os.close(worker.results)
            with suppress(OSError):
                os.kill(worker.pid, signal.SIGKILL)
                os.waitpid(worker.pid, 0)
        self._all.clear()
        self._given.clear()

    @property
    def has_room(self) -> bool:
        """Whether one would take a task, to do it now or next."""
        return any(worker.has < _AHEAD for worker in self._all)

    @property
    def waiting(self) -> int:
        """How many results there are to take."""
        return len(self._given)

    def give(self, task: bytes) -> None:
        """Have the worker do a task that has the fewest. Raises ``WorkerFailedError``."""
        worker = min(self._all, key=lambda worker: worker.has)
        while worker.has and len(task) > worker.room:  # else each might wait for the other to read
            worker.done.append(self._receive(worker))
        _write(worker.tasks, _LENGTH.pack(len(task)) + task)
        worker.has += 1
        self._given.append(worker)

    def take(self) -> bytearray:
        """Wait for the result of the task given first. Raises ``WorkerFailedError``."""
        worker = self._given.popleft()
        return worker.done.popleft() if worker.done else self._receive(worker)

    def _receive(self, worker: _Worker) -> bytearray:
        worker.has -= 1
        return _receive(worker.results)

    def _fork(self, function: Callable[[bytes], Sequence[bytes]]) -> _Worker:
        task_end, tasks = os.pipe()
        results, result_end = os.pipe()
        _widen(result_end)
        room = _widen(tasks)
        # The parent decides what an interrupt means: for a worker it means nothing, from the first moment.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            pid = os.fork()
            if pid == 0:
                # Only the parent keeps these: when it ends, however it does, the workers end too.
                parents = [end for other in self._all for end in (other.tasks, other.results)]
                _serve(function, task_end, result_end, [*parents, tasks, results])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(task_end)
        os.close(result_end)
        return _Worker(pid, tasks, results, room)


def _serve(
    function: Callable[[bytes], Sequence[bytes]], tasks: int, results: int, parents: list[int]
) -> None:
    """Do tasks until there are no more. Never returns."""
    try:
        for descriptor in parents:
            os.close(descriptor)
        while True:
            task = bytes(_receive(tasks))
            try:
                result = function(task)
            except Exception:  # noqa: BLE001 (the parent does the task again, and meets the error itself)
                _write(results, _LENGTH.pack(_FAILED))
            else:
                _write(results, _LENGTH.pack(sum(map(len, result))))
                for part in result:
                    _write(results, part)
                del result  # not kept beside the next one
    finally:
        os._exit(0)  # nothing of the parent's may run here: no exit handlers, no buffers written twice


def _widen(pipe: int) -> int:
    """Let a pipe hold a whole task or result where the system can; how much it surely takes.

    Then a worker need not wait until it is read.
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _WIDE) - _MARGIN
    return 0


def _receive(descriptor: int) -> bytearray:
    (length,) = _LENGTH.unpack(_read(descriptor, _LENGTH.size))
    if length == _FAILED:
        raise WorkerFailedError
    return _read(descriptor, length)


def _read(descriptor: int, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        try:
            size = os.readv(descriptor, [view])
        except OSError:
            size = 0
        if not size:
            raise WorkerFailedError
        view = view[size:]
    return data


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        raise WorkerFailedError from None

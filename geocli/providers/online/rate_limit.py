"""How fast a source may be asked: one state on disk, shared by all processes of this data directory.

A source with a limit is asked by one process at a time: it holds a lock on the state file from before the
request until the answer has said how much is left. So what the source says is exact, and ten one-liners
and a cron job together keep within the limit. A process that is killed lets go of the lock, and what it
had taken from the limit stays taken.

The state is one line of JSON: ``left`` requests until ``reset`` (seconds since the epoch; by the wall clock,
for all processes and boots), ``told`` when that is what the source said, else it is the documented rate;
``slack`` once it refused a request that it should have taken; ``noticed``: the user knows that it is asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from geocli.model.errors import GeocliError, UnanswerableError
from geocli.system.files import make_private_directory, open_private, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geocli.providers.online.base import Limit

LONGEST = 86400
"""Seconds. Nothing makes geocli wait longer: no source, no clock that was set back, no damaged file."""

_MARGIN = 0.05  # seconds
_SLACK = 1.0  # seconds, for a source that turned out to round down what it says
_POLL = 0.02  # seconds between two tries to get the lock
_PATIENCE = 1  # seconds until waiting for another process is worth a word
_LARGEST = 4096  # bytes of state
_NOT_IN_NAME = re.compile(r"[^0-9A-Za-z.-]+")


class _State(NamedTuple):
    left: int | None = None
    reset: float = 0
    told: bool = False
    slack: bool = False
    noticed: bool = False


class RateLimit:
    """The limit of one source. ``limit`` is ``None`` where there is none, until the source says so.

    ``budget`` is how many seconds may be spent waiting in all, ``None`` for any.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        limit: Limit | None,
        budget: float | None,
        waiting: Callable[[str, float], None],
    ) -> None:
        self._path = directory / f"{_NOT_IN_NAME.sub('-', name)[:100]}.json"
        self._name = name
        self._limit = limit
        self._budget = budget
        self._waiting = waiting
        self._held: int | None = None  # the locked file, while a request to a limited source is under way
        self._shared = True  # until the file turns out to be of no use
        self._alone = _State()  # what is known then: no sharing, but no rush either

    async def enter(self) -> None:
        """Wait until a request may be sent, and take it from what is left. ``leave`` must follow.

        Raises ``UnanswerableError`` when that would take longer than there is time.
        """
        while True:
            file = await self._lock()
            try:
                state, now = self._read(file), time.time()
                if state.left is None or state.reset <= now:
                    state = state._replace(left=None, reset=0, told=False)
                    if self._limit is not None:
                        state = state._replace(left=self._limit.requests, reset=now + self._limit.seconds)
                if state.left is None or state.left > 0:
                    if state.left is not None:
                        self._write(file, state._replace(left=state.left - 1))
                    if self._limit is not None:
                        self._held, file = file, None
                    return
            finally:
                _close(file)
            await self._sleep(state.reset - now)

    async def leave(self, left: int | None, seconds: float | None, *, refused: bool = False) -> None:
        """Note what the answer said: requests left, and seconds until there are more; ``None``: nothing.

        ``refused``: the request was one too many.
        """
        file, self._held = self._held, None
        try:
            if left is None or seconds is None:
                self._count_from_now(file)
                return
            if left > 0 and self._limit is None:
                return  # nothing that others need to know
            if file is None:
                file = await self._lock()
            before, now = self._read(file), time.time()
            slack = before.slack or (refused and self._limit is not None)
            reset = now + min(max(seconds, 0), LONGEST) + (_SLACK if slack else _MARGIN)
            if before.told and now < before.reset < reset <= before.reset + 1 and not refused:
                reset = before.reset  # it tells whole seconds, rounded up: the earliest is the nearest
            self._write(file, _State(max(left, 0), reset, told=True, slack=slack, noticed=before.noticed))
        finally:
            _close(file)

    def _count_from_now(self, file: int | None) -> None:
        """A source that tells nothing begins to count when a request arrives, not when it leaves."""
        if self._limit is not None:
            state = self._read(file)
            if not state.told and state.left == self._limit.requests - 1:
                self._write(file, state._replace(reset=time.time() + self._limit.seconds + _MARGIN))

    async def first_notice(self) -> bool:
        """Whether this is the first time that anybody asks: true once for a data directory."""
        file = await self._lock()
        try:
            state = self._read(file)
            if not state.noticed:
                self._write(file, state._replace(noticed=True))
            return not state.noticed
        finally:
            _close(file)

    async def _lock(self) -> int | None:
        """The state file, open and locked; ``None`` where it cannot be: then this process paces itself."""
        if not self._shared:
            return None
        try:
            make_private_directory(self._path.parent)
            file = open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK)
        except (OSError, GeocliError):
            return None
        begun = time.monotonic()
        try:
            while stat.S_ISREG(os.fstat(file).st_mode):
                if try_lock(file, self._path):
                    return file
                if time.monotonic() - begun > _PATIENCE:
                    self._waiting(self._name, 0)
                self._spend(_POLL)
                await asyncio.sleep(_POLL)
        except UnanswerableError:  # there is no time left to wait for it
            os.close(file)
            raise
        except (OSError, GeocliError):  # a file system without locks
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        return None

    async def _sleep(self, seconds: float) -> None:
        seconds = max(seconds, 0.001)
        if self._budget is not None and seconds > self._budget:
            raise UnanswerableError(
                f"{self._name} takes no more requests for {seconds:.0f} s, longer than --max-wait allows"
            )
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._waiting(self._name, left)
            await asyncio.sleep(min(left, 0.5))
        self._spend(seconds)

    def _spend(self, seconds: float) -> None:
        if self._budget is not None:
            self._budget -= seconds
            if self._budget < 0:
                raise UnanswerableError(f"{self._name} was not free for as long as --max-wait allows")

    def _read(self, file: int | None) -> _State:
        if file is None:
            return self._alone
        text = os.pread(file, _LARGEST, 0)
        if not text:
            return _State()
        try:
            return _checked(json.loads(text))
        except (ValueError, RecursionError, TypeError):
            # Written by nobody knows whom: as if all requests had just been made.
            state = _State(0, time.time() + (self._limit.seconds if self._limit else 0))
            self._write(file, state)
            return state

    def _write(self, file: int | None, state: _State) -> None:
        self._alone = state
        if file is not None:
            text = json.dumps(state._asdict()).encode() + b"\n"
            try:
                os.pwrite(file, text, 0)
                os.ftruncate(file, len(text))
            except OSError:  # a full disk
                self._shared = False


def _close(file: int | None) -> None:
    if file is not None:
        os.close(file)  # and with it the lock


def _checked(value: Any) -> _State:
    if not isinstance(value, dict) or not value.keys() <= set(_State._fields):
        raise ValueError("not a state")
    state = _State(**value)
    if not (
        (state.left is None or (type(state.left) is int and 0 <= state.left <= 1_000_000))
        and type(state.reset) in {int, float}
        and {type(state.told), type(state.slack), type(state.noticed)} == {bool}
    ):
        raise ValueError("not a state")
    # The clock was set back, or somebody wrote nonsense: nobody waits for that.
    return state if state.reset <= time.time() + LONGEST + 1 else state._replace(left=None, reset=0)

"""Asks one source about many addresses: full batches, within its limit, several at once where it has none.

What helps is tried again, at most ``TRIES`` times in all, with exponential back-off and jitter. A cause is
reported once, not once per address. A source that is down is left alone for a while.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geocli.model.errors import UnanswerableError
from geocli.providers.online.rate_limit import LONGEST, RateLimit
from geocli.system.http import Client, FailedError, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geocli.config.settings import Settings
    from geocli.model.records import Answer
    from geocli.providers.online.base import Source
    from geocli.system.reporter import Reporter

TRIES = 3
_BACK_OFF = 0.5  # seconds, doubled with each try
_REST = 60  # seconds during which a source that failed is not asked again
_MOST_FAILURES = 3  # batches in a row, before a source that answers nonsense counts as down

_ALOFT = 8  # rounds of the event loop in which the next request leaves, before an answer is worked on
_FIRST_ALOFT = 40  # and in which the first ones do, connections and all
_MOST_REJECTIONS = 20  # requests in a row: searching one bad item takes fourteen
TOO_MANY = 429
_FORBIDDEN = {401, 403}

Answers = dict[str, "Answer | None"]
"""What is known about each target of a batch; ``None``: it could not be asked about."""

_Tasks = set["asyncio.Task[Answers]"]


class _RejectedError(Exception):
    """The source did not take the batch; one bad item in it is enough for that."""


class OnlineClient:
    """One source, from the first request to the end of the process."""

    def __init__(
        self,
        source: Source,
        settings: Settings,
        batch_size: int,
        concurrency: int,
        timeout: float,
        reporter: Reporter,
    ) -> None:
        self._source = source
        self._batch_size = batch_size
        self._concurrency = concurrency
        self._timeout = timeout
        self._reporter = reporter
        self._host = urlsplit(source.url).netloc
        self._pacing = RateLimit(
            settings.data_dir / "pacing",
            f"{source.name}-{self._host}",
            source.limit,
            settings.max_wait,
            reporter.waiting,
        )
        self._down: UnanswerableError | None = None
        self._down_until = 0.0
        self._failures = 0
        self._rejections = 0
        self._slots = asyncio.Semaphore(concurrency)
        # Twice as many as may be under way: the next request is ready when a slot is free. Where a limit
        # makes the time, one: what is lost with the process is the batch under way.
        self._prepared = 1 if source.limit else 2 * concurrency

    def ask(self, targets: Sequence[str]) -> Iterator[Answers]:
        """Answers batch by batch, as they come. Raises ``UnanswerableError`` when the source is down.

        The first is empty: the first requests are on their way, and there is time to make ready for more.
        """
        if self._down is not None and time.monotonic() < self._down_until:
            raise self._down
        self._down = None
        size = self._batch_size
        batches = deque(targets[begin : begin + size] for begin in range(0, len(targets), size))
        with asyncio.Runner() as runner:
            loop = runner.get_loop()  # run as it is: a Runner's run() looks at signals, which takes its time
            client = Client(self._source.url, self._timeout, self._concurrency)
            self._slots = asyncio.Semaphore(self._concurrency)
            running: _Tasks = set()
            begun = False
            try:
                loop.run_until_complete(self._tell_once())
                while running or (batches and self._down is None):
                    while batches and len(running) < self._prepared and self._down is None:
                        work = self._batch(client, batches.popleft())
                        running.add(loop.create_task(work))
                    if not begun:
                        begun = True
                        loop.run_until_complete(_let_go(_FIRST_ALOFT))
                        yield {}
                    done, running = loop.run_until_complete(_first_of(running))
                    arrived: Answers = {}
                    for task in done:
                        arrived |= task.result()
                    yield arrived
            finally:
                loop.run_until_complete(_end(running, client))
        if self._down is not None:
            raise self._down

    async def _tell_once(self) -> None:
        if self._source.url.startswith("http:") and await self._pacing.first_notice():
            self._reporter.notice(
                f"{self._source.name} is asked over plain HTTP: addresses travel unencrypted to {self._host}"
            )

    async def _batch(self, client: Client, targets: Sequence[str]) -> Answers:
        """Everything that can be found out about a batch, in as many tries as it takes."""
        found: dict[str, Answer] = {}
        left, reason = list(targets), ""
        for attempt in range(TRIES):
            try:
                if attempt:
                    await asyncio.sleep(_BACK_OFF * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
                found |= await self._exchange(client, left)
                self._rejections = 0
            except UnanswerableError as error:  # refused, or there is no time to wait for the limit
                self._give_up(error)
            except FailedError as error:
                reason = str(error)
                if not error.passing or (error.down and attempt == TRIES - 1):
                    self._give_up(self._problem(reason))
            except _RejectedError as error:
                reason = str(error)
                self._rejections += 1
                if self._rejections > _MOST_REJECTIONS:
                    self._give_up(self._problem(reason))
                elif len(left) > 1:  # one bad item is enough for that
                    middle = len(left) // 2
                    first = await self._batch(client, left[:middle])
                    return found | first | await self._batch(client, left[middle:])
                else:  # it is this one, and says nothing about the others
                    self._reporter.problem(self._problem(reason))
                    return {target: found.get(target) for target in targets}
                break
            else:
                left = [target for target in left if target not in found]
                reason = "its answers do not have all that was asked for"
            if not left or self._down is not None:
                break
        if not left:
            self._failures = 0
        elif self._down is None:
            self._failures += 1
            self._reporter.problem(self._problem(reason))
            if self._failures >= _MOST_FAILURES:
                self._give_up(self._problem(reason))
        return {target: found.get(target) for target in targets}

    def _give_up(self, problem: UnanswerableError) -> None:
        self._down, self._down_until = problem, time.monotonic() + _REST

    def _problem(self, reason: str) -> UnanswerableError:
        return UnanswerableError(f"{self._source.name} ({self._host}) could not be asked: {reason}")

    def _refusal(self, status: int) -> UnanswerableError:
        return self._problem(f"it refuses ({status}); look at {self._source.key_setting}")

    async def _exchange(self, client: Client, targets: list[str]) -> dict[str, Answer]:
        """One request. Raises ``FailedError``, ``_RejectedError`` or ``UnanswerableError``."""
        request = await client.request(self._source.parameters, targets)
        async with self._slots:
            if self._down is not None:
                raise self._down
            await self._pacing.enter()
            left, seconds, refused = None, None, False
            try:
                begun = time.monotonic()
                reply = await client.send(request)
                left, seconds = self._limit(reply)
                refused = reply.status == TOO_MANY
                if reply.status in _FORBIDDEN:
                    self._give_up(self._refusal(reply.status))  # before anybody else sends a request
                self._reporter.detail(
                    f"POST {self._host} {len(targets)} addresses: {reply.status} "
                    f"in {time.monotonic() - begun:.3f} s"
                )
            finally:
                await self._pacing.leave(left, seconds, refused=refused)
        await _let_go(_ALOFT)
        return self._understood(reply, targets)

    def _limit(self, reply: Reply) -> tuple[int | None, float | None]:
        """What an answer says about the limit: requests left, and seconds until there are more."""
        wait = _retry_after(reply.headers.get("retry-after"))
        left, seconds = _count(reply.headers.get("x-rl")), _count(reply.headers.get("x-ttl"))
        if reply.status == TOO_MANY:
            documented = self._source.limit.seconds if self._source.limit else 1
            return 0, next(value for value in (wait, seconds, documented) if value is not None)
        if wait is not None:
            return 0, wait
        return left, seconds

    def _understood(self, reply: Reply, targets: list[str]) -> dict[str, Answer]:
        status = reply.status
        if status in _FORBIDDEN:
            raise self._refusal(status)
        if status in {400, 422}:
            raise _RejectedError(f"it rejects the request ({status})")
        if status == TOO_MANY or status >= 500:
            raise FailedError(f"it cannot answer now ({status})")
        if status != 200:
            raise self._problem(f"it answers with status {status}; is its URL right?")
        if not reply.body.strip():
            raise FailedError("its answer is empty", down=False)
        try:
            return self._source.read(json.loads(reply.body), targets)
        except (ValueError, RecursionError):  # MalformedError is one
            raise FailedError("its answer makes no sense", down=False) from None


async def _let_go(rounds: int) -> None:
    """Let the event loop do what is at hand."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def _first_of(tasks: _Tasks) -> tuple[_Tasks, _Tasks]:
    return await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def _end(tasks: _Tasks, client: Client) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _retry_after(text: str | None) -> float | None:
    """Seconds out of a Retry-After header: a number, or a date (RFC 9110)."""
    if text is None:
        return None
    if (seconds := _count(text)) is None:
        try:
            seconds = max(0, ceil(parsedate_to_datetime(text).timestamp() - time.time()))
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, LONGEST)

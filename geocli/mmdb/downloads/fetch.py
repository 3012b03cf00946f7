"""Fetches what a publisher offers: what its server's answers mean, what is tried again, whose error it is."""

from __future__ import annotations

import os
import random
import time
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from geocli.mmdb.downloads.install import Download
from geocli.model.errors import TryAgainError, UsageError
from geocli.system.files import open_private
from geocli.system.http import FailedError, Limits, Reply, Request, fetch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geocli.mmdb.downloads.publishers.base import Offer, Source

LARGEST = 2 << 30
"""Bytes of a database, packed or unpacked. DB-IP's cities have 130,000,000."""

_LARGEST_ANSWER = 1 << 20  # bytes of anything that is no database
_PATIENCE = 60  # silences that a database may take, all tries together: one that drips never ends otherwise
_SLOWEST = 4096  # bytes a second: a database of 10 MB takes 40 minutes then
_TRIES = 3
_BACK_OFF = 1.0  # seconds, doubled with each try
_OK, _NOT_MODIFIED, _TOO_MANY = 200, 304, 429
_FORBIDDEN, _MISSING = {401, 403}, {404, 410}


class _MissingError(Exception):
    """The server has no such file."""


class Fetcher:
    """Fetches for one database. ``silence``: seconds that a server may say nothing."""

    def __init__(self, name: str, silence: float) -> None:
        self._name = name
        self._limits = Limits(silence, silence * _PATIENCE, LARGEST, _SLOWEST)
        self._ends = time.monotonic() + self._limits.total

    def ask(self, source: Source) -> bytes:
        """Something small. Raises ``UsageError`` when the key is refused, ``TryAgainError`` for all else."""
        body = BytesIO()
        try:
            self._get(source, self._limits._replace(size=_LARGEST_ANSWER), {}, body, lambda *_: None)
        except _MissingError:
            raise self.problem(source.url, "it does not know what it is asked for") from None
        return body.getvalue()

    def file(
        self, offer: Offer, before: Download, path: Path, progress: Callable[[int, int | None], None]
    ) -> Download | None:
        """Write what is offered to ``path``; ``None`` when it is what was downloaded ``before``.

        Raises ``UsageError`` when a key is refused or a URL leads nowhere, ``OSError`` when the file cannot
        be written, and ``TryAgainError`` for all else.
        """
        for source in offer.sources:
            headers = {}
            if source.url == before.url:
                known = {"if-none-match": before.etag, "if-modified-since": before.last_modified}
                headers = {name: value for name, value in known.items() if value is not None}
            try:
                with os.fdopen(open_private(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), "wb") as file:
                    reply = self._get(source, self._limits, headers, file, progress)
            except _MissingError:
                if source.url == before.url:  # withdrawn: what follows is older than what is here
                    return None
                continue
            if reply.status == _NOT_MODIFIED:
                return None
            etag, last_modified = reply.headers.get("etag"), reply.headers.get("last-modified")
            return Download(source.url, etag, last_modified, offer.md5)
        problem = self.problem(offer.sources[-1].url, "it has no such file now")
        raise problem if offer.gives else UsageError(str(problem))

    def problem(self, url: str, reason: str) -> TryAgainError:
        """What is said when it is nobody's fault here. What is in place stays in use."""
        return TryAgainError(f"{self._name}: {host_of(url)}: {reason}; nothing was changed")

    def _get(
        self,
        source: Source,
        limits: Limits,
        headers: dict[str, str],
        file: BinaryIO,
        progress: Callable[[int, int | None], None],
    ) -> Reply:
        """A whole answer (200 or 304), in as many tries as it takes."""
        request = Request(source.url, source.parameters, source.account, headers)

        def take(part: bytes, length: int | None) -> None:
            file.write(part)
            progress(file.tell(), length)

        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_BACK_OFF * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
                file.seek(0)
                file.truncate()
            left = max(self._ends - time.monotonic(), 1)
            try:
                reply = fetch(request, limits._replace(total=left), take)
            except FailedError as error:
                reason, passing = str(error), error.passing and error.down
            else:
                status = reply.status
                if status == _OK or (status == _NOT_MODIFIED and headers):
                    return reply
                reason, passing = self._reason(source, reply), status >= 500
            if not passing or time.monotonic() > self._ends:
                break
        raise self.problem(source.url, reason)

    def _reason(self, source: Source, reply: Reply) -> str:
        """What an answer that is no file means."""
        status = reply.status
        if status in _MISSING:
            raise _MissingError
        if status in _FORBIDDEN and source.key_setting is not None:
            host = host_of(source.url)
            raise UsageError(f"{self._name}: {host} refuses the key ({status}); look at {source.key_setting}")
        if status == _TOO_MANY:
            wait = reply.headers.get("retry-after", "")
            hint = f" for {wait} s" if wait.isascii() and wait.isdigit() and len(wait) < 9 else ""
            return f"it takes no more requests{hint} (429)"
        return f"it answers {status}"


def host_of(url: str) -> str:
    """The part of a URL that may be shown."""
    return urlsplit(url).netloc.rpartition("@")[2]

"""One request and its answer over HTTP, bounded in time and size. The only module that imports httpx."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from typing import TYPE_CHECKING, NamedTuple

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # httpx's own command line: 50 ms

import httpx  # noqa: E402 (after the line above)

from geocli import __version__  # noqa: E402 (the same)
from geocli.errors import UsageError  # noqa: E402 (the same)

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_BODY = 8 << 20
"""Bytes. A full batch of any source is a few hundred kilobytes."""

_PATIENCE = 3  # timeouts that a whole request may take: a body that drips never ends otherwise


class Reply(NamedTuple):
    """What came back. ``headers`` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FailedError(Exception):
    """No answer, or none that can be used.

    ``passing``: asking again soon may help. ``down``: it is the source, not this answer.
    """

    def __init__(self, reason: str, *, passing: bool = True, down: bool = True) -> None:
        super().__init__(reason)
        self.passing = passing
        self.down = down


class Client:
    """Sends JSON, takes what comes. Proxies and certificates are those of the usual environment variables."""

    def __init__(self, url: str, timeout: float, connections: int) -> None:
        self._url = url
        self._deadline = timeout * _PATIENCE
        self._timeout = timeout
        try:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(timeout),
                # Without TLS there is nothing to verify, and reading the certificates takes 50 ms.
                verify=url.startswith("https:"),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                # Not compressed: a few kilobytes must not become gigabytes.
                headers={"user-agent": f"geocli/{__version__}", "accept-encoding": "identity"},
            )
        except (ValueError, httpx.InvalidURL, ImportError, OSError) as error:
            raise UsageError(f"the environment's proxy or certificate settings are wrong: {error}") from None

    async def post(self, parameters: Mapping[str, str], targets: object) -> Reply:
        """POST ``targets`` as JSON. Raises ``FailedError`` without the URL in it: that may hold a key."""
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._client.stream("POST", self._url, params=parameters, json=targets) as response,
            ):
                return Reply(response.status_code, dict(response.headers), await _body(response))
        except TimeoutError:
            raise FailedError(f"no complete answer within {self._deadline:g} s") from None
        except httpx.ConnectTimeout:
            raise FailedError(f"no connection within {self._timeout:g} s") from None
        except httpx.TimeoutException:
            raise FailedError(f"no answer within {self._timeout:g} s") from None
        except httpx.ConnectError as error:
            raise _unconnected(error) from None
        except httpx.ProxyError:
            raise FailedError("the proxy refused") from None
        except httpx.TransportError:
            raise FailedError("the connection broke") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            raise FailedError(f"the request failed ({type(error).__name__})", passing=False) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FailedError("its answer is compressed, which nobody asked for", down=False)
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > LARGEST_BODY:
            raise FailedError("its answer is far too long", down=False)
        parts.append(part)
    return b"".join(parts)


def _unconnected(error: Exception) -> FailedError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return FailedError(f"TLS: {cause.reason or 'failed'}", passing=False)
        if isinstance(cause, socket.gaierror):
            return FailedError("its name cannot be resolved")
        if isinstance(cause, OSError) and cause.errno:
            return FailedError(os.strerror(cause.errno).lower())
        cause = cause.__cause__ or cause.__context__
    return FailedError("connection failed")

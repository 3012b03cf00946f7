"""HTTP: batches sent and answers taken, files fetched. The only module that imports httpx.

Everything is bounded in time and size, nothing is compressed on the way, and no error shows a URL: that may
hold a key. A key that belongs to one server is not sent to another.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

# What httpx imports where it is installed, for nothing: its command line (50 ms), another event loop (70 ms).
for _unused in ("httpx._main", "trio"):
    # None says "cannot be imported" (importlib's rule), which the type of sys.modules does not know.
    sys.modules.setdefault(_unused, None)  # type: ignore[arg-type]

import httpx  # noqa: E402 (after the lines above)

from geocli import __version__  # noqa: E402 (the same)
from geocli.model.errors import UsageError  # noqa: E402 (the same)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

LARGEST_BODY = 8 << 20
"""Bytes. A full batch of any source is a few hundred kilobytes."""

_OK = 200
_MOST_REDIRECTS = 5
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


class Request(NamedTuple):
    """What to fetch. ``parameters`` (of the URL's query) and ``credentials`` (HTTP basic) may be secret."""

    url: str
    parameters: Mapping[str, str] = MappingProxyType({})
    credentials: tuple[str, str] | None = None
    headers: Mapping[str, str] = MappingProxyType({})


class Limits(NamedTuple):
    """Seconds that a server may be silent, seconds for all of a file, bytes of it."""

    silence: float
    total: float
    size: int


class Client:
    """Sends JSON, takes what comes. Proxies and certificates are those of the usual environment variables."""

    def __init__(self, url: str, timeout: float, connections: int) -> None:
        self._url = url
        self._timeout = timeout
        self._client = _client(timeout, connections, verify=url.startswith("https:"))

    async def request(self, parameters: Mapping[str, str], targets: object) -> httpx.Request:
        """A POST of ``targets`` as JSON, ready to be sent. Raises ``FailedError``."""
        async with _translated(self._timeout, self._timeout):
            return self._client.build_request("POST", self._url, params=parameters, json=targets)

    async def send(self, request: httpx.Request) -> Reply:
        """What comes back. Raises ``FailedError``."""
        async with _translated(self._timeout, self._timeout * _PATIENCE):
            response = await self._client.send(request, stream=True)
            try:
                return Reply(response.status_code, dict(response.headers), await _body(response))
            finally:
                await response.aclose()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def fetch(
    request: Request,
    limits: Limits,
    take: Callable[[bytes, int | None], object] | None = None,
) -> Reply:
    """GET something, and follow where it leads.

    ``take`` gets the content of a 200, piece by piece, with the length that was announced (bytes; ``None``:
    none was); else the reply has it, up to ``LARGEST_BODY``. Raises ``FailedError``, also when less comes
    than was announced.
    """
    return asyncio.run(_fetch(request, limits, take))


async def _fetch(
    request: Request, limits: Limits, take: Callable[[bytes, int | None], object] | None
) -> Reply:
    url = _parsed(request.url).copy_merge_params(dict(request.parameters))
    home = url
    async with _translated(limits.silence, limits.total):
        for _ in range(_MOST_REDIRECTS + 1):
            # Whoever the way leads to gets the key only when it is the server that it is for.
            auth = request.credentials if _origin(url) == _origin(home) else None
            async with (
                _client(limits.silence, 1, verify=url.scheme == "https") as client,
                client.stream("GET", url, headers=dict(request.headers), auth=auth) as response,
            ):
                if not response.has_redirect_location:
                    return await _reply(response, limits, take)
                there = url.join(_parsed(response.headers["location"]))
            if there.scheme not in {"http", "https"} or (there.scheme == "http" and url.scheme == "https"):
                raise FailedError("it leads on to a place without TLS", passing=False)
            if there.userinfo:
                raise FailedError("it leads on with somebody's password", passing=False)
            url = there
    raise FailedError(f"it leads on more than {_MOST_REDIRECTS} times", passing=False)


async def _reply(
    response: httpx.Response, limits: Limits, take: Callable[[bytes, int | None], object] | None
) -> Reply:
    if take is None or response.status_code != _OK:
        body = await _body(response)
    else:
        body = b""
        # As it comes, also where a server says of a .gz file that it is "encoded".
        await _receive(response, limits.size, take)
    return Reply(response.status_code, dict(response.headers), body)


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise FailedError("it leads nowhere: that is no URL", passing=False) from None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _client(timeout: float, connections: int, *, verify: bool) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(timeout),
            verify=verify,  # without TLS there is nothing to, and reading the certificates takes 50 ms
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            # Not compressed: a few kilobytes must not become gigabytes.
            headers={"user-agent": f"geocli/{__version__}", "accept-encoding": "identity"},
        )
    except (ValueError, httpx.InvalidURL, ImportError, OSError) as error:
        raise UsageError(f"the environment's proxy or certificate settings are wrong: {error}") from None


@asynccontextmanager
async def _translated(silence: float, total: float) -> AsyncIterator[None]:
    """Let out what goes wrong as ``FailedError``, and end it all after ``total`` seconds."""
    try:
        async with asyncio.timeout(total):
            yield
    except TimeoutError:
        raise FailedError(f"no complete answer within {total:g} s") from None
    except httpx.ConnectTimeout:
        raise FailedError(f"no connection within {silence:g} s") from None
    except httpx.TimeoutException:
        raise FailedError(f"no answer within {silence:g} s") from None
    except httpx.ConnectError as error:
        raise _unconnected(error) from None
    except httpx.ProxyError:
        raise FailedError("the proxy refused") from None
    except httpx.TransportError:
        raise FailedError("the connection broke") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        raise FailedError(f"the request failed ({type(error).__name__})", passing=False) from None


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FailedError("its answer is compressed, which nobody asked for", down=False)
    parts: list[bytes] = []
    await _receive(response, LARGEST_BODY, lambda part, _: parts.append(part))
    return b"".join(parts)


async def _receive(
    response: httpx.Response, largest: int, take: Callable[[bytes, int | None], object]
) -> None:
    announced = response.headers.get("content-length", "")
    length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if max(size, length or 0) > largest:
            raise FailedError("its answer is far too long", down=False)
        take(part, length)


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

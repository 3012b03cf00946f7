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
import time
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import getproxies  # httpx asks it too

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
_LARGEST_PORT = 65535
_PROXIES = ("http", "https", "all")
_FAILURES = (
    *(httpx.HTTPError, httpx.InvalidURL, httpx.StreamError),
    # What comes through httpx as it is: of names and ports that cannot be, and of several tries to connect.
    *(ValueError, ArithmeticError, LookupError, ExceptionGroup),
)
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
    """Seconds that a server may be silent, seconds for all of a file, bytes of it.

    ``slowest``: bytes a second that it has to send on average, once it took ``silence`` seconds.
    """

    silence: float
    total: float
    size: int
    slowest: float = 0


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
        await _receive(response, limits, take)
    return Reply(response.status_code, dict(response.headers), body)


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        parsed = httpx.URL()
    if not _has_port(parsed) or not url:
        raise FailedError("it leads nowhere: that is no URL", passing=False)
    return parsed


def _has_port(url: httpx.URL) -> bool:
    """Whether the port can be one: httpx takes any number, and the system's resolver fails over it."""
    return url.port is None or 0 < url.port <= _LARGEST_PORT


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _client(timeout: float, connections: int, *, verify: bool) -> httpx.AsyncClient:
    _check_environment()
    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(timeout),
            verify=verify,  # without TLS there is nothing to, and reading the certificates takes 50 ms
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            # Not compressed: a few kilobytes must not become gigabytes.
            headers={"user-agent": f"geocli/{__version__}", "accept-encoding": "identity"},
        )
    except ImportError:
        raise UsageError("a SOCKS proxy needs one more package: pip install 'httpx[socks]'") from None
    except (ValueError, httpx.InvalidURL):  # what they say may be a piece of a password
        raise UsageError("the environment's proxy settings (HTTPS_PROXY and so on) cannot be used") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {reason}") from None


def _check_environment() -> None:
    """See that each proxy is the URL of one. Raises ``UsageError``, which shows none of a password in it."""
    for kind, value in getproxies().items():
        if kind not in _PROXIES:
            continue
        try:
            url = httpx.URL(value if "://" in value else f"http://{value}")
            right = _has_port(url) and url.scheme in {"http", "https", "socks5", "socks5h"} and bool(url.host)
        except (httpx.InvalidURL, ValueError):
            right = False
        if value and not right:
            raise UsageError(
                f"{kind}_proxy in the environment is no URL of a proxy: write http://user:password@host:port,"
                " and in a password @ as %40, : as %3A, / as %2F and # as %23"
            )


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
    except _FAILURES as error:
        raise FailedError(f"the request failed ({type(error).__name__})", passing=False) from None


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FailedError("its answer is compressed, which nobody asked for", down=False)
    parts: list[bytes] = []
    await _receive(response, Limits(0, 0, LARGEST_BODY), lambda part, _: parts.append(part))
    return b"".join(parts)


async def _receive(
    response: httpx.Response, limits: Limits, take: Callable[[bytes, int | None], object]
) -> None:
    announced = response.headers.get("content-length", "")
    length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None
    size, begun = 0, time.monotonic()
    async for part in response.aiter_raw():
        size += len(part)
        if max(size, length or 0) > limits.size:
            raise FailedError("its answer is far too long", down=False)
        seconds = time.monotonic() - begun
        if seconds > limits.silence and size < limits.slowest * seconds:
            raise FailedError(f"it sends too slowly: {size} bytes in {seconds:.0f} s", passing=False)
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

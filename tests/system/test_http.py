"""Downloads: bounded, redirected with care, and with keys for those alone whom they are for."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from geocli.mmdb.downloads import fetch as downloads
from geocli.mmdb.downloads.install import Download
from geocli.mmdb.downloads.publishers.base import Offer, Source
from geocli.model.errors import TryAgainError, UsageError
from geocli.system.http import FailedError, Limits, Reply, Request, fetch
from tests.providers.online.servers import RawServer, http
from tests.support.waiting import PATIENCE

LIMITS = Limits(2, 5, 1_000_000)
SECRET = "s3cr3t-key"  # noqa: S105 (the tests' own)


def got(server: RawServer, **wanted: Any) -> Reply:
    return fetch(Request(server.url, **wanted), LIMITS)


def taken(server: RawServer, limits: Limits = LIMITS) -> bytes:
    """The file that a server has, as it came."""
    parts: list[bytes] = []
    assert fetch(Request(server.url), limits, lambda part, _: parts.append(part)).body == b""
    return b"".join(parts)


def failure(server: RawServer, limits: Limits = LIMITS) -> FailedError:
    request = Request(f"{server.url}?key={SECRET}", {"token": SECRET}, ("me", SECRET))
    with pytest.raises(FailedError) as caught:
        fetch(request, limits, lambda *_: None)
    assert SECRET not in str(caught.value)
    assert "://" not in str(caught.value)
    return caught.value


def to(location: str, status: int = 302) -> bytes:
    return http(status, b"moved", {"Location": location})


def test_a_file_comes_in_parts_with_its_length() -> None:
    body = bytes(300_000)
    parts: list[bytes] = []
    lengths: set[int | None] = set()

    def take(part: bytes, length: int | None) -> None:
        parts.append(part)
        lengths.add(length)

    with RawServer(lambda *_: http(200, body)) as server:
        reply = fetch(Request(server.url), LIMITS, take)
    assert (reply.status, reply.body) == (200, b"")
    assert b"".join(parts) == body
    assert len(parts) > 1
    assert lengths == {300_000}


@pytest.mark.parametrize("status", [404, 500, 304, 204])
def test_the_body_of_any_other_answer_is_no_part_of_the_file(status: int) -> None:
    page = b"" if status < 400 else b"an error page"
    parts: list[bytes] = []
    with RawServer(lambda *_: http(status, page)) as server:
        reply = fetch(Request(server.url), LIMITS, lambda part, _: parts.append(part))
    assert (reply.status, reply.body, parts) == (status, page, [])


def test_a_compressed_body_stays_compressed() -> None:
    with RawServer(lambda *_: http(200, b"\x1f\x8b-packed", {"Content-Encoding": "gzip"})) as server:
        assert taken(server) == b"\x1f\x8b-packed"
        assert "accept-encoding: identity" in server.heads[0].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    with RawServer(lambda number, _: to("/there", status) if number < 5 else http(200, b"file")) as server:
        assert got(server).body == b"file"
        assert server.heads[-1].startswith("GET /there ")


def test_a_redirect_again_and_again_is_given_up() -> None:
    with RawServer(lambda *_: to("/there")) as server:
        assert "more than 5 times" in str(failure(server))
        assert len(server.heads) == 6


@pytest.mark.parametrize(
    "location",
    [
        *("ftp://host/x", "file:///etc/passwd", "javascript:x", "http://u:p@127.0.0.1:9/"),
        *("http://127.0.0.1:99999/x", "http://127.0.0.1:65536/", "http://127.0.0.1:0/"),
        *("http://127.0.0.1:-1/", "http://xn--/", "http://[::1]:99999/"),
    ],
)
def test_a_redirect_to_what_is_no_place_is_given_up(location: str) -> None:
    with RawServer(lambda *_: to(location)) as server:
        assert not failure(server).passing
        assert len(server.heads) == 1


def test_keys_are_sent_to_the_first_host_alone() -> None:
    with ExitStack() as stack:
        other = stack.enter_context(RawServer(lambda *_: http(200, b"file")))
        first = stack.enter_context(
            RawServer(lambda number, _: to("/again") if number == 0 else to(f"{other.url}?signature=x"))
        )
        reply = fetch(Request(first.url, {"token": SECRET}, ("me", SECRET), {"if-none-match": '"x"'}), LIMITS)
        assert reply.body == b"file"
        assert all("authorization: basic " in head.lower() for head in first.heads)
        assert f"token={SECRET}" in first.heads[0]
        assert f"token={SECRET}" not in first.heads[1]
        (head,) = other.heads
        assert "authorization" not in head.lower()
        assert SECRET not in head
        assert "referer" not in head.lower()
        assert "cookie" not in head.lower()
        assert 'if-none-match: "x"' in head.lower()


def test_the_same_host_on_another_port_is_another_one() -> None:
    with RawServer(lambda *_: http(200, b"file")) as other:
        port = other.host.rpartition(":")[2]
        with RawServer(lambda *_: to(f"http://127.0.0.1:{port}/")) as first:
            got(first, credentials=("me", SECRET))
        assert "authorization" not in other.heads[0].lower()


def test_https_is_never_left_for_plain_http(
    monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    authority, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with (
        RawServer(lambda *_: http(200, b"file")) as plain,
        RawServer(lambda *_: to(plain.url), context) as server,
    ):
        assert "without TLS" in str(failure(server))
        assert plain.heads == []


PROXIES = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize(
    "proxy",
    [
        *(f"http://user:{SECRET}@host:99999", f"http://user:{SECRET}@host:65536/", f"user:{SECRET}"),
        *(f"http://user:pa/{SECRET}@host:1", f"http://user:pa@{SECRET}:PSE/", f"http://user:{SECRET}#x@h:1"),
        *(f"gopher://user:{SECRET}@host", f"http://:{SECRET}@", f"http://h:-{SECRET}"),
    ],
)
def test_a_proxy_that_cannot_be_one_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    for other in PROXIES:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, proxy)
    with pytest.raises(UsageError) as refused:
        fetch(Request("http://192.0.2.1/"), LIMITS)
    assert str(refused.value).startswith(f"{name.lower()} in the environment is no URL of a proxy: ")
    assert not any(part in str(refused.value) for part in (SECRET, "s3cr3t", "PSE", "pa/"))


def test_certificates_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        fetch(Request("https://192.0.2.1/"), LIMITS)


@contextmanager
def dripping(size: int, pause: float) -> Iterator[tuple[str, list[int]]]:
    """A server that sends so many bytes, then pauses, for ever; its URL, and who asked."""
    asked: list[int] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while True:
                connection.sendall(bytes(size))
                time.sleep(pause)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                asked.append(1)
                threading.Thread(target=answer, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file.mmdb", asked


def test_a_server_that_drips_a_file_is_given_up() -> None:
    with dripping(10, 0.05) as (url, _), pytest.raises(FailedError, match="it sends too slowly") as given_up:
        fetch(Request(url), Limits(0.3, 60, 1 << 30, slowest=4096), lambda *_: None)
    assert not given_up.value.passing


def test_all_tries_together_have_one_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(downloads, "_PATIENCE", 2)
    with dripping(10_000, 0.01) as (url, asked):
        fetcher = downloads.Fetcher("name", 0.5)
        with pytest.raises(TryAgainError, match="no complete answer within 1 s"):
            fetcher.file(Offer((Source(url),), (), ""), Download(), tmp_path / "file", lambda *_: None)
    assert asked == [1]


def test_what_is_too_large_is_refused_whether_or_not_it_says_so() -> None:
    with RawServer(lambda *_: http(200, bytes(2000))) as server:
        assert "far too long" in str(failure(server, LIMITS._replace(size=1999)))
        assert taken(server, LIMITS._replace(size=2000)) == bytes(2000)
    with RawServer(lambda *_: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(2000)) as server:
        assert "far too long" in str(failure(server, LIMITS._replace(size=1999)))


def test_a_server_that_drips_its_head_is_given_up() -> None:
    over = threading.Event()

    def say(*_: object) -> bytes:
        over.wait(10 * PATIENCE)
        return b""

    with RawServer(say) as server:
        begun = time.monotonic()
        assert "no complete answer within 0.5 s" in str(failure(server, Limits(5, 0.5, 1000)))
        assert "no answer within 0.3 s" in str(failure(server, Limits(0.3, 5, 1000)))
        assert time.monotonic() - begun < PATIENCE
        over.set()

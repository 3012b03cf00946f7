"""Between geocli and a source: proxies, redirects, TLS, what -v shows."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from geocli.providers.online import client
from tests.providers.online.conftest import Here
from tests.providers.online.servers import (
    KNOWN,
    SOURCES,
    CountryIs,
    Fault,
    IpApi,
    Ipinfo,
    RawServer,
    environment,
    http,
    ip_api_items,
)
from tests.support.targets import addresses


@contextmanager
def proxy(first_lines: list[str]) -> Iterator[str]:
    """A proxy for plain HTTP: connects to whom the request line names and copies both ways."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def copy(source: socket.socket, sink: socket.socket) -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    head = client.recv(65536)
                    line = head.partition(b"\r\n")[0].decode()
                    first_lines.append(line)
                    match = re.search(r"http://([\d.]+):(\d+)", line)
                    assert match is not None
                    upstream = socket.create_connection((match[1], int(match[2])))
                    upstream.sendall(head.replace(match[0].encode(), b"", 1))
                    for pair in ((client, upstream), (upstream, client)):
                        threading.Thread(target=copy, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_a_proxy_is_used(here: Here, variable: str) -> None:
    lines: list[str] = []
    with IpApi(limit=None) as server, proxy(lines) as url:
        done = here("-p", "ip-api", "-j", "8.8.8.8", environment=environment(server) | {variable: url})
        assert (done.code, done.statuses) == (0, ["ok"])
        assert len(server.requests) == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"POST {server.url}?fields=")


def test_no_proxy_goes_round_it(here: Here) -> None:
    lines: list[str] = []
    with IpApi(limit=None) as server, proxy(lines) as url:
        where = environment(server) | {"http_proxy": url, "no_proxy": "127.0.0.1"}
        assert here("-p", "ip-api", "8.8.8.8", environment=where).code == 0
    assert lines == []


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:1",
        "127.0.0.1:1",
        "http://user:S3CR3T@127.0.0.1:1",
        "ftp://user:S3CR3T@127.0.0.1:1",
        "socks5://user:S3CR3T@127.0.0.1:1",
        "https://127.0.0.1:1",
        "http://127.0.0.1:port",
        "http://[::1",
        ":::",
        "nonsense",
        "\x1b[2J",
        "http://" + "a" * 300,
    ],
)
def test_a_broken_proxy_is_one_line(here: Here, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    genuine = socket.getaddrinfo

    def local_only(name: str | bytes | None, *arguments: object, **options: object) -> object:
        if name in {"127.0.0.1", b"127.0.0.1"}:
            return genuine(name, *arguments, **options)  # type: ignore[arg-type]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    with IpApi(limit=None) as server:
        done = here("-p", "ip-api", "8.8.8.8", environment=environment(server) | {"HTTP_PROXY": value})
        assert server.requests == []
    assert done.code in {2, 3}
    assert len(done.complaints) == 1
    assert "S3CR3T" not in done.err


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(here: Here, status: int) -> None:
    with (
        IpApi(limit=None) as elsewhere,
        RawServer(lambda _number, _targets: http(status, b"", {"Location": elsewhere.url})) as server,
    ):
        done = here("-p", "ip-api", "-j", "8.8.8.8", environment={"GEOCLI_IP_API_URL": server.url})
        assert elsewhere.requests == []
        assert len(server.times) == 1
    assert (done.code, done.statuses) == (3, ["error"])
    assert len(done.complaints) == 1
    assert str(status) in done.complaints[0]


def test_no_name_of_this_host_is_sent(here: Here) -> None:
    def say(_number: int, targets: list[str]) -> bytes:
        return http(200, ip_api_items(targets))

    with RawServer(say) as server:
        where = {"GEOCLI_IP_API_URL": server.url, "GEOCLI_IP_API_BATCH_SIZE": "1"}
        assert here("-p", "ip-api", targets=addresses(3), environment=where).code == 0
        heads = "".join(server.heads).lower()
    assert "referer" not in heads
    assert socket.gethostname().lower() not in heads.replace("127.0.0.1", "")
    assert heads.count("user-agent: geocli/") == 3


# --- TLS ----------------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused(
    here: Here, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    def say(_number: int, targets: list[str]) -> bytes:
        return http(200, ip_api_items(targets))

    with RawServer(say, certificate[1]) as server:
        where = {"GEOCLI_IP_API_URL": server.url}
        done = here("-p", "ip-api", "-j", "8.8.8.8", environment=where)
        assert server.times == []
        assert (done.code, done.statuses) == (3, ["error"])
        assert len(done.complaints) == 1
        assert "TLS" in done.complaints[0]
        behind = here("-p", "ip-api,mmdb", "-j", "8.8.8.8", environment=where)
        assert (behind.code, behind.statuses) == (0, ["ok"])
        # The usual variable makes it known; then there is nothing to say about plain HTTP either.
        known = here(
            "-p", "ip-api", "-j", "1.1.1.1", environment=where | {"SSL_CERT_FILE": str(certificate[0])}
        )
        assert (known.code, known.statuses, known.err) == (0, ["ok"], "")


def test_https_to_a_server_that_speaks_http_is_one_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TRIES", 1)
    with CountryIs() as server:
        url = server.url.replace("http:", "https:")
        where = {"GEOCLI_COUNTRY_IS_URL": url}
        done = here("-p", "country-is", "--timeout", "1s", "8.8.8.8", environment=where)
    assert done.code == 3
    assert len(done.complaints) == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_one_line(
    here: Here, tmp_path: Path, certificate: tuple[Path, ssl.SSLContext], variable: str
) -> None:
    with RawServer(lambda _number, _targets: http(200, []), certificate[1]) as server:
        where = {"GEOCLI_COUNTRY_IS_URL": server.url, variable: str(tmp_path / "not there")}
        done = here("-p", "country-is", "8.8.8.8", environment=where)
        assert server.times == []
    assert done.code in {2, 3}
    assert len(done.complaints) == 1


# --- -v -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_verbose_shows_requests(here: Here, name: str) -> None:
    with SOURCES[name](limit=None) as server:
        done = here("-v", "-p", name, "-j", targets=KNOWN, environment=environment(server))
    host = re.escape(server.origin.removeprefix("http://"))
    shown = [line for line in done.complaints if "POST" in line]
    assert len(shown) == 1
    assert re.fullmatch(rf"geocli: POST {host} 4 addresses: 200 in \d+\.\d+ s", shown[0])
    assert "POST" not in done.out


def test_without_verbose_nothing_is_shown(here: Here) -> None:
    with Ipinfo() as server:
        server.fail_next(Fault.SERVER_ERROR)
        done = here("-p", "ipinfo", "-j", targets=KNOWN, environment=environment(server))
    assert done.complaints == []


@pytest.mark.parametrize("text", ["0", "0s", "2h", "-1", "soon", "1.5", ""])
def test_a_timeout_that_is_none_is_a_usage_error(here: Here, text: str) -> None:
    done = here("-p", "ip-api", "--timeout", text, "8.8.8.8")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "--timeout" in done.complaints[0]

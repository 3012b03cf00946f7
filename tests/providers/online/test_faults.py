"""Whatever a source does: no traceback, little memory, one line for a cause, nothing wrong kept."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from geocli.model.records import MAX_TEXT
from geocli.providers.online import client
from tests.conftest import Geocli
from tests.providers.online.conftest import Here
from tests.providers.online.servers import (
    KNOWN,
    SOURCES,
    Emulator,
    Fault,
    IpApi,
    RawServer,
    environment,
    http,
    ip_api_items,
    name_of,
)
from tests.support.targets import addresses
from tests.support.waiting import PATIENCE

HARMLESS = {Fault.DELAY, Fault.HUGE_VALUES, Fault.CONTROL_CHARACTERS}
LIMITING = {Fault.TOO_MANY, Fault.UNAVAILABLE}
PASSING = [fault for fault in Fault if fault not in {*LIMITING, Fault.REDIRECT}]


@pytest.fixture(params=SOURCES)
def server(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with SOURCES[request.param](limit=None) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole request may take 0.3 of a timeout, which is a second at least."""
    monkeypatch.setattr("geocli.system.http._PATIENCE", 0.3)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_a_fault_that_stays_is_told_once_and_stores_nothing(
    here: Here, server: Emulator, fault: Fault
) -> None:
    name, where = name_of(server), environment(server)
    server.fail_next(fault, times=None, delay=0.05)
    arguments = ["-p", name, "-j", "--timeout", "1s"] + (["--max-wait", "0"] if fault in LIMITING else [])
    done = here(*arguments, targets=KNOWN, environment=where)
    assert [record["ip"] for record in done.records] == KNOWN
    assert len(server.requests) <= 3
    if fault in HARMLESS or (fault, name) == (Fault.TOO_FEW, "country-is"):  # there, left out is unknown
        assert (done.code, done.complaints) == (0, [])
        assert "error" not in done.statuses
        return
    assert done.code == 3
    assert len(done.complaints) == 1, done.err
    assert name in done.complaints[0]
    assert "error" in done.statuses
    if fault is not Fault.TOO_FEW:
        assert set(done.statuses) == {"error"}
    failed = [record["ip"] for record in done.records if record["status"] == "error"]
    for record in done.records:
        if record["status"] == "error":
            assert {value for key, value in record.items() if key not in {"ip", "status"}} == {None}

    if name == "ip-api":
        behind = here(*arguments[:1], f"{name},mmdb", *arguments[2:], targets=KNOWN, environment=where)
        assert behind.code == 0
        assert behind.statuses == ["ok"] * len(KNOWN)
        assert {record["source"].partition(":")[0] for record in behind.records} <= {"mmdb", name}
        assert len(behind.complaints) == 1

    server.recover()
    if fault in LIMITING:
        shutil.rmtree(here.data_dir / "pacing")  # as if the time had come
    before = len(server.requests)
    after = here("-p", name, "-j", targets=KNOWN, environment=where)
    assert (after.code, after.complaints, after.statuses) == (0, [], ["ok"] * len(KNOWN))
    asked = [target for request in server.requests[before:] for target in request.targets]
    assert sorted(asked) == sorted(failed)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name)
def test_a_fault_that_passes_is_not_even_mentioned(here: Here, server: Emulator, fault: Fault) -> None:
    server.fail_next(fault, delay=0.05)
    done = here(
        "-p", name_of(server), "-j", "--timeout", "1s", targets=KNOWN, environment=environment(server)
    )
    assert (done.code, done.complaints) == (0, [])
    assert {record["ip"]: record["status"] for record in done.records} == {
        target: "unknown"
        if fault is Fault.TOO_FEW and index % 2 == 0 and name_of(server) == "country-is"
        else "ok"
        for index, target in enumerate(KNOWN)
    }
    assert len(server.requests) <= 2


def test_what_a_hostile_source_says_is_cut_and_shown_escaped(here: Here, server: Emulator) -> None:
    name, where = name_of(server), environment(server)
    server.fail_next(Fault.HUGE_VALUES)
    done = here("-p", name, "-j", "--no-cache", targets=KNOWN, environment=where)
    first, *others = done.records
    assert len(first["org"]) == MAX_TEXT
    assert first["org"].endswith("x…")
    assert all(other["org"] for other in others)
    server.fail_next(Fault.CONTROL_CHARACTERS)
    done = here("-p", name, "-j", "--no-cache", targets=KNOWN, environment=where)
    for record in done.records:
        assert record["country_code"] is None
        assert "<script>" not in json.dumps(record)
        assert all(value.isprintable() for value in record.values() if isinstance(value, str))
        assert "\\u2066" in record["org"]
    server.fail_next(Fault.CONTROL_CHARACTERS)
    raw = here("-p", name, "--tsv", "--no-cache", targets=KNOWN, environment=where).out
    assert all(line.replace("\t", "").isprintable() for line in raw.splitlines())
    assert len(raw.splitlines()) == 1 + len(KNOWN)


MEMORY = (
    "import sys; from geocli.cli.app import run; "
    "from geocli.providers.online import client; client._BACK_OFF = 0;"
    "code = run(sys.argv[1:]);"
    "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr);"
    "sys.exit(code)"
)


def memory(geocli: Geocli, *arguments: str) -> tuple[int, int]:
    """Exit code and most memory, in megabytes, of a process that runs this command line."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments],
        env=geocli.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, int(done.stderr.splitlines()[-1]) // 1024


@pytest.mark.parametrize(
    "fault",
    [Fault.OVERSIZED, Fault.ENDLESS, Fault.DEEP, Fault.HUGE_VALUES],
    ids=lambda fault: fault.name,
)
def test_memory_is_bounded_whatever_the_size(data_dir: Path, fault: Fault) -> None:
    with IpApi(limit=None) as server:
        server.fail_next(fault, times=None)
        code, most = memory(Geocli(data_dir, environment(server)), "-p", "ip-api", *KNOWN)
    assert code == (0 if fault in HARMLESS else 3)
    assert most < 120, f"{most} MB"


def test_memory_is_bounded_for_json_that_is_as_dense_as_can_be(data_dir: Path) -> None:
    """Each pair of brackets becomes an object of 64 bytes: the longest answer that is read, 200 MB."""
    body = b"[" + b"[]," * (7_900_000 // 3) + b"[]]"
    with RawServer(lambda number, _targets: http(404 if number else 200, body)) as server:
        code, most = memory(Geocli(data_dir, {"GEOCLI_IP_API_URL": server.url}), "-p", "ip-api", "8.8.8.8")
    assert code == 3
    assert most < 400, f"{most} MB"


ODD_ANSWERS = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "binary": bytes(range(256)) * 40,
    "endless header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 2_000_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 100_000,
    "no such status": b"HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\n[]",
    "informational for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[]",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
    "huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n[]",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
    "header without colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n[]",
    "header with escapes": b"HTTP/1.1 200 \x1b[2J\r\nX-Rl: \x1b[31m\r\nContent-Length: 2\r\n\r\n{}",
    "redirect to nowhere": b"HTTP/1.1 301 Moved\r\nLocation: \x1b\r\nContent-Length: 0\r\n\r\n",
    "brotli": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n[]",
    "text of a portal": http(200, b"<html>please log in</html>"),
    "UTF-16": http(200, "[]".encode("utf-16")),
    "a byte order mark": http(200, b"\xef\xbb\xbf[]"),
    "null": http(200, None),
    "text": http(200, "x"),
    "NaN": http(200, b"[NaN]"),
    "nulls": http(200, [None] * 4),
    "teapot": http(418),
    "too large": http(413),
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_what_is_hardly_http_is_one_line(here: Here, answer: bytes) -> None:
    with RawServer(lambda _number, _targets: answer) as server:
        done = here(
            *("-p", "ip-api", "-j", "--timeout", "1s"),
            targets=KNOWN,
            environment={"GEOCLI_IP_API_URL": server.url},
        )
        assert len(server.times) <= 3
    assert done.code == 3
    assert done.statuses == ["error"] * len(KNOWN)
    assert len(done.complaints) == 1
    assert re.fullmatch(r"geocli: ip-api \(127\.0\.0\.1:\d+\) could not be asked: .+", done.complaints[0])


def test_a_source_that_answers_nonsense_is_left_alone_soon(here: Here) -> None:
    """Three batches that fail are enough: not three tries for each of thirty."""
    with IpApi(limit=None) as server:
        server.fail_next(Fault.GARBAGE, times=None)
        done = here("-p", "ip-api", "-j", targets=addresses(3000), environment=environment(server))
    assert done.statuses == ["error"] * 3000
    assert len(done.complaints) == 1
    assert len(server.requests) <= 4 * 3  # three that failed, and who had begun meanwhile


def test_a_source_that_is_down_is_tried_three_times_in_all(here: Here, server: Emulator) -> None:
    server.fail_next(Fault.SERVER_ERROR, times=None)
    done = here("-p", name_of(server), "-j", targets=addresses(700), environment=environment(server))
    assert (done.code, len(done.complaints)) == (3, 1)
    assert "500" in done.complaints[0]
    # One batch is enough to see it; no more than a second one had begun.
    assert len(server.requests) <= 2 * 3


def test_back_off_doubles_and_is_not_the_same_for_everybody(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_BACK_OFF", 0.2)
    waits = []
    with IpApi(limit=None) as server:
        server.fail_next(Fault.SERVER_ERROR, times=None)
        for _ in range(3):
            before = len(server.requests)
            assert here("-p", "ip-api", "8.8.8.8", environment=environment(server)).code == 3
            first, second, third = (request.time for request in server.requests[before:])
            assert 0.1 <= second - first <= 0.3 + 0.2
            assert 0.2 <= third - second <= 0.6 + 0.2
            waits.append(round(second - first, 3))
    assert len(set(waits)) > 1


def test_a_refused_connection_is_one_line_and_the_chain_goes_on(here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/batch"
    nobody = {"GEOCLI_IP_API_URL": url}
    alone = here("-p", "ip-api", "-j", "8.8.8.8", "10.0.0.1", environment=nobody)
    assert (alone.code, alone.statuses) == (3, ["error", "reserved"])
    assert len(alone.complaints) == 1
    assert "connection refused" in alone.complaints[0]
    chained = here("-p", "ip-api,mmdb", "-j", "8.8.8.8", "10.0.0.1", environment=nobody)
    assert (chained.code, chained.statuses) == (0, ["ok", "reserved"])
    assert len(chained.complaints) == 1


def test_a_name_that_nobody_knows_is_one_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    done = here("-p", "ip-api", "8.8.8.8", environment={"GEOCLI_IP_API_URL": "http://ip-api.invalid/batch"})
    assert done.code == 3
    assert len(done.complaints) == 1
    assert "ip-api.invalid" in done.complaints[0]
    assert "name" in done.complaints[0]


@pytest.mark.parametrize(
    "host",
    ["a" * 70, "a..b", "☃", "-", "xn--", "xn--a", "[::1]:1", "127.0.0.1:1", "1e9:1", "0:1", "%00", "a%20b"],
)
def test_odd_hosts_are_a_usage_error_or_cannot_be_asked(
    here: Here, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    genuine = socket.getaddrinfo

    def local_only(name: str | bytes | None, *arguments: object, **options: object) -> object:
        if name not in {"127.0.0.1", "::1", b"127.0.0.1"}:
            (name.encode("idna") if isinstance(name, str) else name)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return genuine(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    done = here("-p", "ip-api", "8.8.8.8", environment={"GEOCLI_IP_API_URL": f"http://{host}/batch"})
    assert done.code in {2, 3}
    assert len(done.complaints) == 1


def test_a_server_that_accepts_nobody_is_a_timeout(here: Here) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        host, port = listener.getsockname()
        waiting = []
        for _ in range(3):  # one more than fit: whoever comes now waits for an answer to its SYN
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex((host, port))
            waiting.append(caller)
        done = here(
            *("-p", "ip-api", "--timeout", "1s", "8.8.8.8"),
            environment={"GEOCLI_IP_API_URL": f"http://{host}:{port}/batch"},
        )
        for caller in waiting:
            caller.close()
    assert done.code == 3
    assert len(done.complaints) == 1
    assert "within" in done.complaints[0]


def test_a_source_that_says_nothing_is_a_timeout(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.system.http._PATIENCE", 3)
    monkeypatch.setattr(client, "TRIES", 1)
    with IpApi(limit=None) as server:
        server.fail_next(Fault.DELAY, times=None, delay=10 * PATIENCE)
        begun = time.monotonic()
        done = here("-p", "ip-api", "--timeout", "1s", "8.8.8.8", environment=environment(server))
        assert 1 <= time.monotonic() - begun < PATIENCE
    assert done.code == 3
    assert "no answer within 1 s" in done.complaints[0]


def test_one_malformed_item_costs_one_address(here: Here) -> None:
    def say(_number: int, targets: list[str]) -> bytes:
        return http(200, [*ip_api_items(targets[:-1]), {"query": targets[-1], "status": 5}])

    targets = addresses(100)
    with RawServer(say) as server:
        done = here("-p", "ip-api", "-j", targets=targets, environment={"GEOCLI_IP_API_URL": server.url})
    assert done.code == 3
    assert len(done.complaints) == 1
    assert done.statuses.count("error") <= 1

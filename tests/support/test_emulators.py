"""The emulators keep the rules of the services that they stand for: what rests on them rests on this."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.emulators import CountryIs, Emulator, Fault, IpApi, Ipinfo
from tests.support.waiting import PATIENCE

PUBLIC = ["1.1.1.1", "8.8.8.8", "2a01:4f8::1", "193.99.144.80"]
KEY = "a-key"
NINE_FIELDS = "4255235"  # status, message, query, country, countryCode, isp, org, as, asname


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(server: Emulator, timeout: float = 5.0) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.url).netloc, timeout=timeout)


def ask(connection: HTTPConnection, path: str, batch: object) -> Reply:
    connection.request("POST", path, json.dumps(batch))
    response = connection.getresponse()
    return Reply(response.status, response.headers, response.read())


def post(server: Emulator, batch: object = PUBLIC, query: str = "token=any") -> Reply:
    """Ask once, over a connection of its own. (Only ipinfo.io looks at a token.)"""
    with closing(connect(server)) as connection:
        return ask(connection, f"{server.path}?{query}", batch)


def statuses(server: Emulator, times: int) -> list[int]:
    return [post(server).status for _ in range(times)]


# ip-api.com


def test_ip_api_answers_in_order_with_the_fields_that_were_asked_for() -> None:
    with IpApi() as server:
        items = post(server, PUBLIC, f"fields={NINE_FIELDS}").json
        assert [item["query"] for item in items] == PUBLIC
        names = {"status", "query", "country", "countryCode", "isp", "org", "as", "asname"}
        assert all(item.keys() == names for item in items)
        assert items[0]["as"].startswith("AS")

        codes = post(server, PUBLIC, "fields=2").json
        assert codes == [{"countryCode": item["countryCode"]} for item in items]
        assert post(server, PUBLIC, "fields=countryCode").json == codes


def test_ip_api_says_why_an_item_failed() -> None:
    batch = ["10.1.2.3", "127.0.0.1", "example", {"query": "192.0.2.1"}, 42, "fd00::1", "::1"]
    with IpApi() as server:
        items = post(server, batch, f"fields={NINE_FIELDS}").json
    private, reserved, invalid = "private range", "reserved range", "invalid query"
    assert [item["message"] for item in items] == [
        *(private, reserved, invalid, reserved, invalid, private, reserved),
    ]
    assert all(item.keys() == {"status", "message", "query"} for item in items)


def test_ip_api_refuses_more_than_100() -> None:
    with IpApi() as server:
        assert post(server, ["1.1.1.1"] * 100).status == 200
        assert post(server, ["1.1.1.1"] * 101).status == 422
        assert post(server, {"no": "array"}).status == 422


@pytest.mark.slow
def test_ip_api_counts_down_in_a_window_that_begins_with_the_first_request() -> None:
    with IpApi(limit=3, window=5) as server:
        time.sleep(3)  # before the window
        replies = [post(server) for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        assert [reply.headers["X-Rl"] for reply in replies] == ["2", "1", "0", "0"]
        assert {reply.headers["X-Ttl"] for reply in replies} <= {"5", "4", "3"}
        time.sleep(5)
        # It does not slide: what was refused does not count, and the whole limit is there again.
        assert statuses(server, 3) == [200] * 3


@pytest.mark.parametrize(("round_up", "first", "later"), [(True, "60", "60"), (False, "60", "59")])
def test_ip_api_tells_whole_seconds_to_the_reset(round_up: bool, first: str, later: str) -> None:
    with IpApi(round_ttl_up=round_up) as server:
        assert [post(server).headers["X-Ttl"] for _ in range(2)] == [first, later]


@pytest.mark.slow
def test_ip_api_bans_who_goes_on_over_the_limit() -> None:
    with IpApi(limit=1, window=5, ban_after=2) as server:
        assert statuses(server, 5) == [200, 429, 429, 403, 403]
        time.sleep(5)
        banned = post(server)
        assert (banned.status, banned.headers["X-Ttl"]) == (403, None)
        assert server.bans == 1


def test_ip_api_may_send_an_empty_body_at_the_boundary() -> None:
    with IpApi(limit=2, empty_at_boundary=True) as server:
        replies = [post(server) for _ in range(3)]
    assert [(reply.status, reply.headers["X-Rl"]) for reply in replies] == [
        (200, "1"),
        (200, "0"),
        (429, "0"),
    ]
    assert [bool(reply.body) for reply in replies] == [True, False, True]


def test_ip_api_with_a_key_has_no_limit_and_refuses_other_keys() -> None:
    with IpApi(key=KEY) as server:
        reply = post(server, PUBLIC, f"key={KEY}")
        assert reply.status == 200
        assert "X-Rl" not in reply.headers
        for refused in (post(server), post(server, PUBLIC, "key=wrong")):
            assert refused.status == 403
            assert refused.headers.get_content_type() == "text/plain"


# country.is


def test_country_is_tells_the_as_only_if_asked() -> None:
    with CountryIs() as server:
        assert all(item.keys() == {"ip", "country"} for item in post(server).json)
        items = post(server, PUBLIC, "fields=asn").json
        assert all(item.keys() == {"ip", "country", "asn"} for item in items)
        assert all(item["asn"].keys() == {"number", "organization"} for item in items)


def test_country_is_leaves_out_addresses_without_a_country() -> None:
    with CountryIs() as server:
        server.unknown.add("8.8.4.4")
        items = post(server, ["8.8.4.4", "1.1.1.1", "10.0.0.1", "8.8.8.8"]).json
    assert [item["ip"] for item in items] == ["1.1.1.1", "8.8.8.8"]


@pytest.mark.parametrize("batch", [["1.1.1.1", "nonsense"], ["1.1.1.1", 42], ["1.1.1.1"] * 101, []])
def test_country_is_fails_a_whole_batch(batch: Sequence[object]) -> None:
    with CountryIs() as server:
        reply = post(server, batch)
    assert reply.status == 422
    assert reply.json["error"].keys() == {"code", "message"}


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (1, "1")])
def test_country_is_takes_ten_requests_a_second(seconds: int | None, header: str | None) -> None:
    with CountryIs(retry_after=seconds) as server:
        replies = [post(server) for _ in range(11)]
        assert [reply.status for reply in replies] == [200] * 10 + [429]
        assert replies[-1].headers["Retry-After"] == header


# ipinfo.io


def test_ipinfo_answers_by_address() -> None:
    with Ipinfo(token=KEY) as server:
        server.unknown.add("8.8.4.4")
        batch = ["1.1.1.1", "10.0.0.1", "8.8.4.4", "nonsense"]
        items = post(server, batch, f"token={KEY}").json
    assert list(items) == batch
    assert {"ip", "asn", "as_name", "as_domain", "country_code", "country"} <= items["1.1.1.1"].keys()
    assert items["10.0.0.1"] == {"ip": "10.0.0.1", "bogon": True}
    assert items["8.8.4.4"] == {"ip": "8.8.4.4"}
    assert "error" in items["nonsense"]


def test_ipinfo_wants_a_token_and_at_most_1000() -> None:
    with Ipinfo(token=KEY) as server:
        assert post(server, PUBLIC, "").status == 403
        assert post(server, PUBLIC, "token=other").status == 403
        assert post(server, ["1.1.1.1"] * 1000, f"token={KEY}").status == 200
        assert post(server, ["1.1.1.1"] * 1001, f"token={KEY}").status == 400


def test_ipinfo_has_a_limit_on_demand() -> None:
    with Ipinfo(limit=1) as server:
        assert [post(server).status for _ in range(2)] == [200, 429]


# What a test says and sees


def test_all_say_the_same_about_an_address_unless_told_otherwise() -> None:
    with IpApi() as ip_api, CountryIs() as country_is, Ipinfo() as ipinfo:
        first = post(ip_api).json[0]
        second = post(country_is, PUBLIC, "fields=asn").json[0]
        third = post(ipinfo).json["1.1.1.1"]
        assert first["countryCode"] == second["country"] == third["country_code"]
        assert first["org"] == second["asn"]["organization"] == third["as_name"]

        ip_api.answers["203.0.113.9"] = {"countryCode": "XK", "as": ""}
        assert post(ip_api, ["203.0.113.9"]).json == [
            {"status": "success", "countryCode": "XK", "as": "", "query": "203.0.113.9"}
        ]


def test_the_log_has_every_request_in_order() -> None:
    before = time.monotonic()
    with IpApi(limit=2) as server:
        post(server, ["1.1.1.1", "8.8.8.8"], "fields=2")
        server.fail_next(Fault.CLOSE)
        with pytest.raises(RemoteDisconnected):
            post(server, ["1.1.1.1"])
        post(server, ["8.8.8.8"])
    assert [request.status for request in server.requests] == [200, 0, 429]
    assert [request.fault for request in server.requests] == [None, Fault.CLOSE, None]
    assert server.requests[0].targets == ["1.1.1.1", "8.8.8.8"]
    assert server.requests[0].query == {"fields": "2"}
    assert server.requests[0].headers["host"] in server.url
    assert before < server.requests[0].time < server.requests[1].time < time.monotonic()
    assert server.addresses == Counter({"1.1.1.1": 1, "8.8.8.8": 1})
    assert server.summary() == {
        "requests": 3,
        "connections": 3,
        "addresses": 2,
        "repeated_addresses": 0,
        "429s": 1,
        "bans": 0,
        "statuses": {"0": 1, "200": 1, "429": 1},
    }


def test_four_connections_are_kept_alive_and_served_at_once() -> None:
    with IpApi(limit=None, latency=0.5) as server:

        def three_requests() -> None:
            with closing(connect(server)) as connection:
                for _ in range(3):
                    assert ask(connection, server.path, PUBLIC).status == 200

        began = time.monotonic()
        threads = [threading.Thread(target=three_requests) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.summary()["requests"] == 12
        assert server.summary()["connections"] == 4
        assert 1.5 <= time.monotonic() - began < 6  # as long as one after the other would take


def test_what_is_no_batch_is_told_so() -> None:
    with IpApi() as server, closing(connect(server)) as connection:
        connection.request("GET", server.path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (405, b"Method not allowed")
        assert ask(connection, "/elsewhere", PUBLIC).status == 404
        with socket.create_connection((connection.host, connection.port), timeout=5) as other:
            other.sendall(b"EHLO example\r\n\r\n")
            assert other.recv(1) == b""
        assert post(server).status == 200


# Faults


@pytest.fixture(params=[IpApi, CountryIs, Ipinfo])
def server(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with request.param(limit=None) as running:
        yield running


def reply_with(server: Emulator, fault: Fault) -> Reply:
    """What comes when a fault strikes, once it is shown that the next request is right again."""
    server.fail_next(fault)
    struck = post(server, PUBLIC, f"token=any&fields={full(server)}")
    assert len(post(server).json) == len(PUBLIC)
    return struck


def full(server: Emulator) -> str:
    return "asn" if isinstance(server, CountryIs) else NINE_FIELDS


def items_of(reply: Reply) -> list[dict[str, Any]]:
    content = json.loads(reply.body)
    return list(content.values()) if isinstance(content, dict) else content


def address_of(item: dict[str, Any]) -> Any:
    return item.get("query", item.get("ip"))


def test_a_closed_connection_has_sent_nothing(server: Emulator) -> None:
    server.fail_next(Fault.CLOSE)
    with pytest.raises(RemoteDisconnected):
        post(server)


def test_a_reset_comes_in_the_midst_of_the_body(server: Emulator) -> None:
    server.fail_next(Fault.RESET)
    with closing(connect(server)) as connection:
        connection.request("POST", f"{server.path}?token=any", json.dumps(PUBLIC))
        response = connection.getresponse()
        assert response.status == 200
        with pytest.raises(ConnectionResetError):
            response.read()


def test_a_truncated_body_is_shorter_than_announced(server: Emulator) -> None:
    server.fail_next(Fault.TRUNCATED)
    with pytest.raises(IncompleteRead) as caught:
        post(server)
    assert len(caught.value.partial) > 50


def test_an_endless_body_goes_on(server: Emulator) -> None:
    server.fail_next(Fault.ENDLESS)
    with closing(connect(server)) as connection:
        connection.request("POST", f"{server.path}?token=any", json.dumps(PUBLIC))
        response = connection.getresponse()
        begin = response.read(3_000_000)
        assert len(begin) == 3_000_000
        assert begin[:1] in b"[{"
    assert len(post(server).json) == len(PUBLIC)


def test_a_drip_and_a_delay_take_their_time_but_stop_with_the_server(server: Emulator) -> None:
    server.fail_next(Fault.SLOW_DRIP)
    server.fail_next(Fault.DELAY, delay=10 * PATIENCE)
    with closing(connect(server)) as drip, closing(connect(server, timeout=0.3)) as late:
        drip.request("POST", f"{server.path}?token=any", json.dumps(PUBLIC))
        began = time.monotonic()
        assert drip.getresponse().read(2) in {b'[{"', b'{"', b"[{"}
        assert time.monotonic() - began >= 0.4
        late.request("POST", f"{server.path}?token=any", json.dumps(PUBLIC))
        with pytest.raises(TimeoutError):
            late.getresponse()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < PATIENCE


def test_a_delayed_answer_is_right(server: Emulator) -> None:
    server.fail_next(Fault.DELAY, delay=0.2)
    began = time.monotonic()
    assert len(post(server).json) == len(PUBLIC)
    assert time.monotonic() - began >= 0.2


def test_bodies_that_are_not_what_was_expected(server: Emulator) -> None:
    right = post(server).json
    assert reply_with(server, Fault.EMPTY).body == b""
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply_with(server, Fault.GARBAGE).body)
    assert type(reply_with(server, Fault.WRONG_SHAPE).json) is not type(right)
    with pytest.raises(RecursionError):
        json.loads(reply_with(server, Fault.DEEP).body)
    with pytest.raises(ValueError, match="digits"):
        json.loads(reply_with(server, Fault.HUGE_NUMBER).body)
    with pytest.raises(UnicodeDecodeError):
        reply_with(server, Fault.NOT_UTF8).body.decode()


def test_bodies_that_are_too_large(server: Emulator) -> None:
    oversized = reply_with(server, Fault.OVERSIZED)
    assert 10_000_000 < len(oversized.body) < 11_000_000
    assert items_of(oversized)
    bomb = reply_with(server, Fault.GZIP_BOMB)
    assert bomb.headers["Content-Encoding"] == "gzip"
    assert len(bomb.body) < 20_000
    assert len(gzip.decompress(bomb.body)) > 10_000_000


def test_items_that_are_not_what_was_expected(server: Emulator) -> None:
    assert len(items_of(reply_with(server, Fault.TOO_FEW))) == len(PUBLIC) / 2
    assert {address_of(item) for item in items_of(reply_with(server, Fault.WRONG_ADDRESS))} == {"9.9.9.9"}

    first, second, *_ = items_of(reply_with(server, Fault.WRONG_TYPES))
    assert address_of(first) == PUBLIC[0]
    assert address_of(second) != PUBLIC[1]
    texts = {name for name, value in first.items() if isinstance(value, str)}
    assert texts <= {"status", "query", "ip"}

    first, second, *_ = items_of(reply_with(server, Fault.HUGE_VALUES))
    assert len(json.dumps(first)) > 1_000_000
    assert len(json.dumps(second)) < 1_000

    for item, address in zip(items_of(reply_with(server, Fault.CONTROL_CHARACTERS)), PUBLIC, strict=True):
        assert address_of(item) == address
        codes = {"countryCode", "country_code"} & item.keys() or {"country"}
        assert {item[name] for name in codes} == {"<script>"}
        assert "\\u001b[2J" in json.dumps(item)


def test_statuses_that_are_not_200(server: Emulator) -> None:
    assert reply_with(server, Fault.SERVER_ERROR).status == 500
    for fault, status in ((Fault.UNAVAILABLE, 503), (Fault.TOO_MANY, 429)):
        reply = reply_with(server, fault)
        assert (reply.status, reply.headers["Retry-After"]) == (status, "1")
    redirect = reply_with(server, Fault.REDIRECT)
    assert (redirect.status, redirect.headers["Location"]) == (302, server.elsewhere)


def test_faults_strike_in_order_until_they_are_used_up_or_forgotten() -> None:
    with CountryIs(limit=None) as server:
        server.fail_next(Fault.SERVER_ERROR, times=2)
        server.fail_next(Fault.UNAVAILABLE, times=None)
        assert statuses(server, 5) == [500, 500, 503, 503, 503]
        server.recover()
        assert statuses(server, 1) == [200]


def test_a_refusal_uses_up_no_fault() -> None:
    with CountryIs() as server:
        server.fail_next(Fault.SERVER_ERROR)
        assert post(server, ["nonsense"]).status == 422
        assert statuses(server, 2) == [500, 200]


# In the foreground


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_one_runs_in_the_foreground_and_sums_up_in_the_end(end: signal.Signals) -> None:
    options = ["--limit", "1", "--fault", "empty", "--times", "1"]
    command = [sys.executable, "-m", "tests.support.emulators", "ip-api", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = urlsplit(process.stdout.readline().strip())
        with closing(HTTPConnection(url.netloc, timeout=5)) as connection:
            replies = [ask(connection, url.path, PUBLIC) for _ in range(2)]
        process.send_signal(end)
        summary = json.loads(process.stdout.read())
    assert [(reply.status, reply.body) for reply in replies] == [(200, b""), (429, b"Too many requests")]
    assert process.returncode == 0
    assert (summary["requests"], summary["429s"], summary["addresses"]) == (2, 1, len(PUBLIC))

"""Full batches, and never one too many: alone, by turns and all at once."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.cli.commands.test_lookup import on_a_terminal
from tests.conftest import Geocli
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
    gaps,
    http,
    ip_api_items,
    name_of,
    sizes,
)
from tests.support.targets import addresses
from tests.support.waiting import PATIENCE, wait_until


def together(runs: Sequence[tuple[Geocli, list[str], str]]) -> list[subprocess.CompletedProcess[str]]:
    """All of these command lines at once, each with its stdin."""
    with ThreadPoolExecutor(len(runs)) as pool:
        futures = [pool.submit(geocli, *arguments, stdin=stdin) for geocli, arguments, stdin in runs]
        return [future.result() for future in futures]


# --- batches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), [("ip-api", 100), ("country-is", 100), ("ipinfo", 1000)])
def test_batches_are_full_and_each_address_is_asked_about_once(here: Here, name: str, most: int) -> None:
    asked = addresses(2 * most + 50)
    others = ["10.0.0.1", "192.0.2.7", "fe80::1", "127.0.0.1", "::1", "224.0.0.1", "2001:db8::1"]
    given = [*asked[:70], *others, *asked[:30], *asked[70:], *asked]
    with SOURCES[name](limit=None) as server:
        done = here("-p", name, "-j", targets=given, environment=environment(server))
        assert [record["ip"] for record in done.records] == given
        assert sorted(sizes(server)) == [50, most, most]
        assert server.addresses == Counter(asked)
        assert {record["status"] for record in done.records if record["ip"] in others} == {"reserved"}
        again = here("-p", name, "-j", targets=given, environment=environment(server))
        assert again.records == done.records
        assert len(server.requests) == 3
        assert {request.method for request in server.requests} == {"POST"}


def test_networks_are_never_sent(here: Here) -> None:
    with IpApi() as server:
        where = environment(server)
        done = here("-p", "ip-api", "-j", "8.8.8.0/24", "1.1.1.1", "2001:4860::/32", environment=where)
        assert done.statuses == ["error", "ok", "error"]
        assert done.code == 3
        assert done.complaints == ["geocli: ip-api answers addresses, not networks"]
        only = here("-p", "ip-api", "-j", "8.8.8.0/24", environment=where)
        assert (only.code, only.statuses) == (3, ["error"])
        chained = here("-p", "ip-api,mmdb", "-j", "8.8.8.0/24", environment=where)
        assert (chained.code, chained.statuses) == (0, ["ok"])
        assert server.addresses == Counter(["1.1.1.1"])


def test_a_network_of_one_address_is_that_address(here: Here) -> None:
    with IpApi() as server:
        here("-p", "ip-api", "-j", "8.8.8.8/32", "::ffff:1.1.1.1", environment=environment(server))
        assert all("/" not in target and ":" not in target for target in server.addresses)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_batch_size_is_a_setting(here: Here, size: int) -> None:
    with IpApi(limit=None) as server:
        where = environment(server) | {"GEOCLI_IP_API_BATCH_SIZE": str(size)}
        done = here("-p", "ip-api", targets=addresses(14), environment=where)
        assert done.code == 0
        assert sizes(server) == [min(size, 14)] * max(1, 14 // size)


def test_no_batch_size_makes_a_batch_larger_than_the_source_takes(here: Here) -> None:
    with IpApi(limit=None) as server:
        where = environment(server) | {"GEOCLI_IP_API_BATCH_SIZE": "1000"}
        assert here("-p", "ip-api", targets=addresses(150), environment=where).code == 0
        assert sizes(server) == [100, 50]


@pytest.mark.parametrize("concurrency", [None, 2, 8])
def test_requests_at_once_are_a_setting_and_four_without(here: Here, concurrency: int | None) -> None:
    with IpApi(key="k", latency=0.2) as server:
        where = environment(server) | ({"GEOCLI_IP_API_CONCURRENCY": str(concurrency)} if concurrency else {})
        assert here("-p", "ip-api", targets=addresses(800), environment=where).code == 0
        first, *_, last = (request.time for request in server.requests)
        # The last request was sent when all but the last round had been answered.
        rounds = 8 // (concurrency or 4) - 1
        assert rounds * 0.2 <= last - first
        assert 1 < server.connections <= (concurrency or 4)


def test_a_limited_source_is_asked_one_request_after_the_other(here: Here) -> None:
    with IpApi(limit=15, window=60, latency=0.1) as server:
        where = environment(server) | {"GEOCLI_IP_API_CONCURRENCY": "8"}
        assert here("-p", "ip-api", targets=addresses(400), environment=where).code == 0
        assert min(gaps(server)) >= 0.1
        assert server.connections == 1


def test_the_order_of_the_input_is_kept_whoever_is_first(here: Here) -> None:
    """The first batch takes longest, the second fails once, the others are quick."""
    targets = addresses(900)
    with IpApi(key="k") as server:
        server.fail_next(Fault.DELAY, delay=0.6)
        server.fail_next(Fault.DELAY, delay=0.3)
        server.fail_next(Fault.CLOSE)
        done = here("-p", "ip-api", "-j", targets=targets, environment=environment(server))
    assert [record["ip"] for record in done.records] == targets
    assert set(done.statuses) == {"ok"}
    with SOURCES["ip-api"](limit=None) as other:
        alone = here(
            "-p", "ip-api", "-j", "--no-cache", targets=targets[::-1], environment=environment(other)
        )
    assert {record["ip"]: record["asn"] for record in alone.records} == {
        record["ip"]: record["asn"] for record in done.records
    }


# --- limits -------------------------------------------------------------------------------------------


@pytest.mark.slow  # real time
def test_1250_addresses_take_as_long_as_the_limit_allows_and_no_429(data_dir: Path) -> None:
    targets = addresses(1250)
    with IpApi(limit=5, window=1) as server:
        done = Geocli(data_dir, environment(server))("-p", "ip-api", "-f", "status", stdin="\n".join(targets))
        assert (done.returncode, set(done.stdout.split())) == (0, {"ok"})
        assert server.count(429) == server.bans == 0
        assert server.addresses == Counter(targets)
        assert len(server.requests) == 13
        whole = server.requests[-1].time - server.requests[0].time
    assert 2 <= whole < PATIENCE


@pytest.mark.slow  # real time
def test_two_processes_over_two_halves_share_the_limit(data_dir: Path) -> None:
    targets = addresses(1200)
    with IpApi(limit=5, window=1) as server:
        geocli = Geocli(data_dir, environment(server))
        command = ["-p", "ip-api", "-f", "ip,status"]
        runs = together([(geocli, command, "\n".join(half)) for half in (targets[:600], targets[600:])])
        assert [run.returncode for run in runs] == [0, 0]
        lines = [line for run in runs for line in run.stdout.splitlines()]
        assert lines == [f"{target}\tok" for target in targets]
        assert server.count(429) == 0
        assert server.addresses == Counter(targets)
        assert sorted(sizes(server)) == [100] * 12
    # The notice that addresses travel unencrypted: once for both.
    assert "".join(run.stderr for run in runs).count("over plain HTTP") == 1


@pytest.mark.slow  # real time
def test_ten_one_liners_at_once_share_the_limit(data_dir: Path) -> None:
    targets = addresses(10)
    with IpApi(limit=5, window=1) as server:
        geocli = Geocli(data_dir, environment(server))
        runs = together([(geocli, ["-p", "ip-api", "-f", "status", target], "") for target in targets])
        assert [(run.returncode, run.stdout) for run in runs] == [(0, "ok\n")] * 10
        assert server.count(429) == 0
        assert server.addresses == Counter(targets)
        assert "".join(run.stderr for run in runs).count("\n") == 1
    assert (data_dir / "pacing").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (data_dir / "pacing").iterdir()} == {0o600}


@pytest.mark.slow  # real time
def test_one_liners_one_after_the_other_share_the_limit(here: Here) -> None:
    with IpApi(limit=3, window=1) as server:
        for target in addresses(5):
            assert here("-p", "ip-api", target, environment=environment(server)).code == 0
        assert server.count(429) == 0


@pytest.mark.slow  # real time
def test_where_nothing_is_told_the_documented_rate_is_kept(data_dir: Path) -> None:
    """country.is has no headers for that: ten requests a second."""
    targets = addresses(1500)
    with CountryIs() as server:
        done = Geocli(data_dir, environment(server))(
            "-p", "country-is", "-f", "status", stdin="\n".join(targets)
        )
        assert (done.returncode, set(done.stdout.split())) == (0, {"ok"})
        assert server.count(429) == 0
        assert server.addresses == Counter(targets)


@pytest.mark.slow  # real time
def test_a_source_that_rounds_down_what_it_tells_refuses_once_at_most(data_dir: Path) -> None:
    targets = addresses(800)
    with IpApi(limit=4, window=1.5, round_ttl_up=False) as server:
        done = Geocli(data_dir, environment(server))("-p", "ip-api", "-f", "status", stdin="\n".join(targets))
        assert (done.returncode, set(done.stdout.split())) == (0, {"ok"})
        assert server.count(429) <= 1
        assert server.bans == 0


@pytest.mark.slow  # real time
def test_an_empty_answer_at_the_boundary_is_asked_for_again(data_dir: Path) -> None:
    targets = addresses(500)
    with IpApi(limit=3, window=1, empty_at_boundary=True) as server:
        done = Geocli(data_dir, environment(server))("-p", "ip-api", "-f", "status", stdin="\n".join(targets))
        assert (done.returncode, set(done.stdout.split())) == (0, {"ok"})
        assert server.count(429) == 0
        assert max(server.addresses.values()) == 2


@pytest.mark.slow  # real time
@pytest.mark.parametrize("service", [IpApi, Ipinfo])
def test_a_limit_that_somebody_else_used_up_is_waited_for(here: Here, service: type[IpApi | Ipinfo]) -> None:
    """Another program on this host, another data directory: then there is a 429, and then patience."""
    with service(limit=1, window=1) as server:
        here("-p", name_of(server), "8.8.8.8", "--no-cache", environment=environment(server))
        for file in (here.data_dir / "pacing").iterdir():
            file.unlink()
        done = here("-p", name_of(server), "-j", "1.1.1.1", environment=environment(server))
        assert done.statuses == ["ok"]
        assert done.code == 0
        assert server.count(429) <= 2
        assert server.bans == 0


def told(*headers: dict[str, str], status: int = 200) -> RawServer:
    """An ip-api whose first answers have these headers, and the first of them this status."""

    def say(number: int, targets: list[str]) -> bytes:
        said = headers[number] if number < len(headers) else {}
        return http(status if number == 0 else 200, ip_api_items(targets), said)

    return RawServer(say)


TOLD: list[tuple[list[dict[str, str]], float]] = [
    ([{"X-Rl": "0", "X-Ttl": "1"}], 1),
    ([{"X-Rl": "14", "X-Ttl": "60"}, {"X-Rl": "0", "X-Ttl": "1"}], 1),
    ([{"Retry-After": "1"}], 1),
    ([{"X-Rl": "14", "X-Ttl": "60", "Retry-After": "1"}], 1),
    # The last word counts, also when it is longer than the word before.
    ([{"X-Rl": "14", "X-Ttl": "1"}, {"X-Rl": "0", "X-Ttl": "2"}], 2),
    ([{"X-Rl": "14", "X-Ttl": "1"}, {"Retry-After": "2"}], 2),
    ([{"X-Rl": "14", "X-Ttl": "1"}, {"X-Rl": "13", "X-Ttl": "1", "Retry-After": "2"}], 2),
]


@pytest.mark.slow  # real time
def test_what_an_answer_tells_about_the_limit_is_obeyed_also_after_a_200(tmp_path: Path) -> None:
    """All at once, because each has to wait."""
    targets = addresses(4)
    with ExitStack() as stack:
        servers = [stack.enter_context(told(*headers)) for headers, _ in TOLD]
        runs = together(
            [
                (
                    Geocli(
                        tmp_path / str(index),
                        {"GEOCLI_IP_API_URL": server.url, "GEOCLI_IP_API_BATCH_SIZE": "1"},
                    ),
                    ["-p", "ip-api", "-f", "status", *targets],
                    "",
                )
                for index, server in enumerate(servers)
            ]
        )
    assert [(run.returncode, run.stdout) for run in runs] == [(0, "ok\n" * 4)] * len(TOLD)
    waits = [gaps(server) for server in servers]
    too_early = [
        (headers, waited)
        for (headers, wait), waited in zip(TOLD, waits, strict=True)
        if waited[len(headers) - 1] < wait
    ]
    assert too_early == []
    for waited in waits:
        assert sum(waited) < PATIENCE


def in_seconds() -> str:
    return "1"


def as_a_date() -> str:
    """Whole seconds only: the next but one is at least a second away."""
    return formatdate(int(time.time()) + 2, usegmt=True)


@pytest.mark.slow  # real time
def test_retry_after_is_obeyed_as_seconds_and_as_a_date(tmp_path: Path) -> None:
    """All at once, because each has to wait."""
    cases = [
        (name, status, how)
        for name in ("ip-api", "ipinfo")
        for status in (200, 429, 503)
        for how in (in_seconds, as_a_date)
    ]

    def server(name: str, status: int, how: Callable[[], str]) -> RawServer:
        def say(number: int, targets: list[str]) -> bytes:
            content = (
                ip_api_items(targets) if name == "ip-api" else {target: {"ip": target} for target in targets}
            )
            if number == 0:
                until.setdefault(
                    (name, status, how.__name__), int(time.time()) + 2 if how is as_a_date else 0
                )
                return http(status, content, {"Retry-After": how()})
            again.setdefault((name, status, how.__name__), time.time())
            return http(200, content)

        return RawServer(say)

    until: dict[tuple[str, int, str], float] = {}
    again: dict[tuple[str, int, str], float] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(server(*case)) for case in cases]
        runs = together(
            [
                (
                    Geocli(
                        tmp_path / str(index),
                        {
                            "GEOCLI_IP_API_URL": running.url,
                            "GEOCLI_IPINFO_URL": running.url,
                            "GEOCLI_IPINFO_TOKEN": "t",
                            "GEOCLI_IPINFO_CONCURRENCY": "1",
                            "GEOCLI_IPINFO_BATCH_SIZE": "1",
                            "GEOCLI_IP_API_BATCH_SIZE": "1",
                        },
                    ),
                    ["-p", case[0], "-f", "status", *addresses(2)],
                    "",
                )
                for index, (case, running) in enumerate(zip(cases, servers, strict=True))
            ]
        )
    assert [run.returncode for run in runs] == [0] * len(cases)
    assert not [run.stdout for run in runs if "error" in run.stdout]
    assert not [
        case
        for case, running in zip(cases, servers, strict=True)
        if gaps(running)[0] < 1 and case[2] is in_seconds
    ]
    # A date is a moment, to the second.
    assert not {case: moment - again[case] for case, moment in until.items() if again[case] < moment}


@pytest.mark.slow  # real time
def test_retry_after_tells_all_processes(data_dir: Path) -> None:
    with told({"Retry-After": "1"}) as server:
        geocli = Geocli(data_dir, {"GEOCLI_IP_API_URL": server.url})
        assert geocli("-p", "ip-api", "8.8.8.8").returncode == 0
        assert geocli("-p", "ip-api", "1.1.1.1").returncode == 0
        assert gaps(server)[0] >= 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Rl": "-1", "X-Ttl": "60"},
        {"X-Rl": "0", "X-Ttl": "-60"},
        {"X-Rl": "0"},
        {"X-Ttl": "60"},
        {"X-Rl": "many", "X-Ttl": "60"},
        {"X-Rl": "0", "X-Ttl": "9" * 400},
        {"X-Rl": "0", "X-Ttl": "1e3"},
        {"X-Rl": "1.5", "X-Ttl": "nan"},
        {"X-Rl": "", "X-Ttl": ""},
        {"Retry-After": "-5"},
        {"Retry-After": "soon"},
        {"Retry-After": ""},
        {"Retry-After": "9" * 5000},
        {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"Retry-After": "Fri, 31 Dec 99999999 23:59:59 GMT"},
        {"Retry-After": "Fri, 32 Nov 2026 25:61:61 GMT"},
    ],
    ids=lambda headers: str(headers)[:50],
)
def test_headers_that_make_no_sense_make_nobody_wait(here: Here, headers: dict[str, str]) -> None:
    with told(headers) as server:
        where = {"GEOCLI_IP_API_URL": server.url, "GEOCLI_IP_API_BATCH_SIZE": "1"}
        done = here(
            "-p", "ip-api", "--max-wait", "1s", "-j", targets=["8.8.8.8", "1.1.1.1"], environment=where
        )
        assert (done.code, done.statuses) == (0, ["ok", "ok"])


# --- --max-wait ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_who_will_not_wait_gets_what_there_is_and_the_rest_later(data_dir: Path) -> None:
    targets = addresses(400)
    with IpApi(limit=2, window=10) as server:
        geocli = Geocli(data_dir, environment(server))
        done = geocli("-p", "ip-api", "--max-wait", "1s", "-f", "ip,status", stdin="\n".join(targets))
        assert done.returncode == 3
        assert done.stdout.splitlines() == [
            f"{target}\t{'ok' if index < 200 else 'error'}" for index, target in enumerate(targets)
        ]
        notice, complaint = done.stderr.splitlines()
        assert "over plain HTTP" in notice
        assert "--max-wait" in complaint
        assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 200
        again = geocli("-p", "ip-api", "--max-wait", "1m", "-f", "status", stdin="\n".join(targets))
        assert (again.returncode, set(again.stdout.split())) == (0, {"ok"})
        assert server.addresses == Counter(targets)
        assert server.count(429) == 0


def test_who_will_not_wait_is_answered_by_the_rest_of_the_chain(here: Here) -> None:
    with IpApi(limit=1, window=60) as server:
        where = environment(server) | {"GEOCLI_LOOKUP_MAX_WAIT": "0", "GEOCLI_IP_API_BATCH_SIZE": "1"}
        done = here("-p", "ip-api,mmdb", "-j", targets=KNOWN, environment=where)
        assert (done.code, done.statuses) == (0, ["ok"] * 4)
        assert [record["source"].partition(":")[0] for record in done.records] == ["ip-api"] + ["mmdb"] * 3
        assert len(done.complaints) == 1


@pytest.mark.slow  # real time
def test_max_wait_is_for_the_lock_too(data_dir: Path) -> None:
    """Somebody else is being answered, slowly."""
    with IpApi(limit=15, latency=10 * PATIENCE) as server:
        geocli = Geocli(data_dir, environment(server))
        other = subprocess.Popen(
            [*geocli.command, "-p", "ip-api", "--timeout", "1h", "8.8.8.8"], env=geocli.env
        )
        wait_until(lambda: server.requests)
        done = geocli("-p", "ip-api", "--max-wait", "1s", "-f", "status", "1.1.1.1", timeout=PATIENCE)
        assert (done.returncode, done.stdout) == (3, "error\n")
        assert "--max-wait" in done.stderr
        other.kill()
        other.wait()


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", ""])
def test_a_wait_that_is_none_is_a_usage_error(here: Here, text: str) -> None:
    done = here("-p", "ip-api", "--max-wait", text, "8.8.8.8")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "--max-wait" in done.err


def test_waiting_shows_with_the_time_left(data_dir: Path) -> None:
    with IpApi(limit=1, window=2) as server:
        geocli = Geocli(data_dir, environment(server))
        shown = on_a_terminal(
            [*geocli.command, "-p", "ip-api", "-f", "ip", *addresses(101)], geocli.env, columns=120
        )
    assert "waiting for ip-api" in shown
    assert " 2 s" in shown
    assert " 1 s" in shown


# --- interrupts ---------------------------------------------------------------------------------------


def test_an_interrupt_during_a_wait_is_quick_and_silent_and_keeps_what_came(data_dir: Path) -> None:
    targets = addresses(500)
    with IpApi(limit=3, window=10 * PATIENCE) as server:
        geocli = Geocli(data_dir, environment(server))
        with subprocess.Popen(
            [*geocli.command, "-q", "-p", "ip-api", "-f", "ip,status"],
            env=geocli.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            process.stdin.write("\n".join(targets))
            process.stdin.close()
            process.stdin = None
            assert process.stdout is not None
            first = "".join(process.stdout.readline() for _ in range(300))
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert err == ""
        assert (first + rest).splitlines() == [f"{target}\tok" for target in targets[:300]]
        assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 300
        assert len(server.requests) == 3


def test_an_interrupt_during_a_request_is_quick_and_silent(data_dir: Path) -> None:
    with Ipinfo(latency=10 * PATIENCE) as server:
        geocli = Geocli(data_dir, environment(server))
        with subprocess.Popen(
            [*geocli.command, "-q", "-p", "ipinfo", "8.8.8.8"],
            env=geocli.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_until(lambda: server.requests)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "")


def killed_after(geocli: Geocli, server: IpApi, requests: int, targets: list[str], answers: int) -> None:
    """``kill -9`` when so many requests have come, and so many answers were printed."""
    command = [*geocli.command, "-p", "ip-api", "-f", "ip,status"]
    with subprocess.Popen(
        command, env=geocli.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write("\n".join(targets))
        process.stdin.close()
        wait_until(lambda: len(server.requests) >= requests)
        assert process.stdout is not None
        for _ in range(answers):
            process.stdout.readline()
        process.kill()
        process.wait()


@pytest.mark.slow  # real time
@pytest.mark.parametrize("answers", [0, 400], ids=["under way", "during the wait"])
def test_after_kill_9_only_the_batch_under_way_is_asked_about_again(data_dir: Path, answers: int) -> None:
    targets = addresses(700)
    with IpApi(limit=4, window=1, latency=0.05) as server:
        geocli = Geocli(data_dir, environment(server))
        killed_after(geocli, server, 4, targets, answers)
        done = geocli("-p", "ip-api", "-f", "ip,status", stdin="\n".join(targets))
        assert done.returncode == 0
        assert done.stdout.splitlines() == [f"{target}\tok" for target in targets]
        repeated = [target for target, times in server.addresses.items() if times > 1]
        assert len(repeated) <= (0 if answers else 100)
        assert set(repeated) <= set(targets[300:400])
        assert server.count(429) == server.bans == 0


def test_kill_9_with_four_requests_at_once_costs_those_at_most(data_dir: Path) -> None:
    targets = addresses(2000)
    with IpApi(key="k", latency=0.1) as server:
        geocli = Geocli(data_dir, environment(server))
        killed_after(geocli, server, 10, targets, 0)
        before = len(server.requests)
        done = geocli("-p", "ip-api", "-f", "status", stdin="\n".join(targets))
        assert (done.returncode, set(done.stdout.split())) == (0, {"ok"})
        repeated = [target for target, times in server.addresses.items() if times > 1]
        assert len(repeated) <= 8 * 100
        assert before >= 10
        assert len(server.requests) <= 20 + 8


# --- speed --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_several_requests_are_under_way_at_once_where_there_is_no_limit(data_dir: Path) -> None:
    targets = addresses(800)
    with IpApi(key="k", latency=3) as server:
        geocli = Geocli(data_dir, environment(server))
        done = geocli("-p", "ip-api", "-f", "status", stdin="\n".join(targets))
        assert done.stdout.count("ok\n") == 800
        assert len(server.requests) == 8
        whole = server.requests[-1].time - server.requests[0].time
    assert whole < 7 * 3  # as long as one after the other would take; four at once take 3

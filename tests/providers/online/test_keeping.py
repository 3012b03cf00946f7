"""What is kept of an answer, for how long, and what is asked again."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter

import pytest

from geocli.providers import country_is
from geocli.providers.online.base import Limit
from tests.providers.online.conftest import Here
from tests.providers.online.servers import (
    KNOWN,
    SOURCES,
    CountryIs,
    Emulator,
    Fault,
    IpApi,
    Ipinfo,
    RawServer,
    environment,
    http,
    name_of,
    sizes,
)
from tests.support.emulators.wire import Answer, Request
from tests.support.targets import addresses

DAY = 86400


@pytest.mark.parametrize("name", SOURCES)
def test_a_transient_failure_is_never_stored(here: Here, name: str) -> None:
    with SOURCES[name](limit=None) as server:
        where = environment(server)
        server.fail_next(Fault.SERVER_ERROR, times=None)
        for _ in range(2):
            before = len(server.requests)
            assert here("-p", name, "-j", targets=KNOWN, environment=where).statuses == ["error"] * 4
            assert len(server.requests) > before  # the next command asks again
        assert here("stats", "-j").records[0]["dirty"] == 0
        server.recover()
        assert here("-p", name, "-j", targets=KNOWN, environment=where).statuses == ["ok"] * 4
        assert here("stats", "-j").records[0]["dirty"] == 4


@pytest.mark.parametrize("name", SOURCES)
def test_unknown_is_stored_and_not_asked_again_before_its_time(
    here: Here, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """country.is leaves it out; the others say it in their words."""
    genuine = time.time

    def later(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: genuine() + seconds)

    with SOURCES[name](limit=None) as server:
        where = environment(server)
        server.unknown.add("1.1.1.1")
        done = here("-p", name, "-j", "8.8.8.8", "1.1.1.1", environment=where)
        assert (done.code, done.statuses) == (0, ["ok", "unknown"])
        assert done.records[1]["source"] == name
        assert done.records[1]["resolved_at"]
        for seconds in (0, 3600, DAY - 60):
            later(seconds)
            assert here("-p", name, "-j", "8.8.8.8", "1.1.1.1", environment=where).records == done.records
            here("flush")
        assert len(server.requests) == 1
        assert here("stats", "-j").records[0]["unknown"] == 1
        later(DAY + 60)
        assert here("-p", name, "-j", "8.8.8.8", "1.1.1.1", environment=where).statuses == ["ok", "unknown"]
        assert server.addresses == Counter({"8.8.8.8": 1, "1.1.1.1": 2})
        later(2 * DAY)
        short = where | {"GEOCLI_LOOKUP_TTL_UNKNOWN": "1h"}
        server.unknown.clear()
        assert here("-p", name, "-j", "1.1.1.1", environment=short).statuses == ["ok"]
        later(29 * DAY)
        assert here("-p", name, "-j", "8.8.8.8", environment=where).records == done.records[:1]
        later(31 * DAY)
        before = len(server.requests)
        assert here("-p", name, "-j", "8.8.8.8", environment=where).statuses == ["ok"]
        assert len(server.requests) == before + 1


def test_an_answer_is_for_its_source_only(here: Here) -> None:
    with IpApi(limit=None) as first, CountryIs(limit=None) as second:
        where = environment(first, second)
        here("-p", "ip-api", "8.8.8.8", environment=where)
        done = here("-p", "country-is", "-j", "8.8.8.8", environment=where)
        assert done.records[0]["source"] == "country-is"
        assert done.records[0]["country_name"]  # which country.is does not say
        both = here("-p", "ip-api,country-is", "-j", "8.8.8.8", environment=where)
        assert both.records[0]["source"] in {"ip-api", "country-is"}
        assert (len(first.requests), len(second.requests)) == (1, 1)


def test_no_cache_keeps_nothing_and_asks_every_time(here: Here) -> None:
    with IpApi(limit=None) as server:
        for _ in range(2):
            here("-p", "ip-api", "--no-cache", "8.8.8.8", environment=environment(server))
        assert server.addresses["8.8.8.8"] == 2
    assert not (here.data_dir / "journal").exists()


def test_what_came_before_a_failure_is_kept(here: Here) -> None:
    targets = addresses(450)
    with IpApi(limit=60) as server:
        server.fail_next(Fault.DELAY, times=2, delay=0)
        server.fail_next(Fault.CLOSE, times=None)
        done = here("-p", "ip-api", "-j", targets=targets, environment=environment(server))
        assert done.code == 3
        assert len(done.complaints) == 1
        assert done.statuses == ["ok"] * 200 + ["error"] * 250
        server.recover()
        before = len(server.requests)
        done = here("-p", "ip-api", "-j", targets=targets, environment=environment(server))
        assert done.statuses == ["ok"] * 450
        assert sizes(server)[before:] == [100, 100, 50]
        assert [target for request in server.requests[before:] for target in request.targets] == targets[200:]


def test_a_batch_that_fails_costs_itself_only(here: Here) -> None:
    """The second of three is nonsense, whatever is tried; the source is not down for that."""
    targets = addresses(300)
    poisoned = targets[150]

    def say(_number: int, asked: list[str]) -> bytes:
        if poisoned in asked:
            return http(200, b"<html>")
        return http(200, {target: {"ip": target, "country_code": "DE"} for target in asked})

    with RawServer(say) as server:
        where = {
            "GEOCLI_IPINFO_URL": server.url,
            "GEOCLI_IPINFO_TOKEN": "t",
            "GEOCLI_IPINFO_BATCH_SIZE": "100",
        }
        done = here("-p", "ipinfo", "-j", targets=targets, environment=where)
    assert done.statuses == ["ok"] * 100 + ["error"] * 100 + ["ok"] * 100
    assert (done.code, len(done.complaints)) == (3, 1)


class Picky(CountryIs):
    """country.is with addresses that it calls invalid."""

    bad: frozenset[str] = frozenset()

    def respond(self, request: Request) -> Answer:
        if not self.bad.isdisjoint(request.targets):
            return Answer(422, {"error": {"code": "INVALID_IP", "message": "Not an IP address"}})
        return super().respond(request)


BAD = {
    "the first": [0],
    "the last": [99],
    "two apart": [3, 77],
    "two together": [50, 51],
    "three together": [10, 11, 12],
    "five together": [40, 41, 42, 43, 44],
    "three apart": [0, 50, 99],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_bad_item_costs_itself_and_not_its_batch(
    here: Here, monkeypatch: pytest.MonkeyPatch, bad: list[int]
) -> None:
    monkeypatch.setattr(country_is.CountryIs, "limit", Limit(1000, 1))
    targets = addresses(220)
    with Picky(limit=None) as server:
        server.bad = frozenset(targets[index] for index in bad)
        done = here("-p", "country-is", "-j", targets=targets, environment=environment(server))
        assert [index for index, status in enumerate(done.statuses) if status != "ok"] == bad
        assert {done.statuses[index] for index in bad} == {"error"}
        assert (done.code, len(done.complaints)) == (3, 1)
        assert "422" in done.complaints[0]
        # Halving a hundred: two requests a level, at most seven levels for each, and the two other batches.
        assert len(server.requests) <= 1 + 14 * len(bad) + 2
        assert max(server.addresses.values()) == 1


def test_a_source_that_rejects_everything_is_not_halved_for_ever(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(country_is.CountryIs, "limit", Limit(1000, 1))
    targets = addresses(1000)
    with Picky(limit=None) as server:
        server.bad = frozenset(targets)
        done = here("-p", "country-is", "-j", targets=targets, environment=environment(server))
        assert done.statuses == ["error"] * 1000
        assert len(done.complaints) == 1
        assert len(server.requests) <= 40


def test_halving_keeps_to_the_limit(here: Here) -> None:
    targets = addresses(100)
    with Picky(limit=10, window=1) as server:
        server.bad = frozenset({targets[37]})
        done = here("-p", "country-is", "-j", targets=targets, environment=environment(server))
        assert done.statuses.count("ok") == 99
        assert server.count(429) == 0


@pytest.mark.parametrize("name", SOURCES)
def test_what_an_answer_leaves_out_is_asked_for_again(here: Here, name: str) -> None:
    if name == "country-is":
        return  # who is left out there has no country
    with SOURCES[name](limit=None) as server:
        server.fail_next(Fault.TOO_FEW)
        done = here("-p", name, "-j", targets=addresses(50), environment=environment(server))
        assert (done.code, done.statuses) == (0, ["ok"] * 50)
        assert sizes(server) == [50, 25]


@pytest.mark.parametrize(
    "item", [{}, {"error": {"title": "Rate limit exceeded"}}, {"status": 500}, None, [], 0, "x"]
)
def test_an_item_without_an_address_is_no_answer_of_ipinfo(here: Here, item: object) -> None:
    """Neither "unknown" nor anything else that is kept: {"ip"} is what it says about the unknown."""
    with RawServer(lambda _number, targets: http(200, dict.fromkeys(targets, item))) as server:
        where = {"GEOCLI_IPINFO_URL": server.url, "GEOCLI_IPINFO_TOKEN": "t"}
        done = here("-p", "ipinfo", "-j", "8.8.8.8", environment=where)
    assert (done.code, done.statuses) == (3, ["error"])


def test_every_field_of_every_source_arrives(here: Here) -> None:
    with IpApi(limit=None) as first, CountryIs(limit=None) as second, Ipinfo() as third:
        servers: list[Emulator] = [first, second, third]
        found = {
            name_of(server): here(
                "-p", name_of(server), "-j", "--no-cache", targets=KNOWN, environment=environment(server)
            ).records
            for server in servers
        }
    for answers in zip(*found.values(), strict=True):
        for field in ("ip", "status", "country_code", "asn", "org"):
            assert len({answer[field] for answer in answers}) == 1
            assert answers[0][field] is not None
        for answer in answers:
            assert answer["country_name"]
            assert answer["network"] is None
        assert answers[0]["region"]
        assert answers[0]["city"]
        assert isinstance(answers[0]["latitude"], float)
        assert isinstance(answers[0]["longitude"], float)
    assert first.requests[0].query.keys() == {"fields"}
    assert second.requests[0].query == {"fields": "asn"}


def test_a_flushed_answer_serves(here: Here) -> None:
    with IpApi(limit=None) as server:
        where = environment(server)
        done = here("-p", "ip-api", "-j", targets=KNOWN, environment=where)
        assert here("flush").code == 0
        assert here("-p", "ip-api", "-j", targets=KNOWN, environment=where).records == done.records
        assert len(server.requests) == 1
    rows = (
        sqlite3.connect(here.data_dir / "geo.db").execute("SELECT DISTINCT source FROM geo_cache").fetchall()
    )
    assert rows == [("ip-api",)]

"""Chains: who is asked about what, and whose word counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.config.settings import Settings
from geocli.lookup.resolver import Answers, Resolver
from geocli.model.errors import DamagedFileError, GeocliError, UnanswerableError
from geocli.model.records import GeoRecord, Status
from geocli.system.reporter import Reporter
from tests.conftest import Geocli, MakeMmdb
from tests.providers.online.servers import environment
from tests.support.emulators import CountryIs, Fault, IpApi
from tests.support.examples import examples
from tests.support.targets import addresses

NOW = "2026-11-24T12:00:00Z"


class Stub:
    """A provider that says what it was told to, in parts of a given size, and remembers what it was asked."""

    def __init__(
        self,
        name: str,
        said: dict[str, Status],
        *,
        local: bool = False,
        size: int = 100,
        breaks_after: int | None = None,
        backwards: bool = False,
    ) -> None:
        self.sources = frozenset({name})
        self.local = local
        self.batch_size = size
        self.asked: list[list[str]] = []
        self._name = name
        self._said = said
        self._breaks_after = breaks_after
        self._backwards = backwards

    def resolve(self, targets: Sequence[str], reporter: Reporter) -> Iterator[list[GeoRecord]]:  # noqa: ARG002 (the contract)
        self.asked.append(list(targets))
        order = targets[::-1] if self._backwards else targets
        for number, begin in enumerate(range(0, len(order), self.batch_size)):
            if number == self._breaks_after:
                raise UnanswerableError(f"{self._name} is away")
            yield [self._record(target) for target in order[begin : begin + self.batch_size]]
        if self._breaks_after is not None and self._breaks_after * self.batch_size >= len(order):
            raise UnanswerableError(f"{self._name} is away")

    def _record(self, target: str) -> GeoRecord:
        status = self._said.get(target, "unknown")
        if status == "error":
            return GeoRecord(target, "error")
        country = "DE" if status == "ok" else None
        return GeoRecord(target, status, country, source=self._name, resolved_at=NOW)


def resolved(
    chain: Sequence[Stub], batch: Sequence[str]
) -> tuple[list[Answers], dict[str, GeoRecord], list[str]]:
    """All that a chain without a cache says: as it came, by address, and the problems."""
    problems: list[str] = []

    def note(error: GeocliError) -> None:
        problems.append(str(error))

    resolver = Resolver(chain, None, Settings(Path("/nowhere")), Reporter(problem=note))
    parts = list(resolver.answer(batch))
    shown = [record for part in parts for record in part.shown.records()]
    assert [record.ip for record in shown] == list(batch)
    fresh = [record for part in parts for record in part.fresh.records()]
    assert len({record.ip for record in fresh}) == len(fresh)
    by_address = {record.ip: record for record in shown}
    assert {record.ip: record for record in fresh} == {
        ip: record for ip, record in by_address.items() if record.status in {"ok", "unknown"}
    }
    return parts, by_address, problems


A, B, C = "23.0.0.1", "23.0.0.2", "23.0.0.3"


def test_the_next_is_asked_only_about_what_the_first_does_not_know() -> None:
    first, second = Stub("one", {A: "ok"}), Stub("two", {B: "ok"})
    _, found, problems = resolved([first, second], [A, B, C, B, A])
    assert first.asked == [[A, B, C]]
    assert second.asked == [[B, C]]
    assert [found[ip].source for ip in (A, B, C)] == ["one", "two", "one,two"]
    assert [found[ip].status for ip in (A, B, C)] == ["ok", "ok", "unknown"]
    assert problems == []


def test_nobody_is_asked_about_nothing() -> None:
    first, second = Stub("one", {A: "ok", B: "ok"}), Stub("two", {})
    resolved([first, second], [A, B])
    resolved([first, second], ["10.0.0.1", "::1"])
    resolved([first, second], [])
    assert first.asked == [[A, B]]
    assert second.asked == []


FIRST_SAYS_THEN_SECOND: list[tuple[Status, Status, Status, str | None]] = [
    ("ok", "ok", "ok", "one"),
    ("unknown", "ok", "ok", "two"),
    ("error", "ok", "ok", "two"),
    ("unknown", "unknown", "unknown", "one,two"),
    ("error", "unknown", "error", None),
    ("unknown", "error", "error", None),
    ("error", "error", "error", None),
]


@pytest.mark.parametrize(("first", "second", "status", "source"), FIRST_SAYS_THEN_SECOND)
def test_unknown_needs_everybody_s_word(
    first: Status, second: Status, status: Status, source: str | None
) -> None:
    _, found, _ = resolved([Stub("one", {A: first}), Stub("two", {A: second})], [A])
    assert (found[A].status, found[A].source) == (status, source)
    if status == "error":
        assert found[A] == GeoRecord(A, "error")


def test_three_in_a_chain() -> None:
    said: list[dict[str, Status]] = [{A: "ok", B: "error"}, {B: "unknown", C: "error"}, {B: "ok", C: "ok"}]
    chain = [Stub(name, answers) for name, answers in zip(["one", "two", "three"], said, strict=True)]
    _, found, _ = resolved(chain, [A, B, C, "23.0.0.4"])
    assert [found[ip].source for ip in (A, B, C)] == ["one", "three", "three"]
    assert found["23.0.0.4"].source == "one,two,three"
    assert chain[2].asked == [[B, C, "23.0.0.4"]]


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_who_goes_away_in_the_midst_is_replaced_by_the_next(after: int) -> None:
    batch = [f"23.0.0.{n}" for n in range(6)]
    everything: dict[str, Status] = dict.fromkeys(batch, "ok")
    first = Stub("one", everything, size=2, breaks_after=after)
    _, found, problems = resolved([first, Stub("two", everything)], batch)
    assert [found[ip].source for ip in batch] == ["one"] * 2 * after + ["two"] * (6 - 2 * after)
    assert problems == ["one is away"]
    alone = Stub("one", everything, size=2, breaks_after=after)
    _, found, problems = resolved([alone], batch)
    assert [found[ip].status for ip in batch] == ["ok"] * 2 * after + ["error"] * (6 - 2 * after)
    assert problems == ["one is away"]


def test_what_is_known_is_given_out_before_the_rest_is_asked_about() -> None:
    first = Stub("one", {A: "ok"})
    parts, _, _ = resolved([first, Stub("two", {B: "ok"})], ["10.0.0.1", A, B])
    assert [list(part.shown.ips) for part in parts if part.shown.ips] == [
        ["10.0.0.1"],
        [A],
        [B],
    ]


def test_the_next_is_asked_in_full_batches() -> None:
    batch = [f"23.0.{n >> 8}.{n & 255}" for n in range(1000)]
    first = Stub("one", {}, size=30)
    second = Stub("two", dict.fromkeys(batch, "ok"), size=100)
    resolved([first, second], batch)
    asked = [len(targets) for targets in second.asked]
    assert sum(asked) == 1000
    assert all(size % 100 == 0 for size in asked)
    assert [target for targets in second.asked for target in targets] == batch


def test_answers_out_of_order_are_shown_in_order() -> None:
    batch = [f"23.0.0.{n}" for n in range(250)]
    resolved([Stub("one", {}, size=20, backwards=True), Stub("two", {}, size=33, backwards=True)], batch)


def test_a_damaged_database_is_no_source_that_is_away(tmp_path: Path) -> None:
    class Damaged(Stub):
        def resolve(self, *_: object) -> Iterator[list[GeoRecord]]:
            raise DamagedFileError(tmp_path, "is damaged", "replace it")

    with pytest.raises(DamagedFileError):
        resolved([Damaged("one", {}), Stub("two", {})], [A])


statuses = st.sampled_from(["ok", "unknown", "error"])


@examples(150)
@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 30), statuses),
            st.integers(1, 10),
            st.none() | st.integers(0, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_a_chain_says_each_target_gets_its_answer_in_order(
    numbers: list[int], told: list[tuple[dict[int, Status], int, int | None, bool]]
) -> None:
    chain = [
        Stub(
            f"s{index}",
            {f"23.0.0.{n}": status for n, status in said.items()},
            size=size,
            breaks_after=breaks,
            backwards=backwards,
        )
        for index, (said, size, breaks, backwards) in enumerate(told)
    ]
    _, found, _ = resolved(chain, [f"23.0.0.{n}" for n in numbers])
    for stub in chain:
        for targets in stub.asked:
            assert targets
            assert len(set(targets)) == len(targets)
    for earlier, later in pairwise(chain):
        assert {t for targets in later.asked for t in targets} <= {
            t for targets in earlier.asked for t in targets
        }
    for ip, record in found.items():
        if record.status == "unknown":
            assert record.source == ",".join(f"s{index}" for index in range(len(chain)))
        elif record.status == "ok":
            assert record.source in {f"s{index}" for index in range(len(chain))}
            assert chain[int(str(record.source)[1:])]._said[ip] == "ok"


# --- with real providers ------------------------------------------------------------------------------


def half_known(make_mmdb: MakeMmdb, targets: list[str]) -> Path:
    return make_mmdb(
        "half", {f"{target}/32": {"country": {"iso_code": "DE"}} for target in targets[::2]}, ip_version=4
    )


def rows(done_out: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in done_out.splitlines()]


def test_an_online_source_behind_a_database_is_asked_about_the_rest_in_full_batches(
    geocli: Geocli, make_mmdb: MakeMmdb
) -> None:
    targets = addresses(450)
    database = half_known(make_mmdb, targets)
    with IpApi(limit=None) as server:
        asking = Geocli(geocli.data_dir, environment(server))
        arguments = ("--mmdb", database, "-p", "mmdb,ip-api", "-j")
        done = asking(*arguments, stdin="\n".join(targets))
        assert done.returncode == 0
        assert server.addresses == Counter(targets[1::2])
        assert [len(request.targets) for request in server.requests] == [100, 100, 25]
        records = rows(done.stdout)
        assert [record["ip"] for record in records] == targets
        assert {record["source"] for record in records[1::2]} == {"ip-api"}
        assert all(record["source"].startswith("mmdb:") for record in records[::2])
        assert rows(asking(*arguments, stdin="\n".join(targets)).stdout) == records
        assert len(server.requests) == 3


def test_a_database_behind_an_online_source_answers_when_that_is_down(
    geocli: Geocli, make_mmdb: MakeMmdb
) -> None:
    targets = addresses(50)
    database = half_known(make_mmdb, targets)
    with IpApi(limit=None) as server:
        asking = Geocli(geocli.data_dir, environment(server))
        arguments = ("--mmdb", database, "-p", "ip-api,mmdb", "-j")
        server.fail_next(Fault.GARBAGE, times=None)
        done = asking(*arguments, stdin="\n".join(targets))
        assert done.returncode == 3  # half of them nobody could say anything about
        records = rows(done.stdout)
        assert [record["status"] for record in records] == ["ok", "error"] * 25
        assert len(done.stderr.splitlines()) == 2  # the notice, and the cause
        server.recover()
        done = asking(*arguments, "--refresh", stdin="\n".join(targets))
        assert (done.returncode, done.stderr) == (0, "")
        assert {record["source"] for record in rows(done.stdout)} == {"ip-api"}


def test_one_online_source_behind_another(geocli: Geocli) -> None:
    targets = addresses(120)
    with IpApi(limit=None) as first, CountryIs(limit=None) as second:
        first.unknown.update(targets[:30])
        second.unknown.update(targets[:10])
        asking = Geocli(geocli.data_dir, environment(first, second))
        done = asking("-p", "ip-api,country-is", "-j", stdin="\n".join(targets))
        records = rows(done.stdout)
        assert [record["source"] for record in records] == [
            *["ip-api,country-is"] * 10,
            *["country-is"] * 20,
            *["ip-api"] * 90,
        ]
        assert second.addresses == Counter(targets[:30])
        # "Unknown" with everybody's word serves; with less than that, it does not.
        asking("-p", "ip-api,country-is", "-j", stdin="\n".join(targets))
        assert (sum(first.addresses.values()), sum(second.addresses.values())) == (120, 30)
        assert sum("ip-api" in line and "HTTP" in line for line in done.stderr.splitlines()) == 1
        assert sum("country-is" in line and "HTTP" in line for line in done.stderr.splitlines()) == 1


def test_the_default_chain_asks_nobody(geocli: Geocli) -> None:
    with IpApi(limit=None) as first, CountryIs(limit=None) as second:
        asking = Geocli(geocli.data_dir, environment(first, second))
        done = asking("-e", "8.8.8.8", "5.1.1.255", "255.255.255.254")
        assert done.stderr == ""
        assert first.requests == second.requests == []
        assert not (geocli.data_dir / "pacing").exists()


def test_a_name_that_no_provider_has_is_a_usage_error_before_anybody_is_asked(geocli: Geocli) -> None:
    with IpApi(limit=None) as server:
        done = Geocli(geocli.data_dir, environment(server))("-p", "ip-api,nobody", "8.8.8.8")
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert server.requests == []


def test_a_provider_named_twice_is_asked_once(geocli: Geocli) -> None:
    with IpApi(limit=None) as server:
        server.unknown.add("8.8.8.8")
        done = Geocli(geocli.data_dir, environment(server))("-p", "ip-api,ip-api", "-j", "8.8.8.8")
        assert rows(done.stdout)[0]["source"] == "ip-api"
        assert len(server.requests) == 1

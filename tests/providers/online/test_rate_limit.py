"""The pacing state on disk: whatever is in that file, nobody waits for ever and nobody rushes."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.errors import UnanswerableError
from geocli.providers.online import rate_limit
from geocli.providers.online.base import Limit
from geocli.providers.online.rate_limit import RateLimit
from tests.conftest import Geocli, GeocliProcess, need
from tests.providers.online.conftest import Here
from tests.providers.online.servers import IpApi, environment
from tests.support.examples import examples
from tests.support.targets import addresses

LIMIT = Limit(3, 0.3)
QUICK = Limit(3, 0.05)


def nothing(_what: str, _seconds: float) -> None:
    pass


class Clock:
    """Time that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self._now = time.time()

    def time(self) -> float:
        return self._now

    monotonic = time

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await asyncio.sleep(0)


CLOCK = Clock()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the limits are kept of sources that are asked by that clock."""
    monkeypatch.setattr(rate_limit, "time", CLOCK)
    monkeypatch.setattr(rate_limit, "asyncio", CLOCK)
    return tmp_path / "data" / "pacing"


@pytest.fixture
def file(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory / "some-source.json"


def pacing(directory: Path, limit: Limit | None = LIMIT, budget: float | None = None) -> RateLimit:
    return RateLimit(directory, "some-source", limit, budget, nothing)


def asked(paced: RateLimit, times: int = 1, *, within: float = 5) -> list[float]:
    """When so many requests that tell nothing could be sent, in seconds from now."""

    async def ask() -> list[float]:
        begun, moments = CLOCK.time(), []
        for _ in range(times):
            await paced.enter()
            moments.append(CLOCK.time() - begun)
            await paced.leave(None, None)
            assert moments[-1] < within
        return moments

    return asyncio.run(ask())


def tell(paced: RateLimit, left: int, seconds: float) -> None:
    async def ask() -> None:
        await paced.enter()
        await paced.leave(left, seconds)

    asyncio.run(ask())


def test_so_many_at_once_and_then_a_window(directory: Path) -> None:
    moments = asked(pacing(directory), 8)
    assert moments[2] < 0.1
    assert 0.3 <= moments[3] <= moments[5] < 0.5
    assert 0.6 <= moments[6] <= moments[7] < 0.9


def test_the_next_process_goes_on_where_the_last_one_was(directory: Path) -> None:
    assert asked(pacing(directory), 2)[-1] < 0.1
    moments = asked(pacing(directory), 2)
    assert moments[0] < 0.1 < 0.2 < moments[1]


def test_what_a_source_told_holds_for_the_next_process(directory: Path) -> None:
    tell(pacing(directory), 0, 1)
    assert asked(pacing(directory))[0] >= 1
    tell(pacing(directory), 1, 1)
    first, second = asked(pacing(directory), 2)
    assert first < 0.1 < 0.9 < second


def test_a_source_without_a_limit_waits_only_when_told(directory: Path) -> None:
    assert asked(pacing(directory, None), 200)[-1] < 1
    tell(pacing(directory, None), 5, 60)
    assert asked(pacing(directory, None))[0] < 0.1
    tell(pacing(directory, None), 0, 0.3)
    assert asked(pacing(directory, None))[0] >= 0.3


def test_sources_and_servers_do_not_share(directory: Path) -> None:
    tell(pacing(directory), 0, 60)
    other = RateLimit(directory, "other-source", LIMIT, None, nothing)
    assert asked(other)[0] < 0.1


def test_the_file_is_private_and_says_nothing_but_numbers(directory: Path, file: Path) -> None:
    tell(pacing(directory), 2, 60)
    assert file.stat().st_mode & 0o777 == 0o600
    assert all(
        value is None or isinstance(value, (int, float)) for value in json.loads(file.read_text()).values()
    )
    assert file.stat().st_size < 300


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "\x1b[2J", "x" * 5000, "[::1]:80", "ü", "", "a\0b", "..", "."]
)
def test_no_name_leads_out_of_the_directory(directory: Path, name: str) -> None:
    asked(RateLimit(directory, name, LIMIT, None, nothing))
    (made,) = directory.parent.rglob("*.json")
    assert made.parent == directory
    assert made.name.isascii()
    assert made.name.isprintable()


HOSTILE = [
    b"\0" * 100,
    b"{",
    b"null",
    b"[]",
    b"42",
    b'"text"',
    b'{"left": -1, "reset": 0, "told": true, "noticed": true}',
    b'{"left": 1.5}',
    b'{"left": true}',
    b'{"left": "3"}',
    b'{"left": 99999999999999999999999, "reset": 99999999999}',
    b'{"reset": NaN, "left": 0}',
    b'{"reset": Infinity, "left": 0}',
    b'{"reset": "soon", "left": 0}',
    b'{"reset": null, "left": 0}',
    b'{"reset": [], "left": []}',
    b'{"told": 1}',
    b'{"noticed": "yes"}',
    b'{"__class__": "x"}',
    b'{"left": 0, "reset": ' + b"9" * 3000 + b"}",
    b'{"left": 0, "reset": 1e308}',
    b'{"left": 0, "reset": -1e308}',
    b'{"left": 0} {"left": 0}',
    b"[" * 4000,
    b'{"left": ' * 400,
    b" " * 4096 + b"{}",
    b"x" * 10_000_000,
    b"\xff\xfe\xfd",
    '{"left": 3}'.encode("utf-16"),
]


@pytest.mark.parametrize("limit", [QUICK, None], ids=["limited", "unlimited"])
@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: ascii(content[:40]))
def test_whatever_is_in_the_file_nobody_waits_longer_than_for_a_window(
    directory: Path, file: Path, content: bytes, limit: Limit | None
) -> None:
    file.write_bytes(content)
    assert asked(pacing(directory, limit), within=1)[0] < 0.5
    if limit is not None:
        assert isinstance(json.loads(file.read_bytes()), dict)  # and now it is good again


@pytest.mark.parametrize("limit", [QUICK, None], ids=["limited", "unlimited"])
def test_what_is_told_meanwhile_replaces_whatever_was_there(
    directory: Path, file: Path, limit: Limit | None
) -> None:
    async def ask() -> None:
        paced = pacing(directory, limit)
        await paced.enter()
        file.write_bytes(b"scribble")
        await paced.leave(0, 0.2)

    asyncio.run(ask())
    assert asked(pacing(directory, limit), within=1)[0] >= 0.19


def test_a_damaged_file_is_no_leave_to_rush(directory: Path, file: Path) -> None:
    asked(pacing(directory), 3)
    file.write_bytes(b"scribble")
    assert asked(pacing(directory), within=1)[0] >= 0.2


def test_an_empty_file_is_a_new_one(directory: Path, file: Path) -> None:
    file.write_bytes(b"")
    assert asked(pacing(directory))[0] < 0.1


@pytest.mark.parametrize("years", [1, 10, 1000, 100_000])
def test_a_file_from_the_far_future_stops_nobody(directory: Path, file: Path, years: int) -> None:
    """The clock was wrong when it was written, and is right now."""
    state = {"left": 0, "reset": CLOCK.time() + years * 31_536_000, "told": True, "noticed": True}
    file.write_text(json.dumps(state))
    assert asked(pacing(directory))[0] < 0.5
    assert json.loads(file.read_text())["noticed"] is True


def test_nobody_waits_longer_than_a_day(directory: Path, file: Path) -> None:
    tell(pacing(directory), 0, 10**9)
    assert json.loads(file.read_text())["reset"] <= CLOCK.time() + 86400 + 2
    with pytest.raises(UnanswerableError, match="max-wait"):
        asked(pacing(directory, budget=60))


def test_a_symbolic_link_is_not_followed(directory: Path, file: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep this")
    file.symlink_to(precious)
    moments = asked(pacing(directory), 4)
    assert moments[2] < 0.1 < 0.2 < moments[3]
    assert precious.read_text() == "keep this"
    file.unlink()
    file.symlink_to(tmp_path / "not there")
    assert asked(pacing(directory))[0] < 0.1
    assert not (tmp_path / "not there").exists()


def make_directory(file: Path) -> None:
    file.mkdir()


def make_pipe(file: Path) -> None:
    os.mkfifo(file)


def make_the_directory_a_file(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("")


@pytest.mark.parametrize("make", [make_directory, make_pipe, make_the_directory_a_file])
def test_what_is_no_file_leaves_the_process_to_pace_itself(
    directory: Path, file: Path, make: Callable[[Path], None]
) -> None:
    make(file)
    moments = asked(pacing(directory), 4)
    assert moments[2] < 0.1 < 0.2 < moments[3]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINTR])
def test_a_file_system_that_cannot_lock_leaves_the_process_to_pace_itself(
    directory: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def cannot(_file: int, _how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", cannot)
    moments = asked(pacing(directory), 4)
    assert moments[2] < 0.1 < 0.2 < moments[3]


def test_a_full_disk_leaves_the_process_to_pace_itself(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", cannot)
    moments = asked(pacing(directory), 4)
    assert moments[2] < 0.1 < 0.2 < moments[3]


def test_a_read_only_data_directory_is_answered_within_the_limit(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o500)
    with IpApi(limit=2, window=1) as server:
        geocli = Geocli(data_dir, environment(server))
        # root may write everywhere, unless it gives that up.
        drop = [need("setpriv"), "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
        bound = Bound(data_dir, geocli.environment, (*drop, *geocli.command))
        done = bound("-p", "ip-api", "-f", "status", stdin="\n".join(addresses(350)))
        assert set(done.stdout.split()) == {"ok"}
        assert len(server.requests) == 4
        assert server.count(429) == 0
    assert list(data_dir.iterdir()) == []
    assert any(str(data_dir) in line for line in done.stderr.splitlines())  # nothing could be kept
    assert len(done.stderr.splitlines()) <= 2


class Bound(GeocliProcess):
    """geocli behind another program."""

    def __init__(self, data_dir: Path, environment: object, command: tuple[str, ...]) -> None:
        super().__init__(data_dir, environment)  # type: ignore[arg-type]
        object.__setattr__(self, "_command", command)

    @property
    def command(self) -> list[str]:
        return list(self._command)  # type: ignore[attr-defined]


def test_a_process_that_dies_lets_go_of_the_lock_and_what_it_took_stays_taken(directory: Path) -> None:
    if (child := os.fork()) == 0:
        paced = pacing(directory)
        asyncio.run(paced.enter())
        os._exit(0)  # in the midst of a request
    os.waitpid(child, 0)
    moments = asked(pacing(directory), 3)
    assert moments[1] < 0.1 < 0.2 < moments[2]


def test_the_budget_is_for_all_waits_together(directory: Path) -> None:
    paced = pacing(directory, budget=0.5)
    with pytest.raises(UnanswerableError, match="max-wait"):
        asked(paced, 10)
    assert len(asked(pacing(directory, budget=5), 7)) == 7


def test_the_notice_is_given_once_also_to_many(directory: Path) -> None:
    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(pacing(directory).first_notice() for _ in range(20)))

    assert sorted(asyncio.run(all_at_once())) == [False] * 19 + [True]
    asked(pacing(directory), 4)
    tell(pacing(directory), 0, 0.1)
    assert asyncio.run(pacing(directory).first_notice()) is False


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)


@examples(15)
@given(
    st.one_of(
        st.binary(max_size=50),
        st.dictionaries(st.sampled_from(["left", "reset", "told", "slack", "noticed", "x"]), values).map(
            lambda state: json.dumps(state).encode()
        ),
    )
)
def test_any_content_is_as_good_as_another(directory: Path, content: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "some-source.json").write_bytes(content)
    assert asked(pacing(directory, QUICK), within=1)[0] < 1


# --- the notice ---------------------------------------------------------------------------------------


def test_plain_http_is_noticed_once_for_a_data_directory(here: Here) -> None:
    with IpApi(limit=None) as server:
        where = environment(server)
        assert "8.8.8.8" not in here("-p", "mmdb", "8.8.8.8", environment=where).err
        first = here("-p", "ip-api", "8.8.8.8", environment=where)
        assert first.err.count("\n") == 1
        assert "ip-api" in first.err
        assert "plain HTTP" in first.err
        assert here("-p", "ip-api", "1.1.1.1", environment=where).err == ""
        assert here("-p", "ip-api", "8.8.8.8", environment=where).err == ""


def test_plain_http_is_not_noticed_when_quiet_nor_when_nothing_is_sent(here: Here) -> None:
    with IpApi(limit=None) as server:
        where = environment(server)
        assert here("-p", "ip-api", "10.0.0.1", environment=where).err == ""
        assert here("-p", "mmdb,ip-api", "8.8.8.8", environment=where).err == ""
        assert server.requests == []
        assert here("-q", "-p", "ip-api", "1.1.1.1", environment=where).err == ""
        assert len(server.requests) == 1

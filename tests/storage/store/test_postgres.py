"""The store on a PostgreSQL server: one transaction, one round trip, no waiting, nothing lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from geocli.model.errors import DamagedFileError, StoreAwayError, UsageError
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.store.base import Outlived
from geocli.storage.store.postgres.schema import SCHEMA_VERSION
from geocli.storage.store.postgres.store import PostgresStore
from tests.storage.store.samples import NOW, OLD, answers, every_ban, record
from tests.support.bans import BAN
from tests.support.postgres_server import Postgres
from tests.support.proxy import Proxy
from tests.support.waiting import PATIENCE, wait_until

LATER = "2026-11-24T00:00:00Z"


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_url()


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url, 5, 5)) as made:
        yield made


def select(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_flush_is_one_transaction(store: PostgresStore, url: str) -> None:
    store.replay([], NOW)
    batches = [
        Batch.of([record(f"192.0.{n}.{m}") for m in range(100)], [BAN._replace(jail=f"{n}")])
        for n in range(52)
    ]
    assert store.replay(batches, LATER) == 5252
    rows = "SELECT xmin FROM geo_cache UNION SELECT xmin FROM bans"
    state = "SELECT xmin FROM geo_state WHERE name = 'last_flush'"
    assert len(select(url, f"{rows} UNION {state}")) == 1
    assert store.state() == (5200, 0, 52, LATER, None, 0)


def test_many_bans_among_many_answers_arrive(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.postgres.writer._BANS_AT_ONCE", 10)
    batches = [Batch.of([record(f"192.0.2.{n}")], [BAN._replace(jail=f"{n:03}")] * 3) for n in range(100)]
    assert store.replay(batches, NOW) == 400
    assert store.state()[:3] == (100, 0, 100)


def test_nothing_is_left_on_the_server_but_the_three_tables(store: PostgresStore, url: str) -> None:
    store.replay([Batch.of([record("192.0.2.1")], [BAN])], NOW)
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '{}' ORDER BY relname"
    own = "relnamespace = current_schema()::regnamespace AND relkind"
    found = select(url, tables.format("").replace("relkind", own))
    assert found == [("bans",), ("geo_cache",), ("geo_state",)]
    assert select(url, tables.format("incoming")) == []


def test_a_batch_is_one_round_trip(store: PostgresStore, postgres: Postgres, url: str) -> None:
    store.replay(answers([record(f"192.0.2.{n}") for n in range(200)]), NOW)
    with Proxy(postgres.port) as proxy, closing(PostgresStore(moved(url, postgres, proxy), 5, 5)) as far:
        assert len(far.find([f"192.0.2.{n}" for n in range(100)])) == 100
        before = proxy.trips
        assert len(far.find([f"192.0.2.{n}" for n in range(100, 256)])) == 100
        assert proxy.trips - before == 1


def moved(url: str, postgres: Postgres, proxy: Proxy) -> str:
    return url.replace(str(postgres.port), str(proxy.port))


def answered_within(seconds: float, ask: Callable[[], object]) -> None:
    """That it gives up in this time."""
    begun = time.monotonic()
    with pytest.raises(StoreAwayError):
        ask()
    assert time.monotonic() - begun < seconds + PATIENCE


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://geocli@127.0.0.1:{silent.getsockname()[1]}/geocli"
        for seconds in (0.1, 0.3):
            store = PostgresStore(url, seconds, 0)
            answered_within(seconds, lambda: store.find(["192.0.2.1"]))  # noqa: B023 (called at once)
        answered_within(2, lambda: store.replay(answers([record("192.0.2.1")]), NOW))
        answered_within(0, store.state)


def test_a_server_that_is_slow_is_not_waited_for(store: PostgresStore, postgres: Postgres, url: str) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with Proxy(postgres.port) as proxy, closing(PostgresStore(moved(url, postgres, proxy), 0.5, 5)) as far:
        proxy.delay = 1
        answered_within(0.5, lambda: far.find(["192.0.2.1"]))
        proxy.delay = 0
        far._read_timeout = 5
        assert far.find(["192.0.2.1"])
        proxy.delay, far._read_timeout = 1, 0.3
        answered_within(0.3, lambda: far.find(["192.0.2.1"]))


def test_a_server_that_hangs_is_not_waited_for(store: PostgresStore, postgres: Postgres) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    assert store.find(["192.0.2.1"])
    store._read_timeout = 0.3
    postgres.pause()
    try:
        answered_within(0.3, lambda: store.find(["192.0.2.1"]))
        answered_within(0.3, lambda: store.find(["192.0.2.1"]))
    finally:
        postgres.resume()
    store._read_timeout = 5
    assert store.find(["192.0.2.1"])


def test_a_locked_table_is_not_waited_for_not_even_by_the_server(store: PostgresStore, url: str) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with closing(psycopg.connect(url)) as other:
        other.execute("LOCK TABLE geo_cache IN ACCESS EXCLUSIVE MODE")
        store._read_timeout = 0.3
        answered_within(0.3, lambda: store.find(["192.0.2.1"]))
        wait_until(lambda: select(url, waiting) == [(0,)])


def test_a_connection_that_was_lost_meanwhile_is_made_again(
    store: PostgresStore, postgres: Postgres, url: str
) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    with Proxy(postgres.port) as proxy, closing(PostgresStore(moved(url, postgres, proxy), 5, 5)) as far:
        assert far.find(["192.0.2.1"])
        proxy.cut()
        assert far.find(["192.0.2.1"])
    assert store.find(["192.0.2.1"])
    postgres.stop()
    answered_within(0, lambda: store.find(["192.0.2.1"]))
    postgres.start()
    assert store.find(["192.0.2.1"])


def test_a_locked_row_is_for_later_and_nothing_is_lost(store: PostgresStore, url: str) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    impatient = PostgresStore(url, 5, 0.2)
    with closing(psycopg.connect(url)) as other:
        other.execute("UPDATE geo_cache SET org = 'x' WHERE ip = '192.0.2.1'")
        with pytest.raises(StoreAwayError, match="lock timeout"):
            impatient.replay(answers([record("192.0.2.1", "FR", 5), record("192.0.2.2")]), LATER)
        assert store.state()[:4] == (1, 0, 0, NOW)
    assert impatient.replay(answers([record("192.0.2.1", "FR", 5), record("192.0.2.2")]), LATER) == 2
    assert store.find(["192.0.2.1"])["192.0.2.1"].country_code == "FR"


def test_a_server_that_is_killed_in_the_midst_of_a_flush_has_all_or_nothing(
    store: PostgresStore, postgres: Postgres
) -> None:
    rows = [[record(f"10.{n}.{m >> 8}.{m & 255}") for m in range(5000)] for n in range(6)]

    def interrupted() -> Iterator[Batch]:
        for number, batch in enumerate(answers(*rows)):
            if number == 3:
                postgres.kill()
            yield batch

    store.replay(answers([record("192.0.2.1")]), NOW)
    with pytest.raises(StoreAwayError):
        store.replay(interrupted(), LATER)
    postgres.start()
    assert store.state()[:4] == (1, 0, 0, NOW)
    assert store.replay(answers(*rows), LATER) == 30_000
    assert store.state()[:4] == (30_001, 0, 0, LATER)


# --- many at once -------------------------------------------------------------------------------------


def at_once(work: Callable[[int], None], count: int) -> None:
    """Let so many threads do it in the same moment. Raises what any of them raised."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> None:
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(begin, range(count)))


def test_twenty_machines_may_begin_at_once(url: str) -> None:
    def flush(number: int) -> None:
        PostgresStore(url, 5, 30).replay([Batch.of([record(f"192.0.2.{number}")], [BAN])], NOW)

    at_once(flush, 20)
    with closing(PostgresStore(url, 5, 5)) as store:
        assert store.state()[:3] == (20, 0, 1)
    assert select(url, "SELECT value FROM geo_state WHERE name = 'schema_version'") == [
        (str(SCHEMA_VERSION),)
    ]


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_machines_that_flush_the_same_at_once_never_lock_each_other_out(
    postgres: Postgres, isolation: str
) -> None:
    level = isolation.replace(" ", "%5C%20")
    url = f"{postgres.new_url()}%20-cdefault_transaction_isolation%3D{level}"
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = select(url, deadlocks)
    with closing(PostgresStore(url, 5, 5)) as store:
        store.replay([], NOW)

    def flush(number: int) -> None:
        rows = [
            record(f"192.0.2.{n}", country="FR" if number == 3 else "DE", second=number) for n in range(250)
        ]
        bans = [BAN._replace(ip=row.ip, last_seen=f"2026-11-22T00:00:{number:02}Z") for row in rows]
        if number % 2:
            rows, bans = rows[::-1], bans[::-1]
        for _ in range(3):
            machine = PostgresStore(url, 5, 30)
            assert machine.replay([Batch.of(rows, bans)], f"2026-11-23T10:00:{number:02}Z") == 500

    at_once(flush, 4)
    with closing(PostgresStore(url, 5, 5)) as store:
        found = store.find([f"192.0.2.{n}" for n in range(250)])
        assert {(row.country_code, row.resolved_at) for row in found.values()} == {
            ("FR", "2026-11-01T00:00:03Z")
        }
        assert {ban.last_seen for ban in every_ban(store)} == {"2026-11-22T00:00:03Z"}
        assert store.state()[:4] == (250, 0, 250, "2026-11-23T10:00:03Z")
    assert select(url, deadlocks) == before


class Colliding:
    """Batches in whose midst another machine writes the same row; the first time only."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.times = 0

    def __iter__(self) -> Iterator[Batch]:
        self.times += 1
        yield Batch.of([record("192.0.2.1", "DE", 5)])
        if self.times == 1:
            select(self._url, "UPDATE geo_cache SET country_code = 'FR', resolved_at = resolved_at || ''")
        yield Batch.of([record("192.0.2.2", "DE", 5)])


def test_a_collision_is_resolved_by_doing_it_again(postgres: Postgres) -> None:
    url = f"{postgres.new_url()}%20-cdefault_transaction_isolation%3Drepeatable%5C%20read"
    with closing(PostgresStore(url, 5, 5)) as store:
        store.replay(answers([record("192.0.2.1", "IT", 9)]), NOW)
        batches = Colliding(url)
        assert store.replay(batches, LATER) == 2
        assert batches.times == 2
        kept = store.find(["192.0.2.1", "192.0.2.2"])
        assert {ip: row.country_code for ip, row in kept.items()} == {"192.0.2.1": "FR", "192.0.2.2": "DE"}


def test_what_can_be_gone_through_only_once_is_not_taken_for_empty(postgres: Postgres) -> None:
    url = f"{postgres.new_url()}%20-cdefault_transaction_isolation%3Drepeatable%5C%20read"
    with closing(PostgresStore(url, 5, 5)) as store:
        store.replay(answers([record("192.0.2.1", "IT", 9)]), NOW)
        with pytest.raises(StoreAwayError):
            store.replay(iter(Colliding(url)), LATER)
        assert store.state()[:4] == (1, 0, 0, NOW)


# --- what is on the server ----------------------------------------------------------------------------


def test_a_store_of_a_newer_geocli_is_refused(store: PostgresStore, url: str) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    select(url, "UPDATE geo_state SET value = CAST(value AS INT) + 1 WHERE name = 'schema_version'")
    with closing(PostgresStore(url, 5, 5)) as other:
        for action in (
            lambda: other.find(["192.0.2.1"]),
            lambda: other.replay(answers([record("192.0.2.2")]), LATER),
            lambda: other.forget(LATER, ["answers"], NOW),
        ):
            with pytest.raises(DamagedFileError, match="newer geocli"):
                action()
    assert select(url, "SELECT count(*) FROM geo_cache") == [(1,)]


def test_somebody_elses_tables_are_refused(store: PostgresStore, url: str) -> None:
    select(url, "CREATE TABLE geo_state (customer TEXT)")
    for action in (
        lambda: store.find(["192.0.2.1"]),
        lambda: store.replay(answers([record("192.0.2.1")]), NOW),
    ):
        with pytest.raises(DamagedFileError, match="not as geocli made it"):
            action()


def test_a_row_that_somebody_else_wrote_is_not_handed_on(store: PostgresStore, url: str) -> None:
    store.replay([Batch.of([record("192.0.2.1")], [BAN])], NOW)
    select(url, "UPDATE geo_cache SET org = E'\\x1b[2J'")
    select(url, "UPDATE bans SET jail = E'\\x1b[2J'")
    with pytest.raises(DamagedFileError, match="org"):
        store.find(["192.0.2.1"])
    with pytest.raises(DamagedFileError, match="jail"):
        list(store.every_ban())


def test_a_table_that_is_gone_is_missed(store: PostgresStore, url: str) -> None:
    store.replay(answers([record("192.0.2.1")]), NOW)
    select(url, "DROP TABLE geo_cache")
    assert store.find(["192.0.2.1"]) == {}
    with pytest.raises(DamagedFileError, match="geo_cache"):
        store.replay(answers([record("192.0.2.1")]), NOW)
    select(url, "DELETE FROM geo_state")  # as the message says
    store.replay(answers([record("192.0.2.1")]), NOW)
    assert store.find(["192.0.2.1"])


def test_a_database_that_cannot_hold_all_text_is_refused(postgres: Postgres) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    store = PostgresStore(postgres.url("latin"), 5, 5)
    with pytest.raises(UsageError, match="LATIN1"):
        store.replay(answers([record("192.0.2.1")]), NOW)


def test_texts_may_be_ordered_in_any_way(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 7)
    postgres.execute(
        "CREATE DATABASE ordered ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0 "
        "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
    )
    ips = [*(f"192.0.2.{n}" for n in range(30)), *(f"2001:db8::{n:x}" for n in range(30))]
    rows = [record(ip, second=n % 60) for n, ip in enumerate(ips)]
    bans = [BAN._replace(jail=jail) for jail in ("a-b", "ab", "Ab", "a b", "ä", "a", "a_b", "", "B", "b")]
    with closing(PostgresStore(postgres.url("ordered"), 5, 5)) as store:
        store.replay([Batch.of(rows[::-1], bans)], NOW)
        store.replay([Batch.of([record(ips[0], "FR", 1), record(ips[1], "FR", 0)])], NOW)
        assert sorted(row.ip for batch in store.everything() for row in batch) == sorted(ips)
        assert sorted(every_ban(store)) == sorted(bans)
        assert [ip for batch in store.outlived(Outlived(OLD, OLD), 7) for ip in batch][2:] == ips[2:30]
        found = store.find(ips[:2])
        assert [found[ip].country_code for ip in ips[:2]] == ["FR", "DE"]


GRANTS = (
    "GRANT USAGE ON SCHEMA {0} TO worker",
    "GRANT SELECT, INSERT, UPDATE ON {0}.geo_cache, {0}.bans, {0}.geo_state TO worker",
)


def test_the_privileges_that_the_page_names_are_enough(postgres: Postgres) -> None:
    postgres.execute("CREATE ROLE worker LOGIN")
    url = postgres.new_url()
    schema = url.rpartition("%3D")[2]
    postgres.execute(f"GRANT USAGE ON SCHEMA {schema} TO worker")
    worker = PostgresStore(url.replace("geocli@", "worker@"), 5, 5)
    with pytest.raises(UsageError, match="permission denied"):
        worker.replay(answers([record("192.0.2.1")]), NOW)
    with closing(PostgresStore(url, 5, 5)) as owner:
        owner.replay([], NOW)
    with pytest.raises(UsageError, match="permission denied"):
        worker.find(["192.0.2.1"])
    for grant in GRANTS:
        postgres.execute(grant.format(schema))
    with closing(worker):
        assert worker.replay([Batch.of([record("192.0.2.1")], [BAN])], NOW) == 2
        assert worker.find(["192.0.2.1"])
        with pytest.raises(UsageError, match="permission denied"):
            worker.forget(LATER, ["answers"], NOW)
        postgres.execute(f"GRANT DELETE ON {schema}.geo_cache, {schema}.bans TO worker")
        assert sum(worker.forget(LATER, ["answers", "bans"], NOW)) == 2


def test_a_url_decides_what_it_says(url: str) -> None:
    name = "SELECT current_setting('application_name')"
    for end, expected in (("", "geocli"), ("&application_name=somebody%20else", "somebody else")):
        with closing(PostgresStore(f"{url}{end}", 5, 5)) as store:
            store.replay([], NOW)
            assert store._select((name, ()), 5) == [(expected,)]


def test_answers_are_of_use_to_people_with_sql(store: PostgresStore, url: str) -> None:
    given = GeoRecord("192.0.2.1", "ok", "DE", latitude=52.5, asn=24940, source="a", resolved_at=NOW)
    store.replay(answers([given]), NOW)
    rows = select(url, "SELECT asn + 1, latitude * 2, resolved_at::timestamptz IS NOT NULL FROM geo_cache")
    assert rows == [(24941, 105.0, True)]

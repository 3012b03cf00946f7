"""A clock that was once in the future: it poisons no store, no journal and no fleet."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from geocli.lookup.cache import Cache
from geocli.model.clocks import END_OF_TIME, NO_TIME, latest_believed
from geocli.model.errors import Problems
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.copy import copy
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore
from tests.cli.commands.test_history import ago
from tests.conftest import Geocli
from tests.support.bans import BAN

FUTURE = "2098-01-01T00:00:00Z"


@pytest.fixture
def wrong(geocli: Geocli) -> GeoRecord:
    """An answer that would be fresh, but for its time."""
    source = geocli("--no-cache", "-f", "source", "8.8.8.8").stdout.strip()
    return GeoRecord("8.8.8.8", "ok", "DE", source=source, resolved_at=FUTURE)


def stats(geocli: Geocli) -> dict[str, object]:
    figures: dict[str, object] = json.loads(geocli("stats", "-j").stdout)
    return figures


@pytest.fixture
def poisoned(geocli: Geocli, data_dir: Path, wrong: GeoRecord) -> Geocli:
    """A store as an older geocli left it, on a machine whose clock was wrong."""
    with closing(SqliteStore(data_dir / "geo.db", 1)) as store:
        store.replay([Batch.of([wrong], [BAN._replace(banned_at=FUTURE)])], FUTURE)
    return geocli


def test_it_is_counted_told_and_asked_again(poisoned: Geocli) -> None:
    assert stats(poisoned)["future"] == 2
    done = poisoned("stats", "--check", "--max-db-age", "99y")
    assert (done.returncode, done.stdout) == (
        1,
        "2 answers and bans are of the future: is a clock wrong?\n",
    )
    assert "geocli_store_future_rows 2" in poisoned("stats", "--prometheus").stdout
    assert poisoned("-f", "country_code", "8.8.8.8").stdout == "US\n"
    poisoned("flush")
    assert stats(poisoned)["future"] == 1  # the ban
    assert poisoned("-f", "country_code", "8.8.8.8").stdout == "US\n"


def test_refresh_and_forget_do_not_pass_it_over(poisoned: Geocli) -> None:
    assert json.loads(poisoned("refresh", "-j").stdout)["asked"] == 1
    assert json.loads(poisoned("forget", "--older-than", "1d", "-j").stdout)["bans"] == 1
    assert (stats(poisoned)["future"], stats(poisoned)["stored"]) == (0, 1)
    assert poisoned("stats", "--check", "--max-db-age", "99y").returncode == 0


def test_what_waits_in_the_journal_is_not_fresh_either(
    geocli: Geocli, data_dir: Path, wrong: GeoRecord
) -> None:
    with Journal(data_dir / "journal", 1) as journal:
        journal.append([wrong])
    with closing(sqlite3.connect(data_dir / "journal" / "cache.db", isolation_level=None)) as connection:
        connection.execute("UPDATE Cache SET store_time = store_time + 3e9")
    done = geocli("stats", "--check", "--max-db-age", "99y")
    assert done.stdout == "1 answers and bans wait since a time in the future: is a clock wrong?\n"
    assert stats(geocli)["oldest_dirty_seconds"] is None
    assert geocli("-f", "country_code", "8.8.8.8").stdout == "US\n"
    assert geocli("flush").returncode == 0
    assert stats(geocli)["future"] == 0
    assert geocli("-f", "country_code", "8.8.8.8").stdout == "US\n"


@pytest.mark.usefixtures("poisoned")
def test_a_copy_brings_nothing_of_the_future_along(data_dir: Path, tmp_path: Path) -> None:
    now = ago(0)
    with (
        closing(SqliteStore(data_dir / "geo.db", 1)) as source,
        closing(SqliteStore(tmp_path / "copy.db", 1)) as target,
    ):
        source.replay([Batch(bans=[BAN._replace(first_seen=FUTURE, last_seen=FUTURE)])], FUTURE)
        assert copy(source, target, now, lambda _: None) == (1, 2, 3, 0)
        assert target.find(["8.8.8.8"])["8.8.8.8"].resolved_at == NO_TIME
        assert copy(source, target, now, lambda _: None) == (1, 2, 0, 0)


def test_what_is_known_is_what_is_right_before_what_is_of_the_future(data_dir: Path) -> None:
    right = GeoRecord("192.0.2.1", "ok", "FR", source="a", resolved_at="2026-06-01T00:00:00Z")
    wrong = [
        right._replace(ip=ip, country_code="DE", resolved_at=FUTURE) for ip in ("192.0.2.1", "192.0.2.2")
    ]
    with (
        Journal(data_dir / "journal", 1) as journal,
        closing(SqliteStore(data_dir / "geo.db", 1)) as store,
    ):
        store.replay([Batch.of([right])], ago(0))
        journal.append(wrong)
        cache = Cache(journal, store, Problems())
        known = [record for block in cache.known(["192.0.2.1", "192.0.2.2"]) for record in block.records()]
        everything = [record for batch in cache.everything() for record in batch]
    assert known == everything == [right, wrong[1]]


def test_an_hour_is_how_far_clocks_may_differ() -> None:
    assert latest_believed("2026-11-01T10:00:00Z") == "2026-11-01T11:00:00Z"
    assert latest_believed("1970-01-01T00:00:00Z") == END_OF_TIME
    assert latest_believed(END_OF_TIME) == END_OF_TIME

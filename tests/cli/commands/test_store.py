"""``geocli store``: a copy arrives whole, in both directions, and what is better stays; a check finds."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from geocli.model.bans import SeenBan
from geocli.model.errors import StoreAwayError
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.copy import Copied
from geocli.storage.copy import copy as copy_store
from geocli.storage.store.base import Store
from geocli.storage.store.postgres.store import PostgresStore
from geocli.storage.store.sqlite import SqliteStore
from tests.cli.commands.test_lookup import snapshot
from tests.conftest import Geocli
from tests.storage.store.samples import NOW, every_ban, record
from tests.support.bans import BAN
from tests.support.postgres_server import Postgres

Stores = tuple[Store, Store]
LATER = "2026-11-24T00:00:00Z"
ANSWERS = [record(f"10.{n >> 8}.{n & 255}.1", "DE" if n % 3 else None, second=n % 60) for n in range(250)]
BANS = [BAN._replace(ip=row.ip, jail=f"jail-{n % 3}") for n, row in enumerate(ANSWERS[:90])]


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Stores]:
    """Two stores, of which the first holds something."""
    with (
        closing(SqliteStore(tmp_path / "file" / "geo.db", 1)) as file,
        closing(PostgresStore(url, 5, 5)) as server,
    ):
        made: Stores = (file, server) if request.param.startswith("sqlite") else (server, file)
        made[0].replay([Batch.of(ANSWERS, BANS)], NOW)
        yield made


def content(store: Store) -> tuple[list[GeoRecord], list[SeenBan]]:
    return sorted(row for batch in store.everything() for row in batch), sorted(every_ban(store))


def test_everything_is_copied_once(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite._BATCH", 40)
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 40)
    heard: list[int] = []
    assert copy_store(*stores, LATER, heard.append) == Copied(250, 90, 340, 0)
    assert content(stores[1]) == content(stores[0])
    assert heard[-1] == 340
    assert len(heard) == 7 + 3
    assert copy_store(*stores, LATER, heard.append) == Copied(250, 90, 0, 0)
    assert stores[1].state()[:4] == (250, 84, 90, LATER)


def test_what_the_target_has_better_stays(stores: Stores) -> None:
    better = ANSWERS[1]._replace(country_code="FR", resolved_at=NOW)
    worse = ANSWERS[2]._replace(country_code="FR", resolved_at="2025-01-01T00:00:00Z")
    unknown = ANSWERS[4]._replace(status="unknown", country_code=None, resolved_at=NOW)
    seen = BANS[0]._replace(last_seen=NOW)
    stores[1].replay([Batch.of([better, worse, unknown], [seen])], NOW)
    assert copy_store(*stores, LATER, len_of_nothing) == Copied(250, 90, 249 + 89, 0)
    found = stores[1].find([better.ip, worse.ip, unknown.ip])
    assert found == {better.ip: better, worse.ip: ANSWERS[2], unknown.ip: ANSWERS[4]}
    assert seen in every_ban(stores[1])


def len_of_nothing(_: int) -> None:
    """Progress that nobody looks at."""


def test_a_copy_that_was_interrupted_goes_on_where_it_was(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geocli.storage.store.sqlite._BATCH", 40)
    monkeypatch.setattr("geocli.storage.store.postgres.store._BATCH", 40)

    def interrupt(done: int) -> None:
        if done >= 120:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(*stores, LATER, interrupt)
    assert stores[1].state().stored == 120
    assert copy_store(*stores, LATER, len_of_nothing) == Copied(250, 90, 220, 0)
    assert content(stores[1]) == content(stores[0])


def test_what_vanishes_from_the_target_is_noticed(stores: Stores) -> None:
    class Forgetful:
        """A target of which somebody deletes all that arrives."""

        def __getattr__(self, name: str) -> object:
            return getattr(stores[1], name)

        def replay(self, batches: list[Batch], now: str) -> int:
            count = stores[1].replay(batches, now)
            stores[1].forget("9999-12-31T00:00:00Z", ["answers", "bans"], now)
            return count

    assert copy_store(stores[0], Forgetful(), LATER, len_of_nothing).missing == 340  # type: ignore[arg-type]


def test_a_server_that_goes_away_is_for_later(url: str, postgres: Postgres, tmp_path: Path) -> None:
    file = SqliteStore(tmp_path / "file" / "geo.db", 1)
    file.replay([Batch.of(ANSWERS, BANS)], NOW)
    postgres.stop()
    with pytest.raises(StoreAwayError):
        copy_store(file, PostgresStore(url, 1, 1), LATER, len_of_nothing)
    file.close()


# --- the command --------------------------------------------------------------------------------------


def test_a_file_goes_to_a_server_and_back(geocli: Geocli, data_dir: Path, url: str, tmp_path: Path) -> None:
    geocli("8.8.8.8", "9.9.9.9", "192.0.2.1")
    geocli("flush")
    done = geocli("store", "copy", data_dir / "geo.db", url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    figures = json.loads(geocli("store", "copy", url, tmp_path / "new" / "copy.db", "-j").stdout)
    assert figures.pop("seconds") >= 0
    assert figures == {"answers": 2, "bans": 0, "written": 2, "missing": 0}
    copies = []
    for path in (data_dir / "geo.db", tmp_path / "new" / "copy.db"):
        with closing(sqlite3.connect(path)) as database:
            copies.append(database.execute("SELECT * FROM geo_cache ORDER BY ip").fetchall())
    assert copies[0] == copies[1]
    assert (tmp_path / "new" / "copy.db").stat().st_mode & 0o777 == 0o600
    assert geocli("store", "copy", data_dir / "geo.db", url, "-v").stdout.startswith(
        "2 answers and 0 bans, 0 of"
    )


def test_what_cannot_be_copied_is_said(geocli: Geocli, data_dir: Path, url: str) -> None:
    for arguments, words in (
        (["nowhere.db", url], "nowhere.db: there is no such file"),
        ([url, url], "the same store"),
        ([data_dir / "geo.db", f"{data_dir}/../data/geo.db"], "the same store"),
        (["postgresql://a:secret@b/c", data_dir / "geo.db"], "no password on the command line"),
        (["postgresql://a@b@c/d", data_dir / "geo.db"], "no URL of a server"),
        (["geo.db"], "Missing argument 'TO'"),
    ):
        done = geocli("store", "copy", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "secret" not in done.stderr


def test_a_damaged_file_is_named(geocli: Geocli, data_dir: Path, url: str) -> None:
    data_dir.mkdir()
    (data_dir / "geo.db").write_bytes(b"scribble" * 1000)
    done = geocli("store", "copy", data_dir / "geo.db", url)
    assert done.returncode == 4
    assert "geo.db" in done.stderr


@pytest.mark.parametrize("command", ["store copy {} to.db", "stats", "bans --history"])
def test_a_pipe_in_the_place_of_a_store_is_not_waited_for(
    geocli: Geocli, data_dir: Path, tmp_path: Path, command: str
) -> None:
    """SQLite would, until somebody opens the other end, and an interrupt could not end that."""
    geocli("8.8.8.8")
    pipe = data_dir / "geo.db"
    os.mkfifo(pipe, 0o600)
    done = geocli(*command.replace("to.db", f"{tmp_path}/to.db").format(pipe).split(), timeout=20)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"geocli: {pipe}: is not a regular file; move it away, or give another\n"


def test_the_password_of_the_configured_store_is_used(
    geocli: Geocli, data_dir: Path, postgres: Postgres
) -> None:
    url = postgres.new_url()
    plain = url.replace("geocli@", "guarded@")
    with_password = plain.replace("guarded@", f"guarded:{quote(postgres.password, safe='')}@")
    postgres.execute(f"GRANT ALL ON SCHEMA {url.rpartition('%3D')[2]} TO guarded")
    geocli("8.8.8.8")
    geocli("flush")
    assert geocli("store", "copy", data_dir / "geo.db", plain).returncode == 2
    knowing = Geocli(data_dir, {"GEOCLI_STORE_URL": with_password})
    assert knowing("store", "copy", data_dir / "geo.db", plain).returncode == 0
    assert json.loads(knowing("stats", "-j").stdout)["stored"] == 1


# --- check --------------------------------------------------------------------------------------------


def test_a_check_of_what_is_well_is_silent_and_counts_everything(geocli: Geocli, data_dir: Path) -> None:
    assert (geocli("store", "check").returncode, data_dir.exists()) == (0, False)
    geocli("8.8.8.8", "9.9.9.9")
    geocli("flush")
    geocli("1.1.1.1")
    done = geocli("store", "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    figures = json.loads(geocli("store", "check", "-j").stdout)
    assert [figures[name] for name in ("answers", "bans", "segments")] == [3, 0, 1]
    assert (figures["damage"], figures["remarks"]) == ([], [])
    assert "no errors were found" in geocli("store", "check", "-v").stdout


FAULTS = {
    "an address that is none": (
        "geo.db",
        "INSERT INTO geo_cache (ip, status, resolved_at) VALUES ('nonsense', 'ok', '2026-01-01T00:00:00Z')",
        (4, "1 answers in the store are about what is no address"),
    ),
    "a time that is none": (
        "geo.db",
        "UPDATE geo_cache SET resolved_at = 'yesterday'",
        (4, "2 rows that geocli did not write, one about 8.8.8.8: resolved_at is not a time"),
    ),
    "a time in the future": (
        "geo.db",
        "UPDATE geo_cache SET resolved_at = '2098-01-01T00:00:00Z'",
        (1, "2 answers and bans in the store are of the future"),
    ),
    "an index that lacks a row": (
        "geo.db",
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '(asn)', '(org)')",
        (4, "geo_cache_asn"),
    ),
    "a forgetting that was interrupted": (
        "geo.db",
        "INSERT INTO geo_state VALUES ('to_erase', '1')",
        (4, "geocli forget was interrupted"),
    ),
    "a bad segment": (
        "journal/cache.db",
        "UPDATE Cache SET value = 'scribble'",
        (4, "of the journal is damaged"),
    ),
    "a tag of other addresses": (
        "journal/cache.db",
        "UPDATE Cache SET tag = ' 192.0.2.1 192.0.2.2 '",
        (1, "1 answers and bans wait in the journal, not 2"),
    ),
    "a trigger": (
        "geo.db",
        "CREATE TRIGGER odd AFTER INSERT ON bans BEGIN DELETE FROM geo_cache; END",
        (4, "holds a trigger"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_check_finds_and_changes_nothing(geocli: Geocli, data_dir: Path, fault: str) -> None:
    geocli("8.8.8.8", "9.9.9.9")
    geocli("flush")
    geocli("1.1.1.1")
    name, statement, (code, complaint) = FAULTS[fault]
    with closing(sqlite3.connect(data_dir / name, isolation_level=None)) as connection:
        connection.executescript(statement)
    geocli("stats")  # whoever reads first makes the index of the log
    before = snapshot(data_dir)
    done = geocli("store", "check")
    assert (done.returncode, done.stdout) == (code, ""), done
    assert complaint in done.stderr
    assert len(set(lines := done.stderr.splitlines())) == len(lines)
    assert snapshot(data_dir) == before


def test_a_check_reads_a_server_too(data_dir: Path, postgres: Postgres) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": postgres.new_url()})
    geocli("8.8.8.8")
    geocli("flush")
    assert json.loads(geocli("store", "check", "-j").stdout)["answers"] == 1

"""Files that somebody removes or replaces while geocli has them open: nothing is lost with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from geocli.model.errors import Problems, TryAgainError
from geocli.model.records import GeoRecord
from geocli.storage.batch import Batch
from geocli.storage.flush import flush
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore
from tests.conftest import Geocli
from tests.support.targets import addresses

NOW = "2026-11-23T10:00:00Z"


def record(ip: str) -> GeoRecord:
    return GeoRecord(ip, "ok", "DE", source="mmdb:test-1", resolved_at="2026-11-01T00:00:00Z")


def anything(_: GeoRecord) -> bool:
    return True


class DisturbedStore(SqliteStore):
    """A store to whose file something happens while a flush writes it."""

    disturb: Callable[[], None]

    def replay(self, batches: Iterable[Batch], flushed_at: str) -> int:
        def disturbed() -> Iterable[Batch]:
            yield from batches
            self.disturb()

        return super().replay(disturbed(), flushed_at)


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def replace(path: Path) -> None:
    shutil.copy(path, path.with_name("backup"))
    path.with_name("backup").rename(path)


def remove_log(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def move_directory(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    shutil.copytree(path.parent.with_name("moved"), path.parent)


DISTURBANCES = [remove, remove_all, replace, remove_log, move_directory]


@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_a_store_that_is_replaced_during_a_flush_loses_nothing(
    data_dir: Path, disturb: Callable[[Path], None]
) -> None:
    path = data_dir / "geo.db"
    store = DisturbedStore(path, 1)
    with Journal(data_dir / "journal", 1) as journal:
        store.disturb = lambda: None
        journal.append([record("192.0.2.1")])
        flush(journal, store, NOW, Problems())
        journal.append([record("192.0.2.2")])
        store.disturb = lambda: disturb(path)
        with pytest.raises(
            TryAgainError, match=r"geo\.db: was removed or replaced meanwhile; nothing is lost"
        ):
            flush(journal, store, NOW, Problems())
    with Journal(data_dir / "journal", 1) as journal:
        store.disturb = lambda: None
        flush(journal, store, NOW, Problems())
        assert journal.state().dirty == 0
    assert "192.0.2.2" in store.find(["192.0.2.1", "192.0.2.2"])


@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_what_is_written_to_a_journal_is_in_the_one_that_is_there(
    data_dir: Path, disturb: Callable[[Path], None]
) -> None:
    directory = data_dir / "journal"
    with Journal(directory, 1) as journal:
        journal.append([record("192.0.2.1")])
        disturb(directory / "cache.db")
        journal.append([record("192.0.2.2")])
        targets = [f"192.0.2.{number}" for number in range(100)]
        assert "192.0.2.2" in journal.find(targets, anything)
        assert "192.0.2.2" in Journal(directory, 1).find(targets, anything)
        shutil.rmtree(data_dir)
        assert journal.find(targets, anything) == {}
        journal.append([record("192.0.2.3")])
        assert Journal(directory, 1).find(targets, anything).keys() == {"192.0.2.3"}


def test_a_flush_forgets_only_in_the_journal_that_it_read(data_dir: Path) -> None:
    """The other one has other answers under the same numbers."""
    directory = data_dir / "journal"
    store = DisturbedStore(data_dir / "geo.db", 1)

    def exchange() -> None:
        shutil.rmtree(directory)
        with Journal(directory, 1) as other:
            other.append([record("192.0.2.2")])

    store.disturb = exchange
    with Journal(directory, 1) as journal:
        journal.append([record("192.0.2.1")])
    with (
        Journal(directory, 1) as journal,
        pytest.raises(TryAgainError, match=r"cache\.db: was removed or replaced"),
    ):
        flush(journal, store, NOW, Problems())
    store.disturb = lambda: None
    with Journal(directory, 1) as journal:
        assert flush(journal, store, NOW, Problems()).entries == 1
    assert store.find(["192.0.2.1", "192.0.2.2"]).keys() == {"192.0.2.1", "192.0.2.2"}


def test_a_stream_goes_on_into_a_new_journal(geocli: Geocli, data_dir: Path) -> None:
    import subprocess

    first, second = addresses(2)
    stream = subprocess.Popen(
        [*geocli.command, "-f", "ip"],
        env=geocli.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with stream:
        assert stream.stdin is not None
        assert stream.stdout is not None
        for number, target in enumerate((first, second, first)):
            stream.stdin.write(f"{target}\n")
            assert stream.stdout.readline() == f"{target}\n"
            if not number:
                shutil.rmtree(data_dir)
        stream.stdin.close()
    assert stream.returncode == 0
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 2

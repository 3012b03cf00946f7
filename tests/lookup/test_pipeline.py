"""The pipeline: alone or with workers, the same lines in the same order, and journalled before shown."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geocli.config.settings import Settings
from geocli.lookup.cache import Cache
from geocli.lookup.pipeline import Batch, Pipeline, Rows, _Prepared
from geocli.lookup.resolver import Resolver
from geocli.model.errors import Problems
from geocli.model.record_batch import RecordBatch
from geocli.model.records import utc_text
from geocli.providers.mmdb import MmdbProvider
from geocli.storage.flush import flush
from geocli.storage.journal.journal import Journal
from geocli.storage.journal.segments import Segment
from geocli.storage.store.open import open_store
from geocli.system import process_pool
from geocli.system.reporter import Reporter, now_text
from tests.conftest import Geocli, MakeMmdb

FULL = 50


def render(block: RecordBatch, _: bytes = b"") -> bytes:
    return "".join(f"{record.ip} {record.country_code}\n" for record in block.records()).encode()


class House:
    """All that a pipeline needs, in one directory."""

    def __init__(self, directory: Path, files: list[Path], clock: Callable[[], str] = now_text) -> None:
        self.settings = Settings(data_dir=directory)
        self.problems = Problems()
        self.journal = Journal(directory / "journal", 1)
        self.cache = Cache(self.journal, open_store(self.settings), self.problems)
        self.resolver = Resolver(
            [MmdbProvider(files)],
            self.cache,
            self.settings,
            Reporter(problem=self.problems.note, clock=clock),
        )
        self.resolver.batch_size = FULL  # so that a few batches are worth workers

    def run(self, batches: list[list[str]], *, render: object = render) -> Iterator[str]:
        line = Pipeline(self.resolver, self.cache, render, self.problems)  # type: ignore[arg-type]
        for rows in line.run(iter(batches)):
            yield rows.data.decode()


@pytest.fixture
def targets() -> list[str]:
    return [f"23.{n >> 8}.{n & 255}.1" for n in range(1000)] + ["10.0.0.1"] * 3 + ["2001:db8::1"]


@pytest.fixture
def batches(targets: list[str]) -> list[list[str]]:
    return [targets[begin : begin + FULL] for begin in range(0, len(targets), FULL)]


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "processors", lambda: 3)


@pytest.fixture
def database(make_mmdb: MakeMmdb) -> Path:
    return make_mmdb("some", {"23.0.0.0/15": {"country_code": "DE"}, "23.3.0.0/24": {"country_code": "FR"}})


@pytest.mark.usefixtures("several")
def test_workers_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    batches: list[list[str]],
    database: Path,
) -> None:
    together = list(House(tmp_path / "a", [database]).run(batches))
    monkeypatch.setattr(process_pool, "processors", lambda: 1)
    alone = list(House(tmp_path / "b", [database]).run(batches))
    assert together == alone
    assert len(together) == len(batches)
    for name in ("a", "b"):
        with Journal(tmp_path / name / "journal", 1) as journal:
            assert journal.state().dirty == 1000


@pytest.mark.usefixtures("several")
def test_where_the_index_is_crowded_everything_is_journalled_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batches: list[list[str]], database: Path
) -> None:
    monkeypatch.setattr(
        "geocli.storage.journal.index._print", lambda address: hash(address) & ~0x3FF
    )  # a thousand addresses want a few places
    shown = {
        line.split()[0] for text in House(tmp_path, [database]).run(batches) for line in text.splitlines()
    }
    with Journal(tmp_path / "journal", 1) as witness:
        assert witness.addresses() == {ip for ip in shown if not ip.startswith(("10.", "2001:db8:"))}


@pytest.mark.usefixtures("several")
def test_what_comes_again_is_answered_the_same_and_journalled_once(
    tmp_path: Path, batches: list[list[str]], database: Path
) -> None:
    house = House(tmp_path, [database])
    full = [batch for batch in batches if len(batch) == FULL]
    texts = list(house.run(full * 3))
    assert texts[: len(full)] == texts[len(full) : 2 * len(full)] == texts[2 * len(full) :]
    with Journal(tmp_path / "journal", 1) as witness:
        assert witness.state().dirty <= sum(map(len, full)) + 3 * FULL  # what was under way is not known yet


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("flushed", [False, True], ids=["journal", "store"])
def test_what_is_known_is_said_again_in_any_order_and_writes_nothing(
    tmp_path: Path, batches: list[list[str]], database: Path, flushed: bool
) -> None:
    def rows(block: RecordBatch, _: bytes) -> bytes:
        return "".join(f"{'|'.join(map(str, record))}\n" for record in block.records()).encode()

    def run(moment: str, asked: list[list[str]]) -> dict[str, str]:
        house = House(tmp_path, [database], lambda: moment)
        lines = "".join(house.run(asked, render=rows)).splitlines()
        assert [line.partition("|")[0] for line in lines] == [target for batch in asked for target in batch]
        return {line.partition("|")[0]: line for line in lines}

    now = [utc_text(time.time() - age) for age in (90, 60, 30)]
    first = run(now[0], batches[: len(batches) // 2])
    first = run(now[1], batches) | first
    assert {line.rpartition("|")[2] for line in first.values()} == {*now[:2], "None"}
    if flushed:
        flush(Journal(tmp_path / "journal", 1), open_store(Settings(data_dir=tmp_path)), now[2], Problems())
    with Journal(tmp_path / "journal", 1) as witness:
        waiting = witness.state().dirty
        targets = [target for batch in batches for target in batch]
        mixed = [target for begin in range(7) for target in targets[begin::7]]
        shuffled = [mixed[begin : begin + FULL] for begin in range(0, len(mixed), FULL)]
        assert run(now[2], shuffled) == first
        assert witness.state().dirty == waiting


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("how", ["pause", "raise"])
def test_stored_answers_are_shown_in_order_whatever_comes_between(
    tmp_path: Path, batches: list[list[str]], database: Path, how: str
) -> None:
    expected = list(House(tmp_path, [database]).run(batches))
    flush(Journal(tmp_path / "journal", 1), open_store(Settings(data_dir=tmp_path)), now_text(), Problems())
    parent, here = os.getpid(), list[str]()

    def fragile(block: RecordBatch, _: bytes) -> bytes:
        if os.getpid() == parent:
            here.extend(block.ips)
        elif how == "raise" and block.ips[0] == batches[7][0]:
            raise ValueError("not here")
        return render(block)

    def asked() -> Iterator[list[str]]:
        for number, batch in enumerate(batches):
            yield batch
            if how == "pause" and number in {3, 4, 9, 14}:
                yield []

    house = House(tmp_path, [database])
    shown = list(house.run(asked(), render=fragile))  # type: ignore[arg-type]  # one by one, not as a list
    assert [text for text in shown if text] == expected
    assert house.journal.state().dirty == 0
    assert not {*batches[2]} <= {*here}, "workers had nothing to do"


@pytest.mark.usefixtures("several")
def test_what_is_shown_is_in_the_journal(tmp_path: Path, batches: list[list[str]], database: Path) -> None:
    shown = 0
    with Journal(tmp_path / "journal", 1) as witness:
        for text in House(tmp_path, [database]).run(batches):
            shown += sum(line.startswith("23.") for line in text.splitlines())
            assert witness.state().dirty >= shown


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("how", ["raise", "kill"])
def test_what_a_worker_cannot_do_is_done_without_it(
    tmp_path: Path, batches: list[list[str]], database: Path, how: str
) -> None:
    parent = os.getpid()

    def fragile(block: RecordBatch, _: bytes) -> bytes:
        if os.getpid() != parent and block.ips[0] == batches[7][0]:
            if how == "raise":
                raise ValueError("not here")
            os.kill(os.getpid(), signal.SIGKILL)
        return render(block)

    expected = list(House(tmp_path / "b", [database]).run(batches))
    assert list(House(tmp_path / "a", [database]).run(batches, render=fragile)) == expected


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("how", ["well", "raise"])
def test_what_stands_beside_records_goes_with_them(
    tmp_path: Path, batches: list[list[str]], database: Path, how: str
) -> None:
    parent = os.getpid()

    def beside(block: RecordBatch, data: bytes) -> bytes:
        if how == "raise" and os.getpid() != parent and block.ips[0] == batches[7][0]:
            raise ValueError("not here")
        return block.ips[0].encode() + data

    house = House(tmp_path, [database])
    line = Pipeline(house.resolver, house.cache, beside, house.problems)
    told = [Batch(batch, b"\n\0 %d" % number) for number, batch in enumerate(batches)]
    shown = [rows.data for rows in line.run_beside(told)]
    assert shown == [batch.targets[0].encode() + batch.beside for batch in told]


@pytest.mark.usefixtures("several")
def test_a_pause_shows_everything_at_once(tmp_path: Path, batches: list[list[str]], database: Path) -> None:
    seen: list[str] = []
    asked: list[int] = []

    def paused() -> Iterator[list[str]]:
        yield from batches[:10]
        yield []
        asked.append(len("".join(seen).splitlines()))
        yield batches[10]

    house = House(tmp_path, [database])
    seen.extend(house.run(paused()))  # type: ignore[arg-type]
    # extend() takes one by one, so what was seen when the generator went on is what had come by then.
    assert asked == [10 * FULL]


def test_what_a_worker_prepares_survives_the_way_back() -> None:
    rows = Rows("ü\n\nx".encode() + b"\xff", Counter({"ok": 2, "unknown": 1}), 1)
    for prepared in (
        _Prepared(rows, None),
        _Prepared(rows, Segment("a\nb", " 192.0.2.1 ")),
        _Prepared(rows.replace(data=b""), Segment("", "")),
    ):
        for before in (b"", b"another\n"):
            assert _Prepared.from_bytes(b"".join([before, *prepared.to_parts()]), len(before)) == prepared


def test_an_interrupt_leaves_no_worker_and_says_nothing(geocli: Geocli) -> None:
    process = subprocess.Popen(
        [*geocli.command, "-f", "ip"],
        env=geocli.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = b"".join(b"23.%d.%d.%d\n" % (n >> 16 & 255, n >> 8 & 255, n & 255) for n in range(30_000))
    stdin = process.stdin
    feeding = threading.Thread(target=lambda: (stdin.write(lines), stdin.flush()))
    feeding.start()
    for _ in range(28_672):
        process.stdout.readline()
    feeding.join()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaint == b""
    time.sleep(0.2)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)

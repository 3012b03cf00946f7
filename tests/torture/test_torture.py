"""The promise under torture, the short version: see ``tests/torture``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from geocli.model.records import GeoRecord
from tests.conftest import need
from tests.torture.aims import AtCall, Kill
from tests.torture.disk import Disk
from tests.torture.ledger import Ledger
from tests.torture.processes import Job, run
from tests.torture.rounds import Life, Report, torture

NEW = GeoRecord("9.9.9.9", "ok", "US", source="a", resolved_at="2026-11-02T00:00:00Z")
OLD = NEW._replace(resolved_at="2026-11-01T00:00:00Z")
UNKNOWN = GeoRecord("9.9.9.9", "unknown", source="a", resolved_at="2026-11-03T00:00:00Z")


@pytest.mark.slow
def test_what_was_printed_survives_kill_9(tmp_path: Path) -> None:
    need("strace")
    report = torture(kills=30, seed=30, directory=tmp_path)
    assert report.findings == []
    assert (report.lost, report.conflicting) == (0, 0)
    assert report.kills.total() >= 30
    # How much that is before a kill depends on the load of the machine; that it is something does not.
    assert report.printed > 300
    print(report)


LOOKUP, FLUSH = Job("lookup", ("lookup", "-j", "9.9.9.9"), ("9.9.9.9",)), Job("flush", ("flush",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "job", "call", "number"),
    [
        # While the files are made: SQLite's readers could not mend what is left of its own rollback journal.
        ([], LOOKUP, "pwrite64", 5),
        ([], LOOKUP, "?unlink,?unlinkat", 2),
        ([LOOKUP], FLUSH, "pwrite64", 2),
        # One of diskcache's two tables is there, and not the other.
        ([], LOOKUP, "pwrite64", 60),
        # The write-ahead log ends with its header. SQLite's readers would look at that for ten seconds.
        ([LOOKUP], LOOKUP, "fdatasync", 1),
        ([LOOKUP], FLUSH, "fdatasync", 1),
    ],
)
def test_a_kill_at_the_worst_moment_does_no_harm(
    tmp_path: Path, before: Sequence[Job], job: Job, call: str, number: int
) -> None:
    need("strace")
    life = Life(tmp_path / "life", {}, Report())
    for earlier in before:
        life.see(run(life.geocli, earlier))
    for file in life.geocli.data_dir.rglob("cache.db"):
        with closing(sqlite3.connect(file)) as journal:  # the last connection empties the log
            journal.execute("SELECT count(*) FROM Cache").fetchone()
    again = ("--refresh",) if job is LOOKUP else ()
    killed = Job(job.kind, (*job.arguments, *again), job.targets, Kill(AtCall(call, number), "itself"))
    life.see(ended := run(life.geocli, killed))
    assert ended.struck
    life.try_commands(life.geocli, Random(1), remember=True)  # noqa: S311 (not a secret)
    life.finish()
    assert life.findings == []


def test_the_torture_notices_a_loss_and_a_conflict() -> None:
    ledger = Ledger()
    ledger.add([OLD])
    ledger.check(Disk(journal=[OLD]))
    assert ledger.lost == []
    ledger.check(Disk())
    assert len(ledger.lost) == 1
    ledger.add([NEW._replace(country_code="DE")])
    assert len(ledger.conflicting) == 1


@pytest.mark.parametrize(
    ("printed", "there", "is_lost"),
    [
        (NEW, NEW, False),
        (OLD, NEW, False),
        (NEW, OLD, True),
        (OLD, UNKNOWN, True),
        (UNKNOWN, OLD, False),
    ],
)
def test_only_a_better_answer_may_be_there_instead(
    printed: GeoRecord, there: GeoRecord, is_lost: bool
) -> None:
    ledger = Ledger()
    ledger.add([printed])
    ledger.check(Disk(store=[there]))
    assert bool(ledger.lost) == is_lost

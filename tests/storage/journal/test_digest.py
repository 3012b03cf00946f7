"""What an index learns of many segments: the same from workers as from one process, whatever they hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from geocli.storage.journal import digest
from geocli.storage.journal.journal import Journal
from geocli.storage.journal.segments import VERSION, Segment
from tests.storage.journal.test_journal import TIME, anything, record

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = [f"198.51.{n >> 8}.{n & 255}" for n in range(1000)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A journal of many segments, some of which are bad, or a newer geocli's, or of two kinds."""
    with Journal(tmp_path / "journal", busy_timeout=0.2) as journal:
        for begin in range(0, len(TARGETS), 10):
            journal.append(
                [record(target, "DE" if n % 3 else None) for n, target in enumerate(TARGETS)][
                    begin : begin + 10
                ]
            )
        journal.write(Segment("geocli-journal", f" {TARGETS[0]} "))
        journal.write(Segment(f'{{"geocli-journal": {VERSION + 1}, "kind": "answers"}}\n[]', " 192.0.2.2 "))
        journal.append([record(TARGETS[7], when="2026-11-02T00:00:00Z")])
    return tmp_path / "journal"


def no_fork() -> int:
    raise OSError("Resource temporarily unavailable")


def die(*_: object) -> None:
    os._exit(1)


@pytest.mark.parametrize("way", ["one process", "workers", "no more processes", "workers die"])
def test_all_that_is_there_is_learned(directory: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    processors = 1 if way == "one process" else 3
    monkeypatch.setattr(digest, "processors", lambda: processors)
    monkeypatch.setattr("geocli.system.process_pool.processors", lambda: processors)
    if way == "no more processes":
        monkeypatch.setattr(os, "fork", no_fork)
    if way == "workers die":
        monkeypatch.setattr(digest, "_to_parts", die)
    with Journal(directory, busy_timeout=0.2) as journal:
        found = journal.times([*TARGETS, "192.0.2.2"], anything)
        assert found == dict.fromkeys(TARGETS, TIME) | {TARGETS[7]: "2026-11-02T00:00:00Z"}
        known = journal.times(TARGETS, lambda row: row.status == "ok")
        assert known.keys() == {target for n, target in enumerate(TARGETS) if n % 3} | {TARGETS[7]}

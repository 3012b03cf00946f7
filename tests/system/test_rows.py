"""Rows in a file are those in memory, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.errors import GeocliError
from geocli.system import rows
from geocli.system.rows import Rows, SortedRows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(2, 4))


def with_sizes(sizes: tuple[int, int, int], check: Callable[[], None]) -> None:
    """Check with so many rows in memory, in a batch, and runs that are open at once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("MOST", "AT_ONCE", "MOST_RUNS"), sizes, strict=True):
            patch.setattr(rows, name, size)
        check()


@given(st.lists(st.lists(st.integers(0, 99), max_size=6)), SIZES, st.sets(st.integers(0, 40)))
def test_rows_come_back_as_often_as_wanted(
    added: list[list[int]], sizes: tuple[int, int, int], places: set[int]
) -> None:
    def check() -> None:
        held, expected = Rows(), [(number, None) for part in added for number in part]
        for part in added:
            held.add([(number, None) for number in part])
            assert len(held) == len([*held])
        assert [*held] == [*held] == expected
        edges = sorted(place for place in places if place <= len(expected))
        spans = [*zip(edges[::2], edges[1::2], strict=False)]
        assert [*held.parts(spans)] == [expected[begin:end] for begin, end in spans]

    with_sizes(sizes, check)


@given(st.lists(st.integers(0, 1 << 70), unique=True), st.lists(st.integers(0, 1 << 70), unique=True), SIZES)
def test_rows_are_sorted(first: list[int], later: list[int], sizes: tuple[int, int, int]) -> None:
    def check() -> None:
        held, place = SortedRows(), 0
        expected: list[tuple[int, int, None]] = []
        for part in (first, later):
            for number in part:
                held.add((number, place, None))
                expected.append((number, place, None))
                place += 1
            expected.sort(key=lambda row: row[:2])
            assert [*held] == [*held] == expected

    with_sizes(sizes, check)


def test_nothing_of_it_can_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST", 10)
    held = SortedRows(tmp_path)
    for number in range(1000):
        held.add((-number,))
    assert next(iter(held)) == (-999,)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_geocli_s(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Rows(most=0)
    held.add([(1,)])
    with pytest.MonkeyPatch.context() as patch:
        assert held._file is not None
        patch.setattr(held._file, "_file", open("/dev/full", "r+b", buffering=0))  # noqa: SIM115, PTH123 (closed with what holds it; of a device)
        monkeypatch.setattr(rows, "AT_ONCE", 1)
        with pytest.raises(GeocliError, match="the disk is full"):
            held.add([(1,)] * 3)

"""What grows with the input goes on in a file, and says the same there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.errors import TryAgainError
from geocli.system.spill import SeenSet, SpanTally, Tally

NOWHERE = Path("/nowhere")
KEYS = st.sampled_from(["", "a", "1.2.3.4", "\u00fc", "a\0b", *map(str, range(20))])
MOST = st.integers(min_value=0, max_value=6)


@given(st.lists(st.lists(KEYS)), MOST)
def test_a_set_in_a_file_knows_what_one_in_memory_does(batches: list[list[str]], most: int) -> None:
    spilled, by_one, expected = SeenSet(NOWHERE, most), SeenSet(NOWHERE, most), set[str]()
    for batch in batches:
        new = [key for key in dict.fromkeys(batch) if key not in expected]
        expected.update(batch)
        assert spilled.new_of(batch) == new
        assert [key for key in batch if by_one.add(key)] == new
        assert all(key in spilled for key in expected)
        assert "never" not in spilled


@given(st.lists(st.tuples(KEYS, st.integers(min_value=1, max_value=5))), MOST)
def test_a_tally_in_a_file_counts_as_one_in_memory_does(added: list[tuple[str, int]], most: int) -> None:
    tally, expected = Tally(NOWHERE, most), Counter[str]()
    for key, count in added:
        assert tally.add(key, count) is (key not in expected)
        expected[key] += count
        assert len(tally) == len(expected)
    top = tally.top(5)
    assert [count for _, count in top] == sorted(expected.values(), reverse=True)[:5]
    assert all(expected[key] == count for key, count in top)
    assert {key for key, _ in tally.top(1000)} == {*expected}


@given(st.lists(st.tuples(KEYS, st.integers(1, 5), st.sampled_from(["", "2025", "2026", "2027"]))), MOST)
def test_spans_in_a_file_are_those_in_memory(added: list[tuple[str, int, str]], most: int) -> None:
    spans, expected = SpanTally(NOWHERE, most), dict[str, tuple[int, set[str]]]()
    for key, count, moment in added:
        assert spans.add(key, count, moment) is (key not in expected)
        before, moments = expected.get(key, (0, set()))
        expected[key] = before + count, moments | ({moment} if moment else set())
        assert len(spans) == len(expected)
    rows = [
        (key, count, min(moments, default=""), max(moments, default=""))
        for key, (count, moments) in sorted(expected.items())
    ]
    rows.sort(key=lambda row: (row[1], row[3]), reverse=True)
    assert spans.top(3) == rows[:3]
    assert spans.top(100) == rows


def test_nothing_of_it_is_left_or_can_be_seen(tmp_path: Path) -> None:
    seen = SeenSet(tmp_path, 1000)
    seen.new_of(str(number) for number in range(50_000))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_geocli_s(tmp_path: Path) -> None:
    seen = SeenSet(tmp_path, 10)
    seen.new_of("abcdefghijklm")
    assert seen._scratch is not None
    seen._scratch._connection.execute("PRAGMA max_page_count = 5")
    with pytest.raises(TryAgainError, match="the disk is full"):
        seen.new_of(f"{number:0200}" for number in range(1000))

"""Counts in files are those in memory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.lookup import hit_counts
from geocli.lookup.hit_counts import HitCounts

NOWHERE = Path("/nowhere")
TARGETS = st.sampled_from(["1.2.3.4", "::1", "10.0.0.0/8", *map(str, range(30))])


def _counted(added: list[list[str]], most: int) -> HitCounts:
    counts = HitCounts(NOWHERE, most)
    for targets in added:
        counts.update(targets)
        assert len(counts) >= len({target for part in added[: added.index(targets)] for target in part})
    return counts


@given(st.lists(st.lists(TARGETS)), st.integers(0, 8), st.integers(1, 5), st.integers(1, 4))
def test_counts_come_in_full_batches_and_each_target_once(
    added: list[list[str]], most: int, size: int, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hit_counts, "AT_ONCE", at_once)
        patch.setattr(hit_counts, "MOST_RUNS", 3)
        batches = [*_counted(added, most).batches(size)]
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(batches)
    rows = [item for batch in batches for item in batch.items()]
    expected = Counter(target for targets in added for target in targets)
    assert dict(rows) == expected
    assert len(rows) == len(expected)


def test_what_is_in_memory_comes_in_the_order_of_its_first_time() -> None:
    assert [*_counted([["b", "a"], ["c", "b"]], 9).batches(2)] == [{"b": 2, "a": 1}, {"c": 1}]

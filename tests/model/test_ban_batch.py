"""Bans by column are the bans that they were made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geocli.model.ban_batch import NOTHING_BESIDE, BanBatch, BanColumns
from geocli.model.bans import Ban

TEXTS = st.sampled_from([None, "a", "b"])
BANS = st.builds(
    Ban, TEXTS, st.sampled_from(["8.8.8.8", "alice"]), TEXTS, TEXTS, st.none() | st.just(1), TEXTS
)


@given(st.lists(BANS), st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([None, 1, 2, -1]))
def test_it_is_as_a_list_of_them(bans: list[Ban], begin: int, end: int, step: int | None) -> None:
    batch = BanBatch.of(bans)
    assert (len(batch), list(batch)) == (len(bans), bans)
    assert list(batch[begin:end:step]) == bans[begin:end:step]
    assert [batch[index] for index in range(-len(bans), len(bans))] == bans * 2
    assert BanBatch.of(batch) is batch


def test_what_is_told_of_no_ban_is_no_column() -> None:
    assert BanBatch.of([Ban(None, "a"), Ban(None, "b")]).beside == NOTHING_BESIDE
    assert BanBatch.of([Ban(None, "a"), Ban("x", "b")]).beside == BanColumns(jail=(None, "x"))
    assert list(BanBatch(["a"])) == [Ban(None, "a")]

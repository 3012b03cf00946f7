"""Records by column are written as one by one, whatever list of answers their blocks share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.record_batch import SHARED, RecordBatch, Shared
from geocli.model.records import FIELDS
from geocli.output.formats.base import Layout, load_format
from tests.support.examples import examples

PLACES = st.sampled_from([None, 0.0, 1.0, 51.5])
TEXTS = st.sampled_from([None, "", "DE", "100%", "%s", 'a "b"', "=1", "ä", "a,b"])
ANSWERS = st.fixed_dictionaries(
    dict.fromkeys(SHARED, TEXTS)
    | {"status": st.sampled_from(["ok", "unknown"]), "latitude": PLACES, "longitude": PLACES}
    | {"asn": st.sampled_from([None, 1, 24940]), "source": st.sampled_from(["a", "b"])}
    | {"resolved_at": st.sampled_from(["2026-11-25T00:00:00Z", "2026-11-25T00:00:01Z"])}
).map(lambda values: tuple(values[name] for name in SHARED))
CHOSEN = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=16).map(tuple)


@st.composite
def growing(draw: st.DrawFn) -> list[list[RecordBatch]]:
    """Several lists of answers, each with blocks made as it grew."""
    runs = []
    for _ in range(draw(st.integers(1, 3))):
        answers: list[Shared] = []
        blocks = []
        for _ in range(draw(st.integers(1, 4))):
            answers += draw(st.lists(ANSWERS, min_size=0 if answers else 1, max_size=3))
            numbers = draw(st.lists(st.integers(0, len(answers) - 1), max_size=4))
            ips = [f"192.0.2.{index}" for index in range(len(numbers))]
            networks = draw(
                st.lists(st.sampled_from([None, "192.0.2.0/24"]), min_size=len(ips), max_size=len(ips))
            )
            blocks.append(RecordBatch(ips, networks, numbers, answers))
        runs.append(blocks)
    return runs


@pytest.mark.parametrize("form", ["csv", "json", "tsv"])
@examples(150)
@given(growing(), CHOSEN, st.data())
def test_blocks_are_written_as_their_records(
    form: str, runs: list[list[RecordBatch]], chosen: tuple[str, ...], data: Any
) -> None:
    together = load_format(form, Layout(FIELDS, chosen))
    blocks = data.draw(st.permutations([block for blocks in runs for block in blocks]))
    for block in blocks:
        # What is shared may have grown since: the block is what it was.
        assert (
            together.batch(block) == load_format(form, Layout(FIELDS, chosen)).rows(block.records()).encode()
        )


@examples(100)
@given(growing())
def test_a_compact_block_has_the_same_records_and_no_other_answers(runs: list[list[RecordBatch]]) -> None:
    for block in (block for blocks in runs for block in blocks):
        compact = block.compact()
        compact.check() if compact.ips else None
        assert compact.records() == block.records()
        assert len(compact.answers) == len({*block.numbers})

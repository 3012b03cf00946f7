"""What stands beside records is written as in rows that have it all, in every form that has lines."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.current import BESIDE, COLUMNS, row_of
from geocli.model.ban_batch import BanBatch
from geocli.model.bans import Ban, LocatedBan
from geocli.model.record_batch import RecordBatch
from geocli.model.records import FIELDS
from geocli.model.time_column import NEVER, TimeColumn
from geocli.output.formats.base import Layout, load_format
from geocli.output.formats.derived import beside_of
from tests.output.formats.test_batch_writer import growing
from tests.support.examples import examples

JAILS = st.sampled_from([None, "sshd", "a,b", '"', "=1", "100%", "%s", "ä", "", "1"])
SECONDS = {None: NEVER, "2026-11-25T00:00:00Z": 1795564800, "2026-11-25T00:00:01Z": 1795564801}
MOMENTS = st.sampled_from([*SECONDS])
COUNTS = st.sampled_from([None, 0, 1, 2, 2**31 - 1])
CHOSEN = st.lists(st.sampled_from([*COLUMNS, "tags"]), min_size=1, max_size=16).map(tuple)


@pytest.mark.parametrize("form", ["csv", "json", "tsv", "template"])
@examples(150)
@given(growing(), CHOSEN, st.data())
def test_lines_with_something_beside_are_the_lines_of_rows(
    form: str, runs: list[list[RecordBatch]], chosen: tuple[str, ...], data: Any
) -> None:
    template = "%".join(f"{{{name}}}" for name in chosen)
    layout = Layout(COLUMNS, chosen, template=template)
    writer = beside_of(load_format(form, layout), BESIDE)
    assert writer is not None
    for block in (block for blocks in runs for block in blocks):
        size = len(block.ips)
        told = [data.draw(st.lists(of, min_size=size, max_size=size)) for of in (JAILS, MOMENTS, COUNTS)]
        bans = [Ban(jail, "x", at, at, count) for jail, at, count in zip(*told, strict=True)]
        located = map(LocatedBan, bans, block.records())
        expected = load_format(form, layout).rows([row_of(ban) for ban in located])
        beside = BanBatch.of(bans).beside
        assert writer.render(block, beside.to_bytes(writer.names)) == expected.encode()
        if beside.banned_at is not None:
            moments = TimeColumn(array("q", map(SECONDS.__getitem__, beside.banned_at)))
            beside = beside._replace(banned_at=moments, expires_at=moments)
            assert writer.render(block, beside.to_bytes(writer.names)) == expected.encode()


def test_a_table_is_no_form_of_lines() -> None:
    assert beside_of(load_format("table", Layout(COLUMNS, FIELDS)), BESIDE) is None
    assert beside_of(load_format("table", Layout(COLUMNS, ("ip", "tags"))), BESIDE) is None

"""Groups in a file are those in memory, in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.lookup.groups import Groups
from geocli.model.group_by import parse_by
from geocli.model.row_order import parse_order

COLUMNS = ("addresses", "bans", "share")
VALUES = {
    "country": (st.sampled_from(["DE", "FR", None]), st.sampled_from(["Germany", None])),
    "asn": (st.sampled_from([1, 9, 10, 4294967295, None]), st.sampled_from(["one", "Two", "ü", None])),
    "jail": (st.sampled_from(["a", "B", "ä", None]),),
    "day": (st.sampled_from(["2026-11-01", "2026-11-30", None]),),
    "weekday": (st.sampled_from(["Friday", "Monday", "Sunday", None]),),
    "network": (
        st.sampled_from(["10.0.0.0/8", "9.0.0.0/8", "2001:db8::/32", "alice"]),
        *[st.sampled_from(["a", None])] * 3,
    ),
}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_groups_in_a_file_are_those_in_memory(name: str, data: Any) -> None:
    by = parse_by(name)
    rows = st.lists(st.tuples(st.tuples(*VALUES[name]), st.integers(0, 2), st.integers(1, 3)), max_size=20)
    in_memory, in_file = Groups(by), Groups(by, Path("/nowhere"), data.draw(st.integers(1, 4)))
    for row in data.draw(rows):
        in_memory.add(*row)
        in_file.add(*row)
    columns = (*by.names, *COLUMNS)
    keys = data.draw(
        st.lists(st.sampled_from([f"{sign}{key}" for sign in ("", "-") for key in columns]), max_size=3)
    )
    order = parse_order(",".join(keys), columns) if keys else None
    top, at_least = data.draw(st.sampled_from([None, 1, 3])), data.draw(st.integers(0, 4))
    assert in_file.rows(top, at_least, order) == in_memory.rows(top, at_least, order)
    assert (len(in_file), in_file.total) == (len(in_memory), in_memory.total)
    assert sorted(in_file.parts(), key=str) == sorted(in_memory.parts(), key=str)

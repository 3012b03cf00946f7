"""Values as text: what is shown can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.config.keys import KEYS, Key
from geocli.config.parsers import (
    Secret,
    count_up_to,
    duration_text,
    name_list,
    parse_duration,
    parse_secret,
    path_list,
)


@given(st.integers(0, 10**9 - 1), st.sampled_from(["", "s", "m", "h", "d", "w", "y"]))
def test_a_duration_is_shown_as_what_reads_as_the_same(count: int, unit: str) -> None:
    seconds = parse_duration(f"{count}{unit}")
    assert parse_duration(duration_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1, "1s"), (90, "90s"), (300, "5m"), (86400, "1d"), (30 * 86400, "30d"), (604800, "7d")],
)
def test_a_duration_is_shown_in_the_largest_unit_that_fits_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


WORDS = st.text("abc-1", min_size=1)
VALUES: list[tuple[Key, st.SearchStrategy[Any]]] = [
    (Key(name_list, ","), st.lists(WORDS, min_size=1).map(tuple)),
    (Key(path_list, ":"), st.lists(WORDS.map(lambda word: Path("/", word))).map(tuple)),
    (Key(parse_duration), st.integers(0, 10**8).map(float)),
    (Key(count_up_to(1000)), st.integers(1, 1000)),
]


@pytest.mark.parametrize("number", range(len(VALUES)))
@given(st.data())
def test_a_setting_is_shown_as_what_would_set_it(number: int, data: st.DataObject) -> None:
    key, values = VALUES[number]
    value = data.draw(values)
    text = key.to_text(value)
    assert text is not None
    assert key.from_text(text) == value


def test_a_secret_does_not_show_itself() -> None:
    assert Key(parse_secret).to_text(Secret("abc")) == "***"
    assert Key(str).to_text(Secret("abc")) == "***"
    assert "abc" not in repr(Secret("abc"))


def test_every_key_can_show_that_nothing_is_set() -> None:
    assert {key.to_text(None) for key in KEYS.values()} == {None}

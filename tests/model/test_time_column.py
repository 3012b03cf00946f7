"""Times by column are those of a record, and none is what a record cannot tell."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from geocli.model.records import utc_text
from geocli.model.time_column import END_OF_TIME, NEVER, TimeColumn

SECONDS = st.integers(0, END_OF_TIME - 1)
ANY = SECONDS | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([NEVER, END_OF_TIME])


def _text(second: int) -> str | None:
    return utc_text(second) if 0 <= second < END_OF_TIME else None


@given(st.lists(SECONDS) | st.lists(ANY))
def test_moments_are_a_sequence_of_the_times_that_they_are(seconds: list[int]) -> None:
    moments, texts = TimeColumn(array("q", seconds)), list(map(_text, seconds))
    assert list(moments) == [moments[index] for index in range(len(moments))] == texts
    assert list(moments[1:3]) == texts[1:3]


@given(st.lists(SECONDS) | st.lists(ANY))
def test_they_stand_between_two_texts_and_what_is_none_is_another(seconds: list[int]) -> None:
    expected = [b"-" if text is None else f'"{text}",'.encode() for text in map(_text, seconds)]
    assert TimeColumn(array("q", seconds)).encoded(b'"', b'",', b"-") == expected

"""Text that is passed through to a terminal cannot move, colour or clear it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.cli.visible_text import VisibleText
from tests.conftest import Geocli
from tests.support.terminal import on_terminal

HOSTILE = "a\x1b[31m 8.8.8.8 \x1b[0m\x07 \x9b2J \u202e \r\nb\rc\td\u00e9\n"
SHOWN = "a\\x1b[31m 8.8.8.8 [US AS15169 Google LLC] \\x1b[0m\\x07 \\x9b2J \\u202e \nb\\rc\td\u00e9\n"


def test_annotate_shows_on_a_terminal_what_would_move_it(geocli: Geocli) -> None:
    assert on_terminal(geocli, "annotate", stdin=HOSTILE).out == SHOWN


def test_in_a_pipe_every_byte_stays(geocli: Geocli) -> None:
    out = geocli("annotate", stdin=HOSTILE).stdout
    assert out.replace(" [US AS15169 Google LLC]", "") == HOSTILE


@given(st.binary(max_size=60), st.integers(min_value=1, max_value=5))
def test_it_does_not_matter_where_pieces_end(data: bytes, size: int) -> None:
    whole, cut = VisibleText(), VisibleText()
    expected = whole.feed(data) + whole.end()
    pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
    assert "".join(map(cut.feed, pieces)) + cut.end() == expected
    assert all(char.isprintable() or char in "\n\t" for char in expected)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x9b1m", "\\x9b1m"),  # a byte that old terminals take for an escape
        (b"a\r", "a\\r"),
        (b"a\r\n", "a\n"),
        (b"\xc3", "\\xc3"),
        ("\U000e0041".encode(), "\\U000e0041"),
    ],
)
def test_what_is_shown_says_what_it_was(data: bytes, shown: str) -> None:
    text = VisibleText()
    assert text.feed(data) + text.end() == shown

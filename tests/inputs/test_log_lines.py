"""The lines of a log that tell of something: each is counted once, wherever it is cut."""

from __future__ import annotations

from io import BytesIO

from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.log_lines import LineFinder
from geocli.inputs.stream import Stream
from geocli.model.blocks import Block, block_of

_LONG = b"x " * 100_000
_PARTS = st.sampled_from(
    [b"8.8.8.8 ", b"from 8.8.8.9:22 ", b"2001:db8::1 ", b"8.8.8.80 ", b"text ", b"\t", b"\n", b"\r\n", _LONG]
)


def block(text: str) -> Block:
    found = block_of(text)
    assert found is not None
    return found


@example([b"8.8.8.8 ", b"\n", _LONG, b"8.8.8.8 ", _LONG, b"8.8.8.8 "])
@given(st.lists(_PARTS, max_size=30))
def test_a_line_counts_once_for_each_that_it_tells_of(parts: list[bytes]) -> None:
    text = b"".join(parts)
    wanted = {
        "8.8.8.8": [b"8.8.8.8 "],
        "8.8.8.0/28": [b"8.8.8.8 ", b"8.8.8.9:"],
        "2001:db8::/32": [b"2001:db8::1 "],
    }
    finder = LineFinder(map(block, wanted), 3)
    finder.read(Stream(BytesIO(text), "a log"))
    for name, words in wanted.items():
        lines = [line for line in text.split(b"\n") if any(word in line for word in words)]
        found = finder.found(block(name))
        assert found.total == len(lines)
        assert len(found.shown) == min(len(lines), 3)
        assert all(line.isprintable() and len(line) <= 500 for line in found.shown)

"""Text of any length, cut anywhere: time grows as the text does, and no notation is lost at a cut."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.in_text import find_targets
from geocli.inputs.stream import pieces
from geocli.inputs.targets import read_targets
from tests.support.examples import examples

# What patterns are made of. Hostile text repeats a part and ends in something that does not fit.
FRAGMENTS = [
    b"1.", b"1.2.3.4", b"255.", b"1:", b"::", b":", b"ffff:", b"f::", b"%", b"%2", b"%20", b"%25", b"\\",
    b"\\u00", b"\\n", b"\x1b[", b"\x1b[1", b"#0", b"=3", b"/", b"/2", b"-", b"1.2.3.4-", b"1.2.3.4/",
    b"::1%", b"::1-", b"[.]", b"1[.]", b"[:]", b"1[:]", b"(dot)", b"[dot]", b"1[dot]", b"1\\.", b" > ",
    b"IP ", b"IP 1.2.3.4.5 > ", b"tcp4 0 0 ", b"tcp ", b" ", b"0 ", b"]: ", b"[: ", b"[client ",
    b"[client ::", b":1 [", b"Name/", b"/1.2.3.4 ", b"a", b"A1.", b"rv:", b"(", b"; ", b"Name/5.0 (",
    b"1.2.3.4;", b"1.2.3.4)", b"%ASA-", b"1.2.3.4/2 %ASA-", b"@", b"a@1.2.3.4.5", b"\n", b"::ffff:1.2.3.4",
    b"00:11:22:", b"x::", b"1.2.3.4.5.", b"1.2.3.4.a", b"9" * 9, b"1.2.3.4,", b'"', b"\xff", b"=", b"<1b>",
    b"^[", b"^I",
]  # fmt: skip
SIZE = 2_000  # bytes of the shortest text of three


def _seconds(text: bytes) -> float:
    """Of a processor, at the least of several times: other processes do not count."""
    best = float("inf")
    for _ in range(2):
        start = time.process_time()
        find_targets(text)
        best = min(best, time.process_time() - start)
    return best


def _is_linear(part: bytes, end: bytes) -> bool:
    texts = [part * (size // len(part)) + end for size in (SIZE, 2 * SIZE, 4 * SIZE)]
    times = [_seconds(text) for text in texts]
    # Twice the text, twice the time; a square would be four times, and twice in a row.
    return times[2] < 4e-3 or times[2] / times[0] < 9 or times[2] / times[1] < 2.8


@pytest.mark.slow
@pytest.mark.parametrize("end", [b"", b"g", b"1.2.3.4.5.6", b"::g"], ids=repr)
def test_time_grows_as_the_text_does(end: bytes) -> None:
    chosen = random.Random(5200)  # noqa: S311 (not a secret)
    pairs = [b"".join(chosen.sample(FRAGMENTS, chosen.choice([2, 3]))) for _ in range(60)]
    parts = [part for part in [*FRAGMENTS, *pairs] if not _is_linear(part, end)]
    # A machine that was busy is given two more chances.
    assert [part for part in parts if not (_is_linear(part, end) or _is_linear(part, end))] == []


# --- cuts ---------------------------------------------------------------------------------------------

NOTATIONS = [
    (b"IP 80.94.95.113.48040 > 192.0.2.10.22: Flags [S], seq 1, win 65495, length 0", 2),
    (b"IP6 2a02:8109::5.55142 > 2001:db8::5.18080: Flags [S]", 2),
    (b"[client 2a02:8109::5:443] AH01630: client denied by server configuration", 1),
    (b"haproxy[1]: 2a02:8109::5:443 [23/Nov/2026:21:42:11.123] www~ a/b 0/0/0/1/1 200", 1),
    (b"tcp4       0      0  192.0.2.10.22          80.94.95.113.51234     ESTABLISHED", 2),
    (b"info: block(1): tcp/accept ]: 80.94.95.113.50550 9.9.9.9.1080: error after reading 35 bytes", 2),
    (b"\x1b[1;31m80.94.95.113\x1b[0m GET", 1),
    (b'{"message":"banned\\n80.94.95.113\\n"},', 1),
    (b"80[.]94[.]95[.]113 seen", 1),
    (b"Mozilla/5.0 (Linux; Tizen 2.2.1.3; SAMSUNG) AppleWebKit/537.36 YaBrowser/23.1.0.0 Safari", 0),
    (b"1.2.3.0-1.2.3.255", 1),
    (b"1.2.3.0/255.255.255.0", 1),
    (b"1.2.3.4", 1),
    (b"2a02:8109::7", 1),
    (b"fe80::1%eth0", 1),
    (b"GET /index.html HTTP/1.1", 0),
]


def targets(chunks: list[bytes]) -> list[str]:
    return [target for found in read_targets(chunks) for target in found]


@examples(8)
@given(
    st.lists(st.sampled_from(NOTATIONS), min_size=1, max_size=4),
    st.sampled_from([b" ", b"  ", b"\t", b", "]),
    st.integers(0, 2**32),
)
def test_no_notation_is_lost_in_a_line_that_is_too_long(
    notations: list[tuple[bytes, int]], blank: bytes, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 (not a secret)
    shortest = min(len(text) for text, _ in notations) + len(blank)
    items = [chosen.choice(notations) for _ in range(150_000 // shortest // 2)]
    text = blank.join(text for text, _ in items)
    edges = sorted({0, len(text), *(chosen.randrange(len(text) + 1) for _ in range(5))})
    chunks = [text[begin:end] for begin, end in pairwise(edges)]
    found = targets([text])
    assert len(found) == sum(count for _, count in items)
    assert targets(chunks) == found
    assert targets([text[begin : begin + 5000] for begin in range(0, len(text), 5000)]) == found


@examples(20)
@given(
    st.lists(st.sampled_from([part for part in FRAGMENTS if part != b"\n"]), min_size=1, max_size=6),
    st.integers(0, 2**32),
)
def test_where_a_long_line_is_cut_depends_on_the_text_alone(parts: list[bytes], seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311 (not a secret)
    text = b"".join(chosen.choice(parts) for _ in range(20_000))
    edges = sorted({0, len(text), *(chosen.randrange(len(text) + 1) for _ in range(5))})
    chunks = [text[begin:end] for begin, end in pairwise(edges)]
    assert _texts([text]) == _texts(chunks)


def _texts(chunks: list[bytes]) -> list[bytes]:
    return [piece.text for piece in pieces(chunks) if not piece.opaque]

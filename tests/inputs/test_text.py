"""Any text read in chunks cut anywhere: what is found does not depend on where they are cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.targets import read_targets
from tests.conftest import within
from tests.support.examples import examples

KIB = 1024


def targets(chunks: Iterable[bytes]) -> list[str]:
    return [target for found in read_targets(chunks) for target in found]


def cut(text: bytes, positions: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(position % (len(text) + 1) for position in positions), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def every(size: int, text: bytes) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


# --- comments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # of plain lists
        ("# 1.2.3.4", []),
        ("#1.2.3.4", []),
        (" \t# 1.2.3.4", []),
        ("## 1.2.3.4 # 5.6.7.8", []),
        ("1.2.3.4 # 5.6.7.8", ["1.2.3.4"]),
        ("1.2.3.4\t#5.6.7.8 # 9.9.9.9", ["1.2.3.4"]),
        ("  1.2.3.4   # 5.6.7.8", ["1.2.3.4"]),
        ("2001:db8::/32 # was ::1", ["2001:db8::/32"]),
        ("1.2.3.0/24, # 5.6.7.8", ["1.2.3.0/24"]),
        ("[::1]:22 # 5.6.7.8", ["::1"]),
        ("# one\n1.2.3.4\n# two 9.9.9.9\n5.6.7.8 # three 9.9.9.9\n", ["1.2.3.4", "5.6.7.8"]),
        ("# one\r\n1.2.3.4 # 9.9.9.9\r\n5.6.7.8\r\n", ["1.2.3.4", "5.6.7.8"]),
        # elsewhere it hides nothing
        ("Nov 5 sshd: #5 from 1.2.3.4", ["1.2.3.4"]),
        ("12:00:01 #5 from 1.2.3.4", ["1.2.3.4"]),
        ("2026-11-05 # from 1.2.3.4", ["1.2.3.4"]),
        ("version 1.2.3 # from 1.2.3.4", ["1.2.3.4"]),
        ("1.2.3 # from 1.2.3.4", ["1.2.3.4"]),
        ("1.2.3.4 - - /x # 5.6.7.8", ["1.2.3.4", "5.6.7.8"]),
        ("GET /#1.2.3.4", ["1.2.3.4"]),
        ("client 1.2.3.4#53: query", ["1.2.3.4"]),
        ("a #\n1.2.3.4", ["1.2.3.4"]),
        # blank lines
        ("", []),
        ("\n", []),
        ("\n\n1.2.3.4\n\r\n \n\t\n5.6.7.8\n\n", ["1.2.3.4", "5.6.7.8"]),
        ("#", []),
        ("#\n1.2.3.4", ["1.2.3.4"]),
    ],
)
def test_comments_are_skipped_in_plain_lists_and_only_there(text: str, expected: list[str]) -> None:
    assert targets([text.encode()]) == expected
    assert targets(every(1, text.encode())) == expected


# --- chunks -------------------------------------------------------------------------------------------

ENDS = st.sampled_from([b"\n", b"\r\n"])
LINES: st.SearchStrategy[tuple[bytes, list[str]]] = st.sampled_from(
    [
        (b"", []),
        (b" \t", []),
        (b"1.2.3.4", ["1.2.3.4"]),
        (b"  2001:DB8::1/32 ", ["2001:db8::/32"]),
        (b"# 1.2.3.4 ::1", []),
        (b"\t#1.2.3.4", []),
        (b"1.2.3.4 # 5.6.7.8", ["1.2.3.4"]),
        (b"::ffff:1.2.3.4\t# 5.6.7.8 [{", ["1.2.3.4"]),
        (b"Nov  5 06:25:07 host sshd[7]: #5 from 192.0.2.7 port 22", ["192.0.2.7"]),
        (b"12:00:01 # from ::2", ["::2"]),
        (b'1.2.3.4 - - [05/Nov/2026:06:25:07 +0000] "GET /# 5.6.7.8 [{', ["1.2.3.4", "5.6.7.8"]),
        (b"\xff\xfe\x00\x80 garbage \x00\xc3", []),
        (b"\x00192.0.2.9\xff", ["192.0.2.9"]),
        (
            b"[{'203.0.113.250': ['192.0.2.203', 'x']}, {'e': []}, {\"it's\": ['::5']}]",
            ["192.0.2.203", "::5"],
        ),
        (b"[{'#': ['192.0.2.1', '# 192.0.2.2']}]", ["192.0.2.1", "192.0.2.2"]),
        (b"[]", []),
        (b"[{", []),
        (b"[{'a': {'192.0.2.1': '# [{'}}]", ["192.0.2.1"]),
        # longer than a chunk, and than two
        (b"log " + b"x y " * 20 * KIB + b"# 192.0.2.11 end", ["192.0.2.11"]),
        (b"192.0.2.12 log " + b"some words, " * 12 * KIB + b"192.0.2.13", ["192.0.2.12", "192.0.2.13"]),
        (b"# " + b"1.2.3.4 " * 10 * KIB, []),
        (b"# " + b"no address here " * 10 * KIB + b"1.2.3.4", []),
        (b"192.0.2.14 # " + b"1.2.3.4, " * 10 * KIB, ["192.0.2.14"]),
        (b"192.0.2.15" + b" " * 100 * KIB + b"192.0.2.16", ["192.0.2.15", "192.0.2.16"]),
        (b"a" * 100 * KIB, []),
        (b"b" * 100 * KIB + b" 192.0.2.17", ["192.0.2.17"]),
        (
            b"[{'j': ['192.0.2.18', " + b"'user', " * 10 * KIB + b"'192.0.2.19']}]",
            ["192.0.2.18", "192.0.2.19"],
        ),
        (
            b"[{'a': []}, " + b"{'203.0.113.250': []}, " * 4 * KIB + b"{'z': ['192.0.2.20', 'it\"s']}]",
            ["192.0.2.20"],
        ),
    ]
)


@examples(50)
@given(
    st.lists(st.tuples(LINES, ENDS), max_size=8),
    st.booleans(),
    st.lists(st.integers(0, 2**24), max_size=12),
)
def test_what_is_found_does_not_depend_on_where_chunks_are_cut(
    lines: list[tuple[tuple[bytes, list[str]], bytes]], ends: bool, positions: list[int]
) -> None:
    text = b"".join(line + end for (line, _), end in lines)
    if not ends:
        text = text.rstrip(b"\r\n")
    expected = [target for (_, found), _ in lines for target in found]
    assert targets([text]) == expected
    assert targets(cut(text, positions)) == expected
    assert targets(every(64 * KIB, text)) == expected
    assert targets(every(1000, text)) == expected


@examples(100)
@given(
    st.lists(
        st.sampled_from([b"1.2.3.4", b"::1", b"/24", b"#", b" ", b"\n", b"[{", b"'a': [", b"'", b"]}]", b","])
    )
)
@example([b"[{", b"'a': [", b"'", b"1.2.3.4", b"'", b"]}]", b"\n", b"1.2.3.4"])
@example([b"1.2.3.4", b" ", b"#", b"1.2.3.4", b"\n", b"#", b"\n", b"1.2.3.4"])
def test_short_lines_may_come_byte_by_byte(parts: list[bytes]) -> None:
    text = b"".join(parts)
    assert targets(every(1, text)) == targets([text])


@examples(100)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_binary_garbage_is_no_error(chunks: list[bytes]) -> None:
    assert targets(chunks) == targets([b"".join(chunks)])


def test_a_carriage_return_alone_ends_no_line() -> None:
    text = b"[{\nlog\r# 5.6.7.8\n"
    assert targets([text]) == targets([b"[{\n", b"log\r# 5.6.7.8\n"])
    assert targets([b"log\r# 5.6.7.8\n"]) == ["5.6.7.8"]


@pytest.mark.parametrize(
    "line",
    [b" " * 70 * KIB + b"# 9.9.9.9\n", b"1.2.3.4," * 10 * KIB + b" # 9.9.9.9\n"],
    ids=["indented", "behind addresses"],
)
def test_a_comment_is_one_however_far_into_the_line_it_starts(line: bytes) -> None:
    assert targets([line]) == targets(every(64 * KIB, line)) == targets(every(1000, line))


def test_a_last_line_without_an_end_counts() -> None:
    assert targets([b"1.2.3.4\n5.6.", b"7.8"]) == ["1.2.3.4", "5.6.7.8"]
    assert targets([b"1.2.3.4", b""]) == ["1.2.3.4"]
    assert targets([]) == []


@pytest.mark.parametrize(
    "text",
    [
        b"." * 60 * KIB + b"#\n",
        b"1." * 60 * KIB + b" x #\n",
        b"\t" * 120 * KIB + b"x #\n",
        b"#" * 120 * KIB + b"\n",
        (b"." * 100 + b"#\n") * KIB,
    ],
    ids=lambda text: repr(text[:4] + text[-5:]),
)
def test_a_long_word_before_a_number_sign_is_read_at_once(text: bytes) -> None:
    with within(10):
        assert targets([text]) == []

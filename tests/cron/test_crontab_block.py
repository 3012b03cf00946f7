"""geocli's lines in a crontab: replaced, never doubled, taken out without a trace."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geocli.cron.crontab_block import BEGIN, END, install, lines_of, other_lines, remove
from geocli.model.errors import UsageError

LINES = [b"* * * * * /usr/bin/geocli flush", b"7 3 * * 1 /usr/bin/geocli db update"]
PIECES = [
    b"MAILTO=root", b"* * * * * true", b"\n", b"\r\n", b"\n\n", b" ", b"\t", b"# comment", b"\xff\xfe",
    b"\x00", b"geocli flush", b"# >>>", b"# <<< geocli", b"# >>> geoclip", END, b"%", "über".encode(),
]  # fmt: skip
texts = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
line_lists = st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=3)


def is_own(text: bytes) -> bool:
    return b"# >>> geocli" in text


@given(texts, line_lists)
@example(b"", LINES)
@example(b"no line end", LINES)
@example(b"no line end\r", LINES)
@example(b"\n", LINES)
def test_removing_restores_any_text_byte_for_byte(text: bytes, lines: list[bytes]) -> None:
    assume(not is_own(text) and not any(is_own(line) or line.startswith(b"# <<< geocli") for line in lines))
    installed = install(text, lines)
    assert remove(installed) == text
    assert lines_of(installed) == lines
    assert installed.startswith(text)
    assert remove(text) == text


@given(st.one_of(st.none(), texts), line_lists, line_lists)
def test_installing_again_replaces(text: bytes | None, old: list[bytes], new: list[bytes]) -> None:
    assume(not is_own(text or b""))
    assume(not any(is_own(line) or line.startswith(b"# <<< geocli") for line in old + new))
    once = install(text, new)
    assert install(once, new) == once
    assert install(install(text, old), new) == once
    assert remove(once) == text


@given(st.one_of(st.just(b""), texts.map(lambda text: text + b"\n")), texts)
def test_what_is_added_around_the_block_stays(before: bytes, after: bytes) -> None:
    assume(not is_own(before + after))
    text = install(before, [b"old"]) + after
    assert install(text, LINES) == install(before, LINES) + after
    assert remove(text) == before + after
    assert other_lines(text) == (before + after).split(b"\n")


@given(texts)
def test_any_text_at_all_is_taken_or_refused_as_a_block_without_end(text: bytes) -> None:
    try:
        installed = install(text, LINES)
    except UsageError:
        assert is_own(text)
    else:
        assert lines_of(installed) == LINES
        assert [line for line in other_lines(installed) if line] == [
            line for line in other_lines(text) if line
        ]


def test_no_crontab_becomes_no_crontab_again() -> None:
    installed = install(None, LINES)
    assert remove(installed) is None
    assert remove(install(installed, LINES[:1])) is None
    # Somebody added a line since: that one stays.
    assert remove(installed + b"0 0 * * * true\n") == b"0 0 * * * true\n"
    assert remove(b"0 0 * * * true\n" + installed) == b"0 0 * * * true\n"


def test_a_line_that_was_added_behind_does_not_join_the_one_before() -> None:
    installed = install(b"0 0 * * * true", LINES)
    assert remove(installed + b"1 1 * * * false\n") == b"0 0 * * * true\n1 1 * * * false\n"


def test_blocks_that_somebody_doubled_become_one() -> None:
    installed = install(b"a\n", LINES)
    doubled = installed + b"b\n" + installed.removeprefix(b"a\n") + b"c\n"
    assert install(doubled, LINES) == installed + b"b\nc\n"
    assert remove(doubled) == b"a\nb\nc\n"


def test_marks_with_the_line_ends_of_another_system_are_marks() -> None:
    installed = install(b"a\n", LINES).replace(b"\n", b"\r\n")
    assert remove(installed) == b"a\r\n"
    assert install(installed, LINES).count(BEGIN) == 1


def test_a_last_mark_without_a_line_end_is_one() -> None:
    installed = install(b"a\n", LINES).removesuffix(b"\n")
    assert remove(installed) == b"a\n"
    assert install(installed, LINES) == install(b"a\n", LINES)


@pytest.mark.parametrize(
    ("text", "line"),
    [(BEGIN, 1), (b"a\nb\n" + BEGIN + b"\n* * * * * x\n", 3), (BEGIN + b"\n" + BEGIN + b"\n" + END, 1)],
)
def test_a_block_without_an_end_is_refused_with_its_line(text: bytes, line: int) -> None:
    for work in (remove, lines_of, other_lines, lambda text: install(text, LINES)):
        with pytest.raises(UsageError, match=f"line {line} of the crontab"):
            work(text)


def test_a_huge_crontab_is_no_work() -> None:
    text = b"* * * * * true\n" * 200_000
    assert remove(install(text, LINES)) == text

"""Records: text from outside made harmless, times as text, rows read back looked at."""

from __future__ import annotations

import string
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geocli.model.records import (
    FIELDS,
    MAX_ASN,
    MAX_SOURCE,
    MAX_TEXT,
    GeoRecord,
    check_rows,
    clean_text,
    utc_text,
)
from tests.support.examples import examples

CONTRACT = (
    "ip status country_code country_name region city latitude longitude asn org network source resolved_at"
)

# With lone surrogates, which a file name or a damaged file may bring.
ANY_TEXT = st.text(alphabet=st.characters(), max_size=600)
SPACES = "".join(char for char in map(chr, range(0x110000)) if char.isspace())


def test_the_fields_are_the_contract_s_in_its_order() -> None:
    assert tuple(CONTRACT.split()) == FIELDS
    assert GeoRecord("192.0.2.1", "unknown") == ("192.0.2.1", "unknown", *[None] * 11)


# --- clean_text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Telefónica de España", "Telefónica de España"),
        ("中华电信 😀", "中华电信 😀"),
        ("[red]x[/]", "[red]x[/]"),
        ("a\tb", "a b"),
        ("a\r\nb\n", "a b"),
        (" a \v\f b ", "a b"),
        ("a\u00a0b\u2003c\u3000d\u2028e\u2029f\x85g", "a b c d e f g"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x00b", r"a\x00b"),
        ("a\x7fb", r"a\x7fb"),
        ("a\x9bb", r"a\x9bb"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\ufeffbom", r"\ufeffbom"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
    ids=ascii,
)
def test_text_from_outside_is_shown_and_does_nothing(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@examples(150)
@given(ANY_TEXT, st.integers(1, 300))
@example("\x1b" * 600, 7)
@example("\U000e0041" * 600, 8)
@example("\n" * 600, 8)
def test_any_text_comes_out_bounded_and_printable(text: str, limit: int) -> None:
    clean = clean_text(text, limit)
    assert len(clean) <= limit
    assert clean.isprintable()
    assert not {unicodedata.category(char) for char in clean} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_text(clean, limit) == clean


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=MAX_TEXT))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@given(
    st.lists(st.text(alphabet=string.ascii_letters, min_size=1, max_size=5), min_size=2, max_size=10),
    st.text(alphabet=SPACES.replace(" ", ""), min_size=1, max_size=5),
)
def test_white_space_of_any_kind_becomes_one_blank(words: list[str], space: str) -> None:
    assert clean_text(space.join(words)) == " ".join(words)
    assert clean_text(f"{space}{space.join(words)}{space}") == " ".join(words)


def test_text_that_is_cut_says_so() -> None:
    assert clean_text("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert clean_text("x" * (MAX_TEXT + 1)) == "x" * (MAX_TEXT - 1) + "…"
    assert clean_text("x" * 10**7) == "x" * (MAX_TEXT - 1) + "…"
    assert clean_text("é" * 20, 10) == "é" * 9 + "…"


# --- utc_text -----------------------------------------------------------------------------------------


def test_a_moment_is_iso_8601_in_utc_with_seconds() -> None:
    assert utc_text(0) == "1970-01-01T00:00:00Z"
    assert utc_text(1_793_923_387.999) == "2026-11-06T00:03:07Z"


@given(st.integers(0, 2**37), st.integers(0, 2**37))
def test_comparing_times_as_text_compares_the_times(one: int, other: int) -> None:
    assert (utc_text(one) < utc_text(other)) == (one < other)
    assert datetime.strptime(utc_text(one), "%Y-%m-%dT%H:%M:%S%z") == datetime.fromtimestamp(one, UTC)


# --- check_rows ---------------------------------------------------------------------------------------

GOOD = GeoRecord(
    ip="192.0.2.1",
    status="ok",
    country_code="ES",
    country_name="Spain",
    region="Cataluña",
    city="Vic",
    latitude=41.93,
    longitude=2.25,
    asn=3352,
    org="Telefónica",
    network="192.0.2.0/24",
    source="mmdb:example-2026-06",
    resolved_at="2026-11-05T06:25:07Z",
)

PRINTABLE = st.text(alphabet=st.characters(exclude_categories=["C", "Zs", "Zl", "Zp"]), max_size=MAX_TEXT)
MAYBE_TEXT = st.one_of(st.none(), PRINTABLE)
DEGREES = st.one_of(st.none(), st.floats(-90, 90))
ROWS = st.tuples(
    PRINTABLE,
    st.sampled_from(["ok", "unknown"]),
    MAYBE_TEXT,
    MAYBE_TEXT,
    MAYBE_TEXT,
    MAYBE_TEXT,
    DEGREES,
    DEGREES,
    st.one_of(st.none(), st.integers(0, MAX_ASN)),
    MAYBE_TEXT,
    MAYBE_TEXT,
    MAYBE_TEXT,
    st.integers(0, 2**37).map(utc_text),
)


def test_no_rows_are_good_rows() -> None:
    check_rows([])


@given(st.lists(ROWS, max_size=5))
def test_rows_that_may_be_records_are_accepted(rows: list[tuple[Any, ...]]) -> None:
    check_rows(rows)
    check_rows([list(row) for row in rows])


NOT_TEXT: st.SearchStrategy[object] = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.binary(), st.just([]), st.just({}), st.just(("a",))
)
BAD_TEXT = st.one_of(
    st.integers(MAX_TEXT + 1, 5000).map("x".__mul__),
    st.sampled_from(
        ["\x1b[2J", "a\nb", "a\tb", "\x00", "\x9b", "\u202e", "\u200b", "\ud800", "\u2028", "\xa0"]
    ),
)
NOT_A_NUMBER: st.SearchStrategy[object] = st.one_of(
    st.booleans(), st.text(), st.binary(), st.just([]), st.just({}), st.complex_numbers()
)
BAD_DEGREES: st.SearchStrategy[object] = st.one_of(
    NOT_A_NUMBER,
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.floats(min_value=180, exclude_min=True),
    st.floats(max_value=-180, exclude_max=True),
    st.integers(),
)
BAD_ASN: st.SearchStrategy[object] = st.one_of(
    NOT_A_NUMBER, st.floats(), st.integers(max_value=-1), st.integers(min_value=MAX_ASN + 1)
)
BAD_STATUS: st.SearchStrategy[object] = st.one_of(
    st.none(),
    NOT_TEXT,
    BAD_TEXT,
    st.sampled_from(["reserved", "error", "", "OK", "ok "]),
    st.text().filter(lambda text: text not in {"ok", "unknown"}),
)
BAD_TIME: st.SearchStrategy[object] = st.one_of(
    st.none(),
    NOT_TEXT,
    BAD_TEXT,
    st.sampled_from(
        [
            "",
            "2026-11-05",
            "2026-11-05 06:25:07Z",
            "2026-11-05T06:25:07",
            "2026-11-05T06:25:07+00:00",
            "2026-11-05T06:25:07.5Z",
            "2026-11-05T06:25:07Z ",
            "2026-11-05T06:25:07Z\n",
            "+2026-11-05T06:25:07Z",
            "1793923387",
        ]
    ),
)
BAD: dict[str, st.SearchStrategy[object]] = {
    "ip": st.one_of(st.none(), NOT_TEXT, BAD_TEXT),
    "status": BAD_STATUS,
    "latitude": BAD_DEGREES,
    "longitude": BAD_DEGREES,
    "asn": BAD_ASN,
    "resolved_at": BAD_TIME,
    "source": st.one_of(NOT_TEXT, BAD_TEXT.filter(lambda text: not MAX_TEXT < len(text) <= MAX_SOURCE)),
}


def with_value(row: tuple[Any, ...], field: str, value: object) -> tuple[Any, ...]:
    index = FIELDS.index(field)
    return (*row[:index], value, *row[index + 1 :])


@pytest.mark.parametrize("field", FIELDS)
def test_one_bad_value_among_good_rows_is_refused_and_its_field_named(field: str) -> None:
    @examples(30)
    @given(
        st.lists(ROWS, min_size=1, max_size=4),
        st.integers(0, 3),
        BAD.get(field, st.one_of(NOT_TEXT, BAD_TEXT)),
    )
    def refuses(rows: list[tuple[Any, ...]], at: int, bad: object) -> None:
        rows[at % len(rows)] = with_value(rows[at % len(rows)], field, bad)
        with pytest.raises(ValueError, match=field):
            check_rows(rows)

    refuses()


def test_text_may_be_as_long_as_its_field_allows() -> None:
    for field in FIELDS:
        if field in {"country_code", "country_name", "region", "city", "org", "network", "source", "ip"}:
            limit = MAX_SOURCE if field == "source" else MAX_TEXT
            check_rows([with_value(GOOD, field, "x" * limit)])
            with pytest.raises(ValueError, match=field):
                check_rows([with_value(GOOD, field, "x" * (limit + 1))])


@given(st.lists(ROWS, max_size=3), st.integers(0, 20))
def test_a_row_that_is_too_short_or_too_long_is_refused(rows: list[tuple[Any, ...]], length: int) -> None:
    assume(length != len(FIELDS))
    with pytest.raises(ValueError, match="13 values"):
        check_rows([*rows, (tuple(GOOD) * 2)[:length]])


@pytest.mark.parametrize("row", [None, 1, "x" * 13, b"x" * 13, {}, dict.fromkeys(FIELDS), set(range(13))])
def test_what_is_no_row_is_refused(row: object) -> None:
    with pytest.raises(ValueError, match="row"):
        check_rows([tuple(GOOD), row])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("latitude", 90.5),
        ("latitude", -91.0),
        ("resolved_at", "2026-13-05T06:25:07Z"),
        ("resolved_at", "\u0662\u0660\u0662\u0666-11-05T06:25:07Z"),
    ],
)
def test_a_place_beyond_the_pole_and_a_time_that_is_none_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        check_rows([tuple(GOOD), with_value(GOOD, field, value)])

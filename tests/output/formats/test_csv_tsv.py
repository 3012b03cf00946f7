"""CSV that any reader of RFC 4180 reads back, and TSV that ``cut`` and ``awk`` read."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.records import FIELDS, GeoRecord
from geocli.output.formats.base import Layout, load_format
from tests.support.examples import examples

RECORD = GeoRecord("192.0.2.1", "ok", "ES", "Spain", None, None, 41.5, 2, 3352, 'Telefónica, "S.A."')
COLUMNS = ("ip", "org", "asn")


def write(form: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]], header: bool = True) -> str:
    one = load_format(form, Layout(columns, columns, header=header))
    return one.head() + one.rows(rows)


def parse(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def harmless(value: object) -> str:
    """What stands in CSV for a value: a cell that a spreadsheet would calculate begins with an apostrophe."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    shown, begins = "", True
    for char in value:
        if begins and char in "=+-@\uff1d\uff0b\uff0d\uff20":
            shown += "'"
        begins = char in ";|" or (begins and char in " '\"")
        shown += char
    return shown


# --- CSV ----------------------------------------------------------------------------------------------


def test_csv_has_a_header_crlf_and_quotes_where_needed() -> None:
    text = write("csv", COLUMNS, [("192.0.2.1", 'Telefónica, "S.A."', 3352), ("::1", None, None)])
    assert text == 'ip,org,asn\r\n192.0.2.1,"Telefónica, ""S.A.""",3352\r\n::1,,\r\n'


def test_csv_without_a_header_starts_with_the_first_row() -> None:
    assert write("csv", ("ip",), [("::1",)], header=False) == "::1\r\n"
    assert write("csv", ("ip",), [], header=False) == ""


def test_csv_has_its_header_even_without_rows() -> None:
    assert parse(write("csv", FIELDS, [])) == [list(FIELDS)]


def test_csv_of_a_record_has_all_fields() -> None:
    header, row = parse(write("csv", FIELDS, [RECORD]))
    assert header == list(FIELDS)
    assert row == [*["192.0.2.1", "ok", "ES", "Spain", "", "", "41.5", "2", "3352"], RECORD.org, *[""] * 3]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_the_chosen_columns_come_in_the_chosen_order(form: str) -> None:
    one = load_format(form, Layout(FIELDS, ("asn", "ip", "asn")))
    assert (one.head() + one.rows([RECORD])).split() in (
        ["asn,ip,asn", "3352,192.0.2.1,3352"],
        ["asn", "ip", "asn", "3352", "192.0.2.1", "3352"],
    )


def test_equal_values_that_are_not_the_same_text_are_written_as_they_are() -> None:
    rows: list[tuple[Any, ...]] = [("a", 0), ("a", 0.0), ("a", False), ("a", -0.0)]
    assert parse(write("csv", ("org", "x"), rows, header=False)) == [["a", str(value)] for _, value in rows]


def test_a_line_end_in_a_value_is_no_line_end_in_csv() -> None:
    text = write("csv", ("org", "x"), [("a\r\nb\nc\rd", 1)], header=False)
    assert text == "a b c d,1\r\n"


PRINTABLE = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]), max_size=30),
    st.text(alphabet=" \",;'\\a\u00e9|=", max_size=12),
)


@examples(100)
@given(
    st.lists(
        st.tuples(
            PRINTABLE, st.one_of(st.none(), PRINTABLE), st.one_of(st.none(), st.integers(), st.floats())
        )
    ),
    st.booleans(),
)
def test_csv_parses_back_to_the_values(rows: list[tuple[Any, ...]], header: bool) -> None:
    parsed = parse(write("csv", COLUMNS, rows, header))
    expected = [[harmless(value) for value in row] for row in rows]
    assert parsed == [list(COLUMNS)] * header + expected


@examples(100)
@given(st.lists(st.one_of(st.none(), PRINTABLE), max_size=8))
def test_csv_of_one_column_has_a_line_for_every_row_also_for_empty_ones(values: list[str | None]) -> None:
    text = write("csv", ("org",), [(value,) for value in values], header=False)
    assert parse(text) == [[harmless(value)] for value in values]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (";=1+1;", ";'=1+1;"),
        ('a;"=1+1"', 'a;"\'=1+1"'),
        ("a; =1+1;b;-2", "a; '=1+1;b;'-2"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        (" =1", " '=1"),
        ("a=1; b", "a=1; b"),
        ("AT&T; e-mail", "AT&T; e-mail"),
    ],
)
def test_no_cell_begins_with_a_formula_whatever_separates_cells(text: str, shown: str) -> None:
    (line,) = write("csv", ("org", "asn"), [(text, -1)], header=False).splitlines()
    assert next(csv.reader([line])) == [shown, "-1"]
    for separator in ";|":
        for cell in next(csv.reader([line], delimiter=separator)):
            assert not cell.strip(' "').startswith(("=", "+", "@", "\uff1d", "\uff0b"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "=", "-"])
def test_csv_has_nothing_that_a_spreadsheet_calculates(text: str) -> None:
    assert parse(write("csv", ("org", "asn"), [(text, -1)], header=False)) == [[f"'{text}", "-1"]]


ANYTHING = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(), max_size=30),
    st.text(alphabet="\t\r\n\v\f\x1c\x85\u2028\xa0 a\"'", max_size=10),
    st.integers(),
    st.floats(),
)
ROWS = st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=5)


@examples(100)
@given(ROWS)
def test_csv_of_any_text_keeps_its_rows_and_columns(rows: list[tuple[Any, ...]]) -> None:
    parsed = parse(write("csv", COLUMNS, rows))
    assert len(parsed) == len(rows) + 1
    assert {len(row) for row in parsed} == {len(COLUMNS)}


# --- TSV ----------------------------------------------------------------------------------------------


def test_tsv_is_never_quoted() -> None:
    text = write("tsv", COLUMNS, [("192.0.2.1", 'Telefónica, "S.A."', 3352), ("::1", None, None)])
    assert text == 'ip\torg\tasn\n192.0.2.1\tTelefónica, "S.A."\t3352\n::1\t\t\n'


def test_tsv_without_a_header_starts_with_the_first_row() -> None:
    assert write("tsv", ("ip",), [("::1",)], header=False) == "::1\n"
    assert write("tsv", ("ip",), [], header=False) == ""
    assert write("tsv", ("ip", "org"), []) == "ip\torg\n"


def test_tabs_and_line_ends_in_a_value_become_blanks_in_tsv() -> None:
    assert write("tsv", ("a", "b"), [("x\ty", "one\r\ntwo\nthree")], header=False) == "x y\tone two three\n"


@examples(100)
@given(ROWS)
def test_tsv_of_any_text_keeps_its_rows_and_columns(rows: list[tuple[Any, ...]]) -> None:
    lines = write("tsv", COLUMNS, rows).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(rows) + 1
    assert {line.count("\t") for line in lines} == {len(COLUMNS) - 1}
    assert all(line.splitlines() == [line] for line in lines)


@examples(100)
@given(st.lists(st.tuples(PRINTABLE, PRINTABLE, st.one_of(st.none(), st.integers()))))
def test_tsv_gives_printable_values_back(rows: list[tuple[Any, ...]]) -> None:
    lines = write("tsv", COLUMNS, rows, header=False).split("\n")[:-1]
    assert [line.split("\t") for line in lines] == [
        ["" if value is None else str(value) for value in row] for row in rows
    ]

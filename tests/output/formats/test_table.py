"""The table: one header, aligned columns, as wide as the terminal and no wider."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geocli.model.records import FIELDS, GeoRecord
from geocli.output.formats.base import Layout, load_format
from tests.support.examples import examples

CHOSEN = ("ip", "country_code", "country_name", "asn", "org")
RECORD = GeoRecord("192.0.2.1", "ok", "ES", "Spain", asn=3352, org="Telefónica")
LONG = "The Very Long and Winding Name of an Organisation of Network Operators, Incorporated "


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def table(
    rows: list[tuple[Any, ...]],
    *,
    width: int | None = None,
    chosen: tuple[str, ...] = CHOSEN,
    header: bool = True,
    color: bool = False,
) -> list[str]:
    form = load_format("table", Layout(FIELDS, chosen, header=header, width=width, color=color))
    return (form.head() + form.rows(rows)).splitlines()


def start_of(title: str, lines: list[str]) -> int:
    """Where a column starts; in a narrow table the header takes more than one line."""
    return next(line.index(title) for line in lines if title in line)


def column(lines: list[str], start: int, end: int | None = None) -> str:
    """What stands between two positions of the lines, without the blanks: a cell that was folded."""
    return "".join("".join(line[start:end].split()) for line in lines)


def test_there_is_a_header_a_rule_and_a_line_for_every_record() -> None:
    header, rule, first, second = table([RECORD, RECORD._replace(ip="::1", org=None, asn=None)])
    assert header.split() == ["ip", "country", "code", "country", "name", "asn", "org"]
    assert set(rule) == {"─"}
    assert first.split() == ["192.0.2.1", "ES", "Spain", "3352", "Telefónica"]
    assert second.split() == ["::1", "ES", "Spain"]


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    lines = table([RECORD, RECORD._replace(ip="192.0.2.100", asn=7, org="x")])
    header, _, first, second = lines
    assert header.index("org") == first.index("Telefónica") == second.index("x")
    assert header.index("asn") + 3 == first.index("3352") + 4 == second.index("7") + 1


def test_the_chosen_columns_come_in_the_chosen_order() -> None:
    header, _, row = table([RECORD], chosen=("asn", "ip"))
    assert header.split() == ["asn", "ip"]
    assert row.split() == ["3352", "192.0.2.1"]


def test_the_header_may_be_left_out() -> None:
    assert [line.split()[0] for line in table([RECORD, RECORD], header=False)] == ["192.0.2.1"] * 2


def test_without_rows_there_is_nothing() -> None:
    assert table([]) == []


def test_the_header_comes_once_over_all_batches_and_columns_stay_where_they_are() -> None:
    form = load_format("table", Layout(FIELDS, CHOSEN, width=80))
    other = RECORD._replace(ip="::1", org="Other Ltd")
    text = form.head() + form.rows([RECORD, other]) + form.rows([]) + form.rows([other]) + form.rows([RECORD])
    lines = text.splitlines()
    assert len(lines) == 6
    assert text.count("country code") == 1
    assert text.count("─" * 20 + "\n") == 1
    assert lines[2] == lines[5]
    assert lines[3] == lines[4]


def test_a_later_row_that_is_wider_than_its_column_is_folded() -> None:
    form = load_format("table", Layout(FIELDS, ("ip", "org")))
    form.rows([RECORD])
    text = form.rows([RECORD._replace(org="Telefónica " + "x" * 50)])
    assert column(text.splitlines(), 10) == "Telefónica" + "x" * 50
    assert max(map(len, text.splitlines())) <= 9 + 3 + 10


@pytest.mark.parametrize("width", [None, 200])
def test_later_rows_stay_together_when_one_of_them_is_folded(width: int | None) -> None:
    form = load_format("table", Layout(FIELDS, ("org", "ip"), width=width))
    form.rows([RECORD])
    lines = form.rows([RECORD._replace(org="x" * 50), RECORD._replace(org="last", ip="::2")]).splitlines()
    assert lines[0].split() == ["x" * len("Telefónica"), "192.0.2.1"]
    assert lines[-1].split() == ["last", "::2"]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_long_organisations_fit_the_terminal(width: int) -> None:
    record = RECORD._replace(org=LONG * 3, country_name="Bolivia, Plurinational State of")
    lines = table([record, RECORD], width=width)
    assert max(map(cells, lines)) <= width
    assert LONG.replace(" ", "") * 3 in column(lines, start_of("org", lines))


def test_the_widest_column_gives_way_and_an_address_stays_in_one_piece() -> None:
    record = RECORD._replace(ip="198.51.100.123", asn=4200000000, org=LONG * 3)
    lines = table([record], width=80)
    assert any("198.51.100.123" in line for line in lines)
    assert any("4200000000" in line for line in lines)
    assert "country code" in lines[0]


def test_a_column_gives_way_no_further_than_it_must() -> None:
    lines = table([RECORD._replace(org="x" * 200)], width=80)
    assert max(map(cells, lines)) == 80


@pytest.mark.parametrize("width", [70, 80, 120])
def test_all_fields_of_long_records_fit_and_nothing_is_lost(width: int) -> None:
    record = GeoRecord(
        ip="2001:db8:1111:2222:3333:4444:5555:6666",
        status="ok",
        country_code="ES",
        country_name="Spain",
        region="Region" * 5,
        city="City" * 5,
        latitude=-12.3456,
        longitude=-123.4567,
        asn=4200000000,
        org=LONG,
        network="2001:db8:1111::/48",
        source="mmdb:example-2026-06",
        resolved_at="2026-11-05T06:25:07Z",
    )
    lines = table([record], width=width, chosen=FIELDS)
    assert max(map(cells, lines)) <= width
    body = "".join(lines[lines.index(next(line for line in lines if line.startswith("─"))) + 1 :])
    shown = sorted(char for char in body if not char.isspace())
    assert shown == sorted("".join(str(value) for value in record).replace(" ", ""))


def test_without_a_terminal_nothing_is_folded() -> None:
    lines = table([RECORD._replace(org=LONG * 3, city="x" * 256)], chosen=FIELDS)
    assert len(lines) == 3
    assert LONG.strip() in lines[2]


def test_wide_characters_are_aligned_and_fit() -> None:
    rows: list[tuple[Any, ...]] = [RECORD._replace(country_name="中国", org="中华电信" * 20), RECORD]
    lines = table(rows, width=80)
    assert max(map(cells, lines)) <= 80
    assert "".join("".join(line.split()) for line in lines).count("中华电信") >= 10
    chinese, spanish = (next(line for line in lines if word in line) for word in ("中华", "Telef"))
    assert cells(chinese[: chinese.index("中华")]) == cells(spanish[: spanish.index("Telef")])


def test_there_is_no_colour_unless_asked_for() -> None:
    assert "\x1b" not in "".join(table([RECORD], width=80))
    assert "\x1b[" in "".join(table([RECORD], width=80, color=True))


def test_lines_end_without_blanks() -> None:
    assert all(line == line.rstrip() for line in table([RECORD, RECORD._replace(org=None)], width=80))


@pytest.mark.parametrize("text", ["[red]x[/]", "[/]", "[bold", ":smiley:", "\\[x]", "a[b]c[/b]"])
def test_markup_is_shown_as_it_is(text: str) -> None:
    for color in (False, True):
        assert any(text in line for line in table([RECORD._replace(org=text)], width=80, color=color))


WORDS = st.text(
    alphabet=st.characters(exclude_categories=["C", "Zs", "Zl", "Zp", "M"], max_codepoint=0x2FF), max_size=60
)


@examples(60)
@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=5),
    st.integers(45, 200),
    st.booleans(),
)
def test_any_rows_fit_the_terminal_and_nothing_is_lost(
    rows: list[tuple[str, ...]], width: int, header: bool
) -> None:
    columns = ("a", "b", "c", "d")
    form = load_format("table", Layout(columns, columns, header=header, width=width))
    text = form.head() + form.rows(rows)
    lines = text.splitlines()
    assert max(map(cells, lines)) <= width
    body = lines[2:] if header else lines
    assert sorted("".join(body).replace(" ", "")) == sorted("".join("".join(row) for row in rows))


def test_color_is_around_the_text_of_a_cell_and_of_the_header() -> None:
    header, _, line = table([RECORD], chosen=("ip", "country_code", "org"), color=True)
    assert header == "\x1b[1mip         country code  org\x1b[0m"
    assert line == "\x1b[1m192.0.2.1\x1b[0m  \x1b[36mES\x1b[0m            Telefónica"


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)] * 3),
        min_size=1,
        max_size=6,
    )
)
def test_what_fits_stands_where_rich_would_set_it(rows: list[tuple[str, str, str]]) -> None:
    names = ("asn", "org", "city")
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        drawn.add_column(name, justify="right" if name == "asn" else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=1000, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(drawn)
    form = load_format("table", Layout(names, names))
    set_here = form.head() + form.rows(rows)
    assert set_here.splitlines() == [line.rstrip() for line in capture.get().splitlines()]

"""The table: one header, aligned columns, as wide as the terminal and no wider."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    form = load_format("table", Layout(FIELDS, CHOSEN, width=100))
    other = RECORD._replace(ip="::1", org="Other Ltd")
    text = form.head() + form.rows([RECORD, other]) + form.rows([]) + form.rows([other]) + form.rows([RECORD])
    lines = text.splitlines()
    assert len(lines) == 6
    assert text.count("country code") == 1
    assert text.count("─" * 20 + "\n") == 1
    assert lines[2] == lines[5]
    assert lines[3] == lines[4]


def test_the_widest_column_gives_way_and_an_address_stays_in_one_piece() -> None:
    record = RECORD._replace(ip="198.51.100.123", asn=4200000000, org=LONG * 3)
    lines = table([record], width=80)
    assert any("198.51.100.123" in line for line in lines)
    assert any("4200000000" in line for line in lines)
    assert lines[2].endswith("…")
    assert "country code" in lines[0]


def test_a_column_gives_way_no_further_than_it_must() -> None:
    lines = table([RECORD._replace(org="x" * 200)], width=80)
    assert max(map(cells, lines)) == 80


def test_without_a_width_nothing_is_cut() -> None:
    lines = table([RECORD._replace(org=LONG * 3, city="x" * 256)], chosen=FIELDS)
    assert len(lines) == 3
    assert LONG.strip() in lines[2]


def test_there_is_no_colour_unless_asked_for() -> None:
    assert "\x1b" not in "".join(table([RECORD], width=80))
    assert "\x1b[" in "".join(table([RECORD], width=80, color=True))


def test_lines_end_without_blanks() -> None:
    assert all(line == line.rstrip() for line in table([RECORD, RECORD._replace(org=None)], width=80))


@pytest.mark.parametrize("text", ["[red]x[/]", "[/]", "[bold", ":smiley:", "\\[x]", "a[b]c[/b]"])
def test_markup_is_shown_as_it_is(text: str) -> None:
    for color in (False, True):
        assert any(text in line for line in table([RECORD._replace(org=text)], width=80, color=color))


V6 = "2001:db8:1111:2222:3333:4444:5555:6666"
WIDTHS = (40, 60, 80, 100, 200)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_is_one_line_and_an_address_is_whole_in_every_batch(width: int) -> None:
    form = load_format("table", Layout(FIELDS, CHOSEN, width=width))
    first = form.rows([RECORD, RECORD._replace(org=LONG * 3)])
    later = [
        RECORD._replace(ip=ip, org=org, asn=asn, country_name=name)
        for ip in ("198.51.100.123", "2001:db8::1", V6)
        for org, asn, name in (
            (LONG, 4200000000, "South Georgia & South Sandwich Islands"),
            (None, 1, "Chad"),
        )
    ]
    lines = first.splitlines()[2:] + form.rows(later).splitlines()
    assert len(lines) == 2 + len(later)
    assert max(map(cells, lines)) <= width
    for record, line in zip(later, lines[2:], strict=True):
        assert line.split()[0] == record.ip
        if width >= 80:
            assert record.country_code in line.split()


def test_forty_columns_have_short_heads_and_room_for_a_country() -> None:
    header, _, line = table([RECORD._replace(org=LONG)], width=40)
    assert header.split()[:3] == ["ip", "cc", "country"]
    assert line.split()[:2] == ["192.0.2.1", "ES"]


def test_what_there_is_no_room_for_is_left_out_from_the_right_and_named() -> None:
    form = load_format("table", Layout(FIELDS, FIELDS, width=60))
    lines = form.rows([RECORD._replace(ip=V6, network="2001:db8:1111::/48", source="x" * 60)]).splitlines()
    assert max(map(cells, lines)) <= 60
    left_out = getattr(form, "left_out")  # noqa: B009 (not every form has it)
    last = FIELDS[FIELDS.index(left_out[0]) :]
    assert left_out == tuple(name for name in last if name != "network")
    assert V6 in lines[2]


@pytest.mark.parametrize(
    ("width", "bar", "head"), [(80, True, "country code"), (60, False, "country"), (40, False, "addr")]
)
def test_groups_take_one_line_each_with_bars_where_there_is_room(width: int, bar: bool, head: str) -> None:
    columns = ("country_code", "country_name", "addresses", "bans", "share")
    rows = [
        ("GS", "South Georgia & South Sandwich Islands", 4821, 123456, 0.9131),
        ("CN", "China", 1, 2, 0.0869),
    ]
    form = load_format("table", Layout(columns, columns, width=width))
    lines = form.rows(rows).splitlines()
    assert len(lines) == 4
    assert max(map(cells, lines)) <= width
    assert ("█" in lines[2]) == bar
    assert lines[2].split()[-1] == "91.3%"
    assert {"4821", "123456"} <= set(lines[2].split())
    assert head in lines[0]


def test_wide_characters_are_aligned_and_fit() -> None:
    rows: list[tuple[Any, ...]] = [RECORD._replace(country_name="中国", org="中华电信" * 20), RECORD]
    lines = table(rows, width=80)
    assert max(map(cells, lines)) <= 80
    chinese, spanish = (next(line for line in lines if word in line) for word in ("中华", "Telef"))
    assert cells(chinese[: chinese.index("中华")]) == cells(spanish[: spanish.index("Telef")])


def test_of_a_jail_longer_than_the_terminal_the_address_stays() -> None:
    columns = ("jail", "ip")
    form = load_format("table", Layout(columns, columns, width=40))
    form.rows([("sshd", "192.0.2.1")])
    (line,) = form.rows([("x" * 300, "192.0.2.2")]).splitlines()
    assert line == "192.0.2.2"


@pytest.mark.parametrize("width", WIDTHS)
def test_an_address_behind_another_column_is_never_left_out(width: int) -> None:
    columns = ("jail", "ip", "banned_at", "country_code", "org")
    rows = [("sshd", ip, "2026-11-20T03:00:00Z", "ES", LONG) for ip in ("192.0.2.1", V6, "198.51.100.123")]
    form = load_format("table", Layout(columns, columns, width=width))
    lines = (form.rows(rows) + form.rows(rows)).splitlines()[2:]
    assert len(lines) == 6
    assert max(map(cells, lines)) <= width
    assert all(row[1] in line.split() for row, line in zip(rows * 2, lines, strict=True))


WORDS = st.text(
    alphabet=st.characters(exclude_categories=["C", "Zs", "Zl", "Zp", "M"], max_codepoint=0x2FF), max_size=60
)


@examples(60)
@given(
    st.lists(st.tuples(st.ip_addresses().map(str), WORDS, WORDS, WORDS), min_size=1, max_size=8),
    st.integers(40, 200),
    st.booleans(),
    st.integers(1, 8),
)
def test_any_rows_fit_the_terminal_each_on_its_line_and_addresses_are_whole(
    rows: list[tuple[str, ...]], width: int, header: bool, size: int
) -> None:
    columns = ("ip", "org", "jail", "city")
    form = load_format("table", Layout(columns, columns, header=header, width=width))
    batches = [rows[begin : begin + size] for begin in range(0, len(rows), size)]
    lines = "".join(form.rows(batch) for batch in batches).splitlines()
    body = lines[2:] if header else lines
    assert len(body) == len(rows)
    assert max(map(cells, lines)) <= width
    assert [line.split()[0] for line in body] == [row[0] for row in rows]


def test_color_is_around_the_text_of_a_cell_and_of_the_header() -> None:
    header, _, line = table([RECORD], chosen=("ip", "country_code", "org"), color=True)
    assert header == "\x1b[1mip               country code  org\x1b[0m"
    assert line == "\x1b[1m192.0.2.1\x1b[0m        \x1b[36mES\x1b[0m            Telefónica"

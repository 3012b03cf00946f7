"""What every form owes: complete lines, the chosen columns, no way out of a cell for text from outside."""

from __future__ import annotations

import re
import sys
import unicodedata
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.model.errors import UsageError
from geocli.model.records import FIELDS, GeoRecord
from geocli.output.formats.base import Format, Layout, Row, load_format
from geocli.output.formats.choices import FORMATS
from tests.support.examples import examples

FORMS = [form.name for form in FORMATS]
TEXT_FIELDS = [name for name in FIELDS if name not in {"latitude", "longitude", "asn"}]

# What a form may put between cells and rows itself.
STRUCTURE = {"csv": "\r\n", "json": "\n", "table": "\n", "template": "\n", "tsv": "\t\n"}
ACTIVE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

GOOD = GeoRecord(
    ip="192.0.2.1",
    status="ok",
    country_code="ES",
    country_name="Spain",
    region="Cataluña",
    city="Vic",
    latitude=41.93,
    longitude=2.0,
    asn=3352,
    org="Telefónica",
    network="192.0.2.0/24",
    source="mmdb:example-2026-06",
    resolved_at="2026-11-05T06:25:07Z",
)
EMPTY = GeoRecord("192.0.2.2", "unknown")

HOSTILE = {
    "clears the screen": "\x1b[2J\x1b[H",
    "colours": "\x1b[31mred\x1b[0m",
    "sets the title": "\x1b]0;title\x07",
    "C1 control sequence": "\x9b31mred\x9b0m",
    "carriage return": "good\revil",
    "line end": "one\ntwo",
    "line ends": "one\r\n\ntwo\n",
    "tab": "one\ttwo",
    "other white space": "a\vb\fc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "NUL": "a\x00b",
    "backspace": "evil\b\b\b\bgood",
    "delete": "a\x7fb",
    "bell": "\x07\x07",
    "bidi override": "\u202egpj.exe\u202c",
    "bidi isolate": "\u2066abc\u2069\u200f",
    "invisible": "a\u200bb\u2060c\u00add\ufeffe",
    "tag characters": "a\U000e0041\U000e007fb",
    "markup": "[red]x[/]",
    "broken markup": "[/] [bold [link=http://example.com]x",
    "emoji code": ":smiley: :warning:",
    "lone surrogates": "\ud800 \udfff \udc80",
    "quotes": '\'"`\\ \\" ,;|{}%s%(ip)s',
    "formula": "=1+1",
    "very long": "x" * 10_000,
    "very long and hostile": "\x1b[2J\n" * 2_000,
    "wide": "中华电信" * 20,
    "combining": "e\u0301" * 300 + "\u0301" * 300,
    "empty": "",
    "blanks": "   ",
}


def form(name: str, *chosen: str, columns: tuple[str, ...] = FIELDS, width: int | None = None) -> Format:
    template = "|".join(f"{{{column}}}" for column in columns)
    return load_format(name, Layout(columns, chosen or columns, template=template, width=width))


def with_text(field: str, text: str) -> Row:
    return tuple(text if name == field else value for name, value in zip(FIELDS, GOOD, strict=True))


def everything(name: str, rows: list[Row], width: int | None = None) -> str:
    one = form(name, width=width)
    return one.head() + one.rows(rows)


def active_characters(name: str, text: str) -> set[str]:
    return {
        ascii(char)
        for char in text
        if unicodedata.category(char) in ACTIVE and char not in STRUCTURE.get(name, "\n")
    }


@pytest.mark.parametrize("name", FORMS)
def test_no_rows_are_no_lines(name: str) -> None:
    assert form(name).rows([]) == ""


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_complete_lines(name: str) -> None:
    one = form(name)
    for text in (one.head(), one.rows([GOOD]), one.rows([GOOD, EMPTY])):
        assert text == "" or text.endswith("\n")


@pytest.mark.parametrize("name", FORMS)
def test_all_that_is_known_is_shown(name: str) -> None:
    text = everything(name, [GOOD])
    for value in GOOD:
        assert str(value) in text
    assert "None" not in everything(name, [EMPTY])


@pytest.mark.parametrize("name", FORMS)
def test_rows_stream_a_batch_at_a_time(name: str) -> None:
    whole, parts = form(name), form(name)
    rows: list[Row] = [GOOD, GOOD._replace(org=None, city="\n"), GOOD]
    expected = whole.head() + whole.rows(rows)
    assert parts.head() + "".join(parts.rows([row]) for row in rows) == expected


@pytest.mark.parametrize("name", FORMS)
def test_a_row_may_be_any_tuple_of_the_layout_s_columns(name: str) -> None:
    one = load_format(name, Layout(("a", "b"), ("b",), template="{b}"))
    text = one.head() + one.rows([("left", 7), ("left", None)])
    assert "7" in text
    assert "left" not in text
    assert "None" not in text


@pytest.mark.parametrize("name", FORMS)
def test_a_layout_of_nothing_but_a_number_is_a_line(name: str) -> None:
    one = load_format(name, Layout(("n",), ("n",), header=False, template="{n}"))
    text = one.head() + one.rows([(5,)])
    assert re.fullmatch(r"[^0-9\r\n]*5[^0-9\r\n]*\r?\n", text)
    if name in {"csv", "tsv", "template"}:
        assert text.strip() == "5"


@pytest.mark.parametrize("name", [name for name in FORMS if name != "template"])
def test_a_column_that_is_not_there_is_refused_and_those_there_are_named(name: str) -> None:
    with pytest.raises(UsageError, match=r"'contry'.* ip, status, country_code") as caught:
        form(name, "ip", "contry")
    assert str(caught.value).isprintable()
    with pytest.raises(UsageError) as caught:
        form(name, "\x1b[31m\n")
    assert str(caught.value).isprintable()


# --- hostile text -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMS)
def test_hostile_text_in_any_field_does_nothing(name: str) -> None:
    plain = everything(name, [GOOD])
    active = []
    for hostile, value in HOSTILE.items():
        for field in TEXT_FIELDS:
            text = everything(name, [with_text(field, value)])
            text.encode()
            same = all(text.count(sign) == plain.count(sign) for sign in "\n\t\r")
            if active_characters(name, text) or not same:
                active.append((hostile, field))
    assert active == []


@pytest.mark.parametrize("color", [False, True])
def test_hostile_text_in_a_table_in_a_terminal_does_nothing(color: bool) -> None:
    for field, hostile in product(("ip", "org"), HOSTILE.values()):
        one = load_format("table", Layout(FIELDS, ("ip", "asn", "org"), width=80, color=color))
        text = one.rows([with_text(field, hostile)])
        if color:
            for code in ("\x1b[0m", "\x1b[1m"):  # the table's own: the heading and the address in bold
                text = text.replace(code, "")
        assert active_characters("table", text) == set()
        text.encode()


@pytest.mark.parametrize("name", FORMS)
def test_markup_is_shown_as_it_is(name: str) -> None:
    for text in ("[red]x[/]", "[/red]", "[link=http://example.com]", ":smiley:", "[bold"):
        assert text in everything(name, [GOOD._replace(org=text)])


@pytest.mark.parametrize("name", FORMS)
def test_escaped_characters_can_be_seen(name: str) -> None:
    text = everything(name, [GOOD._replace(org="a\x1bb\x9bc\u202ed")]).lower()
    assert ("\\u001b" if name == "json" else "\\x1b") in text
    assert ("\\u009b" if name == "json" else "\\x9b") in text
    assert "\\u202e" in text


@pytest.mark.parametrize("name", FORMS)
def test_no_control_format_or_surrogate_character_of_unicode_gets_out(name: str) -> None:
    active = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) in ACTIVE]
    assert len(active) > 2000
    one = form(name, "org", columns=("org",))
    rows: list[Row] = [("".join(active[start : start + 100]),) for start in range(0, len(active), 100)]
    assert active_characters(name, one.head() + one.rows(rows)) == set()


VALUES = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(), max_size=40),
    st.text(alphabet="\x1b[]0m\r\n\t\x00\x9b\u202e\ud800 \\\"',a中", max_size=40),
)


@pytest.mark.parametrize("name", FORMS)
def test_any_text_stays_in_its_cell_and_on_its_line(name: str) -> None:
    columns = ("one", "two", "three")

    @examples(60)
    @given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=4))
    @example([("\x1b", "\r\n", "\u202e")])
    def holds(rows: list[Row]) -> None:
        one = load_format(name, Layout(columns, columns, template="{one}{two}{three}"))
        text = one.head() + one.rows(rows)
        if name != "json":  # where the test above shows what it lets through
            assert active_characters(name, text) == set()
        assert text.count("\n") == len(rows) + {"table": 2}.get(name, one.head().count("\n"))
        text.encode()

    holds()

"""JSON Lines: one valid document a row, in the order of the fields, readable."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.records import FIELDS, GeoRecord
from geocli.output.formats.base import Layout, load_format
from tests.support.examples import examples

RECORD = GeoRecord(
    ip="192.0.2.1",
    status="ok",
    country_code="ES",
    country_name="Spain",
    latitude=41.5,
    longitude=2,
    asn=3352,
    org="Telefónica",
    resolved_at="2026-11-05T06:25:07Z",
)


def lines(columns: tuple[str, ...], rows: list[tuple[Any, ...]], *chosen: str) -> list[str]:
    form = load_format("json", Layout(columns, chosen or columns))
    assert form.head() == ""
    text = form.rows(rows)
    assert text.endswith("\n") or not rows
    return text.split("\n")[:-1]


def test_a_record_is_one_object_with_the_fields_in_their_order() -> None:
    [line] = lines(FIELDS, [RECORD])
    assert line == (
        '{"ip": "192.0.2.1", "status": "ok", "country_code": "ES", "country_name": "Spain", "region": null, '
        '"city": null, "latitude": 41.5, "longitude": 2, "asn": 3352, "org": "Telefónica", "network": null, '
        '"source": null, "resolved_at": "2026-11-05T06:25:07Z"}'
    )
    assert list(json.loads(line)) == list(FIELDS)


def test_the_chosen_fields_come_in_the_chosen_order() -> None:
    [line] = lines(FIELDS, [RECORD], "asn", "ip")
    assert line == '{"asn": 3352, "ip": "192.0.2.1"}'


def test_there_is_no_header_with_or_without_one() -> None:
    for header in (True, False):
        assert load_format("json", Layout(FIELDS, FIELDS, header=header)).head() == ""


def test_what_is_not_known_is_null() -> None:
    [line] = lines(("a", "b"), [(None, "")])
    assert line == '{"a": null, "b": ""}'


def test_whole_and_decimal_numbers_are_kept_apart() -> None:
    assert lines(("a", "b"), [(1, 1.0), (0, 0.0), (2.0, 2)]) == [
        '{"a": 1, "b": 1.0}',
        '{"a": 0, "b": 0.0}',
        '{"a": 2.0, "b": 2}',
    ]


def test_other_alphabets_are_readable() -> None:
    [line] = lines(("org",), [("Telefónica 中华电信 Ελλάδα 😀 \u05d0",)])
    assert line == '{"org": "Telefónica 中华电信 Ελλάδα 😀 \u05d0"}'


@pytest.mark.parametrize(
    ("char", "escaped"),
    [
        ("\x1b", "\\u001b"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
        ("\x7f", "\\u007f"),
        ("\x9b", "\\u009b"),
        ("\u202e", "\\u202e"),
        ("\u2028", "\\u2028"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\udfff", "\\udfff"),
        ("\U000e0041", "\\udb40\\udc41"),
        ('"', '\\"'),
        ("\\", "\\\\"),
    ],
    ids=ascii,
)
def test_what_could_do_something_is_escaped_and_comes_back(char: str, escaped: str) -> None:
    [line] = lines(("org",), [(f"a{char}b",)])
    assert line == f'{{"org": "a{escaped}b"}}'
    assert json.loads(line) == {"org": f"a{char}b"}


@pytest.mark.parametrize("name", ["%s", "%", 'a"b', "a\nb", "é", "{}"])
def test_a_column_may_be_called_anything(name: str) -> None:
    [line] = lines((name, "x"), [(1, "%s")])
    assert json.loads(line) == {name: 1, "x": "%s"}


SCALARS = st.one_of(
    st.none(),
    st.text(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["\x1b", "\x7f", "\u202e", "\U000e0041", "é", '"', "\\u0041", 0, 0.0, -0.0, 1, 1.0, True]
    ),
)
COLUMNS = ("ip", "org", "asn", "%s")


@examples(200)
@given(
    st.lists(st.lists(st.tuples(SCALARS, SCALARS, SCALARS, SCALARS), max_size=5), max_size=3),
    st.permutations(COLUMNS),
)
def test_every_line_is_the_row(batches: list[list[tuple[Any, ...]]], chosen: list[str]) -> None:
    form = load_format("json", Layout(COLUMNS, tuple(chosen)))
    for rows in batches:
        done = form.rows(rows).split("\n")[:-1]
        assert len(done) == len(rows)
        for line, row in zip(done, rows, strict=True):
            whole = dict(zip(COLUMNS, row, strict=True))
            assert json.loads(line) == {name: whole[name] for name in chosen}
            assert list(json.loads(line)) == chosen


def test_more_different_values_than_are_remembered_do_no_harm() -> None:
    form = load_format("json", Layout(("n",), ("n",)))
    for start in range(0, 90_000, 30_000):
        text = form.rows([(str(number),) for number in range(start, start + 30_000)])
        assert [json.loads(line)["n"] for line in text.splitlines()] == [
            str(number) for number in range(start, start + 30_000)
        ]

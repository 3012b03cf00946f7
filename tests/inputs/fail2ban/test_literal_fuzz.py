"""The literals of fail2ban-client as bans: the scanner against Python's own parser."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.fail2ban.literal import BanReader, is_list_line, is_names_line, read_jails
from geocli.model.bans import Ban
from geocli.model.records import clean_text
from tests.inputs.fail2ban.test_literal import IDENTIFIERS, LITERALS, NAMES
from tests.support.examples import examples

ESCAPED = st.text(st.characters(codec=None), max_size=8)


def scan(*parts: bytes) -> list[Ban]:
    reader = BanReader()
    return [ban for part in parts for ban in reader.read(part)]


def expected_of(value: list[dict[str, list[str]]]) -> list[Ban]:
    return [
        Ban(clean_text(name), clean_text(identifier))
        for jail in value
        for name, identifiers in jail.items()
        for identifier in identifiers
    ]


@examples(200)
@given(LITERALS, st.integers(0, 200))
@example([{"a": ["\\'", '"', "'\"", "\\", "\\\\'", "\x00\x7f\xa0", "\ud800", "\U0001f600", "a\nb"]}], 9)
def test_the_scanner_agrees_with_python(value: list[dict[str, list[str]]], cut: int) -> None:
    line = repr(value).encode("utf-8", "surrogateescape")
    assert ast.literal_eval(line.decode("utf-8", "surrogateescape")) == value
    assert scan(line) == scan(line[:cut], line[cut:]) == expected_of(value)
    assert read_jails(line) == [item for jail in value for item in jail.items()]


@examples(200)
@given(st.lists(ESCAPED | IDENTIFIERS, min_size=1))
def test_the_list_of_one_jail_has_no_jail(identifiers: list[str]) -> None:
    line = repr(identifiers).encode("utf-8", "surrogatepass")
    assert is_list_line(line)
    assert [ban.text for ban in scan(line)] == [clean_text(identifier) for identifier in identifiers]
    assert {ban.jail for ban in scan(line)} == {None}


@given(st.lists(st.lists(NAMES)))
def test_the_jails_of_an_address_are_not_banned(jails: list[list[str]]) -> None:
    line = repr(jails).encode("utf-8", "surrogatepass")
    assert is_names_line(line) or not jails
    assert not is_list_line(line)


@given(NAMES)
def test_counts_of_jails_are_not_banned(name: str) -> None:
    assert is_names_line(repr({name: ["polling", (0, 0), (1, 1)]}).encode())
    header = repr([f"Status for the jail: {name}", "|- p"])
    assert is_names_line((header + "['polling', (0, 0), (0, 0)]").encode())


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"['192.0.2.1']\n", True),
        (b"['192.0.2.1', '", True),
        (b"['192.0.2.1'", True),
        (b"['192.0.2.", True),
        (b'["o\'x", ', True),
        (b"['a\\", True),
        (b"[]", False),
        (b"[1, 0]", False),
        (b"['a'] b", False),
        (b"['a': 1]", False),
        (b"[['a']]", False),
        (b"x ['a']", False),
    ],
)
def test_the_list_is_known_by_its_start(start: bytes, expected: bool) -> None:
    assert is_list_line(start) is expected


@pytest.mark.parametrize("size", [256, 257, 4000, 4095, 4096, 4097, 70_000])
@pytest.mark.parametrize("filler", ["x", "\n", "é", "\\", "'", "\U0001f600", "192.0.2.1 "])
def test_an_identifier_of_any_length_is_cut_as_any_text(filler: str, size: int) -> None:
    value = [{"a": ["first", filler * size, "last"]}, {filler * size: ["other"]}]
    line = repr(value).encode()
    whole = scan(line)
    assert [ban.text for ban in whole] == ["first", clean_text(filler * size), "last", "other"]
    assert whole[3].jail == clean_text(filler * size)
    for step in (1000, 4096, 65_536):
        assert scan(*(line[at : at + step] for at in range(0, len(line), step))) == whole


def test_what_is_not_complete_is_not_told() -> None:
    line = b"[{'a': ['192.0.2.1', '192.0.2.2']}]"
    assert [len(scan(line[:end])) for end in (20, 21, 31, 32, 33)] == [1, 1, 1, 1, 2]

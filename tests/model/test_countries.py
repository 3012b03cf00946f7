"""Which two letters are a country, and what it is called."""

from __future__ import annotations

import re
import sys
from itertools import product
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.countries import country_code, country_name
from geocli.model.records import clean_text

PAIRS = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("DE", "Germany"),
        ("ES", "Spain"),
        ("US", "United States of America"),
        ("NL", "Netherlands"),
        ("CI", "Côte d'Ivoire"),
        ("XK", "Kosovo"),
        ("TW", "Taiwan"),
    ],
)
def test_a_country_has_its_english_short_name(code: str, name: str) -> None:
    assert country_code(code) == code
    assert country_name(code) is not None
    assert (country_name(code) or "").startswith(name)


@pytest.mark.parametrize(
    "text", ["ZZ", "EU", "AP", "A1", "A2", "O1", "XX", "UK", "-", "", "D", "DEU", "276", "D E"]
)
def test_what_is_not_a_country_has_no_code(text: str) -> None:
    assert country_code(text) is None


def test_a_code_is_known_in_lower_case_too() -> None:
    assert country_code("de") == "DE"
    assert country_code("gB") == "GB"


def test_a_name_goes_with_the_code_in_upper_case_only() -> None:
    assert country_name("de") is None
    assert country_name("ZZ") is None
    assert country_name("") is None


def test_iso_3166_is_there_and_every_name_may_be_in_a_record() -> None:
    codes = [pair for pair in PAIRS if country_code(pair)]
    assert 245 <= len(codes) <= 260
    for code in codes:
        name = country_name(code)
        assert name
        assert clean_text(name) == name
    assert len({country_name(code) for code in codes}) == len(codes)


@given(st.text(max_size=4))
def test_only_two_ascii_letters_are_a_code(text: str) -> None:
    code = country_code(text)
    if code is not None:
        assert re.fullmatch("[A-Za-z]{2}", text)
        assert code == text.upper()
        assert country_name(code)


def test_no_letter_turns_into_a_country_by_upper_casing() -> None:
    singles = [chr(number) for number in range(sys.maxunicode + 1)]
    assert [char for char in singles if country_code(char) is not None] == []
    assert country_code("\u0131t") is None  # a dotless i, whose capital is I

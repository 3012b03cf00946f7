"""Which two letters are a country, and what it is called."""

from __future__ import annotations

import re
import sys
from itertools import product
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso3166 import countries_by_alpha2

from geocli.model.countries import country_code, country_name, parse_country
from geocli.model.records import clean_text

PAIRS = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("DE", "Germany"),
        ("ES", "Spain"),
        ("GB", "United Kingdom"),
        ("KR", "South Korea"),
        ("RU", "Russia"),
        ("HK", "Hong Kong"),
        ("US", "United States"),
        ("NL", "Netherlands"),
        ("CI", "Côte d\u2019Ivoire"),
        ("XK", "Kosovo"),
        ("TW", "Taiwan"),
    ],
)
def test_a_country_has_its_english_short_name(code: str, name: str) -> None:
    assert country_code(code) == code
    assert country_name(code) == name


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


def test_the_countries_are_those_of_iso_3166() -> None:
    assert {pair for pair in PAIRS if country_code(pair)} == set(countries_by_alpha2)


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "DE"), ("Germany", "DE"), (" germany ", "DE"), ("UK", "GB"), ("u.k.", "GB"), ("USA", "US"),
        ("South Korea", "KR"), ("Korea, Republic of", None), ("Republic of Korea", "KR"), ("Türkiye", "TR"),
        ("turkiye", "TR"), ("TURKEY", "TR"), ("Czech Republic", "CZ"), ("Côte d'Ivoire", "CI"),
        ("cote d\u2019ivoire", "CI"),
        ("Ivory Coast", "CI"), ("Bosnia and Herzegovina", "BA"), ("Bosnia", "BA"),
        ("saint lucia", "LC"), ("St. Lucia", "LC"), ("Viet Nam", "VN"), ("Réunion", "RE"), ("Burma", "MM"),
        ("Germ any", None),
        ("ZZ", None), ("EU", None), ("Europe", None), ("", None), ("7", None), ("-", None),
        ("x" * 100_000, None), ("\x1b[2J", None), ("de,fr", None),
    ],
)  # fmt: skip
def test_a_country_is_understood_by_code_and_by_name(text: str, code: str | None) -> None:
    if code is not None:
        assert parse_country(text) == code
    else:
        with pytest.raises(ValueError, match="is no country"):
            parse_country(text)


def test_every_name_that_is_shown_is_understood() -> None:
    for code in filter(country_code, PAIRS):
        assert parse_country(code) == parse_country(country_name(code) or "") == code


@pytest.mark.parametrize(
    ("text", "hint"),
    [("Germny", "DE (Germany)"), ("untied states", "US (United States)"), ("Irland", "IE (Ireland)")],
)
def test_what_is_no_country_is_told_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="did you mean") as caught:
        parse_country(text)
    assert hint in str(caught.value)
    assert str(caught.value).isascii()


@given(st.text(max_size=60))
def test_any_text_is_a_country_or_one_line_of_reason(text: str) -> None:
    try:
        assert country_name(parse_country(text))
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017 (either way is fine)

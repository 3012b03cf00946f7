"""What somebody wants to know everything about, out of what they type."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.subject import parse_subjects
from geocli.model.addresses import parse_target
from geocli.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("8.8.8.8", ["8.8.8.8"]),
        ("8.8.8.8:53", ["8.8.8.8"]),
        ("2001:DB8::0:1", ["2001:db8::1"]),
        ("8.8.8.8/24", ["8.8.8.0/24"]),
        ("8.8.8.0-8.8.8.2", ["8.8.8.0/31", "8.8.8.2"]),
        ("AS15169", ["AS15169"]),
        (" as15169\n", ["AS15169"]),
        ("015169", ["AS15169"]),
        ("de", ["DE"]),
        ("as", ["AS"]),
        ("Germany", ["DE"]),
        ("st. lucia", ["LC"]),
        ("South Korea", ["KR"]),
    ],
)
def test_a_text_is_what_people_mean_by_it(text: str, names: list[str]) -> None:
    assert [str(subject) for subject in parse_subjects(text)] == names


@given(st.one_of(st.text(), st.from_regex(r"[aA]?[sS]?[0-9./:]+", fullmatch=True)))
def test_anything_else_is_an_error_of_one_line(text: str) -> None:
    with suppress(UsageError):
        for subject in parse_subjects(text):
            assert not subject.is_target or parse_target(subject.name) == subject.name

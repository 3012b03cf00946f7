"""Terminals that know no Unicode: everything is shown, as something like it or escaped."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Geocli, MakeMmdb
from tests.support.terminal import on_terminal

NAME = "Łódź Telefónica"


@pytest.fixture
def lodz(make_mmdb: MakeMmdb) -> str:
    record = {"country_code": "PL", "asn": 64500, "as_name": NAME}
    return str(make_mmdb("lodz", {"5.1.0.0/16": record, "5.2.0.0/16": {"country_code": "DE"}}))


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", r"\u0141\u00f3d\u017a Telef\u00f3nica"),
        ("latin-1", r"\u0141ód\u017a Telefónica"),
        ("iso8859-2", NAME),
        ("utf-8", NAME),
    ],
)
@pytest.mark.parametrize("form", ["--table", "-c", "-j"])
def test_a_name_is_shown_in_any_encoding(
    geocli: Geocli, lodz: str, form: str, encoding: str, expected: str
) -> None:
    shown = on_terminal(geocli, "--no-cache", "--mmdb", lodz, form, "5.1.0.1", encoding=encoding, columns=120)
    assert (shown.code, shown.err) == (0, "")
    assert expected in shown.out
    if form == "-j":
        assert json.loads(shown.out)["org"] == NAME


def test_tables_bars_and_maps_are_drawn_in_ascii(geocli: Geocli, lodz: str) -> None:
    text = b"5.1.0.1 " * 30 + b"5.2.0.1\n"
    for arguments in (["summarize", "--by", "country"], ["bans", "--by", "country", "--map", "-i", "-"]):
        shown = on_terminal(
            geocli, *arguments, "--no-cache", "--mmdb", lodz, stdin=text.decode(), encoding="ascii"
        )
        assert (shown.code, shown.err) == (0, "")
        assert "####" in shown.out
        assert "----" in shown.out
        assert "\\u" not in shown.out

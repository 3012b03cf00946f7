"""The figures in the text format of Prometheus, read by a parser as strict as the format."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.records import clean_text
from geocli.output.status.collect import Stats
from geocli.output.status.prometheus import FIGURES, exposition

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")


class Family(NamedTuple):
    type: str
    help: str
    samples: dict[tuple[tuple[str, str], ...], float]


def parse(text: str) -> dict[str, Family]:
    """The metrics of a text; an ``AssertionError`` for anything that the format does not allow."""
    assert text.endswith("\n")
    assert "\r" not in text
    families: dict[str, Family] = {}
    waiting: tuple[str, str] | None = None
    for line in text.removesuffix("\n").split("\n"):
        if match := re.fullmatch(rf"# HELP ({NAME}) ((?:[^\\]|\\[\\n])*)", line):
            assert match[1] not in families
            waiting = (match[1], match[2])
        elif match := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)", line):
            assert waiting is not None
            assert waiting[0] == match[1]
            families[match[1]] = Family(match[2], waiting[1], {})
            waiting = None
        else:
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            assert list(families)[-1] == match[1], "all lines of a metric stand together"
            labels = labels_of(match[2] or "")
            assert labels not in families[match[1]].samples, "a sample is there once"
            families[match[1]].samples[labels] = float(match[3])
    assert waiting is None
    return families


def labels_of(text: str) -> tuple[tuple[str, str], ...]:
    found, position = [], 0
    while position < len(text):
        match = LABEL.match(text, position)
        assert match is not None, text
        found.append((match[1], re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), match[2])))
        position = match.end()
    assert len({name for name, _ in found}) == len(found)
    return tuple(found)


def stats(**figures: object) -> Stats:
    """Figures of which only these matter."""
    blank: dict[str, object] = dict.fromkeys(Stats._fields, 0)
    return Stats(**(blank | {"databases": [], "last_flush": None} | figures))  # type: ignore[arg-type]


def value(text: str, name: str) -> float:
    return parse(text)[f"geocli_{name}"].samples[()]


def test_every_figure_is_a_metric() -> None:
    assert set(Stats._fields) == FIGURES


def test_figures_become_gauges_with_a_help() -> None:
    text = exposition(
        stats(stored=5, dirty=3, last_flush="2026-11-23T21:42:11Z", mmdb_c_extension=True), "1.2"
    )
    families = parse(text)
    assert {family.type for family in families.values()} == {"gauge"}
    assert all(family.help.endswith(".") for family in families.values())
    assert value(text, "store_answers") == 5
    assert value(text, "journal_answers") == 3
    assert value(text, "last_flush_timestamp_seconds") == 1795470131
    assert value(text, "mmdb_c_extension") == 1
    assert families["geocli_info"].samples == {(("version", "1.2"),): 1}


def test_what_is_not_known_is_left_out() -> None:
    text = exposition(stats(last_flush=None, oldest_dirty_seconds=None), "1")
    assert "geocli_last_flush_timestamp_seconds" not in parse(text)
    assert "geocli_database_age_days" not in parse(text)
    assert value(text, "journal_oldest_seconds") == 0


words = st.text(st.one_of(st.sampled_from('\\"\n{},= #'), st.characters(blacklist_categories=["Cs"])))
databases = st.fixed_dictionaries(
    {"name": words, "type": words, "edition": words, "age_days": st.integers(-1000, 10**6)}
)


@given(st.lists(databases, max_size=4))
def test_any_name_of_a_database_is_a_label(found: list[dict[str, object]]) -> None:
    samples = parse(exposition(stats(databases=found), "1")).get("geocli_database_age_days")
    expected = {
        tuple((key, clean_text(str(one[key]))) for key in ("name", "type", "edition")): one["age_days"]
        for one in found
    }
    assert (samples.samples if samples else {}) == expected


@pytest.mark.parametrize("size", [0, 1, sys.maxsize])
def test_a_number_is_written_in_full(size: int) -> None:
    assert f"geocli_store_bytes {size}\n" in exposition(stats(store_bytes=size), "1")

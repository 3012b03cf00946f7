"""The user's own line: fields, braces, a few escapes, and nothing else that is special."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.model.errors import UsageError
from geocli.model.records import FIELDS, GeoRecord
from geocli.output.formats.base import Layout, load_format
from tests.support.examples import examples

RECORD = GeoRecord("192.0.2.1", "ok", "ES", "Spain", None, "", 41.5, 2, 3352, "Telefónica {ip} \\n %s")


def line(template: str) -> str:
    form = load_format("template", Layout(FIELDS, (), template=template))
    assert form.head() == ""
    return form.rows([RECORD])


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{ip} {country_code}", "192.0.2.1 ES"),
        ("{ip}{ip}", "192.0.2.1192.0.2.1"),
        ("{asn}/{latitude}/{longitude}", "3352/41.5/2"),
        ("", ""),
        ("plain", "plain"),
        ("ünïcode 中 {ip}", "ünïcode 中 192.0.2.1"),
        # what is not known is empty
        ("[{region}|{city}|{network}]", "[||]"),
        # braces
        ("{{ip}}", "{ip}"),
        ("{{{ip}}}", "{192.0.2.1}"),
        ("{{}}", "{}"),
        ('{{"ip": "{ip}"}}', '{"ip": "192.0.2.1"}'),
        ("{{{{", "{{"),
        # escapes
        (r"{ip}\t{asn}", "192.0.2.1\t3352"),
        (r"{ip}\n{asn}", "192.0.2.1\n3352"),
        (r"a\\b", r"a\b"),
        (r"a\\tb", r"a\tb"),
        (r"a\\\tb", "a\\\tb"),
        (r"\{ip}", r"\192.0.2.1"),
        # nothing else
        (r"\x1b\e\0\r\q", r"\x1b\e\0\r\q"),
        ("\\", "\\"),
        ("%s %(ip)s $ip ${{ip}}", "%s %(ip)s $ip ${ip}"),
        # what is in a value is not looked at
        ("{org}", r"Telefónica {ip} \n %s"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert line(template) == expected + "\n"


@pytest.mark.parametrize(
    "template",
    [
        "{contry}",
        "{IP}",
        "{ ip}",
        "{ip }",
        "{}",
        "{0}",
        "{ip",
        "ip}",
        "{",
        "}",
        "{{ip}",
        "{ip}}",
        "{{{ip}}",
        "{ip.__class__}",
        "{ip[0]}",
        "{ip!r}",
        "{ip:>20}",
        "{ip:{asn}}",
        "{self}",
        "{__class__}",
        "{ip.__class__.__mro__[1].__subclasses__}",
        "{\x1b[31m}",
        "{\u0661}",
        "{{{{{",
    ],
    ids=ascii,
)
def test_what_is_no_field_is_refused_and_the_fields_are_named(template: str) -> None:
    with pytest.raises(UsageError, match=r"\{ip\}, \{status\}, \{country_code\}") as caught:
        line(template)
    assert str(caught.value).isprintable()


def test_every_field_may_be_used() -> None:
    template = "\\t".join(f"{{{name}}}" for name in FIELDS)
    assert line(template).rstrip("\n").split("\t") == [
        "" if value is None else str(value) for value in RECORD
    ]


def test_there_is_one_line_for_every_record() -> None:
    form = load_format("template", Layout(FIELDS, (), template="{ip}"))
    assert form.rows([RECORD, RECORD._replace(ip="::1")]) == "192.0.2.1\n::1\n"


@examples(300)
@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(["{", "}", "{ip}", "\\", "t", "n", "{{", "x"])).map("".join)
    )
)
def test_any_template_is_filled_in_or_refused(template: str) -> None:
    try:
        text = line(template)
    except UsageError:
        return
    assert text.endswith("\n")
    assert template.count("{ip}") <= text.count("192.0.2.1") + text.count("{ip}")


@examples(100)
@given(st.text(alphabet=st.characters(exclude_characters="\\")))
def test_doubled_braces_give_any_text_back(text: str) -> None:
    assert line(text.replace("{", "{{").replace("}", "}}")) == text + "\n"

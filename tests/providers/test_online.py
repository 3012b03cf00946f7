"""What each source's answers mean: whatever comes, a record that may be stored, or no answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.config.parsers import Secret
from geocli.config.settings import Settings, SourceSettings
from geocli.model.records import NOTHING, Answer, GeoRecord, check_rows
from geocli.providers.country_is import CountryIs
from geocli.providers.ip_api import IpApi
from geocli.providers.ipinfo import Ipinfo
from geocli.providers.online.base import Limit, MalformedError, Source
from tests.support.examples import examples

TARGETS = ["8.8.8.8", "1.1.1.1", "2001:4860:4860::8888"]
A = TARGETS[0]


def settings(**sources: SourceSettings) -> Settings:
    return Settings(
        Path("/nowhere"), sources={name.replace("_", "-"): value for name, value in sources.items()}
    )


def all_sources() -> list[Source]:
    keyed = settings(ipinfo=SourceSettings(key=Secret("t")))
    return [IpApi(keyed), CountryIs(keyed), Ipinfo(keyed)]


SOURCES = {source.name: source for source in all_sources()}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


def read(source: Source, body: Any, targets: Sequence[str] = TARGETS) -> dict[str, Answer]:
    """What it says, seen to be what may be stored."""
    found = source.read(body, targets)
    assert found.keys() <= set(targets)
    rows = [
        GeoRecord(
            target,
            "unknown" if answer == NOTHING else "ok",
            *answer,
            network=None,
            source=source.name,
            resolved_at="2026-11-24T12:00:00Z",
        )
        for target, answer in found.items()
    ]
    check_rows(rows)
    for row in rows:
        assert not [text for text in row if isinstance(text, str) and not text.isprintable()]
    return found


# --- any JSON -----------------------------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**300, 10**400),
    st.floats(),
    st.text(max_size=20),
    st.text(min_size=257, max_size=300),
    st.sampled_from(
        [*TARGETS, "DE", "ZZ", "<script>", "AS15169 Google LLC", "success", "fail", "private range"]
    ),
    st.sampled_from(
        ["\x1b[2J", "\ud800", "\u202e", "AS" + "9" * 5000, "8.8.8.8/32", "::ffff:8.8.8.8", "-", ""]
    ),
)
names = st.sampled_from(
    [
        *("query", "status", "message", "country", "countryCode", "regionName", "city", "lat", "lon"),
        *("isp", "org", "as", "asname", "ip", "asn", "number", "organization", "as_name", "country_code"),
        *("bogon", "error", *TARGETS),
    ]
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=25,
)
items = st.dictionaries(names, scalars | st.dictionaries(names, scalars, max_size=3), max_size=8)
bodies = st.one_of(
    anything,
    st.lists(items, max_size=5),
    st.dictionaries(st.sampled_from(TARGETS), items, max_size=3),
)


@every_source
@examples(100)
@given(body=bodies)
@example(body=None)
@example(body=[None])
@example(body=[[]])
@example(body={A: None})
@example(body=[{"query": A, "status": "success", "lat": 10**400, "lon": 1}])
@example(body=[{"query": A, "status": "success", "lat": float("nan"), "lon": float("inf"), "city": "x"}])
@example(body=[{"ip": A, "asn": []}, {"ip": A, "asn": []}])
@example(body=[{"ip": A, "country": []}, {"ip": A, "country": "DE"}])
@example(body={A: {"ip": A, "asn": 10**400}})
@example(body={A: {"ip": A, "bogon": []}})
def test_any_json_is_read_or_malformed(source: Source, body: Any) -> None:
    try:
        read(source, body)
    except ValueError:  # MalformedError is one
        return


GENUINE: dict[str, Any] = {
    "ip-api": {
        "query": A, "status": "success", "country": "Germany", "countryCode": "DE", "regionName": "Bavaria",
        "city": "Nuremberg", "lat": 49.45, "lon": 11.08, "isp": "Hetzner", "org": "Hetzner Online",
        "as": "AS24940 Hetzner Online GmbH", "asname": "HETZNER-AS",
    },
    "country-is": {"ip": A, "country": "DE", "asn": {"number": 24940, "organization": "Hetzner Online GmbH"}},
    "ipinfo": {
        "ip": A, "asn": "AS24940", "as_name": "Hetzner Online GmbH", "as_domain": "hetzner.com",
        "country_code": "DE", "country": "Germany", "continent_code": "EU", "continent": "Europe",
    },
}  # fmt: skip


def body_of(source: Source, *answers: Any, targets: Sequence[str] = TARGETS) -> Any:
    """These items in the shape that the source has for a batch."""
    return dict(zip(targets, answers, strict=False)) if source.name == "ipinfo" else list(answers)


@every_source
def test_a_genuine_answer_is_read_in_full(source: Source) -> None:
    answer = read(source, body_of(source, GENUINE[source.name]))[A]
    assert answer.country_code == "DE"
    assert answer.country_name == "Germany"
    assert answer.asn == 24940
    assert answer.org == "Hetzner Online GmbH"
    if source.name == "ip-api":
        assert answer[2:6] == ("Bavaria", "Nuremberg", 49.45, 11.08)
    else:
        assert answer[2:6] == (None,) * 4


@every_source
@examples(100)
@given(data=st.data())
def test_one_odd_value_spoils_at_most_its_own_item(source: Source, data: st.DataObject) -> None:
    genuine = GENUINE[source.name]
    name = data.draw(st.sampled_from(sorted(set(genuine) - {"ip", "query"})))
    odd = genuine | {name: data.draw(anything)}
    key = "query" if source.name == "ip-api" else "ip"
    second = genuine | {key: TARGETS[1]}
    found = read(source, body_of(source, odd, second))
    assert found[TARGETS[1]].asn == 24940
    if A in found and found[A] != NOTHING:
        assert found[A].asn in {24940, None} or name in {"as", "asn"}
    # "No data" only when it says so: a value that makes no sense is no reason to stop asking for a day.
    if found.get(A) == NOTHING:
        assert name in {"status", "bogon"}
        assert source.name != "country-is"


@every_source
def test_what_is_known_about_somebody_else_is_not_taken(source: Source) -> None:
    key = "query" if source.name == "ip-api" else "ip"
    foreign = GENUINE[source.name] | {key: "9.9.9.9"}
    try:
        found = read(source, body_of(source, foreign))
    except ValueError:
        return
    assert found == {}


@every_source
def test_answers_are_joined_by_address_and_never_by_position(source: Source) -> None:
    key = "query" if source.name == "ip-api" else "ip"
    answers = [GENUINE[source.name] | {key: target, ASN[source.name][0]: number} for target, number in zip(
        TARGETS, ASN[source.name][1], strict=True)]  # fmt: skip
    body = body_of(source, *answers)
    turned = dict(reversed(body.items())) if isinstance(body, dict) else body[::-1]
    assert read(source, turned) == read(source, body)
    assert [read(source, turned)[target].asn for target in TARGETS] == [1, 2, 3]


ASN: dict[str, tuple[str, list[Any]]] = {
    "ip-api": ("as", ["AS1 x", "AS2 x", "AS3 x"]),
    "country-is": ("asn", [{"number": number} for number in (1, 2, 3)]),
    "ipinfo": ("asn", ["AS1", "AS2", "AS3"]),
}


@every_source
@pytest.mark.parametrize("body", [None, 42, "text", True, 1.5, "[]", {"error": "x"}, []])
def test_another_shape_is_no_answer_to_anything(source: Source, body: Any) -> None:
    if source.name == "country-is" and body == []:
        assert read(source, body) == dict.fromkeys(TARGETS, NOTHING)  # nobody has a country
        return
    try:
        assert read(source, body) == {}
    except MalformedError:
        return


@every_source
def test_a_source_says_nothing_about_an_empty_value(source: Source) -> None:
    """ "", "-" and null are "no data", wherever they stand."""
    for empty in ("", "-", None):
        if source.name == "country-is":
            item: Any = {"ip": A, "country": empty, "asn": {"number": None, "organization": empty}}
        elif source.name == "ip-api":
            item = dict.fromkeys(GENUINE["ip-api"], empty) | {
                "query": A,
                "status": "success",
                "lat": 0,
                "lon": 0,
            }
        else:
            item = dict.fromkeys(GENUINE["ipinfo"], empty) | {"ip": A}
        assert read(source, body_of(source, item))[A] == NOTHING


@pytest.mark.parametrize("message", ["private range", "reserved range", "invalid query"])
def test_ip_api_s_failures_are_no_data(message: str) -> None:
    item = {"status": "fail", "message": message, "query": A}
    assert read(SOURCES["ip-api"], [item]) == {A: NOTHING}


@pytest.mark.parametrize(
    "item",
    [
        {"status": "fail", "message": "quota exceeded", "query": A},
        {"status": "fail", "query": A},
        {"status": "maintenance", "query": A},
        {"query": A},
        {"status": None, "query": A, "countryCode": "DE"},
        {"status": "success"},
        {"status": "success", "query": A, "countryCode": "<script>"},
        {"status": "success", "query": A, "as": "no number"},
    ],
)
def test_what_ip_api_does_not_document_is_no_answer(item: object) -> None:
    found = read(SOURCES["ip-api"], [item])
    assert found.get(A) in (None, Answer(org="number"))


@pytest.mark.parametrize("text", ["AS15169 Google LLC", "AS15169"])
def test_ip_api_s_as_is_number_and_name(text: str) -> None:
    answer = read(SOURCES["ip-api"], [{"status": "success", "query": A, "as": text}])[A]
    assert answer.asn == 15169
    assert answer.org == ("Google LLC" if " " in text else None)


@pytest.mark.parametrize("spelling", ["::ffff:8.8.8.8", "8.8.8.8", "::FFFF:808:808"])
def test_another_spelling_is_the_same_address(spelling: str) -> None:
    assert read(SOURCES["ip-api"], [GENUINE["ip-api"] | {"query": spelling}])[A].country_code == "DE"
    assert read(SOURCES["country-is"], [GENUINE["country-is"] | {"ip": spelling}])[A].country_code == "DE"


def test_ipv6_in_any_spelling_is_the_same_address() -> None:
    six = TARGETS[2]
    for spelling in ("2001:4860:4860:0:0:0:0:8888", six.upper(), "2001:4860:4860:0000:0000:0000:0000:8888"):
        found = read(SOURCES["country-is"], [GENUINE["country-is"] | {"ip": spelling}])
        assert found[six].country_code == "DE"


def test_country_is_leaves_out_who_has_no_country() -> None:
    found = read(SOURCES["country-is"], [GENUINE["country-is"]])
    assert found == {A: found[A]} | dict.fromkeys(TARGETS[1:], NOTHING)


def test_country_is_with_more_items_than_asked_for_is_cut() -> None:
    many = [GENUINE["country-is"] | {"ip": TARGETS[n % 3]} for n in range(300)]
    assert read(SOURCES["country-is"], many).keys() == set(TARGETS)


def test_with_a_key_ip_api_is_the_paid_service_and_has_no_limit() -> None:
    free, paid = IpApi(settings()), IpApi(settings(ip_api=SourceSettings(key=Secret("k"))))
    assert free.url == "http://ip-api.com/batch"
    assert free.limit == Limit(15, 60)
    assert "key" not in free.parameters
    assert paid.url == "https://pro.ip-api.com/batch"
    assert paid.limit is None
    assert paid.parameters["key"] == "k"
    own = IpApi(settings(ip_api=SourceSettings(url="http://here/", key=Secret("k"))))
    assert own.url == "http://here/"


def test_the_documented_services() -> None:
    assert SOURCES["country-is"].url == "https://api.country.is/"
    assert SOURCES["country-is"].limit == Limit(10, 1)
    assert SOURCES["ipinfo"].url == "https://api.ipinfo.io/batch/lite"
    assert SOURCES["ipinfo"].limit is None
    assert {name: source.batch_size for name, source in SOURCES.items()} == {
        "ip-api": 100,
        "country-is": 100,
        "ipinfo": 1000,
    }


@every_source
def test_a_key_does_not_show_itself(source: Source) -> None:
    assert json.dumps(source.key_setting).isprintable()
    assert source.key_setting.startswith("GEOCLI_")

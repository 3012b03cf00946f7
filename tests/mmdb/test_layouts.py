"""What vendors put into their files, read out of real MMDB files in their layouts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.layouts import answer_of, merge, mistyped
from geocli.mmdb.reader import Database
from geocli.mmdb.trusted import TrustedFiles
from geocli.model.errors import DamagedFileError
from geocli.model.records import MAX_ASN, MAX_TEXT, NOTHING, Answer
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeMmdb

    Said = Callable[..., Answer]


class Vendor(NamedTuple):
    """A record as the vendor writes it, and what it says.

    ``country`` is the way to the country code: to take it out, empty it or make it ``ZZ``.
    """

    name: str
    database_type: str
    record: dict[str, Any]
    answer: Answer
    country: tuple[str, ...] = ()


GERMANY = {
    "geoname_id": 2921044,
    "is_in_european_union": True,
    "iso_code": "DE",
    "names": {"de": "Deutschland", "en": "Germany", "ja": "ドイツ連邦共和国"},
}
EUROPE = {"code": "EU", "geoname_id": 6255148, "names": {"de": "Europa", "en": "Europe"}}
BRITAIN = {"geoname_id": 2635167, "iso_code": "GB", "names": {"en": "United Kingdom", "fr": "Royaume-Uni"}}

VENDORS = [
    Vendor(
        "maxmind-country",
        "GeoLite2-Country",
        {
            "continent": EUROPE,
            "country": GERMANY,
            "registered_country": {"geoname_id": 6252001, "iso_code": "US", "names": {"en": "United States"}},
        },
        Answer("DE", "Germany"),
        ("country", "iso_code"),
    ),
    Vendor(
        "maxmind-city",
        "GeoLite2-City",
        {
            "city": {"geoname_id": 2655045, "names": {"en": "Boxford", "de": "Boxford (Berkshire)"}},
            "continent": EUROPE,
            "country": BRITAIN,
            "location": {
                "accuracy_radius": 100,
                "latitude": 51.75,
                "longitude": -1.25,
                "time_zone": "Europe/London",
            },
            "postal": {"code": "OX1"},
            "registered_country": BRITAIN,
            "subdivisions": [
                {"geoname_id": 6269131, "iso_code": "ENG", "names": {"en": "England", "fr": "Angleterre"}},
                {"geoname_id": 3333217, "iso_code": "WBK", "names": {"en": "West Berkshire"}},
            ],
        },
        Answer("GB", "United Kingdom", "England", "Boxford", 51.75, -1.25),
        ("country", "iso_code"),
    ),
    Vendor(
        "maxmind-asn",
        "GeoLite2-ASN",
        {"autonomous_system_number": 24940, "autonomous_system_organization": "Hetzner Online GmbH"},
        Answer(asn=24940, org="Hetzner Online GmbH"),
    ),
    Vendor(
        "maxmind-isp",
        "GeoIP2-ISP",
        {
            "autonomous_system_number": 4294967294,
            "autonomous_system_organization": "Telstra Pty Ltd",
            "isp": "Telstra Internet",
            "organization": "Telstra Internet Customers",
        },
        Answer(asn=4294967294, org="Telstra Pty Ltd"),
    ),
    Vendor(
        "maxmind-isp-without-as-organisation",
        "GeoIP2-ISP",
        {"isp": "Telstra Internet", "organization": "Telstra Internet Customers"},
        Answer(org="Telstra Internet Customers"),
    ),
    Vendor(
        "maxmind-enterprise",
        "GeoIP2-Enterprise",
        {
            "country": GERMANY,
            "traits": {
                "autonomous_system_number": 3320,
                "autonomous_system_organization": "Deutsche Telekom AG",
                "is_anycast": False,
                "isp": "Deutsche Telekom",
                "user_type": "residential",
            },
        },
        Answer("DE", "Germany", asn=3320, org="Deutsche Telekom AG"),
        ("country", "iso_code"),
    ),
    Vendor(
        "db-ip-country",
        "DBIP-Country-Lite",
        {"continent": EUROPE, "country": GERMANY},
        Answer("DE", "Germany"),
        ("country", "iso_code"),
    ),
    Vendor(
        "db-ip-city",
        "DBIP-City-Lite",
        {
            "city": {"names": {"en": "Falkenstein (Göltzschtal)"}},
            "country": GERMANY,
            "location": {"latitude": 50.4777, "longitude": 12.3649},
            "subdivisions": [{"names": {"en": "Saxony"}}],
        },
        Answer("DE", "Germany", "Saxony", "Falkenstein (Göltzschtal)", 50.4777, 12.3649),
        ("country", "iso_code"),
    ),
    Vendor(
        "db-ip-asn",
        "DBIP-ASN-Lite (compat=GeoLite2-ASN)",
        {"autonomous_system_number": 13335, "autonomous_system_organization": "Cloudflare, Inc."},
        Answer(asn=13335, org="Cloudflare, Inc."),
    ),
    Vendor(
        "ipinfo-lite",
        "ipinfo bundle_location_lite.mmdb",
        {
            "as_domain": "cloudflare.com",
            "as_name": "Cloudflare, Inc.",
            "asn": "AS13335",
            "continent": "Oceania",
            "continent_code": "OC",
            "country": "Australia",
            "country_code": "AU",
        },
        Answer("AU", "Australia", asn=13335, org="Cloudflare, Inc."),
        ("country_code",),
    ),
    Vendor(
        "ipinfo-older-country-asn",
        "ipinfo generic_country_asn.mmdb",
        {
            "as_domain": "google.com",
            "as_name": "Google LLC",
            "asn": "AS15169",
            "continent": "NA",
            "continent_name": "North America",
            "country": "US",
            "country_name": "United States",
        },
        Answer("US", "United States", asn=15169, org="Google LLC"),
        ("country",),
    ),
    Vendor(
        "ipinfo-older-location",
        "ipinfo standard_location.mmdb",
        {
            "city": "Frankfurt am Main",
            "country": "DE",
            "geoname_id": "2925533",
            "lat": "50.11552",
            "lng": "-8.68417",
            "postal_code": "60306",
            "region": "Hesse",
            "region_code": "HE",
            "timezone": "Europe/Berlin",
        },
        Answer("DE", "Germany", "Hesse", "Frankfurt am Main", 50.11552, -8.68417),
        ("country",),
    ),
    Vendor(
        "ipinfo-older-asn",
        "ipinfo standard_asn.mmdb",
        {
            "asn": "AS24940",
            "domain": "hetzner.com",
            "name": "Hetzner Online GmbH",
            "route": "192.0.2.0/24",
            "type": "hosting",
        },
        Answer(asn=24940, org="Hetzner Online GmbH"),
    ),
    Vendor(
        "ip2location",
        "IP2LITE-City",
        {
            "city": {"names": {"en": "Brisbane"}},
            "country": {"iso_code": "AU", "names": {"en": "Australia"}},
            "location": {"latitude": -27.46794, "longitude": 153.02809},
            "postal": {"code": "4000"},
            "subdivisions": [{"names": {"en": "Queensland"}}],
        },
        Answer("AU", "Australia", "Queensland", "Brisbane", -27.46794, 153.02809),
        ("country", "iso_code"),
    ),
    Vendor(
        "ip-location-db-country",
        "geo-whois-asn-country",
        {"country_code": "XK"},
        Answer("XK", "Kosovo"),
        ("country_code",),
    ),
    Vendor(
        "ip-location-db-asn",
        "asn",
        {"autonomous_system_number": 13335, "autonomous_system_organization": "Cloudflare, Inc."},
        Answer(asn=13335, org="Cloudflare, Inc."),
    ),
    Vendor(
        "ip-location-db-city",
        "dbip-city",
        {
            "city": "Sydney (Barangaroo)",
            "country_code": "AU",
            "latitude": -33.8591,
            "longitude": 151.2002,
            "state1": "New South Wales",
            "state2": "Sydney",
            "timezone": "Australia/Sydney",
        },
        Answer("AU", "Australia", "New South Wales", "Sydney (Barangaroo)", -33.8591, 151.2002),
        ("country_code",),
    ),
]
WITH_COUNTRY = [vendor for vendor in VENDORS if vendor.country]

every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
every_vendor_of_countries = pytest.mark.parametrize("vendor", WITH_COUNTRY, ids=lambda vendor: vendor.name)

# What another key says where the first key is not there: a holder, the country of registration.
SECOND_BEST = {"Telstra Internet", "Telstra Internet Customers", "US", "United States"}

ADDRESS = "192.0.2.77"


def vouched(path: Path) -> Database:
    """An open file that passes for vetted: wrong types in any other are damage."""
    vetted = TrustedFiles(path.parent / "data")
    vetted.remember(path, path.stat())
    return Database(path, vetted)


@pytest.fixture
def said(make_mmdb: MakeMmdb) -> Said:
    """A function that writes a record to an MMDB file and gives what is read out of that file."""

    def ask(record: Any, database_type: str = "Test") -> Answer:
        path = make_mmdb("vendor", {"192.0.2.0/24": record}, database_type)
        ((data, _),) = vouched(path).find([ADDRESS])
        return answer_of(data) if isinstance(data, dict) else NOTHING

    return ask


def replaced(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """A record with every value in it replaced, however deep; the keys stay."""
    if isinstance(value, dict):
        return {key: replaced(inner, leaf) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, leaf) for inner in value]
    return leaf(value)


def changed(record: dict[str, Any], way: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A record with one value set, or taken out where ``value`` is ``None``."""
    first, *rest = way
    if rest:
        return record | {first: changed(record[first], tuple(rest), value)}
    return {key: inner for key, inner in record.items() if key != first} | (
        {} if value is None else {first: value}
    )


def assert_sane(answer: Answer) -> None:
    """No record, however odd, may give anything else than this."""
    for text in (answer.country_name, answer.region, answer.city, answer.org):
        if text is not None:
            assert isinstance(text, str)
            assert text
            assert text.isprintable()
            assert len(text) <= MAX_TEXT
    assert answer.country_code is None or re.fullmatch("[A-Z]{2}", answer.country_code)
    assert (answer.country_code is None) == (answer.country_name is None)
    assert (answer.latitude is None) == (answer.longitude is None)
    if answer.latitude is not None and answer.longitude is not None:
        assert isinstance(answer.latitude, float)
        assert isinstance(answer.longitude, float)
        assert abs(answer.latitude) <= 90
        assert abs(answer.longitude) <= 180
    if answer.asn is not None:
        assert type(answer.asn) is int
        assert 1 <= answer.asn <= MAX_ASN


@every_vendor
def test_a_vendors_record_is_understood(vendor: Vendor, said: Said) -> None:
    assert said(vendor.record, vendor.database_type) == vendor.answer


@every_vendor
def test_a_record_whose_keys_are_empty_says_nothing(vendor: Vendor, said: Said) -> None:
    empty = replaced(vendor.record, lambda value: "" if isinstance(value, str) else type(value)())
    assert said(empty, vendor.database_type) == NOTHING


@every_vendor
def test_a_record_of_blanks_says_nothing(vendor: Vendor, said: Said) -> None:
    assert said(replaced(vendor.record, lambda _: " \t"), vendor.database_type) == NOTHING


@every_vendor
def test_a_record_of_dashes_says_nothing(vendor: Vendor, said: Said) -> None:
    dashes = replaced(vendor.record, lambda value: "-" if isinstance(value, str) else type(value)())
    assert said(dashes, vendor.database_type) == NOTHING


@every_vendor
def test_a_record_whose_maps_are_all_empty_says_nothing(vendor: Vendor, said: Said) -> None:
    shells = {key: type(value)() for key, value in vendor.record.items()}
    assert said(shells, vendor.database_type) == NOTHING


@every_vendor
def test_an_empty_record_says_nothing(vendor: Vendor, said: Said) -> None:
    assert said({}, vendor.database_type) == NOTHING


@every_vendor
def test_any_key_may_be_absent(vendor: Vendor, make_mmdb: MakeMmdb) -> None:
    networks = {f"10.0.{number}.0/24": key for number, key in enumerate(vendor.record)}
    path = make_mmdb(
        "absent",
        {network: changed(vendor.record, (key,), None) for network, key in networks.items()},
        vendor.database_type,
    )
    for number, key in enumerate(networks.values()):
        ((data, _),) = Database(path).find([f"10.0.{number}.1"])
        assert data is not None
        assert key not in data
        answer = answer_of(data)
        assert_sane(answer)
        for value, known in zip(answer, vendor.answer, strict=True):
            assert value is None or value == known or value in SECOND_BEST, key


@every_vendor_of_countries
def test_what_is_no_country_takes_nothing_else_away(vendor: Vendor, said: Said) -> None:
    codes = ["ZZ", "-", "", "EU", "AN", "??", "USA", "D", "D€"]
    rest = vendor.answer._replace(country_code=None, country_name=None)
    answers = {
        code: said(changed(vendor.record, vendor.country, code), vendor.database_type) for code in codes
    }
    assert answers == dict.fromkeys(codes, rest)


@every_vendor_of_countries
def test_a_record_without_country_code_keeps_the_rest(vendor: Vendor, said: Said) -> None:
    record = changed(vendor.record, vendor.country, None)
    assert said(record, vendor.database_type) == vendor.answer._replace(country_code=None, country_name=None)


@every_vendor_of_countries
def test_a_code_in_lower_case_is_a_country(vendor: Vendor, said: Said) -> None:
    assert vendor.answer.country_code is not None
    record = changed(vendor.record, vendor.country, vendor.answer.country_code.lower())
    assert said(record, vendor.database_type) == vendor.answer


def test_db_ips_private_space_is_no_country(said: Said) -> None:
    record = {
        "continent": {"code": "ZZ", "names": {"en": "Unknown"}},
        "country": {"iso_code": "ZZ", "names": {"en": "Unknown"}},
        "city": {"names": {"en": ""}},
    }
    assert said(record, "DBIP-City-Lite") == NOTHING


def test_ip2locations_unknown_is_nothing(said: Said) -> None:
    record = {
        "city": {"names": {"en": "-"}},
        "country": {"iso_code": "-", "names": {"en": "-"}},
        "location": {"latitude": 0.0, "longitude": 0.0},
        "postal": {"code": "-"},
        "subdivisions": [{"names": {"en": "-"}}],
    }
    assert said(record, "IP2LITE-City") == NOTHING


def test_where_the_registered_country_differs_the_country_counts(said: Said) -> None:
    record = {"registered_country": GERMANY}
    assert said(record | {"country": BRITAIN}).country_code == "GB"


def test_without_a_country_it_is_the_one_of_registration(said: Said) -> None:
    assert said({"registered_country": GERMANY}) == Answer("DE", "Germany")
    assert said({"registered_country": {"iso_code": "ZZ"}}) == NOTHING
    assert said({"registered_country": GERMANY, "country": {"iso_code": "ZZ"}}) == NOTHING


@pytest.mark.parametrize("name", ["Deutschland", "DE", "Federal Republic of Germany", ""])
def test_a_country_has_one_name_whatever_the_file_calls_it(name: str, said: Said) -> None:
    for record in (
        {"country": {"iso_code": "DE", "names": {"en": name}}},
        {"country_code": "DE", "country": name},
    ):
        assert said(record) == Answer("DE", "Germany")


def test_a_country_without_an_english_name_has_one(said: Said) -> None:
    assert said({"country": {"iso_code": "DE", "names": {"de": "Deutschland"}}}).country_name == "Germany"
    assert said({"country": {"iso_code": "DE"}}).country_name == "Germany"
    assert said({"country_code": "DE", "country": ""}).country_name == "Germany"


@pytest.mark.parametrize("text", ["ß", "ﬁ", "ıt", "ＵＳ"])  # noqa: RUF001 (the point)
def test_letters_that_only_become_a_code_in_upper_case_are_no_country(text: str, said: Said) -> None:
    assert said({"country_code": text}) == NOTHING
    assert said({"country": {"iso_code": text}}) == NOTHING


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (900.0, 10.0),
        (-90.5, 10.0),
        (10.0, 180.5),
        (10.0, -900.0),
        (math.nan, 10.0),
        (10.0, math.nan),
        (math.inf, 10.0),
        (10.0, -math.inf),
        (0.0, 0.0),
        (0, 0),
        (-0.0, 0.0),
        ("0", "0.0"),
        ("nan", "1"),
        ("1e400", "1"),
        ("north", "1"),
        ("", ""),
        ("-", "-"),
        (True, True),
        (2**64, 1),
        ([1.0], [1.0]),
        ({"deg": 1}, {"deg": 1}),
        (b"1", b"1"),
    ],
)
def test_a_place_that_is_not_on_earth_is_none(latitude: Any, longitude: Any, said: Said) -> None:
    for place in (
        {"location": {"latitude": latitude, "longitude": longitude}},
        {"latitude": latitude, "longitude": longitude},
        {"lat": latitude, "lng": longitude},
    ):
        assert said(place | {"country_code": "DE"}) == Answer("DE", "Germany")


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(90.0, 180.0), (-90.0, -180.0), (0.0, 9.5), (51.5, 0.0), ("51.5", "-0.25")]
)
def test_places_at_the_edges_of_the_map_are_kept(latitude: Any, longitude: Any, said: Said) -> None:
    answer = said({"location": {"latitude": latitude, "longitude": longitude}})
    assert (answer.latitude, answer.longitude) == (float(latitude), float(longitude))


@pytest.mark.parametrize("key", ["latitude", "longitude"])
def test_half_a_place_is_none(key: str, said: Said) -> None:
    assert said({"location": {key: 12.5}}) == NOTHING
    assert said({key: 12.5}) == NOTHING


@pytest.mark.parametrize("key", ["asn", "autonomous_system_number"])
@pytest.mark.parametrize(
    "number",
    [
        *(2**40, 2**32, 2**127, -5, 0, True, 1.5, [5], {"n": 5}, b"5"),
        *("0", "AS0", "ASxyz", "AS", "", "-", "-5", "AS-5", "AS5.5", "AS٣", "AS 5", "5 6", "ASAS5"),
        *("AS4294967296", "AS9999999999", "9" * 5000),
    ],
)
def test_a_number_that_no_as_can_have_is_none(key: str, number: Any, said: Said) -> None:
    assert said({key: number, "as_name": "Example"}) == Answer(org="Example")


@pytest.mark.parametrize("key", ["asn", "autonomous_system_number"])
@pytest.mark.parametrize("number", [13335, "13335", "AS13335", "as13335"])
def test_an_as_number_is_read_from_number_and_text(key: str, number: Any, said: Said) -> None:
    assert said({key: number}).asn == 13335


@pytest.mark.parametrize("number", [1, MAX_ASN, f"AS{MAX_ASN}"])
def test_the_first_and_the_last_as_are_known(number: Any, said: Said) -> None:
    assert said({"asn": number}).asn in {1, MAX_ASN}


def test_a_name_is_an_organisation_only_beside_an_as(said: Said) -> None:
    assert said({"name": "Example"}) == NOTHING
    assert said({"name": "Example", "asn": "AS5"}) == Answer(asn=5, org="Example")


@pytest.mark.parametrize("unknown", ["-", "", " "])
def test_an_unknown_under_one_key_lets_the_next_key_speak(unknown: str, said: Said) -> None:
    record = {"autonomous_system_number": 5, "autonomous_system_organization": unknown, "isp": "Example"}
    assert said(record) == Answer(asn=5, org="Example")


HOSTILE = {
    "escape": "\x1b[2J\x1b[31mExample",
    "bell-and-null": "Exam\x00ple\x07",
    "newline": "Example\r\nroot::0:0",
    "tab": "Example\tTab",
    "bidi": "Example \u202egpj.exe",
    "c1": "Example \x9b31m",
    "separator": "Example\u2028next",
    "tag": "Example \U000e0041",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_control_characters_never_come_out_as_they_are(text: str, said: Said) -> None:
    answer = said(
        {
            "country": {"iso_code": "DE", "names": {"en": text}},
            "city": {"names": {"en": text}},
            "subdivisions": [{"names": {"en": text}}],
            "autonomous_system_number": 5,
            "autonomous_system_organization": text,
        }
    )
    assert_sane(answer)
    assert answer.country_name == "Germany"
    assert answer.city == answer.region == answer.org
    assert answer.org is not None
    assert "Exam" in answer.org


def test_rich_markup_and_quotes_are_just_text(said: Said) -> None:
    text = '[red]"Example", 100 % <b> \\ {ip}'
    assert said({"asn": 5, "as_name": text}).org == text


@pytest.mark.parametrize("piece", ["Organisation ", "\x1b[2J", "ü", "\U0001f600"])
def test_an_endless_organisation_is_cut(piece: str, said: Said) -> None:
    text = (piece * 10_000)[:10_000]
    answer = said({"asn": 5, "as_name": text, "city": text, "region": text, "country_code": "DE"})
    assert_sane(answer)
    assert answer.org
    assert answer.org.endswith("…")
    assert answer.city == answer.region == answer.org


def test_text_of_just_the_longest_length_is_kept_whole(said: Said) -> None:
    assert said({"asn": 5, "as_name": "x" * MAX_TEXT}).org == "x" * MAX_TEXT
    assert said({"asn": 5, "as_name": "x" * (MAX_TEXT + 1)}).org == "x" * (MAX_TEXT - 1) + "…"


KEYS = [
    *("country", "country_code", "country_name", "iso_code", "names", "en", "name", "registered_country"),
    *("region", "region_name", "state1", "city", "city_name", "subdivisions", "location", "traits"),
    *("latitude", "longitude", "lat", "lng", "lon"),
    *("asn", "as_name", "autonomous_system_number", "autonomous_system_organization"),
    *("isp", "organization", "org"),
]
WRONG: dict[str, Any] = {
    "integer": 70_000,
    "negative": -5,
    "huge": 2**100,
    "float": 1.5,
    "true": True,
    "false": False,
    "bytes": b"\x00\xff\x1b",
    "list": [1, "a", {"names": {"en": 5}}],
    "empty-list": [],
    "list-of-lists": [[[["deep"]]]],
    "map": {"names": {"en": {"names": {"en": "x"}}}},
    "map-of-lists": {"names": ["en"], "iso_code": ["DE"], "latitude": [1], "name": [b"x"]},
    "empty-map": {},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_values_of_the_wrong_type_are_left_out(wrong: Any, make_mmdb: MakeMmdb) -> None:
    networks: dict[str, Any] = {f"10.0.{number}.0/24": {key: wrong} for number, key in enumerate(KEYS)}
    networks["10.1.0.0/24"] = dict.fromkeys(KEYS, wrong)
    networks["10.1.1.0/24"] = {"country": dict.fromkeys(KEYS, wrong), "traits": dict.fromkeys(KEYS, wrong)}
    networks["10.1.2.0/24"] = {"location": dict.fromkeys(KEYS, wrong), "city": dict.fromkeys(KEYS, wrong)}
    networks["10.1.3.0/24"] = {"subdivisions": [wrong], "region": wrong, "country_code": "DE"}
    database = vouched(make_mmdb("wrong", networks))
    for network in networks:
        ((data, _),) = database.find([network.removesuffix("0/24") + "1"])
        assert data is not None
        answer = answer_of(data)
        assert_sane(answer)
        assert (answer.region, answer.city, answer.org) == (None, None, None)
        assert answer.country_code == ("DE" if network == "10.1.3.0/24" else None)
        assert answer.asn in {None, wrong if isinstance(wrong, int) else None}


NO_VENDOR_WRITES: dict[str, Any] = {
    "country": {"country": 5},
    "country.iso_code": {"country": {"iso_code": ["DE"]}},
    "country_code": {"country_code": True},
    "city": {"city": 1.5},
    "subdivisions": {"subdivisions": {"names": {"en": "Hesse"}}},
    "location.latitude": {"location": {"latitude": b"1", "longitude": 1.0}},
    "lng": {"lat": 1.0, "lng": [1.0]},
    "asn": {"asn": True},
    "traits.autonomous_system_number": {"traits": {"autonomous_system_number": 1.5}},
    "as_name": {"as_name": 5},
}


@pytest.mark.parametrize(("key", "record"), NO_VENDOR_WRITES.items(), ids=NO_VENDOR_WRITES)
def test_what_no_vendor_writes_is_damage_in_a_file_that_nobody_vetted(
    key: str, record: Any, make_mmdb: MakeMmdb
) -> None:
    path = make_mmdb("wrong", {"192.0.2.0/24": record})
    with pytest.raises(
        DamagedFileError, match=rf"is damaged: {re.escape(key)} in the record at byte"
    ) as caught:
        list(Database(path).find([ADDRESS]))
    assert caught.value.path == path
    assert list(vouched(path).find([ADDRESS])) == [(record, 24)]


@every_vendor
def test_no_vendors_record_is_damage(vendor: Vendor) -> None:
    assert mistyped(vendor.record) is None


@pytest.mark.parametrize("record", ["DE", 5, ["DE"], True, b"DE", 1.5])
def test_a_record_that_is_no_map_says_nothing(record: Any, said: Said) -> None:
    assert said(record) == NOTHING


def test_traits_inside_traits_end_somewhere(said: Said) -> None:
    record: dict[str, Any] = {"autonomous_system_number": 5}
    for _ in range(60):
        record = {"traits": record}
    assert_sane(said(record))


SURELY = [
    Answer("DE", "Germany"),
    Answer(asn=5, org="Example"),
    Answer("DE", "Germany", "Hesse", "Frankfurt", 50.1, 8.7),
]


def test_merging_nothing_is_nothing() -> None:
    assert merge([]) == NOTHING
    assert merge([NOTHING, NOTHING]) == NOTHING


@pytest.mark.parametrize("answer", SURELY)
def test_merging_with_nothing_changes_nothing(answer: Answer) -> None:
    assert merge([answer]) == merge([answer, NOTHING]) == merge([NOTHING, answer]) == answer
    assert merge([answer, answer]) == answer


def test_the_first_country_leads() -> None:
    merged = merge([Answer("DE", "Germany"), Answer("FR", "France", "Grand Est", "Metz", 49.1, 6.2)])
    assert merged == Answer("DE", "Germany")


def test_a_later_file_adds_the_city_where_it_agrees_on_the_country() -> None:
    merged = merge([Answer("DE", "Germany"), Answer("DE", "Deutschland", "Hesse", "Frankfurt", 50.1, 8.7)])
    assert merged == Answer("DE", "Germany", "Hesse", "Frankfurt", 50.1, 8.7)


def test_a_later_file_never_overrides_a_city() -> None:
    first, second = Answer("DE", "Germany", city="Mainz"), Answer("DE", "Germany", "Hesse", "Frankfurt")
    assert merge([first, second]).city == "Mainz"


def test_a_file_without_country_does_not_add_a_place() -> None:
    merged = merge([Answer("DE", "Germany"), Answer(city="Metz", latitude=49.1, longitude=6.2)])
    assert merged == Answer("DE", "Germany")


def test_country_and_as_may_come_from_different_files_in_any_order() -> None:
    place, holder = Answer("DE", "Germany"), Answer(asn=5, org="Example")
    assert merge([place, holder]) == merge([holder, place]) == Answer("DE", "Germany", asn=5, org="Example")


def test_number_and_name_of_an_as_come_from_one_file() -> None:
    assert merge([Answer(asn=5), Answer(asn=6, org="Six")]) == Answer(asn=5)
    assert merge([Answer(org="Only a name"), Answer(asn=6, org="Six")]) == Answer(asn=6, org="Six")
    assert merge([Answer(org="First"), Answer(org="Second")]) == Answer(org="First")


def test_a_third_file_that_agrees_still_adds_what_is_missing() -> None:
    merged = merge(
        [Answer("DE", "Germany"), Answer("FR", "France", city="Metz"), Answer("DE", "Germany", city="Kehl")]
    )
    assert merged == Answer("DE", "Germany", city="Kehl")


texts = (
    st.text(st.characters(), max_size=20)
    | st.text(st.sampled_from("\x00\x1b\u202e\u2028 \t-ZDEASe0"), max_size=400)
    | st.sampled_from(["", "-", "ZZ", "DE", "us", "AS13335", "AS0", "13335", "nan", "-inf", "51.5", "0"])
)
numbers = (
    st.integers()
    | st.integers(min_value=-5, max_value=2**33)
    | st.floats()
    | st.sampled_from([0, 2**32 - 1, 2**32, 10**400, -(10**400), 90.0, -180.0, 0.0])
)
scalars = st.none() | st.booleans() | texts | numbers | st.binary(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=8,
)
records = st.dictionaries(st.sampled_from(KEYS), values, max_size=10)


@examples(200)
@given(records)
def test_whatever_a_record_holds_the_answer_is_bounded_and_printable(record: dict[str, Any]) -> None:
    answer = answer_of(record)
    assert isinstance(answer, Answer)
    assert_sane(answer)


@examples(60)
@given(st.lists(records, max_size=3))
def test_whatever_records_hold_their_merger_is_bounded_and_printable(found: list[dict[str, Any]]) -> None:
    answers = [answer_of(record) for record in found]
    merged = merge(answers)
    assert_sane(merged)
    for position, value in enumerate(merged):
        assert value is None or value in {answer[position] for answer in answers}

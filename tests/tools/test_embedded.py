"""The recipe of the embedded database: its inputs, what it mends, what it measures."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import lzma
import struct
import tarfile
from ipaddress import ip_address
from pathlib import Path

import pytest

from geocli.mmdb.builder.ranges import Range
from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.reader import Database
from tools import accuracy, countries, embedded, embedded_inputs
from tools.embedded_inputs import DataFile, data_file
from tools.npm import Package, WrongFileError, fetch


def ranges(*found: tuple[int, int, str | None]) -> list[Range]:
    return [Range(start, end, order, code) for order, (start, end, code) in enumerate(found)]


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def package_at(path: Path) -> Package:
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    name, _, version = path.name.removesuffix(".tgz").rpartition("-")
    return Package(name, version, f"sha512-{digest}")


def test_geo_whois_loses_the_homes_of_registries_that_nobody_else_names() -> None:
    mended = embedded.mend(
        ranges((0, 99, "IN"), (100, 199, "AU"), (200, 299, "DE"), (300, 399, "FR")),
        ranges((0, 199, "IN"), (200, 299, "DE")),
        ranges((0, 249, "AU"), (250, 299, "AQ"), (300, 399, "MU")),
    )
    said = {(piece.start, piece.end): piece.answer.country for piece in mended}
    assert said == {
        (0, 99): "IN",  # the registry's, in place of the registry's home
        (100, 199): "AU",  # a second source says so
        (200, 249): "DE",
        (250, 299): "DE",  # nobody is in Antarctica
        (300, 399): "MU",  # the registries say nothing
    }


def test_db_ip_counts_where_space_was_given_out() -> None:
    pieces = embedded.delegated(ranges((0, 999, "AU")), ranges((100, 199, "JP"), (300, 399, None)))
    assert [(p.start, p.end, p.answer.country) for p in pieces if p.answer.country] == [(100, 199, "AU")]


def test_what_operators_declare_becomes_range_csvs(tmp_path: Path) -> None:
    rows = (
        "network,country_code,operator,published\n"
        "1.178.1.0/24,US,aws,2026-08\n"
        "2600:1f00::/40,CA,aws,2026-08\n"
    )
    packed = tmp_path / "declared.csv.xz"
    packed.write_bytes(lzma.compress(rows.encode()))
    four, six = embedded.declared(packed, tmp_path)
    assert list(csv.reader(four.open())) == [["1.178.1.0", "1.178.1.255", "US"]]
    assert list(csv.reader(six.open())) == [["2600:1f00::", "2600:1f00:ff:ffff:ffff:ffff:ffff:ffff", "CA"]]


def test_a_data_file_is_taken_by_its_checksum_only(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"right")
    right = DataFile("x", hashlib.sha256(b"right").hexdigest())
    assert data_file(right, tmp_path) == tmp_path / "x"
    with pytest.raises(WrongFileError, match="another file"):
        data_file(DataFile("x", hashlib.sha256(b"wrong").hexdigest()), tmp_path)
    with pytest.raises(WrongFileError, match="cannot read"):
        data_file(DataFile("missing", ""), tmp_path)


def test_a_package_that_is_in_the_cache_is_taken_by_its_integrity_only(tmp_path: Path) -> None:
    path = archive(tmp_path / "some-package-1.0.tgz", a=b"x")
    package = package_at(path)
    assert fetch(package, tmp_path) == path
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WrongFileError, match="delete it"):
        fetch(package, tmp_path)


def test_a_scoped_package_has_the_file_name_that_npm_gives_it() -> None:
    assert embedded_inputs.SYSTEMS.file_name == f"ip-location-db-asn-{embedded_inputs.SYSTEMS.version}.tgz"


def test_the_shipped_file_is_the_recipes_edition_with_its_licence_and_attribution() -> None:
    path = embedded_path()
    assert path.name == f"embedded-{embedded_inputs.EDITION}.mmdb"
    assert path.stat().st_size <= 16 << 20
    description = Database(path).description
    assert description.licence == embedded.LICENCE
    text = path.with_suffix(".licence.txt").read_text(encoding="utf-8")
    for owed in (
        "https://db-ip.com",
        "https://www.nro.net",
        "https://www.routeviews.org",
        "https://iptoasn.com",
    ):
        assert owed in embedded.LICENCE
        assert owed in text


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("2001:250::1", "CN"), ("2001:4490::1", "IN"), ("2001:fd8::1", "PH"), ("2001:44c8::1", "TH"),
        ("2001:200::1", "JP"), ("154.54.1.1", "US"), ("38.180.0.1", "FR"), ("8.8.8.8", "US"),
    ],
)  # fmt: skip
def test_the_shipped_file_is_right_where_the_one_before_it_was_wrong(address: str, country: str) -> None:
    (found,) = accuracy.countries_of(Database(embedded_path()), [address])
    assert found == country


def test_names_in_the_shipped_file_are_names() -> None:
    content = embedded_path().read_bytes()
    for placeholder in (
        b"-Reserved AS-",
        b" \xc2\xad ",
        b"City Net Telecom - City Net Telecom",
    ):
        assert placeholder not in content


def test_the_yardstick_reads_both_families(tmp_path: Path) -> None:
    four = struct.pack(">II2s", int(ip_address("1.0.0.0")), int(ip_address("1.0.0.255")), b"AU")
    half = int(ip_address("2001:200::")) >> 64
    six = struct.pack(">QQ2s", half, half + 0xFFFF, b"JP")
    yardstick = accuracy.Yardstick(
        archive(tmp_path / "p.tgz", **{"data/geoip-country.dat": four, "data/geoip-country6.dat": six})
    )
    asked = ("0.255.255.255", "1.0.0.0", "1.0.0.255", "1.0.1.0", "2001:200::1", "2001:201::", "::")
    assert [yardstick.country(ip_address(address)) for address in asked] == [
        None, "AU", "AU", None, "JP", None, None,
    ]  # fmt: skip


def test_a_sample_is_the_same_each_time_and_of_the_ranges_alone() -> None:
    ranges_ = [(100, 109), (200, 200)]
    sample = accuracy.sample(ranges_, 500)
    assert sample == accuracy.sample(ranges_, 500)
    assert {int(address) for address in sample} == {*range(100, 110), 200}


def test_names_of_countries_are_taken_from_cldr() -> None:
    called, others = countries.names(
        {
            "DE": "Germany",
            "GB": "United Kingdom",
            "GB-alt-short": "UK",
            "ZZ": "Unknown Region",
            "150": "Europe",
        }
        | {code: f"{code} long" for code in ("HK", "MM", "MO", "PS")}
        | {f"{code}-alt-short": code.lower() for code in ("HK", "MM", "MO", "PS")}
    )
    assert called["GB"] == "United Kingdom"
    assert called["HK"] == "hk"
    assert set(called) == {"DE", "GB", "HK", "MM", "MO", "PS"}
    assert others["UK"] == "GB"
    assert others["HK long"] == "HK"
    assert json.dumps("Germany") in countries.module(called, others)

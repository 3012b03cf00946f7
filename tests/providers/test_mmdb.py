"""The local databases: one file or several, asked about addresses and about whole networks."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.config.settings import Settings
from geocli.mmdb import open_databases
from geocli.mmdb.embedded import embedded_path, embedded_source
from geocli.model.errors import DamagedFileError
from geocli.model.records import GeoRecord, check_rows
from geocli.providers.mmdb import MmdbProvider, create
from tests.conftest import within
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.conftest import Geocli, MakeMmdb

    Make = Callable[..., MmdbProvider]

NOW = "2026-11-24T12:00:00Z"

DE = {"country": {"iso_code": "DE", "names": {"en": "Germany"}}}
FR = {"country": {"iso_code": "FR", "names": {"en": "France"}}}
FIVE = {"autonomous_system_number": 5, "autonomous_system_organization": "Five"}
SIX = {"autonomous_system_number": 6, "autonomous_system_organization": "Six"}
FRANKFURT = {
    "city": {"names": {"en": "Frankfurt"}},
    "subdivisions": [{"names": {"en": "Hesse"}}],
    "location": {"latitude": 50.5, "longitude": 8.5},
}
KASSEL = {
    "city": {"names": {"en": "Kassel"}},
    "subdivisions": [{"names": {"en": "Hesse"}}],
    "location": {"latitude": 51.5, "longitude": 9.5},
}


def one(provider: MmdbProvider, target: str) -> GeoRecord:
    (record,) = provider.records([target], NOW)
    if record.status == "unknown":
        assert record == GeoRecord(target, "unknown", source=record.source, resolved_at=NOW)
    else:
        assert record.status == "ok"
        assert record.network is not None
        assert any(value is not None for value in record[2:10])
    check_rows([record])
    return record


@pytest.fixture
def provider(make_mmdb: MakeMmdb) -> Make:
    """A function that makes a provider out of what its files say: one map of networks for each file."""

    def make(*files: Mapping[str, Any], ip_version: int = 6) -> MmdbProvider:
        paths = [
            make_mmdb(
                f"file{number}",
                networks,
                f"Kind{number}",
                ip_version,
                description={"x-edition": f"2026-0{number}"},
            )
            for number, networks in enumerate(files, start=1)
        ]
        return MmdbProvider(paths)

    return make


# --- the embedded database


def test_without_files_the_embedded_database_answers(tmp_path: Path) -> None:
    provider = create(Settings(data_dir=tmp_path))
    assert provider.sources == {embedded_source()}
    for address in ("8.8.8.8", "2001:4860:4860::8888"):
        record = one(provider, address)
        assert (record.country_code, record.asn, record.org) == ("US", 15169, "Google LLC")
        assert record.source == embedded_source()
        assert ip_address(address) in ip_network(str(record.network))


def test_the_embedded_database_named_as_a_file_has_the_same_source() -> None:
    named = MmdbProvider([embedded_path()])
    assert named.sources == {embedded_source()}
    assert one(named, "8.8.8.8") == one(MmdbProvider([]), "8.8.8.8")


def test_no_file_is_opened_before_somebody_asks(tmp_path: Path) -> None:
    missing = tmp_path / "missing.mmdb"
    provider = create(Settings(data_dir=tmp_path, mmdb=(missing,)))
    with pytest.raises(DamagedFileError) as caught:
        provider.records(["8.8.8.8"], NOW)
    assert caught.value.path == missing
    with pytest.raises(DamagedFileError):
        assert provider.sources


def test_what_is_wrong_with_one_of_several_files_is_said_by_its_name(
    make_mmdb: MakeMmdb, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.mmdb"
    junk.write_bytes(b"junk")
    with pytest.raises(DamagedFileError) as caught:
        MmdbProvider([make_mmdb("good", {"8.8.8.0/24": DE}), junk]).records(["8.8.8.8"], NOW)
    assert caught.value.path == junk


# --- addresses


def test_an_address_gets_answer_network_source_and_time(provider: Make) -> None:
    made = provider({"192.0.2.0/25": DE | FIVE})
    assert made.sources == {"mmdb:Kind1-2026-01"}
    assert one(made, "192.0.2.77") == GeoRecord(
        "192.0.2.77",
        "ok",
        "DE",
        "Germany",
        asn=5,
        org="Five",
        network="192.0.2.0/25",
        source="mmdb:Kind1-2026-01",
        resolved_at=NOW,
    )


@pytest.mark.parametrize("record", [{}, {"country": {"iso_code": "ZZ"}}, {"asn": ""}, [], "DE", 5])
def test_a_record_that_says_nothing_is_unknown(record: Any, provider: Make) -> None:
    made = provider({"192.0.2.0/24": record})
    assert one(made, "192.0.2.1").status == "unknown"
    assert one(made, "192.0.2.0/24").status == "unknown"
    assert one(made, "192.0.2.0/28").status == "unknown"
    assert one(made, "192.0.0.0/16").status == "unknown"


def test_an_ipv6_target_in_an_ipv4_file_is_unknown(provider: Make) -> None:
    made = provider({"192.0.2.0/24": DE}, ip_version=4)
    assert one(made, "192.0.2.1").network == "192.0.2.0/24"
    assert one(made, "192.0.0.0/16").network == "192.0.0.0/16"
    for target in ("2001:db8::1", "2001:db8::/32", "::/0"):
        assert one(made, target).status == "unknown"


def test_a_network_wider_than_ipv4_answers_ipv4_as_a_whole(provider: Make) -> None:
    made = provider({"::/1": DE})
    for target in ("192.0.2.1", "192.0.2.0/24", "0.0.0.0/0"):
        record = one(made, target)
        assert (record.country_code, record.network) == ("DE", "0.0.0.0/0")
    assert one(made, "2001:db8::1").network == "::/1"
    assert one(made, "8000::/1").status == "unknown"


def test_many_different_records_never_mix_up(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_databases, "_MOST_UNDERSTOOD", 7)
    made = provider({f"10.0.{n}.0/24": {"asn": n + 1, "as_name": f"Number {n}"} for n in range(50)})
    dice = random.Random(7)  # noqa: S311 (the same addresses every time)
    numbers = [dice.randrange(50) for _ in range(500)]
    records = made.records([f"10.0.{n}.1" for n in numbers], NOW)
    assert [(record.asn, record.org) for record in records] == [(n + 1, f"Number {n}") for n in numbers]


def test_answers_learned_for_many_never_mix_up(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_databases, "_MANY", 0)
    monkeypatch.setattr(open_databases, "MOST_SHARED", 60)
    known = [n for n in range(100) if n % 10]
    made = provider({f"5.0.{n}.0/24": {"asn": n + 1, "as_name": f"Number {n}"} for n in known})
    dice = random.Random(7)  # noqa: S311 (the same addresses every time)
    batches = [[dice.randrange(100) for _ in range(dice.randrange(1, 50))] for _ in range(50)]
    times = [dice.choice([NOW, "2026-11-27T00:00:00Z"]) for _ in batches]
    blocks = [made.batch([f"5.0.{n}.1" for n in batch], at) for batch, at in zip(batches, times, strict=True)]
    # Looked at afterwards: what was learned for later blocks does not change those before.
    for batch, at, block in zip(batches, times, blocks, strict=True):
        records = block.records()
        assert {record.resolved_at for record in records} == {at}
        said = [(record.asn, record.org, record.network) for record in records]
        assert said == [
            (n + 1, f"Number {n}", f"5.0.{n}.0/24") if n % 10 else (None, None, None) for n in batch
        ]


# --- several files


def test_country_and_as_come_together_from_two_files(provider: Make) -> None:
    made = provider({"192.0.0.0/16": DE, "2001:db8::/32": FR}, {"192.0.2.0/24": FIVE})
    assert made.sources == {"mmdb:Kind1-2026-01+Kind2-2026-02"}
    record = one(made, "192.0.2.1")
    assert (record.country_code, record.asn, record.org) == ("DE", 5, "Five")
    assert record.network == "192.0.2.0/24"
    assert record.source == "mmdb:Kind1-2026-01+Kind2-2026-02"
    elsewhere = one(made, "192.0.128.1")
    assert (elsewhere.country_code, elsewhere.asn) == ("DE", None)
    # As far up as no AS is known, and no further.
    assert elsewhere.network == "192.0.128.0/17"
    assert one(made, "2001:db8::1").country_code == "FR"
    assert one(made, "198.51.100.1").status == "unknown"


def test_the_network_is_the_longest_prefix_whichever_file_has_it(
    provider: Make,
) -> None:
    for made in (
        provider({"192.0.2.0/28": DE}, {"192.0.0.0/16": FIVE}),
        provider({"192.0.0.0/16": FIVE}, {"192.0.2.0/28": DE}),
    ):
        record = one(made, "192.0.2.1")
        assert (record.country_code, record.asn, record.network) == ("DE", 5, "192.0.2.0/28")


def test_the_first_file_leads_and_a_later_one_adds_the_city_only_where_they_agree(
    provider: Make,
) -> None:
    made = provider(
        {"192.0.2.0/24": DE, "198.51.100.0/24": FR},
        {"192.0.2.0/24": DE | FRANKFURT, "198.51.100.0/24": DE | FRANKFURT},
    )
    same, other = made.records(["192.0.2.1", "198.51.100.1"], NOW)
    assert (same.country_code, same.city, same.region, same.latitude) == ("DE", "Frankfurt", "Hesse", 50.5)
    assert (other.country_code, other.city, other.region, other.latitude) == ("FR", None, None, None)


def test_an_ipv4_file_beside_one_for_both_families_does_no_harm(make_mmdb: MakeMmdb) -> None:
    made = MmdbProvider(
        [
            make_mmdb("both", {"192.0.2.0/24": DE, "2001:db8::/32": FR}),
            make_mmdb("four", {"192.0.2.0/25": FIVE}, ip_version=4),
        ]
    )
    four, six = made.records(["192.0.2.1", "2001:db8::1"], NOW)
    assert (four.country_code, four.asn, four.network) == ("DE", 5, "192.0.2.0/25")
    assert (six.country_code, six.asn, six.network) == ("FR", None, "2001:db8::/32")


def test_several_files_serve_the_command_line(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    country = make_mmdb("country", {"8.8.8.0/24": DE}, "C", description={"x-edition": "1"})
    system = make_mmdb("system", {"8.8.8.0/28": FIVE}, "S", description={"x-edition": "2"})
    fields = "country_code,asn,network,source"
    done = geocli("--mmdb", country, "--mmdb", system, "8.8.8.8", "-f", fields)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "DE\t5\t8.8.8.0/28\tmmdb:C-1+S-2\n"


def test_answers_of_files_with_long_names_are_stored_and_found_again(
    geocli: Geocli, make_mmdb: MakeMmdb
) -> None:
    files = []
    for number in range(5):
        path = make_mmdb(f"file{number}", {"8.8.8.0/24": DE}, f"{number}" + "x" * 60)
        files += ["--mmdb", str(path)]
    first = geocli(*files, "8.8.8.8", "-j")
    assert (first.returncode, first.stderr) == (0, "")
    again = geocli(*files, "8.8.8.8", "-j")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == first.stdout
    flushed = geocli("flush")
    assert (flushed.returncode, flushed.stderr) == (0, "")
    stored = geocli(*files, "8.8.8.8", "-j")
    assert (stored.returncode, stored.stderr) == (0, "")
    assert stored.stdout == first.stdout


# --- files that have none of geocli's fields


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("GeoIP2-Anonymous-IP", {"is_anonymous": True, "is_anonymous_vpn": True}),
        ("GeoIP2-Connection-Type", {"connection_type": "Cable/DSL"}),
        ("GeoIP2-Domain", {"domain": "example.net"}),
    ],
)
def test_a_file_without_any_field_of_geoclis_says_so(
    kind: str, record: dict[str, Any], geocli: Geocli, make_mmdb: MakeMmdb
) -> None:
    path = make_mmdb("file", {"8.8.8.0/24": record, "9.9.9.0/24": record | {"more": 1}}, kind)
    done = geocli("--mmdb", path, "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == f"geocli: {path}: a {kind} file has neither country, city nor AS: give another file\n"
    )


def test_a_file_in_which_few_records_have_fields_is_asked(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    path = make_mmdb("file", {"8.8.8.0/24": {"domain": "x"}, "200.0.0.0/24": {"country": {"iso_code": "BR"}}})
    assert geocli("--mmdb", path, "200.0.0.1", "-f", "country_code").stdout == "BR\n"
    assert geocli("--mmdb", path, "8.8.8.8", "-f", "status").stdout == "unknown\n"


# --- IPv4 inside of IPv6


@pytest.mark.parametrize("outer", ["64:ff9b::808:{:x}", "2002:808:{:x}::7", "2001:0:1:2:3:4:f7f7:{:x}"])
def test_an_address_of_a_transition_answers_for_the_ipv4_address_inside(outer: str, provider: Make) -> None:
    made = provider({"8.8.8.0/24": DE | FIVE, "64:ff9b::/96": FR, "2002::/16": FR, "2001::/32": FR})
    inside = 0xF7F7 if "f7f7" in outer else 0x808
    target = outer.format(inside)
    record = one(made, target)
    assert (record.ip, record.country_code, record.asn) == (target, "DE", 5)
    assert record.network == "8.8.8.0/24"
    assert one(made, outer.format(0xFFFF ^ 0x1)).status == "unknown"


def test_a_network_of_nat64_answers_for_the_network_inside(provider: Make) -> None:
    made = provider({"8.8.8.0/25": DE | FIVE, "8.8.8.128/25": DE | SIX})
    record = one(made, "64:ff9b::808:800/120")
    assert (record.ip, record.country_code, record.asn) == ("64:ff9b::808:800/120", "DE", None)


# --- networks


def test_a_network_inside_one_record_gets_its_answer_and_its_network(
    provider: Make,
) -> None:
    made = provider({"192.0.0.0/16": DE | FIVE, "2001:db8::/32": FR})
    for target, code, network in (
        ("192.0.2.0/24", "DE", "192.0.0.0/16"),
        ("192.0.0.0/16", "DE", "192.0.0.0/16"),
        ("192.0.255.254/31", "DE", "192.0.0.0/16"),
        ("2001:db8:1::/48", "FR", "2001:db8::/32"),
        ("2001:db8::/32", "FR", "2001:db8::/32"),
    ):
        record = one(made, target)
        assert (record.ip, record.country_code, record.network) == (target, code, network)


def test_parts_that_agree_on_the_country_alone_give_the_country(
    provider: Make,
) -> None:
    made = provider({"192.0.2.0/25": DE | FIVE, "192.0.2.128/25": DE | SIX})
    record = one(made, "192.0.2.0/24")
    assert (record.country_code, record.country_name) == ("DE", "Germany")
    assert (record.asn, record.org) == (None, None)
    assert record.network == "192.0.2.0/24"


def test_parts_that_agree_on_the_as_alone_give_the_as(provider: Make) -> None:
    made = provider({"2001:db8::/33": DE | FIVE, "2001:db8:8000::/33": FR | FIVE})
    record = one(made, "2001:db8::/32")
    assert (record.country_code, record.asn, record.org) == (None, 5, "Five")
    assert record.network == "2001:db8::/32"


def test_parts_that_agree_on_everything_give_everything(provider: Make) -> None:
    made = provider({"192.0.2.0/25": DE | FIVE | FRANKFURT, "192.0.2.192/26": DE | FIVE | FRANKFURT})
    record = one(made, "192.0.0.0/16")
    assert record[2:10] == ("DE", "Germany", "Hesse", "Frankfurt", 50.5, 8.5, 5, "Five")
    assert record.network == "192.0.0.0/16"


def test_parts_that_agree_on_nothing_are_unknown(provider: Make) -> None:
    made = provider({"192.0.2.0/25": DE | FIVE, "192.0.2.128/26": FR | SIX, "192.0.2.192/26": DE | FIVE})
    assert one(made, "192.0.2.0/24").status == "unknown"
    assert one(made, "192.0.2.0/25").country_code == "DE"


def test_one_part_that_differs_at_the_very_end_counts(provider: Make) -> None:
    made = provider({"192.0.2.0/24": DE | FIVE, "192.0.2.255/32": DE | SIX})
    assert one(made, "192.0.2.0/24")[2:10] == ("DE", "Germany", None, None, None, None, None, None)
    assert one(made, "192.0.2.0/25").asn == 5
    neighbour = provider({"192.0.2.0/25": DE, "192.0.2.128/25": DE | FIVE, "192.0.3.0/32": FR})
    assert one(neighbour, "192.0.2.0/24").country_code == "DE"


def test_places_that_differ_leave_what_they_have_in_common(provider: Make) -> None:
    made = provider({"192.0.2.0/25": DE | FRANKFURT, "192.0.2.128/25": DE | KASSEL})
    record = one(made, "192.0.2.0/24")
    assert record[2:10] == ("DE", "Germany", "Hesse", None, None, None, None, None)


def test_half_a_place_is_never_what_parts_have_in_common(provider: Make) -> None:
    made = provider(
        {
            "192.0.2.0/25": DE | {"location": {"latitude": 50.5, "longitude": 8.5}},
            "192.0.2.128/25": DE | {"location": {"latitude": 50.5, "longitude": 9.5}},
        }
    )
    record = one(made, "192.0.2.0/24")
    assert (record.latitude is None) == (record.longitude is None)


def test_parts_that_differ_only_in_the_number_of_an_as_keep_no_half_of_it_from_another_part(
    provider: Make,
) -> None:
    made = provider({"192.0.2.0/25": DE | FIVE, "192.0.2.128/25": DE})
    record = one(made, "192.0.2.0/24")
    assert (record.country_code, record.asn, record.org) == ("DE", None, None)


@pytest.mark.parametrize("where", ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.192/26"])
def test_a_gap_does_not_count_as_disagreement(where: str, provider: Make) -> None:
    quarters = [str(network) for network in IPv4Network("192.0.2.0/24").subnets(new_prefix=26)]
    known: dict[str, Any] = {quarter: DE | FIVE for quarter in quarters if quarter != where}
    gaps: list[dict[str, Any]] = [{}, {where: {"country": {"iso_code": "ZZ"}}}, {where: {}}]
    for gap in gaps:
        record = one(provider(known | gap), "192.0.2.0/24")
        assert (record.country_code, record.asn, record.network) == ("DE", 5, "192.0.2.0/24")


def test_a_network_that_is_one_gap_is_unknown(provider: Make) -> None:
    made = provider({"192.0.2.0/24": DE})
    assert one(made, "198.51.100.0/24").status == "unknown"
    assert one(made, "192.0.3.0/24").status == "unknown"
    assert one(made, "2001:db8::/32").status == "unknown"


def test_a_network_in_several_files_is_cut_where_any_of_them_cuts(
    provider: Make,
) -> None:
    made = provider({"192.0.2.0/24": DE}, {"192.0.2.0/25": FIVE, "192.0.2.128/25": SIX})
    whole, half = made.records(["192.0.2.0/24", "192.0.2.128/26"], NOW)
    assert (whole.country_code, whole.asn, whole.network) == ("DE", None, "192.0.2.0/24")
    assert (half.country_code, half.asn, half.network) == ("DE", 6, "192.0.2.128/25")


def test_the_networks_at_the_ends_of_the_address_space_end_there(
    provider: Make,
) -> None:
    top = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120"
    made = provider({"255.255.255.0/25": DE, "255.255.255.128/25": DE, "0.0.0.0/9": DE, top: FR})
    assert one(made, "255.255.255.0/24").country_code == "DE"
    assert one(made, "0.0.0.0/8").country_code == "DE"
    assert one(made, "0.0.0.0/0").country_code == "DE"
    assert one(made, "ffff::/16").country_code == "FR"
    assert one(made, top).network == top


@pytest.mark.parametrize(
    "target", ["0.0.0.0/0", "::/0", "2000::/3", "64.0.0.0/2", "2400::/12", "128.0.0.0/1"]
)
def test_wide_networks_have_no_single_answer_and_say_so_quickly(target: str) -> None:
    provider = MmdbProvider([])
    with within(10):
        record = one(provider, target)
    assert record.country_code is None


def test_wide_networks_in_several_files_are_quick_too() -> None:
    provider = MmdbProvider([embedded_path(), embedded_path()])
    with within(10):
        one(provider, "0.0.0.0/0")
        one(provider, "::/0")


def test_a_network_answer_is_what_its_addresses_agree_on() -> None:
    provider = MmdbProvider([])
    dice = random.Random(26)  # noqa: S311 (the same networks every time)
    for _ in range(60):
        start = IPv4Address(dice.randrange(2**24, 224 * 2**24))
        network = IPv4Network((int(start), dice.randrange(20, 27)), strict=False)
        record = one(provider, str(network))
        step = max(1, network.num_addresses // 256)
        answers = provider.records([str(network[n]) for n in range(0, network.num_addresses, step)], NOW)
        known = [answer[2:10] for answer in answers if answer.status == "ok"]
        for position, value in enumerate(record[2:10]):
            if record.status == "ok" and value is not None:
                assert {answer[position] for answer in known} <= {value}


# Many in one /16, so that what was found for one answers another; some of other kinds.
BELOW = st.integers(0, 0xFFFFFF)
NEIGHBOURS = st.one_of(
    st.builds(lambda first, rest: str(IPv4Address(first << 24 | rest)), st.sampled_from([5, 91, 193]), BELOW),
    st.builds(lambda rest: str(IPv4Address(0x5BD40000 | rest & 0xFFFF)), BELOW),
    st.builds(lambda rest: str(IPv6Address(0x2A0104F8 << 96 | rest << 72)), BELOW),
    st.builds(
        lambda rest, prefix: str(ip_network((rest << 8, prefix), strict=False)), BELOW, st.integers(8, 31)
    ),
)


@examples(50)
@given(st.lists(NEIGHBOURS, min_size=1, max_size=200))
def test_many_at_once_are_answered_as_each_by_itself(targets: list[str]) -> None:
    together = MmdbProvider([]).records(targets, NOW)
    assert together == [MmdbProvider([]).records([target], NOW)[0] for target in targets]

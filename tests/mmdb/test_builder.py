"""``geocli db build``: range CSVs in, one MMDB file out, or one line that names what is wrong."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.builder.build import Built, Origin, Recipe, build
from geocli.mmdb.builder.ranges import Overlaps
from geocli.mmdb.layouts import answer_of
from geocli.mmdb.reader import Database, network_text
from geocli.model.errors import UsageError
from geocli.model.records import NOTHING, Answer
from tests.conftest import Geocli
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ORIGIN = Origin("test", "2026-06-17", "Ranges of a test", "CC0 1.0")


def ignore(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def ask(path: Path, address: str) -> tuple[Answer, str | None]:
    """What a finished file says of an address, and for which network."""
    ((data, prefix),) = Database(path).find([address])
    return (NOTHING, None) if data is None else (answer_of(data), network_text(address, prefix))


class Workshop:
    """A directory to write CSV files into and build from."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.output = directory / "out.mmdb"

    def csv(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def build(
        self,
        country: str | Sequence[Path] = (),
        asn: str | Sequence[Path] = (),
        overlaps: Overlaps = Overlaps.REFUSE,
        origin: Origin = ORIGIN,
    ) -> Built:
        countries = [self.csv("country.csv", country)] if isinstance(country, str) else country
        systems = [self.csv("asn.csv", asn)] if isinstance(asn, str) else asn
        recipe = Recipe({"": countries}, systems, overlaps=overlaps)
        return build(recipe, self.output, origin, ignore)

    def ask(self, address: str) -> tuple[Answer, str | None]:
        return ask(self.output, address)

    def country(self, address: str) -> str | None:
        return self.ask(address)[0].country_code

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir() if path.suffix != ".csv")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    directory = tmp_path / "workshop"
    directory.mkdir()
    return Workshop(directory)


# --- what comes out


def test_countries_and_systems_are_laid_over_each_other(geocli: Geocli, workshop: Workshop) -> None:
    countries = workshop.csv(
        "country4.csv",
        "ip_range_start,ip_range_end,country_code\n"
        "1.0.0.0,1.0.0.255,AU\n"
        "1.0.1.0,1.0.3.255,CN\n"
        "\n"
        "8.0.0.0,8.255.255.255,US\n",
    )
    countries6 = workshop.csv("country6.csv", "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,DE\n")
    systems = workshop.csv(
        "asn4.csv",
        "ip_range_start,ip_range_end,autonomous_system_number,autonomous_system_organization\n"
        '1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."\n'
        '8.8.8.0,8.8.8.255,AS15169,"Google ""LLC"""\n',
    )
    systems6 = workshop.csv("asn6.csv", "2001:db8::,2001:db8::ffff,64496,Example\n")
    done = geocli(
        *("db", "build", "--output", workshop.output, "--type", "mine", "--edition", "2026-06"),
        *("--country", countries, "--country", countries6, "--asn", systems, "--asn", systems6),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    cloudflare = Answer("AU", "Australia", asn=13335, org="Cloudflare, Inc.")
    assert workshop.ask("1.0.0.77") == (cloudflare, "1.0.0.0/24")
    assert workshop.ask("1.0.1.0") == (Answer("CN", "China"), "1.0.1.0/24")
    assert workshop.ask("1.0.3.255") == (Answer("CN", "China"), "1.0.2.0/23")
    answer, network = workshop.ask("8.8.8.8")
    assert (answer.country_code, answer.asn, answer.org) == ("US", 15169, 'Google "LLC"')
    assert network == "8.8.8.0/24"
    assert workshop.ask("8.8.9.0")[0].asn is None
    assert workshop.country("8.8.9.0") == "US"
    assert workshop.ask("2001:db8::1") == (
        Answer("DE", "Germany", asn=64496, org="Example"),
        "2001:db8::/112",
    )
    assert workshop.ask("2001:db8::1:0")[0] == Answer("DE", "Germany")
    for address in ("1.0.4.0", "0.255.255.255", "9.0.0.0", "2001:db9::", "::1.0.4.0"):
        assert workshop.ask(address) == (NOTHING, None)
    assert workshop.leftovers() == ["out.mmdb"]


def test_a_built_file_serves_look_ups(geocli: Geocli, workshop: Workshop) -> None:
    workshop.build("8.8.8.0,8.8.8.255,US\n", "8.8.8.0,8.8.8.255,15169,Google LLC\n")
    done = geocli("--mmdb", workshop.output, "8.8.8.8", "-j")
    record = json.loads(done.stdout)
    assert (record["country_code"], record["asn"], record["org"]) == ("US", 15169, "Google LLC")
    assert (record["network"], record["source"]) == ("8.8.8.0/24", "mmdb:test-2026-06-17")


def test_a_built_file_says_what_it_is(geocli: Geocli, workshop: Workshop, data_dir: Path) -> None:
    done = geocli(
        *("db", "build", "-o", workshop.output, "--country", workshop.csv("c.csv", "1.0.0.0,1.0.0.255,AU\n")),
        *(
            "--type",
            "mine",
            "--edition",
            "2026-06-17",
            "--description",
            "Äll of it",
            "--licence",
            "CC BY 4.0",
        ),
    )
    assert done.returncode == 0, done.stderr
    description = Database(workshop.output).description
    assert description.type == "mine"
    assert description.edition == "2026-06-17"
    assert description.built == 1781654400  # the first second of that day, UTC
    assert description.description == "Äll of it"
    assert description.licence == "CC BY 4.0"
    assert description.source == "mmdb:mine-2026-06-17"
    listed = Geocli(data_dir, {"GEOCLI_LOOKUP_MMDB": str(workshop.output)})("db", "list", "-j")
    row = json.loads(listed.stdout)
    assert (row["name"], row["type"], row["edition"]) == ("out", "mine", "2026-06-17")
    assert (row["description"], row["licence"], row["path"]) == (
        "Äll of it",
        "CC BY 4.0",
        str(workshop.output),
    )


def test_without_an_edition_the_data_is_of_today(geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv("c.csv", "1.0.0.0,1.0.0.255,AU\n")
    assert geocli("db", "build", "-o", workshop.output, "--country", csv).returncode == 0
    description = Database(workshop.output).description
    assert description.type == "custom"
    assert description.built % 86400 == 0
    assert abs(description.built - workshop.output.stat().st_mtime) < 2 * 86400


def test_verbose_says_how_much_it_was(geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv("c.csv", "1.0.0.0,1.0.0.255,AU\n1.0.1.0,1.0.2.255,AU\n")
    done = geocli("-v", "db", "build", "-o", workshop.output, "--country", csv)
    size = workshop.output.stat().st_size
    assert done.stderr == f"geocli: 2 ranges, 2 networks, {size} bytes\n"
    assert done.stdout == ""


def test_integers_are_addresses_too(workshop: Workshop) -> None:
    workshop.build(
        [
            workshop.csv("country4.csv", "16777216,16777471,AU\n"),
            workshop.csv(
                "country6.csv",
                f"{int(IPv6Address('2001:db8::'))},{int(IPv6Address('2001:db8::ffff'))},DE\n"
                f"{int(IPv6Address('::ffff:0:0:0'))},{int(IPv6Address('::ffff:0:ffff:ffff'))},FR\n",
            ),
        ],
        "16777216,16777343,13335,Cloudflare\n",
    )
    assert workshop.ask("1.0.0.1")[0] == Answer("AU", "Australia", asn=13335, org="Cloudflare")
    assert workshop.ask("1.0.0.128") == (Answer("AU", "Australia"), "1.0.0.128/25")
    assert workshop.ask("2001:db8::ff") == (Answer("DE", "Germany"), "2001:db8::/112")
    assert workshop.country("::ffff:0:102:304") == "FR"


def test_a_small_integer_among_ipv6_integers_is_ipv6_and_answers_for_no_ipv4(workshop: Workshop) -> None:
    workshop.build(f"{2**125},{2**125 + 255},DE\n256,{2**32 + 511},FR\n")
    assert workshop.country("2000::1") == "DE"
    assert workshop.country("::1:0:1ff") == "FR"
    assert workshop.country("0.0.1.255") is None


def test_a_file_of_ipv6_integers_may_start_at_zero(workshop: Workshop) -> None:
    workshop.build(f"0,{2**125 - 1},DE\n{2**125},{2**126 - 1},FR\n")
    assert workshop.country("1fff::") == "DE"
    assert workshop.country("2000::") == "FR"


def test_spaces_around_values_do_no_harm(workshop: Workshop) -> None:
    workshop.build(" 1.0.0.0 , 1.0.0.255 , au \n", "1.0.0.0,1.0.0.255, AS5 , Five \n")
    assert workshop.ask("1.0.0.1")[0] == Answer("AU", "Australia", asn=5, org="Five")


def test_the_last_and_the_first_address_can_be_ends(workshop: Workshop) -> None:
    last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    workshop.build(
        [
            workshop.csv("4.csv", "0.0.0.0,0.0.0.0,DE\n255.255.255.255,255.255.255.255,FR\n"),
            workshop.csv("6.csv", f"8000::,{last},US\n"),
        ]
    )
    assert workshop.ask("0.0.0.0") == (Answer("DE", "Germany"), "0.0.0.0/32")
    assert workshop.ask("255.255.255.255") == (Answer("FR", "France"), "255.255.255.255/32")
    assert workshop.country(last) == "US"
    assert workshop.country("0.0.0.1") is None


def test_one_range_may_be_all_of_ipv4(workshop: Workshop) -> None:
    assert workshop.build("0.0.0.0,255.255.255.255,DE\n").networks == 1
    assert workshop.ask("192.0.2.1") == (Answer("DE", "Germany"), "0.0.0.0/0")
    assert workshop.country("2001:db8::1") is None


def test_one_range_may_be_all_of_ipv6(workshop: Workshop) -> None:
    workshop.build("0::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n")
    assert workshop.country("2001:db8::1") == "DE"


def test_an_ipv6_range_over_ipv4s_part_of_the_tree_leaves_ipv4s_answers_alone(workshop: Workshop) -> None:
    workshop.build(
        [workshop.csv("4.csv", "1.0.0.0,1.0.0.255,AU\n"), workshop.csv("6.csv", "0::,1fff::,DE\n")]
    )
    assert workshop.country("1.0.0.1") == "AU"
    assert workshop.country("1000::") == "DE"


def test_neighbours_with_equal_answers_become_one_network(workshop: Workshop) -> None:
    built = workshop.build(
        "1.0.0.0,1.0.0.99,AU\n1.0.0.100,1.0.0.199,AU\n1.0.0.200,1.0.0.255,AU\n",
        "1.0.0.0,1.0.0.63,5,Five\n1.0.0.64,1.0.0.255,5,Five\n",
    )
    assert built.networks == 1
    assert built.ranges == 5
    assert workshop.ask("1.0.0.150")[1] == "1.0.0.0/24"


def test_equal_neighbours_are_joined_across_files(workshop: Workshop) -> None:
    files = [
        workshop.csv("a.csv", "1.0.1.0,1.0.1.255,AU\n"),
        workshop.csv("b.csv", "1.0.0.0,1.0.0.255,AU\n1.0.2.0,1.0.3.255,AU\n"),
    ]
    assert workshop.build(files).networks == 1
    assert workshop.ask("1.0.2.9")[1] == "1.0.0.0/22"


def test_a_range_between_the_bits_becomes_several_networks(workshop: Workshop) -> None:
    assert workshop.build("1.0.0.1,1.0.0.6,AU\n").networks == 4
    for last, network in enumerate(["1/32", "2/31", "2/31", "4/31", "4/31", "6/32"], start=1):
        assert workshop.ask(f"1.0.0.{last}")[1] == f"1.0.0.{network}"
    assert workshop.country("1.0.0.0") is None
    assert workshop.country("1.0.0.7") is None


def test_a_system_without_a_country_and_the_other_way_round(workshop: Workshop) -> None:
    workshop.build("1.0.0.0,1.0.0.255,AU\n", "1.0.0.128,1.0.1.127,5,Five\n")
    assert workshop.ask("1.0.0.1")[0] == Answer("AU", "Australia")
    assert workshop.ask("1.0.0.200")[0] == Answer("AU", "Australia", asn=5, org="Five")
    assert workshop.ask("1.0.1.1")[0] == Answer(asn=5, org="Five")
    assert workshop.ask("1.0.1.128")[0] == NOTHING


def test_systems_alone_make_a_file(geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv("a.csv", "1.0.0.0,1.0.0.255,4294967295,Last\n1.0.1.0,1.0.1.255,1,\n")
    assert geocli("db", "build", "-o", workshop.output, "--asn", csv).returncode == 0
    assert workshop.ask("1.0.0.1")[0] == Answer(asn=4294967295, org="Last")
    assert workshop.ask("1.0.1.1")[0] == Answer(asn=1)


def test_organisations_lose_their_control_characters_and_keep_their_letters(workshop: Workshop) -> None:
    workshop.build(
        asn='1.0.0.0,1.0.0.255,5,"\x1b[31mÜnï\ncode 日本"\n1.0.1.0,1.0.1.255,6,' + "long " * 2000 + "\n"
    )
    assert workshop.ask("1.0.0.1")[0].org == "\\x1b[31mÜnï code 日本"
    assert len(workshop.ask("1.0.1.1")[0].org or "") <= 256


def test_codes_that_are_no_country_are_counted_and_said_but_stop_nothing(
    geocli: Geocli, workshop: Workshop
) -> None:
    csv = workshop.csv(
        "c.csv",
        "1.0.0.0,1.0.0.255,AU\n1.0.1.0,1.0.1.255,ZZ\n1.0.2.0,1.0.2.255,AN\n1.0.3.0,1.0.3.255,zz\n"
        "1.0.4.0,1.0.4.255,\n1.0.5.0,1.0.5.255,-\n",
    )
    done = geocli("db", "build", "-o", workshop.output, "--country", csv)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 1
    for said in ("ZZ (2)", "AN (1)", "none (1)", "- (1)"):
        assert said in done.stderr
    assert workshop.country("1.0.0.1") == "AU"
    for third in range(1, 6):
        assert workshop.ask(f"1.0.{third}.1") == (NOTHING, None)
    assert geocli("-q", "db", "build", "-o", workshop.output, "--country", csv).stderr == ""


def test_as_0_is_no_system(workshop: Workshop) -> None:
    workshop.build(asn="1.0.0.0,1.0.0.255,0,Not routed\n1.0.1.0,1.0.1.255,5,Five\n")
    assert workshop.ask("1.0.0.1") == (NOTHING, None)
    assert workshop.ask("1.0.1.1")[0].asn == 5


def test_an_older_file_is_replaced(geocli: Geocli, workshop: Workshop) -> None:
    workshop.build("1.0.0.0,1.0.0.255,AU\n")
    csv = workshop.csv("c.csv", "1.0.0.0,1.0.0.255,DE\n")
    assert geocli("db", "build", "-o", workshop.output, "--country", csv).returncode == 0
    assert workshop.country("1.0.0.1") == "DE"
    assert workshop.leftovers() == ["out.mmdb"]


def test_who_has_the_old_file_open_keeps_its_answers(workshop: Workshop) -> None:
    workshop.build("1.0.0.0,1.0.0.255,AU\n")
    database = Database(workshop.output)
    workshop.build("1.0.0.0,1.0.0.255,DE\n")
    ((data, _),) = database.find(["1.0.0.1"])
    assert answer_of(data).country_code == "AU"


def test_ranges_come_out_of_a_pipe_as_well(workshop: Workshop) -> None:
    rows = "".join(
        f"{n * 256},{n * 256 + 255},{'AU' if n % 2 else 'DE'}\n" for n in range(2**16, 2**16 + 6_000)
    )
    pipe = workshop.directory / "pipe.csv"
    os.mkfifo(pipe)

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_text(rows)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert workshop.build([pipe]).ranges == 6_000
    writer.join(10)
    assert workshop.country("1.0.0.1") == "DE"
    assert workshop.country("1.0.1.1") == "AU"


def test_a_first_row_of_addresses_without_digits_is_no_header(workshop: Workshop) -> None:
    workshop.build("fe::,fe::ffff,DE\n2001:db8::,2001:db8::ffff,FR\n")
    assert workshop.country("2001:db8::1") == "FR"
    assert workshop.country("fe::1") == "DE"


def test_progress_says_what_is_done_and_never_more_than_all_of_it(workshop: Workshop) -> None:
    heard: list[tuple[str, int, int]] = []
    rows = "".join(f"{n * 256},{n * 256 + 255},{'AU' if n % 2 else 'DE'}\n" for n in range(6_000))
    csv = workshop.csv("c.csv", rows)
    build(Recipe({"": [csv]}), workshop.output, ORIGIN, lambda *said: heard.append(said))
    assert {what for what, _, _ in heard} >= {"reading c.csv", "building the tree, IPv4"}
    assert all(0 <= done <= total for _, done, total in heard)


# --- what is refused: by file and line, with nothing written


class Wrong(NamedTuple):
    """Rows that stop a build, in a country or an AS file, the line and what is said of it."""

    name: str
    rows: str | bytes
    line: int
    said: str
    asn: bool = False


GOOD = "1.0.0.0,1.0.0.255,AU\n"
WRONG = [
    Wrong("too-few-columns", GOOD + "1.0.1.0,1.0.1.255\n", 2, "columns"),
    Wrong("too-many-columns", GOOD + "1.0.1.0,1.0.1.255,AU,Australia\n", 2, "columns"),
    Wrong("as-row-among-countries", "1.0.0.0,1.0.0.255,13335,Cloudflare\n", 1, "columns"),
    Wrong("country-row-among-systems", "1.0.0.0,1.0.0.255,AU\n", 1, "columns", asn=True),
    Wrong("unquoted-comma", "1.0.0.0,1.0.0.255,13335,Cloudflare, Inc.\n", 1, "columns", asn=True),
    Wrong("one-column", GOOD + "1.0.1.0/24\n", 2, "no address"),
    Wrong("semicolons", GOOD + "1.0.1.0;1.0.1.255;AU\n", 2, "no address"),
    Wrong("second-header", GOOD + "start,end,country_code\n", 2, "no address"),
    Wrong("no-address", GOOD + "1.0.1.0,1.0.1.256,AU\n", 2, "'1.0.1.256'"),
    Wrong("leading-zeros", GOOD + "1.0.01.0,1.0.1.255,AU\n", 2, "'1.0.01.0'"),
    Wrong("negative", GOOD + "-5,10,AU\n", 2, "'-5'"),
    Wrong("integer-too-large", GOOD + f"1.0.1.0,{2**128},AU\n", 2, "no address"),
    Wrong("integer-far-too-large", GOOD + f"1.0.1.0,{'9' * 5000},AU\n", 2, "no address"),
    Wrong("empty-start", GOOD + ",1.0.1.255,AU\n", 2, "no address"),
    Wrong("empty-end", GOOD + "1.0.1.0,,AU\n", 2, "no address"),
    Wrong("cidr", GOOD + "1.0.1.0/24,1.0.1.255,AU\n", 2, "'1.0.1.0/24'"),
    Wrong("escape-in-address", GOOD + "\x1b[2J1.0.1.0,1.0.1.255,AU\n", 2, "no address"),
    Wrong("end-before-start", GOOD + "1.0.1.255,1.0.1.0,AU\n", 2, "ends before it starts"),
    Wrong("ipv6-among-ipv4", GOOD + "2001:db8::,2001:db8::ff,DE\n", 2, "not IPv4"),
    Wrong("ipv4-among-ipv6", "2001:db8::,2001:db8::ff,DE\n" + GOOD, 2, "not IPv6"),
    Wrong("two-families-in-a-row", GOOD + "1.0.1.0,2001:db8::,DE\n", 2, "not IPv4"),
    Wrong("large-integer-among-ipv4", GOOD + f"{2**32},{2**32 + 5},DE\n", 2, "not IPv4"),
    Wrong("overlap", GOOD + "1.0.0.255,1.0.1.0,DE\n", 2, "overlaps the range of line 1"),
    Wrong("overlap-of-equals", GOOD + GOOD, 2, "overlaps the range of line 1"),
    Wrong(
        "overlap-inside", "1.0.0.0,1.255.255.255,AU\n2.0.0.0,2.0.0.1,DE\n1.0.0.5,1.0.0.6,FR\n", 3, "line 1"
    ),
    Wrong("three-letters", GOOD + "1.0.1.0,1.0.1.255,AUS\n", 2, "'AUS'"),
    Wrong("name-for-code", GOOD + "1.0.1.0,1.0.1.255,Germany\n", 2, "'Germany'"),
    Wrong("letter-and-digit", GOOD + "1.0.1.0,1.0.1.255,A1\n", 2, "'A1'"),
    Wrong("letters-that-become-a-code", GOOD + "1.0.1.0,1.0.1.255,ß\n", 2, "'ß'"),
    Wrong("as-number-with-words", "1.0.0.0,1.0.0.255,ASN5,Five\n", 1, "'ASN5'", asn=True),
    Wrong("as-number-empty", "1.0.0.0,1.0.0.255,,Five\n", 1, "AS number", asn=True),
    Wrong("as-number-negative", "1.0.0.0,1.0.0.255,-5,Five\n", 1, "'-5'", asn=True),
    Wrong("as-number-too-large", "1.0.0.0,1.0.0.255,4294967296,Five\n", 1, "'4294967296'", asn=True),
    Wrong("as-number-far-too-large", f"1.0.0.0,1.0.0.255,{'9' * 5000},Five\n", 1, "AS number", asn=True),
    Wrong(
        "as-number-large-behind-zeros", f"1.0.0.0,1.0.0.255,{'0' * 12}{2**32},F\n", 1, "AS number", asn=True
    ),
    Wrong("as-number-fraction", "1.0.0.0,1.0.0.255,5.5,Five\n", 1, "'5.5'", asn=True),
    Wrong("not-utf-8", GOOD.encode() + b"1.0.1.0,1.0.1.255,\xff\xfe\n", 2, "UTF-8"),
    Wrong("binary", bytes(range(255, -1, -1)) * 100, 1, ""),
    Wrong("endless-line", GOOD + "1" * 1_000_000, 2, ""),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_row_that_cannot_be_right_is_refused_by_file_and_line(wrong: Wrong, workshop: Workshop) -> None:
    csv = workshop.csv("wrong.csv", wrong.rows)
    with pytest.raises(UsageError) as caught:
        workshop.build([] if wrong.asn else [csv], [csv] if wrong.asn else [])
    message = str(caught.value)
    assert message.startswith(f"{csv}:{wrong.line}: ")
    assert wrong.said in message
    assert len(message) < len(str(csv)) + 300
    assert workshop.leftovers() == []


@pytest.mark.parametrize(
    "wrong",
    [wrong for wrong in WRONG if wrong.name in {"no-address", "escape-in-address", "binary", "overlap"}],
)
@pytest.mark.parametrize("older", [None, b"what was here before"])
def test_a_build_that_fails_costs_exit_code_2_and_one_line_and_changes_nothing(
    wrong: Wrong, older: bytes | None, geocli: Geocli, workshop: Workshop
) -> None:
    if older is not None:
        workshop.output.write_bytes(older)
    csv = workshop.csv("wrong.csv", wrong.rows)
    done = geocli("db", "build", "-o", workshop.output, "--country", csv)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"geocli: {csv}:{wrong.line}: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.removesuffix("\n").isprintable()
    assert workshop.leftovers() == ([] if older is None else ["out.mmdb"])
    if older is not None:
        assert workshop.output.read_bytes() == older


def test_a_byte_that_is_not_utf_8_is_found_on_its_own_line(workshop: Workshop) -> None:
    rows = "".join(f"{n * 256},{n * 256 + 255},AU\n" for n in range(300)).encode()
    csv = workshop.csv("c.csv", rows + b"99999999,99999999,\xff\n")
    with pytest.raises(UsageError) as caught:
        workshop.build([csv])
    assert str(caught.value).startswith(f"{csv}:301: ")


def test_ranges_that_overlap_across_two_files_are_refused_by_both_names(workshop: Workshop) -> None:
    first = workshop.csv("first.csv", "9.0.0.0,9.0.0.255,AU\n1.0.0.0,1.0.0.255,AU\n")
    second = workshop.csv("second.csv", "1.0.0.128,1.0.1.255,DE\n")
    with pytest.raises(UsageError) as caught:
        workshop.build([first, second])
    assert str(caught.value) == f"{second}:1: overlaps the range of line 2 of {first}"
    assert workshop.leftovers() == []


def test_a_country_range_may_overlap_a_system_range_and_the_other_family(workshop: Workshop) -> None:
    workshop.build(
        [workshop.csv("4.csv", "1.0.0.0,1.0.0.255,AU\n"), workshop.csv("6.csv", "2001::,2001::ff,DE\n")],
        "1.0.0.0,1.0.0.255,5,Five\n",
    )
    assert workshop.ask("1.0.0.1")[0] == Answer("AU", "Australia", asn=5, org="Five")


@pytest.mark.parametrize("content", ["", "\n\n", "start,end,country_code\n", GOOD.replace("AU", "ZZ")])
def test_a_file_without_ranges_is_refused_by_name(content: str, geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv("empty.csv", content)
    done = geocli("db", "build", "-o", workshop.output, "--country", csv)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"geocli: {csv}: holds no ranges\n"
    assert workshop.leftovers() == []


@pytest.mark.parametrize("option", ["--country", "--asn"])
def test_a_missing_file_is_refused_by_name(option: str, geocli: Geocli, workshop: Workshop) -> None:
    missing = workshop.directory / "missing.csv"
    done = geocli("db", "build", "-o", workshop.output, option, missing)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"geocli: cannot read {missing}: No such file or directory\n"


def test_a_directory_for_a_file_is_refused_by_name(geocli: Geocli, workshop: Workshop) -> None:
    done = geocli("db", "build", "-o", workshop.output, "--country", workshop.directory)
    assert done.returncode == 2
    assert done.stderr == f"geocli: cannot read {workshop.directory}: Is a directory\n"


OUTPUTS: dict[str, Callable[[Path], Path]] = {
    "below-nothing": lambda directory: directory / "missing" / "out.mmdb",
    "below-a-file": lambda directory: directory / "c.csv" / "out.mmdb",
    "a-directory": lambda directory: directory,
    "the-directory-itself": lambda _: Path(),
    "the-root": lambda _: Path("/"),
    "the-directory-above": lambda _: Path(".."),
    "a-name-too-long": lambda directory: directory / ("x" * 300),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_cannot_be_written_is_refused_by_name(
    name: str, geocli: Geocli, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop.directory)
    csv = workshop.csv("c.csv", GOOD)
    output = OUTPUTS[name](workshop.directory)
    before = {path: path.stat().st_size for path in workshop.directory.parent.rglob("*.*")}
    done = geocli("db", "build", "-o", output, "--country", csv)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geocli: ")
    assert done.stderr.count("\n") == 1
    assert str(output) in done.stderr
    assert {path: path.stat().st_size for path in workshop.directory.parent.rglob("*.*")} == before


def test_what_stands_where_the_unfinished_file_goes_is_no_reason_for_a_traceback(
    geocli: Geocli, workshop: Workshop
) -> None:
    (workshop.directory / "out.mmdb.part").mkdir()
    done = geocli("db", "build", "-o", workshop.output, "--country", workshop.csv("c.csv", GOOD))
    assert done.returncode in {0, 2}
    assert done.stderr.count("\n") == (1 if done.returncode else 0)


def test_a_full_disk_asks_to_try_again_and_keeps_the_old_file(geocli: Geocli, workshop: Workshop) -> None:
    workshop.output.write_bytes(b"what was here before")
    arguments = ["db", "build", "-o", str(workshop.output), "--country", str(workshop.csv("c.csv", GOOD))]
    code = (
        "import resource, sys; from geocli.cli.app import run;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=geocli.env, capture_output=True, text=True, check=False
    )
    assert "cannot write" in done.stderr
    assert done.stderr.count("\n") == 1
    assert workshop.output.read_bytes() == b"what was here before"
    assert done.returncode == 75


def test_nothing_to_build_from_is_a_usage_error(geocli: Geocli, workshop: Workshop) -> None:
    done = geocli("db", "build", "-o", workshop.output)
    assert done.returncode == 2
    assert "--country" in done.stderr
    assert "--asn" in done.stderr
    assert geocli("db", "build", "--country", workshop.csv("c.csv", GOOD)).returncode == 2
    assert workshop.leftovers() == []


def test_an_unknown_way_with_overlaps_is_a_usage_error(geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv("c.csv", GOOD)
    done = geocli("db", "build", "-o", workshop.output, "--country", csv, "--overlaps", "widest")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "refuse or narrowest" in done.stderr
    assert workshop.leftovers() == []


NO_EDITIONS = [
    *(
        "2026",
        "2026-13",
        "2026-00",
        "2026-02-30",
        "06-2026",
        "2026-6",
        "0000-01",
        "9999-99",
        "2100-01",
        "9999-12-31",
    ),
    *("June", "", "2026-06\n", "٢٠٢٦-٠٦", "2026-06-17T00:00:00Z"),
]


@pytest.mark.parametrize("edition", NO_EDITIONS)
def test_an_edition_that_is_no_month_or_day_is_refused(edition: str, workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="edition"):
        workshop.build(GOOD, origin=ORIGIN._replace(edition=edition))
    assert workshop.leftovers() == []


@pytest.mark.parametrize("edition", ["0001-01", "1969-12", "1970-01"])
def test_an_edition_from_before_there_was_time_is_refused_or_makes_a_file_that_opens(
    edition: str, workshop: Workshop
) -> None:
    try:
        workshop.build(GOOD, origin=ORIGIN._replace(edition=edition))
    except UsageError as error:
        assert "edition" in str(error)  # noqa: PT017 (either way is fine)
        assert workshop.leftovers() == []
    else:
        assert workshop.country("1.0.0.1") == "AU"


@pytest.mark.parametrize("edition", ["1999-12", "2026-06", "2024-02-29", "2099-12-31"])
def test_an_edition_is_a_month_or_a_day(edition: str, workshop: Workshop) -> None:
    workshop.build(GOOD, origin=ORIGIN._replace(edition=edition))
    assert Database(workshop.output).description.edition == edition


@pytest.mark.parametrize("option", ["--type", "--description", "--licence"])
def test_an_option_that_is_not_utf_8_ends_in_a_file_or_one_line(
    option: str, geocli: Geocli, workshop: Workshop
) -> None:
    csv = workshop.csv("c.csv", GOOD)
    done = geocli("db", "build", "-o", workshop.output, "--country", csv, option, "caf\udce9")
    assert done.returncode in {0, 2}
    assert done.stderr.count("\n") == (1 if done.returncode else 0)
    if done.returncode == 0:
        assert workshop.country("1.0.0.1") == "AU"
    else:
        assert workshop.leftovers() == []


def test_texts_of_any_length_never_make_a_file_that_cannot_be_opened(
    geocli: Geocli, workshop: Workshop
) -> None:
    csv = workshop.csv("c.csv", GOOD)
    texts = ("--description", "d" * 120_000, "--licence", "l" * 120_000)
    done = geocli("db", "build", "-o", workshop.output, "--country", csv, *texts)
    if done.returncode == 0:
        assert workshop.country("1.0.0.1") == "AU"
    else:
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1


# --- overlaps, narrowest first


def test_of_overlapping_ranges_the_narrower_wins(geocli: Geocli, workshop: Workshop) -> None:
    csv = workshop.csv(
        "c.csv",
        "1.0.0.0,1.255.255.255,US\n1.2.0.0,1.2.255.255,DE\n1.2.3.0,1.2.3.255,FR\n1.2.255.0,1.3.0.255,AU\n",
    )
    done = geocli("db", "build", "-o", workshop.output, "--country", csv, "--overlaps", "narrowest")
    assert (done.returncode, done.stderr) == (0, "")
    said = {"1.0.0.0": "US", "1.2.0.0": "DE", "1.2.2.255": "DE", "1.2.3.0": "FR", "1.2.3.255": "FR"}
    said |= {"1.2.4.0": "DE", "1.2.254.255": "DE", "1.2.255.0": "AU", "1.3.0.255": "AU", "1.3.1.0": "US"}
    assert {address: workshop.country(address) for address in said} == said


def test_the_order_of_rows_does_not_matter_where_widths_differ(workshop: Workshop) -> None:
    rows = ["1.0.0.0,1.255.255.255,US\n", "1.2.0.0,1.2.255.255,DE\n", "1.2.3.0,1.2.3.255,FR\n"]
    contents = set()
    for order in (rows, rows[::-1], [rows[1], rows[2], rows[0]]):
        workshop.build("".join(order), overlaps=Overlaps.NARROWEST)
        contents.add(workshop.output.read_bytes())
    assert len(contents) == 1


def test_of_equal_ranges_the_later_row_wins(workshop: Workshop) -> None:
    workshop.build("1.0.0.0,1.0.0.255,US\n1.0.0.0,1.0.0.255,DE\n", overlaps=Overlaps.NARROWEST)
    assert workshop.country("1.0.0.1") == "DE"
    files = [workshop.csv("a.csv", "1.0.0.0,1.0.0.255,FR\n"), workshop.csv("b.csv", GOOD)]
    workshop.build(files, overlaps=Overlaps.NARROWEST)
    assert workshop.country("1.0.0.1") == "AU"
    workshop.build(files[::-1], overlaps=Overlaps.NARROWEST)
    assert workshop.country("1.0.0.1") == "FR"


def test_of_ranges_of_equal_width_the_later_row_wins(workshop: Workshop) -> None:
    rows = ["1.0.0.0,1.0.0.9,US\n", "1.0.0.5,1.0.0.14,DE\n"]
    workshop.build("".join(rows), overlaps=Overlaps.NARROWEST)
    assert workshop.country("1.0.0.7") == "DE"
    workshop.build("".join(reversed(rows)), overlaps=Overlaps.NARROWEST)
    assert workshop.country("1.0.0.7") == "US"


def test_overlaps_of_systems_are_resolved_like_those_of_countries(workshop: Workshop) -> None:
    workshop.build(asn="1.0.0.0,1.0.255.255,5,Five\n1.0.1.0,1.0.1.255,6,Six\n", overlaps=Overlaps.NARROWEST)
    assert [workshop.ask(f"1.0.{third}.9")[0].asn for third in range(3)] == [5, 6, 5]


# --- against a list that is searched from end to end

SPACES = {4: (int(IPv4Address("1.2.0.0")), 2**32), 6: (int(IPv6Address("2001:db8::")), 2**128)}
CODES = ["AU", "DE", "FR", "XK"]
SYSTEMS = [(1, "One"), (1, "Uno"), (64496, 'Ex, "ample"'), (4294967295, None)]


def points(family: int) -> st.SearchStrategy[list[int]]:
    """Ends of ranges: close together, so that they meet, and anywhere, also at the ends of it all."""
    base, everything = SPACES[family]
    close = st.integers(base, base + 300)
    # Below 2**96 is IPv4's part of the tree.
    anywhere = st.integers(2**96 if family == 6 else 0, everything)
    return st.lists(close | close | anywhere | st.just(everything), unique=True, max_size=25).map(sorted)


def cut(ends: list[int], values: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """The ranges between the ends, each with a value; those without one are gaps."""
    return [
        (start, after - 1, value)
        for (start, after), value in zip(itertools.pairwise(ends), values, strict=False)
        if value is not None
    ]


def ranges(family: int, values: Sequence[Any]) -> st.SearchStrategy[list[tuple[int, int, Any]]]:
    given_values = st.lists(st.sampled_from([*values, None]), min_size=24, max_size=24)
    return st.builds(cut, points(family), given_values)


def looked_up(found: list[tuple[int, int, Any]], address: int) -> Any:
    return next((value for start, end, value in found if start <= address <= end), None)


def rows_of(found: list[tuple[int, int, Any]], family: int, integers: bool) -> str:
    """CSV as the ranges would come in it."""
    kind = IPv4Address if family == 4 else IPv6Address
    lines = []
    for start, end, value in found:
        ends = [str(number) if integers else str(kind(number)) for number in (start, end)]
        if isinstance(value, tuple):
            organisation = (value[1] or "").replace('"', '""')
            ends += [str(value[0]), f'"{organisation}"']
        else:
            ends.append(value)
        lines.append(",".join(ends) + "\n")
    return "".join(lines)


def built_from(
    countries: Mapping[int, list[tuple[int, int, Any]]],
    systems: Mapping[int, list[tuple[int, int, Any]]],
    directory: str,
    integers: bool,
    overlaps: Overlaps = Overlaps.REFUSE,
) -> Workshop | None:
    """A file built from these ranges, or ``None`` when there are none."""
    workshop = Workshop(Path(directory))
    country_files, asn_files = (
        [
            workshop.csv(f"{name}{family}.csv", rows_of(found, family, integers))
            for family, found in by_family.items()
            if found
        ]
        for name, by_family in (("country", countries), ("asn", systems))
    )
    if not country_files and not asn_files:
        return None
    workshop.build(country_files, asn_files, overlaps)
    return workshop


def places(found: Sequence[list[tuple[int, int, Any]]], family: int) -> list[int]:
    """Addresses worth asking about: every end, its neighbours, and some in between."""
    ends = {
        end + step
        for group in found
        for start, last, _ in group
        for end in (start, last)
        for step in (-1, 0, 1)
    }
    ends |= {(start + last) // 2 for group in found for start, last, _ in group}
    return sorted(end for end in ends if 0 <= end < SPACES[family][1])


@examples(100)
@given(
    countries4=ranges(4, CODES),
    systems4=ranges(4, SYSTEMS),
    countries6=ranges(6, CODES),
    systems6=ranges(6, SYSTEMS),
    integers=st.booleans(),
)
def test_a_built_file_answers_as_the_lists_it_was_built_from(
    countries4: list[tuple[int, int, Any]],
    systems4: list[tuple[int, int, Any]],
    countries6: list[tuple[int, int, Any]],
    systems6: list[tuple[int, int, Any]],
    integers: bool,
) -> None:
    countries, systems = {4: countries4, 6: countries6}, {4: systems4, 6: systems6}
    with tempfile.TemporaryDirectory() as directory:
        workshop = built_from(countries, systems, directory, integers)
        if workshop is None:
            return
        database = Database(workshop.output)
        for family, kind in ((4, IPv4Address), (6, IPv6Address)):
            here = countries[family], systems[family]
            asked = places(here, family)
            found = database.find([str(kind(number)) for number in asked])
            edges = sorted({edge for group in here for start, end, _ in group for edge in (start, end + 1)})
            for number, (data, prefix) in zip(asked, found, strict=True):
                code, system = looked_up(here[0], number), looked_up(here[1], number)
                answer = NOTHING if data is None else answer_of(data)
                assert answer.country_code == code
                assert (answer.asn, answer.org) == (system or (None, None))
                # The whole network that is named has this answer: no range begins or ends inside,
                # or else the same answer goes on behind it.
                network = ip_network((number, prefix), strict=False) if family == 4 else None
                if network is not None and data is not None:
                    first, last = int(network.network_address), int(network.broadcast_address)
                    inside = edges[bisect.bisect_right(edges, first) : bisect.bisect_right(edges, last)]
                    for edge in inside:
                        assert looked_up(here[0], edge) == code
                        assert looked_up(here[1], edge) == system


@examples(60)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 120), st.sampled_from(CODES)),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[1],  # of equal width the order would decide
    )
)
def test_with_narrowest_every_address_has_the_narrowest_range_around_it(
    rows: list[tuple[int, int, str]],
) -> None:
    base = SPACES[4][0]
    found = [(base + start, base + start + width, code) for start, width, code in rows]
    with tempfile.TemporaryDirectory() as directory:
        workshop = built_from({4: found}, {}, directory, True, Overlaps.NARROWEST)
        assert workshop is not None
        database = Database(workshop.output)
        for number in places([found], 4):
            around = [(end - start, code) for start, end, code in found if start <= number <= end]
            ((data, _),) = database.find([str(ip_address(number))])
            assert (answer_of(data).country_code if data else None) == (min(around)[1] if around else None)


def test_equal_parts_of_the_tree_are_stored_once(workshop: Workshop) -> None:
    rows = "".join(
        f"{start},{start + 255},{'AU' if number % 2 else 'DE'}\n"
        for number, start in enumerate(range(2**24, 2**24 + 2**12 * 256, 256))
    )
    built = workshop.build(rows)
    assert built.networks == 2**12
    assert built.size < 2000  # one network alone takes half of that
    assert workshop.country("1.0.0.0") == "DE"
    assert workshop.country("1.0.1.0") == "AU"
    assert workshop.country("1.15.254.255") == "DE"
    assert workshop.country("1.15.255.255") == "AU"
    assert workshop.country("1.16.0.0") is None

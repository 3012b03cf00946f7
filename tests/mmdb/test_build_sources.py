"""``geocli db build`` out of several sources: who wins, what is counted, what AS's are called."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geocli.mmdb.builder.as_names import clean_as_name
from geocli.mmdb.builder.overlay import Vote
from geocli.mmdb.builder.tree import EMPTY, TreeBuilder, write_tree
from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.layouts import answer_of
from geocli.mmdb.reader import Database
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.verify import verify
from tests.conftest import Geocli

ROW = "1.0.0.0,1.0.0.255,{}\n"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """A directory for CSV files, and where ``out.mmdb`` goes."""
    return tmp_path


def built(geocli: Geocli, directory: Path, *arguments: str | Path) -> str | None:
    """The country of 1.0.0.1 in the file that is built so."""
    output = directory / "out.mmdb"
    done = geocli("db", "build", "-o", output, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    ((data, _),) = Database(output).find(["1.0.0.1"])
    return None if data is None else answer_of(data).country_code


def sources(directory: Path, said: str) -> list[str | Path]:
    """One source for each code, of which the first is ``a``; ``-`` says nothing about this address."""
    options: list[str | Path] = []
    for name, code in zip("abcdef", said.split(), strict=False):
        path = directory / f"{name}.csv"
        path.write_text((ROW.format(code) if code != "-" else "") + "9.0.0.0,9.0.0.255,DE\n")
        options += ["--country", f"{name}={path}"]
    return options


# What the sources say in their order, how many outvote the first, and what comes out.
VOTES = [
    ("DE", None, "DE"),
    ("DE FR", None, "FR"),
    ("DE FR FR", None, "FR"),
    ("DE FR AT", None, "DE"),
    ("DE FR FR DE", None, "DE"),
    ("DE FR FR FR", None, "FR"),
    ("DE FR FR -", None, "DE"),
    ("DE FR FR -", 2, "FR"),
    ("DE FR FR DE", 2, "FR"),
    ("DE FR AT AT", 2, "AT"),
    ("DE FR AT AT", 3, "DE"),
    ("DE - - -", 1, "DE"),
    ("- FR AT AT", None, "FR"),
    ("- FR AT AT", 1, "FR"),
    ("- - - -", None, None),
    # Countries that are doubted here: Antarctica, the Seychelles.
    ("AQ", None, None),
    ("SC SC", None, "SC"),
    ("SC FR DE DE", None, "DE"),
    ("SC - - -", None, None),
    ("SC AQ - FR", None, "FR"),
    ("DE SC - -", 1, "DE"),
    ("DE SC SC SC", None, "SC"),
]


@pytest.mark.parametrize(("said", "outvote", "country"), VOTES)
def test_the_first_source_answers_unless_enough_others_agree_on_another(
    said: str, outvote: int | None, country: str | None
) -> None:
    codes = [None if code == "-" else code for code in said.split()]
    assert Vote(outvote, frozenset({"AQ", "SC"})).country(codes) == country


def test_sources_are_laid_over_each_other_by_name(geocli: Geocli, csv: Path) -> None:
    assert built(geocli, csv, *sources(csv, "DE FR FR FR")) == "FR"
    assert built(geocli, csv, *sources(csv, "DE FR FR -")) == "DE"
    assert built(geocli, csv, *sources(csv, "DE FR FR -"), "--outvote", "2") == "FR"
    assert built(geocli, csv, *sources(csv, "DE FR FR -"), "--outvote", "3,2") == "DE"
    assert built(geocli, csv, *sources(csv, "SC FR - -"), "--doubtful", "aq,Seychelles") == "FR"


def test_an_overlay_wins_over_all(geocli: Geocli, csv: Path) -> None:
    (csv / "over.csv").write_text("1.0.0.0,1.0.0.127,PT\n")
    assert built(geocli, csv, *sources(csv, "DE FR FR FR"), "--overlay", csv / "over.csv") == "PT"
    ((data, prefix),) = Database(csv / "out.mmdb").find(["1.0.0.200"])
    assert (answer_of(data).country_code, prefix) == ("FR", 25)


def test_files_of_one_name_are_one_source_in_which_nothing_overlaps(geocli: Geocli, csv: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (csv / name).write_text(ROW.format("DE"))
    both = ("--country", f"x={csv / 'a.csv'}", "--country", f"x={csv / 'b.csv'}")
    assert "overlaps" in geocli("db", "build", "-o", csv / "out.mmdb", *both).stderr
    apart = ("--country", f"x={csv / 'a.csv'}", "--country", f"y={csv / 'b.csv'}")
    assert geocli("db", "build", "-o", csv / "out.mmdb", *apart).returncode == 0


def test_a_file_whose_name_has_an_equals_sign_is_a_file(
    geocli: Geocli, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(csv)
    (csv / "a=b.csv").write_text(ROW.format("DE"))
    assert built(geocli, csv, "--country", "a=b.csv") == "DE"


@pytest.mark.parametrize("wrong", ["0", "x", "1,2,3", "-1", "", "1,", "100", "٣"])
def test_an_outvote_that_is_no_number_is_refused(wrong: str, geocli: Geocli, csv: Path) -> None:
    done = geocli("db", "build", "-o", csv / "out.mmdb", *sources(csv, "DE FR"), "--outvote", wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geocli: --outvote: ")
    assert done.stderr.count("\n") == 1


def test_a_doubtful_country_that_is_none_is_refused(geocli: Geocli, csv: Path) -> None:
    done = geocli("db", "build", "-o", csv / "out.mmdb", *sources(csv, "DE"), "--doubtful", "AQ,XX")
    assert done.returncode == 2
    assert done.stderr.startswith("geocli: --doubtful: 'XX' is no country")


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_files_are_read_whatever_they_are_called(kind: str, geocli: Geocli, csv: Path) -> None:
    rows = "".join(
        f"{n * 256},{n * 256 + 255},{'AU' if n % 2 else 'DE'}\n" for n in range(2**16, 2**16 + 9000)
    )
    for name in (f"c.csv.{kind}", "called-otherwise"):
        (csv / name).write_bytes(PACKERS[kind](rows.encode()))
        assert built(geocli, csv, "--country", csv / name) == "DE"


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_a_damaged_compressed_file_is_one_line(kind: str, harm: str, geocli: Geocli, csv: Path) -> None:
    packed = PACKERS[kind](b"".join(b"%d,%d,DE\n" % (n * 256, n * 256 + 255) for n in range(50_000)))
    middle = len(packed) // 2
    packed = packed[:middle] if harm == "cut" else packed[:middle] + b"\xff" * 40 + packed[middle + 40 :]
    (csv / "c.csv").write_bytes(packed)
    done = geocli("db", "build", "-o", csv / "out.mmdb", "--country", csv / "c.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geocli: ")
    assert str(csv / "c.csv") in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (csv / "out.mmdb").exists()


def test_the_report_counts_what_is_covered_and_who_agrees(geocli: Geocli, csv: Path) -> None:
    half, quarter = "0.0.0.0,127.255.255.255,{}\n", "0.0.0.0,63.255.255.255,{}\n"
    (csv / "a.csv").write_text(half.format("DE"))
    (csv / "b.csv").write_text(quarter.format("FR") + "64.0.0.0,127.255.255.255,DE\n")
    (csv / "asn.csv").write_text("64.0.0.0,191.255.255.255,5,Five\n")
    (csv / "over.csv").write_text("0.0.0.0,31.255.255.255,PT\n")
    arguments = (
        "--country",
        f"a={csv / 'a.csv'}",
        "--country",
        f"b={csv / 'b.csv'}",
        "--asn",
        csv / "asn.csv",
    )
    done = geocli(
        *("db", "build", "-o", csv / "out.mmdb", *arguments, "--overlay", csv / "over.csv"),
        *("--outvote", "2", "--report", "-"),
    )
    assert done.stdout.splitlines() == [
        "measure\tsource\tipv4\tipv6",
        "space with a country\t\t50.00\t0.00",
        "space with an AS\t\t50.00\t0.00",
        "of it with a country\t\t50.00\t",
        "space with a declared country\t\t12.50\t0.00",
        "agrees with the result\ta\t75.00\t",
        "agrees with the result\tb\t50.00\t",
    ]
    geocli("db", "build", "-o", csv / "out.mmdb", *arguments, "--report", csv / "report.tsv")
    assert (csv / "report.tsv").read_text().startswith("measure\t")
    done = geocli("db", "build", "-o", csv / "out.mmdb", *arguments, "--report", csv / "no" / "report.tsv")
    assert done.returncode == 2
    assert done.stderr.startswith("geocli: cannot write ")


def test_the_same_rows_give_the_same_bytes(geocli: Geocli, csv: Path) -> None:
    contents = set()
    for _ in range(2):
        built(geocli, csv, "--edition", "2026-10", *sources(csv, "DE FR FR FR"))
        contents.add((csv / "out.mmdb").read_bytes())
    assert len(contents) == 1


# --- names of AS's

NAMES = [
    ("City Net Telecom - City Net Telecom", "City Net Telecom"),
    ("iPi9 - IPI9", "iPi9"),
    ("American University - AUN (formerly AAUN) - American University - AUN (formerly AAUN)",
     "American University - AUN (formerly AAUN)"),
    ("Ministry of Education - EMISC", "Ministry of Education - EMISC"),
    ("MEO - SERVICOS DE COMUNICACOES", "MEO - SERVICOS DE COMUNICACOES"),
    ("GENSAZ-ASN1 - GENS ARIZONA LLC", "GENS ARIZONA LLC"),
    ("IRRA-AS-IN - IRRA INTERNET SERVICE", "IRRA INTERNET SERVICE"),
    ("AS73981 - NORTHERN ENGRAVING", "NORTHERN ENGRAVING"),
    ("SETEC-ASTRONOMY - SETEC ASTRONOMY INC", "SETEC ASTRONOMY INC"),
    ("SWK-HOSTING1 - SWK", "SWK"),
    ("WI - Connect B.V.", "WI - Connect B.V."),
    ("Providers Association - TISPA - Providers Association", "Providers Association - TISPA"),
    ("AS151300-85 - China Internet", "China Internet"),
    ("AS64153 - ", None),
    ("-Reserved AS-", None),
    ("-Private Use AS-", None),
    ("AS219443", None),
    ("as5", None),
    ("-", None),
    ("", None),
    ("   ", None),
    ("Unallocated", None),
    ("WILLIAN MENDES \xad ME", "WILLIAN MENDES - ME"),
    ("LINAGE\xa0SAS", "LINAGE SAS"),
    ("WORLD\xb4S TV SAC", "WORLD'S TV SAC"),
    ("Department of Cyber ????????????Security", "Department of Cyber Security"),
    ("China telecom ? China Next", "China telecom - China Next"),
    ("Who is it?", "Who is it?"),
    ("A\ufffd\ufffdB", "A B"),
    ("Some  Broadband   Ltd ", "Some Broadband Ltd"),
    ("G.W. DA SILVA -", "G.W. DA SILVA"),
    ('accompio SmarTec GmbH"', "accompio SmarTec GmbH"),
    ('LLC "SPUTNIK"', 'LLC "SPUTNIK"'),
    ("Réseau Ivoirien", "Réseau Ivoirien"),
    ("AS Roma", "AS Roma"),
    ("\x1b[31mred", "\\x1b[31mred"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_holder_has_a_name_that_people_can_read(text: str, name: str | None) -> None:
    assert clean_as_name(text) == name


@given(st.text(max_size=300))
def test_a_name_is_a_name_or_nothing(text: str) -> None:
    name = clean_as_name(text)
    assert name is None or (
        name.isprintable() and name.strip() == name and clean_as_name(name) in {name, None}
    )


# --- the search tree


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**128), unique=True, max_size=12), st.lists(st.integers(0, 3), min_size=13))
def test_the_tree_leads_every_address_to_the_range_that_it_is_in(ends: list[int], leaves: list[int]) -> None:
    builder = TreeBuilder()
    given_ranges = [
        (start, after - 1, -leaf)
        for (start, after), leaf in zip(itertools.pairwise(sorted(ends)), leaves, strict=False)
        if leaf
    ]
    for start, end, leaf in given_ranges:
        builder.add(start, end, leaf)
    growth = builder.finish()
    for address in {bound for start, end, _ in given_ranges for bound in (start, end)} | {
        0,
        2**128 - 1,
        *ends,
    }:
        if address >= 2**128:
            continue
        record, bit = len(growth.nodes), 127
        while record > EMPTY:
            record = growth.nodes[record - 1][address >> bit & 1]
            bit -= 1
        expected = next((leaf for start, end, leaf in given_ranges if start <= address <= end), EMPTY)
        assert record == expected
    assert max(Counter(growth.nodes).values(), default=1) == 1  # equal parts are stored once


def test_ranges_that_do_not_ascend_are_refused() -> None:
    builder = TreeBuilder()
    builder.add(10, 20, -1)
    with pytest.raises(ValueError, match="ascend"):
        builder.add(20, 30, -2)


@pytest.mark.parametrize(("data_size", "bits"), [(100, 24), (2**24, 28), (2**28 - 19, 28), (2**28, 32)])
def test_records_are_as_wide_as_they_have_to_be(data_size: int, bits: int) -> None:
    builder = TreeBuilder()
    builder.add(1 << 127, (1 << 128) - 1, -1)
    place = data_size - 1
    content, width = write_tree(builder.finish(), [place, place], data_size)
    assert (width, len(content)) == (bits, bits // 4)
    if bits == 28:
        right = (content[3] & 15) << 24 | int.from_bytes(content[4:])
        left = content[3] >> 4 << 24 | int.from_bytes(content[:3])
    else:
        left, right = (int.from_bytes(half) for half in (content[: bits // 8], content[bits // 8 :]))
    assert (left, right) == (1, 1 + 16 + place)


@pytest.mark.parametrize("systems", [10, 3_000, 90_000])
def test_a_file_of_any_size_is_whole_and_read_alike_by_both_readers(
    systems: int, geocli: Geocli, csv: Path
) -> None:
    """Up to where pointers have four bytes: data of more than 526,336."""
    rows = [f"{n << 8},{n << 8 | 255},{n},Organisation number {n} of many\n" for n in range(1, systems + 1)]
    (csv / "asn.csv").write_text("".join(rows))
    output = csv / "out.mmdb"
    assert geocli("db", "build", "-o", output, "--asn", csv / "asn.csv").returncode == 0
    assert verify(output).records == systems
    for number in {1, 2, systems // 2, systems}:
        address = f"{number >> 16}.{number >> 8 & 255}.{number & 255}.9"
        ((data, prefix),) = Database(output).find([address])
        assert (answer_of(data).asn, answer_of(data).org) == (number, f"Organisation number {number} of many")
        assert prefix == 24


@pytest.mark.slow
def test_no_name_in_the_database_that_ships_is_a_number_a_placeholder_or_broken() -> None:
    reader = SafeReader(embedded_path())
    numbers = {number for node in range(reader.nodes) for number in reader.pair(node)}
    records = (reader.record(number) for number in numbers if number > reader.nodes)
    names = {record.get("autonomous_system_organization") for record in records} - {None}
    assert len(names) > 70_000
    placeholder = r"as[ -]?\d+|(.+) - \1|-.*-|.*(?:\breserved|unallocated|unassigned|private use)\b.*"
    # UTF-8 read as Latin-1, control characters, and signs for letters that were lost.
    broken = "[\u00c2\u00c3][\x80-\xbf]|\u00e2\u20ac|[\x00-\x1f\x7f-\xa0\xad\xbf\ufffd]|[?][?]"
    assert [name for name in names if re.fullmatch(placeholder, name, re.IGNORECASE)] == []
    assert [name for name in names if re.search(broken, name)] == []
    assert [name for name in names if clean_as_name(name) != name] == []

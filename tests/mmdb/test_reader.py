"""MMDB files opened and asked: whole ones, and everything that is not one."""

from __future__ import annotations

import ipaddress
import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.embedded import EMBEDDED, embedded_path, embedded_source
from geocli.mmdb.layouts import answer_of
from geocli.mmdb.reader import Database, network_text
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import vet
from geocli.model.errors import DamagedFileError

if TYPE_CHECKING:
    from tests.conftest import Geocli, MakeMmdb

MARKER = b"\xab\xcd\xefMaxMind.com"  # the metadata follows it
V4, V6 = "192.0.2.1", "2001:db8::1"
NETWORKS: dict[str, Any] = {
    "192.0.2.0/24": {"country_code": "DE", "asn": "AS5", "as_name": "Five"},
    "198.51.100.0/25": {"country_code": "FR", "latitude": 48.5, "longitude": 2.25},
    "2001:db8::/32": {"country": {"iso_code": "US", "names": {"en": "United States"}}, "asn": 64496},
}


@pytest.fixture
def whole(make_mmdb: MakeMmdb) -> Path:
    return make_mmdb("whole", NETWORKS, "Whole", description={"x-edition": "2026-06"})


def ask(database: Database, address: str) -> tuple[Any, int]:
    """The record of one address and the length of its prefix."""
    (found,) = database.find([address])
    return found


def end_of_tree(content: bytes) -> int:
    """Where a whole file's search tree ends: 16 zeros follow, then the first text of the first record."""
    return content.index(bytes(16) + b"\x4ccountry_code")


def in_python(script: str, *arguments: str, accelerated: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter of its own, with or without maxminddb's C extension."""
    start = "" if accelerated else "import sys; sys.modules['maxminddb.extension'] = None\n"
    return subprocess.run(
        [sys.executable, "-c", start + script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- the database that ships with geocli


def test_the_embedded_database_is_where_its_name_says() -> None:
    assert embedded_path().is_file()
    assert embedded_path().parent == EMBEDDED
    assert Database(embedded_path()).description.source == embedded_source()


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_the_embedded_database_knows_googles_resolvers(address: str) -> None:
    data, prefix = ask(Database(embedded_path()), address)
    assert data is not None
    answer = answer_of(data)
    assert (answer.country_code, answer.asn, answer.org) == ("US", 15169, "Google LLC")
    assert 8 <= prefix <= 64


def test_the_embedded_database_names_its_licence_and_where_it_is_from() -> None:
    description = Database(embedded_path()).description
    assert description.licence is not None
    assert "DB-IP" in description.licence
    assert "RouteViews" in description.licence
    assert "CC BY 4.0" in description.licence
    assert description.description
    assert description.edition == embedded_path().stem.removeprefix(f"{description.type}-")
    assert description.size == embedded_path().stat().st_size
    assert time.strftime("%Y-%m", time.gmtime(description.built)) == description.edition


def test_the_embedded_databases_licence_lies_beside_it() -> None:
    text = embedded_path().with_suffix(".licence.txt").read_text(encoding="utf-8")
    assert embedded_path().name in text
    assert "DB-IP" in text
    assert "https://db-ip.com" in text
    assert "RouteViews" in text
    assert "CC0" in text
    assert "CC BY 4.0" in text


def test_there_is_one_embedded_database_and_a_licence_for_it() -> None:
    (database,) = EMBEDDED.glob("*.mmdb")
    assert sorted(EMBEDDED.glob(f"{database.stem}.*")) == [database.with_suffix(".licence.txt"), database]


def test_embedded_answers_agree_with_themselves_over_their_whole_network() -> None:
    database = Database(embedded_path())
    dice = random.Random(20260617)  # noqa: S311 (the same addresses every time)
    for _ in range(300):
        address = ipaddress.IPv4Address(dice.randrange(2**24, 2**32))
        data, prefix = ask(database, str(address))
        network = ipaddress.ip_network(network_text(str(address), prefix))
        assert address in network
        for end in (network.network_address, network.broadcast_address):
            assert ask(database, str(end)) == (data, prefix)


# --- a whole file


@pytest.mark.parametrize(
    ("address", "code", "prefix"),
    [("192.0.2.0", "DE", 24), ("192.0.2.255", "DE", 24), ("198.51.100.127", "FR", 25), (V6, "US", 32)],
)
def test_an_address_gets_its_record_and_the_prefix_it_holds_for(
    address: str, code: str, prefix: int, whole: Path
) -> None:
    data, length = ask(Database(whole), address)
    assert data is not None
    assert answer_of(data).country_code == code
    assert length == prefix


@pytest.mark.parametrize("address", ["192.0.3.0", "192.0.1.255", "198.51.100.128", "2001:db9::", "::", "::1"])
def test_an_address_outside_of_all_networks_gets_nothing(address: str, whole: Path) -> None:
    data, prefix = ask(Database(whole), address)
    assert data is None
    assert prefix > 0


def test_an_ipv6_address_in_an_ipv4_file_gets_nothing(make_mmdb: MakeMmdb) -> None:
    database = Database(make_mmdb("four", {"192.0.2.0/24": {"country_code": "DE"}}, ip_version=4))
    assert ask(database, V6) == (None, 0)
    assert ask(database, "::") == (None, 0)
    assert ask(database, V4) == ({"country_code": "DE"}, 24)


def test_an_ipv4_address_in_a_file_of_ipv6_alone_gets_nothing(make_mmdb: MakeMmdb) -> None:
    database = Database(make_mmdb("six", {"2001:db8::/32": {"country_code": "DE"}}))
    assert ask(database, V4)[0] is None
    assert ask(database, V6) == ({"country_code": "DE"}, 32)


def test_a_network_wider_than_all_of_ipv4_holds_for_ipv4_addresses_too(make_mmdb: MakeMmdb) -> None:
    database = Database(make_mmdb("wide", {"::/1": {"country_code": "DE"}}))
    assert ask(database, V4) == ({"country_code": "DE"}, 0)
    assert ask(database, V6) == ({"country_code": "DE"}, 1)
    assert ask(database, "ff02::1")[0] is None


def test_many_addresses_are_answered_in_their_order(whole: Path) -> None:
    addresses = [V6, V4, "192.0.3.1", V4, "::1"]
    found = list(Database(whole).find(addresses))
    assert found == [ask(Database(whole), address) for address in addresses]
    assert list(Database(whole).find([])) == []


def test_a_file_without_networks_knows_nothing(make_mmdb: MakeMmdb) -> None:
    database = Database(make_mmdb("empty", {}))
    assert ask(database, V4)[0] is None
    assert ask(database, V6)[0] is None


def test_a_file_says_what_it_is(make_mmdb: MakeMmdb) -> None:
    path = make_mmdb(
        "plain", NETWORKS, "GeoLite2-City", description={"x-edition": "2026-06-17", "x-licence": "CC0"}
    )
    description = Database(path).description
    assert description.type == "GeoLite2-City"
    assert description.edition == "2026-06-17"
    assert description.source == "mmdb:GeoLite2-City-2026-06-17"
    assert description.description == "plain, made by a test"
    assert description.licence == "CC0"
    assert description.path == path
    assert description.size == path.stat().st_size
    assert abs(description.built - time.time()) < 600


def test_a_file_that_names_no_edition_has_the_day_it_was_built(make_mmdb: MakeMmdb) -> None:
    description = Database(make_mmdb("plain", NETWORKS)).description
    assert description.edition == time.strftime("%Y-%m-%d", time.gmtime(description.built))
    assert description.licence is None


@pytest.mark.parametrize(
    ("database_type", "word"),
    [
        ("DBIP-ASN-Lite (compat=GeoLite2-ASN)", "DBIP-ASN-Lite-compat-GeoLite2-ASN-"),
        ("ipinfo bundle_location_lite.mmdb", "ipinfo-bundle_location_lite.mmdb"),
        ("a\x1b[31m+b:c,d\te\nf", "a-x1b-31m-b-c-d-e-f"),
        ("ü", "-"),
        ("", "unnamed"),
        ("x" * 64, "x" * 64),
        ("x" * 1000, "x" * 63 + "-"),
    ],
)
def test_the_type_becomes_one_word_in_the_source(database_type: str, word: str, make_mmdb: MakeMmdb) -> None:
    path = make_mmdb("typed", NETWORKS, database_type, description={"x-edition": "1"})
    assert Database(path).description.source == f"mmdb:{word}-1"


@pytest.mark.parametrize("edition", ["\x1b[2J", "2026 06", "x" * 1000, "+,:", "\u202e"])
def test_an_edition_becomes_one_short_word(edition: str, make_mmdb: MakeMmdb) -> None:
    path = make_mmdb("edition", NETWORKS, description={"x-edition": edition})
    word = Database(path).description.edition
    assert 1 <= len(word) <= 32
    assert word.isascii()
    assert not set(word) & set("\x1b +,:")


def test_descriptions_are_bounded_and_printable(make_mmdb: MakeMmdb) -> None:
    hostile = "\x1b[2J" + "long " * 1000
    path = make_mmdb("hostile", NETWORKS, description={"en": hostile, "x-licence": hostile})
    description = Database(path).description
    for text in (description.description, description.licence):
        assert text is not None
        assert text.isprintable()
        assert len(text) <= 1000


def test_a_file_may_have_any_name(make_mmdb: MakeMmdb, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"sp ace \xff\n\xc3\xbc [red].mmdb")
    make_mmdb("whole", NETWORKS).rename(path)
    assert ask(Database(path), V4)[1] == 24


# --- the networks of answers


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_an_ipv4_network_is_what_ipaddress_makes_of_it(address: int, prefix: int) -> None:
    text = str(ipaddress.IPv4Address(address))
    assert network_text(text, prefix) == str(ipaddress.ip_network((address, prefix), strict=False))


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**33), st.integers(0, 128))
def test_an_ipv6_network_is_what_ipaddress_makes_of_it(address: int, prefix: int) -> None:
    network = ipaddress.IPv6Network((address, prefix), strict=False)
    assert network_text(str(ipaddress.IPv6Address(address)), prefix) == str(network)


# --- the two readers


ACCELERATED = (
    "from geocli.mmdb.embedded import *; from geocli.mmdb.reader import *;"
    "print(Database(embedded_path()).accelerated)"
)


def test_the_extension_reads_the_embedded_database() -> None:
    assert in_python(ACCELERATED).stdout == "True\n"


def test_the_extension_is_in_use_and_said_to_be_when_maxminddb_was_imported_before() -> None:
    assert in_python(f"import maxminddb\n{ACCELERATED}").stdout == "True\n"


def test_without_the_extension_geocli_says_so() -> None:
    assert in_python(f"{ACCELERATED}\n{ACCELERATED}", accelerated=False).stdout == "False\n" * 2


def test_a_file_that_nobody_vouches_for_is_not_given_to_the_extension(whole: Path, tmp_path: Path) -> None:
    assert not Database(whole).accelerated
    assert not Database(whole, TrustedFiles(tmp_path / "data")).accelerated


def test_a_file_that_was_checked_is_given_to_the_extension_until_it_changes(
    whole: Path, tmp_path: Path
) -> None:
    vet(whole, TrustedFiles(tmp_path / "data"))
    vetted = TrustedFiles(tmp_path / "data")
    database = Database(whole, vetted)
    assert database.accelerated
    assert ask(database, V4) == ask(Database(whole), V4)
    before = whole.stat()
    whole.write_bytes(whole.read_bytes())
    os.utime(whole, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not Database(whole, vetted).accelerated


def test_opening_a_database_leaves_the_real_package_importable() -> None:
    script = (
        "from geocli.mmdb.embedded import embedded_path\n"
        "from geocli.mmdb.reader import Database\n"
        "database = Database(embedded_path())\n"
        "import maxminddb\n"
        "reader = maxminddb.open_database(embedded_path())\n"
        "assert reader.get('8.8.8.8') == next(database.find(['8.8.8.8']))[0]\n"
        "assert list(Database(embedded_path()).find(['8.8.8.8'])) == list(database.find(['8.8.8.8']))\n"
    )
    done = in_python(script)
    assert done.returncode == 0, done.stderr


def test_a_look_up_imports_no_python_reader() -> None:
    script = (
        "import sys\n"
        "from geocli.mmdb.embedded import embedded_path\n"
        "from geocli.mmdb.reader import Database\n"
        "assert next(Database(embedded_path()).find(['8.8.8.8']))[0]\n"
        "print(sorted({'maxminddb.reader', 'multiprocessing', 'importlib.metadata'} & set(sys.modules)))\n"
    )
    assert in_python(script).stdout == "[]\n"


ASK = """
import json, sys
from pathlib import Path
from geocli.mmdb.reader import Database
from geocli.model.errors import DamagedFileError
try:
    database = Database(Path(sys.argv[1]))
    print(json.dumps(list(database.find(sys.argv[2:]))))
except DamagedFileError as error:
    print(error.path == Path(sys.argv[1]), error)
"""


def test_both_readers_give_the_same_answers() -> None:
    addresses = ["8.8.8.8", V4, "192.0.3.1", "198.51.100.1", V6, "2001:db9::", "::1", "255.255.255.255"]
    addresses.append("2001:4860:4860::8888")
    path = str(embedded_path())
    fast, slow = (in_python(ASK, path, *addresses, accelerated=way) for way in (True, False))
    assert (fast.returncode, fast.stderr) == (slow.returncode, slow.stderr) == (0, "")
    assert fast.stdout == slow.stdout
    assert json.loads(fast.stdout)[0][0]["country"]["iso_code"] == "US"


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"not a database\n" * 10_000, bytes(300_000)],
    ids=["empty", "short", "text", "zeros"],
)
def test_without_the_extension_junk_is_refused_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk.mmdb"
    path.write_bytes(content)
    done = in_python(ASK, str(path), V4, accelerated=False)
    assert done.stdout.startswith(f"True {path}: "), done.stderr


def test_without_the_extension_a_truncated_file_is_refused_too(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-40])
    done = in_python(ASK, str(whole), V4, accelerated=False)
    assert done.stdout.startswith(f"True {whole}: "), done.stderr


# --- what is no database


def refusal(path: Path) -> str:
    """What is said of a file that cannot be used: always by its name, with a way out."""
    with pytest.raises(DamagedFileError) as caught:
        ask(Database(path), V4)
    assert caught.value.path == path
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "; " in message
    return message


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "missing.mmdb")


def test_a_file_below_a_file_is_refused_by_name(whole: Path) -> None:
    assert "Not a directory" in refusal(whole / "x.mmdb")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / ("x" * 5000))
    refusal(tmp_path / "null\x00byte")


def test_a_loop_of_links_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "loop.mmdb"
    path.symlink_to(path)
    refusal(path)


def test_a_directory_is_refused_by_name(tmp_path: Path) -> None:
    assert "not a regular file" in refusal(tmp_path)


def test_a_device_is_refused_by_name() -> None:
    assert "not a regular file" in refusal(Path("/dev/zero"))


def test_a_socket_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert "not a regular file" in refusal(path)


def test_a_fifo_is_refused_without_waiting_for_a_writer(geocli: Geocli, tmp_path: Path) -> None:
    path = tmp_path / "fifo.mmdb"
    os.mkfifo(path)
    done = geocli("--mmdb", path, "8.8.8.8", timeout=20)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"1.0.0.0,1.0.0.255,AU\n",
        b"\x1f\x8b\x08\x00" + bytes(1000),
        b"<html>403 Forbidden</html>" * 100,
        bytes(100_000),
        b"\xff" * 100_000,
        MARKER,
        MARKER * 100,
        bytes(64) + MARKER + b"\xe0",
        bytes(64) + MARKER + b"\xff" * 5,
        bytes(64) + MARKER + b"\x20\x00",
    ],
)
def test_what_is_no_database_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk.mmdb"
    path.write_bytes(content)
    assert "is not an MMDB file" in refusal(path)


def test_a_file_that_cannot_be_used_costs_exit_code_4_and_one_line(geocli: Geocli, tmp_path: Path) -> None:
    for name, content in {"empty": b"", "text": b"nothing\n", "missing": None}.items():
        path = tmp_path / f"{name}.mmdb"
        if content is not None:
            path.write_bytes(content)
        done = geocli("--mmdb", path, "8.8.8.8")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(f"geocli: {path}: ")
        assert done.stderr.count("\n") == 1


def test_a_truncated_file_is_refused_by_name(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    path = tmp_path / "truncated.mmdb"
    for end in [*range(0, len(content), 7), len(content) - 1]:
        path.write_bytes(content[:end])
        refusal(path)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_download_that_was_cut_off_is_refused_by_name(part: float, tmp_path: Path) -> None:
    content = embedded_path().read_bytes()
    path = tmp_path / embedded_path().name
    path.write_bytes(content[: int(len(content) * part)])
    refusal(path)


def test_a_file_whose_beginning_is_missing_is_refused_by_name(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    path = tmp_path / "beheaded.mmdb"
    path.write_bytes(content[content.rindex(MARKER) :])
    refusal(path)


def test_junk_behind_a_whole_file_does_no_harm(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes() + bytes(100))
    assert ask(Database(whole), V4)[1] == 24


def test_a_tree_that_leads_nowhere_is_refused_by_name(whole: Path) -> None:
    content = whole.read_bytes()
    tree = end_of_tree(content)
    whole.write_bytes(b"\xff" * tree + content[tree:])
    database = Database(whole)
    for address in (V4, V6):
        with pytest.raises(DamagedFileError, match="damaged") as caught:
            ask(database, address)
        assert caught.value.path == whole


def test_data_that_is_no_data_is_refused_by_name(whole: Path) -> None:
    content = whole.read_bytes()
    data, metadata = end_of_tree(content) + 16, content.rindex(MARKER)
    whole.write_bytes(content[:data] + b"\xff" * (metadata - data) + content[metadata:])
    assert "damaged" in refusal(whole)


def test_damage_found_during_a_look_up_costs_exit_code_4(geocli: Geocli, whole: Path) -> None:
    content = whole.read_bytes()
    whole.write_bytes(b"\xff" * end_of_tree(content) + content[end_of_tree(content) :])
    done = geocli("--mmdb", whole, "8.8.8.8")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"geocli: {whole}: ")
    assert done.stderr.count("\n") == 1


def test_a_record_whose_keys_are_no_text_ends_in_an_answer_or_a_refusal(
    geocli: Geocli, make_mmdb: MakeMmdb
) -> None:
    # One flipped bit makes such a file: it turns the pointer to a key into a pointer to something else.
    path = make_mmdb("numbered", {"8.8.8.0/24": {5: "DE", "country_code": "DE"}})
    done = geocli("--mmdb", path, "8.8.8.8", "-j")
    assert (done.returncode, done.stdout) == (4, "")
    assert str(path) in done.stderr


SCRIBBLE = """
import random, sys
from pathlib import Path
from geocli.model.errors import DamagedFileError
from geocli.providers.mmdb import MmdbProvider
from geocli.model.records import check_rows

source, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
whole = source.read_bytes()
path = source.with_name("scribbled.mmdb")
dice = random.Random(seed)
outcomes = {"answered": 0, "refused": 0}
for _ in range(rounds):
    content = bytearray(whole)
    for _ in range(dice.choice([1, 1, 1, 2, 5, 50])):
        place = dice.randrange(len(content))
        content[place] = dice.choice([dice.randrange(256), content[place] ^ 1 << dice.randrange(8), 255, 0])
    if dice.random() < 0.2:
        del content[dice.randrange(len(content)) :]
    path.write_bytes(content)
    try:
        records = MmdbProvider([path]).records(
            ["192.0.2.1", "198.51.100.7", "203.0.113.1", "2001:db8::1", "::", "192.0.0.0/8", "::/0"],
            "2026-01-01T00:00:00Z",
        )
        check_rows(records)
        outcomes["answered"] += 1
    except DamagedFileError as error:
        assert error.path == path
        outcomes["refused"] += 1
print(outcomes)
assert all(outcomes.values())
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scribbled_bytes_end_in_an_answer_or_a_refusal(seed: int, whole: Path) -> None:
    # In a process of its own: a reader in C would take its whole process with it.
    done = in_python(SCRIBBLE, str(whole), str(seed), "300")
    assert done.returncode == 0, done.stderr

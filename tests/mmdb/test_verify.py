"""Whole databases pass, broken ones are refused by name; what passed cannot harm the reader in C."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import gives, verify, vet
from geocli.model.errors import DamagedFileError
from tests.conftest import Geocli, within
from tests.mmdb.handmade import BUILT, encode, head, one_record, pointer, write
from tests.mmdb.test_safe_reader import LAUGHS, WRONG

if TYPE_CHECKING:
    from tests.conftest import MakeMmdb

SYSTEM = {"autonomous_system_number": 64496, "autonomous_system_organization": "Example"}
CITY = {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Berlin"}}, "location": {"latitude": 52.5}}
NETWORKS: dict[str, Any] = {
    "192.0.2.0/24": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}, **SYSTEM},
    "198.51.100.0/25": CITY,
    "2001:db8::/32": {"country_code": "US"},
}


@pytest.fixture
def whole(make_mmdb: MakeMmdb) -> Path:
    return make_mmdb("whole", NETWORKS, "Whole")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handmade.mmdb"


def refusal(path: Path) -> str:
    with pytest.raises(DamagedFileError) as caught:
        verify(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()
    return str(caught.value)


# --- whole files


def test_the_embedded_database_is_whole_and_needs_no_remembering(data_dir: Path) -> None:
    begun = time.process_time()
    checked = vet(embedded_path(), TrustedFiles(data_dir / "mmdb"))
    assert time.process_time() - begun < 20
    assert not data_dir.exists()
    assert checked.nodes > 1_000_000
    assert checked.records > 100_000
    assert checked.gives == ("country", "asn")


def test_a_whole_file_passes_and_says_what_it_gives(whole: Path) -> None:
    checked = verify(whole)
    assert checked.records == 3
    assert checked.gives == ("country", "city", "asn")
    assert str(checked).endswith("3 records; gives country, city, asn")


@pytest.mark.parametrize(
    ("record", "given"),
    [(SYSTEM, ("asn",)), (CITY, ("country", "city")), ({"country": "Germany"}, ()), ({"x": 1}, ())],
)
def test_some_records_tell_what_a_file_gives(
    record: dict[str, Any], given: tuple[str, ...], make_mmdb: MakeMmdb
) -> None:
    path = make_mmdb("some", {"192.0.2.0/24": record})
    assert gives(SafeReader(path)) == verify(path).gives == given


def test_equal_parts_that_are_stored_once_are_no_loop(path: Path) -> None:
    # Each node leads to the next on both sides: 2 ** 32 paths, 32 nodes.
    end = 32 + 16
    write(path, [*((node + 1, node + 1) for node in range(31)), (end, end)], encode({"asn": 5}))
    assert verify(path).nodes == 32


def test_a_file_of_records_that_are_no_maps_is_whole_and_gives_nothing(path: Path) -> None:
    assert verify(one_record(path, encode("DE"))).gives == ()


# --- broken ones


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(0, 0)], "loop"),
        ([(1, 2), (3, 3), (2, 2)], "loop"),
        ([(1, 1), (2, 2), (0, 0)], "loop"),
        ([(2, 2)], "node 0 of its search tree leads outside of the data"),
        ([(1, 2), (3 + 500, 3)], "node 1 of its search tree leads outside of the data"),
        ([(1, 3), (2, 2**24 - 1), (3, 3)], "node 1"),
        ([(node + 1, node + 1) for node in range(33)] + [(34, 34)], "behind an address's last bit"),
    ],
)
def test_a_tree_that_leads_astray_is_refused(pairs: list[tuple[int, int]], said: str, path: Path) -> None:
    assert said in refusal(write(path, pairs, encode({"asn": 5})))


@pytest.mark.parametrize("what", WRONG)
def test_a_record_that_is_wrong_is_refused(what: str, path: Path) -> None:
    data = WRONG[what]
    begin = 17 + (len(encode(5)) if "number for a key" in what and "pointer" in what else 0)
    begin += len(encode("x" * 5000)) if "long text" in what else 0
    assert "byte" in refusal(write(path, [(begin, begin)], data))


@pytest.mark.parametrize(
    "record",
    [
        {"country": 5}, {"country": ["DE"]}, {"country": {"iso_code": 49}}, {"country_code": 49},
        {"city": 5.5}, {"location": [1, 2]}, {"latitude": {"x": 1}}, {"location": {"latitude": True}},
        {"autonomous_system_number": [5]}, {"autonomous_system_organization": 5}, {"asn": 5.5},
        {"subdivisions": {"iso_code": "BE"}}, {"traits": {"autonomous_system_number": {}}},
    ],
    ids=str,
)  # fmt: skip
def test_a_known_key_with_a_value_of_the_wrong_type_is_refused(record: dict[str, Any], path: Path) -> None:
    assert "of a type that it cannot be" in refusal(one_record(path, encode(record)))


def test_records_that_lie_across_each_other_do_not_take_for_ever(path: Path) -> None:
    # Each list begins one byte later, and has all of those behind it in it.
    count = 50_000
    data = (
        b"".join(head(11, 65821 + 100)[:1] + bytes([4, 0, 0, 100]) for _ in range(count))
        + head(14, 1) * 70_000
    )
    pairs = [(node + 1 if node < 20 else 21 + 16, 21 + 16 + node * 5) for node in range(21)]
    write(path, pairs, data)
    with within(20):
        refusal(path)


@pytest.mark.parametrize("built", [0, 1, BUILT // 4, 2**33, 2**63])
def test_a_file_of_another_age_is_refused(built: int, path: Path) -> None:
    assert "build_epoch" in refusal(one_record(path, encode("x"), build_epoch=built))


@pytest.mark.parametrize("changes", [{"description": {"en": 5}}, {"node_count": 2**26}], ids=str)
def test_absurd_metadata_is_refused(changes: dict[str, Any], path: Path) -> None:
    one_record(path, encode("x"), **changes)
    if "node_count" in changes:  # a file that is nearly all hole
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(2**26 * 6 + 16)
            file.seek(0, os.SEEK_END)
            file.write(content[6 + 16 :])
    assert "metadata" in refusal(path) or "more than can be checked" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"x", b"<html>", bytes(200_000), b"\xff" * 200_000])
def test_what_is_no_database_is_refused(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    refusal(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "missing", tmp_path / ("x" * 5000), Path("/dev/zero")):
        refusal(path)


def test_a_file_that_was_cut_anywhere_is_refused(whole: Path, path: Path) -> None:
    content = whole.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        refusal(path)


# --- in a process with little memory: nothing may crash, hang or grow

ATTACK = r"""
import random, re, resource, sys
from pathlib import Path
from geocli.model.errors import DamagedFileError
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.reader import Database
from geocli.mmdb.verify import vet
from geocli.mmdb.trusted import TrustedFiles

resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
source, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
whole = source.read_bytes()
path = source.with_name("scribbled.mmdb")
dice = random.Random(seed)
begin = whole.index(bytes(16)) + 16
addresses = ["192.0.2.1", "198.51.100.7", "203.0.113.1", "2001:db8::1", "::"]
passed = refused = 0
for _ in range(rounds):
    content = bytearray(whole)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        place = dice.randrange(begin if dice.random() < 0.5 else 0, len(content))
        content[place] = dice.choice([dice.randrange(256), content[place] ^ 1 << dice.randrange(8)])
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    vetted = TrustedFiles(path.parent / "data")
    try:
        vet(path, vetted)
    except DamagedFileError as error:
        assert error.path == path
        refused += 1
        try:
            list(Database(path, vetted).find(addresses))
        except DamagedFileError as error:
            assert error.path == path
    else:
        quick, careful = Database(path, vetted), Database(path)
        for one, other in zip(quick.find(addresses), careful.find(addresses), strict=True):
            plain = re.sub(r"bytearray\((.*?)\)", r"\1", repr(one))  # what C makes of bytes
            assert plain == repr(other), (one, other)
        passed += 1
print(passed, refused)
assert passed and refused
"""


def in_little_memory(script: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_passes_is_read_by_c_as_by_the_careful_reader_and_the_rest_does_no_harm(
    seed: int, whole: Path
) -> None:
    in_little_memory(ATTACK, str(whole), str(seed), "600")


COMMANDS = """
import resource, sys
from geocli.cli.app import run
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
path = sys.argv[1]
codes = run(["-v", "db", "verify", path]), run(["--mmdb", path, "--no-cache", "8.8.8.8"])
print(codes, file=sys.stderr)
"""


def hostile(path: Path) -> dict[str, Path]:
    """Files that were made to do harm, by what they do."""
    begin = 17 + sum(map(len, LAUGHS[:-1]))
    huge = one_record(path / "nodes.mmdb", encode("x"), node_count=2**32 - 1)
    sparse = one_record(path / "sparse.mmdb", encode("x"))
    content = sparse.read_bytes()
    with sparse.open("r+b") as file:
        file.seek(40 << 30)
        file.write(content[6:])
    return {
        "laughs": write(path / "laughs.mmdb", [(begin, begin)], b"".join(LAUGHS)),
        "loop": write(path / "loop.mmdb", [(0, 0)], encode("x"), ip_version=6),
        "key": one_record(path / "key.mmdb", head(7, 1) + encode(5) + encode("DE")),
        "nodes": huge,
        "sparse": sparse,
        "deep": one_record(path / "deep.mmdb", head(11, 1) * 1_000_000),
        "itself": one_record(path / "itself.mmdb", head(7, 1) + encode("a") + pointer(0)),
        "outside": write(path / "outside.mmdb", [(2**24 - 1, 2**24 - 1)], encode("x")),
        "long": one_record(path / "long.mmdb", head(2, 16_000_000) + b"x"),
        "metadata": one_record(path / "metadata.mmdb", encode("x"), description=head(7, 16_000_000)),
    }


@pytest.mark.parametrize(
    "what",
    ["laughs", "loop", "key", "nodes", "sparse", "deep", "itself", "outside", "long", "metadata"],
)
def test_a_file_made_to_do_harm_costs_exit_code_4_and_one_line(
    what: str, geocli: Geocli, tmp_path: Path
) -> None:
    path = hostile(tmp_path)[what]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=geocli.env,
    )
    verified, looked_up, codes = done.stderr.splitlines()[:1], done.stderr.splitlines()[1:2], done.stderr
    assert codes.splitlines()[-1] == "(4, 4)", done.stderr
    assert done.stdout == ""
    for line in (*verified, *looked_up):
        assert line.startswith(f"geocli: {path}: ")


# --- the command


def test_a_whole_file_is_passed_over_in_silence(geocli: Geocli, whole: Path) -> None:
    done = geocli("db", "verify", whole)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_with_v_the_command_says_what_is_in_a_file(geocli: Geocli, whole: Path) -> None:
    done = geocli("-v", "db", "verify", whole)
    assert done.returncode == 0
    assert done.stderr.startswith(f"geocli: {whole}: whole; ")
    assert "3 records; gives country, city, asn" in done.stderr


def test_every_file_is_checked_and_the_broken_ones_are_named(
    geocli: Geocli, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.mmdb").write_bytes(b"")
    done = geocli("db", "verify", tmp_path / "empty.mmdb", whole, tmp_path / "missing.mmdb", "-v")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 3
    assert f"{whole}: whole" in done.stderr


def test_without_a_file_the_databases_in_use_are_checked(whole: Path, data_dir: Path) -> None:
    done = Geocli(data_dir, {"GEOCLI_LOOKUP_MMDB": str(whole)})("-v", "db", "verify")
    assert done.returncode == 0
    assert done.stderr.startswith(f"geocli: {whole}: whole; ")


def test_a_file_is_whole_also_where_that_cannot_be_remembered(
    geocli: Geocli, whole: Path, data_dir: Path
) -> None:
    data_dir.write_bytes(b"in the way")
    done = geocli("db", "verify", whole)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_checked_is_remembered_and_read_by_the_quick_reader(
    geocli: Geocli, whole: Path, data_dir: Path
) -> None:
    assert not TrustedFiles(data_dir / "mmdb").knows(whole, whole.stat())
    geocli("db", "verify", whole)
    assert TrustedFiles(data_dir / "mmdb").knows(whole, whole.stat())
    assert (data_dir / "mmdb" / "verified.json").stat().st_mode & 0o777 == 0o600


# --- the list of what was checked


def test_a_file_that_others_may_write_is_not_trusted(whole: Path, tmp_path: Path) -> None:
    whole.chmod(0o666)
    vetted = TrustedFiles(tmp_path / "data")
    vetted.remember(whole, whole.stat())
    assert not vetted.knows(whole, whole.stat())


def test_a_list_that_others_may_write_counts_for_nothing(whole: Path, tmp_path: Path) -> None:
    TrustedFiles(tmp_path / "data").remember(whole, whole.stat())
    assert TrustedFiles(tmp_path / "data").knows(whole, whole.stat())
    (tmp_path / "data" / "verified.json").chmod(0o666)
    assert not TrustedFiles(tmp_path / "data").knows(whole, whole.stat())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"x": 5}',
        b'{"x": [1, 2, 3]}',
        b'{"x": [1, 2, 3, "4"]}',
        b"[" * 100_000,
    ],
)
def test_a_list_that_is_damaged_is_an_empty_one_and_is_written_anew(
    content: bytes, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(0o700)
    file = tmp_path / "data" / "verified.json"
    file.write_bytes(content)
    file.chmod(0o600)
    assert not TrustedFiles(tmp_path / "data").knows(whole, whole.stat())
    TrustedFiles(tmp_path / "data").remember(whole, whole.stat())
    assert TrustedFiles(tmp_path / "data").knows(whole, whole.stat())


def test_the_list_forgets_the_oldest(whole: Path, tmp_path: Path) -> None:
    vetted = TrustedFiles(tmp_path / "data")
    for number in range(510):
        vetted.remember(tmp_path / f"{number:0200}", whole.stat())
    assert not TrustedFiles(tmp_path / "data").knows(tmp_path / f"{0:0200}", whole.stat())
    assert TrustedFiles(tmp_path / "data").knows(tmp_path / f"{509:0200}", whole.stat())
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["verified.json"]

"""The reader for files that nobody vouches for: right about whole ones, and never more than bounded work."""

from __future__ import annotations

import ipaddress
import os
import random
import shutil
import subprocess
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.decoder import DEEPEST, BrokenError, Decoder
from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.reader import Database
from geocli.mmdb.safe_reader import SafeReader
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import vet
from geocli.model.errors import DamagedFileError
from tests.conftest import within
from tests.mmdb.handmade import encode, head, one_record, pointer, repacked, write

if TYPE_CHECKING:
    from tests.conftest import Geocli, MakeMmdb

ADDRESS = "192.0.2.1"
DICE = random.Random(20261125)  # noqa: S311 (the same addresses every time)
ADDRESSES = [str(ipaddress.IPv4Address(DICE.randrange(2**32))) for _ in range(2000)] + [
    str(ipaddress.IPv6Address(0x2 << 124 | DICE.randrange(2**124))) for _ in range(2000)
]


def record(data: bytes, path: Path) -> Any:
    """What the reader makes of data that is the record of all addresses."""
    return SafeReader(one_record(path, data)).get_with_prefix_len(ADDRESS)[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handmade.mmdb"


# --- the same as the reader in C


def test_it_answers_as_the_reader_in_c_does() -> None:
    careful, quick = SafeReader(embedded_path()), Database(embedded_path())
    assert quick.accelerated
    for _ in range(2):  # the second time, much is known
        assert [careful.get_with_prefix_len(address) for address in ADDRESSES] == list(quick.find(ADDRESSES))


@pytest.mark.parametrize("size", [24, 28, 32])
@pytest.mark.parametrize("version", [4, 6])
def test_it_reads_records_of_any_size(
    size: int, version: int, make_mmdb: MakeMmdb, tmp_path: Path, path: Path
) -> None:
    networks = {f"{first}.{second}.0.0/{16 + second % 9}": {"asn": first * 256 + second}
                for first in range(1, 200, 3) for second in range(0, 256, 17)}  # fmt: skip
    if version == 6:
        networks |= {f"2001:{number:x}::/{24 + number % 60}": {"asn": number} for number in range(600, 900)}
    whole = repacked(make_mmdb("whole", networks, ip_version=version), path, size)
    vet(whole, vetted := TrustedFiles(tmp_path / "data"))
    quick, careful = Database(whole, vetted), Database(whole)
    assert quick.accelerated
    assert not careful.accelerated
    asked = [address for address in ADDRESSES if version == 6 or ":" not in address]
    asked += [network.partition("/")[0] for network in networks]
    found = list(careful.find(asked))
    assert found == list(quick.find(asked))
    assert sum(data is not None for data, _ in found) >= len(networks)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=40) | st.booleans() | st.integers(0, 2**128 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_is_decoded_to_what_it_was(value: Any) -> None:
    data = encode(value)
    assert Decoder(data, 0, len(data)).value(0) == value


@given(st.binary(max_size=200), st.integers(0, 200))
def test_bytes_of_any_kind_are_decoded_or_refused(data: bytes, place: int) -> None:
    decoder = Decoder(data, 0, len(data))
    try:
        decoder.value(place)
    except BrokenError:
        assert decoder.work <= 2**18 + 2**24
    else:
        assert place < len(data)


def test_signed_and_short_numbers_are_read(path: Path) -> None:
    data = encode(
        [head(8, 4) + b"\xff\xff\xff\xfe", head(8, 1) + b"\x05", head(15, 4) + b"\x3f\x80\0\0", head(5, 0)]
    )
    assert record(data, path) == [-2, 5, 1.0, 0]


@pytest.mark.parametrize("place", [0, 2047, 2048, 526335, 526336, 134744063])
def test_pointers_of_all_widths_lead_where_they_say(place: int) -> None:
    widths = [(2048, 0x20), (526336, 0x28), (134744064, 0x30), (2**32, 0x38)]
    kind = next(number for number, (limit, _) in enumerate(widths) if place < limit)
    bits = place - (0, 2048, 526336, 0)[kind]
    data = bytes([widths[kind][1] | (bits >> 8 * (kind + 1) if kind < 3 else 0)])
    data += (bits & (1 << 8 * (kind + 1)) - 1).to_bytes(kind + 1)
    content = bytearray(place + 10 + len(data))
    content[place : place + 5] = encode("word")
    if place:
        content[place + 5 : place + 5 + len(data)] = data
        assert Decoder(bytes(content), 0, len(content)).value(place + 5) == "word"


def test_what_several_records_share_is_decoded_once(path: Path) -> None:
    shared = encode("a word that all records have")
    data = shared + b"".join(encode({f"k{number}": pointer(0)}) for number in range(2))
    second = len(shared) + len(encode({"k0": pointer(0)}))
    reader = SafeReader(write(path, [(17 + len(shared), 17 + second)], data))
    first, other = (reader.get_with_prefix_len(address)[0] for address in ("1.2.3.4", "200.1.2.3"))
    assert first["k0"] is other["k1"]


# --- what was made to do harm


LAUGHS = [encode(["ha"] * 10)]
for _ in range(30):
    LAUGHS.append(encode([pointer(sum(map(len, LAUGHS[:-1])))] * 10))

WRONG = {
    "a number for a key": encode({}) [:0] + head(7, 1) + encode(5) + encode("DE"),
    "a map for a key": head(7, 1) + encode({}) + encode("DE"),
    "a pointer to a number for a key": encode(5) + head(7, 1) + pointer(0) + encode("DE"),
    "a pointer to itself": pointer(0),
    "a pointer to a pointer": pointer(5) + pointer(10) + encode("x"),
    "a list that has itself in it": head(11, 1) + pointer(0),
    "a map that has itself in it": head(7, 1) + encode("a") + pointer(0),
    "a pointer outside": head(11, 1) + pointer(2**32 - 1),
    "a pointer into the metadata": head(11, 1) + pointer(20),
    "text longer than the file": head(2, 16_000_000) + b"x",
    "a list longer than the file": head(11, 16_000_000) + b"x",
    "a map longer than the file": head(7, 16_000_000) + b"x",
    "a list whose end is missing": head(11, 3) + encode("a"),
    "lists in lists without end": head(11, 1) * 5000,
    "lists just too deep": head(11, 1) * (DEEPEST + 1) + encode("a"),
    "text that is not UTF-8": head(2, 2) + b"\xff\xfe",
    "a boolean of three": head(14, 3),
    "a double of three bytes": head(3, 3) + b"abc",
    "a float of eight bytes": head(15, 8) + bytes(8),
    "an integer of nine bytes": head(9, 9) + bytes(9),
    "an end marker": head(13, 0),
    "a container": head(12, 0),
    "a type that is none": bytes([0, 100]),
    "a type that is cut off": bytes([0]),
    "many times the same long text": encode("x" * 5000) + encode([pointer(0)] * 1000),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_record_that_is_wrong_is_refused(what: str, path: Path) -> None:
    data = WRONG[what]
    begin = 17 + (len(encode(5)) if "number for a key" in what and "pointer" in what else 0)
    begin += len(encode("x" * 5000)) if "long text" in what else 0
    reader = SafeReader(write(path, [(begin, begin)], data))
    with pytest.raises(BrokenError):
        reader.get_with_prefix_len(ADDRESS)


def test_lists_of_lists_of_the_same_lists_are_refused_in_no_time(path: Path) -> None:
    begin = 17 + sum(map(len, LAUGHS[:-1]))
    reader = SafeReader(write(path, [(begin, begin)], b"".join(LAUGHS)))
    tracemalloc.start()
    with within(10), pytest.raises(BrokenError, match="too large"):
        reader.get_with_prefix_len(ADDRESS)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000_000


def test_depth_counts_through_what_is_shared() -> None:
    # Each is as deep as can be, and has the one before it in it: decoded before, in another record.
    half = head(11, 1) * (DEEPEST // 2)
    data = half + encode("x")
    begins = [0]
    for _ in range(4):
        begins.append(len(data))
        data += half + pointer(begins[-2])
    decoder = Decoder(data, 0, len(data))
    assert decoder.value(begins[0])
    decoder.value(begins[1])
    for begin in begins[2:]:
        with pytest.raises(BrokenError, match="deep"):
            decoder.value(begin)


def test_memory_stays_bounded_where_every_record_is_as_large_as_can_be() -> None:
    words = [encode("x" * 16_000 + f"{number:04}") for number in range(1200)]
    data = b"".join(words)
    records = [encode([pointer(number * len(words[0]))] * 4) for number in range(10)]
    begins = [len(data) + sum(map(len, records[:number])) for number in range(10)]
    data += b"".join(records)
    decoder = Decoder(data, 0, len(data))
    tracemalloc.start()
    for _ in range(20):
        for begin in [*begins, *(number * len(words[0]) for number in range(1200))]:
            decoder.value(begin)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.parametrize("pairs", [[(0, 0)], [(1, 1), (0, 0)]], ids=["of one node", "of two"])
def test_a_loop_in_the_tree_ends_with_the_address(pairs: list[tuple[int, int]], path: Path) -> None:
    for version in (4, 6):
        reader = SafeReader(write(path, pairs, encode("x"), ip_version=version))
        with pytest.raises(BrokenError):
            reader.get_with_prefix_len(ADDRESS)


@pytest.mark.parametrize("number", [2, 16, 17 + 1000, 2**24 - 1])
def test_a_tree_that_leads_outside_of_the_data_is_refused(number: int, path: Path) -> None:
    reader = SafeReader(write(path, [(number, number)], encode("x")))
    with pytest.raises(BrokenError):
        reader.get_with_prefix_len(ADDRESS)


@pytest.mark.parametrize(
    "changes",
    [
        {"node_count": 0}, {"node_count": 2}, {"node_count": 2**32 - 1}, {"node_count": 2**64},
        {"node_count": "1"}, {"node_count": None}, {"node_count": True}, {"node_count": 1.0},
        {"record_size": 0}, {"record_size": 8}, {"record_size": 2**31}, {"record_size": None},
        {"ip_version": 5}, {"ip_version": 0}, {"ip_version": "4"}, {"ip_version": None},
        {"binary_format_major_version": 3}, {"binary_format_major_version": None},
        {"database_type": 5}, {"database_type": None}, {"database_type": {}},
        {"build_epoch": "now"}, {"build_epoch": None}, {"build_epoch": [1]},
        {"build_epoch": 0}, {"build_epoch": 2**33}, {"build_epoch": 2**64 - 1}, {"description": {"en": 5}},
        {"description": "text"}, {"description": 5},
        {"description": head(7, 16_000_000)}, {"languages": head(11, 1) * 300},
    ],
    ids=str,
)  # fmt: skip
def test_absurd_metadata_is_refused_when_the_file_is_opened(changes: dict[str, Any], path: Path) -> None:
    one_record(path, encode("x"), **changes)
    with pytest.raises(BrokenError):
        SafeReader(path)


def test_without_zeros_between_tree_and_data_a_file_is_refused(path: Path) -> None:
    one_record(path, encode("x"))
    content = bytearray(path.read_bytes())
    content[6 + 7] = 1
    path.write_bytes(content)
    with pytest.raises(BrokenError, match="no zeros"):
        SafeReader(path)


def test_some_addresses_are_really_in_the_file() -> None:
    reader = SafeReader(embedded_path())
    found = list(reader.some_addresses(100))
    assert len({number for _, number in found}) == len(found) == 100
    for packed, number in found:
        address = ipaddress.IPv6Address(packed)
        text = str(ipaddress.IPv4Address(packed[12:]) if int(address) < 2**32 else address)
        assert reader.get_with_prefix_len(text)[0] == reader.record(number)


# --- files that change while they are read


@pytest.fixture(params=["read whole", "mapped"])
def copied(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the embedded database; as large files are, it is mapped every other time."""
    if request.param == "mapped":
        monkeypatch.setattr("geocli.mmdb.file_bytes._READ_WHOLE", 0)
    return Path(shutil.copy(embedded_path(), tmp_path / "copied.mmdb"))


def test_a_file_is_read_the_same_whether_it_is_mapped_or_not(copied: Path) -> None:
    assert list(Database(copied).find(ADDRESSES)) == list(Database(embedded_path()).find(ADDRESSES))


def test_a_file_that_became_shorter_ends_nothing_but_the_look_up(copied: Path) -> None:
    # A mapped page that a file no longer has is the process's end. This one would end the tests.
    database = Database(copied)
    expected = list(database.find(ADDRESSES[:100]))
    os.truncate(copied, 100)
    try:
        assert list(database.find(ADDRESSES[:100])) == expected
    except DamagedFileError as error:
        assert "became shorter while it was read" in str(error)  # noqa: PT017 (either will do)


def test_a_large_file_that_became_shorter_does_not_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geocli.mmdb.file_bytes._READ_WHOLE", 0)
    path = Path(shutil.copy(embedded_path(), tmp_path / "large.mmdb"))
    reader = SafeReader(path)
    os.truncate(path, 100)
    with pytest.raises(BrokenError, match="became shorter"):
        reader.get_with_prefix_len(ADDRESS)
    with pytest.raises(BrokenError, match="became shorter"):
        list(map(reader.record, [reader.nodes + 16]))


def test_a_database_may_be_copied_over_while_people_look_up(geocli: Geocli, tmp_path: Path) -> None:
    path = tmp_path / "busy.mmdb"
    content = embedded_path().read_bytes()
    path.write_bytes(content)
    asked = "\n".join(ADDRESSES[:2000] * 3)
    with subprocess.Popen(
        [*geocli.command, "--mmdb", str(path), "--no-cache", "-f", "ip"],
        env=geocli.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(asked[: len(asked) // 2])
        process.stdin.flush()
        process.stdout.readline()  # it has opened the file
        with path.open("r+b") as file:  # as cp does it
            file.truncate()
            _, said = process.communicate(asked[len(asked) // 2 :], timeout=60)
            file.write(content)
    assert process.returncode in {0, 4}, said
    assert process.returncode == 0 or str(path) in said


def test_a_fifo_put_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo.mmdb"
    os.mkfifo(path)
    with pytest.raises(BrokenError, match="not a regular file"):
        SafeReader(path)


class ChangesAfterTheLook:
    """Vouches for a file that is another one before it is opened."""

    def __init__(self, other: Path) -> None:
        self.other = other

    def knows(self, path: Path, status: os.stat_result) -> bool:
        assert status.st_ino != self.other.stat().st_ino
        self.other.replace(path)
        return True


def test_a_file_that_was_replaced_after_it_was_found_whole_is_read_carefully(make_mmdb: MakeMmdb) -> None:
    path = make_mmdb("first", {"192.0.2.0/24": {"country_code": "DE"}})
    other = make_mmdb("other", {"192.0.2.0/24": {"country_code": "FR"}})
    database = Database(path, ChangesAfterTheLook(other))
    assert not database.accelerated
    assert list(database.find([ADDRESS])) == [({"country_code": "FR"}, 24)]

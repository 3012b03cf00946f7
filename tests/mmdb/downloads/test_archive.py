"""What was downloaded becomes one file, or is refused; nothing in it says where, or how much."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.mmdb.decoder import BrokenError
from geocli.mmdb.downloads.archive import unpack
from tests.support.examples import examples

DATABASE = os.urandom(3000) + b"the end"
MOST = 1 << 30


def unpacked(content: bytes, directory: Path, most: int = MOST) -> bytes:
    packed, target = directory / "packed", directory / "target"
    target.unlink(missing_ok=True)
    packed.write_bytes(content)
    return unpack(packed, target, most).read_bytes()


def archive(*members: tuple[str, bytes, bytes], kind: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=kind) as tar:
        for name, content, member in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = member, len(content)
            if member in {tarfile.SYMTYPE, tarfile.LNKTYPE}:
                entry.linkname, entry.size = content.decode(), 0
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


FILE = tarfile.REGTYPE


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATABASE)
    assert unpack(tmp_path / "x", tmp_path / "y", MOST) == tmp_path / "x"
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("content", [DATABASE, b"", b"x" * 100_000], ids=["any", "nothing", "much"])
def test_gzip_is_unpacked(content: bytes, tmp_path: Path) -> None:
    assert unpacked(gzip.compress(content), tmp_path) == content
    assert unpacked(gzip.compress(content[:50]) + gzip.compress(content[50:]), tmp_path) == content
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("folder", ["GeoLite2-City_20261120/", "", "ü" * 10 + "/"])
def test_the_database_in_an_archive_is_found(kind: int, folder: str, tmp_path: Path) -> None:
    packed = archive(
        (folder or "x", b"", tarfile.DIRTYPE),
        (f"{folder}COPYRIGHT.txt", b"(c)" * 1000, FILE),
        (f"{folder}a.mmdb", DATABASE, FILE),
        (f"{folder}b.mmdb", b"another", FILE),
        kind=kind,
    )
    assert unpacked(packed, tmp_path) == DATABASE


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_name_may_be_longer_than_a_header(kind: int, tmp_path: Path) -> None:
    long = "a" * 120 + "/" + "b" * 150
    packed = archive((f"{long}.txt", b"x", FILE), (f"{long}.mmdb", DATABASE, FILE), kind=kind)
    assert unpacked(packed, tmp_path) == DATABASE


def test_what_macos_adds_is_no_database(tmp_path: Path) -> None:
    packed = archive(("x/._a.mmdb", b"attributes", FILE), ("x/a.mmdb", DATABASE, FILE))
    assert unpacked(packed, tmp_path) == DATABASE


@pytest.mark.parametrize("name", ["/etc/x.mmdb", "../../x.mmdb", "a/../../../x.mmdb", ".mmdb"])
def test_a_members_name_leads_nowhere(name: str, tmp_path: Path) -> None:
    assert unpacked(archive((name, DATABASE, FILE)), tmp_path) == DATABASE
    assert sorted(file.name for file in tmp_path.iterdir()) == ["packed", "target"]


@pytest.mark.parametrize("member", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_regular_file_is_no_database(member: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenError, match="there is no"):
        unpacked(archive(("x.mmdb", b"/etc/passwd", member)), tmp_path)


def test_an_archive_without_a_database_is_refused(tmp_path: Path) -> None:
    for packed in (archive(("x.txt", b"x", FILE)), archive(*[("x", b"", FILE)] * 1100)):
        with pytest.raises(BrokenError):
            unpacked(packed, tmp_path)


def test_what_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    for packed in (gzip.compress(DATABASE), archive(("x.mmdb", DATABASE, FILE))):
        for end in [*range(20, len(packed), 97), len(packed) - 1]:
            with pytest.raises(BrokenError):
                unpacked(packed[:end], tmp_path)


@examples(60)
@given(place=st.integers(2, 3000), bit=st.integers(0, 7))
def test_a_flipped_bit_ends_in_the_same_file_or_a_refusal(place: int, bit: int, tmp_path: Path) -> None:
    packed = bytearray(archive(("x.mmdb", DATABASE, FILE)))
    packed[place] ^= 1 << bit
    with suppress(BrokenError):
        assert unpacked(bytes(packed), tmp_path) == DATABASE


def test_a_size_that_is_a_lie_is_refused(tmp_path: Path) -> None:
    plain = bytearray(gzip.decompress(archive(("x.mmdb", DATABASE, FILE))))
    for size in (b"77777777777\0", b"-0000000001\0", b"\x80" + b"\xff" * 11, b"xxxxxxxxxxx\0"):
        plain[124:136] = size
        plain[148:156] = b" " * 8
        plain[148:156] = b"%06o\0 " % sum(plain[:512])
        with pytest.raises(BrokenError):
            unpacked(gzip.compress(bytes(plain)), tmp_path)


def test_a_bomb_is_stopped_before_it_fills_disk_or_memory(tmp_path: Path) -> None:
    bombs = [
        gzip.compress(bytes(50 << 20)),
        archive(("a.txt", bytes(50 << 20), FILE)),
        archive(("a.mmdb", bytes(50 << 20), FILE)),
    ]
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(BrokenError, match="far too much"):
            unpacked(bomb, tmp_path)
        assert (tmp_path / "target").stat().st_size <= 33 << 20
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


def test_there_is_a_limit_whatever_the_ratio(tmp_path: Path) -> None:
    content = os.urandom(100_000)
    with pytest.raises(BrokenError, match="far too much"):
        unpacked(gzip.compress(content), tmp_path, 99_999)
    assert unpacked(gzip.compress(content), tmp_path, 100_000) == content

"""Compressed inputs: known by their first bytes, cut anywhere, damaged, and larger than they look."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

import pytest

from geocli.inputs.stream import Stream
from geocli.inputs.targets import read_targets
from geocli.model.errors import InputError
from tests.inputs.test_bans import Chunks

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
for module in ("compression.zstd", "backports.zstd"):  # the second is an extra, which tests do without
    with suppress(ImportError):
        PACKERS["zstd"] = import_module(module).compress
LINES = b"".join(b"192.0.2.%d\n" % number for number in range(200))
EVERY = pytest.mark.parametrize("form", PACKERS)


def read(*chunks: bytes) -> bytes:
    return b"".join(Stream(Chunks(*chunks), "a.log").chunks())  # type: ignore[arg-type]  # all that is asked for


def until_error(content: bytes) -> tuple[bytes, str]:
    found = []
    with pytest.raises(InputError) as caught:  # noqa: PT012 - what came before counts too
        for chunk in Stream(io.BytesIO(content), "a.log").chunks():
            found.append(chunk)  # noqa: PERF402
    return b"".join(found), str(caught.value)


@EVERY
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_a_compressed_file_is_known_by_its_first_bytes_in_chunks_of_any_size(form: str, size: int) -> None:
    packed = PACKERS[form](LINES)
    assert read(*(packed[at : at + size] for at in range(0, len(packed), size))) == LINES


@EVERY
def test_several_compressed_files_may_stand_in_one(form: str) -> None:
    pack = PACKERS[form]
    assert read(pack(LINES) + pack(b"2001:db8::1\n") + pack(b"")) == LINES + b"2001:db8::1\n"
    assert read(pack(b"")) == b""


@EVERY
def test_a_file_that_was_cut_gives_what_is_whole_and_then_fails(form: str) -> None:
    packed = PACKERS[form](LINES * 50)
    for end in range(8, len(packed), max(1, len(packed) // 40)):
        found, said = until_error(packed[:end])
        assert LINES.startswith(found) or found.startswith(LINES)
        assert said.startswith("a.log is damaged: the compressed file ends too early")


@EVERY
def test_a_damaged_file_fails_by_its_name(form: str) -> None:
    packed = bytearray(PACKERS[form](LINES * 50))
    packed[len(packed) // 2] ^= 0xFF
    packed[len(packed) // 2 + 1] ^= 0xFF
    assert "a.log is damaged" in until_error(bytes(packed))[1]


@EVERY
def test_a_small_file_that_holds_a_hundred_megabytes_takes_no_memory(form: str) -> None:
    bomb = PACKERS[form](b"a" * (100 << 20))
    tracemalloc.start()
    try:
        for _ in read_targets(Stream(io.BytesIO(bomb), "bomb").chunks()):
            pass
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def test_xz_that_asks_for_too_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    packed = lzma.compress(LINES, filters=filters)
    assert "damaged (xz): Memory usage limit" in until_error(packed)[1]


@EVERY
def test_what_is_compressed_twice_is_named(form: str) -> None:
    said = until_error(PACKERS[form](PACKERS[form](LINES)))[1]
    assert f"compressed with {form}, twice" in said


def test_without_its_library_zstd_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    found, said = until_error(b"\x28\xb5\x2f\xfd\x04\x00\x51\x00\x00192.0.2.1\n")
    assert found == b""
    assert "compressed with zstd" in said
    assert "geocli[zstd]" in said

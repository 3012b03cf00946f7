"""Streams: bounded memory, whole words, batches as soon as they are there, errors that say what failed."""

from __future__ import annotations

import errno
import io
import os
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.cuts import WORD_BYTES
from geocli.inputs.stream import pieces
from geocli.inputs.targets import Stream, read_batches, read_targets
from geocli.lookup.resolver import BATCH
from geocli.model.errors import ExitCode, UsageError
from tests.support.examples import examples

KIB = 1024
CHUNK = 64 * KIB


# --- pieces -------------------------------------------------------------------------------------------


@examples(60)
@given(
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"1.2.3.4",
                b" ",
                b"\n",
                b"\r\n",
                b",\xff\x00",
                b"word " * 8 * KIB,
                b"w" * 4 * KIB + b" ",
                b"1.2.3.4,  " * 20 * KIB,
                b" " * CHUNK,
                b"\n" * 1000,
            ]
        ),
        max_size=12,
    )
)
def test_pieces_are_the_input_cut_between_words_only(chunks: list[bytes]) -> None:
    done = list(pieces(chunks))
    assert b"".join(piece.text for piece in done) == b"".join(chunks)
    at_line_start = True
    for index, piece in enumerate(done):
        assert len(piece.text) <= CHUNK + 4 * KIB + max(map(len, chunks))
        assert piece.starts_line == at_line_start
        at_line_start = piece.text.endswith(b"\n")
        if index < len(done) - 1:
            assert piece.ends_line == at_line_start
            assert piece.text[-1] not in WORD_BYTES


def test_a_word_of_megabytes_is_not_kept() -> None:
    chunks = [b"1.2.3.4 ", *[b"x" * CHUNK] * 50, b"x 5.6.7.8\n", b"9.9.9.9"]
    done = list(pieces(chunks))
    assert b"".join(piece.text for piece in done) == b"".join(chunks)
    assert sum(len(piece.text) for piece in done if not piece.opaque) < 3 * CHUNK
    assert max(len(piece.text) for piece in done) <= 2 * CHUNK
    assert [target for found in read_targets(chunks) for target in found] == ["1.2.3.4", "5.6.7.8", "9.9.9.9"]


# --- memory -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "chunk", "megabytes"),
    [
        (b"", b"a" * CHUNK, 30),
        (b"", b" " * CHUNK, 30),
        (b"", b"GET /index.html " * 4 * KIB, 10),
        (b"# ", b"comment 1.2.3.4 " * 4 * KIB, 20),
        (b"1.2.3.4 # ", b"comment 1.2.3.4 " * 4 * KIB, 20),
        (b"", b"1.2.3.4 " + b"words that are no address " * 40, 10),
        (b"[{'sshd': [", b"'192.0.2.1', '" + b"a user with a very long name " * 40 + b"', ", 10),
        (b"[{'sshd': [", b"'" + b"x" * CHUNK, 30),
        (b"[{'sshd': [", b"x" * CHUNK, 30),
        (b"[{'sshd': ['x'", b" " * CHUNK, 10),
        (b"[{'sshd': ['x", b"\\" * CHUNK, 30),
        (b"[{'sshd': ['", b"x y " * 16 * KIB, 20),
        (b"", b"\n" * CHUNK, 8),
        (b"", b"1.2.3.4 is an address in a line that is as long as many lines in many logs are\n" * KIB, 6),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "",
)
def test_memory_does_not_grow_with_the_input(start: bytes, chunk: bytes, megabytes: int) -> None:
    def chunks() -> Iterator[bytes]:
        yield start
        for _ in range(megabytes * KIB * KIB // len(chunk)):
            yield chunk

    tracemalloc.start()
    try:
        for _ in read_targets(chunks()):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * KIB * KIB


# --- batches ------------------------------------------------------------------------------------------


def address(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def test_a_file_comes_in_full_batches_and_a_rest(tmp_path: Path) -> None:
    expected = [address(number) for number in range(2 * BATCH + 5)]
    path = tmp_path / "list"
    path.write_text("\n".join(expected))
    with path.open("rb") as file:
        batches = list(read_batches(Stream(file, str(path)), BATCH))
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 5]
    assert [target for batch in batches for target in batch] == expected


@pytest.mark.parametrize("text", [b"", b"\n", b"no address here\n", b"# 1.2.3.4\n"])
def test_an_input_without_targets_gives_no_batch(text: bytes) -> None:
    assert list(read_batches(Stream(io.BytesIO(text), "memory"), BATCH)) == []


def test_a_buffer_in_memory_is_a_stream_too() -> None:
    text = b"1.2.3.4\n" * (BATCH + 1)
    assert [len(batch) for batch in read_batches(Stream(io.BytesIO(text), "memory"), BATCH)] == [BATCH, 1]


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, int]]:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader:
        try:
            yield reader, write_end
        finally:
            os.close(write_end)


def test_what_is_there_comes_when_the_writer_pauses() -> None:
    rounds = [[b"192.0.2.1\n"], [b"192.0.2.2\n192.0.2.3\n", b"# 9.9.9.9\n"], [b"::", b"1 and ::2\n"]]
    expected = [["192.0.2.1"], ["192.0.2.2", "192.0.2.3"], ["::1", "::2"]]
    arrived = [threading.Event() for _ in rounds]
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb", buffering=0) as writer:
            for parts, seen in zip(rounds, arrived, strict=True):
                for part in parts:
                    writer.write(part)
                if not seen.wait(20):
                    return  # the reader waits for more: end the input, the test fails

    thread = threading.Thread(target=write)
    thread.start()
    received: list[list[str]] = [[]]
    with os.fdopen(read_end, "rb") as reader:
        for batch in read_batches(Stream(reader, "a pipe"), BATCH):
            received[-1] += batch
            done = len(received) - 1
            if done < len(expected) and received[-1] == expected[done]:
                received.append([])
                arrived[done].set()
    thread.join()
    assert received == [*expected, []]
    assert all(event.is_set() for event in arrived)


def test_a_line_that_is_not_finished_waits_for_its_end() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"192.0.2.1\n192.0.2.")
    with os.fdopen(read_end, "rb") as reader:
        batches = read_batches(Stream(reader, "a pipe"), BATCH)
        assert next(batches) == ["192.0.2.1"]
        os.write(write_end, b"25")
        os.close(write_end)
        assert list(batches) == [["192.0.2.25"]]


def test_a_pipe_waits_only_while_it_is_empty_and_open() -> None:
    with pipe() as (reader, write_end):
        stream = Stream(reader, "a pipe")
        assert stream.is_waiting()
        os.write(write_end, b"x\n")
        assert not stream.is_waiting()
        assert next(stream.chunks()) == b"x\n"
        assert stream.is_waiting()
    read_end, write_end = os.pipe()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as reader:
        assert not Stream(reader, "a closed pipe").is_waiting()


def test_a_file_and_a_buffer_never_wait(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"")
    with path.open("rb") as file:
        assert not Stream(file, "a file").is_waiting()
    assert not Stream(io.BytesIO(b""), "memory").is_waiting()


def test_chunks_come_as_soon_as_they_can_be_read_and_are_bounded() -> None:
    with pipe() as (reader, write_end):
        os.write(write_end, b"half a li")
        assert next(Stream(reader, "a pipe").chunks()) == b"half a li"
    chunks = list(Stream(io.BytesIO(b"x" * 300_000), "memory").chunks())
    assert max(map(len, chunks)) <= CHUNK
    assert sum(map(len, chunks)) == 300_000


# --- errors -------------------------------------------------------------------------------------------


class _Broken(io.RawIOBase):
    def __init__(self, text: bytes) -> None:
        super().__init__()
        self._text = text

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._text:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        count = min(len(self._text), len(buffer))
        buffer[:count] = self._text[:count]
        self._text = self._text[count:]
        return count


def test_an_input_that_breaks_is_a_usage_error_after_what_was_read() -> None:
    stream = Stream(io.BufferedReader(_Broken(b"192.0.2.1\n")), "/mnt/broken.log")
    chunks = stream.chunks()
    assert next(chunks) == b"192.0.2.1\n"
    with pytest.raises(UsageError, match=r"cannot read /mnt/broken\.log: Input/output error") as caught:
        next(chunks)
    assert caught.value.exit_code is ExitCode.USAGE


def test_an_input_that_cannot_be_read_is_a_usage_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as writer, open(write_end, "rb", closefd=False) as file:
        stream = Stream(file, "standard input")
        with pytest.raises(UsageError, match="cannot read standard input: Bad file descriptor"):
            list(read_batches(stream, BATCH))
        assert writer.writable()


def test_an_input_that_was_closed_is_a_usage_error() -> None:
    stream = Stream(None, "standard input")
    assert not stream.is_waiting()
    with pytest.raises(UsageError, match="cannot read standard input"):
        list(read_batches(stream, BATCH))

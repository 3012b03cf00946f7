"""What is not text is refused by its name; text in any encoding, with what strangers sent, is not."""

from __future__ import annotations

import io
import random
import sqlite3
import struct
import sys
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.contents import not_text
from geocli.inputs.stream import Stream
from geocli.inputs.targets import read_targets
from geocli.model.errors import InputError
from tests.inputs.test_bans import Chunks


def database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE a(b)")
        return connection.serialize()


def archive() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


def document() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a", "192.0.2.1")
    return file.getvalue()


RANDOM = random.Random(7)  # noqa: S311 - not a secret
NO_TEXT = {
    "an SQLite database": database(),
    "a tar archive": archive(),
    "a ZIP archive": document(),
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + RANDOM.randbytes(99),
    "a JPEG picture": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "a GIF picture": b"GIF89a\1\0\1\0",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "a program (ELF)": Path(sys.executable).resolve().read_bytes()[:70_000],
    "a systemd journal": b"LPKSHHRH" + bytes(99),
    "a packet capture": struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1),
    "login records": struct.pack("<hxxi32s4s32s256s52x", 7, 811, b"pts/0", b"ts/0", b"root", b"192.0.2.1"),
    "compressed with lz4": b"\x04\x22\x4d\x18" + bytes(9),
    "compressed with compress": b"\x1f\x9d\x90",
    "compressed with lzip": b"LZIP\1",
    "text in UTF-32": "192.0.2.1\n".encode("utf-32"),
    "not text": RANDOM.randbytes(5000),
    "it is not text": b"192.0.2.1\n" + RANDOM.randbytes(5000),
}
TEXT = [
    b"",
    b"192.0.2.1\n",
    b"\xef\xbb\xbf192.0.2.1\n",
    "192.0.2.1 für Ünïcode\n".encode(),
    "192.0.2.1 für Latein\n".encode("latin-1"),
    ("Пользователь вошёл: 192.0.2.1\n" * 99).encode("cp1251"),
    ("用户从 192.0.2.1 登录\n" * 99).encode("gb18030"),
    b"\x1b[31m 192.0.2.1 \x1b[0m \b\t\f\r\n",
    b"\0" * 9000 + b"192.0.2.1 a log that was cut while a program had it open\n" * 9,
    b'192.0.2.1 - - "\x16\x03\x01\x02" 400\n' + b"192.0.2.1 - - GET / 200\n" * 9,
    "192.0.2.1\n2001:db8::1\n".encode("utf-16"),
    b"\xfe\xff" + "192.0.2.1\n".encode("utf-16-be"),
    b"BM 192.0.2.1\n",
    b"GI",
    b"PK 192.0.2.1\n",
]


def targets(*chunks: bytes) -> list[str]:
    stream = Stream(Chunks(*chunks), "file")  # type: ignore[arg-type]  # all that a Stream asks for
    return [target for found in read_targets(stream.chunks()) for target in found]


@pytest.mark.parametrize("what", NO_TEXT)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_not_text_is_refused_by_its_name(what: str, size: int) -> None:
    content = NO_TEXT[what]
    with pytest.raises(InputError, match="cannot read file: it is ") as caught:
        targets(*(content[at : at + size] for at in range(0, len(content), size)))
    assert what in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", TEXT)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_text_in_any_encoding_is_read(content: bytes, size: int) -> None:
    found = targets(*(content[at : at + size] for at in range(0, len(content), size)))
    assert found[:1] == (["192.0.2.1"] if len(content) > 2 else [])


def test_utf_16_that_is_no_character_or_ends_in_half_of_one_does_no_harm() -> None:
    assert targets(b"\xff\xfe" + "192.0.2.1 ".encode("utf-16-le") + b"\x00\xd8\x41") == ["192.0.2.1"]


def test_nothing_but_zeros_is_no_text() -> None:
    with pytest.raises(InputError, match="nothing but zero bytes"):
        targets(bytes(100_000))


def test_a_line_is_not_kept_waiting() -> None:
    """What may be text is given as soon as it came: somebody may follow a log."""
    stream = Stream(Chunks(b"192.0.2.1\n", b"192.0.2.2\n"), "file")  # type: ignore[arg-type]
    assert next(stream.chunks()) == b"192.0.2.1\n"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_any_text_is_text(text: str) -> None:
    begins = ("GIF8", "RIFF", "%PDF-", "LZIP", "Rar!", "BZh", "7z", "PK", "ustar", "]")
    assert not_text(text.encode()) is None or text.startswith(begins) or text[257:].startswith("ustar")

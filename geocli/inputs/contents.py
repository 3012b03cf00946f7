"""What is not text, by its first bytes: a picture, an archive, a database, bytes without any sense.

An address found in such bytes would be one by chance. So they are refused, with what they are and the way
out. A few bytes that are no characters do no harm: logs hold what strangers sent.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import NamedTuple


class _Kind(NamedTuple):
    magic: bytes
    what: str
    way_out: str = ""
    at: int = 0


SQLITE = b"SQLite format 3\0"
LOOKED_AT = 4096
"""Bytes that decide."""

_KINDS = (
    _Kind(SQLITE, "an SQLite database", "fail2ban's is read by: geocli bans --database FILE"),
    _Kind(b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    _Kind(b"\xff\xd8\xff", "a JPEG picture"),
    _Kind(b"GIF8", "a GIF picture"),
    _Kind(b"RIFF", "a picture, sound or film (RIFF)"),
    _Kind(b"%PDF-", "a PDF document", "pdftotext FILE - | geocli"),
    _Kind(b"PK\x03\x04", "a ZIP archive or an office document", "unzip -p FILE | geocli"),
    _Kind(b"Rar!\x1a\x07", "a RAR archive"),
    _Kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so FILE | geocli"),
    _Kind(b"ustar", "a tar archive", "tar xOf FILE | geocli", at=257),
    _Kind(b"\x1f\x8b", "compressed with gzip, twice", "zcat FILE | geocli"),
    _Kind(b"\xfd7zXZ\x00", "compressed with xz, twice", "xzcat FILE | geocli"),
    _Kind(b"BZh", "compressed with bzip2, twice", "bzcat FILE | geocli"),
    _Kind(b"\x28\xb5\x2f\xfd", "compressed with zstd, twice", "zstdcat FILE | geocli"),
    _Kind(b"\x04\x22\x4d\x18", "compressed with lz4", "lz4cat FILE | geocli"),
    _Kind(b"\x1f\x9d", "compressed with compress", "zcat FILE | geocli"),
    _Kind(b"LZIP", "compressed with lzip", "lzip -dc FILE | geocli"),
    _Kind(b"\x5d\x00\x00", "compressed with lzma", "xz -dc --format=lzma FILE | geocli"),
    _Kind(b"\x89LZO\x00\r\n\x1a\n", "compressed with lzop", "lzop -dc FILE | geocli"),
    _Kind(b"\x7fELF", "a program (ELF)"),
    _Kind(b"\xca\xfe\xba\xbe", "a program"),
    _Kind(b"LPKSHHRH", "a systemd journal", "journalctl --file FILE -o json | geocli"),
    _Kind(b"\xd4\xc3\xb2\xa1", "a packet capture", "tcpdump -nr FILE | geocli"),
    _Kind(b"\xa1\xb2\xc3\xd4", "a packet capture", "tcpdump -nr FILE | geocli"),
    _Kind(b"\x4d\x3c\xb2\xa1", "a packet capture", "tcpdump -nr FILE | geocli"),
    _Kind(b"\x0a\x0d\x0d\x0a", "a packet capture", "tcpdump -nr FILE | geocli"),
    _Kind(b"\xff\xfe\x00\x00", "text in UTF-32", "iconv -f UTF-32 FILE | geocli"),
    _Kind(b"\x00\x00\xfe\xff", "text in UTF-32", "iconv -f UTF-32 FILE | geocli"),
)
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\b\x1b"))
_MOST_CONTROLS = 0.05  # of all bytes: of random ones it is a tenth
_MOST_NO_TEXT = 0.3
_LOGIN_RECORD = 384  # bytes of a record of wtmp and btmp on Linux


def may_begin(start: bytes) -> bool:
    """Whether more bytes may show that this is no text: the beginning of a sign, or doubtful characters."""
    if len(start) < LOOKED_AT and _controls(start):
        return True
    signs = [BOM_UTF16_LE, BOM_UTF16_BE, *(kind.magic for kind in _KINDS if kind.at == 0)]
    return any(len(start) < len(sign) and sign.startswith(start) for sign in signs)


def not_text(start: bytes) -> str | None:
    """Return what a file is that begins like this, and what to do; ``None`` when it is text.

    ``start`` has up to ``LOOKED_AT`` bytes. Zeros at the beginning are what a log is left with that was cut
    while a program had it open: they do not count.
    """
    for kind in _KINDS:
        if start.startswith(kind.magic, kind.at):
            return f"{kind.what}, not text" + (f": {kind.way_out}" if kind.way_out else "")
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return None
    if len(start) >= _LOGIN_RECORD and 0 < start[0] < 10 and start[1:4] == b"\0\0\0":
        return "login records (wtmp, btmp), not text: last -if FILE | geocli"
    text = start.lstrip(b"\0")
    controls = _controls(text)
    if not controls:
        return None
    if controls > _MOST_CONTROLS * len(text):
        return "not text"
    no_text = controls + text.decode("utf-8", "replace").count("\ufffd")
    return "not text" if no_text > _MOST_NO_TEXT * len(text) else None


def _controls(text: bytes) -> int:
    return len(text) - len(text.translate(None, _CONTROLS))

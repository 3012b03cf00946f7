"""Bad files of every kind that MaxMind collects: ``db verify`` and ``lookup`` say the same of each.

The kinds are those of ``bad-data`` and ``test-data`` in MaxMind's repository MaxMind-DB, and of the tests of
its readers. Here each is put together anew, with a record that would have an answer if nothing were wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geocli.mmdb.decoder import DEEPEST
from geocli.mmdb.layouts import answer_of
from geocli.mmdb.reader import Database
from geocli.mmdb.trusted import TrustedFiles
from geocli.mmdb.verify import verify, vet
from geocli.model.errors import DamagedFileError
from tests.conftest import Geocli
from tests.mmdb.handmade import MARKER, encode, head, metadata, one_record, pointer, tree, write

ASKED = ("1.2.3.4", "200.1.2.3")
ANSWER = {"country": {"iso_code": "DE"}}
KEY = encode("other")

Made = Callable[[Path], Path]


def beside(other: bytes, before: bytes = b"") -> Made:
    """A record with an answer, and another value beside it; what stands ``before`` it is not part of it."""
    data = before + head(7, 2) + encode("country") + encode(ANSWER["country"]) + KEY + other
    return lambda path: write(path, [(17 + len(before),) * 2], data)


def fan_out(depth: int) -> Made:
    """Lists of twice the list below: 2 ** depth values out of a few bytes."""
    data, last = encode(0), 0
    for _ in range(depth):
        data, last = data + encode([pointer(last)] * 2), len(data)
    return beside(pointer(last), data)


def many(times: int, value: bytes) -> Made:
    return beside(encode([pointer(0)] * times), value)


def described(**changes: Any) -> Made:
    return lambda path: one_record(path, encode(ANSWER), **changes)


def leading(left: int, right: int) -> Made:
    return lambda path: write(path, [(left, right)], encode(ANSWER))


def nodes(pairs: list[tuple[int, int]], **changes: Any) -> Made:
    return lambda path: write(path, pairs, encode(ANSWER), **changes)


def raw(content: bytes) -> Made:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


_NODE = tree([(17, 17)]) + bytes(16) + encode(ANSWER)

REFUSED: dict[str, Made] = {
    # libmaxminddb
    "oversized-array": beside(head(11, 1_000_000) + encode("x") + encode("y")),
    "oversized-map": beside(head(7, 1_000_000) + encode("k") + encode("v")),
    "uint64-max-epoch": described(build_epoch=2**64 - 1),
    "deep-nesting": beside((head(7, 1) + encode("a")) * 600 + encode("x")),
    "deep-array-nesting": beside(head(11, 1) * 600 + encode("x")),
    "offset-integer-overflow": beside(pointer(2**32 - 1)),
    "metadata-marker-only": raw(MARKER),
    "separator-record-left-and-right": leading(2, 16),
    # MaxMind-DB-Reader-python
    "bad-unicode-in-map-key": beside(head(7, 1) + head(2, 2) + b"\xff\xfe" + encode("x")),
    # maxminddb-golang
    "cyclic-data-structure": beside(pointer(0), head(11, 1) + pointer(0)),
    "invalid-bytes-length": beside(head(4, 100_000) + b"x"),
    "invalid-data-record-offset": leading(2**24 - 1, 2**24 - 1),
    "invalid-map-key-length": beside(head(7, 1) + head(2, 100_000) + b"x"),
    "invalid-string-length": beside(head(2, 100_000) + b"x"),
    "metadata-is-an-uint128": raw(_NODE + MARKER + encode(2**127)),
    "unexpected-bytes": described(node_count=head(4, 1) + b"\1"),
    "unexpected-bytes-in-a-record": lambda path: one_record(
        path, encode({"country": {"iso_code": head(4, 2) + b"DE"}})
    ),
    # test-data
    "broken-double-format": beside(head(3, 1) + b"x"),
    "broken-pointers": beside(pointer(100_000)),
    "broken-search-tree": nodes([(1, 1), (0, 0)]),
    "invalid-node-count": described(node_count=100_000),
    "pointer-decoder-dos": fan_out(40),
    "decoder-value-limit-over": fan_out(15),
    "payload-amplification-dos": many(8192, encode("a" * 65_535)),
    "payload-amplification-dos-worst-case": many(65_535, head(4, 65_535) + b"a" * 65_535),
    "a pointer to a pointer": beside(pointer(0), pointer(6) + encode("x")),
    "deeper than is borne": beside(head(11, 1) * DEEPEST + encode("x")),
}

ANSWERED: dict[str, Made] = {
    "a whole file": described(),
    "empty-map-last-in-metadata": described(description={}),
    "empty-array-last-in-metadata": raw(
        _NODE
        + metadata(1, languages=None).replace(MARKER + b"\xe8", MARKER + b"\xe9")
        + encode("languages")
        + encode([])
    ),
    # The reader in C crashes over the first of these, and refuses the others.
    "a key of its own in the metadata": described(zone="abc"),
    "no languages in the metadata": described(languages=None),
    "no description in the metadata": described(description=None),
    "no minor version in the metadata": described(binary_format_minor_version=None),
    # The other 99 are zeros, and no address leads there.
    "corrupt-search-tree": nodes([(116, 116)] + [(0, 0)] * 99),
    "decoder-value-limit": many(65_000, encode(0)),
    "pointer-heavy": fan_out(14),
    "as deep as is borne": beside(head(11, 1) * (DEEPEST - 2) + encode("x")),
    "no-ipv4-search-tree": nodes([(17, 17)], ip_version=6),
}


def looked_up(path: Path) -> list[str | None]:
    """The country of each address, as the careful reader has it. Raises ``DamagedFileError``."""
    return [answer_of(data).country_code for data, _ in Database(path).find(ASKED)]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_refused_by_both(kind: str, tmp_path: Path) -> None:
    path = REFUSED[kind](tmp_path / "bad.mmdb")
    for judge in (verify, looked_up, verify):
        with pytest.raises(DamagedFileError) as caught:
            judge(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ANSWERED)
def test_what_one_accepts_the_other_answers_from(kind: str, geocli: Geocli, tmp_path: Path) -> None:
    path = ANSWERED[kind](tmp_path / "odd.mmdb")
    assert looked_up(path) == ["DE", "DE"]
    vet(path, TrustedFiles(geocli.data_dir / "mmdb"))
    # Now with the reader in C, in a process of its own: it may crash.
    done = geocli("lookup", "--no-cache", "--mmdb", path, "-f", "country_code", *ASKED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "DE\nDE\n", "")


def test_on_the_command_line_both_exit_with_the_same_code(geocli: Geocli, tmp_path: Path) -> None:
    path = REFUSED["broken-pointers"](tmp_path / "bad.mmdb")
    for command in (("db", "verify", path), ("lookup", *ASKED, "--no-cache", "--mmdb", path)):
        done = geocli(*command)
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(f"geocli: {path}: ")
        assert done.stderr.count("\n") == 1

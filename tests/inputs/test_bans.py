"""Bans out of any input: every capture, all kinds at once, gzip, hostile bytes, chunks cut anywhere."""

from __future__ import annotations

import ast
import gzip
import io
import re
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.bans import read_bans
from geocli.inputs.in_text import ban_targets
from geocli.inputs.stream import Stream
from geocli.model.bans import Ban
from geocli.model.errors import Problems
from geocli.model.records import clean_text
from tests.conftest import FIXTURES
from tests.support.examples import examples

CAPTURES = FIXTURES / "fail2ban"
VERSIONS = ["1.0.2", "1.1.0"]


class Chunks(io.RawIOBase):
    """A file that gives these chunks, one for each read."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    def read1(self, _size: int = -1) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


def stream(*chunks: bytes, name: str = "input") -> Stream:
    return Stream(Chunks(*chunks), name)  # type: ignore[arg-type]  # all that a Stream asks for


def bans(*chunks: bytes) -> list[Ban]:
    return outcome_of([stream(*chunks)])[0]


def targets(*chunks: bytes) -> list[str]:
    return [target for ban in bans(*chunks) for target in ban_targets(ban)]


def capture(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()


def until_error(*streams: Stream) -> tuple[list[Ban], str]:
    found, message = outcome_of(streams)
    assert message is not None
    return found, message


def outcome_of(streams: Iterable[Stream]) -> tuple[list[Ban], str | None]:
    problems = Problems()
    found = [ban for batch in read_bans(streams, problems) for ban in batch]
    return found, next((str(problem) for problem in problems), None) if problems.codes() else None


# --- captures -------------------------------------------------------------------------------------------

COUNTS = {
    "10-status.out": 0,
    "11-status-jail-203.0.113.250.out": 1,
    "11-status-jail-dns.out": 1,
    "11-status-jail-empty.out": 0,
    "11-status-jail-foo__bar.out": 1,
    "11-status-jail-ids.out": 8,
    "11-status-jail-incr.out": 0,
    "11-status-jail-it_s.out": 1,
    "11-status-jail-journal.out": 1,
    "11-status-jail-my_jail.out": 1,
    "11-status-jail-nginx-http-auth.out": 3,
    "11-status-jail-sshd.out": 53,
    "11-status-jail-subnet.out": 4,
    "11-status-jail-tuple.out": 4,
    "11-status-jail-two-logs.out": 2,
    "11-status-jail-web.bots.out": 1,
    "11-status-jail-Ünïcode-jäil.out": 1,
    "12-status-empty-flavor-basic.out": 0,
    "12-status-empty-flavor-cymru.out": 0,
    "12-status-empty-flavor-emptystring.out": 0,
    "12-status-empty-flavor-short.out": 0,
    "12-status-empty-flavor-stats.out": 0,
    "12-status-journal-short.out": 0,
    "12-status-sshd-flavor-basic.out": 53,
    "12-status-sshd-flavor-cymru.out": 53,
    "12-status-sshd-flavor-emptystring.out": 53,
    "12-status-sshd-flavor-short.out": 0,
    "20-banned-id.out": 0,
    "20-banned-ip-absent.out": 0,
    "20-banned-ip.out": 0,
    "20-banned-ips.out": 0,
    "20-banned.out": 5076,
    "21-get-banned-empty.out": 0,
    "21-get-banned-ids.out": 6,
    "21-get-banned-one-no.out": 0,
    "21-get-banned-one-yes.out": 0,
    "21-get-banned-sshd.out": 51,
    "21-get-banned-tuple.out": 2,
    "21-get-banned-two.out": 0,
    "22-get-banip-dns.out": 1,
    "22-get-banip-empty.out": 0,
    "22-get-banip-ids.out": 1,
    "22-get-banip-it_s.out": 1,
    "22-get-banip-nginx-http-auth.out": 3,
    "22-get-banip-sep-and-with-time.out": 2,
    "22-get-banip-sep-backslash-n.out": 2,
    "22-get-banip-sep-comma.out": 2,
    "22-get-banip-sep-newline.out": 2,
    "22-get-banip-sep-word.out": 2,
    "22-get-banip-sshd.out": 37,
    "22-get-banip-subnet.out": 4,
    "22-get-banip-tuple.out": 2,
    "22-get-banip-two-logs.out": 2,
    "22-get-banip-web.bots.out": 1,
    "22-get-banip-with-time-and-sep.out": 2,
    "23-get-banip-with-time-dns.out": 1,
    "23-get-banip-with-time-empty.out": 0,
    "23-get-banip-with-time-ids.out": 6,
    "23-get-banip-with-time-it_s.out": 1,
    "23-get-banip-with-time-nginx-http-auth.out": 3,
    "23-get-banip-with-time-sshd.out": 51,
    "23-get-banip-with-time-subnet.out": 4,
    "23-get-banip-with-time-tuple.out": 2,
    "23-get-banip-with-time-two-logs.out": 2,
    "23-get-banip-with-time-web.bots.out": 1,
    "50-unban-absent.out": 0,
    "50-unban-all-jails.out": 0,
    "50-unban-one.out": 0,
    "50-unban-subnet.out": 0,
    "60-fail2ban.log-before-stop": 84,
    "60-fail2ban.log-big-sample": 3,
    "61-fail2ban.log-stop": 0,
    "61-stop.out": 0,
    "63-banned-while-stopped.out": 0,
    "64-start.out": 0,
}  # fmt: skip
OF_ONE_VERSION = {
    "1.0.2/12-status-sshd-flavor-stats.out": 53,  # it does not know this flavour
    "1.1.0/12-status-sshd-flavor-stats.out": 0,
    "1.1.0/10-status-1word-trailing.out": 5082,
    "1.1.0/10-status-all-basic.out": 5082,
    "1.1.0/10-status-all-short.out": 0,
    "1.1.0/10-status-all-stats.out": 0,
    "1.1.0/10-status-all-stats.err": 0,
    "1.1.0/12-status-sshd-flavor-stats.err": 0,
    "1.1.0/30-statistic.out": 0,
    "1.1.0/30-statistics.out": 0,
    "1.1.0/30-stats.out": 0,
    "1.0.2/65-banned-after-restart.out": 4884,
    "1.1.0/65-banned-after-restart.out": 4489,
    "1.0.2/65-status-sshd-after-restart.out": 49,
    "1.1.0/65-status-sshd-after-restart.out": 0,
    "1.0.2/65-get-banip-with-time-sshd-after-restart.out": 46,
    "1.1.0/65-get-banip-with-time-sshd-after-restart.out": 0,
    "1.0.2/64-fail2ban.log-start": 63,
    "1.1.0/64-fail2ban.log-start": 5,
}
ALL = {f"{version}/{name}": count for version in VERSIONS for name, count in COUNTS.items()} | OF_ONE_VERSION


def test_a_capture_gives_its_bans() -> None:
    assert {name: len(bans(capture(name))) for name in ALL} == ALL


@pytest.mark.parametrize("name", [name for name in ALL if ALL[name] < 1000])
def test_chunks_may_be_cut_anywhere(name: str) -> None:
    text = capture(name)
    whole = bans(text)
    steps = range(1, len(text), max(1, len(text) // 40))
    assert [at for at in steps if bans(text[:at], text[at:]) != whole] == []
    assert bans(*(text[at : at + 7] for at in range(0, len(text), 7))) == whole


@pytest.mark.parametrize("version", VERSIONS)
def test_banned_tells_jails_and_identifiers_exactly(version: str) -> None:
    text = capture(f"{version}/20-banned.out")
    expected = [
        Ban(name, clean_text(identifier))
        for jail in ast.literal_eval(text.decode())
        for name, identifiers in jail.items()
        for identifier in identifiers
    ]
    assert bans(text) == expected
    for ban in [
        Ban("sshd", "nl here"),
        Ban("sshd", "tab here"),
        Ban("sshd", "zero\\u200bwidth"),
        Ban("sshd", ""),
        Ban("sshd", "back\\slash"),
        Ban("203.0.113.250", "192.0.2.203"),
        Ban("Ünïcode-jäil", "192.0.2.204"),
        Ban("it's", "192.0.2.205"),
        Ban("foo, bar", "192.0.2.202"),
    ]:
        assert ban in expected


# Jails, and what is no address although it looks like one to somebody.
NEVER = {"203.0.113.250", "1.1.0", "1.0.2", "0.0.0.1", "5.0.0.0"}


def test_names_numbers_dates_and_files_are_never_addresses() -> None:
    # All in the captures that is no ban is not even in these ranges.
    given = re.compile(r"(192\.0\.2|198\.51\.100|203\.0\.113|100\.64|10|127\.0|0\.0|1\.1\.0)\.|.*:")
    wrong = {
        name: target
        for name in ALL
        for target in targets(capture(name))
        if target in NEVER or not given.match(target)
    }
    assert wrong == {}


COMPLAINTS = [
    ("1.0.2/10-status-all-basic.out", "Sorry but the jail '--all' does not exist"),
    ("1.0.2/30-statistics.out", "Invalid command"),
    ("1.1.0/21-get-banned-nosuchjail.out", "Sorry but the jail 'nosuchjail' does not exist"),
    ("1.1.0/50-unban-report-absent.out", "not banned: ['198.51.100.250']"),
    ("1.1.0/63-banned-while-stopped.err", "Failed to access socket path: /var/lib/f2b/run/fail2ban.sock. Is"),
]


@pytest.mark.parametrize(("name", "text"), COMPLAINTS)
def test_a_complaint_instead_of_an_answer_is_an_error(name: str, text: str) -> None:
    found, message = until_error(stream(capture(name), name="f2b.txt"))
    assert found == []
    assert message.startswith("f2b.txt: ")
    assert text in message


def test_both_outputs_of_a_complaint_are_one_complaint() -> None:
    both = capture("1.1.0/21-get-banned-nosuchjail.err") + capture("1.1.0/21-get-banned-nosuchjail.out")
    assert until_error(stream(both))[1].endswith("Sorry but the jail 'nosuchjail' does not exist")


def test_a_complaint_among_answers_is_passed_over() -> None:
    text = b"Sorry but the jail '203.0.113.250' does not exist\n"
    assert bans(text + b"192.0.2.1\n") == [Ban(None, "192.0.2.1")]
    assert bans(b"192.0.2.1\n" + text + b"Invalid command\n") == [Ban(None, "192.0.2.1")]
    assert until_error(stream(text.replace(b"203", b"\x1b[1m")))[1].count("\\x1b[1m") == 1


# --- all kinds at once ----------------------------------------------------------------------------------


def test_every_stream_may_be_of_another_kind_and_the_log_comes_last() -> None:
    streams = [
        stream(b"2026-11-23 21:41:56,814 fail2ban.actions [7]: NOTICE  [a] Ban 192.0.2.1\n"),
        stream(b"\xef\xbb\xbf[{'b': ['192.0.2.2']}, {'203.0.113.250': []}]\n"),
        stream(gzip.compress(b"Status for the jail: c\n   `- Banned IP list:\t192.0.2.3 x")),
        stream(b"192.0.2.4 \t2026-11-23 21:42:00 + -1 = 9999-12-31 23:59:59\n"),
        stream(b"# 9.9.9.9\n192.0.2.5 # 9.9.9.9\n192.0.2.6, 2001:DB8::6\n"),
        stream(b"2026-11-23 21:42:56,814 fail2ban.actions [7]: NOTICE  [a] Unban 192.0.2.1\n"),
        stream(b"['192.0.2.7', 'y']"),
        stream(b""),
    ]
    found = outcome_of(streams)[0]
    assert [(ban.jail, ban.text) for ban in found] == [
        ("b", "192.0.2.2"),
        ("c", "192.0.2.3"),
        ("c", "x"),
        (None, "192.0.2.4"),
        (None, "192.0.2.5"),
        (None, "192.0.2.6"),
        (None, "2001:db8::6"),
        (None, "192.0.2.7"),
        (None, "y"),
        ("a", "192.0.2.1"),
    ]
    assert found[-1].expires_at is not None


def test_all_kinds_may_stand_in_one_stream() -> None:
    text = (
        b"192.0.2.1\n[{'b': ['192.0.2.2']}]\nStatus for the jail: c\n`- Actions\n"
        b"   `- Banned IP list:\t192.0.2.3\n192.0.2.4 \t2026-11-23 21:42:00 + 60 = 2026-11-23 21:43:00\n"
        b"['192.0.2.5']\n192.0.2.6\r\n"
        b"2026-11-23 21:41:56,814 fail2ban.actions [7]: NOTICE  [a] Ban 192.0.2.8\n192.0.2.7\n"
    )
    assert targets(text) == [f"192.0.2.{number}" for number in range(1, 9)]


def test_lines_between_those_of_a_log_tell_of_no_ban() -> None:
    log = b"2026-11-23 21:41:56,814 fail2ban.actions [7]: %s\n"
    text = (
        log % b"ERROR   Failed to execute ban"
        + b"Traceback (most recent call last):\n  iptables -I f2b -s 192.0.2.1 -j REJECT\n"
        + b"Nov 23 21:41:57 host sshd[1]: Failed password for root from 192.0.2.2 port 22\n"
        + log % b"NOTICE  [a] Ban 192.0.2.3"
    )
    assert targets(text) == ["192.0.2.3"]


def test_a_separator_that_the_shell_left_alone() -> None:
    assert targets(b"192.0.2.210\\n2001:db8::210\\n\n") == ["192.0.2.210", "2001:db8::210"]


def test_text_that_only_looks_like_a_literal_is_text() -> None:
    assert targets(b"['web'] 192.0.2.1 logged in\n") == ["192.0.2.1"]
    assert targets(b'{"ip": "192.0.2.1"}\n[{"ip": "192.0.2.2"}]\n') == ["192.0.2.1", "192.0.2.2"]
    assert targets(b'["192.0.2.1","192.0.2.2"]') == ["192.0.2.1", "192.0.2.2"]
    assert targets(b"[192.0.2.1]\n{192.0.2.2}\n") == ["192.0.2.1", "192.0.2.2"]


# --- gzip and files that end too early ------------------------------------------------------------------

LINES = b"".join(b"192.0.2.%d\n" % number for number in range(200))
FOUND = [Ban(None, f"192.0.2.{number}") for number in range(200)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_gzip_is_known_by_its_first_bytes_in_chunks_of_any_size(size: int) -> None:
    packed = gzip.compress(LINES) + gzip.compress(b"2001:db8::1\n") + b"\0" * 100
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert bans(*chunks) == [*FOUND, Ban(None, "2001:db8::1")]


def test_a_truncated_gzip_gives_what_is_whole_and_then_fails() -> None:
    packed = gzip.compress(LINES, 1)
    for end in range(2, len(packed), 7):
        found, message = until_error(stream(packed[:end], name="a.gz"), stream(b"2001:db8::2"))
        assert found[-1] == Ban(None, "2001:db8::2")
        assert found[:-1] == FOUND[: len(found) - 1]
        assert message.startswith("a.gz is damaged: ")
    assert bans(packed) == FOUND


def test_a_damaged_gzip_fails_naming_the_file() -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[40] ^= 0xFF
    assert "a.gz is damaged" in until_error(stream(bytes(packed), name="a.gz"))[1]
    assert "a.gz is damaged" in until_error(stream(b"\x1f\x8b", name="a.gz"))[1]


def test_the_end_of_a_file_that_was_cut_makes_no_false_ban() -> None:
    texts = {
        b"[{'a': ['192.0.2.1', '192.0.2.20": ["192.0.2.1"],
        b"   `- Banned IP list:\t192.0.2.1 192.0.2.2": ["192.0.2.1"],
        b"192.0.2.1\n192.0.2.2": ["192.0.2.1"],
        b"2026-11-23 21:41:56,814 fail2ban.actions [7]: NOTICE  [a] Ban 192.0.2.1\n"
        b"2026-11-23 21:41:56,815 fail2ban.actions [7]: NOTICE  [a] Ban 192.0.2.2": ["192.0.2.1"],
    }
    for text, expected in texts.items():
        compress = zlib.compressobj(wbits=31)
        cut = compress.compress(text) + compress.flush(zlib.Z_SYNC_FLUSH)
        found, _ = until_error(stream(cut))
        assert [target for ban in found for target in ban_targets(ban)] == expected


@pytest.mark.slow
def test_a_small_file_that_holds_gigabytes_takes_no_memory() -> None:
    compress = zlib.compressobj(9, wbits=31)
    parts = [compress.compress(filler * (1 << 20)) for filler in (b"a", b"'", b" ", b"\n") for _ in range(16)]
    bomb = b"".join([*parts, compress.flush()])
    assert len(bomb) < 1 << 18
    tracemalloc.start()
    try:
        assert bans(bomb) == []
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_cannot_be_read_stops_no_other() -> None:
    def streams() -> Iterator[Stream]:
        yield stream(b"192.0.2.1")
        yield Stream(None, "closed one")
        yield stream(b"192.0.2.2")

    assert outcome_of(streams()) == (
        [Ban(None, "192.0.2.1"), Ban(None, "192.0.2.2")],
        "cannot read closed one: it is closed",
    )


def test_a_real_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fail2ban.log.2"
    path.write_bytes(gzip.compress(capture("1.1.0/60-fail2ban.log-before-stop")))
    with path.open("rb") as file:
        assert sum(map(len, read_bans([Stream(file, str(path))], Problems()))) == 84


# --- any input ------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    [
        *[
            b"\n",
            b"\r\n",
            b"\t",
            b" ",
            b"'",
            b'"',
            b"\\",
            b"[",
            b"{",
            b"]",
            b"}",
            b": [",
            b", ",
            b"\xff",
            b"\0",
        ],
        *[
            b"[{'a': ['",
            b"['",
            b"[['",
            b"{'a': ['polling', (",
            b"Status\n",
            b"Status for the jail: 203.0.113.250",
        ],
        *[b"   `- Banned IP list:\t", b"|- Jail: x", b"IP list:", b" \t2026-11-23 21:42:00 + 600 = "],
        *[b"9999-12-31 23:59:59", b"2026-11-23 21:42:00", b"2026-13-45 29:59:59,000", b"192.0.2.1", b"::1"],
        *[b"2026-11-23 21:42:00,606 fail2ban.actions        [728]: NOTICE  ", b"[sshd] Ban ", b"Unban "],
        *[b"[sshd] Increase Ban x (99999999999 # 1 -> infinite)", b"Restore Ban 192.0.2.1\n", b"fail2ban"],
        *[
            b"2026-11-23T21:42:00.1+25:00 h fail2ban[1]: [a] Ban ",
            b"Sorry but the jail '",
            b"Invalid command",
        ],
        *[b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\3", b"\xef\xbb\xbf", "║ │ ═".encode(), b"#", b"x" * 5000],
    ]
)
ANYTHING = st.lists(st.one_of(PARTS, PARTS, st.binary(max_size=20)), max_size=30).map(b"".join)


def outcome(*chunks: bytes) -> tuple[list[Ban], str | None]:
    return outcome_of([stream(*chunks)])


@examples(300)
@given(ANYTHING, st.lists(st.integers(0, 400), max_size=4))
@example(b"\r\nRestore Ban 192.0.2.1\n\0\0", [1])
@example(b"\x01192.0.2.1 is an address in plain text, with a sign before it that is none\n" * 2, [1])
@example(b"Status for the jail: a\n`- Banned IP list:\ta b\nc d\n\n192.0.2.1\n", [50])
def test_no_input_is_wrong_and_chunks_do_not_matter(text: bytes, cuts: list[int]) -> None:
    whole = outcome(text)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    chunks = [text[start:end] for start, end in pairwise(edges)]
    in_chunks = outcome(*chunks)
    assert in_chunks[1] == whole[1]
    # What was shown before it turned out to be no text stays shown.
    assert in_chunks == whole or "cannot read input: it is" in str(whole[1])
    for ban in whole[0]:
        assert ban.text == clean_text(ban.text)
        assert ban_targets(ban) is not None
        for moment in (ban.banned_at, ban.expires_at):
            assert moment is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)


@examples(100)
@given(ANYTHING.filter(lambda text: not text.startswith(b"\x1f\x8b")), st.integers(0, 200))
def test_any_gzip_cut_anywhere_does_no_harm(text: bytes, missing: int) -> None:
    packed = gzip.compress(text)
    outcome(packed[: max(0, len(packed) - missing)])
    assert outcome(packed) == outcome(text)


@pytest.mark.parametrize(
    "start",
    [
        *[b"", b"[{'a': ['", b"['", b"Status for the jail: ", b"   `- Banned IP list:\t", b"|- Jail list:\t"],
        *[b"2026-11-23 21:42:00,606 fail2ban.actions [728]: NOTICE  [sshd] Ban ", b"Invalid command ("],
        *[b"fail2ban.actions ", b"#", b"[['", b"{'a': ['", b"fail2ban"],
    ],
)
def test_a_line_of_megabytes_costs_no_memory_and_little_time(start: bytes) -> None:
    tracemalloc.start()
    try:
        for filler in (b"a", b" ", b"'", b"\\", b"'a', ", b"( # "):
            part = (filler * (1 << 16))[: 1 << 16]
            tracemalloc.reset_peak()
            for batch in read_bans([stream(start, *[part] * 4, b"\n192.0.2.99\n")], Problems()):
                del batch
            assert tracemalloc.get_traced_memory()[1] < 24 << 20, filler
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        b"DROP       all  --  192.0.2.1         0.0.0.0/0\n",
        b"   12   720 DROP  all  --  *      *       192.0.2.1         0.0.0.0/0\n",
        b"DROP all ::/0 ::/0 192.0.2.1\n",
        b"0.0.0.0/0\n192.0.2.1\n::/0\n",
    ],
)
def test_nobody_is_banned_with_everybody(text: bytes) -> None:
    assert [ban.text for ban in bans(text)] == ["192.0.2.1"]

"""``geocli annotate``: every byte as it was, answers behind addresses, at once."""

from __future__ import annotations

import os
import random
import subprocess
import time
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.lookup.annotator import Annotator, short_note
from geocli.mmdb.embedded import embedded_path
from geocli.providers.mmdb import MmdbProvider
from tests.conftest import Geocli, MakeMmdb

GOOGLE = " [US AS15169 Google LLC]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 8.8.8.8 port 22\n", f"from 8.8.8.8{GOOGLE} port 22\n"),
        ("8.8.8.8:22, (8.8.8.8) <8.8.8.8>.", f"8.8.8.8{GOOGLE}:22, (8.8.8.8{GOOGLE}) <8.8.8.8{GOOGLE}>."),
        ("[2001:4860:4860::8888]:443", f"[2001:4860:4860::8888{GOOGLE}]:443"),
        ("2001:4860:4860::8888: gone", f"2001:4860:4860::8888{GOOGLE}: gone"),
        ("8.8.8.0/24 banned", f"8.8.8.0/24{GOOGLE} banned"),
        ("http://8.8.8.8/24 x", f"http://8.8.8.8{GOOGLE}/24 x"),
        ("::ffff:8.8.8.8 x", f"::ffff:8.8.8.8{GOOGLE} x"),
        ("2001:4860:4860::8888%eth0 x", f"2001:4860:4860::8888%eth0{GOOGLE} x"),
        ("10.0.0.1 1.2.3 v8.8.8.8 21:42:43 # 8.8.8.8", f"10.0.0.1 1.2.3 v8.8.8.8 21:42:43 # 8.8.8.8{GOOGLE}"),
        ("[{'8.8.8.8': ['8.8.8.8']}]", f"[{{'8.8.8.8{GOOGLE}': ['8.8.8.8{GOOGLE}']}}]"),
        ("a%2F8.8.8.8%2Fb \\n8.8.8.8\\n", f"a%2F8.8.8.8{GOOGLE}%2Fb \\n8.8.8.8{GOOGLE}\\n"),
        ("\x1b[1m8.8.8.8\x1b[0m", f"\x1b[1m8.8.8.8{GOOGLE}\x1b[0m"),
        ("8[.]8[.]8[.]8/x", f"8[.]8[.]8[.]8{GOOGLE}/x"),
        ("IP 8.8.8.8.53 > 10.0.0.1.5: x", f"IP 8.8.8.8{GOOGLE}.53 > 10.0.0.1.5: x"),
        ("8.8.8.0/255.255.255.0, 8.8.8.8/53", f"8.8.8.0/255.255.255.0{GOOGLE}, 8.8.8.8{GOOGLE}/53"),
        ("8.8.8.8-8.8.8.20 (Chrome/8.8.8.8)", f"8.8.8.8-8.8.8.20{GOOGLE} (Chrome/8.8.8.8)"),
        ("[client 2001:4860:4860::8888:80]", f"[client 2001:4860:4860::8888{GOOGLE}:80]"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_answer_stands_behind_the_address(geocli: Geocli, text: str, expected: str) -> None:
    done = geocli("annotate", stdin=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


def test_nothing_is_remembered(geocli: Geocli, data_dir: Path) -> None:
    geocli("annotate", stdin="8.8.8.8\n")
    assert not data_dir.exists()


def test_a_template_says_what_is_added(geocli: Geocli) -> None:
    done = geocli("annotate", "-t", " <{country_code}|{ip}|100%>", stdin="a 1.1.1.1 b\n")
    assert done.stdout == "a 1.1.1.1 <AU|1.1.1.1|100%> b\n"
    assert geocli("annotate", "-t", "{nobody}", stdin="").returncode == 2


def test_files_follow_each_other_and_a_bad_one_stops_none(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1.1.1.1 without an end")
    (tmp_path / "b").write_bytes(b"\xff\x00 8.8.8.8 in a line of a log\r\n")
    done = subprocess.run(
        [*geocli.command, "annotate", tmp_path / "a", tmp_path / "missing", tmp_path / "b"],
        env=geocli.env, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == (
        b"1.1.1.1 [AU AS13335 Cloudflare, Inc.] without an end\xff\x00 8.8.8.8"
        + GOOGLE.encode()
        + b" in a line of a log\r\n"
    )
    assert done.stderr.count(b"\n") == 1


def test_a_damaged_database_is_one_line(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_text("no database")
    done = geocli("annotate", "--mmdb", tmp_path / "x.mmdb", stdin="8.8.8.8\n")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)


def test_hostile_organisations_add_nothing_but_text(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    record = {"autonomous_system_organization": "a\x1b[2Jb\nc\u202e", "country_code": "DE"}
    database = make_mmdb("hostile", {"8.8.8.0/24": record})
    out = geocli("annotate", "--mmdb", database, stdin="8.8.8.8\n").stdout
    assert out == "8.8.8.8 [DE a\\x1b[2Jb c\\u202e]\n"


def test_each_line_comes_while_the_pipe_stays_open(geocli: Geocli) -> None:
    process = subprocess.Popen(
        [*geocli.command, "annotate"], env=geocli.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), True)
    for number in range(20):
        process.stdin.write(b"line %d from 8.8.8.8\n" % number)
        process.stdin.flush()
        assert process.stdout.readline() == b"line %d from 8.8.8.8%s\n" % (number, GOOGLE.encode())
        time.sleep(0.01)
    process.stdin.close()
    assert process.wait(timeout=10) == 0


ANNOTATOR = Annotator(MmdbProvider([embedded_path()]), lambda record: f"\0{short_note(record)}\0")
LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [
                b"8.8.8.8", b"2001:4860:4860::8888", b"1.1.1.1/24", b"\n", b" ", b":22", b"]", b"#", b".",
                b"\\n", b"%2F", b"\x1b[1m", b"8[.]8[.]8[.]8", b"8.8.8.8-8.8.8.20",
                b"IP 8.8.8.8.53 > 1.1.1.1.5:",
            ]
        ),
        st.ip_addresses(v=4).map(lambda address: str(address).encode()),
    ),
    max_size=30,
)  # fmt: skip


@given(parts=LINES, cuts=st.lists(st.integers(0, 200), max_size=5))
def test_without_what_was_added_the_text_is_the_same(parts: list[bytes], cuts: list[int]) -> None:
    text = b"".join(parts).replace(b"\0", b"")
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    chunks = [text[begin:end] for begin, end in pairwise(edges) if begin < end]
    annotated = b"".join(ANNOTATOR.annotate(chunks))
    assert b"".join(annotated.split(b"\0")[::2]) == text


def test_a_note_that_is_made_once_for_an_answer_is_that_of_each_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geocli.lookup.annotator._MOST_REMEMBERED", 5000)
    monkeypatch.setattr("geocli.mmdb.open_databases.MOST_SHARED", 8000)
    chosen = random.Random(1)  # noqa: S311 (not a secret)
    hosts = [str(IPv4Address(chosen.getrandbits(32))) for _ in range(30_000)]
    hosts[10_000:20_000:7] = [f"2a01:4f8:{number:x}::1" for number in range(len(hosts[10_000:20_000:7]))]
    lines = [f"{host} {hosts[chosen.randrange(number + 1)]}\n".encode() for number, host in enumerate(hosts)]
    chunks = [b"".join(lines[begin : begin + 900]) for begin in range(0, len(lines), 900)]

    def annotated(*, by_answer: bool) -> bytes:
        annotator = Annotator(MmdbProvider([embedded_path()]), short_note, by_answer=by_answer)
        return b"".join(annotator.annotate(chunks))

    assert annotated(by_answer=True) == annotated(by_answer=False)


def test_a_word_of_megabytes_goes_through() -> None:
    text = b"8.8.8.8 " + b"x" * 3_000_000 + b" 1.1.1.1\n" + b"y" * 3_000_000
    chunks = [text[begin : begin + 65_536] for begin in range(0, len(text), 65_536)]
    annotated = b"".join(ANNOTATOR.annotate(chunks))
    assert b"".join(annotated.split(b"\0")[::2]) == text
    assert annotated.count(b"\0") == 4

"""Much text is read in a quicker way, which finds what the other one finds."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.bulk_text import BulkText
from geocli.inputs.in_text import find_targets
from tests.support.examples import examples
from tests.support.targets import V4, V6

FIXTURES = Path(__file__).parents[1] / "fixtures"
PLAIN = "198.51.100.7 - - [23/Nov/2026:21:42:07 +0000] 404\n203.0.113.9 - - 2a01:4f8::9\n"
WORDS = r"""
    1.2.3.4 255.255.255.255 0.0.0.0 01.2.3.4 256.1.1.1 1.2.3.256 1.2.3 1.2.3.4.5 1.2.3.4/24 1.2.3.4-1.2.3.9
    1[.]2[.]3[.]4 1[dot]2[dot]3[dot]4 1\.2\.3\.4 1.2.3.4[.] ::1 2001:db8::1
    ::ffff:1.2.3.4 fe80::1%eth0 12:34:56 2001[:]db8::1
    Chrome/120.0.0.0 Edg/99.1.2.3 sputnik Linux v a.b.c.d in-addr.arpa a1.2.3.4 -1.2.3.4
    _ . .. , ; ) ( ] [ " ' = : :: / \ \/ %20 %2F \n \" #012 Build/ Profile/ D B .22
    > %ASA- RT_FLOW \0 ä é client Connect from 22
""".split()  # noqa: SIM905 (as a list, it is a page)
GAPS = ["", " ", "\n"]
PARTS = st.one_of(st.sampled_from([*WORDS, *GAPS, "\t"]), V4.map(str), V6.map(str))


def assert_same(text: bytes) -> None:
    assert sorted(BulkText().find(text).decode().split("\n")) == sorted(find_targets(text) or [""])


@examples(400)
@example(text=b"1.2.3.4..5.6.7.8", among_others=False)
@example(text=b"1.2.3.4.\n5.6.7.8", among_others=False)
@given(
    text=st.lists(PARTS, max_size=30).map(lambda parts: "".join(parts).encode()), among_others=st.booleans()
)
def test_much_text_is_read_like_little_text(text: bytes, among_others: bool) -> None:
    plain = PLAIN.encode()
    assert_same(plain + text + b"\n" + plain if among_others else text)


@examples(100)
@given(
    st.sampled_from(WORDS),
    st.sampled_from(["", " ", "\n"]),
    V4.map(str),
    st.sampled_from(["", " "]),
    st.sampled_from(WORDS),
)
def test_whatever_stands_around_an_address_means_the_same_in_much_text(
    before: str, gap: str, address: str, space: str, behind: str
) -> None:
    assert_same(f"{PLAIN}{before}{gap}{address}{space}{behind}\n{PLAIN}".encode())


def test_text_is_read_the_same_whatever_came_before_it() -> None:
    bulk = BulkText()
    for text in [PLAIN, "host/1.2.3.4/24\n", PLAIN, PLAIN, "1[.]2[.]3[.]4\n", *[PLAIN] * 9]:
        assert sorted(bulk.find(text.encode()).decode().split()) == sorted(find_targets(text.encode()))


def test_a_doubt_in_one_part_of_a_text_does_no_harm_to_others() -> None:
    text = (PLAIN * 1000 + "host/1.2.3.4/24 1[dot]1[dot]1[dot]1\n" + PLAIN * 1000).encode()
    assert_same(text)
    assert_same(text.replace(b"\n", b" "))  # one line


@pytest.mark.parametrize(
    "path", [path for path in sorted(FIXTURES.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_real_text_is_read_the_same(path: Path) -> None:
    text = path.read_bytes()[: 1 << 20]
    if text.startswith(b"\x1f\x8b"):
        text = gzip.decompress(path.read_bytes())
    assert_same(text)

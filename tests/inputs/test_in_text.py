"""Where addresses and networks stand in other text, and where nothing does."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geocli.inputs.address_words import read_v6, v6_text
from geocli.inputs.cuts import WORD_BYTES
from geocli.inputs.in_lines import find_in_lines
from geocli.inputs.in_text import find_ends, find_targets
from geocli.model.address_space import is_given_out
from geocli.model.addresses import LONGEST_TARGET, is_ipv6, is_network, parse_target
from tests.conftest import within
from tests.support.examples import examples
from tests.support.targets import GIVEN_OUT, GIVEN_OUT_V6, V4, V6, canonical, written_targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3.4:22", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("(1.2.3.4)", "1.2.3.4"),
        ("<1.2.3.4>", "1.2.3.4"),
        ("'1.2.3.4'", "1.2.3.4"),
        ("ip=1.2.3.4,", "1.2.3.4"),
        ("a sentence's 1.2.3.4.", "1.2.3.4"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_what_the_contract_finds_is_found(text: str, expected: str) -> None:
    assert find_targets(text.encode()) == [expected]


@pytest.mark.parametrize(
    "text",
    ["1.2.3.4.5", "1.2.3", "010.1.1.1", "300.1.1.1", "21:21:42", "aa:bb:cc:dd:ee:ff", "v1.2.3.4-rc1"],
)
def test_what_the_contract_does_not_find_is_not_found(text: str) -> None:
    assert find_targets(text.encode()) == []
    assert find_targets(f"from {text} to ({text}), '{text}'\n".encode()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # alone
        ("0.0.0.0", ["0.0.0.0"]),
        ("255.255.255.255", ["255.255.255.255"]),
        ("199.249.250.209", ["199.249.250.209"]),
        ("::", ["::"]),
        ("::1", ["::1"]),
        ("1::", []),
        ("dead::beef", []),
        ("fd00::beef", ["fd00::beef"]),
        ("2001:2:3:4:5:6:7:8", ["2001:2:3:4:5:6:7:8"]),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", ["2001:db8::1"]),
        ("2001:db8:0:0:1:0:0:1", ["2001:db8::1:0:0:1"]),
        ("2001:2:3:4:5:6:1.2.3.4", ["2001:2:3:4:5:6:102:304"]),
        ("64:ff9b::192.0.2.1", ["64:ff9b::c000:201"]),
        # ports
        ("1.2.3.4:65535 ", ["1.2.3.4"]),
        ("1.2.3.4:22->5.6.7.8:3333", ["1.2.3.4", "5.6.7.8"]),
        ("tcp4:1.2.3.4", ["1.2.3.4"]),
        ("[::1]:80", ["::1"]),
        ("[1.2.3.4]:80", ["1.2.3.4"]),
        ("2001:db8::1.443", []),
        ("1.2.3.4#53", ["1.2.3.4"]),
        # brackets and quotes
        ("{1.2.3.4}", ["1.2.3.4"]),
        ('"1.2.3.4"', ["1.2.3.4"]),
        ("`1.2.3.4`", ["1.2.3.4"]),
        ("«1.2.3.4»", ["1.2.3.4"]),
        ("(::1)", ["::1"]),
        ("<::1>", ["::1"]),
        ("[unknown[1.2.3.4]]", ["1.2.3.4"]),
        ("rhost=1.2.3.4  user=root", ["1.2.3.4"]),
        ("a|1.2.3.4|b;2001:db8::1;c", ["1.2.3.4", "2001:db8::1"]),
        # the end of a sentence or a clause
        ("1.2.3.4. Next", ["1.2.3.4"]),
        ("1.2.3.4...", ["1.2.3.4"]),
        ("1.2.3.4, 5.6.7.8; 9.10.11.12! ::1? ::2.", ["1.2.3.4", "5.6.7.8", "9.10.11.12", "::1", "::2"]),
        ("from 1.2.3.4: no", ["1.2.3.4"]),
        ("from 2001:db8::1: no", ["2001:db8::1"]),
        ("2001:2:3:4:5:6:7:8: no", ["2001:2:3:4:5:6:7:8"]),
        ("1.2.3.4 - - [05/Nov/2026:21:21:42 +0000]", ["1.2.3.4"]),
        ("1.2.3.4- ", ["1.2.3.4"]),
        ("--1.2.3.4--", ["1.2.3.4"]),
        # networks
        ("1.2.3.4/24", ["1.2.3.0/24"]),
        ("1.2.3.0/24.", ["1.2.3.0/24"]),
        ("(10.0.0.0/8),", ["10.0.0.0/8"]),
        ("0.0.0.0/0", ["0.0.0.0/0"]),
        ("::/0", ["::/0"]),
        ("1.2.3.4/32", ["1.2.3.4"]),
        ("2001:db8::1/128", ["2001:db8::1"]),
        ("2001:db8:ffff:ffff:ffff::1/33", ["2001:db8:8000::/33"]),
        ("1.2.3.4/33", ["1.2.3.4"]),
        ("1.2.3.4/999", ["1.2.3.4"]),
        ("1.2.3.4/024", ["1.2.3.4"]),
        ("2001:db8::1/129", ["2001:db8::1"]),
        ("1.2.3.4/24/", ["1.2.3.4"]),
        ("1.2.3.4/", ["1.2.3.4"]),
        ("1.2.3.4/24px", ["1.2.3.4"]),
        ("1.2.3.4/24.html", ["1.2.3.4"]),
        ("1.2.3.4/255.255.255.0", ["1.2.3.0/24"]),
        # IPv4 in IPv6
        ("::ffff:1.2.3.4", ["1.2.3.4"]),
        ("[::FFFF:1.2.3.4]:80", ["1.2.3.4"]),
        ("::ffff:102:304", ["1.2.3.4"]),
        ("0:0:0:0:0:ffff:1.2.3.4", ["1.2.3.4"]),
        ("::ffff:1.2.3.4/120", ["1.2.3.0/24"]),
        ("::ffff:1.2.3.4/128", ["1.2.3.4"]),
        ("::ffff:0:0/96", ["0.0.0.0/0"]),
        ("::ffff:0:0/95", ["::fffe:0:0/95"]),
        ("::1.2.3.4", ["::102:304"]),
        ("::ffff:1.2.3.400", []),
        ("::1.2.3", []),
        ("::1.2.3.4.5", []),
        # zone ids
        ("fe80::1%eth0.100", ["fe80::1"]),
        ("fe80::1%eth0, fe80::2%wlp2s0-x", ["fe80::1", "fe80::2"]),
        ("[fe80::1%eth0]:22", ["fe80::1"]),
        ("fe80::1%3: no", ["fe80::1"]),
        ("fe80::1:2%eth0/64", ["fe80::/64"]),
        ("1.2.3.4%eth0", ["1.2.3.4"]),
        # longer words
        ("00:11:22:33:44:55:66:77", []),
        ("1:2:3:4:5:6:7:8:9", []),
        ("1:2:3:4:5:6:7", []),
        ("::1::", []),
        (":::1", []),
        ("12345::1", []),
        ("1.2.3.4.example.com", []),
        ("host1.2.3.4", []),
        ("ec2-1-2-3-4.example.com", []),
        ("4.3.2.1.in-addr.arpa", []),
        ("4.3.2.1.zen.dnsbl.example.", []),
        ("1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", []),
        ("_1.2.3.4", []),
        ("1.2.3.4_", []),
        ("x-1.2.3.4", []),
        ("1.2.3.4-x", []),
        ("1.2.3.4-1.2.3.9", ["1.2.3.4/30", "1.2.3.8/31"]),
        ("1.2.3.4 - 1.2.3.9", ["1.2.3.4", "1.2.3.9"]),
        ("1.2.3.04", []),
        ("1.2.3.256", []),
        ("1..2.3.4", []),
        ("1.2.3.4e5", []),
        ("std::dec", []),
        ("Foo::Bar::baz", []),
        ("x::1", []),
        ("::1x", []),
        # URLs
        ("http://1.2.3.4/24", ["1.2.3.4"]),
        ("http://1.2.3.4/24/", ["1.2.3.4"]),
        ("http://1.2.3.4/", ["1.2.3.4"]),
        ("http://1.2.3.4:80/24", ["1.2.3.4"]),
        ("http://[2001:db8::1]/24", ["2001:db8::1"]),
        ("http://user@1.2.3.4/x?y=5.6.7.8&z", ["1.2.3.4", "5.6.7.8"]),
        ("GET /?url=http%3A%2F%2F1.2.3.4%2F HTTP/1.1", ["1.2.3.4"]),
        ("%1.2.3.4", []),
        ("1.2.3.4%20", ["1.2.3.4"]),
        # bytes that are no text
        ("é1.2.3.4é", ["1.2.3.4"]),
        ("中1.2.3.4文::1中", ["1.2.3.4", "::1"]),
        ("\0001.2.3.4\000::1\000", ["1.2.3.4", "::1"]),
        ("1.2.3.4\0005.6.7.8", ["1.2.3.4", "5.6.7.8"]),
        ("\x1b[1m1.2.3.4\x1b[0m", ["1.2.3.4"]),
        ("\u200b1.2.3.4\u202e", ["1.2.3.4"]),
        ("\u0661.\u0662.\u0663.\u0664", []),
        # order and repetition
        ("1.2.3.4 ::1 1.2.3.4 1.2.3.4/32", ["1.2.3.4", "::1", "1.2.3.4", "1.2.3.4"]),
        ("", []),
    ],
)
def test_addresses_stand_as_words_in_text(text: str, expected: list[str]) -> None:
    assert find_targets(text.encode()) == expected


@pytest.mark.parametrize(
    "label", ["IPv6", "addr", "client", "source", "src", "node", "interface", "remote", "web"]
)
@pytest.mark.parametrize("address", ["2001:db8::1", "::1", "fe80::1", "192.0.2.1", "2001:2:3:4:5:6:7:8"])
def test_a_label_with_a_colon_before_an_address_is_no_part_of_it(label: str, address: str) -> None:
    assert find_targets(f"from {label}:{address}, port 22".encode()) == [address]


def test_bytes_that_are_not_utf8_do_no_harm() -> None:
    assert find_targets(b"\xff1.2.3.4\xfe\x80::1\xc3") == ["1.2.3.4", "::1"]


def test_real_log_lines_give_their_addresses_and_nothing_else() -> None:
    log = b"""\
Nov  5 06:25:07 host sshd[1234]: Failed password for invalid user 1.2.3 from 192.0.2.7 port 51234 ssh2
2026-11-05 06:25:07,814 fail2ban.actions [728]: NOTICE [sshd] Ban 2001:db8::7
203.0.113.9 - - [05/Nov/2026:06:25:07 +0100] "GET /v1.2.3.4/ HTTP/1.1" 404 0 "-" "curl/8.5.0"
kernel: IN=eth0 MAC=00:16:3e:aa:bb:cc:fe:ff:ff:ff:ff:ff:08:00 SRC=198.51.100.4 DST=192.0.2.1 LEN=40
postfix/smtpd[99]: connect from unknown[2001:db8::25]
2026/11/05 06:25:07 [error] 7#7: *1 client: 192.0.2.8, server: x, upstream: "http://10.0.0.1:8080/1"
ipv6, 2001:db8::9.51234 > 2001:db8::a.22: nginx-1.27.0.1~deb12u1 at 06:25:07.123456
"""
    assert find_targets(log) == [
        "192.0.2.7",
        "2001:db8::7",
        "203.0.113.9",
        "198.51.100.4",
        "192.0.2.1",
        "2001:db8::25",
        "192.0.2.8",
        "10.0.0.1",
    ]


# --- properties ---------------------------------------------------------------------------------------

BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r\n", "  ", "\x00", "\x0b", "\u00a0"])
OPENING = ["(", "[", "<", "{", "'", '"', "=", ",", ";", "|", "@", "!", "?", "&", "+", "*", "#", "$", "^", "`"]
CLOSING = [")", "]", ">", "}", "'", '"', "=", ",", ";", "|", "@", "!", "?", "&", "+", "*", "#", "$", "^", "`"]
LEFT = st.builds("{}{}".format, BLANKS, st.sampled_from(["", "é", "\\", "- ", "a: ", *OPENING]))
RIGHT = st.builds(
    "{}{}".format,
    st.sampled_from(["", "é", "\\", ". ", ".\n", "...", ": ", "- ", *CLOSING]),
    BLANKS,
)


@examples(200)
@given(LEFT, written_targets(GIVEN_OUT), RIGHT)
def test_any_target_among_punctuation_is_found_once_and_canonical(
    left: str, target: tuple[str, str], right: str
) -> None:
    text, expected = target
    assume(not (text.endswith(":") and right.startswith(":")))  # the next test
    assert find_targets(f"{left}{text}{right}".encode()) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1.2.3.4 "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36 Edg/9.0.0.0"', ["1.2.3.4"]),
        ("::1 HeadlessChrome/99.0.0.0, 120.0.0.0/8", ["::1", "120.0.0.0/8"]),
        ("http://120.0.0.0/ outside/120.0.0.1(80) (120.0.0.0)", ["120.0.0.0", "120.0.0.1", "120.0.0.0"]),
    ],
)
def test_what_browsers_call_themselves_is_no_address(text: str, expected: list[str]) -> None:
    assert find_targets(text.encode()) == expected
    assert [target for _, target in find_ends(text.encode())] == expected


@examples(500)
@given(
    st.one_of(
        V6.map(str), V6.map(lambda address: address.exploded.upper()), st.from_regex(r"[0-9a-fA-F:]{2,40}")
    )
)
def test_ipv6_is_read_as_ipaddress_reads_it(text: str) -> None:
    read = read_v6(text.encode(), has_port=False)
    try:
        address = IPv6Address(text)
    except ValueError:
        assert read is None or read[1] < len(text)  # what follows the address is a port, or punctuation
        return
    if re.fullmatch("..(:..){7}", text) or not is_given_out(address.packed):
        assert read is None
    else:
        assert read == (address.packed, len(text))
        assert v6_text(address.packed) == canonical(address)


@examples(200)
@given(
    st.lists(
        st.sampled_from(
            [
                "192.0.2.1 GET /1/2",
                "12:30:01 8.8.8.8",
                "2001:db8::1",
                "198.51.100.0/24 x",
                "1.2.3.4/a",
                "::1 ::/0",
                "",
            ]
        )
    )
)
def test_lines_do_not_change_what_is_found_in_others(lines: list[str]) -> None:
    one_by_one = [target for line in lines for target in find_targets(line.encode())]
    text = "\n".join(lines).encode()
    assert find_targets(text) == one_by_one
    ends = find_ends(text)
    assert [target for _, target in ends] == one_by_one
    assert [end for end, _ in ends] == sorted(end for end, _ in ends)


LISTED = st.one_of(V4.map(str), st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", fullmatch=True))
UNLISTED = st.sampled_from(
    [
        "",
        "1.2.3.4/24",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "é",
        "\x00",
        "::1",
        "-",
        "1.2.3.4:22",
        "1.2.3.4 5.6.7.8",
    ]
)


@examples(200)
@given(
    st.lists(st.one_of(LISTED, LISTED, LISTED, UNLISTED), min_size=1, max_size=20),
    st.sampled_from(["\n", "\r\n", "\n\n", "\x1c\n", "\x85\n", " \n\t"]),
)
def test_a_long_list_is_read_as_its_lines_are(lines: list[str], line_end: str) -> None:
    copies = 1 + 5000 // len(line_end.join([*lines, ""]))
    text = line_end.join([*lines, ""] * copies)
    assert (
        find_targets(text.encode())
        == [found for line in lines for found in find_targets(line.encode())] * copies
    )


@pytest.mark.parametrize("address", ["::", "2001:db8::", "fe80::"])
def test_a_colon_behind_an_address_that_ends_in_two_is_punctuation(address: str) -> None:
    assert find_targets(f"from {address}: refused".encode()) == [address]


@examples(100)
@given(
    st.lists(st.tuples(written_targets(GIVEN_OUT), st.sampled_from([" ", "\n", ", ", "\t", "', '", ") ("])))
)
def test_all_targets_are_found_in_order_and_as_often_as_they_stand_there(
    items: list[tuple[tuple[str, str], str]],
) -> None:
    text = "".join(text + separator for (text, _), separator in items)
    assert find_targets(text.encode()) == [expected for (_, expected), _ in items]


WORDS = b"1.2.3.4 255 256 0 1. . : :: / /24 /129 % %eth0 ffff ::ffff: fe80::1 - _ [ ] a G \0 \xff \xc3\xa9"
HOSTILE_PARTS = st.sampled_from([*WORDS.split(b" "), b" ", b"\n"])


@examples(200)
@given(st.one_of(st.binary(max_size=200), st.lists(HOSTILE_PARTS, max_size=30).map(b"".join)))
def test_whatever_is_found_in_any_bytes_is_canonical(text: bytes) -> None:
    for target in find_targets(text):
        assert parse_target(target) == target
        assert is_network(target) == ("/" in target)
        assert is_ipv6(target) == (ip_network(target).version == 6)
        assert len(target) <= LONGEST_TARGET


@examples(200)
@example(b"::\0/24", 0)
@given(st.lists(HOSTILE_PARTS, max_size=30).map(b"".join), st.integers(0, 400))
def test_text_may_be_cut_wherever_a_word_ends(text: bytes, position: int) -> None:
    # Letters of other alphabets are part of a name: "Über/1.2.3.4".
    cuts = [i for i in range(1, len(text)) if text[i - 1] not in WORD_BYTES and text[i - 1] < 128]
    assume(cuts)
    cut = cuts[position % len(cuts)]
    assert find_targets(text[:cut]) + find_targets(text[cut:]) == find_targets(text)


@examples(300)
@example(b"1.1.22.33.4.5. x")  # half of it is around its second middle
@given(
    st.lists(st.one_of(HOSTILE_PARTS, st.ip_addresses(v=4).map(lambda v4: str(v4).encode()))).map(b"".join)
)
def test_the_quick_ways_find_what_the_thorough_one_finds(text: bytes) -> None:
    found = [target for _, target in find_ends(text)]
    assert find_targets(text) == found
    sparse = b"\n" + b"-" * 20 * len(text)  # without a full stop
    assert find_targets(text + sparse) == found
    assert find_targets(sparse + b"\n" + text) == found


def _pairs(count: int, separator: str) -> st.SearchStrategy[str]:
    pair = st.integers(0, 255).map("{:02x}".format)
    return st.lists(pair, min_size=count, max_size=count).map(separator.join)


NUMBER = st.integers(0, 400).map(str)
NO_TARGETS = st.one_of(
    st.lists(NUMBER, min_size=2, max_size=3).map(".".join),
    st.lists(NUMBER, min_size=5, max_size=8).map(".".join),
    st.lists(NUMBER, min_size=2, max_size=6).map(lambda numbers: "v" + ".".join(numbers)),
    st.lists(NUMBER, min_size=2, max_size=6).map(lambda numbers: ".".join(numbers) + "-rc1"),
    st.lists(NUMBER, min_size=2, max_size=6).map(lambda numbers: "openssl-" + ".".join(numbers)),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.datetimes().map(lambda moment: moment.strftime("%d/%b/2026:%H:%M:%S +0000")),
    st.times().map(str),
    st.times().map(lambda time: f"{time:%H:%M:%S}:"),
    st.timedeltas().map(str),
    _pairs(6, ":"),
    _pairs(6, ":").map(str.upper),
    _pairs(6, "-"),
    _pairs(8, ":"),
    _pairs(6, "").map(lambda digits: f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"),
    st.uuids().map(str),
    st.sampled_from(
        ["std::dec", "1:0.2", "a.b.c.d", "12:34", ":", "::ffff:300.1.1.1", "1.2.3.4.5", "1,2,3,4"]
    ),
)


@examples(200)
@given(
    st.lists(
        st.tuples(NO_TARGETS, st.sampled_from([" ", "\n", ", ", ") (", "] [", "' '", '"', "; ", " = "])),
        min_size=1,
    )
)
def test_versions_dates_times_and_hardware_addresses_are_no_targets(items: list[tuple[str, str]]) -> None:
    text = "".join(word + separator for word, separator in items)
    assert find_targets(text.encode()) == []


# --- hostile text -------------------------------------------------------------------------------------

MANY = 150_000  # twice this is 300 kB


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"1:" * MANY, 0),
        (b"1." * MANY, 0),
        (b"a" * 2 * MANY, 0),
        (b"::" * MANY, 0),
        (b"%" * 2 * MANY, 0),
        (b"1.2.3.4/" * (MANY // 4), MANY // 4),
        (b"1.2.3.4%" * (MANY // 4), 1),
        (b"::1%" * (MANY // 2), 1),
        (b"fe80::1%" + b"x" * 2 * MANY, None),
        (b"1.2.3.4-" * (MANY // 4), None),
        (b"-" * 2 * MANY, 0),
        (b"." * 2 * MANY, 0),
        (b"/" * 2 * MANY, 0),
        (b"1:2 " * (MANY // 2), 0),
        (b"9" * 2 * MANY, 0),
        (b"1.2.3.4/" + b"2" * 2 * MANY, None),
        (b"[" * MANY + b"1.2.3.4" + b"]" * MANY, 1),
    ],
    ids=lambda value: repr(value[:10]) if isinstance(value, bytes) else "",
)
def test_megabytes_of_hostile_text_are_scanned(text: bytes, found: int | None) -> None:
    with within(20):
        targets = find_targets(text)
    if found is not None:
        assert len(targets) == found


@pytest.mark.parametrize(
    "text",
    [
        b"1:" * MANY + b"g",
        b":" * 2 * MANY + b"g",
        b"ffff:" * (MANY // 2) + b"-g",
    ],
    ids=lambda text: repr(text[:10] + text[-2:]),
)
def test_megabytes_of_colons_that_end_in_half_a_word_are_scanned(text: bytes) -> None:
    with within(10):
        assert find_targets(text) == []


SPECIAL_V6 = [
    "::1", "::", "::ffff:1.2.3.4", "::ffff:0102:0304", "64:ff9b::808:808", "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1%eth0", "fe80::1", "fd00::1", "ff02::1", "3fff::1",
    "2001:db8::", "20:01:0d:b8:85:a3:00:00", "2001:DB8:0:0:1:0:0:1", "2001:4860::8.8.8.8", "abc::def",
    "2a01:4f8:0:1::2:443", "2a01:4f8:1:2:3:4:5:6:443", "2a01:4f8::1:", "2a01:4f8::/32",
    "1.2.3.4", "8.8.8.8:53",
]  # fmt: skip
LISTED = st.one_of(
    V4.map(str), GIVEN_OUT_V6.map(str), V6.map(lambda one: one.exploded), st.sampled_from(SPECIAL_V6)
)


@examples(60)
@given(
    st.lists(st.tuples(LISTED, st.sampled_from(["\n", "\n\n", " ", "\r\n"])), min_size=1, max_size=30),
    st.booleans(),
)
def test_a_long_list_is_read_like_its_lines(words: list[tuple[str, str]], filled: bool) -> None:
    """What is read at a glance because there is much of it says the same as each word alone."""
    head = "2a01:4f8:1::1\n" * 400 if filled else ""
    text = (head + "".join(map("".join, words))).encode()
    alone = [target for line in text.splitlines(keepends=True) for target in find_targets(line)]
    assert find_targets(text) == alone
    assert [target for _, target in find_ends(text)] == alone


PREFIXES = ["", "x ", "[client ", "Connect from ", ":", "::", "ip=", "(", "a:", "f:", "-", "%20", "\\n"]
SUFFIXES = [
    "",
    " ",
    " [1",
    " (a/HTTP)",
    "/64",
    "%eth0",
    ":443",
    ".",
    ",",
    "]",
    "-2a01::1",
    "_",
    " - - [2",
    ":",
    "\\n",
]


@examples(80)
@given(
    st.sampled_from(PREFIXES),
    st.lists(GIVEN_OUT_V6.map(str), min_size=1, max_size=3),
    st.sampled_from(SUFFIXES),
)
def test_plain_ipv6_in_a_line_is_what_a_close_look_finds(before: str, words: list[str], behind: str) -> None:
    assume(not (behind.startswith(":") and any(word.endswith("::") for word in words)))  # three colons
    text = "".join(f"{before}{word}{behind}\n" for word in words).encode()
    closely = [target for found in find_in_lines(text, 0, len(text)) for target in found.targets]
    assert find_targets(text) == closely
    assert [target for _, target in find_ends(text)] == closely

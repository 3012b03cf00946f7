"""Addresses in text, their canonical form, and which of them nobody on the Internet can have."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from geocli.addresses import (
    LONGEST_TARGET,
    is_ipv6,
    is_network,
    is_reserved,
    parse_target,
    split_reserved,
)
from geocli.in_text import WORD_BYTES, _quick_v6, find_ends, find_targets

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAPPED = IPv6Network("::ffff:0:0/96")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail what hangs. A guard against quadratic work, far above what linear work takes."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"still at it after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def canonical(thing: Address | Network) -> str:
    """What geocli must call an address or a network, told by ``ipaddress`` alone."""
    if isinstance(thing, IPv6Address):
        return str(thing.ipv4_mapped or thing)
    if isinstance(thing, IPv6Network) and thing.subnet_of(MAPPED):
        mapped = thing.network_address.ipv4_mapped
        assert mapped is not None
        thing = IPv4Network((int(mapped), thing.prefixlen - 96))
    if isinstance(thing, (IPv4Network, IPv6Network)) and thing.prefixlen == thing.max_prefixlen:
        return str(thing.network_address)
    return str(thing)


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
        ("1::", ["1::"]),
        ("dead::beef", ["dead::beef"]),
        ("1:2:3:4:5:6:7:8", ["1:2:3:4:5:6:7:8"]),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", ["2001:db8::1"]),
        ("2001:db8:0:0:1:0:0:1", ["2001:db8::1:0:0:1"]),
        ("1:2:3:4:5:6:1.2.3.4", ["1:2:3:4:5:6:102:304"]),
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
        ("1:2:3:4:5:6:7:8: no", ["1:2:3:4:5:6:7:8"]),
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
        ("1.2.3.4/33", []),
        ("1.2.3.4/999", []),
        ("1.2.3.4/024", []),
        ("2001:db8::1/129", []),
        ("1.2.3.4/24/", ["1.2.3.4"]),
        ("1.2.3.4/", ["1.2.3.4"]),
        ("1.2.3.4/24px", ["1.2.3.4"]),
        ("1.2.3.4/24.html", ["1.2.3.4"]),
        ("1.2.3.4/255.255.255.0", ["1.2.3.4", "255.255.255.0"]),
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
        ("1.2.3.4-1.2.3.9", []),
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
        ("GET /?url=http%3A%2F%2F1.2.3.4%2F HTTP/1.1", []),
        ("%1.2.3.4", []),
        ("1.2.3.4%20", ["1.2.3.4"]),
        # bytes that are no text
        ("é1.2.3.4é", ["1.2.3.4"]),
        ("中1.2.3.4文::1中", ["1.2.3.4", "::1"]),
        ("\0001.2.3.4\000::1\000", ["1.2.3.4", "::1"]),
        ("1.2.3.4\0005.6.7.8", ["1.2.3.4", "5.6.7.8"]),
        ("\x1b[1m1.2.3.4\x1b[0m", []),
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
@pytest.mark.parametrize("address", ["2001:db8::1", "::1", "fe80::1", "192.0.2.1", "1:2:3:4:5:6:7:8"])
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
ipv6: 2001:db8::9.51234 > 2001:db8::a.22: nginx-1.27.0.1~deb12u1 at 06:25:07.123456
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

V4 = st.ip_addresses(v=4)
V6 = st.one_of(
    st.ip_addresses(v=6),
    st.builds(lambda address: IPv6Address((0xFFFF << 32) + int(address)), V4),
    st.builds(
        lambda mask, number: IPv6Address(number & sum(0xFFFF << 16 * i for i in range(8) if mask >> i & 1)),
        st.integers(0, 255),
        st.integers(0, 2**128 - 1),
    ),
)
ADDRESSES: st.SearchStrategy[Address] = st.one_of(V4, V6)


def with_dotted_end(address: IPv6Address) -> str:
    groups = address.exploded.split(":")
    return ":".join(groups[:6]) + f":{IPv4Address(int(address) & 0xFFFFFFFF)}"


@st.composite
def spellings(draw: st.DrawFn, addresses: st.SearchStrategy[Address] = ADDRESSES) -> tuple[str, Address]:
    """An address and one of the ways in which it may be written."""
    address = draw(addresses)
    if isinstance(address, IPv4Address):
        return str(address), address
    spelling = draw(st.sampled_from(["short", "exploded", "dotted"]))
    text = {"short": str(address), "exploded": address.exploded, "dotted": with_dotted_end(address)}[spelling]
    if draw(st.booleans()):
        text = text.upper()
    # Eight groups of two digits are an EUI-64.
    assume(not re.fullmatch(r"..(:..){7}", text))
    return text, address


@st.composite
def written_targets(draw: st.DrawFn) -> tuple[str, str]:
    """An address or a network as somebody may write it, and its canonical form."""
    text, address = draw(spellings())
    if draw(st.booleans()):
        return text, canonical(address)
    prefix = draw(st.integers(0, address.max_prefixlen))
    return f"{text}/{prefix}", canonical(ip_network(f"{address}/{prefix}", strict=False))


@settings(deadline=None, max_examples=200)
@given(LEFT, written_targets(), RIGHT)
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


@settings(deadline=None, max_examples=500)
@given(
    st.one_of(
        V6.map(str), V6.map(lambda address: address.exploded.upper()), st.from_regex(r"[0-9a-fA-F:]{2,40}")
    )
)
def test_the_systems_way_with_ipv6_is_that_of_ipaddress(text: str) -> None:
    found = _quick_v6(text)
    assert found is None or found == str(IPv6Address(text))


@settings(deadline=None, max_examples=200)
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


@settings(deadline=None, max_examples=200)
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


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(written_targets(), st.sampled_from([" ", "\n", ", ", "\t", "', '", ") ("]))))
def test_all_targets_are_found_in_order_and_as_often_as_they_stand_there(
    items: list[tuple[tuple[str, str], str]],
) -> None:
    text = "".join(text + separator for (text, _), separator in items)
    assert find_targets(text.encode()) == [expected for (_, expected), _ in items]


@settings(deadline=None, max_examples=200)
@given(written_targets())
def test_any_spelling_of_a_target_parses_to_the_canonical_one(target: tuple[str, str]) -> None:
    text, expected = target
    assert parse_target(text) == expected
    assert parse_target(f"  {text}\n") == expected
    assert parse_target(expected) == expected


@settings(deadline=None, max_examples=100)
@given(V6, st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_.~-]{0,15}", fullmatch=True))
def test_a_zone_id_is_cut_off(address: IPv6Address, zone: str) -> None:
    assume(not re.fullmatch(r"..(:..){7}", str(address)))
    assert parse_target(f"{address}%{zone}") == canonical(address)
    assert parse_target(f"{address}%{zone}/32") == canonical(ip_network(f"{address}/32", strict=False))
    if zone[-1] not in "~-":
        assert find_targets(f"on {address}%{zone} up".encode()) == [canonical(address)]


WORDS = b"1.2.3.4 255 256 0 1. . : :: / /24 /129 % %eth0 ffff ::ffff: fe80::1 - _ [ ] a G \0 \xff \xc3\xa9"
HOSTILE_PARTS = st.sampled_from([*WORDS.split(b" "), b" ", b"\n"])


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.lists(HOSTILE_PARTS, max_size=30).map(b"".join)))
def test_whatever_is_found_in_any_bytes_is_canonical(text: bytes) -> None:
    for target in find_targets(text):
        assert parse_target(target) == target
        assert is_network(target) == ("/" in target)
        assert is_ipv6(target) == (ip_network(target).version == 6)
        assert len(target) <= LONGEST_TARGET


@settings(deadline=None, max_examples=200)
@given(st.lists(HOSTILE_PARTS, max_size=30).map(b"".join), st.integers(0, 400))
def test_text_may_be_cut_wherever_a_word_ends(text: bytes, position: int) -> None:
    cuts = [i for i in range(1, len(text)) if text[i - 1] not in WORD_BYTES]
    assume(cuts)
    cut = cuts[position % len(cuts)]
    assert find_targets(text[:cut]) + find_targets(text[cut:]) == find_targets(text)


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


@settings(deadline=None, max_examples=200)
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

MANY = 1_000_000  # twice this is 2 MB


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


# --- one target from the command line -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "example.com",
        "1.2.3",
        "1.2.3.4.5",
        "010.1.1.1",
        "300.1.1.1",
        "1.2.3.4:22",
        "[::1]",
        "1.2.3.4%eth0",
        "fe80::1%",
        "%eth0",
        "1:2",
        "::1::",
        "aa:bb:cc:dd:ee:ff",
        "1.2.3.4 5.6.7.8",
        "1.2.3.4,5.6.7.8",
        "1.2.3.4-1.2.3.9",
        "AS64500",
        "16909060",
        "0x01020304",
        "\u0661.\u0662.\u0663.\u0664",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3.4/+8",
        "1.2.3.4/ 8",
        "1.2.3.4/x",
        "1.2.3.4/8/8",
        "1.2.3.4/255.255.255.0",
        "1.2.3.4/\u0668",
        "::1/129",
        "::1/",
        "/24",
        "1.2.3.4\n5",
        "\x1b[31m1.2.3.4",
        "\ud800",
        "1" * 100_000,
        "1.2.3.4/" + "1" * 100_000,
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_what_is_no_target_is_refused_in_one_short_printable_line(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (its text is looked at)
        parse_target(text)
    message = str(caught.value)
    assert ascii(text.strip())[1:LONGEST_TARGET].rstrip("'") in message
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 10 * LONGEST_TARGET


def test_a_prefix_that_is_too_long_is_told_how_long_it_may_be() -> None:
    with pytest.raises(ValueError, match="between 0 and 32"):
        parse_target("1.2.3.4/33")
    with pytest.raises(ValueError, match="between 0 and 128"):
        parse_target("::1/129")


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(), st.text(alphabet="0123456789abcdf:./% x", max_size=30)))
@example("1.2.3.4/24")
@example("fe80::1%eth0/64")
def test_any_argument_is_a_target_or_a_value_error(text: str) -> None:
    try:
        target = parse_target(text)
    except ValueError:
        return
    assert parse_target(target) == target
    if not re.fullmatch(r"..(:..){7}", target):
        assert find_targets(target.encode()) == [target]


# --- reserved -----------------------------------------------------------------------------------------

# The IANA special-purpose registries, each range with whether it is globally reachable; the most
# specific one decides. What is not global unicast (2000::/3) is not assigned to anybody.
REGISTRY: list[tuple[Network, bool]] = [
    (ip_network(text), reachable)
    for text, reachable in [
        ("0.0.0.0/0", True),
        ("0.0.0.0/8", False),
        ("10.0.0.0/8", False),
        ("100.64.0.0/10", False),
        ("127.0.0.0/8", False),
        ("169.254.0.0/16", False),
        ("172.16.0.0/12", False),
        ("192.0.0.0/24", False),
        ("192.0.0.9/32", True),
        ("192.0.0.10/32", True),
        ("192.0.2.0/24", False),
        ("192.31.196.0/24", True),
        ("192.52.193.0/24", True),
        ("192.88.99.0/24", True),
        ("192.168.0.0/16", False),
        ("192.175.48.0/24", True),
        ("198.18.0.0/15", False),
        ("198.51.100.0/24", False),
        ("203.0.113.0/24", False),
        ("224.0.0.0/4", False),
        ("240.0.0.0/4", False),
        ("255.255.255.255/32", False),
        ("::/0", False),
        ("64:ff9b::/96", True),
        ("64:ff9b:1::/48", False),
        ("100::/64", False),
        ("2000::/3", True),
        ("2001::/23", False),
        ("2001::/32", True),
        ("2001:1::1/128", True),
        ("2001:1::2/128", True),
        ("2001:1::3/128", True),
        ("2001:2::/48", False),
        ("2001:3::/32", True),
        ("2001:4:112::/48", True),
        ("2001:10::/28", False),
        ("2001:20::/28", True),
        ("2001:30::/28", True),
        ("2001:db8::/32", False),
        ("2002::/16", True),
        ("2620:4f:8000::/48", True),
        ("3fff::/20", False),
        ("5f00::/16", False),
        ("fc00::/7", False),
        ("fe80::/10", False),
        ("ff00::/8", False),
    ]
]
NAT64 = IPv6Network("64:ff9b::/96")
# NAT64 leads to the IPv4 address in it.
REGISTRY += [
    (
        IPv6Network((int(NAT64.network_address) + int(network.network_address), 96 + network.prefixlen)),
        reachable,
    )
    for network, reachable in REGISTRY
    if isinstance(network, IPv4Network)
]


def oracle_of_address(address: Address) -> bool:
    holding = [
        (network.prefixlen, reachable)
        for network, reachable in REGISTRY
        if network.version == address.version and address in network
    ]
    return not max(holding)[1]


EDGES: dict[int, list[int]] = {
    version: sorted(
        {
            edge
            for network, _ in REGISTRY
            if network.version == version
            for edge in (int(network[0]), int(network[-1]) + 1)
        }
    )
    for version in (4, 6)
}


def oracle_of_network(network: Network) -> bool:
    """Whether all of a network is reserved: nothing changes between two edges."""
    kind = type(network[0])
    first, last = int(network[0]), int(network[-1])
    points = [first, *(edge for edge in EDGES[network.version] if first < edge <= last)]
    return all(oracle_of_address(kind(point)) for point in points)


ALL_EDGES: list[Address] = [
    kind(edge + step)
    for version, kind in ((4, IPv4Address), (6, IPv6Address))
    for edge in EDGES[version]
    for step in (-2, -1, 0, 1)
    if 0 <= edge + step < 2 ** (32 if version == 4 else 128)
]


@pytest.mark.parametrize("address", ALL_EDGES, ids=str)
def test_the_edges_of_special_ranges_are_where_the_registries_have_them(address: Address) -> None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return  # no target is spelt so
    assert is_reserved(str(address)) is oracle_of_address(address)


@settings(deadline=None, max_examples=250)
@given(st.one_of(st.sampled_from(ALL_EDGES), ADDRESSES), st.integers(-300, 300))
def test_an_address_is_reserved_where_the_registries_say_so(near: Address, step: int) -> None:
    number = int(near) + step
    assume(0 <= number < 2**near.max_prefixlen)
    address = type(near)(number)
    assert is_reserved(parse_target(str(address))) is oracle_of_address(
        getattr(address, "ipv4_mapped", None) or address
    )


@settings(deadline=None, max_examples=250)
@given(st.one_of(st.sampled_from(ALL_EDGES), ADDRESSES), st.integers(0, 128))
def test_a_network_is_reserved_only_when_all_of_it_is(near: Address, prefix: int) -> None:
    assume(prefix <= near.max_prefixlen)
    network = ip_network(f"{near}/{prefix}", strict=False)
    target = parse_target(str(network))
    assert is_reserved(target) is oracle_of_network(ip_network(target))


@pytest.mark.parametrize("network", [network for network, _ in REGISTRY], ids=str)
def test_every_special_range_and_what_is_around_it_agrees_with_the_registries(network: Network) -> None:
    around: Network = network
    while True:
        target = parse_target(str(around))
        assert is_reserved(target) is oracle_of_network(ip_network(target)), target
        if around.prefixlen == 0:
            break
        around = around.supernet()


PARTLY_RESERVED = """
    0.0.0.0/0 192.0.0.0/24 192.0.0.8/29 172.0.0.0/8 192.0.0.0/3 126.0.0.0/7
    ::/0 2000::/3 2001::/23 2001:2::/31 3ffe::/15 64:ff9b::/96 64:ff9b::a00:0/103 64::/16
"""


@pytest.mark.parametrize("target", PARTLY_RESERVED.split())
def test_a_network_partly_outside_of_a_reserved_range_is_not_reserved(target: str) -> None:
    assert not is_reserved(target)


@settings(deadline=None, max_examples=200)
@given(ADDRESSES)
def test_what_the_standard_library_calls_local_or_multicast_is_reserved(address: Address) -> None:
    plain = ip_address(parse_target(str(address)))
    if plain.is_loopback or plain.is_link_local or plain.is_multicast or plain.is_unspecified:
        assert is_reserved(str(plain))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.one_of(HOSTILE_PARTS, st.ip_addresses(v=4).map(lambda v4: str(v4).encode()))).map(b"".join)
)
def test_the_quick_way_finds_what_the_thorough_one_finds(text: bytes) -> None:
    assert find_targets(text) == [target for _, target in find_ends(text)]


@given(st.lists(st.ip_addresses().map(str)))
def test_targets_are_split_as_each_by_itself(targets: list[str]) -> None:
    reserved, others = split_reserved(targets)
    assert reserved == list(filter(is_reserved, targets))
    assert others == [target for target in targets if not is_reserved(target)]

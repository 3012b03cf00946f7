"""The contract's table of addresses in text, row by row, each with its relatives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.in_text import find_ends, find_targets
from tests.conftest import FIXTURES
from tests.support.examples import examples

V4, V6 = "80.94.95.113", "2a02:8109::5"
LONG = "2a02:8109:9a00:1234:5678:9abc:def0:1234"


def check(text: str, expected: list[str]) -> None:
    """It is found, and nothing else, also in the middle of a line, and where ``annotate`` looks."""
    inside = [f"{text}\n", f"seen: {text} again\n", f"1.1.1.1 {text}\n9.9.9.9\n"]
    around: list[tuple[list[str], list[str]]] = [([], []), ([], []), (["1.1.1.1"], ["9.9.9.9"])]
    for line, (before, behind) in zip(inside, around, strict=True):
        data = line.encode()
        assert find_targets(data) == [*before, *expected, *behind]
        assert [target for _, target in find_ends(data)] == [*before, *expected, *behind]


@pytest.mark.parametrize(
    "text",
    [
        # JSON, of any program, also within a string
        "\\n{}\\n", "\\t{}", "\\r\\n{}\\r\\n", '\\"{}\\"', "http:\\/\\/{}\\/x", "\\u003c{}\\u003e",
        "\\u003C{}\\u003E", "\\u0022{}\\u0022", "\\u00a0{}", "\\U0001F600{}", "\\\\n{}\\\\n",
        '\\\\\\"{}\\\\\\"',
        # C, Python, nginx, Apache
        "\\x22{}\\x22", "\\x5B{}\\x5D", "\\x5b{}\\x5d", "b'\\xe2\\x80\\x8b{}'", "\\042 {}",
        # URLs, encoded once or more
        "%20{}%20", "%2F{}%2F", "%3D{}%26x", "%5B{}%5D", "%5b{}%5d", "%252F{}%252F", "%25252F{}",
        "%0A{}%0D%0A",
        "%2C{}%2C", "%22{}%22", "%27{}%27", "%28{}%29", "%7C{}%7C", "%C2%A0{}", "%E2%80%8B{}", "%e2%80%8b{}",
        "GET /?u=http%3A%2F%2F{}%2Fbins.sh", "%24%7Bjndi%3Aldap%3A%2F%2F{}%2Fa%7D",
        # terminals, also as other programs show them
        "\x1b[1m{}\x1b[0m", "\x1b[01;31m\x1b[K{}\x1b[m\x1b[K", "\x1b[38;5;196m{}\x1b[m", "\x1b[K{}\x1b[0K",
        "\x1b[38;2;255;100;0m{}\x1b[0m", "\x1b(B\x1b[m{}", "\x1b]8;;http://x\x1b\\{}\x1b]8;;\x1b\\",
        "\x1b]8;;http://x\x07{}\x1b]8;;\x07", "\\u001b[31m{}\\u001b[0m", "\\u001B[31m{}\\u001B[0m",
        "\\x1b[31m{}\\x1b[0m", "\\033[1;31m{}\\033[0m", "\\e[31m{}\\e[0m", "^[[31m{}^[[0m", "\\\\u001b[31m{}",
        # rsyslog, HTML, mail, cat -A
        "#011{}#012", "#033[31m{}#033[0m", "&lt;{}&gt;", "&quot;{}&quot;", "&#34;{}&#34;", "=3D{}", "^I{}^I",
    ],
)  # fmt: skip
def test_an_escape_is_a_boundary(text: str) -> None:
    for address in (V4, V6, "192.168.1.1", "1.2.3.4", "fe80::1"):
        check(text.format(address), [address])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a backslash or a percent sign is not always an escape
        ("DOMAIN\\fe80::1", ["fe80::1"]), ("\\2001:db8::1", ["2001:db8::1"]),
        ("\\192.168.1.1", ["192.168.1.1"]),
        ("C:\\app\\v1.2.3.4", []), ("\\02280.94.95.113\\022", [V4]), ("fe80::1%eth0", ["fe80::1"]),
        ("[fe80::1%eth0]:22", ["fe80::1"]), ("fe80::1%20", ["fe80::1"]), ("fe80::1%11:", ["fe80::1"]),
        ("[fe80::1%25eth0]", ["fe80::1"]), ("fe80::1%ed0", ["fe80::1"]), ("%1.2.3.4", []),
        ("%2C2a02:8109::5%2C2a02:8109::6", [V6, "2a02:8109::6"]), ("%2C1.1.1.2%2C1.1.1.3", ["1.1.1.2",
        "1.1.1.3"]),
        ('"80.94.95.0\\/24"', ["80.94.95.0/24"]), ('"2a02:8109::\\/32"', ["2a02:8109::/32"]),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_escape_is_none(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # of IPv4
        ("80.94.95.113:22", [V4]), ("80.94.95.113#53", [V4]), ("80.94.95.113(22)", [V4]),
        ("80.94.95.113[500]", [V4]),
        ("80.94.95.113,22", [V4]), ("80.94.95.113:22->9.9.9.9:80", [V4, "9.9.9.9"]),
        # of IPv6: where it cannot be a group
        (f"{LONG}:59338", [LONG]), (f"{LONG}:80", [LONG]), ("2a02:8109::5:51234", [V6]),
        ("2a02:8109::5:65535", [V6]),
        ("2a02:8109::5:65536", []), ("2a02:8109::5:01234", []), ("2a02:8109::5:123456", []),
        ("2a02:8109:::443", ["2a02:8109::"]),
        ("fd00:1:2:3:4:5:6::59352", ["fd00:1:2:3:4:5:6:0"]),
        ("[AF_INET6]2a02:8109::1:1194", ["2a02:8109::1:1194"]),
        ("2a02:8109::5:443", ["2a02:8109::5:443"]), ("::ffff:80.94.95.113:80", [V4]), (f"{LONG}:abcd", []),
        ("[2a02:8109::5]:443", [V6]), ("2a02:8109::5#53", [V6]), ('for="[2a02:8109::5]:4711"', [V6]),
        # Apache
        ("[client ::1:53720] AH01630", ["::1"]), ("[client 2a02:8109::5:443]", [V6]),
        ("[client 2a02:8109::5]", [V6]),
        (f"[client {LONG}]", [LONG]), (f"[client {LONG}:9]", [LONG]),
        ("[client ::ffff:80.94.95.113:443]", [V4]),
        ("[remote 2a02:8109::5:443] AH01114", [V6]), ("[client 80.94.95.113:48024]", [V4]),
        ("[client fd00::1:2:3]", ["fd00::1:2"]),
        # HAProxy
        ("haproxy[1]: 2a02:8109::5:443 [23/Nov/2026:21:42:11.123] www~", [V6]),
        (f"haproxy[1]: Connect from {LONG}:443 to ::1:8080 (web/HTTP)", [LONG, "::1"]),
        ("Connect from 2a02:8109::5:4711 to 80.94.95.113:80 (ssh/TCP)", [V6, V4]),
        (f"haproxy[1]: {LONG}:4711 [23/Nov/2026:21:42:11.123]", [LONG]),
        ("haproxy[1]: ::ffff:80.94.95.113:4711 [23/Nov/2026:21:42:11.123]", [V4]),
    ],
)  # fmt: skip
def test_a_port_is_no_part_of_an_address(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%ASA-4-106023: Deny udp src outside:80.94.95.113/22 dst inside:10.1.1.5/24", [V4, "10.1.1.5"]),
        ("%ASA-6-302013: for outside:2a02:8109::5/443 (2a02:8109::5/53)", [V6, V6]),
        ("%FTD-6-302015: for outside:80.94.95.113/22 (80.94.95.113/22)", [V4, V4]),
        ("%PIX-6-302013: for outside:80.94.95.113/22", [V4]),
        ("%FWSM-6-302013: outside:80.94.95.113/25", [V4]),
        ("RT_FLOW_SESSION_CREATE: session created 80.94.95.113/51234->9.9.9.9/22 0x0 junos-ssh",
         [V4, "9.9.9.9"]),
        ("RT_FLOW: RT_FLOW_SESSION_DENY: session denied 80.94.95.113/22->9.9.9.9/32 junos", [V4, "9.9.9.9"]),
        ("RT_IDP: IDP_ATTACK_LOG_EVENT: SIG 80.94.95.113/22->9.9.9.9/23", [V4, "9.9.9.9"]),
        ("%ASA-5-111010: route outside 10.0.0.0/255.0.0.0", ["10.0.0.0/8"]),
        # what cannot be a prefix
        ("80.94.95.113/33", [V4]), ("80.94.95.113/53", [V4]), ("80.94.95.113/51234", [V4]),
        ("80.94.95.113/024", [V4]),
        ("2a02:8109::5/129", [V6]), ("2a02:8109::5/443", [V6]), ("80.94.95.113/24px", [V4]),
        ("80.94.95.113/24/", [V4]),
        ("9.9.9.9/8.8.8.8", ["9.9.9.9", "8.8.8.8"]), ("80.94.95.113/255.0.255.0", [V4, "255.0.255.0"]),
        # prefixes and masks
        ("80.94.95.113/24", ["80.94.95.0/24"]), ("80.94.95.113/0", ["0.0.0.0/0"]),
        ("2a02:8109::5/64", ["2a02:8109::/64"]),
        ("80.94.95.113/255.255.255.0", ["80.94.95.0/24"]), ("80.94.95.113/255.255.255.255", [V4]),
        ("(80.94.95.0/255.255.254.0),", ["80.94.94.0/23"]), ("80.94.95.113/0.0.0.255", ["80.94.95.0/24"]),
        ("80.94.95.113/0.0.0.0", ["0.0.0.0/0"]), ("2a02:8109::5/ffff:ffff::", ["2a02:8109::/32"]),
        ("fe80::1%eth0/64", ["fe80::/64"]), ("http://80.94.95.113/24", [V4]),
        ("http://80.94.95.113/255.255.255.0", [V4, "255.255.255.0"]),
        ("v=spf1 ip4:80.94.95.0/24 ip6:2a02:8109::/32 -all", ["80.94.95.0/24", "2a02:8109::/32"]),
    ],
)  # fmt: skip
def test_a_slash_is_a_prefix_a_mask_or_a_port(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3.0-1.2.3.9", ["1.2.3.0/29", "1.2.3.8/31"]), ("1.2.3.0-1.2.3.255", ["1.2.3.0/24"]),
        ("{1.2.3.0-1.2.3.1,", ["1.2.3.0/31"]), ("1.2.3.4-1.2.3.4", ["1.2.3.4"]),
        ("--src-range 1.2.3.0-1.2.3.1 -j", ["1.2.3.0/31"]),
        ("2001:db8::-2001:db8::ff", ["2001:db8::/120"]), ("[2001:db8::2-2001:db8::3]", ["2001:db8::2/127"]),
        # more than 64 networks, or not from the first to the last
        ("2001:db8::1-2001:db9::ffff", ["2001:db8::1", "2001:db9::ffff"]), ("1.2.3.9-1.2.3.4", ["1.2.3.9",
        "1.2.3.4"]),
        # no range
        ("1.2.3.4 - 1.2.3.9", ["1.2.3.4", "1.2.3.9"]), ("1.2.3.0-9", []), ("1.2.3.0-1.2.3.9-1.2.3.11", []),
        ("v1.2.3.0-1.2.3.9", []), ("1.2.3.0-1.2.3.9.5", []),
    ],
)  # fmt: skip
def test_a_range_is_the_networks_it_is_made_of(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # tcpdump: numbers and names of ports, -i any, -v's second line, pf's log
        ("21:42:11.145000 IP 80.94.95.113.48040 > 192.0.2.10.22: Flags [S], seq 1", [V4, "192.0.2.10"]),
        ("IP 80.94.95.113.ssh > 192.0.2.10.https: Flags [S]", [V4, "192.0.2.10"]),
        ("IP6 2a02:8109::5.55142 > ff02::fb.5353: 0 PTR", [V6, "ff02::fb"]),
        ("IP6 fe80::1%eth0.546 > ff02::1:2.547: dhcp6", ["fe80::1", "ff02::1:2"]),
        ("IP host.example.22 > 80.94.95.113.5555: Flags [.]", [V4]),
        ("IP 80.94.95.113.5 > host.ssh: tcp", [V4]),
        ("IP 80.94.95.113 > 192.0.2.10: ICMP echo request", [V4, "192.0.2.10"]),
        ("eth0  In  IP 80.94.95.113.5 > 192.0.2.10.22: tcp 0", [V4, "192.0.2.10"]),
        ("    80.94.95.113.48040 > 192.0.2.10.22: Flags [S]", [V4, "192.0.2.10"]),
        ("rule 1/0(match): block in on em0: 80.94.95.113.48040 > 192.0.2.10.22: S 1:1(0)",
         [V4, "192.0.2.10"]),
        # BSD's netstat
        ("tcp4       0      0  192.0.2.10.22          80.94.95.113.51234     ESTABLISHED",
         ["192.0.2.10", V4]),
        ("tcp6       0      0  2a02:8109::5.22        2001:db8::7.51234      TIME_WAIT", [V6, "2001:db8::7"]),
        ("tcp46      0     36  192.0.2.10.ssh         80.94.95.113.51234     ESTABLISHED",
         ["192.0.2.10", V4]),
        ("tcp        0      0  192.0.2.10.22          80.94.95.113.51234     ESTABLISHED",
         ["192.0.2.10", V4]),
        ("udp4       0      0  80.94.95.113.53        *.*", [V4]), ("tcp4 0 0 *.22 *.* LISTEN", []),
        # Linux's
        ("tcp        0      0 192.0.2.10:22      80.94.95.113:48032      ESTABLISHED", ["192.0.2.10", V4]),
        ("tcp6       0      0 2a02:8109::5:55134 2001:db8::7:18080       ESTABLISHED", [V6, "2001:db8::7"]),
        # dante
        ("danted[1]: info: block(1): tcp/accept ]: 80.94.95.113.50550 192.0.2.1.1080: error after",
         [V4, "192.0.2.1"]),
        ("sockd[1]: info: pass(1): tcp/connect [: 80.94.95.113.5 192.0.2.1.1080 -> 192.0.2.2.80 9.9.9.9.443",
         [V4, "192.0.2.1", "192.0.2.2", "9.9.9.9"]),
        ("sockd[1]: info: pass(1): tcp/connect [: username%system.bob@80.94.95.113.5 192.0.2.1.1080",
         [V4, "192.0.2.1"]),
        # elsewhere it is nothing
        ("80.94.95.113.22", []), ("version 27.0.0.7.97 > 26.0.0.7.96: no", []), ("2a02:8109::5.443", []),
        ("Instagram 27.0.0.7.97 Android", []), ("iso.3.6.1.2.1.1.3.0 = 1.3.6.1.4.1.2021.10", []),
    ],
)  # fmt: skip
def test_a_port_behind_a_full_stop_is_one_where_the_line_says_so(line: str, expected: list[str]) -> None:
    data = f"9.9.9.1\n{line}\n9.9.9.2\n".encode()
    assert find_targets(data) == ["9.9.9.1", *expected, "9.9.9.2"]
    assert [target for _, target in find_ends(data)] == ["9.9.9.1", *expected, "9.9.9.2"]


DOTS = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "[DOT]", "(Dot)", "\\."]


@pytest.mark.parametrize("dot", DOTS)
def test_a_defanged_address_is_found(dot: str) -> None:
    address = V4.replace(".", dot)
    for text in ("{}", "{}:8080", "hxxp://{}/x", "hxxps://{}:443/", "'{}'", "({})", "{}, and", "ip={}"):
        check(text.format(address), [V4])
    check(f"{address}/24", ["80.94.95.0/24"])
    check(f"{address}{dot}in-addr{dot}arpa", [])
    check(f"host{dot}{address}", [])
    check(f"{address}{dot}5", [])
    check("300.1.1.1".replace(".", dot), [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80.94.95[.]113", [V4]), ("80[.]94.95.113", [V4]), ("80.94[.]95.113", [V4]),
        ("80[.94[.95[.113", [V4]),
        ("hxxp://80.94.95.113/x", [V4]), ("hxxp[:]//80[.]94[.]95[.]113", [V4]),
        ("hxxps[://]80.94.95[.]113/x", [V4]),
        ("2a02[:]8109[:][:]5", [V6]), ("2a02:8109[::]5", [V6]), ("2a02[:]8109[::]5", [V6]), ("1[.]2[.]3", []),
        ("[::]:80", ["::"]),
    ],
)  # fmt: skip
def test_an_address_may_be_defanged_in_part(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    "text",
    [
        "abc::def", "db::db", "std::add::face", "Foo::Bar::baz", "a::b", "cafe::babe", "face::1",
        "dead:beef::",
        "bad::c0de", "1::", "12::34", "0200::1", "1:2:3:4:5:6:7:8", "abc::/16", "8000::/1", "fe00::1",
        "4000::",
        "64:ff9b:2::1", "100:0:0:2::1", "f800::1",
    ],
)  # fmt: skip
def test_space_that_was_never_given_out_has_no_addresses(text: str) -> None:
    check(text, [])


@pytest.mark.parametrize(
    "text",
    [
        "::", "::1", "::102:304", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2000::",
        "2002:c000:204::1", "2001::1",
        "2a02::1", "3fff::1", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::1", "fc00::1", "fdff::1",
        "fe80::1",
        "fec0::1", "ff02::1", "ffff::1", "::/0", "2000::/3", "fc00::/7", "fe80::/10", "::/3",
    ],
)  # fmt: skip
def test_space_that_was_given_out_has_addresses(text: str) -> None:
    check(text, [text])


@pytest.mark.parametrize(
    "name", ["Chrome", "YaBrowser", "WhatsApp", "Foo-Bar", "360SE", "A", "lib_x", "Name+x", "Überbrowser"]
)
@pytest.mark.parametrize("behind", [" Safari", '"', "'", ";", ")", "/x", "\t", "", '\\"', "+Safari/1.2"])
def test_a_name_and_a_slash_make_a_version(name: str, behind: str) -> None:
    for before in ("", '"', "(", "[", "; ", "Mozilla/5.0 ", "=", "%20", "\\n"):
        assert find_targets(f"{before}{name}/1.2.3.4{behind}\n".encode()) == []
        assert find_ends(f"{before}{name}/1.2.3.4{behind}\n".encode()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"ua":"WhatsApp\\/2.21.12.21 A"}', []), ('{"ua":"Foo\\/1.2.3.4"}', []),
        ("ua=Chrome%2F1.2.3.4%20Safari", []),
        ("ua=YaBrowser%2F23.1.0.0", []), ("ua=Foo%2F9.0.0.0%20x", []), ('{"p":"a\\/80.94.95.113\\/b"}', [V4]),
        ("p=a%2F80.94.95.113%2Fb", [V4]), ("p=a%2F80.94.95.113%20b", [V4]),
        ("p=%2Fip%2F80.94.95.113", [V4]),
    ],
)  # fmt: skip
def test_an_escaped_slash_is_a_boundary_but_in_the_name_of_a_browser(text: str, expected: list[str]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rv:1.9.0.3) Gecko", []), ("rv:1.9.2.13", []), ("serv:80.94.95.113", [V4]),
        ("outside/80.94.95.113(22)", [V4]),
        ("outside/80.94.95.113:22", [V4]), ("host.tld/80.94.95.113:80", [V4]),
        ("host.tld/80.94.95.113 to", [V4]),
        ("IPV4/UDP/80.94.95.113/5060", [V4]), ("IPV6/UDP/2a02:8109::5/5060", [V6]),
        ("/ip/80.94.95.113", [V4]),
        ("/var/log/remote/80.94.95.113/auth.log", [V4]),
        ("https://www.spamhaus.org/query/ip/80.94.95.113", [V4]),
        ("http://80.94.95.113/x", [V4]), ("user@80.94.95.113", [V4]), ("5060/80.94.95.113 x", [V4]),
        # in the comment behind a product every number is a version, but in a URL
        ("Mozilla/5.0 (Linux; Tizen 2.3.2.7; SM-R720) AppleWebKit/537.36", []),
        ("HbbTV/1.2.1 (; CROWN; MB211; 3.33.17.0; _TV_2017;) SmartTvA/3.0.0", []),
        ("Mozilla/5.0 (compatible; Bot/2.1; +http://80.94.95.113)", [V4]),
        ("Mozilla/5.0 (compatible; Bot/2.1; +http://80.94.95.113/bot)", [V4]),
        ("Mozilla/5.0 (X11; Linux) 80.94.95.113", [V4]), ('"Mozilla/5.0 (X11; Linux" 80.94.95.113; x', [V4]),
        ("sshd: (80.94.95.113)", [V4]), ("refused (host; 80.94.95.113; port 22)", [V4]),
        ("a;80.94.95.113;b", [V4]),
        ("HTTP/1.1 (80.94.95.113)", [V4]),
        # names that browsers have had, whatever stands behind; names with a blank before the version
        ("Firefox/2.0.0.14,gzip(gfe) (via docs.google.com/viewer)", []), ("Chrome/1.1.0.0(29.0.1547.62)", []),
        ("Firefox/80.94.95.113:80", [V4]), ("Minefield/4.0 sputnik 2.3.0.70", []),
        ("rv:1.9.2.3pre) Gecko/20100723 Firefox/3.5 Maemo Browser 1.7.4.8 RX-51", []),
        ("p2/1.1.201 (Java 1.8.0; Linux 2.6.39.17 x86-64; en_US)", []), ("Linux 80.94.95.113 up", [V4]),
        ("sputnik 80.94.95.113", [V4]), ("1.9.0.8) Gecko/20080528 Firefox/3.0", []),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Mozilla/4.0 (compatible; SV1) ; Feed 2.0.4.16; .NET)", []),
        ("Mozilla/4.0 (compatible; MSIE 7.0; printmade=3.0.0.7)", []),
        ("Mozilla/4.0 (compatible; MSIE 7.0; client=80.94.95.113)", [V4]),
        ("Firefox/45.0; on behalf of 80.94.95.113", [V4]),
    ],
)  # fmt: skip
def test_what_is_no_version_is_an_address(text: str, expected: list[str]) -> None:
    check(text, expected)


def test_what_browsers_call_themselves_has_no_address() -> None:
    agents = (FIXTURES / "user_agents" / "user-agents.txt").read_bytes().splitlines()
    assert len(agents) > 400
    for form in (
        b"%s\n",
        b'9.9.9.9 - - [23/Nov/2026:21:42:11 +0000] "GET /" 404 162 "-" "%s"\n',
        b'{"ua":"%s"}',
    ):
        found = [find_targets(form % agent) for agent in agents]
        # One gives the address of its home page.
        assert [targets for targets in found if targets not in ([], ["9.9.9.9"])] in (
            [["130.37.198.75"]],
            [["9.9.9.9", "130.37.198.75"]],
        )


@examples(200)
@given(
    st.lists(
        st.sampled_from(
            [
                ("\x1b[1;31m80.94.95.113\x1b[0m", [V4]), ("\\n80.94.95.113\\n", [V4]),
                ("%2F80.94.95.113%2F", [V4]),
                ("Foo/1.2.3.4", []), ("80.94.95.113/255.255.255.0", ["80.94.95.0/24"]),
                ("2a02:8109::5:51234", [V6]),
                ("1.2.3.0-1.2.3.1", ["1.2.3.0/31"]), ("80[.]94[.]95[.]113", [V4]),
                ("80[dot]94[dot]95[dot]113", [V4]),
                ("abc::def", []), ("::ffff:80.94.95.113", [V4]), ("fe80::1%eth0", ["fe80::1"]),
                ("1.2.3.4.5", []),
                ("80.94.95.113", [V4]), (V6, [V6]), ("v1.2.3.4", []), ("80.94.95.113/24", ["80.94.95.0/24"]),
                ("[client 2a02:8109::5:443]", [V6]), ("static.1.2.3.4.example.net", []), ("word", []),
            ]
        ),
        max_size=12,
    ),
    st.sampled_from([" ", "\n", " | ", "\t", "\r\n"]),
)  # fmt: skip
def test_no_notation_changes_what_is_found_of_another(words: list[tuple[str, list[str]]], blank: str) -> None:
    text = blank.join(["", *(text for text, _ in words), ""]).encode()
    expected = [target for _, targets in words for target in targets]
    assert find_targets(text) == expected
    ends = find_ends(text)
    assert [target for _, target in ends] == expected
    assert [end for end, _ in ends] == sorted(end for end, _ in ends)

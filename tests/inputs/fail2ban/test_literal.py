"""``fail2ban-client banned``: real captures against Python's own parser, then what no server would print."""

from __future__ import annotations

import ast
import re
import warnings
from ipaddress import IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geocli.inputs.fail2ban.literal import BannedReader, is_banned_line
from geocli.inputs.in_text import find_targets
from geocli.inputs.targets import read_targets
from geocli.model.addresses import parse_target
from tests.conftest import within
from tests.support.examples import examples
from tests.support.targets import canonical

CAPTURES = Path(__file__).parents[2] / "fixtures" / "fail2ban"
VERSIONS = ["1.0.2", "1.1.0"]
BANNED = [f"{version}/{name}" for version in VERSIONS for name in ("20-banned", "65-banned-after-restart")]

# What the rule for text finds in identifiers that are more than one address, or none.
IN_TEXT = {
    "('192.0.2.213', 'carol')": ["192.0.2.213"],
    "('2001:db8::213', 'dave')": ["2001:db8::213"],
    " 192.0.2.88 ": ["192.0.2.88"],
    "192.0.2.90,192.0.2.91": ["192.0.2.90", "192.0.2.91"],
    "192.0.2.70:22": ["192.0.2.70"],
    "[2001:db8::70]:443": ["2001:db8::70"],
    "192.0.2.100-192.0.2.110": ["192.0.2.100/30", "192.0.2.104/30", "192.0.2.108/31", "192.0.2.110"],
}


def by_itself(identifier: str) -> str | None:
    """The canonical form of an identifier that is an address or a network, told by ``ipaddress`` alone."""
    text = re.sub("%[^/]+", "", identifier)
    try:
        return canonical(ip_network(text, strict=False) if "/" in text else ip_address(text))
    except ValueError:
        return None


def expected_of(identifier: str) -> list[str]:
    target = by_itself(identifier)
    return IN_TEXT.get(identifier, []) if target is None else [target]


def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}.out").read_bytes()


def jails(text: bytes) -> list[tuple[str, list[str]]]:
    return [item for jail in ast.literal_eval(text.decode()) for item in jail.items()]


def read(*chunks: bytes) -> list[str]:
    return [target for found in read_targets(chunks) for target in found]


def scan(*parts: bytes) -> list[str]:
    reader = BannedReader()
    return [target for part in parts for target in reader.read(part)]


# --- captures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BANNED)
def test_every_banned_address_is_found_once_per_ban_and_in_order(name: str) -> None:
    text = capture(name)
    expected = [target for _, ids in jails(text) for id_ in ids for target in expected_of(id_)]
    assert len(expected) > 4000
    assert is_banned_line(text)
    assert read(text) == expected
    assert scan(text) == expected


@pytest.mark.parametrize("name", BANNED)
@pytest.mark.parametrize("size", [1000, 4096, 65_536])
def test_a_capture_may_come_in_chunks(name: str, size: int) -> None:
    text = capture(name)
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert read(*chunks) == read(text)


@pytest.mark.parametrize("version", VERSIONS)
def test_identifiers_that_are_no_address_give_none(version: str) -> None:
    text = capture(f"{version}/20-banned")
    all_ids = [id_ for _, ids in jails(text) for id_ in ids]
    for none in [
        *["example.com", "host-1.example.net", "some user", "o'brien", 'dq"x', "back\\slash", "tab\there"],
        *["nl\nhere", "ünïcode", "zero\u200bwidth", "", "alice", "o'neil", "x|y, z"],
        *["1.2.3", "1.1.0", "010.1.1.1", "256.1.1.1", "3221226043", "0xC0000201", "AS64500"],
    ]:
        assert none in all_ids
        assert scan(b"[{'j': [" + repr(none).encode() + b"]}]") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_identifiers_are_canonical(version: str) -> None:
    found = read(capture(f"{version}/20-banned"))
    for target in [
        *["10.0.0.0/8", "::c000:22c", "64:ff9b::c000:237", "fe80::1", "192.0.2.128/25", "198.51.100.64/26"],
        *["2001:db8:f::/48", "0.0.0.0", "::", "::1", "1.1.0.1"],
    ]:
        assert target in found
    assert ("fe80::/64" if version == "1.1.0" else "fe80::2") in found
    assert found.count("192.0.2.1") == 3
    assert found.count("::") == 2
    assert all(parse_target(target) == target for target in found)
    assert not any(
        ip_network(target).overlaps(IPv6Network("::ffff:0:0/96")) for target in found if ":" in target
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_name_of_a_jail_is_no_address(version: str) -> None:
    text = capture(f"{version}/20-banned")
    assert b"{'203.0.113.250': ['192.0.2.203']}" in text
    found = read(text)
    assert "203.0.113.250" not in found
    assert found.count("192.0.2.203") == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_jails_with_an_apostrophe_change_the_quotes_and_nothing_else(version: str) -> None:
    text = capture(f"{version}/20-banned")
    assert text.endswith(b"""{"it's": ['192.0.2.205']}]\n""")
    assert read(text)[-1] == "192.0.2.205"
    assert read(b"""[{"it's 203.0.113.9": ["192.0.2.1", "o'x 192.0.2.2"]}]\n""") == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize(
    "name", ["21-get-banned-sshd", "21-get-banned-tuple", "21-get-banned-ids", "21-get-banned-empty"]
)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_list_of_one_jail_is_text(version: str, name: str) -> None:
    text = capture(f"{version}/{name}")
    assert not is_banned_line(text)
    expected = [target for id_ in ast.literal_eval(text.decode()) for target in expected_of(id_)]
    assert read(text) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_the_status_of_a_jail_is_text(version: str) -> None:
    assert read(capture(f"{version}/11-status-jail-subnet")) == [
        "198.51.100.64/26",
        "2001:db8:f::/48",
        "2001:db8:f::9",
        "192.0.2.211",
    ]
    assert read(capture(f"{version}/11-status-jail-empty")) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_no_bans_and_no_server_give_nothing(version: str) -> None:
    assert read(capture(f"{version}/63-banned-while-stopped")) == []
    assert read(b"[]\n") == []
    assert read(b"[]") == []
    assert read(b"[{}]\n") == []
    assert read(b"[{'sshd': []}, {'203.0.113.250': []}]\n") == []
    assert read(b"Sorry but the jail '203.0.113' does not exist\n") == []


def test_the_line_may_stand_among_others() -> None:
    line = b"[{'203.0.113.250': ['192.0.2.1']}]"
    assert read(b"# 9.9.9.9\n\n  " + line + b"\r\n192.0.2.2\n" + line) == [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.1",
    ]
    assert read(b"log: " + line + b"\n") == ["203.0.113.250", "192.0.2.1"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"[{'sshd': [", True),
        (b"""[{"it's": ['192""", True),
        (b"  [{'sshd': []}]\n", True),
        (b"[{'it\\'s \"x\"': [", True),
        (b"[]", False),
        (b"[{", False),
        (b"[{}]", False),
        (b"[{'sshd", False),
        (b"[{'sshd': {", False),
        (b"['192.0.2.1']", False),
        (b"[['sshd'], []]", False),
        (b'[{"ip": "192.0.2.1"}]', False),
        (b"{'sshd': ['192.0.2.1']}", False),
        (b"x [{'sshd': [", False),
    ],
)
def test_the_line_is_known_by_its_start(start: bytes, expected: bool) -> None:
    assert is_banned_line(start) is expected


def test_json_of_the_same_shape_gives_its_addresses_too() -> None:
    assert read(b'[{"ip": "192.0.2.1"}, {"ip": "::1"}]\n') == ["192.0.2.1", "::1"]
    assert read(b'[{"sshd": ["192.0.2.1", "::1"]}]\n') == ["192.0.2.1", "::1"]


# --- half a line, parts of a line ---------------------------------------------------------------------


def shortened(text: bytes) -> bytes:
    """A capture without most of the 5,000 plain addresses in its largest jail."""
    return text[: text.index(b"'100.64.0.5'")] + text[text.index(b"'100.64.19.130'") :]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_capture_cut_anywhere_gives_the_start_of_what_the_whole_gives(version: str) -> None:
    whole = capture(f"{version}/20-banned")
    for text, step in ((shortened(whole), 1), (whole, 4999)):
        full = scan(text)
        before = 0
        for end in range(0, len(text), step):
            found = scan(text[:end])
            assert found == full[: len(found)], end
            assert len(found) >= before
            before = len(found)
        assert before > 0.9 * len(full)


SMALL = (
    b"""[{'tuple': ["('192.0.2.213', 'carol')", "('2001:db8::213', 'dave')"]}, {'203.0.113.250': """
    b"""['192.0.2.203']}, {"it's": ['192.0.2.205', "o'x", 'dq"x', '\\'"', 'nl\\n192.0.2.206']}]\n"""
)
SMALL_TARGETS = ["192.0.2.213", "2001:db8::213", "192.0.2.203", "192.0.2.205", "192.0.2.206"]


def test_a_line_may_come_in_parts_cut_anywhere() -> None:
    assert scan(SMALL) == SMALL_TARGETS
    wrong = {
        at: found for at in range(len(SMALL)) if (found := scan(SMALL[:at], SMALL[at:])) != SMALL_TARGETS
    }
    assert wrong == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_long_line_may_come_in_two_chunks_cut_anywhere_in_a_strange_jail(version: str) -> None:
    whole = capture(f"{version}/20-banned")
    text = b"[{'users': [" + b"'user', " * 9000 + whole[whole.index(b"'100.64.19.130'") :]
    full = read(text)
    tuples, last = text.index(b"{'tuple'"), text.index(b"{'my jail'")
    assert tuples > 65_536
    wrong = {at: found for at in range(tuples, last) if (found := read(text[:at], text[at:])) != full}
    assert wrong == {}


def test_half_a_quoted_name_is_no_identifier() -> None:
    text = b"""[{'a': ['192.0.2.1']}, {"a '203.0.113.7' b": ['192.0.2.2']}]"""
    assert scan(text) == ["192.0.2.1", "192.0.2.2"]
    wrong = {
        end: found
        for end in range(len(text))
        if (found := scan(text[:end])) not in ([], ["192.0.2.1"], ["192.0.2.1", "192.0.2.2"])
    }
    assert wrong == {}


# --- any line -----------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="ab'\"\\[]{}:, \n#", max_size=12),
    st.sampled_from(["sshd", "203.0.113.250", "it's", "foo, bar", "Ünïcode-jäil", "x'1.2.3.4'y\"", "#"]),
)
IDENTIFIERS = st.one_of(
    NAMES,
    st.ip_addresses().map(str),
    st.tuples(st.ip_addresses(v=4).map(str), NAMES).map(str),
    st.builds("{} {}".format, NAMES, st.ip_addresses(v=6)),
)
LITERALS = st.lists(
    st.dictionaries(NAMES, st.lists(IDENTIFIERS, max_size=5), min_size=1, max_size=1), min_size=1
)


@examples(80)
@given(LITERALS)
@example([{"a": ["\\'", '"', "'\"", "\\", "\\\\'"]}, {"'": ["192.0.2.1"]}])
def test_a_line_gives_what_the_rule_for_text_finds_in_its_identifiers(
    value: list[dict[str, list[str]]],
) -> None:
    line = str(value).encode()
    expected = [
        target
        for jail in value
        for ids in jail.values()
        for id_ in ids
        for target in find_targets(id_.encode("utf-8", "surrogateescape"))
    ]
    assert is_banned_line(line)
    assert scan(line) == expected
    assert read(line + b"\n1.2.3.4\n") == [*expected, "1.2.3.4"]


PARTS = st.sampled_from(
    [
        b"[{",
        b"'",
        b'"',
        b"\\",
        b"'1.2.3.4'",
        b'"::1"',
        b": [",
        b", ",
        b"]}",
        b"\n",
        b"\\'",
        b"\\x",
        b"\\ud800",
        b"\xff",
    ]
)


@examples(120)
@given(st.lists(st.one_of(st.binary(max_size=40), st.lists(PARTS, max_size=12).map(b"".join)), max_size=5))
@example([b"'\\", b"'1.2.3.4", b"'", b","])
def test_any_bytes_are_read_without_complaint(parts: list[bytes]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for target in scan(*parts):
            assert parse_target(target) == target
        read(b"[{'a': [", *parts)


@pytest.mark.parametrize(
    "identifier", [b"'\\ud800'", b"'\\udc00'", b"'\\x'", b"'\\N{x}'", b"'\\U00110000'", b"'\\q'", b"'\\400'"]
)
def test_an_identifier_with_a_strange_escape_hides_no_other(identifier: bytes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read(b"[{'a': [" + identifier + b", '192.0.2.1']}]\n") == ["192.0.2.1"]
    assert caught == []


def test_an_identifier_that_is_not_utf8_gives_its_addresses() -> None:
    assert read(b"[{'a': ['\xff 192.0.2.1', '\xff\\t192.0.2.2', '\\udcff 192.0.2.3']}]\n") == [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
    ]


def test_a_quote_that_never_ends_takes_the_rest_of_its_line_only() -> None:
    text = b"[{'a': ['192.0.2.1', 'x" + b" y" * 100_000 + b"\n192.0.2.2\n"
    assert read(text) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("backslashes", range(8))
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_string_too_long_to_keep_ends_where_it_ends(quote: str, backslashes: int) -> None:
    other = {"'": '"', '"': "'"}[quote]
    end = "\\" * backslashes + quote
    long = quote + "x" * 5000 + end + (f" {other}203.0.113.9{other} {quote}" if backslashes % 2 else "")
    text = f"[{{'a': ['192.0.2.1', {long}, '192.0.2.2']}}]\n".encode()
    assert ast.literal_eval(text.decode())[0]["a"][2] == "192.0.2.2"
    strange = text.index(b"x\\" if backslashes else f"x{quote}".encode())
    for at in range(strange - 1, len(text)):
        found = scan(text[:at], text[at:])
        # Whether it is looked into depends on how much of it came at once, where it ends does not.
        assert [target for target in found if target != "203.0.113.9"] == ["192.0.2.1", "192.0.2.2"], at


@pytest.mark.parametrize(
    "rest",
    [b"\\'" * 60_000, b"'" * 120_000, b"'\"" * 60_000, b'"\\"' * 40_000, b"'a'b" * 30_000, b"\\" * 120_000],
)
def test_a_line_of_quotes_is_read_at_once(rest: bytes) -> None:
    with within(10):
        assert read(b"[{'a': ['" + rest + b"\n192.0.2.1\n") == ["192.0.2.1"]

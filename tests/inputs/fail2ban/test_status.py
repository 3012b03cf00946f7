"""The trees of ``fail2ban-client status``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.fail2ban.complaints import is_statistics_line
from geocli.model.bans import Ban
from tests.inputs.test_bans import VERSIONS, bans, capture

OLD = b"""Status for the jail: ssh
|- filter
|  |- File list:\t/var/log/10.0.0.1/auth.log\x20
|  |- Currently failed:\t1
|  `- Total failed:\t3
`- action
   |- Currently banned:\t2
   |  `- IP list:\t192.0.2.1 192.0.2.2\x20
   `- Total banned:\t5
"""


def test_a_tree_of_fail2ban_0_8() -> None:
    assert bans(OLD) == [Ban("ssh", "192.0.2.1"), Ban("ssh", "192.0.2.2")]
    assert bans(OLD + OLD.replace(b"ssh", b"web")) == [
        *(Ban("ssh", f"192.0.2.{number}") for number in (1, 2)),
        *(Ban("web", f"192.0.2.{number}") for number in (1, 2)),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_words_of_an_identifier_are_bans_and_a_line_end_splits_it_too(version: str) -> None:
    found = [ban.text for ban in bans(capture(f"{version}/11-status-jail-sshd.out"))]
    start = found.index("some")
    assert found[start : start + 10] == [
        *["some", "user", "192.0.2.88", "192.0.2.90,192.0.2.91", "o'brien", 'dq"x', "back\\slash", "tab"],
        *["here", "nl"],
    ]
    assert found[start + 10 : start + 13] == ["here", "ünïcode", "zero\\u200bwidth"]
    assert found[-1] == "[2001:db8::70]:443"


def test_all_jails_one_level_deeper() -> None:
    found = bans(capture("1.1.0/10-status-all-basic.out"))
    jails = list(dict.fromkeys(ban.jail for ban in found))
    assert jails == [
        *["203.0.113.250", "big", "dns", "foo, bar", "ids", "it's", "journal", "my jail", "nginx-http-auth"],
        *["sshd", "subnet", "tuple", "two-logs", "web.bots", "Ünïcode-jäil"],
    ]
    assert sum(ban.jail == "big" for ban in found) == 5000


def test_a_tree_ends_where_something_else_begins() -> None:
    tree = b"Status for the jail: a\n`- Actions\n   `- Banned IP list:\t192.0.2.1 x\n"
    assert bans(tree + b"\n192.0.2.2 y\n") == [Ban("a", "192.0.2.1"), Ban("a", "x"), Ban(None, "192.0.2.2")]
    assert bans(tree + b"y\n192.0.2.3\n")[2:] == [Ban("a", "y"), Ban("a", "192.0.2.3")]
    assert bans(tree + b"[{'b': ['c']}]\n192.0.2.3")[2:] == [Ban("b", "c"), Ban(None, "192.0.2.3")]
    assert bans(b"Status\n|- Number of jail:\t1\n`- Jail list:\t192.0.2.9\n192.0.2.3 y") == [
        Ban(None, "192.0.2.3")
    ]


def test_a_part_of_a_tree_has_no_jail() -> None:
    for start in (
        b"   `- Banned IP list:\t",
        b"Banned IP list:\t",
        b"`- Banned IP list: ",
        b"|  `- IP list:\t",
    ):
        assert bans(start + b"192.0.2.1 x\r\n") == [Ban(None, "192.0.2.1"), Ban(None, "x")]
    assert bans(b"   |- Currently banned:\t3\n|- 127.0.0.0/8\n") == []


NAMES = st.text(
    st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1, max_size=15
) | (st.ip_addresses().map(str))


@given(NAMES, st.integers(0, 10**12), st.lists(NAMES), st.lists(st.ip_addresses().map(str), max_size=4))
def test_only_the_list_is_banned(name: str, count: int, files: list[str], addresses: list[str]) -> None:
    text = (
        f"Status for the jail: {name}\n|- Filter\n|  |- Currently failed:\t{count}\n"
        f"|  `- File list:\t/{' /'.join(files)}\n`- Actions\n   |- Currently banned:\t{count}\n"
        f"   |- Banned IP list:\t{' '.join(addresses)}\n   `- Banned RIR list:\t{' '.join(files)}\n"
    )
    found = bans(text.encode())
    assert [ban.text for ban in found] == addresses
    assert len({ban.jail for ban in found}) == bool(addresses)


def test_a_row_of_statistics_is_known() -> None:
    rows = capture("1.1.0/30-statistics.out").split(b"\n")
    assert sum(map(is_statistics_line, rows)) == 18
    assert not is_statistics_line("192.0.2.1 ║ x".encode())

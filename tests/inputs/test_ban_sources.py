"""The ban sources, each on what its program prints: captures of real ones, and what their manuals show.

The captures in ``fixtures/ban_sources`` are of nft 1.0.6, ipset 7.17, iptables 1.8.9 and cscli 1.4.6.
"""

from __future__ import annotations

import io
import json
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geocli.inputs.ban_reader import Reading, Tally
from geocli.inputs.bans import read_bans
from geocli.inputs.choices import BAN_SOURCES, FILE_SOURCES, JSON_SOURCES, BanSource
from geocli.inputs.stream import Stream
from geocli.model.bans import Ban
from geocli.model.errors import Problems
from tests.inputs.fail2ban.test_times import Zone, zone
from tests.inputs.test_bans import Chunks, stream

__all__ = ["zone"]

NOW = 1_795_861_200.0  # 2026-11-28 10:20:00 UTC
CAPTURES = Path(__file__).parents[1] / "fixtures" / "ban_sources"


@pytest.fixture(autouse=True)
def _in_utc(zone: Zone) -> None:
    zone("UTC")


def read(text: bytes, *, problems: Problems | None = None) -> tuple[list[Ban], Tally]:
    reading = Reading(NOW)
    noted = Problems() if problems is None else problems
    found = [ban for batch in read_bans([stream(text)], noted, reading) for ban in batch]
    return found, reading.tallies[0]


def told(text: bytes | str) -> list[tuple[str | None, str]]:
    found, _ = read(text if isinstance(text, bytes) else text.encode())
    return [(ban.jail, ban.text) for ban in found]


def texts(text: bytes | str) -> list[str]:
    return [identifier for _, identifier in told(text)]


def capture(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()


# --- the contract ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", BAN_SOURCES, ids=lambda source: source.name)
def test_a_source_keeps_the_contract(source: BanSource) -> None:
    module = import_module(source.module)
    assert module.__doc__
    assert source.help
    assert source.words or source.start
    for line in (b"", b"\n", b"192.0.2.1\n", b"hello\n", b"\xff\0\n"):
        assert module.sniff(line) is False
    reader = module.read(Reading(NOW), Tally("x"))
    assert reader.end() == []


@pytest.mark.parametrize("source", JSON_SOURCES, ids=lambda source: source.name)
def test_a_source_of_documents_keeps_the_contract(source: BanSource) -> None:
    module = import_module(source.module)
    for value in (None, 1, "x", [], [1], {"a": 1}, {"log": 1}, {"decisions": 1}, {"MESSAGE": 1}):
        assert module.sniff_value(value) is False
    assert callable(module.read_value(Reading(NOW), Tally("x")))


def test_names_are_unique_and_the_sources_are_all_of_the_folder() -> None:
    table = (*BAN_SOURCES, *JSON_SOURCES, *FILE_SOURCES)
    assert len({source.name for source in table}) == len(table)
    folder = Path(import_module("geocli.inputs").__path__[0])
    with_sniff = {
        ".".join(path.relative_to(folder.parents[1]).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if re.search(r"(?m)^def (sniff|sniff_value|read_file)\(", path.read_text(encoding="utf-8"))
    }
    assert with_sniff == {source.module for source in table}


# --- JSON -----------------------------------------------------------------------------------------------

JAILS: list[dict[str, list[str]]] = [
    {"sshd": ["1.1.1.1", "8.8.8.8"]},
    {"203.0.113.250": ["9.9.9.9"]},
    {"it's": []},
]
OF_JAILS = [("sshd", "1.1.1.1"), ("sshd", "8.8.8.8"), ("203.0.113.250", "9.9.9.9")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(JAILS),
        json.dumps(JAILS, separators=(",", ":")),
        json.dumps(JAILS, indent=2),
        json.dumps(JAILS, indent=4) + "\n",
        "\n".join(map(json.dumps, JAILS)),
        "\n".join(json.dumps(jail, indent=1) for jail in JAILS),
        json.dumps(JAILS[0] | JAILS[1] | JAILS[2]),
        "\n\n" + json.dumps(JAILS, indent="\t").replace("\n", "\r\n"),
        "".join(json.dumps(jail, separators=(",", ":")) for jail in JAILS),
    ],
)
def test_the_list_of_bans_through_jq_in_any_layout(text: str) -> None:
    assert told(text) == OF_JAILS


def test_a_list_of_strings_is_of_one_jail() -> None:
    for indent in (None, 2):
        assert told(json.dumps(["1.1.1.1", "some host"], indent=indent)) == [
            (None, "1.1.1.1"),
            (None, "some host"),
        ]


@pytest.mark.parametrize("text", ["[]", "[{}]", "{}", "null\n", "[\n]\n", '[{"sshd": []}]', '{"sshd":[]}'])
def test_nobody_is_banned(text: str) -> None:
    problems = Problems()
    assert read(text.encode(), problems=problems)[0] == []
    assert not list(problems)


def test_other_json_is_text_and_broken_json_too() -> None:
    assert texts('{"ip": "1.1.1.1", "more": {"a": [1, 2]}}\n[{"ip": "8.8.8.8"}]\n') == ["1.1.1.1", "8.8.8.8"]
    assert texts('[{"ip": "1.1.1.1"}, oops "8.8.8.8"\n9.9.9.9\n') == ["1.1.1.1", "8.8.8.8", "9.9.9.9"]
    assert texts('{"ip": "1.1.1.1",\n "list": ["8.8.8.8"') == ["1.1.1.1", "8.8.8.8"]
    assert texts('{"a": 1}}\n1.1.1.1\n') == ["1.1.1.1"]
    assert texts("[" * 5000 + '"1.1.1.1"' + "]" * 5000 + "\n8.8.8.8\n") == ["1.1.1.1", "8.8.8.8"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        *["decisions", "scenario", "source", "value", "duration", "until", "created_at", "type", "MESSAGE"],
        *["log", "time", "stream", "nftables", "set", "elem", "name", "rule", "expr", "match", "left"],
        *["right", "payload", "__REALTIME_TIMESTAMP", "SYSLOG_IDENTIFIER", "prefix", "range", "concat"],
        *["val", "timeout", "expires"],
    ]
)
WORDS = ["ban", "1.1.1.1", "fail2ban", "saddr", "3h", "[a] Ban 1.1.1.1", "1.1.1.1-1.1.1.9"]
OBJECTS = st.recursive(
    VALUES | st.sampled_from(WORDS),
    lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(OBJECTS, max_size=4), st.sampled_from([None, 1]), st.lists(st.integers(0, 500), max_size=4))
def test_any_json_is_read_whatever_its_chunks(
    values: list[object], indent: int | None, cuts: list[int]
) -> None:
    text = json.dumps(values, indent=indent).encode()
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    chunks = [text[begin:end] for begin, end in pairwise(edges)]
    whole, _ = read(text)
    parts = [
        ban
        for batch in read_bans([Stream(Chunks(*chunks), "x")], Problems(), Reading(NOW))  # type: ignore[arg-type]
        for ban in batch
    ]
    assert parts == whole
    for ban in whole:
        assert all(value.isprintable() for value in ban if isinstance(value, str))


# --- CrowdSec -------------------------------------------------------------------------------------------

DECISIONS = [("manual 'ban' from 'm'", "185.220.101.0/24"), ("crowdsecurity/ssh-bf", "80.94.95.113")]


@pytest.mark.parametrize("of", ["decisions", "alerts"])
@pytest.mark.parametrize("form", ["json", "raw", "human"])
def test_decisions_are_bans_with_their_scenario_as_the_jail(of: str, form: str) -> None:
    found, _ = read(capture(f"crowdsec-{of}-{form}.txt"))
    assert [(ban.jail, ban.text) for ban in found] == DECISIONS
    has_begin = form == "json" or of == "alerts"
    assert {ban.banned_at for ban in found} == {"2026-11-29T14:22:40Z" if has_begin else None}
    if form == "json" or of == "decisions":
        assert [ban.expires_at for ban in found] in (
            ["2026-11-28T10:49:58Z", "2026-11-28T14:19:58Z"],
            ["2026-11-28T10:49:59Z", "2026-11-28T14:19:59Z"],
        )


def test_decisions_in_the_layouts_of_jq_and_of_the_api() -> None:
    alerts = json.loads(capture("crowdsec-decisions-json.txt"))
    assert told(json.dumps(alerts)) == DECISIONS
    assert told("\n".join(map(json.dumps, alerts))) == DECISIONS
    alone = [decision for alert in alerts for decision in alert["decisions"]]
    assert told(json.dumps(alone)) == DECISIONS
    assert told("\n".join(map(json.dumps, alone))) == DECISIONS


def test_times_and_kinds_of_decisions() -> None:
    decision = {"scenario": "s", "value": "1.1.1.1", "duration": "-3m2.5s", "type": "ban", "scope": "Ip"}
    (ban,), _ = read(json.dumps(decision).encode())
    assert ban == Ban("s", "1.1.1.1", None, "2026-11-28T10:16:57Z")
    (ban,), _ = read(json.dumps(decision | {"until": "2026-11-29T00:00:00+01:00", "scenario": ""}).encode())
    assert ban == Ban(None, "1.1.1.1", None, "2026-11-28T23:00:00Z")
    for change in ({"type": "captcha"}, {"simulated": True}, {"value": 5}):
        assert read(json.dumps(decision | change).encode())[0] == []
    assert texts(json.dumps(decision | {"scope": "Country", "value": "CN"})) == ["CN"]
    assert (
        read(json.dumps({"decisions": None, "scenario": "s", "source": {"ip": "1.1.1.1"}}).encode())[0] == []
    )


def test_a_table_with_a_frame_of_another_version() -> None:
    frame = (
        "╭────┬──────────┬─────────────┬──────────────────────┬────────┬────┬────────────┬──────────╮\n"
        "│ ID │  Source  │ Scope:Value │        Reason        │ Action │ AS │ expiration │ Alert ID │\n"
        "├────┼──────────┼─────────────┼──────────────────────┼────────┼────┼────────────┼──────────┤\n"
        "│ 1  │ crowdsec │ Ip:1.1.1.1  │ crowdsecurity/ssh-bf │ ban    │ x  │ 3h59m42s   │ 1        │\n"
        "╰────┴──────────┴─────────────┴──────────────────────┴────────┴────┴────────────┴──────────╯\n"
    )
    found, _ = read(frame.encode())
    assert found == [Ban("crowdsecurity/ssh-bf", "1.1.1.1", None, "2026-11-28T14:19:42Z")]
    assert read(b"No active decisions\n")[0] == []


# --- firewalls ------------------------------------------------------------------------------------------

RANGE = [
    "80.94.95.113",
    "80.94.95.114/31",
    "80.94.95.116/30",
    "80.94.95.120/29",
    "80.94.95.128/31",
    "80.94.95.130",
]
RULESET = [
    ("sshd", "1.1.1.1"), ("sshd", "8.8.8.8"), ("sshd", "2a02:8109::5"),
    *((None, network) for network in [*RANGE, "185.220.101.0/24", "4.4.4.4", "5.5.5.5", "6.6.6.6"]),
    (None, "7.7.7.7"), (None, "7.7.8.0/24"), (None, "2a02:8109::6"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["nft-ruleset.txt", "nft-ruleset.json"])
def test_sets_and_rules_of_nftables(name: str) -> None:
    found, _ = read(capture(name))
    assert [(ban.jail, ban.text) for ban in found] == RULESET
    assert str(found[0].banned_at) in {"2026-11-28T10:19:59Z", "2026-11-28T10:20:00Z"}
    assert str(found[0].expires_at) in {"2026-11-28T10:29:59Z", "2026-11-28T10:30:00Z"}
    assert found[2] == Ban("sshd", "2a02:8109::5")


def test_one_set_of_nftables_with_counters_and_comments() -> None:
    text = """table ip f2b {
\tset f2b-web {
\t\ttypeof ip saddr
\t\tsize 65535
\t\tflags dynamic,timeout
\t\telements = { 1.1.1.1 counter packets 4 bytes 240 timeout 1h expires 59m40s660ms comment "x",
\t\t\t     8.8.8.0/24 timeout 10m expires 5m, 0.0.0.0/0 }
\t}
}
"""
    assert read(text.encode())[0] == [
        Ban("web", "1.1.1.1", "2026-11-28T10:19:40Z", "2026-11-28T11:19:40Z"),
        Ban("web", "8.8.8.0/24", "2026-11-28T10:15:00Z", "2026-11-28T10:25:00Z"),
    ]
    assert read(text.replace("1h expires 59m40s660ms", "").encode())[0][0].expires_at is None
    assert texts("add element inet f2b-table addr-set-sshd { 1.1.1.1, 8.8.8.8 }\n") == ["1.1.1.1", "8.8.8.8"]


MEMBERS = [
    ("sshd", "8.8.8.8"), ("sshd", "1.1.1.1"), (None, "2a02:8109::/32"), (None, "4.4.4.4"),
    (None, "5.5.0.0/16"), (None, "6.6.6.6"), (None, "7.7.0.0/16"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["ipset-list.txt", "ipset-save.txt"])
def test_members_of_ipsets(name: str) -> None:
    found, _ = read(capture(name))
    assert [(ban.jail, ban.text) for ban in found] == MEMBERS
    assert found[0].expires_at is None  # "timeout 0": for ever
    assert str(found[1].expires_at)[:16] in {"2026-11-28T10:29", "2026-11-28T10:30"}


RULES = [(None, "6.6.6.6/31"), (None, "6.6.6.8/31"), ("sshd", "1.1.1.1"), ("sshd", "8.8.8.0/24")]


@pytest.mark.parametrize("name", ["S", "L", "L-v", "save-c"])
def test_rules_of_iptables(name: str) -> None:
    assert told(capture(f"iptables-{name}.txt")) == RULES


def test_rules_of_iptables_for_ipv6_and_with_names() -> None:
    assert told(capture("ip6tables-L.txt")) == [("sshd", "2a02:8109::5")]
    listed = """Chain f2b-sshd (1 references)
target     prot opt source               destination
REJECT     all  --  static.example.org   anywhere             reject-with icmp-port-unreachable
REJECT     all  --  1.1.1.1              anywhere
RETURN     all  --  anywhere             anywhere
"""
    assert told(listed) == [("sshd", "static.example.org"), ("sshd", "1.1.1.1")]
    assert told('-A INPUT -s 1.1.1.1/32 -m comment --comment "x -j DROP" -j LOG\n') == []
    assert told("-A fail2ban-ssh -s 1.1.1.1/32 -j REJECT\n") == [("ssh", "1.1.1.1")]


def test_rich_rules_of_firewalld() -> None:
    rules = """public (active)
  rich rules:
\trule family="ipv4" source address="1.1.1.1" port port="22" protocol="tcp" reject type="x"
\trule priority="-5" family="ipv4" source address="8.8.8.0/24" drop
\trule family="ipv4" source address="9.9.9.9" accept
\trule family="ipv4" source NOT address="9.9.9.8" drop
rule family='ipv6' source address='2a02:8109::5' reject
"""
    assert texts(rules) == ["1.1.1.1", "8.8.8.0/24", "2a02:8109::5"]


# --- others ---------------------------------------------------------------------------------------------


def test_hosts_deny() -> None:
    text = """# /etc/hosts.deny
ALL: 1.1.1.1
ALL: 45.148.10.
sshd: 8.8.8.0/255.255.255.0 , 9.9.9.9
sshd, vsftpd : [2a02:8109::]/32 EXCEPT [2a02:8109::1]
ALL: 4.4.4.4 : spawn (/bin/echo %h) : DENY
ALL: 4.4.4.5: ALLOW
sshd: .example.org 10.
ALL: PARANOID
"""
    assert texts(text) == [
        *["1.1.1.1", "45.148.10.0/24", "8.8.8.0/24", "9.9.9.9", "2a02:8109::/32", "4.4.4.4", "10.0.0.0/8"],
    ]


def test_the_blacklist_of_sshguard() -> None:
    assert read(b"1795474931|100|4|1.1.1.1\n1795474932|110|6|2a02:8109::5\n")[0] == [
        Ban(None, "1.1.1.1", "2026-11-23T23:02:11Z"),
        Ban(None, "2a02:8109::5", "2026-11-23T23:02:12Z"),
    ]


def test_tables_of_pf() -> None:
    assert texts("   1.1.1.1\n   8.8.8.0/24\n   !9.9.9.9\n   2a02:8109::5\n") == [
        *["1.1.1.1", "8.8.8.0/24", "2a02:8109::5"],
    ]
    in_detail = """   1.1.1.1
\tCleared:     Mon Nov 23 21:42:11 2026
\tIn/Block:    [ Packets: 4                  Bytes: 240                ]
\tOut/Pass:    [ Packets: 0                  Bytes: 0                  ]
   8.8.8.8
\tCleared:     Mon Nov 23 21:42:12 2026
"""
    assert read(in_detail.encode())[0] == [
        Ban(None, "1.1.1.1", "2026-11-23T21:42:11Z"),
        Ban(None, "8.8.8.8", "2026-11-23T21:42:12Z"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Status\n|- Number of jail:\t2\n`- Jail list:\tsshd, 203.0.113.250\n",
        "[['sshd'], []]\n",
        "Failed to access socket path: /var/run/fail2ban/fail2ban.sock. Is fail2ban running?\n",
        "ERROR  NOK: ('IP 1.1.1.1 is not banned',)\n",
        "ERROR  Unable to contact server. Is it running?\n",
        "Nov 23 21:42:12 web sshd[811]: Failed password for root from 1.1.1.1 port 22\n",
        "2026-11-23T21:42:12+00:00 web sshd[811]: Failed password for root from 1.1.1.1 port 22\n",
        "hello world\n",
        "Server ready\n",
        "1\n",
    ],
)
def test_what_tells_nobody_who_is_banned_is_an_error_of_one_line(text: str) -> None:
    problems = Problems()
    assert read(text.encode(), problems=problems)[0] == []
    assert len(problems) == problems.bad_inputs == 1
    assert all(str(problem).isprintable() for problem in problems)


@pytest.mark.parametrize("text", ["", "\n \n", "# 1.1.1.1\n\n# x\n", "\ufeff\n"])
def test_an_empty_list_is_no_error(text: str) -> None:
    problems = Problems()
    assert read(text.encode(), problems=problems)[0] == []
    assert not list(problems)


def test_lines_that_were_not_understood_are_counted_once() -> None:
    problems = Problems()
    log = b"2026-11-23 21:42:12,123 fail2ban.actions [7]: NOTICE  [a] Ban 1.1.1.1\n"
    assert len(read(log + b"x [sshd] Ban 6.6.6.6\n" * 3, problems=problems)[0]) == 1
    assert [str(problem) for problem in problems] == ["input: 3 lines were not understood, and passed over"]
    assert problems.codes() == set()


def test_the_summary_says_what_was_understood() -> None:
    reading = Reading(NOW)
    reading.in_detail = True
    log = b"2026-11-23 21:42:12,123 fail2ban.actions [7]: NOTICE  [a] Ban 1.1.1.1\nx [sshd] Ban 6.6.6.6\n"
    for _ in read_bans([Stream(io.BytesIO(log), "a.log")], Problems(), reading):
        pass
    assert reading.tallies[0].summary() == (
        "a.log: fail2ban.log, in a syslog too: 2 lines, 1 event, 1 ban, 1 address; 1 lines passed over"
    )

"""``geocli bans``: rows, filters, groups, and every source of the same bans."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, Geocli
from tests.support.fail2ban_server import Fail2ban, fail2ban_server, running_fail2ban
from tests.support.terminal import on_terminal
from tests.support.waiting import wait_until

__all__ = ["fail2ban_server", "running_fail2ban"]  # fixtures

BANNED = (
    "[{'sshd': ['9.9.9.9', '1.1.1.1', '8.8.8.8', '8.8.8.0/24', '::ffff:8.8.4.4', '10.0.0.1']}, "
    "{'foo, bar': ['8.8.8.8', 'alice', 'host.example.com']}, {'empty': []}]\n"
)
TIMES = (
    "9.9.9.9 \t2026-11-23 21:42:11 + 600 = 2026-11-23 21:52:11\n"
    "8.8.8.8 \t2026-11-20 08:00:00 + -1 = 9999-12-31 23:59:59\n"
)
COLUMNS = [
    "jail", "ip", "banned_at", "expires_at", "ban_count", "status", "country_code", "country_name", "region",
    "city", "latitude", "longitude", "asn", "org", "network", "source", "resolved_at",
]  # fmt: skip


def rows(geocli: Geocli, *arguments: str | Path, stdin: str | None = None, code: int = 0) -> list[Any]:
    done = geocli("bans", "-j", *arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    return Geocli(data_dir, {"TZ": "UTC", "PATH": "/nonexistent"})


def test_a_row_is_a_ban_with_its_answer(geocli: Geocli) -> None:
    found = rows(geocli, stdin=BANNED)
    assert list(found[0]) == COLUMNS
    assert [(row["jail"], row["ip"], row["status"], row["country_code"]) for row in found] == [
        ("sshd", "9.9.9.9", "ok", "US"),
        ("sshd", "1.1.1.1", "ok", "AU"),
        ("sshd", "8.8.8.8", "ok", "US"),
        ("sshd", "8.8.8.0/24", "ok", "US"),
        ("sshd", "8.8.4.4", "ok", "US"),
        ("sshd", "10.0.0.1", "reserved", None),
        ("foo, bar", "8.8.8.8", "ok", "US"),
        ("foo, bar", "alice", "unknown", None),
        ("foo, bar", "host.example.com", "unknown", None),
    ]


def test_an_address_in_two_jails_is_journalled_once_and_text_never(geocli: Geocli) -> None:
    geocli("bans", stdin=BANNED)
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 5
    geocli("flush")
    geocli("bans", stdin=BANNED)
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 0


def test_times_come_with_the_bans_that_have_them(geocli: Geocli) -> None:
    first, second = rows(geocli, stdin=TIMES)
    assert (first["banned_at"], first["expires_at"]) == ("2026-11-23T21:42:11Z", "2026-11-23T21:52:11Z")
    assert (second["banned_at"], second["expires_at"]) == ("2026-11-20T08:00:00Z", None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--jail", "foo, bar"], ["8.8.8.8", "alice", "host.example.com"]),
        (["--jail", "sshd", "--jail", "no", "--asn", "15169"], ["8.8.8.8", "8.8.8.0/24", "8.8.4.4"]),
        (["--country", "au"], ["1.1.1.1"]),
        (["--country", "AU,DE", "--country", "FR"], ["1.1.1.1"]),
        (["--asn", "13335,AS19281"], ["9.9.9.9", "1.1.1.1"]),
        (["--asn", "15169", "--jail", "foo, bar"], ["8.8.8.8"]),
        (["--jail", "nobody"], []),
    ],
)  # fmt: skip
def test_filters(geocli: Geocli, options: list[str], expected: list[str]) -> None:
    assert [row["ip"] for row in rows(geocli, *options, stdin=BANNED)] == expected


def test_since_takes_durations_and_times_and_says_what_it_cannot_judge(geocli: Geocli) -> None:
    assert [row["ip"] for row in rows(geocli, "--since", "2026-11-23", stdin=TIMES)] == ["9.9.9.9"]
    assert [row["ip"] for row in rows(geocli, "--since", "2026-11-23T21:42:12", stdin=TIMES)] == []
    assert len(rows(geocli, "--since", "99y", stdin=TIMES)) == 2
    done = geocli("bans", "--since", "24h", stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "geocli: --since left out 9 bans: the input does not say when they began\n"


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("country", [("US", 4, 5), (None, 3, 3), ("AU", 1, 1)]),
        ("asn", [(15169, 3, 4), (None, 3, 3), (13335, 1, 1), (19281, 1, 1)]),
        ("jail", [("sshd", 6, 6), ("foo, bar", 3, 3)]),
        ("network", [("8.8.8.0/24", 2, 3), ("1.1.1.0/24", 1, 1), ("10.0.0.1", 1, 1), ("8.8.4.0/24", 1, 1),
                     ("9.9.9.0/24", 1, 1)]),
        ("day", [(None, 8, 9)]),
    ],
)  # fmt: skip
def test_groups(geocli: Geocli, by: str, expected: list[tuple[object, int, int]]) -> None:
    found = rows(geocli, "--by", by, stdin=BANNED)
    assert [(next(iter(row.values())), row["addresses"], row["bans"]) for row in found] == expected
    total = sum(row["bans"] for row in found)
    assert [row["share"] for row in found] == [round(row["bans"] / total, 4) for row in found]
    top = rows(geocli, "--by", by, "--top", "1", stdin=BANNED)
    assert top == found[:1]  # the share is of everything, also of what is not shown


def test_days_come_in_their_order(geocli: Geocli) -> None:
    found = rows(geocli, "--by", "day", stdin=TIMES)
    assert [(row["day"], row["bans"]) for row in found] == [("2026-11-20", 1), ("2026-11-23", 1)]


def test_networks_to_ban_are_bare_lines(geocli: Geocli) -> None:
    done = geocli("bans", "--by", "network", "--country", "US", "-f", "network", stdin=BANNED)
    assert done.stdout == "8.8.8.0/24\n8.8.4.0/24\n9.9.9.0/24\n"


def test_the_table_has_bars_and_csv_has_figures(geocli: Geocli) -> None:
    table = geocli("bans", "--by", "jail", "--table", stdin=BANNED).stdout
    assert "█" in table
    assert "66.7%" in table
    parsed = list(csv.DictReader(io.StringIO(geocli("bans", "--by", "jail", "-c", stdin=BANNED).stdout)))
    assert [row["share"] for row in parsed] == ["0.6667", "0.3333"]


def test_hostile_names_stay_in_their_cell(geocli: Geocli) -> None:
    hostile = "[{'a\\x1b[2J\\tb': ['8.8.8.8', 'x\\ny\\x1b]0;z\\x07', '[red]'], '=cmd()': ['1.1.1.1']}]\n"
    for form in ("--table", "--tsv", "-c", "-j"):
        done = geocli("bans", form, stdin=hostile)
        assert done.returncode == 0
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
    assert len(geocli("bans", "--tsv", "--no-header", stdin=hostile).stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["--by", "planet"],
            "--by: there is no 'planet', there is country, asn, org, network, region, ip, jail, host, hour",
        ),
        (["--top", "3"], "--top is for --by"),
        (["--asn", "google"], "--asn: 'google' is no AS number"),
        (["--since", "yesterday"], "--since: 'yesterday' is no time"),
        (["-i", "x", "--client"], "give one of FILE, --database and --client"),
        (["-i", "/nonexistent"], "cannot read /nonexistent: No such file or directory"),
        (["--database", "/nonexistent"], "/nonexistent"),
        (["--client", "--fail2ban-client", "/no/program"], "/no/program was not found"),
        (["--fail2ban-client", "no-such-program"], "no-such-program was not found"),
    ],
)
def test_what_cannot_be_done_is_one_line(geocli: Geocli, options: list[str], complaint: str) -> None:
    done = geocli("bans", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_rotated_logs_may_come_in_any_order(geocli: Geocli, tmp_path: Path) -> None:
    line = "2026-11-{} 10:00:00,000 fail2ban.actions [7]: NOTICE  [sshd] {} {}\n"
    (tmp_path / "fail2ban.log").write_text(
        line.format(23, "Unban", "8.8.8.8") + line.format(23, "Ban", "1.1.1.1")
    )
    (tmp_path / "fail2ban.log.1").write_text(line.format(22, "Ban", "8.8.8.8"))
    (tmp_path / "fail2ban.log.2.gz").write_bytes(gzip.compress(line.format(21, "Ban", "9.9.9.9").encode()))
    logs = [argument for path in sorted(tmp_path.glob("fail2ban.log*")) for argument in ("-i", path)]
    found = rows(geocli, *logs)
    assert [(row["ip"], row["expires_at"]) for row in found] == [
        ("9.9.9.9", None), ("8.8.8.8", "2026-11-23T10:00:00Z"), ("1.1.1.1", None),
    ]  # fmt: skip


def test_the_captures_of_two_versions_group_alike(geocli: Geocli) -> None:
    old, new = (
        rows(geocli, "--no-cache", "-i", FIXTURES / "fail2ban" / version / "20-banned.out", "--by", "jail")
        for version in ("1.0.2", "1.1.0")
    )
    assert {row["jail"]: row["bans"] for row in old}["big"] == 5000
    assert {row["jail"] for row in old} == {row["jail"] for row in new}


def test_all_sources_of_a_real_server_agree(data_dir: Path, fail2ban_server: Fail2ban) -> None:
    geocli = Geocli(data_dir)
    fail2ban_server.ban("sshd", "8.8.8.8", "2001:4860:4860::8888", "9.9.9.0/24")
    fail2ban_server.ban("web.bots", "8.8.8.8", "1.1.1.1")
    fail2ban_server.ban("my-jail", "9.9.9.9")
    expected = Counter({
        ("sshd", "8.8.8.8", "US"): 1, ("sshd", "2001:4860:4860::8888", "US"): 1,
        ("sshd", "9.9.9.0/24", "US"): 1, ("my-jail", "9.9.9.9", "US"): 1,
        ("web.bots", "8.8.8.8", "US"): 1, ("web.bots", "1.1.1.1", "AU"): 1,
    })  # fmt: skip

    def told(found: list[dict[str, Any]], jail: str | None = None) -> Counter[tuple[str, str, str]]:
        return Counter((row["jail"] or str(jail), row["ip"], row["country_code"]) for row in found)

    assert told(rows(geocli, stdin=fail2ban_server("banned").decode())) == expected
    jails = ("sshd", "web.bots", "my-jail", "empty")
    statuses = [rows(geocli, stdin=fail2ban_server("status", jail).decode()) for jail in jails]
    assert told([row for found in statuses for row in found]) == expected
    server = ["--fail2ban-client", fail2ban_server.client, "--socket", str(fail2ban_server.socket)]
    asked = rows(geocli, "--client", *server)
    assert told(asked) == expected
    kept = rows(geocli, "--database", str(fail2ban_server.database))
    assert told(kept) == expected
    times = {(row["jail"], row["ip"]): row["banned_at"] for row in kept}
    for row in asked:
        # One rounds to the nearest second, the other cuts.
        assert abs(moment(row["banned_at"]) - moment(times[row["jail"], row["ip"]])) <= 1
        assert (row["expires_at"] is None) == (row["jail"] == "my-jail")
    assert [row["ip"] for row in rows(geocli, *server, "--jail", "web.bots")] == ["8.8.8.8", "1.1.1.1"]
    missing = geocli("bans", *server, "--jail", "nobody")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert "nobody" in missing.stderr


def test_the_action_that_ships_tells_geocli_of_each_ban(
    geocli: Geocli, data_dir: Path, tmp_path: Path
) -> None:
    action = Path(__file__).parents[3] / "geocli" / "data" / "action.d" / "geocli.conf"
    (line,) = (text for text in action.read_text().splitlines() if text.startswith("actionban = "))
    script = tmp_path / "geocli"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(geocli.command)} "$@"\n')
    script.chmod(0o755)
    command = line.removeprefix("actionban = ").replace("<geocli>", str(script))
    command = command.replace("<data_dir>", str(data_dir))
    for identifier in ("8.8.8.8", "1.1.1.1", "alice; touch x", "-h", "--help", "host.example.com"):
        done = subprocess.run(
            ["sh", "-c", command.replace("<ip>", identifier)],
            cwd=tmp_path, capture_output=True, check=False, env=geocli.env | {"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not (tmp_path / "x").exists()
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 2


def test_a_real_server_runs_the_action(data_dir: Path, tmp_path: Path, fail2ban_server: Fail2ban) -> None:
    geocli = Geocli(data_dir)
    action = Path(__file__).parents[3] / "geocli" / "data" / "action.d" / "geocli.conf"
    shutil.copy(action, fail2ban_server.directory / "action.d")
    script = tmp_path / "geocli"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(geocli.command)} "$@"\n')
    script.chmod(0o755)
    (line,) = (text for text in action.read_text().splitlines() if text.startswith("actionban = "))
    fail2ban_server("set", "sshd", "addaction", "geocli")
    told = {"actionban": line.removeprefix("actionban = "), "geocli": str(script), "data_dir": str(data_dir)}
    for name, value in told.items():
        fail2ban_server("set", "sshd", "action", "geocli", name, value)
    try:
        fail2ban_server.ban("sshd", "8.8.8.8", "2001:4860:4860::8888", "some 'user' $(touch x)")
        wait_until(lambda: json.loads(geocli("stats", "-j").stdout)["dirty"] == 2)
    finally:
        fail2ban_server("set", "sshd", "delaction", "geocli")
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 2


def test_five_thousand_bans_of_a_real_server(data_dir: Path, fail2ban_server: Fail2ban) -> None:
    geocli = Geocli(data_dir)
    addresses = [f"23.{n // 250}.{n % 250}.7" for n in range(5000)]
    fail2ban_server("set", "web.bots", "banip", *addresses)
    wait_until(lambda: fail2ban_server("get", "web.bots", "banip").count(b" ") == len(addresses) - 1)
    server = ["--fail2ban-client", fail2ban_server.client, "--socket", str(fail2ban_server.socket)]
    asked = rows(geocli, "--client", *server)
    kept = rows(geocli, "--database", str(fail2ban_server.database))
    assert {row["ip"] for row in asked} == {row["ip"] for row in kept} == set(addresses)
    assert all(row["banned_at"] and row["expires_at"] for row in asked)
    (group,) = rows(geocli, *server, "--by", "jail")
    assert (group["jail"], group["addresses"], group["bans"], group["share"]) == ("web.bots", 5000, 5000, 1.0)


def test_the_map_stands_above_the_table(geocli: Geocli) -> None:
    code, seen, said = on_terminal(
        geocli, "bans", "--by", "country", "--map", "--top", "1", stdin=BANNED, stderr=False, columns=100
    )
    assert (code, said) == (0, "")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    picture, legend, *rest = plain.split("\n\n")
    assert 90 < max(map(len, picture.splitlines())) <= 100
    assert "⣿" in picture
    assert "\x1b[38;5;" in seen
    assert legend == "⣿ none  ⣿ 1  ⣿ 2  ⣿ 3  ⣿ 4  ⣿ 5"
    assert "United States" in rest[0]
    assert "Australia" not in rest[0]  # which is on the map all the same
    without = on_terminal(
        geocli,
        "--color",
        "never",
        "bans",
        "--by",
        "country",
        "--map",
        stdin=BANNED,
        stderr=False,
        columns=100,
    )
    assert "\x1b" not in without[1]
    assert "█" in without[1].split("\n\n")[0]


def test_a_narrow_terminal_gets_the_table_alone(geocli: Geocli) -> None:
    code, seen, said = on_terminal(
        geocli, "bans", "--by", "country", "--map", stdin=BANNED, stderr=False, columns=79
    )
    assert (code, said) == (0, "geocli: the map needs 80 columns, and this terminal has 79\n")
    assert "⣿" not in seen
    assert "Australia" in seen


def test_the_map_goes_down_a_pipe_with_the_table(geocli: Geocli) -> None:
    done = geocli("bans", "--by", "country", "--map", stdin=BANNED)
    assert (done.returncode, done.stderr) == (0, "")
    assert "· none  ░ 1" in done.stdout
    assert "United States" in done.stdout
    assert "\x1b" not in done.stdout


def test_days_have_a_sparkline_on_a_terminal_only(geocli: Geocli) -> None:
    days = TIMES + "1.1.1.1 \t2026-11-23 22:42:11 + 600 = 2026-11-23 22:52:11\n"
    _, seen, _ = on_terminal(geocli, "bans", "--by", "day", stdin=days, stderr=False, columns=80)
    assert seen.startswith("2026-11-20 ▄  █ 2026-11-23\n\n")
    assert geocli("bans", "--by", "day", "--table", stdin=days).stdout.startswith("day ")


@pytest.mark.parametrize("options", [["--map"], ["--map", "--by", "asn"], ["--map", "--by", "country", "-j"]])
def test_a_map_is_of_countries_and_above_a_table(geocli: Geocli, options: list[str]) -> None:
    done = geocli("bans", *options, stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geocli: --map is ")


@pytest.mark.parametrize("text", ["US", "us", "United States", "usa", "Germany,United States"])
def test_a_country_is_a_code_or_a_name(text: str, geocli: Geocli) -> None:
    assert geocli("bans", "--country", text, "-f", "ip", stdin="8.8.8.8\n").stdout == "8.8.8.8\n"


@pytest.mark.parametrize(
    ("text", "said"), [("UK", "write GB"), ("Germny", "did you mean DE (Germany)?"), ("ZZ", "is no country")]
)
def test_a_country_that_is_none_is_an_error_that_knows_better(text: str, said: str, geocli: Geocli) -> None:
    done = geocli("bans", "--country", text, stdin="8.8.8.8\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geocli: --country: ")
    assert said in done.stderr


def test_who_was_banned_more_than_once_is_one_command(geocli: Geocli) -> None:
    log = "".join(
        f"2026-11-2{day} 03:00:00,000 fail2ban.actions [1]: NOTICE [{jail}] Ban {ip}\n"
        for day, jail, ip in (
            (0, "sshd", "8.8.8.8"), (1, "web", "8.8.8.8"), (1, "sshd", "9.9.9.9"), (2, "sshd", "8.8.4.4"),
            (2, "web", "8.8.4.4"), (3, "web", "1.1.1.1"), (3, "sshd", "8.8.8.8"),
        )
    )  # fmt: skip
    found = rows(geocli, "--by", "ip", "--at-least", "2", stdin=log)
    assert [(row["ip"], row["bans"]) for row in found] == [("8.8.8.8", 3), ("8.8.4.4", 2)]
    found = rows(geocli, "--by", "country,jail", stdin=log)
    assert [(row["country_code"], row["jail"], row["addresses"], row["bans"]) for row in found] == [
        ("US", "sshd", 3, 4), ("US", "web", 2, 2), ("AU", "web", 1, 1),
    ]  # fmt: skip
    found = rows(geocli, "--by", "day", "--top", "2", stdin=log)
    assert [row["day"] for row in found] == ["2026-11-21", "2026-11-23"]
    assert [row["hour"] for row in rows(geocli, "--by", "hour", stdin=log)] == ["03"]
    weekdays = [row["weekday"] for row in rows(geocli, "--by", "weekday", stdin=log)]
    assert weekdays == ["Monday", "Friday", "Saturday", "Sunday"]
    for sort, ips in (
        ("ip", ["1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9"]),
        ("country_code,-bans,-ip", ["1.1.1.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"]),
    ):
        for top in (4, 2):
            found = rows(geocli, "--by", "ip", "--sort", sort, "--top", str(top), stdin=log)
            assert [row["ip"] for row in found] == ips[:top]
    found = rows(geocli, "--by", "weekday", "--sort", "-weekday", stdin=log)
    assert [row["weekday"] for row in found] == weekdays[::-1]


def test_a_column_that_is_not_there_sorts_nothing_and_the_others_are_named(geocli: Geocli) -> None:
    for command in (["bans", "--by", "country"], ["summarize"]):
        done = geocli(*command, "--sort", "hitz", stdin="8.8.8.8\n")
        assert (done.returncode, done.stdout) == (2, "")
        assert "--sort: no column is called 'hitz', there is country_code, country_name, a" in done.stderr
    assert "--sort is for --by" in geocli("bans", "--sort", "ip", stdin="8.8.8.8\n").stderr


def test_a_table_says_of_what_no_as_is_known(geocli: Geocli) -> None:
    done = geocli("bans", "--by", "asn", "--table", stdin="10.0.0.1\n")
    assert "(no AS known)" in done.stdout
    assert rows(geocli, "--by", "asn", stdin="10.0.0.1\n")[0]["org"] is None


PLAIN = "8.8.8.8 10.0.0.1 9.9.9.9\n8.8.8.8\n2001:4860:4860::8888 192.0.2.0/24 203.0.113.7\n"
LOGGED = "2026-11-23 21:42:00,606 fail2ban.actions [728]: NOTICE [sshd] Ban 1.1.1.1\n"


@pytest.mark.parametrize(
    "text",
    [
        *[PLAIN, PLAIN + LOGGED + PLAIN, PLAIN + "{'sshd': ['1.1.1.1', 'alice']}\n", BANNED, TIMES],
        BANNED.replace("'alice', 'host.example.com'", "'9.9.9.9'") + TIMES + PLAIN,
    ],
)
@pytest.mark.parametrize(
    "form",
    [["-c"], ["-j"], ["--tsv"], [], ["-f", "jail"], ["-c", "-f", "jail"], ["-t", "{ip}%{banned_at}%{asn}"]],
)
def test_bans_by_column_are_shown_as_any_other_is(
    geocli: Geocli, monkeypatch: pytest.MonkeyPatch, text: str, form: list[str]
) -> None:
    assert geocli("lookup", "-i", "-", stdin=text).returncode == 0  # so that times are the same
    quick = geocli("bans", *form, stdin=text)
    monkeypatch.setattr("geocli.cli.commands.bans_by_column._targets", lambda _: None)
    slow = geocli("bans", *form, stdin=text)
    assert (quick.returncode, quick.stdout, quick.stderr) == (slow.returncode, slow.stdout, slow.stderr)
    assert slow.returncode == 0


@pytest.mark.parametrize("filters", [["--jail", "sshd"], ["--since", "2026-11-22"], ["--country", "US"]])
def test_filters_take_the_same_by_column(
    geocli: Geocli, monkeypatch: pytest.MonkeyPatch, filters: list[str]
) -> None:
    text = BANNED + LOGGED + TIMES
    assert geocli("lookup", "-i", "-", stdin=text).returncode == 0
    quick = geocli("bans", "-c", *filters, stdin=text)
    monkeypatch.setattr("geocli.cli.commands.bans_by_column._targets", lambda _: None)
    slow = geocli("bans", "-c", *filters, stdin=text)
    assert (quick.returncode, quick.stdout, quick.stderr) == (slow.returncode, slow.stdout, slow.stderr)
    assert 1 < len(slow.stdout.splitlines()) < len(geocli("bans", "-c", stdin=text).stdout.splitlines())

"""``geocli bans --record`` and ``--history``: recorded silently, shown in every form, nonsense refused."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from geocli.cli.app import run
from geocli.mmdb.embedded import embedded_source
from geocli.model.bans import SeenBan
from geocli.model.records import utc_text
from geocli.storage.batch import Batch
from geocli.storage.store.sqlite import SqliteStore
from tests.benchmarks.ban_inputs import write_banned
from tests.cli.commands.test_bans import BANNED, TIMES
from tests.cli.commands.test_lookup import on_a_terminal, snapshot
from tests.conftest import Geocli
from tests.support.bans import BAN
from tests.support.fail2ban_server import Fail2ban, fail2ban_server, running_fail2ban
from tests.support.peak_memory import peak_memory
from tests.support.waiting import wait_until

__all__ = ["fail2ban_server", "running_fail2ban"]  # fixtures

COLUMNS = [
    "host", "jail", "ip", "banned_at", "expires_at", "ban_count", "first_seen", "last_seen", "status",
    "country_code", "country_name", "region", "city", "latitude", "longitude", "asn", "org", "network",
    "source", "resolved_at",
]  # fmt: skip


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    return Geocli(data_dir, {"TZ": "UTC", "PATH": "/nonexistent", "GEOCLI_BANS_HOST": "web1"})


def record(geocli: Geocli, stdin: str, *arguments: str) -> None:
    """Record, as cron does: nothing may be printed."""
    done = geocli("bans", "--record", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def history(geocli: Geocli, *arguments: str, code: int = 0) -> list[Any]:
    done = geocli("bans", "--history", "-j", *arguments)
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def dirty(geocli: Geocli) -> tuple[int, int]:
    """Answers and bans that wait."""
    figures = json.loads(geocli("stats", "-j").stdout)
    return figures["dirty"], figures["dirty_bans"]


@pytest.mark.parametrize("flushes", [False, True], ids=["in the journal", "in the store"])
def test_what_was_recorded_is_the_history_with_its_answers(geocli: Geocli, flushes: bool) -> None:
    record(geocli, TIMES)
    record(geocli, BANNED)
    if flushes:
        assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 5 + 11
    rows = history(geocli)
    assert list(rows[0]) == COLUMNS
    found = [(row["jail"], row["ip"], row["banned_at"], row["status"], row["country_code"]) for row in rows]
    assert found[:2] == [
        (None, "8.8.8.8", "2026-11-20T08:00:00Z", "ok", "US"),
        (None, "9.9.9.9", "2026-11-23T21:42:11Z", "ok", "US"),
    ]
    assert found[2:] == [
        ("foo, bar", "8.8.8.8", None, "ok", "US"),
        ("foo, bar", "alice", None, "unknown", None),
        ("foo, bar", "host.example.com", None, "unknown", None),
        ("sshd", "1.1.1.1", None, "ok", "AU"),
        ("sshd", "10.0.0.1", None, "reserved", None),
        ("sshd", "8.8.4.4", None, "ok", "US"),
        ("sshd", "8.8.8.0/24", None, "ok", "US"),
        ("sshd", "8.8.8.8", None, "ok", "US"),
        ("sshd", "9.9.9.9", None, "ok", "US"),
    ]
    assert {row["host"] for row in rows} == {"web1"}
    assert all(row["first_seen"] == row["last_seen"] for row in rows)


def test_recording_the_same_again_writes_nothing_anywhere(geocli: Geocli, data_dir: Path) -> None:
    bans = f"[{{'sshd': {[f'23.{n >> 8}.{n & 255}.7' for n in range(5000)]}}}]\n"
    record(geocli, bans)
    assert dirty(geocli) == (5000, 5000)
    before = snapshot(data_dir)
    record(geocli, bans)
    assert snapshot(data_dir) == before
    geocli("flush")
    assert dirty(geocli) == (0, 0)
    before = snapshot(data_dir)
    record(geocli, bans)
    assert snapshot(data_dir) == before


def test_only_what_the_filters_let_through_is_recorded(geocli: Geocli) -> None:
    record(geocli, BANNED, "--jail", "sshd", "--country", "AU,US", "--asn", "13335,19281")
    assert [row["ip"] for row in history(geocli)] == ["1.1.1.1", "9.9.9.9"]


def test_a_host_has_the_name_that_was_given_or_the_machines(geocli: Geocli, data_dir: Path) -> None:
    record(geocli, TIMES, "--host", "web 2")
    nameless = Geocli(data_dir, {"PATH": "/nonexistent"})
    record(nameless, TIMES)
    assert {row["host"] for row in history(geocli)} == {"web 2", socket.gethostname()}
    assert len(history(geocli, "--host", "web 2")) == 2
    assert len(history(geocli, "--host", "web 2", "--host", socket.gethostname())) == 4
    assert history(geocli, "--host", "web1") == []
    assert [row["host"] for row in history(geocli, "--by", "host")] == sorted(["web 2", socket.gethostname()])


def test_whoever_asks_for_more_is_told_what_was_new(geocli: Geocli) -> None:
    first = geocli("bans", "--record", "-v", stdin=TIMES)
    assert first.stdout == "saw 2 bans, of which 2 were new or had changed\n"
    assert geocli("bans", "--record", "-v", stdin=TIMES).stdout.startswith("saw 2 bans, of which 0 were new")


def test_an_error_of_the_input_is_told_and_the_rest_is_recorded(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(TIMES)
    done = geocli("bans", "--record", "-i", "/nonexistent", "-i", str(tmp_path / "list"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert len(history(geocli)) == 2


def test_bans_that_a_server_knows_are_recorded_and_remembered_when_it_forgets(
    data_dir: Path, fail2ban_server: Fail2ban
) -> None:
    geocli = Geocli(data_dir)
    client = (
        "--client",
        "--fail2ban-client",
        fail2ban_server.client,
        "--socket",
        str(fail2ban_server.socket),
    )
    fail2ban_server.ban("sshd", "8.8.8.8", "2001:4860:4860::8888")
    fail2ban_server.ban("my-jail", "9.9.9.9")
    done = geocli("bans", "--record", *client)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert dirty(geocli) == (3, 3)
    # The database says the same, though it may round a second in another direction.
    geocli("bans", "--record", "--database", str(fail2ban_server.database))
    assert len(history(geocli)) == 3
    geocli("flush")
    fail2ban_server("unban", "--all")
    wait_until(lambda: geocli("bans", *client).stdout == "")
    geocli("bans", "--record", *client)
    rows = history(geocli)
    assert sorted((row["jail"], row["ip"], row["country_code"]) for row in rows) == [
        ("my-jail", "9.9.9.9", "US"), ("sshd", "2001:4860:4860::8888", "US"), ("sshd", "8.8.8.8", "US"),
    ]  # fmt: skip
    assert all(row["banned_at"] for row in rows)


# --- questions ----------------------------------------------------------------------------------------


def ago(days: float) -> str:
    return utc_text(time.time() - 86400 * days)


@pytest.fixture
def past(geocli: Geocli, data_dir: Path) -> Geocli:
    """A store with a history of some weeks, and the newest ban still in the journal."""
    bans: list[SeenBan] = [
        BAN._replace(host=host, jail=jail, ip=ip, banned_at=ago(days), expires_at=None)
        for host, jail, ip, days in (
            ("web1", "sshd", "8.8.8.8", 40), ("web1", "sshd", "8.8.8.8", 10), ("web2", "web", "8.8.4.4", 9),
            ("web1", "sshd", "9.9.9.9", 3), ("web2", "sshd", "8.8.8.8", 2), ("web2", "web", "10.0.0.1", 1),
        )
    ]  # fmt: skip
    store = SqliteStore(data_dir / "geo.db", 1)
    store.replay([Batch(bans=bans)], ago(0))
    store.close()
    record(geocli, "[{'sshd': ['1.1.1.1']}]\n")
    return geocli


def test_the_history_is_filtered_by_everything_that_bans_are(past: Geocli) -> None:
    def found(*arguments: str) -> list[str]:
        return [row["ip"] for row in history(past, *arguments)]

    assert found() == ["8.8.8.8", "8.8.8.8", "8.8.4.4", "9.9.9.9", "8.8.8.8", "10.0.0.1", "1.1.1.1"]
    assert found("--since", "5d") == ["9.9.9.9", "8.8.8.8", "10.0.0.1", "1.1.1.1"]
    assert found("--until", "5d") == ["8.8.8.8", "8.8.8.8", "8.8.4.4"]
    assert found("--since", "30d", "--until", "5d") == ["8.8.8.8", "8.8.4.4"]
    assert found("--host", "web2", "--jail", "web") == ["8.8.4.4", "10.0.0.1"]
    assert found("--country", "AU") == ["1.1.1.1"]
    assert found("--asn", "AS19281,13335") == ["9.9.9.9", "1.1.1.1"]
    assert found("--jail", "nobody") == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("country", [("US", 3, 5), ("AU", 1, 1), (None, 1, 1)]),
        ("asn", [(15169, 2, 4), (13335, 1, 1), (19281, 1, 1), (None, 1, 1)]),
        ("jail", [("sshd", 3, 5), ("web", 2, 2)]),
        ("host", [("web1", 3, 4), ("web2", 3, 3)]),
        ("network", [("8.8.8.0/24", 1, 3), ("1.1.1.0/24", 1, 1), ("10.0.0.1", 1, 1), ("8.8.4.0/24", 1, 1),
                     ("9.9.9.0/24", 1, 1)]),
    ],
)  # fmt: skip
def test_groups_of_the_history(past: Geocli, by: str, expected: list[tuple[object, int, int]]) -> None:
    rows = history(past, "--by", by)
    assert [(next(iter(row.values())), row["addresses"], row["bans"]) for row in rows] == expected
    assert [row["share"] for row in rows] == [round(row["bans"] / 7, 4) for row in rows]
    assert history(past, "--by", by, "--top", "1") == rows[:1]
    least = history(past, "--by", by, "--top", "1", "--sort", f"bans,-{next(iter(rows[0]))}")
    assert least[0]["bans"] == min(row["bans"] for row in rows)


def test_days_weeks_and_months_come_in_their_order(past: Geocli) -> None:
    days = history(past, "--by", "day")
    assert [row["day"] for row in days] == [ago(n)[:10] for n in (40, 10, 9, 3, 2, 1, 0)]
    for by in ("week", "month"):
        names = [row[by] for row in history(past, "--by", by)]
        assert names == sorted(names)
        assert sum(row["bans"] for row in history(past, "--by", by, "--country", "US")) == 5
    assert history(past, "--by", "month")[-1]["month"] == ago(0)[:7]
    assert "-W" in history(past, "--by", "week")[0]["week"]


def test_a_period_is_compared_with_the_one_before(past: Geocli) -> None:
    rows = history(past, "--compare", "7d")
    assert rows[0].keys() == {
        "country_code", "country_name", "addresses", "addresses_before", "bans", "bans_before", "change",
        "growth", "trend",
    }  # fmt: skip
    figures = [
        (row["country_code"], row["bans"], row["bans_before"], row["growth"], row["trend"]) for row in rows
    ]
    assert figures == [("AU", 1, 0, None, "new"), (None, 1, 0, None, "new"), ("US", 2, 2, 0.0, "same")]
    shrunk = history(past, "--compare", "7d", "--sort", "growth,country_code")
    assert [row["country_code"] for row in shrunk] == ["US", "AU", None]
    networks = history(past, "--compare", "7d", "--by", "network", "--top", "20")
    assert {row["network"]: row["trend"] for row in networks}["8.8.4.0/24"] == "gone"
    earlier = history(past, "--compare", "7d", "--until", "5d", "--country", "US")
    assert [(row["bans"], row["bans_before"]) for row in earlier] == [(2, 0)]


def test_what_is_new_had_no_ban_before(past: Geocli) -> None:
    rows = history(past, "--new", "--since", "7d")
    assert {row["ip"] for row in rows} == {"9.9.9.9", "10.0.0.1", "1.1.1.1"}
    assert {row["ip"]: row["country_code"] for row in rows} == {
        "9.9.9.9": "US",
        "10.0.0.1": None,
        "1.1.1.1": "AU",
    }
    assert [row["country_code"] for row in history(past, "--new", "--since", "7d", "--by", "country")] == [
        "AU"
    ]
    networks = history(past, "--new", "--since", "7d", "--by", "network")
    assert {row["network"] for row in networks} == {"9.9.9.0/24", "1.1.1.0/24", "10.0.0.1"}
    assert [
        row["ip"] for row in history(past, "--new", "--since", "7d", "--host", "web2", "--country", "US")
    ] == ["8.8.8.8"]
    assert len(history(past, "--new", "--since", "7d", "--top", "2")) == 2
    by_number = history(past, "--new", "--since", "7d", "--top", "2", "--sort", "ip")
    assert [row["ip"] for row in by_number] == ["1.1.1.1", "9.9.9.9"]
    piped = past("bans", "--new", "--since", "7d", "--country", "AU").stdout.split("\t")
    assert (piped[0], piped[2:5]) == ("1.1.1.1", ["1", "AU", "Australia"])


def test_every_form_shows_it(past: Geocli) -> None:
    assert past("bans", "--history", "-c").stdout.splitlines()[0] == ",".join(COLUMNS)
    assert (
        past("bans", "--history", "--tsv", "--by", "host").stdout.splitlines()[0]
        == "host\taddresses\tbans\tshare"
    )
    assert past("bans", "--history", "-t", "{host} {ip}", "--country", "AU").stdout == "web1 1.1.1.1\n"
    assert past("bans", "--history", "-f", "host,country_code", "--since", "2h").stdout == "web1\tAU\n"
    assert (
        past("bans", "--history", "--since", "2h").stdout
        == "1.1.1.1\tAU\tAustralia\t13335\tCloudflare, Inc.\n"
    )
    shown = on_a_terminal([*past.command, "bans", "--history", "--by", "week"], past.env)
    assert "█" in shown


@pytest.mark.parametrize("asked", ["bans --history", "bans --history --by country", "advise --history"])
def test_a_history_in_which_nothing_is_says_so_to_people(geocli: Geocli, asked: str) -> None:
    said = "no ban was recorded: geocli bans --record keeps those of now"
    assert said in on_a_terminal([*geocli.command, *asked.split()], geocli.env)
    assert said in geocli("-v", *asked.split()).stderr
    assert said not in geocli(*asked.split()).stderr
    assert said not in on_a_terminal([*geocli.command, "-q", *asked.split()], geocli.env)
    record(geocli, BANNED)
    for _ in ("in the journal", "in the store"):
        assert said not in geocli("-v", *asked.split()).stderr
        geocli("flush")


def test_what_nobody_knew_is_looked_up_and_journalled(past: Geocli) -> None:
    before = dirty(past)
    assert {row["source"] for row in history(past, "--country", "US")} == {embedded_source()}
    assert dirty(past)[0] == before[0] + 3
    past("flush")
    history(past)
    assert dirty(past) == (0, 0)


def test_nobody_on_the_network_is_asked_about_the_past(past: Geocli) -> None:
    rows = history(past, "-p", "ip-api")
    assert {row["ip"]: row["status"] for row in rows} == {
        "8.8.8.8": "unknown", "8.8.4.4": "unknown", "9.9.9.9": "unknown", "10.0.0.1": "reserved",
        "1.1.1.1": "ok",
    }  # fmt: skip


def test_no_history_is_no_rows_and_makes_nothing(geocli: Geocli, data_dir: Path) -> None:
    for arguments in ((), ("--by", "week"), ("--compare", "7d"), ("--new", "--since", "1d")):
        assert history(geocli, *arguments) == []
    assert not data_dir.exists()


def test_hostile_names_stay_in_their_cell(geocli: Geocli) -> None:
    hostile = "[{'a\\x1b[2J\\tb': ['8.8.8.8', 'x\\ny\\x1b]0;z\\x07', '[red]'], '=cmd()': ['1.1.1.1']}]\n"
    record(geocli, hostile, "--host", "=h")
    compared = ("--compare", "1d", "--by", "jail")
    for arguments in (("--table",), ("--tsv",), ("--table", *compared), ("-c", "--new", "--since", "1d")):
        done = geocli("bans", "--history", *arguments)
        assert done.returncode == 0
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
    assert "\n'=h," in geocli("bans", "--history", "-c").stdout
    geocli("flush")
    assert geocli("stats", "-j").stdout.count('"quarantined": 0')


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--history", "--by", "planet"],
            "--by: there is no 'planet', there is country, asn, org, network, region, ip, jail, host, hour",
        ),
        (["--history", "-i", "x"], "leave --record, --date, --no-cache and all inputs out"),
        (["--history", "--client"], "all inputs out"),
        (["--history", "--record"], "leave --record"),
        (["--history", "--no-cache"], "--no-cache"),
        (["--history", "--top", "3"], "--top is for --by"),
        (["--new"], "--new needs --since"),
        (["--new", "--since", "1d", "--compare", "1d"], "give one of --new and --compare"),
        (["--new", "--since", "1d", "--by", "week"], "leave --by week out"),
        (["--compare", "7d", "--by", "day"], "leave --by day out"),
        (["--compare", "7d", "--since", "1d"], "leave --since out"),
        (["--compare", "yesterday"], "--compare: 'yesterday' is no duration"),
        (["--compare", "0d"], "--compare: a period of no time"),
        (["--history", "--since", "1d", "--until", "2d"], "--since is not before --until"),
        (["--history", "--until", "soon"], "--until: 'soon' is no time"),
        (["--history", "-f", "planet"], "no field is called 'planet'"),
        (["--record", "--by", "country"], "--record shows nothing"),
        (["--record", "-j"], "--record shows nothing"),
        (["--record", "--no-cache"], "--record shows nothing and needs the journal"),
        (["--record", "--host", "a", "--host", "b"], "once for --record"),
        (["--record", "--host", " "], "--host: a name has"),
        (["--record", "--host", "a\x1bb"], "--host: a name has"),
        (["--host", "a"], "--host is for --history"),
        (["--by", "host"], "--by host: a list does not tell that, --history does"),
    ],
)
def test_a_question_that_makes_no_sense_is_one_line(
    data_dir: Path,
    arguments: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEOCLI_DATA_DIR", str(data_dir))
    assert run(["bans", *arguments]) == 2
    done = capsys.readouterr()
    assert done.out == ""
    assert complaint in done.err
    assert done.err.count("\n") == 1
    assert not data_dir.exists()


def test_a_damaged_store_is_named_and_recording_goes_on(past: Geocli, data_dir: Path) -> None:
    (data_dir / "geo.db").write_bytes(b"scribble" * 1000)
    done = past("bans", "--history")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "geo.db" in done.stderr
    recorded = past("bans", "--record", stdin=TIMES)
    assert (recorded.returncode, recorded.stderr.count("\n")) == (4, 1)
    assert past("flush").returncode == 4
    assert len(history(past)) == 3


def test_an_older_store_is_read_and_brought_up_to_date_by_the_next_flush(
    geocli: Geocli, data_dir: Path
) -> None:
    geocli("8.8.8.8")
    geocli("flush")
    with closing(sqlite3.connect(data_dir / "geo.db")) as old:
        old.executescript(
            "DROP TABLE bans; DELETE FROM _sqlite_migrations WHERE name = 'm002_bans';PRAGMA user_version = 1"
        )
    assert geocli("8.8.8.8", "-f", "country_code").stdout == "US\n"
    record(geocli, TIMES)
    assert len(history(geocli)) == 2
    assert geocli("flush").returncode == 0
    assert len(history(geocli)) == 2
    assert dirty(geocli) == (0, 0)


def test_a_ban_with_a_word_for_an_address_has_no_network(geocli: Geocli) -> None:
    record(geocli, BANNED)
    geocli("flush")
    networks = {row["network"] for row in history(geocli, "--by", "network")}
    assert "alice" not in networks
    assert "10.0.0.1" in networks


def test_since_and_until_bound_what_is_banned_now_too(geocli: Geocli) -> None:
    done = geocli("bans", "--until", "2026-11-22", "-f", "ip", stdin=TIMES)
    assert (done.returncode, done.stdout) == (0, "8.8.8.8\n")
    done = geocli("bans", "--since", "2026-11-21", "--until", "2026-11-22", stdin=BANNED)
    assert (
        done.stderr == "geocli: --since and --until left out 9 bans: the input does not say when they began\n"
    )


@pytest.mark.slow
def test_what_is_new_among_hundreds_of_thousands_takes_little_memory(geocli: Geocli, tmp_path: Path) -> None:
    write_banned(tmp_path / "banned", 300_000)
    record(geocli, (tmp_path / "banned").read_text(encoding="ascii"))
    for options in (["--new", "--since", "30d"], ["--compare", "30d", "--by", "ip"]):
        with (tmp_path / "rows").open("wb") as rows:
            command = [*geocli.command, "bans", "--history", "-c", *options]
            assert peak_memory(command, geocli.env, rows) < 190_000  # KiB

"""``geocli lookup`` as its users see it: a process, its output, its exit code, its files."""

from __future__ import annotations

import ast
import csv
import io
import ipaddress
import json
import os
import pty
import re
import shlex
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from geocli.mmdb.embedded import embedded_source
from geocli.model.records import FIELDS
from tests.conftest import FIXTURES, Geocli, MakeMmdb, need
from tests.support.targets import addresses

GOOGLE = "8.8.8.8\tUS\tUnited States\t15169\tGoogle LLC\n"


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_both_families_are_answered_from_the_embedded_database(geocli: Geocli) -> None:
    done = geocli("8.8.8.8", "2001:4860:4860::8888", "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert done.stderr == ""
    assert tuple(first) == FIELDS
    assert first | {"resolved_at": None} == {
        "ip": "8.8.8.8",
        "status": "ok",
        "country_code": "US",
        "country_name": "United States",
        "region": None,
        "city": None,
        "latitude": None,
        "longitude": None,
        "asn": 15169,
        "org": "Google LLC",
        "network": "8.8.8.0/24",
        "source": embedded_source(),
        "resolved_at": None,
    }
    assert (second["country_code"], second["asn"]) == ("US", 15169)


def test_the_command_may_be_left_out(geocli: Geocli) -> None:
    assert geocli("8.8.8.8").stdout == geocli("lookup", "8.8.8.8").stdout == GOOGLE
    assert geocli(stdin="from 8.8.8.8 port 22\n").stdout == GOOGLE
    assert geocli("lookup", stdin="8.8.8.8").stdout == GOOGLE


def test_one_field_is_a_bare_value_for_the_shell(geocli: Geocli) -> None:
    script = f'cc=$({shlex.join(geocli.command)} 8.8.8.8 -f country_code); echo "[$cc]"'
    done = subprocess.run(["sh", "-c", script], env=geocli.env, capture_output=True, text=True, check=True)
    assert done.stdout == "[US]\n"


def test_json_is_for_jq(geocli: Geocli) -> None:
    done = subprocess.run(
        [need("jq"), ".asn"], input=geocli("-j", "8.8.8.8").stdout, capture_output=True, text=True, check=True
    )
    assert done.stdout == "15169\n"


@pytest.mark.parametrize("version", ["1.0.2", "1.1.0"])
def test_every_banned_address_of_a_real_fail2ban_gives_one_row(geocli: Geocli, version: str) -> None:
    capture = (FIXTURES / "fail2ban" / version / "20-banned.out").read_bytes()
    done = geocli("-f", "ip", stdin=capture)
    rows = done.stdout.splitlines()
    expected = []
    for jail in ast.literal_eval(capture.decode()):
        for identifiers in jail.values():
            expected += [
                canonical for text in identifiers if (canonical := canonical_target(text)) is not None
            ]
    # Identifiers that merely contain an address (a pair, a port, a range) add to what is one by itself.
    remaining = iter(rows)
    assert all(target in remaining for target in expected)
    assert len(expected) > 5030
    assert len(rows) - len(expected) <= 12
    assert "203.0.113.250" not in rows  # the name of a jail
    assert (done.returncode, done.stderr) == (0, "")


def canonical_target(text: str) -> str | None:
    """An independent reading of what one of fail2ban's identifiers is."""
    head, slash, prefix = text.partition("/")
    try:
        address = ipaddress.ip_address(head.partition("%")[0])
        if not slash:
            return str(getattr(address, "ipv4_mapped", None) or address)
        network = ipaddress.ip_network((address, int(prefix)), strict=False)
    except ValueError:
        return None
    first = network.network_address
    mapped = getattr(first, "ipv4_mapped", None)
    return f"{mapped}/{network.prefixlen - 96}" if mapped else str(network)


def test_order_and_repetitions_are_the_inputs(geocli: Geocli) -> None:
    text = "9.9.9.9 8.8.8.8\n10.0.0.1\n8.8.8.8 9.9.9.9\n"
    assert geocli("-f", "ip", stdin=text).stdout.split() == [
        "9.9.9.9",
        "8.8.8.8",
        "10.0.0.1",
        "8.8.8.8",
        "9.9.9.9",
    ]
    assert geocli("-u", "-f", "ip", stdin=text).stdout.split() == ["9.9.9.9", "8.8.8.8", "10.0.0.1"]


def test_families_and_reserved_ranges_can_be_chosen(geocli: Geocli) -> None:
    text = "8.8.8.8 2001:4860:4860::8888 10.0.0.1 fe80::1"
    assert geocli("-4", "-f", "ip", stdin=text).stdout.split() == ["8.8.8.8", "10.0.0.1"]
    assert geocli("-6", "-f", "ip", stdin=text).stdout.split() == ["2001:4860:4860::8888", "fe80::1"]
    assert geocli("-x", "-f", "ip", stdin=text).stdout.split() == ["8.8.8.8", "2001:4860:4860::8888"]
    both = geocli("-4", "-6", "8.8.8.8")
    assert (both.returncode, both.stdout) == (2, "")


def test_reserved_addresses_are_answered_and_never_stored(geocli: Geocli, data_dir: Path) -> None:
    done = geocli("10.0.0.1", "::1", "192.0.2.0/24", "-f", "ip,status,source")
    assert done.stdout.splitlines() == ["10.0.0.1\treserved\t", "::1\treserved\t", "192.0.2.0/24\treserved\t"]
    assert done.returncode == 0
    assert not data_dir.exists()


def test_files_are_read_in_their_order_and_a_dash_is_stdin(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1.1.1.1\n")
    (tmp_path / "b").write_bytes(b"from \xff 9.9.9.9 \x80\n")
    done = geocli(
        "-i", tmp_path / "b", "-i", "-", "-i", tmp_path / "a", "8.8.4.4", "-f", "ip", stdin="8.8.8.8"
    )
    assert done.stdout.split() == ["8.8.4.4", "9.9.9.9", "8.8.8.8", "1.1.1.1"]


def test_a_bad_argument_is_named_and_the_good_ones_are_answered(geocli: Geocli) -> None:
    done = geocli("foo", "8.8.8.8", "1.2.3.4.5")
    assert done.stdout == GOOGLE
    assert done.stderr.splitlines() == [
        "geocli: 'foo' is neither an address nor a network",
        "geocli: '1.2.3.4.5' is neither an address nor a network",
    ]
    assert done.returncode == 2


def test_an_argument_is_read_as_any_text_is(geocli: Geocli) -> None:
    done = geocli("-f", "ip", "8.8.8.8:53", "http://9.9.9.9/x", "[2001:4860::1]:443", "8.8.4.0-8.8.5.255")
    assert done.stdout.split() == ["8.8.8.8", "9.9.9.9", "2001:4860::1", "8.8.4.0/23"]
    assert (done.returncode, done.stderr) == (0, "")


def test_an_argument_that_is_a_file_gets_a_hint(geocli: Geocli, tmp_path: Path) -> None:
    path = tmp_path / "8.8.8.8 and others"
    path.write_text("9.9.9.9")
    done = geocli(path, "8.8.8.8")
    assert done.stdout == GOOGLE
    assert done.stderr == f"geocli: {path} is a file; to find the addresses in it: -i {path}\n"
    assert done.returncode == 2


def test_an_unreadable_input_is_named_and_the_others_are_answered(geocli: Geocli, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_text("8.8.8.8")
    done = geocli("-i", tmp_path / "missing", "-i", tmp_path, "-i", good)
    assert done.stdout == GOOGLE
    assert [line.partition(": ")[2] for line in done.stderr.splitlines()] == [
        f"cannot read {tmp_path / 'missing'}: No such file or directory",
        f"cannot read {tmp_path}: Is a directory",
    ]
    assert done.returncode == 2


def test_nothing_found_is_nothing_to_do(geocli: Geocli) -> None:
    for text in ("", "\n\n", "[]\n", "no addresses here, version 1.2.3"):
        done = geocli(stdin=text)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("country", "code"),
    [("8.8.8.8", 0), ("10.0.0.1", 1), ("0.0.0.0/0", 1)],
    ids=["known", "reserved", "unknown"],
)
def test_the_exit_status_can_tell_whether_there_is_a_country(geocli: Geocli, country: str, code: int) -> None:
    assert geocli("-e", country).returncode == code
    assert geocli(country).returncode == 0
    assert geocli("-e", "8.8.8.8", country).returncode == code


def test_forms_agree_with_each_other(geocli: Geocli) -> None:
    targets = ("8.8.8.8", "10.0.0.1", "2001:4860:4860::8888", "0.0.0.0/0")
    objects = [json.loads(line) for line in geocli("-j", *targets).stdout.splitlines()]
    texts = [["" if value is None else str(value) for value in found.values()] for found in objects]
    table = list(csv.reader(io.StringIO(geocli("--csv", *targets).stdout, newline="")))
    assert table == [list(FIELDS), *texts]
    assert list(csv.reader(io.StringIO(geocli("-c", "--no-header", *targets).stdout, newline=""))) == texts
    tabs = [line.split("\t") for line in geocli("--tsv", *targets).stdout.split("\n")[:-1]]
    assert tabs == [list(FIELDS), *texts]
    assert geocli("-f", "asn,ip", *targets).stdout.splitlines() == [f"{t[8]}\t{t[0]}" for t in texts]
    assert geocli("-t", "{ip}={asn}", *targets).stdout.splitlines() == [f"{t[0]}={t[8]}" for t in texts]
    assert [json.loads(line) for line in geocli("-j", "-f", "ip,asn", *targets).stdout.splitlines()] == [
        {"ip": found["ip"], "asn": found["asn"]} for found in objects
    ]
    assert "8.8.8.8" in geocli("--table", *targets).stdout


@pytest.mark.parametrize(
    "options",
    [
        ["-j", "-c"],
        ["-j", "-t", "{ip}"],
        ["-f", "nonsense"],
        ["-f", ","],
        ["-t", "{nonsense}"],
        ["-p", "nonsense"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_shown_is_a_usage_error_before_any_work(
    geocli: Geocli, data_dir: Path, options: list[str]
) -> None:
    done = geocli(*options, "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("geocli: ")
    assert not data_dir.exists()


def test_five_thousand_answers_cost_no_store_until_they_are_flushed_in_one(
    geocli: Geocli, data_dir: Path
) -> None:
    text = "\n".join(addresses(5200))
    first = geocli("-j", stdin=text)
    assert len(first.stdout.splitlines()) == 5200
    assert not (data_dir / "geo.db").exists()
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 5200
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 5200
    stats = json.loads(geocli("stats", "-j").stdout)
    assert (stats["dirty"], stats["stored"]) == (0, 5200)
    before = snapshot(data_dir)
    again = geocli("-j", stdin=text)
    assert again.stdout == first.stdout
    assert snapshot(data_dir) == before
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 0


def test_a_repeated_look_up_writes_nothing_before_the_flush_either(geocli: Geocli, data_dir: Path) -> None:
    first = geocli("-j", "8.8.8.8", "9.9.9.9").stdout
    before = snapshot(data_dir)
    assert geocli("-j", "8.8.8.8", "9.9.9.9").stdout == first
    assert snapshot(data_dir) == before


def test_no_cache_neither_reads_nor_writes(geocli: Geocli, data_dir: Path) -> None:
    assert geocli("--no-cache", "8.8.8.8").stdout == GOOGLE
    assert not data_dir.exists()


def test_refresh_asks_again(geocli: Geocli) -> None:
    first = json.loads(geocli("-j", "8.8.8.8").stdout)
    time.sleep(1.1)
    assert json.loads(geocli("-j", "8.8.8.8").stdout) == first
    assert json.loads(geocli("-j", "--refresh", "8.8.8.8").stdout)["resolved_at"] > first["resolved_at"]


def test_an_answer_serves_only_while_it_is_fresh_and_its_source_is_asked(
    geocli: Geocli, make_mmdb: MakeMmdb, data_dir: Path
) -> None:
    other = make_mmdb("other", {"8.8.8.0/24": {"country": {"iso_code": "FR"}}}, "Other")
    assert geocli("8.8.8.8", "-f", "country_code").stdout == "US\n"
    assert geocli("8.8.8.8", "-f", "country_code", "--mmdb", other).stdout == "FR\n"
    assert geocli("8.8.8.8", "-f", "country_code").stdout == "US\n"
    geocli("flush")
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 0
    stale = Geocli(data_dir, {"GEOCLI_LOOKUP_TTL": "0s"})
    time.sleep(1.1)
    stale("8.8.8.8")
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 1


def test_several_databases_complete_each_other(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    country = make_mmdb("country", {"8.8.0.0/16": {"country_code": "DE"}}, "Country")
    system = make_mmdb("system", {"8.8.8.0/24": {"asn": "AS64500", "as_name": "Example"}}, "System")
    done = json.loads(geocli("-j", "8.8.8.8", "--mmdb", country, "--mmdb", system).stdout)
    assert (done["country_code"], done["country_name"]) == ("DE", "Germany")
    assert (done["asn"], done["org"], done["network"]) == (64500, "Example", "8.8.8.0/24")
    assert done["source"].startswith("mmdb:Country-")
    assert "+System-" in done["source"]


@pytest.mark.parametrize("content", [None, b"", b"text\n" * 1000, b"\xab\xcd\xefMaxMind.com", "truncated"])
def test_a_database_that_is_none_is_named(
    geocli: Geocli, tmp_path: Path, make_mmdb: MakeMmdb, content: bytes | str | None
) -> None:
    path = tmp_path / "broken.mmdb"
    if content == "truncated":
        whole = make_mmdb("whole", {"8.8.8.0/24": {"country_code": "DE"}}).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    done = geocli("8.8.8.8", "--mmdb", path)
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


def test_a_store_that_is_not_sqlite_is_named_and_the_answer_is_given(geocli: Geocli, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "geo.db").write_text("not SQLite\n" * 1000)
    done = geocli("8.8.8.8")
    assert done.stdout == GOOGLE
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert str(data_dir / "geo.db") in done.stderr
    flushed = geocli("flush", "-j")
    assert flushed.returncode == 4
    assert json.loads(flushed.stdout)["flushed"] == 1
    (aside,) = data_dir.glob("geo.db.damaged-*")
    assert str(aside) in flushed.stderr
    assert len(flushed.stderr.splitlines()) == 1
    assert aside.read_text() == "not SQLite\n" * 1000
    assert json.loads(geocli("stats", "-j").stdout)["stored"] == 1
    assert geocli("8.8.8.8").returncode == 0


def test_a_journal_that_is_damaged_is_set_aside_and_the_answer_kept(geocli: Geocli, data_dir: Path) -> None:
    geocli("9.9.9.9")
    for suffix in ("", "-wal", "-shm"):
        (data_dir / "journal" / f"cache.db{suffix}").write_bytes(b"scribbled" * 1000)
    done = geocli("8.8.8.8")
    assert (done.stdout, done.returncode) == (GOOGLE, 4)
    (aside,) = (data_dir / "journal" / "quarantine").glob("cache.db.damaged-*[0-9]")
    assert str(aside) in done.stderr
    assert aside.read_bytes() == b"scribbled" * 1000
    figures = json.loads(geocli("stats", "-j").stdout)
    assert (figures["dirty"], figures["quarantined"]) == (1, 1)
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 1


def test_a_flush_sets_a_damaged_journal_aside(geocli: Geocli, data_dir: Path) -> None:
    geocli("9.9.9.9")
    for suffix in ("", "-wal"):
        (data_dir / "journal" / f"cache.db{suffix}").write_bytes(b"scribbled" * 1000)
    done = geocli("flush")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert geocli("flush").returncode == 0
    assert geocli("8.8.8.8").returncode == 0


@pytest.mark.parametrize("offset", [3, 10, 17, 30])
@pytest.mark.parametrize("command", ["8.8.8.8", "flush"])
def test_a_log_whose_header_is_damaged_is_set_aside_and_what_was_flushed_stays(
    geocli: Geocli, data_dir: Path, command: str, offset: int
) -> None:
    geocli("9.9.9.9")
    assert geocli("flush").returncode == 0
    geocli("1.1.1.1")
    with (data_dir / "journal" / "cache.db-wal").open("r+b") as log:
        log.seek(offset)
        log.write(b"?!")
        log.seek(0)
        damaged = log.read()
    done = geocli(command)
    assert done.returncode == 4
    (aside,) = (data_dir / "journal" / "quarantine").glob("cache.db.damaged-*-wal")
    assert aside.read_bytes() == damaged
    assert str(aside) in done.stderr
    assert geocli("flush").returncode == 0
    assert json.loads(geocli("stats", "-j").stdout)["stored"] == (2 if command == "8.8.8.8" else 1)


@pytest.mark.parametrize("first", [5, 12, 40])
def test_a_journal_damaged_in_the_midst_is_flushed_as_far_as_it_goes(
    geocli: Geocli, data_dir: Path, first: int
) -> None:
    for part in range(4):
        geocli(stdin="\n".join(f"23.{part}.{n >> 8}.{n & 255}" for n in range(2000)))
    path = data_dir / "journal" / "cache.db"
    with closing(sqlite3.connect(path)) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        for offset in range(first * 4096, path.stat().st_size, 7 * 4096):
            file.seek(offset)
            file.write(b"scribbled" * 400)
    done = geocli("flush")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    (aside,) = (data_dir / "journal" / "quarantine").glob("cache.db.damaged-*[0-9]")
    assert str(aside) in done.stderr
    assert geocli("flush").returncode == 0
    figures = json.loads(geocli("stats", "-j").stdout)
    assert (figures["dirty"], figures["quarantined"]) == (0, 1)
    assert figures["stored"] in {0, 2000, 4000, 6000, 8000}
    assert geocli("8.8.8.8").returncode == 0


def test_a_data_directory_that_cannot_be_written_is_named_and_the_answer_is_given(
    geocli: Geocli, data_dir: Path
) -> None:
    data_dir.write_text("a file is in the way")
    done = geocli("8.8.8.8")
    assert done.stdout == GOOGLE
    assert done.returncode in {2, 4}
    assert str(data_dir) in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("argument", ["8.8.8.8", "--help", "--version"])
def test_a_full_disk_at_stdout_is_one_line_and_try_again(argument: str, geocli: Geocli) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*geocli.command, argument],
            env=geocli.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 75
    assert done.stderr == "geocli: cannot write to standard output: No space left on device\n"


def test_a_reader_that_goes_away_is_the_end_and_no_error(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "many").write_text("\n".join(addresses(20_000)))
    command = f"{shlex.join(geocli.command)} -j -i {tmp_path / 'many'}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -n 1"],
        env=geocli.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_do_no_harm(geocli: Geocli, closed: str) -> None:
    command = f"{shlex.join(geocli.command)} 8.8.8.8 {closed}"
    done = subprocess.run(["sh", "-c", command], env=geocli.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == ("" if closed == ">&-" else GOOGLE)


def test_an_error_that_nobody_can_hear_does_not_get_among_the_data(geocli: Geocli) -> None:
    command = f"{shlex.join(geocli.command)} 8.8.8.8 foo 2>&-"
    done = subprocess.run(["sh", "-c", command], env=geocli.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, GOOGLE)


def test_closed_stdin_that_should_be_read_is_a_usage_error(geocli: Geocli) -> None:
    command = f"{shlex.join(geocli.command)} -i - <&-"
    done = subprocess.run(["sh", "-c", command], env=geocli.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "geocli: cannot read standard input: it is closed\n")


def test_an_interrupt_is_quiet_and_what_was_printed_is_kept(geocli: Geocli) -> None:
    process = subprocess.Popen(
        [*geocli.command, "-f", "ip"],
        env=geocli.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("8.8.8.8\n")
    process.stdin.flush()
    assert process.stdout.readline() == "8.8.8.8\n"  # streamed: the input is still open
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 1


def test_a_kill_loses_nothing_that_was_printed(geocli: Geocli) -> None:
    process = subprocess.Popen(
        [*geocli.command, "-f", "ip"],
        env=geocli.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("8.8.8.8\n")
    process.stdin.flush()
    assert process.stdout.readline() == "8.8.8.8\n"
    process.kill()
    process.wait()
    assert json.loads(geocli("flush", "-j").stdout)["flushed"] == 1


def on_a_terminal(command: list[str], env: dict[str, str], columns: int = 80) -> str:
    """What a command with its stdin and stdout on a terminal shows there."""
    primary, secondary = pty.openpty()
    with subprocess.Popen(
        command,
        env=env | {"COLUMNS": str(columns), "TERM": "xterm"},
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    ):
        os.close(secondary)
        shown = b""
        while True:
            try:
                chunk = os.read(primary, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not chunk:
                break
            shown += chunk
    os.close(primary)
    return shown.decode()


def test_a_terminal_gets_a_table_in_colour_that_fits(geocli: Geocli) -> None:
    shown = on_a_terminal([*geocli.command, "8.8.8.8", "10.0.0.1"], geocli.env)
    assert "\x1b[" in shown
    assert "country name" in shown
    plain = on_a_terminal([*geocli.command, "--color", "never", "8.8.8.8", "10.0.0.1"], geocli.env)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 80
    none = on_a_terminal([*geocli.command, "8.8.8.8"], geocli.env | {"NO_COLOR": "1"})
    assert "\x1b" not in none


def test_a_terminal_with_nothing_to_look_up_gets_help(geocli: Geocli) -> None:
    assert "Usage:" in on_a_terminal(geocli.command, geocli.env)
    assert "nothing to look up" in on_a_terminal([*geocli.command, "lookup"], geocli.env)


def test_hostile_organisations_never_reach_the_terminal_raw(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    organisation = "\x1b[2J[red]x\r\n\t\u202e\x9b31m"
    hostile = make_mmdb("hostile", {"8.8.8.0/24": {"asn": 1, "as_name": organisation}}, "Hostile")
    for options in (["-j"], ["-c"], ["--tsv"], ["-f", "org"], ["-t", "{org}"], ["--table"], []):
        shown = geocli("--mmdb", hostile, "8.8.8.8", *options).stdout
        assert "[red]x" in shown
        assert not set(shown) & set("\x1b\x07\u202e\x9b"), options
        assert r"\x1b" in shown or r"\\x1b" in shown


def test_a_bad_row_of_the_store_is_said_and_answered_anew(geocli: Geocli, data_dir: Path) -> None:
    given = geocli("-f", "ip,country_code", "8.8.8.8", "9.9.9.9", "1.1.1.1")
    assert geocli("flush").returncode == 0
    with closing(sqlite3.connect(data_dir / "geo.db", isolation_level=None)) as store:
        store.execute("UPDATE geo_cache SET resolved_at = 'soon', org = char(27) WHERE ip = '9.9.9.9'")
    again = geocli("-f", "ip,country_code", "8.8.8.8", "9.9.9.9", "1.1.1.1")
    assert (again.returncode, again.stdout) == (4, given.stdout)
    assert again.stderr.count("\n") == 1
    assert "a row that geocli did not write, about 9.9.9.9: " in again.stderr
    assert geocli("flush").returncode == 0
    assert geocli("-f", "ip,country_code", "9.9.9.9").returncode == 0


@pytest.mark.parametrize("command", [["8.8.8.8"], ["flush"]])
@pytest.mark.parametrize(
    "planted",
    [
        "INSERT INTO Settings VALUES ('disk_secret', 'x')",
        "INSERT INTO Settings VALUES ('sqlite_locking_mode', 'exclusive')",
        "INSERT INTO Settings VALUES ('', zeroblob(90000000))",
        "UPDATE Settings SET value = 2.5 WHERE key = 'count'",
        "UPDATE Settings SET value = 'least-recently-stored' WHERE key = 'eviction_policy'",
        "UPDATE Settings SET value = 'off' WHERE key = 'sqlite_journal_mode'",
    ],
)
def test_planted_settings_of_the_journal_stop_nothing(
    geocli: Geocli, data_dir: Path, planted: str, command: list[str]
) -> None:
    assert geocli("1.1.1.1").returncode == 0
    with closing(sqlite3.connect(data_dir / "journal" / "cache.db", isolation_level=None)) as journal:
        journal.execute(planted)
    done = geocli(*command)
    is_known = planted.startswith("UPDATE") and "2.5" not in planted  # geocli's own win, without a word
    assert done.returncode == (0 if is_known else 4)
    if not is_known:
        assert re.fullmatch(r"geocli: .*cache\.db: had settings that geocli did not write, .*\n", done.stderr)
    assert geocli("9.9.9.9").returncode == geocli("flush").returncode == 0
    assert json.loads(geocli("stats", "-j").stdout)["dirty"] == 0

"""What cannot be read is said by every command that reads: one line, exit code 2, and no file overwritten."""

from __future__ import annotations

import gzip
import lzma
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Geocli

LOG = "".join(
    f"2026-11-23 21:{minute:02}:00,606 fail2ban.actions [728]: NOTICE  [sshd] Ban 1.1.1.{minute}\n"
    for minute in range(60)
)
READERS = {
    "lookup": ["lookup", "-i"],
    "summarize": ["summarize"],
    "annotate": ["annotate"],
    "bans": ["bans"],
    "bans -i": ["bans", "-i"],
    "bans --record": ["bans", "--record"],
    "report": ["report", "-o", "page.html"],
    "report --log": ["report", "-o", "page.html", "--log"],
}


def make(path: Path, what: str) -> str:
    """The file, and a word that its line has."""
    content = {
        "random bytes": random.Random(7).randbytes(9000),  # noqa: S311 - not a secret
        "cut xz": lzma.compress(LOG.encode())[:-20],
        "cut gzip": gzip.compress(LOG.encode())[:-20],
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(99),
        "SQLite": b"",
        "directory": b"",
        "zeros": bytes(5000),
    }[what]
    if what == "directory":
        path.mkdir()
    elif what == "SQLite":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE a(b)")
            connection.commit()
    else:
        path.write_bytes(content)
    words = {"cut xz": "ends too early", "cut gzip": "ends too early", "directory": "s a directory"}
    words |= {"random bytes": "not text", "PNG": "PNG", "SQLite": "SQLite", "zeros": "zero bytes"}
    return words[what]


@pytest.mark.parametrize(
    "what", ["random bytes", "cut xz", "cut gzip", "PNG", "SQLite", "directory", "zeros"]
)
@pytest.mark.parametrize("reader", READERS)
def test_it_is_said_in_one_line_and_nothing_is_overwritten(
    geocli: Geocli, tmp_path: Path, reader: str, what: str
) -> None:
    bad, page = tmp_path / "bad", tmp_path / "page.html"
    page.write_text("OLD")
    word = make(bad, what)
    command = [str(page) if part == "page.html" else part for part in READERS[reader]]
    done = geocli(*command, str(bad))
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("geocli: ")
    if not (what == "SQLite" and reader.startswith(("bans", "report"))):
        assert word in done.stderr
    else:
        assert "no table of bans" in done.stderr or "SQLite" in done.stderr
    assert page.read_text() == "OLD"


def test_stdin_is_no_other(geocli: Geocli) -> None:
    for command in (["lookup"], ["bans"], ["summarize"], ["annotate"], ["report"]):
        done = geocli(*command, stdin="\x89PNG\r\n\x1a\n\0\0".encode("latin-1").decode("latin-1"))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--jail", "sshd"], "--jail"),
        (["--country", "UK"], "GB"),
        (["--country", "Austrlia"], "AU"),
        (["--since", "7"], "7d"),
        (["--since", "7d"], "--since"),
        (["--all", "--client"], "database"),
        (["--date", "2026-11-23"], "--record"),
    ],
)
def test_a_filter_that_the_input_cannot_answer_is_an_error(
    geocli: Geocli, options: list[str], word: str
) -> None:
    done = geocli("bans", "-f", "ip", *options, stdin="1.1.1.1\n8.8.8.8\n")
    assert done.returncode == 2
    assert word in done.stderr
    assert done.stderr.count("\n") == 1


def test_rotated_files_are_arguments_and_v_says_what_was_understood(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "fail2ban.log").write_text(
        "2026-11-24 00:00:00,606 fail2ban.actions [728]: NOTICE  [sshd] Unban 1.1.1.1\n"
    )
    (tmp_path / "fail2ban.log.1.xz").write_bytes(lzma.compress(LOG.encode()))
    files = sorted(map(str, tmp_path.glob("fail2ban.log*")))
    done = geocli("-v", "bans", "-f", "ip,expires_at", *files)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 60
    assert "1.1.1.1\t2026-11-24T00:00:00Z" in done.stdout.splitlines()
    assert "60 lines, 60 events" in done.stderr
    done = geocli("report", "-o", str(tmp_path / "page.html"), *files)
    assert done.returncode == 0
    assert "60" in (tmp_path / "page.html").read_text()


def test_a_database_is_read_as_any_file(geocli: Geocli, tmp_path: Path) -> None:
    path = tmp_path / "fail2ban.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE jails(name, enabled); CREATE TABLE bans(jail, ip, timeofban, data);"
            "INSERT INTO jails VALUES ('sshd', 1);"
            "INSERT INTO bans VALUES ('sshd', '1.1.1.1', 1, ''), ('sshd', '1.1.1.1', 1000, '');"
        )
        connection.commit()
    packed = tmp_path / "copy.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for name in (path, packed):
        done = geocli("bans", "-f", "ip,banned_at", str(name))
        assert done.stdout == "1.1.1.1\t1970-01-01T00:16:40Z\n"
        assert "--bantime" in done.stderr
        assert done.returncode == 0
        done = geocli("bans", "-f", "ip,expires_at", "--all", "--bantime", "10m", str(name))
        assert done.stdout == "1.1.1.1\t1970-01-01T00:10:01Z\n1.1.1.1\t1970-01-01T00:26:40Z\n"
        assert done.stderr == ""


def test_a_log_without_a_day_is_recorded_only_with_one(geocli: Geocli) -> None:
    log = "[sshd] Ban 1.1.1.1\n[sshd] Unban 1.1.1.1\n"
    done = geocli("bans", "--record", stdin=log)
    assert done.returncode == 2
    assert "--date" in done.stderr
    assert geocli("bans", "--history", "-f", "ip").stdout == ""
    assert geocli("bans", "--record", "--date", "2024-05-06", stdin=log).returncode == 0
    assert geocli("bans", "--history", "-f", "ip,banned_at").stdout == "1.1.1.1\t2024-05-06T00:00:00Z\n"

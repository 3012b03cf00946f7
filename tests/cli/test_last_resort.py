"""What nobody foresaw is one line and exit code 70; what could be foreseen has its own right answer."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from geocli.cli import app
from geocli.system.sqlite_errors import error_of
from tests.conftest import Geocli
from tests.support.other_user import interpreter_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = 65534
STRANGER = 54321
"""A user whom no list of users has."""


def run_as(user: int, directory: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    interpreter = interpreter_of(user)
    done = subprocess.run(
        [*interpreter.command, *arguments],
        input="8.8.8.8\n",
        capture_output=True,
        text=True,
        env=interpreter.environment | environment,
        cwd=directory,
        user=user,
        group=user,
        extra_groups=[],
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def closed() -> Iterator[Path]:
    """A data directory of root's, which others cannot enter, on a way that they can go."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        directory = Path(above) / "closed"
        directory.mkdir(0o700)
        yield directory


@as_root
@pytest.mark.parametrize(
    "arguments",
    ["lookup 8.8.8.8", "lookup --no-cache 8.8.8.8", "bans -i -", "summarize", "summarize -i -", "annotate"],
)
def test_where_nothing_can_be_kept_the_answer_comes_all_the_same(closed: Path, arguments: str) -> None:
    code, out, err = run_as(NOBODY, closed.parent, {}, "--data-dir", str(closed), *arguments.split())
    assert "US" in out
    assert (code, err.count("\n")) == (4, 1), err
    assert f"geocli: {closed}: you may not enter it: it belongs to root" in err
    assert "nothing is kept" in err


@as_root
@pytest.mark.parametrize(
    "arguments",
    [
        *("refresh", "flush", "stats", "stats --check", "stats --prometheus", "forget --older-than 1d"),
        *("db list", "db verify", "db update", "store copy {}/geo.db copy.db", "report -i - -o /dev/stdout"),
        *("bans --since 1d --by country", "report --history -o r.html", "bans --record -i -"),
    ],
)
def test_what_needs_the_directory_says_whose_it_is(closed: Path, arguments: str) -> None:
    code, _, err = run_as(
        NOBODY, closed.parent, {}, "--data-dir", str(closed), *arguments.format(closed).split()
    )
    assert code in {2, 4}
    assert err.count("\n") == 1, err
    if code == 4:
        assert "it belongs to root" in err


@as_root
@pytest.mark.parametrize(
    "arguments",
    [
        *(
            "store copy {}/geo.db copy.db",
            "advise -i - --allow {}/mine",
            "setup --dry-run --report {}/a.html",
        ),
        *("lookup -i {}/list", "bans --database {}/f.sqlite3"),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_not_said_to_be_absent(closed: Path, arguments: str) -> None:
    with tempfile.TemporaryDirectory() as own:
        os.chown(own, NOBODY, NOBODY)
        code, out, err = run_as(
            NOBODY, Path(own), {"GEOCLI_DATA_DIR": own}, *arguments.format(closed / "in").split()
        )
    said = [line for line in err.splitlines() if "ignoreip is not known" not in line]
    assert (code, out, len(said)) == (2, "", 1), err
    assert str(closed / "in") in said[0]
    assert "Permission denied" in said[0] or "may be read by root only" in said[0]


@as_root
def test_a_directory_that_cannot_be_made_costs_no_answer(closed: Path) -> None:
    closed.chmod(0o755)
    code, out, err = run_as(NOBODY, closed, {"HOME": str(closed)}, "8.8.8.8")
    assert out.startswith("8.8.8.8\tUS")
    assert (code, err.count("\n")) == (4, 1)
    assert f"{closed}: you may not write in it: it belongs to root" in err
    assert list(closed.iterdir()) == []


@as_root
@pytest.mark.parametrize("command", ["8.8.8.8", "stats", "flush", "config show"])
def test_a_user_without_home_and_entry_is_told_what_to_give(closed: Path, command: str) -> None:
    closed.chmod(0o1777)
    code, _, err = run_as(STRANGER, closed, {}, *command.split())
    assert list(closed.iterdir()) == []
    assert code == 2
    assert "you have no home directory" in err
    assert err.count("\n") == 1
    assert run_as(STRANGER, closed, {"GEOCLI_DATA_DIR": str(closed / "own")}, "8.8.8.8")[0] == 0


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM])
def test_a_file_system_without_locks_is_named_as_such(
    number: int, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    assert app.run(["--data-dir", str(data_dir / "kept"), "8.8.8.8"]) == 0
    capfd.readouterr()
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert app.run(["--data-dir", str(data_dir), "8.8.8.8"]) == 4
    out, err = capfd.readouterr()
    assert out.startswith("8.8.8.8\tUS")
    assert err.count("\n") == 1
    assert "is on a file system without locks" in err
    assert app.run(["--data-dir", str(data_dir / "kept"), "flush"]) == 4


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EPERM])
@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PERM])
def test_where_only_sqlite_has_no_locks_it_is_not_called_locked(
    number: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS with local_lock=flock and no lock service: SQLite calls ENOLCK "busy"."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    before = error_of(error, tmp_path / "geo.db")
    monkeypatch.setattr(fcntl, "lockf", refuse)
    after = error_of(error, tmp_path / "geo.db")
    assert "without locks" not in str(before)
    assert f"is on a file system without locks ({os.strerror(number)})" in str(after)
    assert after.exit_code == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verbose", [False, True])
def test_what_nobody_foresaw_is_one_line_and_with_v_the_trace(
    verbose: bool, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a\x1b[31m\nb" + "x" * 100_000)

    monkeypatch.setattr("geocli.cli.commands.stats.journal_and_store", break_down)
    arguments = ["--data-dir", str(data_dir), "stats", *(["-v"] if verbose else [])]
    assert app.run(arguments) == 70
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("geocli: unforeseen, which is a bug: ZeroDivisionError: a\\x1b[31m\\nbx")
    assert "\x1b" not in err
    assert ("Traceback" in err) is verbose
    assert verbose or (err.count("\n") == 1 and len(err) < 1000)


def test_a_broken_installation_is_one_line_too(geocli: Geocli, tmp_path: Path) -> None:
    broken = tmp_path / "typer.py"
    broken.write_text("raise RuntimeError('half installed')\n")
    done = Geocli(geocli.data_dir, {"PYTHONPATH": str(tmp_path)})("8.8.8.8")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.count("\n") == 1
    assert "RuntimeError: half installed" in done.stderr

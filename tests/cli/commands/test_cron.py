"""``geocli cron``: jobs into a real crontab, into a file, as units; and out again without a trace."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from geocli.cron.crontab_block import BEGIN, END
from tests.conftest import Crontab, Geocli, need
from tests.support.installed import installed_program

PROGRAM = shlex.quote(str(Path(sys.executable).parent / "geocli"))
OTHERS = b"MAILTO=root\n\n# a comment\n0 4 * * * /usr/bin/backup --all 'a b' \\%F\t\n@reboot true\n"

NOTHING_LOST = {"GEOCLI_LOOKUP_MAX_DB_AGE": ""}
"""Nothing in the environment that jobs would not know."""


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    """With nothing in the environment that jobs would not know."""
    return Geocli(data_dir, NOTHING_LOST)


def jobs_in(text: bytes | None) -> list[str]:
    return [line for line in (text or b"").decode(errors="replace").splitlines() if " --data-dir " in line]


# --- a user's crontab ---------------------------------------------------------------------------------


def test_installing_twice_gives_one_line_a_job_and_leaves_the_others(
    geocli: Geocli, crontab: Crontab
) -> None:
    crontab.write(OTHERS)
    for _ in range(2):
        done = geocli("cron", "install", *crontab.options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = crontab.read()
    assert text is not None
    assert text.startswith(OTHERS)
    flush, update = jobs_in(text)
    assert flush == f"* * * * * {PROGRAM} --data-dir {geocli.data_dir} flush"
    assert update.endswith(f" {PROGRAM} --data-dir {geocli.data_dir} db update")
    assert len(text.splitlines()) == len(OTHERS.splitlines()) + 4


def test_removing_restores_the_crontab_exactly(geocli: Geocli, crontab: Crontab) -> None:
    for before in (None, OTHERS, b"\n", b"\xff\xfe=\xff\n"):
        crontab.write(before)
        geocli("cron", "install", *crontab.options)
        assert len(jobs_in(crontab.read())) == 2
        done = geocli("cron", "remove", *crontab.options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert crontab.read() == before
    assert geocli("cron", "remove", *crontab.options).returncode == 0
    assert crontab.read() == before


def test_installing_again_replaces_what_was_wished_before(
    geocli: Geocli, crontab: Crontab, tmp_path: Path
) -> None:
    report = tmp_path / "a b.html"
    geocli("cron", "install", "--record", "--report", report, *crontab.options)
    names = [line.rpartition(f"{geocli.data_dir} ")[2] for line in jobs_in(crontab.read())]
    assert names == ["flush", "db update", "bans --client --record", f"report --client -o '{report}'"]
    geocli("cron", "install", "--every", "15m", "--no-update", *crontab.options)
    (line,) = jobs_in(crontab.read())
    assert line.startswith("*/15 * * * * ")


def test_a_dry_run_shows_the_change_and_makes_none(geocli: Geocli, crontab: Crontab, tmp_path: Path) -> None:
    crontab.write(OTHERS)
    done = geocli("cron", "install", "--dry-run", *crontab.options)
    assert done.returncode == 0
    assert crontab.read() == OTHERS
    # What is shown is a patch.
    table = tmp_path / "table"
    table.write_bytes(OTHERS)
    added = [line for line in done.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")]
    geocli("cron", "install", *crontab.options)
    text = crontab.read() or b""
    assert text == OTHERS + "".join(f"{line[1:]}\n" for line in added).encode()
    assert geocli("cron", "install", "--dry-run", *crontab.options).stdout == ""
    assert "-* * * * * " in geocli("cron", "remove", "--dry-run", *crontab.options).stdout
    assert crontab.read() == text


def test_a_line_of_one_s_own_is_pointed_out_and_kept(geocli: Geocli, crontab: Crontab) -> None:
    own = "* * * * * /usr/local/bin/geocli --data-dir /var/lib/geocli flush"
    crontab.write(f"{own}\n# geocli is fine\n".encode())
    done = geocli("cron", "install", *crontab.options)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert own in done.stderr
    assert own in (crontab.read() or b"").decode()
    rows = [json.loads(line) for line in geocli("cron", "show", "-j", *crontab.options).stdout.splitlines()]
    assert {(row["by"], row["command"].rpartition(" ")[2]) for row in rows if "crontab" in row["place"]} == {
        ("geocli", "flush"),
        ("geocli", "update"),
        ("hand", "flush"),
    }


def test_a_crontab_with_half_of_geocli_s_lines_is_left_alone(geocli: Geocli, crontab: Crontab) -> None:
    half = BEGIN + b"\n* * * * * true\n"
    crontab.write(half)
    for action in ("install", "remove", "show"):
        done = geocli("cron", action, *crontab.options)
        assert (done.returncode, done.stdout) == (2, "")
        assert "line 1 of the crontab" in done.stderr
        assert END.decode() in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert crontab.read() == half


def test_the_installed_line_does_what_it_says(geocli: Geocli, crontab: Crontab, tmp_path: Path) -> None:
    place = tmp_path / "it's 100% mine"
    assert geocli("--data-dir", place, "8.8.8.8").returncode == 0
    if crontab.user:  # who may not use root's files
        for path in (place, *place.rglob("*")):
            os.chown(path, pwd.getpwnam(crontab.user).pw_uid, -1)
    done = geocli("--data-dir", place, "cron", "install", *crontab.options)
    assert done.returncode == 0, done.stderr
    if crontab.user:
        for path in (place, *place.rglob("*")):
            os.chown(path, 0, 0)
    # What cron does with the line: "\%" is a percent sign, and the shell gets the rest.
    command = jobs_in(crontab.read())[0].split(maxsplit=5)[5].replace("\\%", "%")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert json.loads(geocli("--data-dir", place, "stats", "-j").stdout)["stored"] == 1


def test_what_only_this_shell_knows_is_said_or_written_into_the_line(
    geocli: Geocli, crontab: Crontab, tmp_path: Path
) -> None:
    config = tmp_path / "my config.toml"
    config.write_text("[lookup]\nttl = 5\n")
    knowing = Geocli(
        geocli.data_dir, NOTHING_LOST | {"GEOCLI_CONFIG": str(config), "GEOCLI_LOOKUP_TTL": "7d"}
    )
    done = knowing("cron", "install", *crontab.options)
    assert done.returncode == 0
    assert "GEOCLI_LOOKUP_TTL" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert all(f"--config '{config}' " in line for line in jobs_in(crontab.read()))
    assert knowing("-q", "cron", "install", *crontab.options).stderr == ""


def test_the_server_that_was_named_is_named_in_the_line(geocli: Geocli, crontab: Crontab) -> None:
    url = "postgresql://geo@db.example/100%25?sslmode=verify-full&application_name=x"
    assert geocli("--store", url, "cron", "install", *crontab.options).returncode == 0
    for line in jobs_in(crontab.read()):
        words = shlex.split(line.replace("\\%", "%"))
        assert words[words.index("--store") + 1] == url
    done = Geocli(
        geocli.data_dir, NOTHING_LOST | {"GEOCLI_STORE_URL": "postgresql://u:s3cret@db.example/geo"}
    )("cron", "install", *crontab.options)
    assert "GEOCLI_STORE_URL" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr + (crontab.read() or b"").decode()


def test_where_nobody_said_which_data_directory_it_is_the_one_of_the_user(crontab: Crontab) -> None:
    if crontab.user is None:
        pytest.skip("only root installs for others")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GEOCLI_")}
    command = [sys.executable, "-m", "geocli", "cron", "install", *crontab.options]
    subprocess.run(command, env=environment, check=True)
    home = pwd.getpwnam(crontab.user).pw_dir
    assert all(f"--data-dir {home}/.local/share/geocli " in line for line in jobs_in(crontab.read()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files that others own")
def test_a_job_that_could_not_use_its_files_is_refused(
    geocli: Geocli, crontab: Crontab, data_dir: Path
) -> None:
    data_dir.mkdir()
    done = geocli("cron", "install", *crontab.options)
    assert (done.returncode, crontab.read()) == (2, None)
    assert f"{data_dir} belongs to root" in done.stderr


# --- a crontab program that has something to say ------------------------------------------------------


def with_program(geocli: Geocli, tmp_path: Path, script: str) -> Geocli:
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "crontab").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "crontab").chmod(0o755)
    return Geocli(geocli.data_dir, NOTHING_LOST | {"PATH": f"{programs}:/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("echo 'You (x) are not allowed to use this program (crontab)' >&2; exit 1", 2, "not allowed to use"),
        ("exit 3", 2, "exit code 3"),
        (
            "echo 'no crontab for x' >&2; [ $1 = -l ] && exit 1; echo 'bad minute' >&2; exit 1",
            2,
            "bad minute",
        ),
        (
            "[ $1 = -l ] && exit 0; echo 'write error: No space left on device' >&2; exit 1",
            75,
            "No space left",
        ),
        ("exit 0", 2, "is not what was written"),
        ("printf '\\033[2J\\n\\n' >&2; exit 1", 2, "\\x1b"),
    ],
)
def test_what_crontab_says_is_passed_on_in_one_line(
    geocli: Geocli, tmp_path: Path, script: str, code: int, message: str
) -> None:
    done = with_program(geocli, tmp_path, script)("cron", "install")
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_crontab_that_cannot_be_read_is_never_replaced(geocli: Geocli, tmp_path: Path) -> None:
    script = f"[ $1 = -l ] && {{ echo 'I/O error' >&2; exit 1; }}; touch {tmp_path}/replaced"
    assert with_program(geocli, tmp_path, script)("cron", "install").returncode == 2
    assert not (tmp_path / "replaced").exists()


def test_busybox_says_otherwise_that_there_is_none(geocli: Geocli, tmp_path: Path) -> None:
    table = tmp_path / "table"
    script = (
        f"case $1 in -l) cat {table} 2>/dev/null || "
        "{ echo \"crontab: can't open 'root': No such file or directory\" >&2; exit 1; };;"
        f'-r) rm {table};; *) cp "$1" {table};; esac'
    )
    own = with_program(geocli, tmp_path, script)
    assert own("cron", "install").returncode == 0
    assert len(jobs_in(table.read_bytes())) == 2
    assert own("cron", "remove").returncode == 0
    assert not table.exists()
    # This crontab takes a last line without an end, and gets back what it had.
    table.write_bytes(b"0 0 * * * true")
    own("cron", "install")
    own("cron", "remove")
    assert table.read_bytes() == b"0 0 * * * true"


def test_without_cron_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from geocli.cli.app import run

    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert run(["--data-dir", str(tmp_path / "data"), "cron", "install"]) == 2
    assert "--systemd" in capsys.readouterr().err
    assert run(["--data-dir", str(tmp_path / "data"), "cron", "show"]) == 0


# --- a file in /etc/cron.d ----------------------------------------------------------------------------


def test_the_system_s_file_names_the_user_and_is_removed_whole(geocli: Geocli, tmp_path: Path) -> None:
    directory = tmp_path / "cron.d"
    directory.mkdir()
    who = pwd.getpwuid(os.geteuid()).pw_name
    options = ["--system", "--user", who, "--directory", str(directory)]
    for _ in range(2):
        assert geocli("cron", "install", *options).returncode == 0
    file = directory / "geocli"
    assert file.stat().st_mode & 0o7777 == 0o644
    assert [path.name for path in directory.iterdir()] == ["geocli"]
    flush, update = jobs_in(file.read_bytes())
    assert flush == f"* * * * * {who} {PROGRAM} --data-dir {geocli.data_dir} flush"
    assert f" {who} {PROGRAM} " in update
    shown = [
        json.loads(line)
        for line in geocli("cron", "show", "-j", "--directory", directory).stdout.splitlines()
    ]
    assert [row["user"] for row in shown if row["place"] == str(file)] == [who, who]
    assert geocli("cron", "remove", *options).returncode == 0
    assert list(directory.iterdir()) == []
    assert geocli("cron", "remove", *options).returncode == 0


def test_a_system_s_file_that_cannot_be_written_is_named(geocli: Geocli, tmp_path: Path) -> None:
    who = pwd.getpwuid(os.geteuid()).pw_name
    done = geocli("cron", "install", "--system", "--user", who, "--directory", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no cron reads it" in done.stderr
    (tmp_path / "geocli").symlink_to("/etc/passwd")
    done = geocli("cron", "install", "--system", "--user", who, "--directory", tmp_path)
    assert done.returncode == 2
    assert "symbolic link" in done.stderr
    (tmp_path / "geocli").unlink()
    (tmp_path / "geocli").mkdir()
    done = geocli("cron", "install", "--system", "--user", who, "--directory", tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


# --- systemd ------------------------------------------------------------------------------------------


def units_in(text: str) -> dict[str, str]:
    """What is printed, by the path in the comment above each unit."""
    parts = [part for part in text.split("# /") if part]
    return {"/" + part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def test_units_are_printed_as_systemd_takes_them(geocli: Geocli, tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    done = geocli("cron", "install", "--systemd", "--every", "10m")
    assert (done.returncode, done.stderr) == (0, "")
    units = units_in(done.stdout)
    assert [Path(path).name for path in units] == [
        "geocli-flush.service", "geocli-flush.timer", "geocli-update.service", "geocli-update.timer",
    ]  # fmt: skip
    assert all(path.startswith(f"{tmp_path}/.config/systemd/user/") for path in units)
    assert not (tmp_path / ".config").exists()
    for path, text in units.items():
        (tmp_path / Path(path).name).write_text(text)
    files = [str(tmp_path / Path(path).name) for path in units]
    checked = subprocess.run(
        [analyze, "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert [line for line in checked.stderr.splitlines() if "geocli" in line] == []


def test_enabling_writes_the_units_and_tells_systemd(geocli: Geocli, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n')
    (programs / "systemctl").chmod(0o755)
    own = Geocli(geocli.data_dir, NOTHING_LOST | {"PATH": f"{programs}:{os.environ['PATH']}"})
    directory = tmp_path / ".config" / "systemd" / "user"
    assert "+++ " in own("cron", "install", "--systemd", "--enable", "--dry-run").stdout
    assert not directory.exists()
    for _ in range(2):
        assert own("cron", "install", "--systemd", "--enable").returncode == 0
    assert sorted(path.name for path in directory.iterdir()) == [
        "geocli-flush.service", "geocli-flush.timer", "geocli-update.service", "geocli-update.timer",
    ]  # fmt: skip
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:2] == ["--user daemon-reload", "--user enable --now geocli-flush.timer geocli-update.timer"]
    assert own("cron", "install", "--systemd", "--enable", "--no-update").returncode == 0
    assert sorted(path.name for path in directory.iterdir()) == ["geocli-flush.service", "geocli-flush.timer"]
    assert "--user disable --now geocli-update.timer" in (tmp_path / "asked").read_text()
    shown = own("cron", "show", "-f", "by,schedule,place", "--directory", directory).stdout
    assert f"geocli\tminutely\t{directory}/geocli-flush.timer\n" in shown
    assert own("cron", "remove", "--systemd").returncode == 0
    assert list(directory.iterdir()) == []


def test_a_systemd_that_does_not_answer_is_said_with_what_to_type(geocli: Geocli, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    (programs / "systemctl").chmod(0o755)
    own = Geocli(geocli.data_dir, NOTHING_LOST | {"PATH": f"{programs}:{os.environ['PATH']}"})
    done = own("cron", "install", "--systemd", "--enable")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Failed to connect to bus" in done.stderr
    assert "systemctl --user enable --now geocli-flush.timer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# --- usage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["install", "--every", "90s"], "--every"),
        (["install", "--every", "0"], "--every"),
        (["install", "--user", "no-such-user"], "no user is called 'no-such-user'"),
        (["install", "--user", "\x1b[2J"], "no user is called"),
        (["install", "--report", "/no/such/directory/r.html"], "/no/such/directory is no directory"),
        (["install", "--report", "-"], "--report needs a file"),
        (["install", "--report", "/"], "--report needs a file"),
        (["install", "--enable"], "--enable is for --systemd"),
        (["install", "--directory", "/d"], "--directory is for"),
        (["install", "--systemd", "--user", "root"], "--user is for --system"),
        (["remove", "--user", "no-such-user"], "no user is called"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_changes_nothing(
    geocli: Geocli, arguments: list[str], message: str
) -> None:
    done = geocli("cron", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not geocli.data_dir.exists()


def test_the_program_in_a_job_is_the_one_that_runs_by_whatever_name(tmp_path: Path, geocli: Geocli) -> None:
    link = tmp_path / "links" / "geo"
    link.parent.mkdir()
    link.symlink_to(installed_program())
    for command, cwd in (
        (["./links/geo"], tmp_path),
        (["../links/geo"], tmp_path / "links"),
        (["geo"], tmp_path),
    ):
        done = subprocess.run(
            [*command, "cron", "install", "--systemd"],
            cwd=cwd,
            env=geocli.env | {"PATH": f"{link.parent}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"ExecStart={link} --data-dir" in done.stdout

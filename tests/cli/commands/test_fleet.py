"""One store on a server for many machines: what each of them sees, also when the server does not answer."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import Geocli
from tests.output.report.conftest import write_bans
from tests.support.postgres_server import Postgres
from tests.support.targets import addresses
from tests.test_startup import modules_after

NOWHERE = "postgresql://geocli@127.0.0.1:1/geocli"
PATIENT = {"GEOCLI_STORE_READ_TIMEOUT": "30s"}  # this machine may be busy


@pytest.fixture
def machines(tmp_path: Path, url: str) -> list[Geocli]:
    """Two machines with one store."""
    environment = {"GEOCLI_STORE_URL": url} | PATIENT
    return [Geocli(tmp_path / name / "data", environment) for name in ("web1", "web2")]


def stats(geocli: Geocli) -> Mapping[str, object]:
    figures: dict[str, object] = json.loads(geocli("stats", "-j").stdout)
    return figures


def test_what_one_machine_flushed_the_other_knows(machines: list[Geocli]) -> None:
    first = machines[0]("-j", "8.8.8.8", "9.9.9.9").stdout
    assert stats(machines[1])["stored"] == 0
    assert json.loads(machines[0]("flush", "-j").stdout)["flushed"] == 2
    assert machines[1]("-j", "8.8.8.8", "9.9.9.9").stdout == first
    figures = stats(machines[1])
    assert (figures["stored"], figures["dirty"], figures["store_bytes"]) == (2, 0, None)
    assert not machines[1].data_dir.exists()
    assert not (machines[0].data_dir / "geo.db").exists()
    assert machines[1]("summarize", "-i", "-", stdin="8.8.8.8 8.8.8.8").stdout == (
        "US\tUnited States\t1\t2\t1.0\n"
    )


@pytest.mark.slow
def test_large_inputs_are_found_on_the_server_by_all_processors(machines: list[Geocli]) -> None:
    texts = "\n".join(addresses(30_000))
    first = machines[0]("-j", stdin=texts)
    assert first.returncode == 0
    assert machines[0]("flush").returncode == 0
    second = machines[1]("-j", stdin=texts)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.stdout  # with the same resolved_at: nothing was resolved anew
    assert stats(machines[1])["dirty"] == 0


def test_refresh_and_summarize_see_the_store_of_all(machines: list[Geocli]) -> None:
    machines[0]("8.8.8.8", "9.9.9.9")
    machines[0]("flush")
    time.sleep(1.1)
    done = machines[1]("refresh", "--older-than", "0s", "-j")
    assert json.loads(done.stdout)["asked"] == 2
    assert stats(machines[1])["dirty"] == 2


@pytest.mark.parametrize(
    ("option", "environment", "config"),
    [
        (True, {}, ""),
        (False, {"GEOCLI_STORE_URL": "{}"}, ""),
        (False, {}, '[store]\nurl = "{}"\nread_timeout = "30s"\n'),
    ],
    ids=["flag", "environment", "file"],
)
def test_the_store_is_named_by_flag_environment_or_file(
    data_dir: Path, url: str, tmp_path: Path, option: bool, environment: dict[str, str], config: str
) -> None:
    (tmp_path / "config.toml").write_text(config.replace("{}", url))
    variables = {name: value.replace("{}", url) for name, value in environment.items()}
    geocli = Geocli(data_dir, PATIENT | variables | {"GEOCLI_CONFIG": str(tmp_path / "config.toml")})
    arguments = ["--store", url] if option else []
    geocli("8.8.8.8", *arguments)
    assert geocli("flush", *arguments).returncode == 0
    assert json.loads(geocli("stats", "-j", *arguments).stdout)["stored"] == 1
    assert not (data_dir / "geo.db").exists()


# --- the server is away -------------------------------------------------------------------------------


def test_look_ups_go_on_without_a_server(data_dir: Path) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": NOWHERE})
    done = geocli("8.8.8.8", "-f", "country_code")
    assert (done.returncode, done.stdout) == (0, "US\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"geocli: {NOWHERE}: ")
    assert line.endswith("going on without it")
    assert "Connection refused" in line
    again = geocli("8.8.8.8", "-f", "country_code")  # the journal knows: nobody is asked
    assert (again.returncode, again.stdout, again.stderr) == (0, "US\n", "")
    assert geocli("192.0.2.1", "-e").returncode == 1  # the exit code of the answers


@pytest.mark.slow
def test_many_batches_without_a_server_are_one_line_and_no_wait_each(data_dir: Path) -> None:
    texts = "\n".join(addresses(50_000))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://geocli@127.0.0.1:{silent.getsockname()[1]}/geocli"
        geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": url, "GEOCLI_STORE_READ_TIMEOUT": "8s"})
        begun = time.monotonic()
        done = geocli("-f", "ip", stdin=texts)
        assert time.monotonic() - begun < 13 * 8  # thirteen batches, of which each would wait
    assert (done.returncode, done.stdout) == (0, texts + "\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["flush"], ["stats"], ["stats", "--check"], ["refresh"]], ids=" ".join)
def test_what_needs_the_server_is_for_later(data_dir: Path, arguments: list[str]) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": NOWHERE})
    geocli("8.8.8.8")
    done = geocli(*arguments)
    assert (done.returncode, done.stdout) == (75, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith("nothing is lost, try again")
    assert json.loads(Geocli(data_dir)("flush", "-j").stdout)["flushed"] == 1


def test_a_flush_after_the_server_came_back_brings_everything(
    machines: list[Geocli], postgres: Postgres
) -> None:
    machines[0]("8.8.8.8")
    postgres.stop()
    assert machines[0]("flush").returncode == 75
    machines[0]("9.9.9.9")
    postgres.start()
    assert json.loads(machines[0]("flush", "-j").stdout)["flushed"] == 2
    assert stats(machines[1])["stored"] == 2


@pytest.mark.slow
def test_an_interrupt_ends_a_flush_that_waits(machines: list[Geocli], postgres: Postgres) -> None:
    machines[0]("8.8.8.8")
    postgres.pause()
    try:
        process = subprocess.Popen(
            [*machines[0].command, "flush"], env=machines[0].env, stderr=subprocess.PIPE
        )
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        postgres.resume()
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert json.loads(machines[0]("flush", "-j").stdout)["flushed"] == 1


def test_bans_are_recorded_without_a_server_and_arrive_later(data_dir: Path, url: str) -> None:
    away = Geocli(data_dir, {"GEOCLI_STORE_URL": NOWHERE})
    banned = str([{"sshd": addresses(5000)}])
    done = away("bans", "--record", "--host", "web1", stdin=banned)
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith("going on without it")
    back = Geocli(data_dir, {"GEOCLI_STORE_URL": url} | PATIENT)
    assert back("flush").returncode == 0
    done = back("bans", "--record", "--host", "web1", stdin=banned)  # the next minute: nothing new
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    figures = stats(back)
    assert (figures["stored"], figures["bans"], figures["dirty"]) == (5000, 5000, 0)
    rows = back("bans", "--history", "--by", "jail", "-j").stdout
    assert json.loads(rows)["bans"] == 5000
    assert away("bans", "--history").returncode == 75


def test_a_report_of_the_fleet_is_the_same_out_of_server_file_and_journal(
    machines: list[Geocli], url: str, tmp_path: Path
) -> None:
    bans = [(f"5.{n % 4}.{n % 7}.{n % 90}", ("sshd", "web")[n % 2], n + 0.5) for n in range(700)]
    bans = list({(ip, jail): (ip, jail, age) for ip, jail, age in bans}.values())
    for machine, part in zip(machines, (bans[::2], bans[1::2]), strict=True):
        database = write_bans(tmp_path / f"{len(part)}{machine.data_dir.parent.name}.sqlite3", part)
        name = machine.data_dir.parent.name
        assert machine("bans", "--record", "--host", name, "--database", database).returncode == 0

    def page(geocli: Geocli, *options: str) -> str:
        done = geocli("report", "--history", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return re.sub(r"\d\d:\d\d", "", done.stdout)

    assert machines[0]("flush").returncode == 0
    from_both = page(machines[1])  # its own bans still wait in its journal
    assert ">web1</th>" in from_both
    assert machines[1]("flush").returncode == 0
    assert page(machines[1]) == page(machines[0]) == from_both
    file = Geocli(tmp_path / "file" / "data")
    file.data_dir.mkdir(mode=0o700, parents=True)
    assert file("store", "copy", url, str(file.data_dir / "geo.db")).returncode == 0
    assert page(file) == from_both
    for options in (("--since", "5d"), ("--country", "DE", "--jail", "web"), ("--anonymize",)):
        assert page(file, *options) == page(machines[0], *options), options


# --- what is set wrongly ------------------------------------------------------------------------------


def test_without_the_extra_it_says_which_to_install(data_dir: Path) -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None;"
        "from geocli.cli.app import run; sys.exit(run(sys.argv[1:]))"
    )
    for arguments in (["8.8.8.8"], ["flush"], ["stats"], ["store", "copy", NOWHERE, "geo.db"]):
        done = subprocess.run(
            [sys.executable, "-c", script, "--store", NOWHERE, *arguments],
            env=Geocli(data_dir).env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert "pip install 'geocli[postgres]'" in line


def test_psycopg_without_its_library_says_the_same(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "psycopg").mkdir()
    (tmp_path / "psycopg" / "__init__.py").write_text(
        "raise ImportError('no pq wrapper available.\\nmore')\n"
    )
    broken = Geocli(geocli.data_dir, {"PYTHONPATH": str(tmp_path), "GEOCLI_STORE_URL": NOWHERE})
    done = broken("-f", "country_code", "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "US\n")
    assert done.stderr == (
        "geocli: psycopg cannot be used (no pq wrapper available.): pip install 'geocli[postgres]'\n"
    )


@pytest.mark.slow
def test_nobody_else_imports_it(data_dir: Path, url: str) -> None:
    server = {"psycopg", "geocli.storage.store.postgres.store", "geocli.storage.store.postgres.connection"}
    file, fleet = Geocli(data_dir), Geocli(data_dir, {"GEOCLI_STORE_URL": url} | PATIENT)
    for arguments in (["8.8.8.8"], ["flush"], ["stats"], ["refresh"]):
        assert not modules_after(file, *arguments) & server
    assert "psycopg" in modules_after(fleet, "9.9.9.9")
    assert "psycopg" not in modules_after(fleet, "9.9.9.9")  # the journal knows
    assert "psycopg" in modules_after(fleet, "flush")
    assert "psycopg" not in modules_after(fleet, "flush")  # nothing to do, each minute
    assert "geocli.storage.store.sqlite" not in modules_after(fleet, "flush")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root@localhost/geocli",
        "postgresql",
        "postgresql:///has space",
        "postgresql://a:sec\x1bret@b/c",
        "postgresql://a:secret@b@c/d",
        "postgresql://a:sec/ret@b/c",
        "postgresql://a:sec#ret@b/c",
        "postgresql://a/" + "x" * 3000,
    ],
    ids=ascii,
)
def test_a_url_that_is_none_is_refused(data_dir: Path, url: str) -> None:
    done = Geocli(data_dir, {"GEOCLI_STORE_URL": url})("8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("geocli: GEOCLI_STORE_URL: it is no URL of a server")
    assert "ret@" not in line
    assert "sec" not in line


def test_a_url_that_only_the_library_can_judge_is_refused_too(data_dir: Path) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": f"{NOWHERE}?sslmod=require"})
    geocli("8.8.8.8")
    done = geocli("flush")
    assert done.returncode == 2
    assert '"sslmod"' in done.stderr
    secret = Geocli(data_dir, {"GEOCLI_STORE_URL": "postgresql://a:sec%zzret@127.0.0.1/c"})
    done = secret("flush")
    assert done.returncode == 2
    assert "sec" not in done.stderr


# --- passwords ----------------------------------------------------------------------------------------


@pytest.fixture
def guarded(postgres: Postgres, url: str) -> str:
    """The URL of a role that has a password, without it."""
    postgres.execute(f"GRANT ALL ON SCHEMA {url.rpartition('%3D')[2]} TO guarded")
    return url.replace("geocli@", "guarded@")


def test_a_password_comes_from_pgpassfile(
    guarded: str, data_dir: Path, postgres: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "pgpass"
    escaped = postgres.password.replace("\\", "\\\\").replace(":", "\\:")
    file.write_text(f"127.0.0.1:{postgres.port}:*:guarded:{escaped}\n")
    file.chmod(0o600)
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": guarded, "PGPASSFILE": str(file)} | PATIENT)
    geocli("8.8.8.8")
    assert (geocli("flush").returncode, stats(geocli)["stored"]) == (0, 1)


def test_a_password_that_is_missing_is_a_setting_that_is_missing(guarded: str, data_dir: Path) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": guarded, "PGPASSFILE": "/nowhere"} | PATIENT)
    done = geocli("-f", "country_code", "8.8.8.8")
    assert (done.returncode, done.stdout) == (2, "US\n")
    assert "PGPASSFILE" in done.stderr
    assert geocli("flush").returncode == 2


@pytest.mark.parametrize("place", ["user", "parameter"])
def test_a_password_is_never_shown(guarded: str, data_dir: Path, place: str, tmp_path: Path) -> None:
    secret = quote("wr/ong@pass", safe="")
    url = (
        guarded.replace("guarded@", f"guarded:{secret}@")
        if place == "user"
        else f"{guarded}&password={secret}"
    )
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": url} | PATIENT)
    shown = [
        geocli(*arguments)
        for arguments in (
            ["-v", "8.8.8.8"],
            ["-v", "flush"],
            ["stats"],
            ["config", "show", "-j"],
            ["refresh"],
        )
    ]
    assert [done.returncode for done in shown] == [2, 2, 2, 0, 2]
    assert "password authentication failed" in shown[1].stderr
    on_the_line = Geocli(data_dir)("--store", url, "8.8.8.8")
    assert on_the_line.returncode == 2
    for done in (*shown, on_the_line):
        assert "wr" not in done.stdout + done.stderr.replace("write", "")
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\nurl = "{url}"\n')
    config.chmod(0o644)
    done = Geocli(data_dir)("--config", config, "8.8.8.8")
    assert done.returncode == 4
    assert f"chmod 600 {config}" in done.stderr


def test_tls_that_the_server_does_not_have_is_not_done_without(url: str, data_dir: Path) -> None:
    geocli = Geocli(data_dir, {"GEOCLI_STORE_URL": f"{url}&sslmode=require"} | PATIENT)
    geocli("8.8.8.8")
    done = geocli("flush")
    assert done.returncode == 2
    assert "SSL" in done.stderr

"""A key is in the request, and nowhere else."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Geocli
from tests.providers.online.conftest import Here
from tests.providers.online.servers import KNOWN, Fault, IpApi, Ipinfo, RawServer, environment, http
from tests.support.targets import addresses
from tests.support.waiting import wait_until

SECRET = "S3CR3T-k3y-7788"  # noqa: S105 (the emulators' own)
KEYED = {"ip-api": IpApi, "ipinfo": Ipinfo}


def keyed(name: str, known: str = SECRET) -> IpApi | Ipinfo:
    return IpApi(key=known) if name == "ip-api" else Ipinfo(token=known)


def with_secret(server: IpApi | Ipinfo) -> dict[str, str]:
    key = "GEOCLI_IP_API_KEY" if isinstance(server, IpApi) else "GEOCLI_IPINFO_TOKEN"
    return environment(server) | {key: SECRET}


def assert_nowhere(data_dir: Path, *texts: str) -> None:
    for text in texts:
        assert SECRET not in text
    for path in data_dir.rglob("*"):
        assert SECRET not in str(path)
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize(
    "fault",
    [None, Fault.SERVER_ERROR, Fault.CLOSE, Fault.REDIRECT, Fault.GARBAGE, Fault.TOO_FEW, Fault.TOO_MANY],
)
def test_a_key_never_shows(here: Here, name: str, fault: Fault | None) -> None:
    with keyed(name) as server:
        if fault is not None:
            server.fail_next(fault, times=None)
        done = here(
            *("-v", "-p", name, "-j", "--max-wait", "0"), targets=KNOWN, environment=with_secret(server)
        )
        assert done.code == (0 if fault is None else 3)
        assert all(SECRET in request.query.values() for request in server.requests)
        here("flush", "-v", environment=with_secret(server))
    assert_nowhere(here.data_dir, done.out, done.err)


@pytest.mark.parametrize("name", KEYED)
def test_a_wrong_key_is_said_at_once_and_names_the_setting(here: Here, name: str) -> None:
    with keyed(name, "another") as server:
        done = here("-v", "-p", name, "-j", targets=KNOWN * 30, environment=with_secret(server))
        assert len(server.requests) == 1
        assert server.count(403) == 1
    assert done.code == 3
    assert set(done.statuses) == {"error"}
    (complaint,) = [line for line in done.complaints if "could not be asked" in line]
    setting, key = {"ip-api": ("GEOCLI_IP_API_KEY", "key"), "ipinfo": ("GEOCLI_IPINFO_TOKEN", "token")}[name]
    assert setting in complaint
    assert f"{key} in [{name.replace('-', '_')}]" in complaint
    assert "403" in complaint
    assert_nowhere(here.data_dir, done.out, done.err)


def test_a_wrong_key_for_many_costs_a_request_for_each_that_was_under_way(here: Here) -> None:
    targets = [f"23.{n >> 8}.{n & 255}.1" for n in range(2000)]
    with IpApi(key="another", latency=0.05) as server:
        done = here("-p", "ip-api", "-j", targets=targets, environment=with_secret(server))
        assert len(server.requests) <= 4
    assert done.code == 3
    assert len(done.complaints) == 1


def test_a_wrong_key_with_a_database_behind_it(here: Here) -> None:
    with keyed("ipinfo", "another") as server:
        done = here("-p", "ipinfo,mmdb", "-j", targets=KNOWN, environment=with_secret(server))
    assert (done.code, done.statuses) == (0, ["ok"] * 4)
    assert len(done.complaints) == 1


def test_a_ban_is_a_refusal_and_no_reason_to_go_on(here: Here) -> None:
    with IpApi() as server:
        server.banned.add("127.0.0.1")
        done = here("-p", "ip-api", "-j", targets=addresses(500), environment=environment(server))
        assert len(server.requests) == 1
    assert (done.code, len(done.complaints)) == (3, 1)
    assert "403" in done.complaints[0]


def test_a_source_that_echoes_the_key_is_not_believed(here: Here) -> None:
    """Whatever its error page says does not reach the terminal."""
    with RawServer(
        lambda _number, _targets: http(403, f"bad key {SECRET}".encode(), {"X-Key": SECRET})
    ) as server:
        done = here(
            *("-v", "-p", "ip-api", "8.8.8.8"),
            environment={"GEOCLI_IP_API_URL": server.url, "GEOCLI_IP_API_KEY": SECRET},
        )
    assert done.code == 3
    assert_nowhere(here.data_dir, done.out, done.err)


def test_a_refused_connection_does_not_tell_the_url_with_its_key(here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/batch"
    where = {"GEOCLI_IPINFO_URL": url, "GEOCLI_IPINFO_TOKEN": SECRET}
    done = here("-v", "-p", "ipinfo", "8.8.8.8", environment=where)
    assert done.code == 3
    assert_nowhere(here.data_dir, done.out, done.err)


def test_ps_does_not_show_the_key(data_dir: Path) -> None:
    with Ipinfo(token=SECRET, latency=20) as server:
        geocli = Geocli(data_dir, with_secret(server))
        with subprocess.Popen([*geocli.command, "-v", "-p", "ipinfo", "8.8.8.8"], env=geocli.env) as process:
            wait_until(lambda: server.requests)
            shown = (
                Path(f"/proc/{process.pid}/cmdline").read_text()
                + Path(f"/proc/{process.pid}/comm").read_text()
            )
            process.kill()
    assert SECRET not in shown


@pytest.mark.parametrize("section", ["ip_api", "ipinfo"])
def test_a_configuration_file_with_a_key_is_for_its_owner_only(
    here: Here, tmp_path: Path, section: str
) -> None:
    config = tmp_path / "config.toml"
    with keyed(section.replace("_", "-")) as server:
        name = "key" if section == "ip_api" else "token"
        config.write_text(f'[{section}]\n{name} = "{SECRET}"\nurl = "{server.url}"\n')
        arguments = ["--config", str(config), "-p", section.replace("_", "-"), "-j", "8.8.8.8"]
        for mode in (0o644, 0o640, 0o604, 0o660, 0o610, 0o601):
            config.chmod(mode)
            refused = here(*arguments)
            assert refused.code == 4
            assert refused.out == ""
            (complaint,) = refused.complaints
            # That others may write it is said first, where the group is not root's.
            ways_out = ("chmod 600", "chmod go-w") if mode == 0o660 else ("chmod 600",)
            assert any(f"{way_out} {config}" in complaint for way_out in ways_out)
            assert_nowhere(here.data_dir, refused.err)
        assert server.requests == []
        for mode in (0o600, 0o400):
            config.chmod(mode)
            assert here(*arguments).statuses == ["ok"]
        assert SECRET in server.requests[0].query.values()
    # A key in the file is a key in the file, whoever is asked.
    config.chmod(0o644)
    assert here("--config", str(config), "8.8.8.8").code == 4


def test_a_configuration_file_without_a_key_may_be_read_by_anybody(here: Here, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    with IpApi(limit=None) as server:
        config.write_text(f'[ip_api]\nurl = "{server.url}"\ntimeout = "5s"\nbatch_size = 2\n')
        config.chmod(0o644)
        done = here("--config", str(config), "-p", "ip-api", "-j", targets=KNOWN)
        assert (done.code, done.statuses) == (0, ["ok"] * 4)
        assert len(server.requests) == 2


def test_ipinfo_without_a_token_says_where_to_put_one(here: Here) -> None:
    done = here("-p", "ipinfo", "8.8.8.8")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert "GEOCLI_IPINFO_TOKEN" in done.complaints[0]
    assert "[ipinfo]" in done.complaints[0]

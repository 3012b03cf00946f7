"""Ban sources out of the programs themselves: nft, ipset, iptables, the journal, cscli."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from geocli.inputs.ban_reader import Reading
from geocli.inputs.bans import read_bans
from geocli.model.bans import Ban
from geocli.model.errors import Problems
from tests.conftest import need
from tests.inputs.fail2ban.test_times import Zone, zone
from tests.inputs.test_bans import stream
from tests.support.waiting import wait_until

__all__ = ["zone"]

pytestmark = pytest.mark.slow
JOURNAL_REMOTE = Path("/lib/systemd/systemd-journal-remote")
BEGIN = 1_795_470_132  # 2026-11-23 21:42:12 UTC


def told(text: bytes) -> list[Ban]:
    return [ban for batch in read_bans([stream(text)], Problems(), Reading()) for ban in batch]


def names(text: bytes) -> list[tuple[str | None, str]]:
    return [(ban.jail, ban.text) for ban in told(text)]


def in_own_network(script: str) -> list[bytes]:
    """What the commands of a script print, each between lines of ``--``."""
    if os.geteuid() != 0:
        pytest.skip("only root may have a network of its own")
    command = [need("unshare"), "-n", "bash", "-ec", script]
    printed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return printed.split(b"--\n")[1:]


def test_what_nft_lists() -> None:
    need("nft")
    outputs = in_own_network("""
nft -f - <<'END'
table inet f2b-table {
  set addr-set-sshd { type ipv4_addr; flags timeout; elements = { 1.1.1.1 timeout 10m, 8.8.8.8 timeout 1h } }
  set ports { type inet_service; elements = { 22, 80 } }
  set allowed { type ipv4_addr; elements = { 9.9.9.9 } }
  set bl { type ipv4_addr; flags interval; auto-merge; elements = { 80.94.95.113-80.94.95.116 } }
  chain f2b-chain { type filter hook input priority -1;
    ip saddr { 7.7.7.7, 7.7.8.0/24 } drop; ip saddr 4.4.4.4 accept; }
}
END
echo --; nft list ruleset; echo --; nft -j list ruleset; echo --; nft list table inet f2b-table
echo --; nft -a list set inet f2b-table addr-set-sshd
""")
    jails = [("sshd", "1.1.1.1"), ("sshd", "8.8.8.8")]
    others = [(None, "80.94.95.113"), (None, "80.94.95.114/31"), (None, "80.94.95.116")]
    rules = [(None, "7.7.7.7"), (None, "7.7.8.0/24")]
    assert [names(output) for output in outputs] == [[*jails, *others, *rules]] * 3 + [jails]
    for output in outputs:
        ban = told(output)[0]
        assert ban.banned_at is not None
        assert ban.expires_at is not None


def test_what_ipset_lists() -> None:
    need("ipset")
    outputs = in_own_network("""
ipset create f2b-sshd hash:ip timeout 600; ipset add f2b-sshd 1.1.1.1
ipset create nets hash:net family inet6; ipset add nets 2a02:8109::/32
ipset create ports bitmap:port range 1-1000; ipset add ports 22
echo --; ipset list; echo --; ipset save; echo --; ipset list f2b-sshd
""")
    sshd = [("sshd", "1.1.1.1")]
    assert [names(output) for output in outputs] == [[*sshd, (None, "2a02:8109::/32")]] * 2 + [sshd]
    assert all(told(output)[0].expires_at is not None for output in outputs)


@pytest.mark.parametrize("program", ["iptables-legacy", "iptables-nft"])
def test_what_iptables_lists(program: str) -> None:
    need(program)
    outputs = in_own_network(f"""
p={program}
$p -N f2b-sshd; $p -A INPUT -p tcp --dport 22 -j f2b-sshd
$p -A f2b-sshd -s 1.1.1.1 -j REJECT; $p -A f2b-sshd -s 8.8.8.0/24 -j DROP; $p -A f2b-sshd -j RETURN
$p -A INPUT -s 4.4.4.4 -j ACCEPT; $p -A INPUT ! -s 5.5.5.5 -j DROP; $p -A INPUT -d 9.9.9.8 -j DROP
echo --; $p -S; echo --; $p -L -n; echo --; $p -L -n -v --line-numbers; echo --; $p-save
""")
    assert [names(output) for output in outputs] == [[("sshd", "1.1.1.1"), ("sshd", "8.8.8.0/24")]] * 4


def entry(number: int, after: int, who: str, unit: str, message: str) -> str:
    return (
        f"__CURSOR=s=a;i={number};b=b;m=1;t=1;x=1\n__REALTIME_TIMESTAMP={(BEGIN + after) * 1_000_000}\n"
        f"__MONOTONIC_TIMESTAMP={(after + 9) * 1_000_000}\n_BOOT_ID={'0123456789abcdef' * 2}\n_HOSTNAME=web\n"
        f"PRIORITY=5\nSYSLOG_IDENTIFIER={who}\n_PID=728\n_SYSTEMD_UNIT={unit}\nMESSAGE={message}\n\n"
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal file with fail2ban's messages, and what a stranger had sshd log."""
    need("journalctl")
    if not JOURNAL_REMOTE.exists():
        need(JOURNAL_REMOTE.name)
    path = tmp_path_factory.mktemp("journal") / "x.journal"
    fail2ban = ("fail2ban-server", "fail2ban.service")
    entries = [
        entry(1, 0, *fail2ban, "fail2ban.actions        [728]: NOTICE  [sshd] Ban 1.1.1.1"),
        entry(2, 1, "sshd", "ssh.service", "[sshd] Ban 6.6.6.6"),
        entry(3, 2, "sshd", "ssh.service", "Invalid user fail2ban[1]: [sshd] Ban 6.6.6.6 from 6.6.6.7"),
        entry(4, 3, *fail2ban, "fail2ban.filter         [728]: INFO    [sshd] Found 9.9.9.9 - x"),
        entry(5, 600, *fail2ban, "fail2ban.actions        [728]: NOTICE  [sshd] Unban 1.1.1.1"),
    ]
    command = [str(JOURNAL_REMOTE), "-o", str(path), "-"]
    subprocess.run(command, input="".join(entries).encode(), capture_output=True, check=True, timeout=60)
    return path


FORMS = ["short", "short-full", "short-iso", "short-iso-precise", "short-precise", "short-unix", "with-unit"]
FORMS += ["verbose", "export", "json", "json-pretty", "json-sse", "json-seq"]
WITHOUT_DAY = ["short-monotonic", "cat"]


@pytest.mark.parametrize("form", [*FORMS, *WITHOUT_DAY])
@pytest.mark.parametrize("options", [(), ("-r",), ("--no-hostname",)])
@pytest.mark.parametrize("where", ["UTC", "America/New_York"])
def test_the_journal_in_every_form(
    journal: Path, zone: Zone, form: str, options: tuple[str, ...], where: str
) -> None:
    zone(where)
    command = ["journalctl", "--file", str(journal), "-o", form, *options]
    environment = {**os.environ, "TZ": where, "LC_ALL": "C.UTF-8"}
    printed = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment).stdout
    if form in WITHOUT_DAY:
        assert names(printed) == [("sshd", "1.1.1.1")]
    else:
        assert told(printed) == [Ban("sshd", "1.1.1.1", "2026-11-23T21:42:12Z", "2026-11-23T21:52:12Z")]


CONFIG = """
common: {{daemonize: false, log_media: stdout, log_level: error, working_dir: .}}
config_paths: {{config_dir: {0}, data_dir: {0}, simulation_path: {0}/simulation.yaml, hub_dir: {0},
  index_path: {0}/.index.json, notification_dir: {0}/n, plugin_dir: {0}/n}}
crowdsec_service: {{acquisition_path: {0}/acquis.yaml, parser_routines: 1}}
cscli: {{output: human}}
db_config: {{log_level: error, type: sqlite, db_path: {0}/crowdsec.db}}
api:
  client: {{credentials_path: {0}/credentials.yaml}}
  server: {{log_level: error, listen_uri: "127.0.0.1:{1}", profiles_path: {0}/profiles.yaml}}
prometheus: {{enabled: false}}
"""
PROFILE = """
name: default
filters: ["Alert.Remediation == true"]
decisions: [{type: ban, duration: 4h}]
on_success: break
"""


@pytest.fixture(scope="module")
def cscli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """CrowdSec with an API of its own: the command that asks it."""
    path = tmp_path_factory.mktemp("crowdsec")
    config = path / "config.yaml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        unused_port = free.getsockname()[1]
    config.write_text(CONFIG.format(path, unused_port))
    (path / "n").mkdir()
    (path / "profiles.yaml").write_text(PROFILE)
    (path / "simulation.yaml").write_text("simulation: false\n")
    (path / "acquis.yaml").touch()
    (path / ".index.json").write_text("{}")
    command = [need("cscli"), "-c", str(config)]
    add = ["machines", "add", "m", "-p", "secret", "-f", str(path / "credentials.yaml")]
    url = f"http://127.0.0.1:{unused_port}"
    subprocess.run([*command, *add, "-u", url], capture_output=True, check=True, timeout=60)
    with subprocess.Popen(
        [need("crowdsec"), "-c", str(config), "-no-cs"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            ask = [*command, "decisions", "list"]
            wait_until(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0)
            yield command
        finally:
            server.kill()


def test_what_cscli_lists(cscli: list[str]) -> None:
    def ask(*words: str) -> bytes:
        return subprocess.run([*cscli, *words], capture_output=True, check=True, timeout=60).stdout

    for form in ("json", "raw", "human"):
        assert told(ask("decisions", "list", "-o", form)) == []
    ask("decisions", "add", "-i", "1.1.1.1", "-R", "crowdsecurity/ssh-bf", "-d", "4h")
    ask("decisions", "add", "-r", "8.8.8.0/24", "-R", "mine", "-d", "30m")
    for what in ("decisions", "alerts"):
        for form in ("json", "raw", "human"):
            found = told(ask(what, "list", "-o", form))
            assert sorted((ban.jail, ban.text) for ban in found) == [
                ("crowdsecurity/ssh-bf", "1.1.1.1"),
                ("mine", "8.8.8.0/24"),
            ]
            if what == "decisions":
                assert all(ban.expires_at is not None for ban in found)
    (ban,) = [ban for ban in told(ask("decisions", "list", "-o", "json")) if ban.text == "1.1.1.1"]
    begin = time.strptime(str(ban.banned_at), "%Y-%m-%dT%H:%M:%SZ")
    end = time.strptime(str(ban.expires_at), "%Y-%m-%dT%H:%M:%SZ")
    assert abs(time.mktime(end) - time.mktime(begin) - 4 * 3600) < 60

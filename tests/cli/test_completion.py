"""Completion in real shells: a line is typed, TAB is pressed, and the screen is read."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time

import pytest

from geocli.cli.app import run
from geocli.cli.completion import join_values, lists_of
from geocli.config.sources import PROVIDERS
from geocli.model.records import FIELDS
from tests.conftest import Geocli, need
from tests.support.installed import installed_program

PATIENCE = 30  # seconds for a shell to answer on a machine that is busy


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("geocli loo", ["lookup"]),
        ("geocli cron in", ["install"]),
        ("geocli 8.8.8.8 --fi", ["--field"]),
        ("geocli --fi", ["--field"]),
        ("geocli --col", ["--color"]),
        ("geocli lookup -f cou", ["country_code", "country_name"]),
        ("geocli -f cou", ["country_code", "country_name"]),
        ("geocli --color never 8.8.8.8 --field cou", ["country_code", "country_name"]),
        ("geocli -q --data-dir /x -f ip,country_n", ["ip,country_name"]),
        ("geocli --field = cou", ["country_code", "country_name"]),
        ("geocli bans --by c", ["country"]),
        ("geocli bans -f ba", ["banned_at", "ban_count"]),
        ("geocli bans --by jail -f ba", ["bans"]),
        ("geocli bans --by ho", ["hour"]),
        ("geocli bans --history --by ho", ["host", "hour"]),
        ("geocli bans --compare 7d --by country,ho", ["country,host"]),
        ("geocli bans --by country,as", ["country,asn"]),
        ("geocli bans --by ip --sort ba", ["bans"]),
        ("geocli bans --country F", ["FI", "FJ", "FK", "FM", "FO", "FR", "Finland", "Fiji", "France"]),
        ("geocli report --country DE,swit", ["DE,switzerland"]),
        ("geocli networks --country $(x),d", []),
        ("geocli db update dbip-c", ["dbip-country", "dbip-city"]),
        ("geocli summarize --by reg", ["region"]),
        ("geocli summarize --by asn -f h", ["hits"]),
        ("geocli db list -f ed", ["edition"]),
        ("geocli config show -f or", ["origin"]),
        ("geocli cron show -f sch", ["schedule"]),
        ("geocli --color a", ["auto", "always"]),
        ("geocli lookup --color n", ["never"]),
        ("geocli 8.8.8.8 --color n", ["never"]),
        ("geocli -p country", ["country-is"]),
        ("geocli -p mmdb,ipi", ["mmdb,ipinfo"]),
        ("geocli -p $(touch${IFS}/tmp/x),ipi", []),
        ("geocli nonsense", []),
        ("geocli -f ", [*FIELDS, "tags"]),
        ("geocli bans -f ta", ["tags"]),
        ("geocli bans --by jail -f ta", []),
        ("geocli -p ", [provider.name for provider in PROVIDERS]),
    ],
)
def test_a_line_is_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, offered: list[str]
) -> None:
    assert completed(line, monkeypatch, capsys).split() == offered


def completed(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What bash is told."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setenv("_GEOCLI_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit) as ended:  # Typer's way when it has completed
        run([])
    assert ended.value.code == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_jails_and_hosts_of_the_history_are_offered_if_a_shell_can_do_no_harm_with_them(
    geocli: Geocli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GEOCLI_DATA_DIR", str(geocli.data_dir))
    names = ("sshd", "sshd", "s.web-1", "s$(touch /tmp/x)", "s`x`", "s'", "web", "-s", "s x")
    log = "".join(
        f"2026-11-20 03:00:00,000 fail2ban.actions [1]: NOTICE [{name}] Ban 8.8.8.{number}\n"
        for number, name in enumerate(names)
    )
    assert geocli("bans", "--record", "--host", "web1", stdin=log).returncode == 0
    client = geocli.data_dir.parent / "client"
    client.write_text("#!/bin/sh\ncat <<'E'\n[{'sieve': []}, {'s`x`': []}, {'web': []}]\nE\n")
    client.chmod(0o755)
    before = sorted(path.stat().st_mtime_ns for path in geocli.data_dir.rglob("*.db"))
    for line, offered in (
        ("geocli bans --jail s", ["sshd", "s.web-1"]),
        (f"geocli --data-dir {geocli.data_dir} report --jail w", ["web"]),
        ("geocli advise --history --host w", ["web1"]),
        (f"geocli --data-dir /dev/null bans --fail2ban-client {client} --jail s", ["sieve"]),
        ("geocli --data-dir /dev/null bans --fail2ban-client /bin/false --jail s", []),
    ):
        assert completed(line, monkeypatch, capsys).split() == offered
    assert sorted(path.stat().st_mtime_ns for path in geocli.data_dir.rglob("*.db")) == before


def test_a_list_goes_on_with_the_names_that_it_does_not_have() -> None:
    assert lists_of(["a", "b", "ba"], "") == ["a", "b", "ba"]
    assert lists_of(["a", "b", "ba"], "b") == ["b", "ba"]
    assert lists_of(["a", "b", "ba"], "a,") == ["a,b", "a,ba"]
    assert lists_of(["a", "b", "ba"], "ba,a,b") == ["ba,a,b"]
    assert lists_of(["a", "b"], "x,b") == []


@pytest.mark.parametrize(
    ("words", "current", "joined", "then"),
    [
        ("geocli --field = c", "3", "geocli --field c", "2"),
        ("geocli --field =", "2", "geocli --field ", "2"),
        ("geocli --by = c -f x", "5", "geocli --by c -f x", "4"),
        ("geocli a = b", "3", "geocli a = b", "3"),
        ("geocli a", "what", "geocli a", "what"),
    ],
)
def test_bash_s_three_words_for_a_value_become_two(words: str, current: str, joined: str, then: str) -> None:
    environment = {"COMP_WORDS": words.replace(" ", "\n"), "COMP_CWORD": current}
    join_values(environment)
    assert (environment["COMP_WORDS"].replace("\n", " "), environment["COMP_CWORD"]) == (joined, then)


# --- shells -------------------------------------------------------------------------------------------


class Typist:
    """Somebody at a shell."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.screen = b""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(command[0], command, environment)  # noqa: S606 (a shell that the test chose)

    def type(self, text: str) -> None:
        """Keys, at once."""
        os.write(self._terminal, text.encode())

    def see(self, text: str) -> None:
        """Wait until the screen shows this."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.screen:
            left = deadline - time.monotonic()
            assert left > 0, self.screen.decode(errors="replace")
            if select.select([self._terminal], [], [], left)[0]:
                self.screen += os.read(self._terminal, 1 << 16)

    def leave(self) -> None:
        """Hang up."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture
def environment(geocli: Geocli) -> dict[str, str]:
    return geocli.env | {
        "PATH": f"{installed_program().parent}:{os.environ['PATH']}",
        "TERM": "dumb",
        "PS1": "$ ",
    }


def try_lines(typist: Typist, set_up: str) -> None:
    """The name of an option and then of a field, with the default command and with a list; then run it."""
    try:
        typist.type(f"{set_up}; echo rea''dy\n")
        typist.see("ready")
        typist.type("geocli 8.8.8.8 --fi\t")
        typist.see("--field ")
        typist.type("country_n\t")
        typist.see("country_name")
        typist.type("\n")
        typist.see("United States")
        typist.type("geocli lookup 8.8.8.8 -f source,country_c\t")
        typist.see("country_code")
        typist.type("\n")
        typist.see("embedded-")
    finally:
        typist.leave()


def test_bash_completes(environment: dict[str, str]) -> None:
    typist = Typist([need("bash"), "--norc", "--noprofile", "-i"], environment)
    try_lines(typist, 'eval "$(_GEOCLI_COMPLETE=source_bash geocli)"')


def test_zsh_completes(environment: dict[str, str]) -> None:
    typist = Typist([need("zsh"), "-f", "-i"], environment)
    try_lines(typist, 'autoload -U compinit; compinit -u -D; eval "$(_GEOCLI_COMPLETE=source_zsh geocli)"')


@pytest.mark.parametrize(
    ("line", "offered"),
    [("geocli 8.8.8.8 --fi", "--field"), ("geocli lookup -f ip,country_n", "ip,country_name")],
)
def test_fish_completes(environment: dict[str, str], line: str, offered: str) -> None:
    script = f"_GEOCLI_COMPLETE=source_fish geocli | source; complete -C '{line}'"
    done = subprocess.run(
        [need("fish"), "--no-config", "-c", script],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [row.split("\t")[0] for row in done.stdout.splitlines()] == [offered]

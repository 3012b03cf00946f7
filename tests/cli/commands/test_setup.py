"""``geocli setup`` as people run it, on a machine of its own; and taken back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import Geocli, need
from tests.support.throwaway import throwaway

PROGRAM = Path(sys.prefix) / "bin" / "geocli"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
REMEMBER = (
    "find /etc /usr/local -type f -exec sha256sum {} + > /run/before; find /etc /usr/local > /run/names"
)
COMPARE = """
find /etc /usr/local -type f -exec sha256sum {} + | diff /run/before -
find /etc /usr/local | diff /run/names -
"""


def machine(script: str, timeout: float = 120) -> str:
    """Run a script in which ``geocli`` is this geocli, called by its path; what it prints."""
    done = throwaway(
        f"geocli={PROGRAM}\nprefix={sys.prefix}\nrm -rf /var/lib/geocli /root/.local\n{script}",
        ENVIRONMENT,
        timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_machine_is_set_up_and_as_before_afterwards() -> None:
    need("crontab")
    output = machine(f"""
        {REMEMBER}
        $geocli setup --yes --system --no-update --no-record
        cat /etc/cron.d/geocli /etc/geocli/config.toml
        geocli -f source 1.1.1.1
        geocli stats -f value 2> /dev/null || geocli stats | grep dirty
        test "$(stat -c %a /var/lib/geocli)" = 700
        test -s /usr/local/share/man/man1/geocli.1
        geocli setup --yes --system --no-update --no-record --dry-run
        geocli setup --remove
        {COMPARE}
        ls /var/lib/geocli
    """)
    assert "\n* * * * * root " in output
    assert f"{PROGRAM} --data-dir /var/lib/geocli flush\n" in output
    assert 'dir = "/var/lib/geocli"' in output
    assert "\n8.8.8.8\tUS\t" in output
    assert "/var/lib/geocli is left: your data" in output
    assert output.endswith("journal\n")


@pytest.mark.slow
def test_what_was_there_before_is_kept_byte_for_byte() -> None:
    machine(f"""
        mkdir /etc/geocli; printf '[lookup]\\r\\nttl = "1h"' > /etc/geocli/config.toml
        printf '# mine\\n0 0 * * * root true' > /etc/cron.d/geocli
        {REMEMBER}
        $geocli setup --yes --system --no-update --no-record
        $geocli setup --yes --system --no-update --no-record
        geocli config show -f setting,value,origin | grep -q '^lookup.ttl.1h.file$'
        geocli setup --remove
        {COMPARE}
    """)


@pytest.mark.slow
def test_a_group_has_roots_answers() -> None:
    output = machine(
        """
        groupadd --system geoask; useradd --create-home --groups geoask member; useradd --create-home stranger
        mkdir /run/geo; mount --bind $prefix /run/geo
        $geocli setup --yes --system --group geoask --no-update --no-record --jobs none > /dev/null
        test "$(stat -c %a:%G /var/lib/geocli)" = 2750:geoask
        echo member; setpriv --reuid member --regid member --init-groups env HOME=/home/member \
            /run/geo/bin/python -m geocli config show | grep data_dir
        setpriv --reuid member --regid member --init-groups env HOME=/home/member \
            /run/geo/bin/python -m geocli stats -j
        echo stranger; setpriv --reuid stranger --regid stranger --init-groups env HOME=/home/stranger \
            /run/geo/bin/python -m geocli config show | grep data_dir
    """
    )
    member, _, stranger = output.partition("stranger\n")
    assert "data_dir\t/var/lib/geocli\tfile" in member
    assert json.loads(member.splitlines()[-1])["dirty"] >= 1
    assert "data_dir\t/home/stranger/.local/share/geocli\tdefault" in stranger


@pytest.mark.slow
def test_the_data_goes_when_asked_and_nothing_else_of_it() -> None:
    machine("""
        $geocli setup --yes --system --no-update --no-record --jobs none > /dev/null
        touch /var/lib/geocli/diary
        geocli setup --remove --data --yes
        test "$(ls -A /var/lib/geocli)" = diary
    """)


@pytest.mark.slow
def test_a_user_has_a_crontab_and_a_home() -> None:
    need("crontab")
    output = machine(
        """
        useradd --create-home somebody
        mkdir /run/geo; mount --bind $prefix /run/geo
        cat > /run/try <<'E'
        export HOME=/home/somebody; cd
        echo '0 0 * * * true' | crontab -
        find . | sort > /run/names
        /run/geo/bin/python -m geocli setup --yes --no-update
        crontab -l
        find .local -type f
        /run/geo/bin/python -m geocli setup --remove
        test "$(crontab -l)" = '0 0 * * * true'
        find . | sort | diff /run/names - || true
E
        chmod 755 /run /run/try /run/geo; install -m 666 /dev/null /run/names
        setpriv --reuid somebody --regid somebody --init-groups bash -eu /run/try
    """
    )
    assert "/home/somebody/.local/share/geocli flush\n" in output
    assert "--record" not in output
    assert ".local/share/man/man1/geocli.1" in output
    left = [line[2:] for line in output.splitlines() if line.startswith("> ")]
    assert left
    assert all(
        line in {"./.local", "./.local/bin", "./.local/share"} or line.startswith("./.local/share/geocli")
        for line in left
    )


@pytest.mark.slow
def test_two_memories_are_said_and_can_be_joined() -> None:
    output = machine("""
        $geocli -f ip 9.9.9.9; $geocli flush
        $geocli setup --yes --system --no-update --no-record --jobs none
        geocli stats
        geocli store copy /root/.local/share/geocli/geo.db /var/lib/geocli/geo.db
        sqlite3 /var/lib/geocli/geo.db 'SELECT ip FROM geo_cache'
    """)
    hint = (
        "geocli: /root/.local/share/geocli is another memory: geocli store copy"
        " /root/.local/share/geocli/geo.db /var/lib/geocli/geo.db takes it along\n"
    )
    assert output.count(hint) == 2
    assert "\n9.9.9.9\n" in output


@pytest.mark.slow
def test_root_does_not_run_what_others_may_change() -> None:
    output = machine(
        """
        cp -r $prefix /opt/geo
        sed -i '1s#.*#\\#!/opt/geo/bin/python#' /opt/geo/bin/geocli
        chown 12345 /opt/geo/bin/geocli
        /opt/geo/bin/geocli setup --yes --system --no-update --no-record || echo "exit code $?"
        ls /etc/geocli || true
    """
    )
    assert "others than root may change /opt/geo/bin/geocli: install geocli as root" in output
    assert "exit code 2" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is nobody to ask: --yes sets up without questions"),
        (["--data"], "--data is for --remove"),
        (["--remove", "--system"], "--remove takes out all there is"),
        (["--remove", "--data"], "--yes says so"),
        (["--yes", "--group", "x"], "--group is for --system"),
        (["--yes", "--jobs", "at"], "--jobs takes cron, systemd or none"),
        (["--dry-run", "--system", "--group", "no such", "--no-record"], "no group is called"),
        (["--dry-run", "--report", "/no/such/x.html"], "/no/such is no directory"),
        (["--dry-run", "--jobs", "none", "--report", "x.html"], "--report needs cron or systemd"),
    ],
)
def test_what_does_not_go_together_is_said_and_nothing_is_changed(
    geocli: Geocli, arguments: list[str], said: str
) -> None:
    if "--system" in arguments and os.geteuid() != 0:
        pytest.skip("only root can set up a machine")
    done = geocli("setup", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not geocli.data_dir.exists()


def test_questions_are_asked_at_a_terminal() -> None:
    """With the answers of somebody who takes every default but one: no databases are fetched."""
    need("script")
    answers = "\\n\\nn\\n\\n\\nn\\n\\n"
    output = machine(f"""
        cat > /run/try <<'E'
        {PROGRAM} setup
E
        (sleep 2; printf '{answers}') | script -qec 'bash /run/try' /dev/null
        test -e /etc/geocli/config.toml
    """)
    assert "For the whole machine, with one memory? [Y/n]" in output
    assert "Change this? [Y/n]" in output


@pytest.mark.slow
def test_beside_a_real_fail2ban_and_cron_bans_are_in_the_store_in_two_minutes() -> None:
    need("fail2ban-server")
    need("cron")
    output = machine(
        f"""
        mkdir -p /run/fail2ban
        rm -f /var/lib/fail2ban/*
        touch /run/watched.log
        cat > /etc/fail2ban/jail.local <<'E'
[sshd]
enabled = true
backend = polling
logpath = /run/watched.log
action = geocli
E
        {REMEMBER}
        crontab -l > /run/crontab 2>&1 || true
        $geocli setup --yes --system --no-update --record > /run/said 2>&1 || echo "exit code $?"
        fail2ban-server -b start > /dev/null
        cron
        until fail2ban-client status sshd > /dev/null 2>&1; do sleep 0.2; done
        fail2ban-client set sshd banip 9.9.9.9 1.1.1.1 > /dev/null
        for i in $(seq 5 5 125); do
            sleep 5
            test "$(sqlite3 /var/lib/geocli/geo.db 'SELECT count(*) FROM bans' 2> /dev/null)" = 2 && break
        done
        echo "after $i seconds"
        geocli bans --history -f ip,country_code,org | sort
        sqlite3 /var/lib/geocli/geo.db 'SELECT ip, country_code FROM geo_cache ORDER BY ip'
        kill $(cat /run/crond.pid)
        geocli setup --remove > /dev/null
        {COMPARE}
        {{ crontab -l 2>&1 || true; }} | diff /run/crontab -
        fail2ban-client stop > /dev/null
        """,  # noqa: S608 (a shell script with a query in it)
        timeout=240,
    )
    assert "exit code 75" in output  # fail2ban did not run yet: said, and recorded later
    assert "1.1.1.1\tAU\tCloudflare, Inc.\n9.9.9.9\tUS\tQuad9\n" in output
    assert "1.1.1.1|AU\n8.8.8.8|US\n9.9.9.9|US\n" in output

"""Every example in the README and in docs/ runs, and prints what the page says; links lead somewhere."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geocli import __version__
from geocli.cli.app import COMMANDS
from geocli.config.keys import KEYS
from tests.conftest import need
from tests.mmdb.handmade import encode, one_record
from tests.support.ban_month import month_of_bans
from tests.support.emulators import Dbip, IpApi
from tests.support.real_month import auth_log, fail2ban_log
from tests.support.targets import addresses

ROOT = Path(__file__).parent.parent
PAGES = {path: path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]}
README = PAGES[ROOT / "README.md"]
FRONT_PAGE_LINES = 160
PROMPT = "$ "


def page(name: str) -> str:
    return PAGES[ROOT / "docs" / f"{name}.md"]


def examples_of_all_pages() -> list[tuple[str, str]]:
    """Every example with its page, in the order of the page: a later one may use an earlier one."""
    return [
        (path.stem, example)
        for path, text in sorted(PAGES.items())
        for example in re.findall(r"```console\n(.*?)```", text, re.S)
    ]


EXAMPLES = examples_of_all_pages()

LOG = """\
Nov 23 21:40:00 web sshd[800]: Server listening on 0.0.0.0 port 22.
Nov 23 21:42:11 web sshd[811]: Failed password for root from 9.9.9.9 port 4242 ssh2
Nov 23 21:42:12 web sshd[811]: Connection closed by authenticating user root 1.1.1.1 port 4243 [preauth]
"""
BANNED = (
    "[{'sshd': ['9.9.9.9', '1.1.1.1', '8.8.8.8', '192.0.2.7']}, "
    "{'203.0.113.250': ['8.8.8.8', '2a01:4f8::1', 'alice']}, {'empty': []}]\n"
)


TIMES = "9.9.9.9 \t2026-11-23 21:42:11 + 600 = 2026-11-23 21:52:11\n"
CLIENT = f"""\
#!/bin/sh
case "$*" in
    banned) cat <<'E'
{BANNED}E
    ;;
    "get sshd banip --with-time") cat <<'E'
{TIMES}E
    ;;
    *) echo ;;
esac
"""
BAN_LOG = """\
2026-11-23 21:42:11,606 fail2ban.actions        [728]: NOTICE  [sshd] Ban 9.9.9.9
2026-11-23 21:43:00,716 fail2ban.actions        [728]: NOTICE  [sshd] Ban 8.8.8.8
2026-11-23 21:52:11,001 fail2ban.actions        [728]: NOTICE  [sshd] Unban 9.9.9.9
"""
OLD_BAN_LOG = "2026-11-22 07:00:00,606 fail2ban.actions        [728]: NOTICE  [sshd] Ban 1.1.1.1\n"
BAN_DATABASE = """
CREATE TABLE fail2banDb(version INTEGER);
CREATE TABLE jails(name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
    bancount INTEGER NOT NULL default 1, data JSON);
CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
    bancount INTEGER NOT NULL default 1, data JSON, PRIMARY KEY(ip, jail));
INSERT INTO fail2banDb VALUES (4);
INSERT INTO jails VALUES ('sshd', 1);
INSERT INTO bips VALUES ('9.9.9.9', 'sshd', 1795470131, -1, 3, '{}');
INSERT INTO bips VALUES ('8.8.8.8', 'sshd', 1700000000, 600, 1, '{}');
"""


@pytest.fixture(scope="module")
def ip_api() -> Iterator[str]:
    """Where the examples find ip-api."""
    with IpApi() as server:
        server.answers["9.9.9.9"] = {
            "country": "United States", "countryCode": "US", "regionName": "California", "city": "Berkeley",
            "lat": 37.8767, "lon": -122.2676, "as": "AS19281 Quad9", "isp": "Quad9", "org": "Quad9",
        }  # fmt: skip
        yield server.url


@pytest.fixture(scope="module")
def dbip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the examples find DB-IP's databases, of the first of November, whatever the month is."""
    file = tmp_path_factory.mktemp("dbip") / "made"
    records = {
        "country": {"country": {"iso_code": "US"}},
        "asn": {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"},
    }
    with Dbip() as server:
        for kind, record in records.items():
            one_record(file, encode(record), build_epoch=1_793_491_200)
            server.publish(kind, f"{datetime.now(UTC):%Y-%m}", file.read_bytes())
        yield server.base


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory, ip_api: str, dbip: str) -> Path:
    """A directory with the files that the examples speak of, and the programs they call."""
    place = tmp_path_factory.mktemp("docs")
    (place / "auth.log").write_text(LOG)
    (place / "addresses.txt").write_text("\n".join(addresses(5200)) + "\n")
    (place / "month.log").write_text(month_of_bans(datetime(2026, 10, 31, tzinfo=UTC)))
    (place / "server.log").write_text(fail2ban_log())
    (place / "server-auth.log").write_text(auth_log())
    (place / "countries.csv").write_text("8.8.8.0,8.8.8.255,US\n")
    programs = place / "bin"
    programs.mkdir()
    servers = f"GEOCLI_DBIP_URL={dbip} GEOCLI_IP_API_URL={ip_api}"
    geocli = f'#!/bin/sh\n{servers} exec {shlex.quote(sys.executable)} -m geocli "$@"\n'
    (programs / "geocli").write_text(geocli)
    (programs / "fail2ban-client").write_text(CLIENT)
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (programs / "mail").write_text('#!/bin/sh\necho "Subject: $2"\ncat\n')
    (place / "fail2ban.log").write_text(BAN_LOG)
    (place / "fail2ban.log.1.gz").write_bytes(gzip.compress(OLD_BAN_LOG.encode()))
    (place / "access.log.gz").write_bytes(gzip.compress(b"8.8.8.8 GET /\n" * 3 + b"1.1.1.1 GET /\n"))
    with closing(sqlite3.connect(place / "fail2ban.sqlite3")) as database:
        database.executescript(BAN_DATABASE)
    for program in programs.iterdir():
        program.chmod(0o755)
    # The example that uses the file comes before the one that builds it.
    for line in page("databases").splitlines():
        if line.startswith(f"{PROMPT}geocli db build"):
            run(place, line.removeprefix(PROMPT), "build")
    return place


def run(place: Path, command: str, data: str) -> str:
    """What a command prints with a data directory of that name; what it says on stderr is a fault."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GEOCLI_")} | {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "GEOCLI_DATA_DIR": str(place / data),
        "HOME": str(place),
        "TZ": "UTC",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == "", command
    return done.stdout


@pytest.mark.in_order
@pytest.mark.parametrize(
    ("name", "example"),
    # A hundred processes: the quick suite has the front page.
    [
        pytest.param(name, example, id=name, marks=[] if name == "README" else [pytest.mark.slow])
        for name, example in EXAMPLES
    ],
)
def test_an_example_prints_what_the_page_says(playground: Path, name: str, example: str) -> None:
    if ".dirty" in example:
        run(playground, "geocli flush", name)  # the example begins with nothing waiting
        for file in (playground / name).glob("geo.db*"):
            file.unlink()
    for program in ("jq", "sqlite3"):
        if program in example:
            need(program)
    # What an example downloads is none of the others' business.
    data = f"{name}-fresh" if "db update" in example else name
    for step in re.split(r"^\$ ", example, flags=re.M)[1:]:
        command, _, expected = step.partition("\n")
        if "-p ip-api" in command:
            run(playground, "geocli -q -p ip-api 8.8.4.4", data)  # from here on, plain HTTP is no news
        assert run(playground, command, data) == expected, command


def test_there_are_examples_and_none_is_left_out() -> None:
    assert len(EXAMPLES) > 30
    assert all(example.startswith(PROMPT) for _, example in EXAMPLES)


def test_the_readme_is_a_front_page() -> None:
    assert len(README.splitlines()) <= FRONT_PAGE_LINES


def test_the_readme_names_every_command_and_leads_to_every_page() -> None:
    for command in COMMANDS:
        assert f"geocli {command}" in README, command
    for path in PAGES:
        assert path.name == "README.md" or f"({path.relative_to(ROOT)}" in README, path


def test_the_configuration_page_names_every_key() -> None:
    toml = re.findall(r"```toml\n(.*?)```", page("configuration"), re.S)[0]
    for section, key in KEYS:
        assert f"[{section}]" in toml
        assert re.search(rf"^(# )?{key} = ", toml, re.M), key


def test_the_action_is_shown_as_it_ships() -> None:
    (shown,) = re.findall(r"```ini\n(.*?)```", page("bans-and-history"), re.S)
    assert shown == (ROOT / "geocli" / "data" / "action.d" / "geocli.conf").read_text()


def headings(text: str) -> set[str]:
    """The anchors of a page: headings in small letters, hyphens for blanks, without punctuation."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", PAGES[path]):
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in headings(file.read_text(encoding="utf-8")), target


def test_pictures_are_small() -> None:
    pictures = [
        path.parent / name
        for path, text in PAGES.items()
        for name in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    ]
    assert pictures
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 200_000


def test_the_security_policy_names_a_test_that_exists() -> None:
    policy = PAGES[ROOT / "SECURITY.md"]
    assert "CVE-2025-69872" in policy
    (name, file) = re.findall(r"`(test_\w+)` in\s+`(tests/[\w/.]+)`", policy)[0]
    source = (ROOT / file).read_text(encoding="utf-8")
    assert "CVE-2025-69872" in source.partition(f"def {name}(")[2][:600]


def test_the_changelog_knows_this_version() -> None:
    changelog = PAGES[ROOT / "CHANGELOG.md"]
    assert "## [Unreleased]" in changelog or f"## [{__version__}]" in changelog

"""What a command must not import: people feel start-up time in a prompt, and cron pays it every minute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Geocli
from tests.support.emulators import IpApi

ALWAYS_ABSENT = {
    "click", "httpx", "importlib.metadata", "jinja2", "mmdb_writer", "multiprocessing", "netaddr", "numpy",
    "psycopg", "pydantic", "requests", "resvg_py", "rich", "sqlite_utils",
}  # fmt: skip
LIST_MODULES = (
    "import sys; from geocli.cli.app import run; code = run(sys.argv[1:]);"
    "print('\\n', *sys.modules, file=sys.stderr)"
)


ONLINE = {
    "asyncio",
    "email",
    "geocli.providers.online.client",
    "geocli.system.http",
    "geocli.providers.online.rate_limit",
    "httpx",
    "ssl",
}

# What is imported where anything is set, and what reads databases.
NOTHING_SET = {"geocli.config.keys", "geocli.config.parsers", "geocli.config.publishers", "platformdirs"}
NOTHING_ASKED = {"geocli.mmdb.reader", "geocli.mmdb.layouts", "geocli.model.normalize", "geocli.mmdb.trusted"}


def modules_after(geocli: Geocli, *arguments: str) -> set[str]:
    set_for_tests = {"GEOCLI_LOOKUP_MAX_DB_AGE"}
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        env={name: value for name, value in geocli.env.items() if name not in set_for_tests},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (
            ["--version"],
            {
                "diskcache",
                "maxminddb",
                "sqlite3",
                "json",
                "geocli.config",
                "geocli.model.records",
                "geocli.model.country_names",
                "geocli.cli.commands.lookup",
            },
        ),
        (
            ["--help"],
            {
                "diskcache",
                "maxminddb.extension",
                "sqlite3",
                "geocli.config",
                "geocli.model.records",
                "geocli.model.country_names",
            },
        ),
        (
            ["flush"],
            {
                "diskcache",
                "maxminddb",
                "geocli.model.country_names",
                "json",
                "geocli.cli.commands.lookup",
                "geocli.storage.journal.segments",
                *NOTHING_SET,
            },
        ),
        (
            ["lookup", "--no-cache", "8.8.8.8"],
            {"diskcache", "maxminddb.reader", "geocli.lookup.tags", "geocli.providers.online.base", *ONLINE},
        ),
        (["lookup", "--no-cache", "-p", "mmdb,ip-api,country-is", "8.8.8.8", "10.0.0.1"], ONLINE),
        (["lookup", "--no-cache", "-p", "ip-api", "10.0.0.1", "::1"], ONLINE),
        (["show", "10.0.0.1"], {"diskcache", *ONLINE}),
        (["refresh"], {"diskcache", "maxminddb", "geocli.cli.commands.lookup", *ONLINE}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_only_what_it_needs(geocli: Geocli, arguments: list[str], absent: set[str]) -> None:
    assert modules_after(geocli, *arguments).intersection(ALWAYS_ABSENT | absent) == set()


def test_where_data_is_by_default_is_known_without_platformdirs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, "8.8.8.8"],
        env={"HOME": str(tmp_path), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "platformdirs" not in done.stderr.split()
    assert (tmp_path / ".local/share/geocli/journal").is_dir()


def test_a_look_up_imports_diskcache_only_when_there_is_something_new(geocli: Geocli) -> None:
    assert "diskcache" in modules_after(geocli, "-j", "8.8.8.8")
    cached = modules_after(geocli, "-j", "8.8.8.8")
    unwanted = ALWAYS_ABSENT | {
        "diskcache",
        "maxminddb",
        "maxminddb.extension",
        "geocli.storage.journal.index",
    }
    assert cached.intersection(unwanted | NOTHING_SET | NOTHING_ASKED | {"geocli.model.reserved"}) == set()


def test_recording_what_is_known_and_reading_the_history_need_nothing_heavy(
    geocli: Geocli, tmp_path: Path
) -> None:
    (tmp_path / "bans").write_text("8.8.8.8\n9.9.9.9\n")
    record = ("bans", "--record", "-i", str(tmp_path / "bans"))
    assert "diskcache" in modules_after(geocli, *record)
    unwanted = ALWAYS_ABSENT | {"diskcache", "maxminddb", "maxminddb.extension", *ONLINE}
    assert modules_after(geocli, *record).intersection(unwanted) == set()
    geocli("flush")
    assert modules_after(geocli, *record).intersection(unwanted) == set()
    assert modules_after(geocli, "bans", "--history", "--by", "country").intersection(unwanted) == set()


def test_a_flush_imports_sqlite_utils_only_to_bring_the_schema_up_to_date(geocli: Geocli) -> None:
    geocli("8.8.8.8")
    assert "sqlite_utils" in modules_after(geocli, "flush")
    geocli("9.9.9.9")
    assert "sqlite_utils" not in modules_after(geocli, "flush")


def test_the_journal_and_the_store_may_be_anywhere(geocli: Geocli, tmp_path: Path) -> None:
    place = tmp_path / "a b" / "100% ünïcode?#"
    assert geocli("--data-dir", place, "8.8.8.8").returncode == 0
    assert json.loads(geocli("--data-dir", place, "flush", "-j").stdout)["flushed"] == 1
    assert json.loads(geocli("--data-dir", place, "stats", "-j").stdout)["stored"] == 1
    assert (place / "geo.db").is_file()


@pytest.mark.parametrize("name", ["ip_api", "country_is", "ipinfo"])
def test_an_online_provider_is_light_until_it_asks(name: str) -> None:
    script = (
        f"import sys, geocli.providers.{name} as provider\n"
        "from pathlib import Path\n"
        "from geocli.system.reporter import Reporter\n"
        "from geocli.config.settings import Settings, SourceSettings\n"
        "from geocli.config.parsers import Secret\n"
        f"name = {name.replace('_', '-')!r}\n"
        "sources = {name: SourceSettings(key=Secret('t'))}\n"
        "made = provider.create(Settings(Path('/nowhere'), sources=sources))\n"
        "assert made.sources == {name} and not made.local and made.batch_size >= 100\n"
        "assert list(made.resolve([], Reporter())) == []\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).intersection(ALWAYS_ABSENT | ONLINE | {"json", "sqlite3"}) == set()


def test_what_is_known_already_is_answered_without_httpx(data_dir: Path) -> None:
    with IpApi(limit=None) as server:
        geocli = Geocli(data_dir, {"GEOCLI_IP_API_URL": server.url})
        assert {"httpx", "asyncio"} <= modules_after(geocli, "-p", "ip-api", "-j", "8.8.8.8")
        assert modules_after(geocli, "-p", "ip-api", "-j", "8.8.8.8").intersection(ONLINE) == set()
        assert len(server.requests) == 1

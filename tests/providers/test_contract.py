"""What every provider keeps, whatever it asks: run over all modules of ``geocli.providers.base``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from geocli import providers
from geocli.config.parsers import Secret
from geocli.config.settings import Settings, SourceSettings
from geocli.config.sources import PROVIDERS
from geocli.model.errors import ExitCode, UsageError
from geocli.model.records import MAX_TEXT, GeoRecord, check_rows
from geocli.providers.base import load_provider
from geocli.system.reporter import Reporter
from tests.support.emulators import CountryIs, IpApi, Ipinfo

if TYPE_CHECKING:
    from geocli.providers.base import Provider

RESOLVED_AT = "2026-11-24T12:00:00Z"
TARGETS = [
    "8.8.8.8",
    "2001:4860:4860::8888",
    "1.1.1.1",
    "8.8.8.0/24",
    "2001:4860::/32",
    "9.9.9.9",
    "0.0.0.0/0",
]

PROVIDER_NAMES = [choice.name for choice in PROVIDERS]

every_provider = pytest.mark.parametrize("name", PROVIDER_NAMES)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """All online sources stand on this machine; ipinfo's takes any token."""
    with ExitStack() as stack:
        services = {"ip-api": IpApi(limit=None), "country-is": CountryIs(limit=None), "ipinfo": Ipinfo()}
        sources = {
            name: SourceSettings(
                stack.enter_context(server).url, Secret("token") if name == "ipinfo" else None
            )
            for name, server in services.items()
        }
        yield Settings(data_dir=tmp_path / "data", sources=MappingProxyType(sources))


def answered(provider: Provider, targets: list[str]) -> list[GeoRecord]:
    parts = list(provider.resolve(targets, Reporter(clock=lambda: RESOLVED_AT)))
    records = {record.ip: record for part in parts for record in part}
    assert sum(map(len, parts)) == len(records) == len(targets)
    return [records[target] for target in targets]


def test_every_module_is_in_the_table() -> None:
    directory = Path(providers.__file__).parent
    modules = {f"geocli.providers.{path.stem}" for path in directory.glob("*.py")}
    assert {choice.module for choice in PROVIDERS} == modules - {
        "geocli.providers.__init__", "geocli.providers.base",
        "geocli.providers.rdap", "geocli.providers.registrations",  # registries answer for nobody's place
    }  # fmt: skip
    assert len(set(PROVIDER_NAMES)) == len(PROVIDER_NAMES)


@every_provider
def test_a_provider_gives_one_record_for_each_target_in_order(name: str, settings: Settings) -> None:
    provider = load_provider(name, settings)
    records = answered(provider, TARGETS)
    assert answered(provider, TARGETS[::-1]) == records[::-1]
    assert answered(provider, TARGETS[2:3]) == records[2:3]


@every_provider
def test_a_provider_asked_nothing_gives_nothing(name: str, settings: Settings) -> None:
    assert answered(load_provider(name, settings), []) == []


@every_provider
def test_records_are_what_may_be_stored(name: str, settings: Settings) -> None:
    for record in answered(load_provider(name, settings), TARGETS):
        assert type(record).__name__ == "GeoRecord"
        assert record.status in {"ok", "unknown", "error"}
        if record.status == "error":
            assert record == GeoRecord(record.ip, "error")
            continue
        assert record.resolved_at == RESOLVED_AT
        check_rows([record])
        if record.status != "ok":
            assert not any(record[2:11])


@every_provider
def test_addresses_are_answered_and_networks_are_at_least_not_guessed(name: str, settings: Settings) -> None:
    provider = load_provider(name, settings)
    # One that asks nobody may know its own few addresses only; the databases know all of these.
    statuses = {"ok", "unknown"} if provider.local and name != "mmdb" else {"ok"}
    for record in answered(provider, TARGETS):
        if "/" not in record.ip:
            assert record.status in statuses
        elif not provider.local:
            assert record.status == "error"


@every_provider
def test_a_provider_that_is_local_yields_one_part_and_others_whole_batches(
    name: str, settings: Settings
) -> None:
    provider = load_provider(name, settings)
    targets = [f"23.0.{n >> 8}.{n & 255}" for n in range(2 * provider.batch_size + 1)]
    parts = list(provider.resolve(targets, Reporter()))
    assert sum(map(len, parts)) == len(targets)
    if provider.local:
        assert len(parts) == 1
    else:  # batches that arrive together are one part, but a batch is never torn apart
        assert all(len(part) % provider.batch_size in {0, 1} for part in parts)
    assert provider.batch_size >= 1
    assert isinstance(provider.local, bool)


@every_provider
def test_making_a_provider_asks_nobody_and_writes_nothing(name: str, settings: Settings) -> None:
    load_provider(name, settings)
    assert not settings.data_dir.exists()


@every_provider
def test_a_provider_vouches_for_what_it_answered(name: str, settings: Settings) -> None:
    provider = load_provider(name, settings)
    before = provider.sources
    records = answered(provider, TARGETS)
    assert {record.source for record in records if record.status == "ok"} <= before
    assert provider.sources == before


@every_provider
def test_sources_are_a_frozen_set_of_single_words(name: str, settings: Settings) -> None:
    sources = load_provider(name, settings).sources
    assert isinstance(sources, frozenset)
    assert sources
    for source in sources:
        assert isinstance(source, str)
        assert source.isprintable()
        assert 1 <= len(source) <= MAX_TEXT
        assert not set(source) & set(" ,\t\"'")


@every_provider
def test_importing_a_provider_imports_nothing_heavy(name: str) -> None:
    module = f"geocli.providers.{name.replace('-', '_')}"
    heavy = {
        *("maxminddb", "httpx", "rich", "typer", "diskcache", "sqlite_utils", "sqlite3", "asyncio"),
        *("ssl", "socket", "json", "email"),
    }
    script = f"import sys, {module}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_finding_the_names_imports_no_provider() -> None:
    script = (
        "import sys\n"
        "from geocli.config.sources import PROVIDERS\n"
        "assert PROVIDERS\n"
        "print([name for name in sys.modules if name.startswith('geocli.providers.')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "name", ["", "MMDB", "nobody", "mmdb ", "../mmdb", "os", "__init__", "mmdb\x1b[2J", "ü"]
)
def test_an_unknown_provider_is_a_usage_error_that_lists_the_known_ones(
    name: str, settings: Settings
) -> None:
    with pytest.raises(UsageError) as caught:
        load_provider(name, settings)
    assert caught.value.exit_code == ExitCode.USAGE
    message = str(caught.value)
    assert ascii(name) in message
    assert message.isprintable()
    for known in PROVIDER_NAMES:
        assert known in message

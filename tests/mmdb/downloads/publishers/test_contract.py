"""What every publisher keeps: run over all modules of ``geocli.mmdb.downloads.publishers.base``."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest

from geocli.config.parsers import Secret
from geocli.config.publishers import PUBLISHERS
from geocli.config.settings import PublisherSettings, Settings, SourceSettings
from geocli.mmdb.downloads import publishers
from geocli.mmdb.downloads.installed import KINDS, is_name
from geocli.mmdb.downloads.publishers.base import DEFAULT, Source, database_names, offer
from geocli.model.errors import TryAgainError, UsageError

TODAY = date(2026, 3, 1)
MD5 = hashlib.md5(b"", usedforsecurity=False).hexdigest()
SETTINGS = Settings(
    Path("/nowhere"),
    sources=MappingProxyType({"ipinfo": SourceSettings(key=Secret("tok"))}),
    publishers=MappingProxyType({"maxmind": PublisherSettings(None, "1", Secret("lk"))}),
)
PUBLISHER_NAMES = [choice.name for choice in PUBLISHERS]
NAMES = [name for choice in PUBLISHERS for name in importlib.import_module(choice.module).NAMES]

every_publisher = pytest.mark.parametrize("publisher", PUBLISHER_NAMES)
every_database = pytest.mark.parametrize("name", NAMES)


def ask(source: Source) -> bytes:
    edition = source.parameters["edition_id"]
    return json.dumps({"databases": [{"edition_id": edition, "date": "2026-02-27", "md5": MD5}]}).encode()


def test_every_module_is_in_the_table() -> None:
    directory = Path(publishers.__file__).parent
    modules = {path.stem for path in directory.glob("*.py")} - {"__init__", "base"}
    assert {choice.module for choice in PUBLISHERS} == {f"{publishers.__name__}.{name}" for name in modules}
    assert len(set(PUBLISHER_NAMES)) == len(PUBLISHER_NAMES)


@every_publisher
def test_a_publishers_name_stands_for_what_is_usual(publisher: str) -> None:
    usual = database_names(publisher)
    assert usual
    for name in usual:
        assert database_names(name) == (name,)
        (choice,) = (choice for choice in PUBLISHERS if choice.name == publisher)
        assert name.startswith(f"{publisher}-") or name in choice.databases


@every_publisher
def test_importing_a_publisher_imports_nothing_heavy(publisher: str) -> None:
    module = f"geocli.mmdb.downloads.publishers.{publisher.replace('-', '_')}"
    script = f"import sys, {module}; print({{'httpx', 'asyncio', 'ssl'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@every_database
def test_an_offer_says_what_to_fetch_over_https_and_what_it_gives(name: str) -> None:
    assert is_name(name)
    found = offer(name, SETTINGS, TODAY, ask)
    assert found.sources
    for source in found.sources:
        assert urlsplit(source.url).scheme == "https"
        assert not urlsplit(source.url).query
    assert set(found.gives) <= set(KINDS)
    assert found.gives
    assert "https://" in found.licence


@every_database
def test_a_key_is_in_no_url_and_its_setting_is_named(name: str) -> None:
    for source in offer(name, SETTINGS, TODAY, ask).sources:
        assert "tok" not in source.url
        assert "lk" not in source.url
        assert bool(source.key_setting) == bool(source.account or "token" in source.parameters)


@pytest.mark.parametrize("name", ["maxmind-country", "ipinfo-lite"])
def test_without_a_key_the_error_names_its_setting(name: str) -> None:
    with pytest.raises(UsageError, match="GEOCLI_"):
        offer(name, Settings(Path("/nowhere")), TODAY, ask)


def test_the_default_is_there_and_needs_no_key() -> None:
    for name in DEFAULT:
        assert offer(name, Settings(Path("/nowhere")), TODAY, ask).sources


def test_dbip_has_this_months_file_or_last_months() -> None:
    for today, months in (
        (date(2026, 3, 1), ["2026-03", "2026-02"]),
        (date(2026, 1, 31), ["2026-01", "2025-12"]),
        (date(2028, 3, 31), ["2028-03", "2028-02"]),
    ):
        found = offer("dbip-asn", SETTINGS, today, ask)
        assert [source.url for source in found.sources] == [
            f"https://download.db-ip.com/free/dbip-asn-lite-{month}.mmdb.gz" for month in months
        ]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"{}", b'{"databases": 5}', b'{"databases": []}', b'{"databases": [5]}',
        b'{"databases": [{"edition_id": "GeoLite2-ASN"}]}', b"[" * 100_000, b"\xff",
        b'{"databases": [{"edition_id": "GeoLite2-ASN", "date": "../../x", "md5": "' + MD5.encode() + b'"}]}',
        b'{"databases": [{"edition_id": "GeoLite2-ASN", "date": "2026-02-27", "md5": "x"}]}',
        b'{"databases": [{"edition_id": "GeoLite2-ASN", "date": 20260227, "md5": 5}]}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)  # fmt: skip
def test_what_maxmind_says_is_not_believed_blindly(body: bytes) -> None:
    with pytest.raises(TryAgainError, match="makes no sense"):
        offer("maxmind-asn", SETTINGS, TODAY, lambda _: body)

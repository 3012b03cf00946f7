"""Databases are fetched, checked and put in place; whatever goes wrong, what was there is still there."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from geocli.cli.app import run
from geocli.lookup.tags import tag_file
from geocli.mmdb.downloads import fetch
from geocli.mmdb.downloads.install import alone
from geocli.mmdb.downloads.installed import installed
from geocli.mmdb.embedded import embedded_path
from geocli.mmdb.reader import Database
from geocli.mmdb.trusted import TrustedFiles
from geocli.model.errors import TryAgainError
from tests.mmdb.handmade import BUILT, encode, head, one_record
from tests.support.emulators import Dbip, Fault, Files, IpinfoData, IpLocationDb, MaxMind
from tests.support.emulators.publishers import tar_gz
from tests.support.waiting import PATIENCE, wait_until

if TYPE_CHECKING:
    from tests.conftest import Geocli

TODAY = datetime.now(UTC)
THIS_MONTH = f"{TODAY:%Y-%m}"
LAST_MONTH = f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}"
OLD, NEW = BUILT - 86400 * 31, BUILT
ADDRESS = "8.8.8.8"


class Server(NamedTuple):
    """All publishers, and the host that two of them redirect to."""

    dbip: Dbip
    maxmind: MaxMind
    ipinfo: IpinfoData
    ip_location_db: IpLocationDb
    storage: Files

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GEOCLI_DBIP_URL": self.dbip.base,
            "GEOCLI_MAXMIND_URL": self.maxmind.origin,
            "GEOCLI_MAXMIND_ACCOUNT_ID": MaxMind.account,
            "GEOCLI_MAXMIND_LICENCE_KEY": MaxMind.licence_key,
            "GEOCLI_IPINFO_DATA_URL": self.ipinfo.base,
            "GEOCLI_IP_LOCATION_DB_URL": self.ip_location_db.base,
            "GEOCLI_IPINFO_TOKEN": IpinfoData.token,
        }


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        storage = stack.enter_context(Files())
        yield Server(
            stack.enter_context(Dbip()),
            stack.enter_context(MaxMind(storage)),
            stack.enter_context(IpinfoData(storage)),
            stack.enter_context(IpLocationDb(storage)),
            storage,
        )


class Here:
    """Runs command lines in this process; ``environment`` may be changed in between."""

    def __init__(
        self, server: Server, data_dir: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.environment = server.environment
        self.data_dir = data_dir
        self.directory = data_dir / "mmdb"
        self._patch = patch
        self._capture = capture

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        self._capture.readouterr()
        with self._patch.context() as patch:
            for name in [
                name for name in os.environ if name.startswith("GEOCLI_") or "proxy" in name.lower()
            ]:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setenv("GEOCLI_DATA_DIR", str(self.data_dir))
            patch.setenv("HOME", str(self.data_dir.parent))
            code = run([str(argument) for argument in arguments])
        return code, *self._capture.readouterr()

    def update(self, *names: str) -> None:
        """An update that does what it should, in silence."""
        assert self("db", "update", *names) == (0, "", "")

    def fails(self, code: int, *names: str) -> str:
        """An update that fails with one line, and leaves everything as it was."""
        before = self.contents()
        done = self("db", "update", *names)
        assert done[:2] == (code, ""), done
        assert re.fullmatch(r"geocli: [^\n]+\n", done[2])
        for secret in (MaxMind.licence_key, IpinfoData.token, "s3cr3t"):
            assert secret not in done[2]
        assert self.contents() == before
        return done[2]

    def contents(self) -> dict[str, bytes]:
        files = self.directory.iterdir() if self.directory.is_dir() else ()
        return {file.name: file.read_bytes() for file in files if file.name != ".lock"}

    def answer(self) -> dict[str, Any]:
        code, out, err = self("-j", ADDRESS)
        assert (code, err) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def here(
    server: Server, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    monkeypatch.setattr(fetch, "_BACK_OFF", 0.01)
    return Here(server, data_dir, monkeypatch, capsys)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


class Made:
    """Makes databases in which every IPv4 address has the same record."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "made"

    def country(self, code: str, built: int = NEW) -> bytes:
        return self.any({"country": {"iso_code": code}}, built)

    def asn(self, number: int, built: int = NEW) -> bytes:
        return self.any({"autonomous_system_number": number}, built)

    def city(self, code: str, city: str, built: int = NEW) -> bytes:
        return self.any({"country": {"iso_code": code}, "city": {"names": {"en": city}}}, built)

    def any(self, record: Any, built: int = NEW, **changes: Any) -> bytes:
        return one_record(self._path, encode(record), build_epoch=built, **changes).read_bytes()


# --- what each publisher has


def test_without_names_country_and_as_of_dbip_are_fetched(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.dbip.publish("asn", THIS_MONTH, made.asn(64496))
    assert here.answer()["country_code"] == "US"
    here.update()
    assert {one.path.name for one in installed(here.directory)} == {
        "dbip-country-2026-10-01.country.mmdb",
        "dbip-asn-2026-10-01.asn.mmdb",
    }
    answer = here.answer()
    assert (answer["country_code"], answer["asn"]) == ("FR", 64496)
    assert answer["source"] == "mmdb:dbip-country-2026-10-01+dbip-asn-2026-10-01"


def test_last_months_file_is_taken_while_this_months_is_not_out(
    here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", LAST_MONTH, made.country("FR", OLD))
    here.update("dbip-country")
    assert here.answer()["country_code"] == "FR"
    here.update("dbip-country")
    assert [request.status for request in server.dbip.requests] == [404, 200, 404, 304]
    server.dbip.publish("country", THIS_MONTH, made.country("DE", NEW))
    here.update("dbip-country")
    assert here.answer()["country_code"] == "DE"


def test_maxmind_is_asked_with_the_account_and_its_archive_is_unpacked(
    here: Here, server: Server, made: Made
) -> None:
    server.maxmind.publish("GeoLite2-City", "2026-10-02", made.city("FR", "Paris"))
    here.update("maxmind-city")
    answer = here.answer()
    assert (answer["country_code"], answer["city"]) == ("FR", "Paris")
    assert [request.path for request in server.maxmind.requests] == [
        "/geoip/updates/metadata",
        "/geoip/databases/GeoLite2-City/download",
    ]


def test_ipinfo_gives_country_and_as_in_one_file(here: Here, server: Server, made: Made) -> None:
    server.ipinfo.database = made.any({"country_code": "FR", "country": "France", "asn": "AS64497"})
    here.update("ipinfo")
    answer = here.answer()
    assert (answer["country_code"], answer["asn"]) == ("FR", 64497)
    assert answer["source"] == "mmdb:ipinfo-lite-2026-10-01"


def test_ip_location_dbs_daily_releases_are_fetched_by_their_names(
    here: Here, server: Server, made: Made
) -> None:
    country = {"country_code": "FR"}
    system = {"autonomous_system_number": 64498, "autonomous_system_organization": "O"}
    server.ip_location_db.databases = {
        "server-country.mmdb": made.any(country),
        "iptoasn-country.mmdb": made.any(country),
        "origin-asn.mmdb": made.any(system),
    }
    here.update("ip-location-db")
    answer = here.answer()
    assert (answer["country_code"], answer["asn"], answer["org"]) == ("FR", 64498, "O")
    assert answer["source"] == "mmdb:server-country-2026-10-01+origin-asn-2026-10-01"
    here.update("iptoasn-country")
    assert sorted(one.name for one in installed(here.directory)) == sorted(
        ["server-country", "origin-asn", "iptoasn-country"]
    )
    here.update()  # nothing new: the host that GitHub redirects to says so
    assert [request.status for request in server.storage.requests][-3:] == [304, 304, 304]
    assert "PDDL" in (here.directory / "origin-asn.licence.txt").read_text()
    code, _, err = here("db", "update", f"{server.storage.origin}/x.mmdb", "--name", "origin-asn")
    assert (code, "cannot be a database's name" in err) == (2, True)


@pytest.mark.parametrize(
    ("path", "called", "pack"),
    [
        ("/a/mine.mmdb", "mine", bytes),
        ("/a/mine.mmdb.gz", "mine", gzip.compress),
        ("/a/mine.tar.gz", "mine", lambda database: tar_gz("x", "2026-10-01", database)),
        ("/download", "download", gzip.compress),
    ],
)
def test_a_database_may_be_at_any_url(
    path: str, called: str, pack: Any, here: Here, server: Server, made: Made
) -> None:
    server.storage.files[path] = pack(made.country("FR"))
    here.update(server.storage.origin + path)
    assert [one.name for one in installed(here.directory)] == [called]
    assert here.answer()["country_code"] == "FR"
    here.update()  # and is known from then on
    assert [request.status for request in server.storage.requests] == [200, 304]


def test_what_the_database_at_a_url_is_called_can_be_said(here: Here, server: Server, made: Made) -> None:
    server.storage.files["/x"] = made.country("FR")
    here.update(f"{server.storage.origin}/x?token=abc", "--name", "ours")
    assert here.answer()["source"].startswith("mmdb:ours-2026-10-01+")
    assert server.storage.requests[0].query == {"token": "abc"}


def test_keys_go_to_the_publisher_and_to_nobody_else(here: Here, server: Server, made: Made) -> None:
    server.maxmind.publish("GeoLite2-ASN", "2026-10-02", made.asn(5))
    server.ipinfo.database = made.any({"country_code": "FR", "asn": "AS64497"})
    here.update("maxmind-asn", "ipinfo")
    assert len(server.storage.requests) == 2
    for request in server.storage.requests:
        assert "authorization" not in request.headers
        assert "referer" not in request.headers
        assert set(request.query) == {"signature"}
    beside = b"".join(content for name, content in here.contents().items() if not name.endswith(".mmdb"))
    assert MaxMind.licence_key.encode() not in beside
    assert IpinfoData.token.encode() not in beside


# --- nothing new


def test_what_is_here_already_is_not_fetched_again(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.maxmind.publish("GeoLite2-ASN", "2026-10-02", made.asn(5))
    server.ipinfo.database = made.any({"country_code": "FR", "asn": "AS64497"})
    here.update("dbip-country", "maxmind-asn", "ipinfo")
    before = here.contents()
    here.update()
    assert here.contents() == before
    assert server.dbip.count(304) == 1
    assert [request.status for request in server.storage.requests] == [200, 200, 304]
    assert server.maxmind.left == 29


def test_with_v_there_is_a_line_about_each(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    code, out, err = here("-v", "db", "update", "dbip-country")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"dbip-country: new, \d+ bytes; edition 2026-10-01\n", out)
    assert here("-v", "db", "update") == (0, "dbip-country: nothing new; edition 2026-10-01\n", "")


def test_a_server_without_conditional_requests_is_fetched_from_again(here: Here, made: Made) -> None:
    with Files(etags=False) as mirror:
        mirror.files["/mine.mmdb"] = made.country("FR")
        here.update(f"{mirror.origin}/mine.mmdb")
        here.update()
        assert mirror.count(200) == 2
    assert here.answer()["country_code"] == "FR"


def test_a_file_that_was_removed_is_fetched_again(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    installed(here.directory)[0].path.unlink()
    here.update("dbip-country")
    assert server.dbip.count(200) == 2
    assert here.answer()["country_code"] == "FR"


def test_a_file_that_was_damaged_is_fetched_again(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    path = installed(here.directory)[0].path
    path.write_bytes(path.read_bytes()[:200])
    assert here("-j", ADDRESS)[0] == 4
    here.update("dbip-country")
    assert here.answer()["country_code"] == "FR"


def test_a_month_that_is_withdrawn_is_nothing_new(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", LAST_MONTH, made.country("DE", OLD))
    server.dbip.publish("country", THIS_MONTH, made.country("FR", NEW))
    here.update("dbip-country")
    server.dbip.files = {path: data for path, data in server.dbip.files.items() if THIS_MONTH not in path}
    here.update("dbip-country")
    assert here.answer()["country_code"] == "FR"


def test_a_url_may_have_any_character_in_it(here: Here, server: Server, made: Made) -> None:
    server.storage.files["/b%C3%BCcher.mmdb"] = made.country("FR")
    here.update(f"{server.storage.origin}/bücher.mmdb", "--name", "b")
    here.update()
    assert here.answer()["country_code"] == "FR"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"url": 5}', b'{"url": "\\u001b"}', b"\xff" * 50_000]
)
def test_what_is_remembered_of_a_download_may_be_damaged(
    content: bytes, here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    (here.directory / "dbip-country.json").write_bytes(content)
    here.update()
    assert here.answer()["country_code"] == "FR"


@pytest.mark.parametrize("content", [b"", b"damaged" * 1000, None], ids=["empty", "damaged", "another"])
def test_a_file_that_is_not_what_was_fetched_is_fetched_again(
    content: bytes | None, here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    (one,) = installed(here.directory)
    one.path.write_bytes(made.country("XX", NEW + 86400) if content is None else content)
    here.update()
    assert here.answer()["country_code"] == "FR"


# --- newer editions, and stored answers of older ones


def test_a_newer_edition_takes_the_place_of_the_old_one(here: Here, server: Server, made: Made) -> None:
    server.ipinfo.database = made.any({"country_code": "FR", "asn": "AS1"}, OLD)
    here.update("ipinfo")
    server.ipinfo.database = made.any({"country_code": "DE", "asn": "AS2"}, NEW)
    here.update()
    assert [file.name for file in sorted(here.directory.glob("*.mmdb"))] == [
        "ipinfo-lite-2026-10-01.country+asn.mmdb"
    ]
    assert here.answer()["country_code"] == "DE"


def test_a_stored_answer_of_an_older_edition_is_refreshed_through_the_journal_by_itself(
    here: Here, server: Server, made: Made
) -> None:
    server.ipinfo.database = made.any({"country_code": "FR", "asn": "AS1"}, OLD)
    here.update("ipinfo")
    first = here.answer()
    assert here("flush") == (0, "", "")
    journal = here.data_dir / "journal"
    before = {file: file.stat().st_mtime_ns for file in journal.iterdir()}
    assert here.answer() == first  # from the store, and nothing is written
    assert {file: file.stat().st_mtime_ns for file in journal.iterdir()} == before
    server.ipinfo.database = made.any({"country_code": "DE", "asn": "AS2"}, NEW)
    here.update()
    second = here.answer()
    assert (second["country_code"], second["source"]) == ("DE", "mmdb:ipinfo-lite-2026-10-01")
    assert json.loads(here("stats", "-j")[1])["dirty"] == 1
    assert here.answer() == second
    assert json.loads(here("stats", "-j")[1])["dirty"] == 1
    here("flush")
    assert here.answer() == second


def test_the_licence_lies_beside_each_database_and_is_listed(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.storage.files["/mine.mmdb"] = made.asn(5)
    here.update("dbip-country", f"{server.storage.origin}/mine.mmdb")
    text = (here.directory / "dbip-country.licence.txt").read_text()
    assert "IP Geolocation by DB-IP, https://db-ip.com" in text
    assert "CC BY 4.0" in text
    rows = [json.loads(line) for line in here("db", "list", "-j")[1].splitlines()]
    assert [row["name"] for row in rows] == [
        "dbip-country",
        "mine",
        embedded_path().stem,
        tag_file().path.stem,
    ]
    assert "https://db-ip.com" in rows[0]["licence"]
    assert server.storage.origin.removeprefix("http://") in rows[1]["licence"]


def test_everything_that_is_made_is_the_users_alone(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    before = os.umask(0)
    try:
        here.update("dbip-country")
    finally:
        os.umask(before)
    assert here.directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in here.directory.iterdir()} == {0o600}


def test_what_was_fetched_is_read_by_the_quick_reader(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    (one,) = installed(here.directory)
    assert Database(one.path, TrustedFiles(here.directory)).accelerated
    assert json.loads(here("stats", "-j")[1])["mmdb_c_extension"] is True


# --- what goes wrong: an old database is there, and stays


@pytest.fixture
def kept(here: Here, server: Server, made: Made) -> Iterator[Here]:
    """An old edition of each is in place, and a newer one is out."""
    server.dbip.publish("country", LAST_MONTH, made.country("FR", OLD))
    server.maxmind.publish("GeoLite2-Country", "2026-09-02", made.country("GB", OLD))
    server.ipinfo.database = made.any({"country_code": "IT", "asn": "AS1"}, OLD)
    here.update("dbip-country", "maxmind-country", "ipinfo")
    server.dbip.publish("country", THIS_MONTH, made.country("DE"))
    server.maxmind.publish("GeoLite2-Country", "2026-10-02", made.country("DE"))
    server.ipinfo.database = made.any({"country_code": "DE", "asn": "AS2"})
    answer = here.answer()
    yield here
    assert here.answer() == answer
    for one in (server.dbip, server.maxmind, server.storage):  # and then it works
        one.recover()
    here.environment = server.environment
    server.maxmind.left, server.maxmind.md5 = 30, None
    here.update()
    assert {one.edition for one in installed(here.directory)} == {"2026-10-01"}


FAULTS = {
    Fault.RESET: "connection broke",
    Fault.CLOSE: "connection broke",
    Fault.TRUNCATED: "connection broke",
    Fault.EMPTY: "refused",
    Fault.GARBAGE: "refused",
    Fault.SERVER_ERROR: "answers 500",
    Fault.UNAVAILABLE: "answers 503",
    Fault.TOO_MANY: "no more requests for 1 s",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
def test_a_server_in_trouble_is_a_reason_to_try_again_later(fault: Fault, kept: Here, server: Server) -> None:
    server.dbip.fail_next(fault, times=None)
    assert FAULTS[fault] in kept.fails(75, "dbip-country")
    server.dbip.recover()
    server.storage.fail_next(fault, times=None)
    assert FAULTS[fault] in kept.fails(75, "maxmind-country")
    server.maxmind.fail_next(Fault.GARBAGE, times=None)
    kept.fails(75, "maxmind-country")


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.UNAVAILABLE])
def test_trouble_that_passes_is_not_worth_a_word(
    fault: Fault, here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.dbip.fail_next(fault, times=2)
    here.update("dbip-country")
    assert here.answer()["country_code"] == "FR"


@pytest.mark.parametrize("fault", [Fault.SLOW_DRIP, Fault.ENDLESS, Fault.DELAY], ids=lambda fault: fault.name)
def test_a_server_that_never_comes_to_an_end_is_given_up(
    fault: Fault, kept: Here, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_PATIENCE", 2)
    monkeypatch.setattr(fetch, "_TRIES", 1)
    monkeypatch.setattr(fetch, "LARGEST", 3_000_000)
    server.dbip.fail_next(fault, times=None, delay=10 * PATIENCE)
    begun = time.monotonic()
    message = kept.fails(75, "dbip-country", "--timeout", "1s")
    assert time.monotonic() - begun < PATIENCE
    assert any(said in message for said in ("within", "far too long", "too slowly"))


def test_a_server_that_is_away_is_a_reason_to_try_again_later(kept: Here) -> None:
    kept.environment = {**kept.environment, "GEOCLI_DBIP_URL": "http://127.0.0.1:9"}
    assert "connection refused" in kept.fails(75, "dbip-country")
    kept.environment = {**kept.environment, "GEOCLI_DBIP_URL": "http://nowhere.invalid"}
    assert "name cannot be resolved" in kept.fails(75, "dbip-country")


def test_a_wrong_key_is_an_error_that_names_its_setting(kept: Here) -> None:
    kept.environment = {
        **kept.environment,
        "GEOCLI_MAXMIND_LICENCE_KEY": "wrong",
        "GEOCLI_IPINFO_TOKEN": "no",
    }
    assert "GEOCLI_MAXMIND_LICENCE_KEY" in kept.fails(2, "maxmind-country")
    assert "GEOCLI_IPINFO_TOKEN" in kept.fails(2, "ipinfo")


def test_a_missing_key_is_an_error_that_names_its_setting(kept: Here) -> None:
    for name in ("GEOCLI_MAXMIND_LICENCE_KEY", "GEOCLI_IPINFO_TOKEN"):
        kept.environment = {key: value for key, value in kept.environment.items() if key != name}
    assert "licence_key in [maxmind]" in kept.fails(2, "maxmind-country")
    assert "GEOCLI_IPINFO_TOKEN" in kept.fails(2, "ipinfo")


def test_a_used_up_quota_says_when_there_is_more(kept: Here, server: Server) -> None:
    server.maxmind.left = 0
    assert "no more requests for 3600 s (429)" in kept.fails(75, "maxmind-country")


def test_a_file_that_is_not_what_maxmind_says_is_refused(kept: Here, server: Server) -> None:
    server.maxmind.md5 = "0" * 32
    assert "MD5" in kept.fails(75, "maxmind-country")


def broken(made: Made) -> dict[str, tuple[bytes, str]]:
    """What is sent instead of a database, and what is said about it."""
    whole = made.country("DE")
    return {
        "half of it": (gzip.compress(whole)[:100], "cannot be unpacked"),
        "a flipped bit": (flipped(gzip.compress(whole)), "refused"),
        "half a database": (gzip.compress(whole[:60]), "refused"),
        "text": (gzip.compress(b"not found" * 1000), "no metadata"),
        "another kind": (gzip.compress(made.asn(5)), "does not give country"),
        "nothing in it": (gzip.compress(made.any({"x": 1})), "does not give country"),
        "an older edition": (gzip.compress(made.country("DE", OLD - 86400)), "older than the one in place"),
        "of the future": (gzip.compress(made.country("DE", 2**32)), "build_epoch"),
        "a loop": (gzip.compress(whole.replace(b"\0\0\x11\0\0\x11", bytes(6), 1)), "loop"),
        "a bad record": (
            gzip.compress(made.any(head(7, 1) + encode(5) + encode("DE"))),
            "key",
        ),
        "an archive without a database": (tar_gz("x", "2026-10-01", b"", **{"a.txt": b"x"}), "no .mmdb file"),
        "an archive with another file": (
            tar_gz("x", "2026-10-01", b"", **{"../../../../tmp/evil.mmdb": b"x" * 5000}),
            "no metadata",
        ),
        "a bomb": (bomb(), "far too much"),
    }


def flipped(packed: bytes) -> bytes:
    return packed[:-12] + bytes([packed[-12] ^ 1]) + packed[-11:]


def bomb() -> bytes:
    return gzip.compress(bytes(40 << 20))


@pytest.mark.parametrize(
    "what",
    [
        "half of it", "a flipped bit", "half a database", "text", "another kind", "nothing in it",
        "an older edition", "of the future", "a loop", "a bad record", "an archive without a database",
        "an archive with another file", "a bomb",
    ],
)  # fmt: skip
def test_what_is_no_right_database_is_refused(what: str, kept: Here, server: Server, made: Made) -> None:
    content, said = broken(made)[what]
    path = f"/free/dbip-country-lite-{THIS_MONTH}.mmdb.gz"
    right, server.dbip.files[path] = server.dbip.files[path], content
    assert said in kept.fails(75, "dbip-country")
    server.dbip.files[path] = right


def test_a_file_that_is_too_large_is_refused_before_it_is_fetched(
    kept: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "LARGEST", 50)
        assert "far too long" in kept.fails(75, "dbip-country")


def test_a_disk_that_is_full_is_a_reason_to_try_again_later(
    kept: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "disk is full" in kept.fails(75, "dbip-country")


def test_one_that_fails_does_not_keep_the_others_from_being_updated(
    here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("asn", THIS_MONTH, made.asn(64496))
    code, out, err = here("db", "update")
    assert (code, out) == (75, "")
    assert err.count("\n") == 1
    assert "dbip-country" in err
    assert here.answer()["asn"] == 64496


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "no database is called 'nonsense'"),
        (["dbip-"], "no database is called"),
        (["__init__"], "no database is called"),
        (["../dbip"], "no database is called"),
        (["dbip-town"], "dbip-city"),
        (["ftp://host/x.mmdb"], "no URL of a database"),
        (["http://"], "no URL of a database"),
        (["https://user:pass@host/x.mmdb"], "no URL of a database"),
        (["https://[/x.mmdb"], "no URL of a database"),
        (["https://host/"], "--name"),
        (["https://host/dbip-country.mmdb"], "--name"),
        (["https://host/x.mmdb", "--name", "../x"], "--name"),
        (["https://host/x.mmdb", "--name", "a..b"], "--name"),
        (["dbip", "--name", "x"], "--name is for one URL"),
        (["dbip", "--timeout", "soon"], "--timeout"),
    ],
    ids=str,
)
def test_what_is_no_database_is_a_usage_error(arguments: list[str], said: str, here: Here) -> None:
    assert said in here.fails(2, *arguments)


def test_a_url_where_nothing_is_is_a_usage_error(here: Here, server: Server) -> None:
    message = here.fails(2, f"{server.storage.origin}/missing.mmdb?token=abc")
    assert "no such file" in message
    assert "abc" not in message


# --- at the same time


def test_a_second_update_waits_for_the_first_and_then_gives_up(
    here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.environment = {**here.environment, "GEOCLI_STORE_BUSY_TIMEOUT": "1s"}
    with alone(here.directory, 1):
        assert "another update is running" in here("db", "update", "dbip-country")[2]
        with pytest.raises(TryAgainError), alone(here.directory, 0):
            pass
    here.update("dbip-country")


def test_what_a_killed_update_has_left_is_removed(
    geocli: Geocli, here: Here, server: Server, made: Made
) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.dbip.fail_next(Fault.SLOW_DRIP)
    process = subprocess.Popen(
        [*geocli.command, "db", "update", "dbip-country"], env=geocli.env | here.environment
    )
    wait_until(lambda: server.dbip.requests)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(here.directory.glob(".*.part"))
    here.update("dbip-country")
    assert not list(here.directory.glob(".*.part"))
    assert here.answer()["country_code"] == "FR"


def test_an_interrupted_update_leaves_nothing(geocli: Geocli, here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    server.dbip.fail_next(Fault.SLOW_DRIP)
    process = subprocess.Popen(
        [*geocli.command, "db", "update", "dbip-country"],
        env=geocli.env | here.environment,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: server.dbip.requests)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == b""
    assert [file.name for file in here.directory.iterdir()] == [".lock"]


LOOKING = """
import sys
from geocli.providers.mmdb import MmdbProvider
from geocli.system.reporter import Reporter
from pathlib import Path
directory, count = Path(sys.argv[1]), 0
print("ready", flush=True)
seen = set()
while not (directory / "stop").exists() or count < 50:
    provider = MmdbProvider((), directory)
    provider.sources
    (records,) = provider.resolve(["8.8.8.8"], Reporter())
    (record,) = records
    day = record.source.removeprefix("mmdb:ipinfo-lite-")
    assert (record.country_code, record.asn) == ("FR", int(day[-2:])), record
    seen.add(record.asn)
    count += 1
assert len(seen) > 1, seen
"""


def test_look_ups_that_run_during_updates_see_one_whole_edition_each(
    here: Here, server: Server, made: Made
) -> None:
    def edition(day: int) -> bytes:
        return made.any({"country_code": "FR", "asn": f"AS{day}"}, NEW + 86400 * (day - 1))

    server.ipinfo.database = edition(1)
    here.update("ipinfo")
    process = subprocess.Popen(
        [sys.executable, "-c", LOOKING, str(here.directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    for day in range(2, 12):
        server.ipinfo.database = edition(day)
        here.update("ipinfo")
    (here.directory / "stop").touch()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def test_two_updates_at_once_do_no_harm(here: Here, geocli: Geocli, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    environment = geocli.env | here.environment
    processes = [
        subprocess.Popen([*geocli.command, "db", "update", "dbip-country"], env=environment) for _ in range(2)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert server.dbip.count(200) == 1
    assert server.dbip.count(304) == 1
    assert here.answer()["country_code"] == "FR"


def test_a_directory_that_others_may_write_is_refused(here: Here, server: Server, made: Made) -> None:
    server.dbip.publish("country", THIS_MONTH, made.country("FR"))
    here.update("dbip-country")
    here.directory.chmod(0o777)
    assert "can be written by other users" in here.fails(4, "dbip-country")
    code, out, err = here("-j", ADDRESS)
    assert (code, out) == (4, "")
    assert str(here.directory) in err


# --- What a user knows of a file ----------------------------------------------------------------------


def test_plain_http_is_said_unless_the_file_is_checked(here: Here) -> None:
    url = "http://host.invalid/some.mmdb"
    here.environment["http_proxy"] = "http://127.0.0.1:1"  # nobody is there
    code, _, err = here("db", "update", url)
    assert code == 75
    assert "some comes over plain HTTP: anybody on the way can change it" in err
    for checked in (["db", "update", "--sha256", "0" * 64, url], ["-q", "db", "update", url]):
        assert "plain HTTP" not in here(*checked)[2]
    assert "plain HTTP" not in here("db", "update", url.replace("http:", "https:"))[2]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_has_not_the_sha256_is_refused(
    here: Here, server: Server, made: Made, packed: bool
) -> None:
    content = made.country("FR")
    sent = gzip.compress(content) if packed else content
    server.storage.files["/some.mmdb"] = sent
    url = f"{server.storage.origin}/some.mmdb"
    assert "whose SHA-256 is" in here.fails(4, "--sha256", "0" * 64, url)
    assert installed(here.directory) == []
    for right in (sent, content):
        here.update("--sha256", hashlib.sha256(right).hexdigest().upper(), url)
    assert [one.name for one in installed(here.directory)] == ["some"]
    here.fails(4, "--sha256", "1" * 64, url)  # also what has not changed since is looked at again


@pytest.mark.parametrize(
    "arguments", [["--sha256", "xyz", "http://h/x"], ["--sha256", "0" * 64], ["--sha256", "0" * 64, "dbip"]]
)
def test_a_sha256_is_of_one_file(here: Here, arguments: list[str]) -> None:
    assert "--sha256" in here.fails(2, *arguments)

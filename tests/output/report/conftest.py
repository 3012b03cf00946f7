"""What the tests of reports share: made-up databases and ban lists, and one real browser for all of them."""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPNetwork, IPSet
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.conftest import Geocli, need

PLACES = {
    "5.1.0.0/16": ("DE", 64500, "Hetzner Online GmbH"),
    "5.2.0.0/16": ("BR", 64501, "Claro S.A."),
    "5.3.0.0/16": ("AU", 64502, "Telstra"),
    "5.4.0.0/16": ("SG", 64503, "SingTel"),
    "5.5.0.0/16": ("RU", 64504, "Rostelecom"),
    "5.6.0.0/16": ("TK", 64505, "Teletok"),
    "2a0a:1::/32": ("IS", 64506, "Síminn"),
}
"""Networks with their country, AS number and holder. Tokelau is not on the map."""

HOUR = 3600
SCHEMA = """
CREATE TABLE fail2banDb(version INTEGER);
CREATE TABLE jails(name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
    bancount INTEGER NOT NULL default 1, data JSON);
CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
    bancount INTEGER NOT NULL default 1, data JSON, PRIMARY KEY(ip, jail));
INSERT INTO fail2banDb VALUES (4);
"""


def write_places(path: Path, places: Mapping[str, tuple[str, int, str]], **options: Any) -> Path:
    """An MMDB file in MaxMind's layout."""
    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True, **options)
    for network, (country, asn, org) in places.items():
        content = {
            "country": {"iso_code": country},
            "autonomous_system_number": asn,
            "autonomous_system_organization": org,
        }
        writer.insert_network(IPSet([IPNetwork(network)]), content)
    writer.to_db_file(str(path))
    return path


def write_bans(path: Path, bans: Sequence[tuple[str, str, float]]) -> Path:
    """A database of fail2ban's: address, jail and age in hours of bans that never end."""
    now = int(time.time())
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO bips VALUES (?, ?, ?, -1, 1, '{}')",
            [(ip, jail, now - int(age * HOUR)) for ip, jail, age in bans],
        )
        database.commit()
    return path


def known_bans() -> list[tuple[str, str, float]]:
    """1,000 bans in Germany, 40 in Brazil, 6 in Australia, one in Singapore; today's are new."""
    return [
        *((f"5.1.{n // 250}.{n % 250}", "sshd", 30 + n % 400) for n in range(1000)),
        *((f"5.2.0.{n}", "postfix", 40 + n) for n in range(40)),
        *((f"5.3.0.{n}", "sshd", 30 + n) for n in range(5)),
        ("5.3.0.1", "postfix", 3),
        ("5.4.0.1", "sshd", 2),
        ("10.0.0.1", "sshd", 1),
    ]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_places(tmp_path_factory.mktemp("places") / "places.mmdb", PLACES)


class Browser:
    """A real Chromium. It has no network, and tells what a page asked for or complained about."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def show(self, page: Path, *, width: int = 1400, scheme: str = "light", url: str | None = None) -> None:
        """Open a page from disk, in a window of that width, for a reader who likes it light or dark."""
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self._command(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.complaints()
        self.requests()
        self.driver.get(url or page.as_uri())
        # Loaded is not drawn: a page without a frame has no width to take a picture of, and does not print.
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns that runs in the page."""
        return self.driver.execute_script(script, *arguments)

    def without_scripts(self, *, disabled: bool) -> None:
        """Whether pages that are opened from now on may run any."""
        self._command("Emulation.setScriptExecutionDisabled", value=disabled)

    def complaints(self) -> list[str]:
        """What was written to the console, by whomever: errors, broken policies."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # Selenium's

    def requests(self) -> list[str]:
        """What was asked for since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]  # type: ignore[no-untyped-call]  # Selenium's
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [str(params["request"]["url"]) for params in sent]

    def picture(self, path: Path) -> None:
        """Keep a picture of the whole page."""

        found = self._command("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def pages_on_paper(self) -> int:
        """How many sheets of A4 it prints on."""

        printed = self._command("Page.printToPDF", preferCSSPageSize=True)
        return len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))

    def _command(self, name: str, **parameters: object) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)


@contextmanager
def start_browser(profile: Path) -> Iterator[Browser]:
    """A browser that keeps its files in this directory."""
    options = ChromeOptions()
    options.binary_location = need("chromium")
    for switch in (
        "headless=new", "hide-scrollbars", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-sync", "disable-background-networking", "disable-component-update", "disable-dev-shm-usage",
        f"user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(need("chromedriver")))
    try:
        started = Browser(driver)
        # Chromium starts with a page of its own, which asks for hundreds of files: let it finish, then go.
        while started.requests():
            time.sleep(0.5)
        driver.get("about:blank")
        yield started
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests: it takes a second to start."""
    with start_browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are kept for people to look at."""
    kept = os.environ.get("CI_ARTIFACTS")
    directory = Path(kept) / "report" if kept else tmp_path_factory.mktemp("pictures")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def known_page(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    """The page of ``known_bans``."""
    place = tmp_path_factory.mktemp("known")
    bans = write_bans(place / "fail2ban.sqlite3", known_bans())
    page = place / "bans.html"
    done = Geocli(place / "data")("report", "--mmdb", places, "--database", bans, "-o", page)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return page


CROWD = 600
"""Networks of ``crowded_page``, each of an AS of its own, with ten banned addresses."""

LONGEST = "2a0a:1111:2222:3333:4444:5555:6666:7777"


@pytest.fixture(scope="session")
def crowded_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with more of everything than it shows, and than it holds."""
    place = tmp_path_factory.mktemp("crowd")
    networks = [f"5.{number // 200}.{number % 200}" for number in range(CROWD)]
    holders = {
        f"{network}.0/24": ("DE", 64000 + number, f"Holder {number} of a rather long name GmbH")
        for number, network in enumerate(networks)
    }
    holders["2a0a:1111::/32"] = ("IS", 63000, "Síminn")
    bans = [(f"{network}.{host}", "sshd", 30.0 + host) for network in networks for host in range(10)]
    bans += [(LONGEST, jail, age) for jail, age in (("sshd", 100), ("web", 2), ("mail", 50))]
    mmdb = write_places(place / "crowd.mmdb", holders)
    database = write_bans(place / "fail2ban.sqlite3", bans)
    page = place / "bans.html"
    done = Geocli(place / "data")("report", "--mmdb", mmdb, "--database", database, "-o", page)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return page

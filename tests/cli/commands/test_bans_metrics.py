"""``geocli bans --prometheus``: what Prometheus makes of it, and the dashboard of docs/."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.conftest import Geocli, need
from tests.output.status.test_prometheus import Family, parse
from tests.support.waiting import wait_until

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana.json"
BANNED = "[{'sshd': ['9.9.9.9', '1.1.1.1', '8.8.8.8']}, {'a\\\\ \"b\"': ['8.8.8.8', 'alice']}]\n"


def metrics(geocli: Geocli, *arguments: str | Path, stdin: str = BANNED) -> dict[str, Family]:
    done = geocli("bans", "--prometheus", "--host", "web", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return parse(done.stdout)


def line_of(jail: str, address: str, moment: datetime) -> str:
    moment = moment.astimezone()  # a log has the time of its machine
    return f"{moment:%Y-%m-%d %H:%M:%S},123 fail2ban.actions [7]: NOTICE  [{jail}] Ban {address}\n"


def test_bans_become_series_with_their_labels(geocli: Geocli) -> None:
    samples = metrics(geocli)["geocli_bans"].samples
    assert samples[("country", "US"), ("asn", "19281"), ("jail", "sshd"), ("host", "web")] == 1
    assert samples[("country", "unknown"), ("asn", "unknown"), ("jail", 'a\\ "b"'), ("host", "web")] == 1
    assert sum(samples.values()) == 5
    assert metrics(geocli, "--top", "1")["geocli_bans"].samples == {
        (("country", "AU"), ("asn", "13335"), ("jail", "sshd"), ("host", "web")): 1,
        (("country", "other"), ("asn", "other"), ("jail", "other"), ("host", "web")): 4,
    }
    assert sum(metrics(geocli, "--jail", "sshd", "--country", "US")["geocli_bans"].samples.values()) == 2


def test_what_is_over_is_not_banned_now(geocli: Geocli) -> None:
    log = (
        "2026-11-20 21:42:11,606 fail2ban.actions [7]: NOTICE  [sshd] Ban 9.9.9.9\n"
        "2026-11-20 21:43:11,606 fail2ban.actions [7]: NOTICE  [sshd] Ban 8.8.8.8\n"
        "2026-11-20 21:52:11,606 fail2ban.actions [7]: NOTICE  [sshd] Unban 9.9.9.9\n"
    )
    (labels,) = metrics(geocli, stdin=log)["geocli_bans"].samples
    assert dict(labels)["asn"] == "15169"


def test_new_bans_are_counted_by_the_history_of_this_machine(geocli: Geocli) -> None:
    assert "geocli_new_bans_total" not in metrics(geocli)
    now = datetime.now(UTC)
    old = line_of("web", "8.8.8.8", datetime(2026, 3, 1, tzinfo=UTC))
    today = line_of("sshd", "9.9.9.9", now)
    for host in ("web", "mail"):
        done = geocli("bans", "--record", "--host", host, stdin=old + today)
        assert (done.returncode, done.stderr) == (0, "")
    for step in ("in the journal", "in the store"):
        found = metrics(geocli)
        jail = {name: dict(found[name].samples) for name in ("geocli_new_bans_total", "geocli_recorded_bans")}
        assert jail["geocli_recorded_bans"] == {
            (("jail", "sshd"), ("host", "web")): 1,
            (("jail", "web"), ("host", "web")): 1,
        }, step
        assert jail["geocli_new_bans_total"][("jail", "web"), ("host", "web")] == 0
        if datetime.now(UTC).date() == now.date():
            assert jail["geocli_new_bans_total"][("jail", "sshd"), ("host", "web")] == 1
        geocli("flush")


def test_a_file_is_replaced_at_once_for_everybody_to_read(geocli: Geocli, tmp_path: Path) -> None:
    file = tmp_path / "bans.prom"
    done = geocli("bans", "--prometheus", "-o", file, stdin=BANNED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.stat().st_mode & 0o777 == 0o644
    before = file.read_text()
    assert parse(before)["geocli_bans"].samples
    # A list of which nothing is understood, or half: the old figures stay, and get old.
    for wrong in ("ERROR  Permission denied to socket\n", b"\x1f\x8b\x08 cut"):
        done = geocli("bans", "--prometheus", "-o", file, stdin=wrong)
        assert done.returncode == 2
        assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == ["bans.prom"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prometheus", "-j"], "form by itself"),
        (["--prometheus", "--history"], "form by itself"),
        (["--prometheus", "--record"], "form by itself"),
        (["--prometheus", "--by", "jail"], "form by itself"),
        (["--prometheus", "--since", "1d"], "about now"),
        (["--prometheus", "--host", "a", "--host", "b"], "once for --record and --prometheus"),
        (["-o", "x"], "--output is for --prometheus"),
    ],
)
def test_what_does_not_go_together(geocli: Geocli, arguments: list[str], said: str) -> None:
    done = geocli("bans", *arguments, stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@contextmanager
def served(pages: dict[str, str]) -> Iterator[str]:
    """What is scraped: the texts in ``pages``, by path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages[self.path].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def prometheus(target: str, directory: Path) -> Iterator[str]:
    """A real one that scrapes ``target`` each second; where its HTTP API is."""
    program = need("prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = directory / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n- job_name: geocli\n  honor_labels: true\n"
        f"  static_configs: [{{targets: ['{target}']}}]\n"
    )
    command = [
        program, f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}", "--log.level=error",
    ]  # fmt: skip
    with subprocess.Popen(command) as process:
        try:
            yield f"http://{address}/api/v1"
        finally:
            process.terminate()


def asked(api: str, path: str, **parameters: str) -> Any:
    with urlopen(f"{api}/{path}?{urlencode(parameters)}", timeout=10) as answer:  # noqa: S310 (our own)
        return json.load(answer)["data"]


def rows(api: str, query: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = asked(api, "query", query=query)["result"]
    except OSError:  # it is starting
        return []
    return found


def expressions() -> list[tuple[str, str]]:
    """The dashboard's queries with its variables set to everything, and the titles of their panels."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [
        (panel["title"], re.sub(r"\$(host|jail)", ".*", target["expr"]))
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.slow
def test_prometheus_scrapes_it_and_the_dashboards_queries_have_rows(geocli: Geocli, tmp_path: Path) -> None:
    log = line_of("sshd", "9.9.9.9", datetime.now(UTC)) + line_of("web", "8.8.8.8", datetime.now(UTC))

    def exposition() -> str:
        assert geocli("bans", "--record", "--host", "web", stdin=log).returncode == 0
        done = geocli("bans", "--prometheus", "--host", "web", stdin=BANNED)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    pages = {"/metrics": exposition()}
    check = [need("promtool"), "check", "metrics"]
    checked = subprocess.run(check, input=pages["/metrics"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    with served(pages) as target, prometheus(target, tmp_path) as api:
        wait_until(lambda: rows(api, "geocli_bans"))
        assert sum(int(row["value"][1]) for row in rows(api, "geocli_bans")) == 5
        time.sleep(1.5)
        log += line_of("sshd", "1.1.1.1", datetime.now(UTC))
        pages["/metrics"] = exposition()
        counted = "sum(increase(geocli_new_bans_total[1h]))"
        wait_until(lambda: any(float(row["value"][1]) > 0 for row in rows(api, counted)))
        for title, query in expressions():
            assert rows(api, query), title
        # The map's countries are codes, as its gazetteer has them.
        (query,) = [query for title, query in expressions() if title == "From where"]
        assert {row["metric"]["country"] for row in rows(api, query)} == {"US", "AU", "unknown"}
        (holders,) = [query for title, query in expressions() if title == "Holders"]
        assert {"asn": "19281", "org": "Quad9"} in [row["metric"] for row in rows(api, holders)]
        values = asked(api, "label/jail/values")
        assert set(values) >= {"sshd", 'a\\ "b"'}


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    (map_,) = [panel for panel in panels if panel["type"] == "geomap"]
    assert map_["options"]["layers"][0]["location"] == {
        "mode": "lookup", "lookup": "country", "gazetteer": "public/gazetteer/countries.json",
    }  # fmt: skip
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)  # none lies on another
    assert max(x for x, _ in cells) < 24
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)

"""The bar that long work shows on a terminal."""

from __future__ import annotations

import io
import re
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from geocli.cli import progress
from geocli.cli.progress import InputMeter, Progress
from geocli.config.settings import Settings
from tests.conftest import Geocli, MakeMmdb
from tests.support.terminal import on_terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def bar_on(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Progress:
    """A bar that shows at once. pytest sets ``sys.stderr`` between a fixture and its test: so no fixture."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_FRAME", 0.0)
    return Progress.without_rows(Settings(Path("/nowhere")))


def test_a_bar_has_no_thread_that_would_be_alive_when_workers_are_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, before = Terminal(), threading.active_count()
    with bar_on(terminal, monkeypatch) as bar:
        bar.show("counting", 1, 3)
        assert threading.active_count() == before
        bar.show("counting", 2, 3)
        assert "2/3" in terminal.getvalue()


def test_it_is_gone_when_rows_come_and_back_when_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    with bar_on(terminal, monkeypatch) as bar:
        bar.show("counting", 1)
        bar.hide()
        assert "counting" in terminal.getvalue()
        bar.show("again", 2)
        assert "again" in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    with bar_on(pipe, monkeypatch) as bar:
        bar.show("counting", 1)
        bar.wait("a source", 5)
    assert pipe.getvalue() == ""


def test_an_input_of_known_size_is_shown_in_bytes_and_others_by_what_is_in_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(bytes(3 << 20))
    terminal = Terminal()
    with bar_on(terminal, monkeypatch) as bar:
        meter = InputMeter(bar, [tmp_path / "log", tmp_path / "missing"])
        meter.read(1 << 20)
        meter.found("bans", 7)
        assert "reading 1.0/3.0 MiB" in terminal.getvalue()
        assert "33%" in terminal.getvalue()
        assert "bans" not in terminal.getvalue()
        meter.read(2 << 20)
        meter.found("bans", 1234)
        assert "bans 1,234" in terminal.getvalue()
    pipe = Terminal()
    with bar_on(pipe, monkeypatch) as bar:
        meter = InputMeter(bar, [tmp_path / "log", Path("/dev/null")])
        meter.read(1 << 20)
        meter.found("bans", 7)
    assert "bans 7" in pipe.getvalue()
    assert "reading" not in pipe.getvalue()


class Impatient(Geocli):
    """Shows progress from the first moment on, however short the work is."""

    @property
    def command(self) -> list[str]:
        script = (
            "from geocli.cli import progress; progress._PATIENCE = progress._FRAME = 0.0;"
            "from geocli.__main__ import main; main()"
        )
        return [sys.executable, "-c", script]


@pytest.mark.slow
def test_long_work_says_on_a_terminal_how_far_it_is_and_nowhere_else(
    data_dir: Path, tmp_path: Path, make_mmdb: MakeMmdb
) -> None:
    geocli = Impatient(data_dir)
    log, countries = tmp_path / "banned", tmp_path / "countries.csv"
    log.write_text("".join(f"5.{n // 250}.{n % 250}.7\n" for n in range(20_000)))
    countries.write_text("".join(f"5.{n}.0.0,5.{n}.255.255,DE\n" for n in range(200)))
    make_mmdb("one", {f"5.{n}.0.0/16": {"country": {"iso_code": "DE"}} for n in range(50)})
    page, built = str(tmp_path / "bans.html"), str(tmp_path / "built.mmdb")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/one.mmdb"
        work: list[tuple[list[str], bool, str]] = [
            # the command, whether its stdout is on the terminal too, what the bar says
            (["lookup", "-i", str(log)], False, r"reading .*%"),
            (["flush"], True, r"reading the journal, batches \d+/\d+ .*%.*writing to the store, batches"),
            (["summarize", str(log)], True, r"reading .*%.*looking up [\d,]+/20,000 .*100%"),
            (["summarize", "--no-cache", "-"], True, r"addresses 20,000 .*looking up 20,000/20,000 .*100%"),
            (["annotate", str(log)], False, r"reading .*100%"),
            (["bans", "-i", str(log), "--by", "country"], True, r"reading .*100%.*bans 20,000"),
            (["bans", "-i", str(log)], False, r"reading .*%"),
            (["report", "-i", str(log), "-o", page], True, r"reading .*100%"),
            (["report", "--history", "-o", page], True, r"counting bans, steps 5/6 .*83%"),
            (["store", "check"], True, r"checking [\d,]+/[\d,]+ .*%"),
            (["db", "build", "--country", str(countries), "-o", built], True, r"building the tree, IPv4 .*%"),
            (["db", "update", url, "--name", "mine"], True, r"KiB .*%"),
        ]
        record = geocli("bans", "--record", "-i", str(log), "--host", "web1")
        assert (record.returncode, record.stderr) == (0, "")
        for arguments, is_shown, said in work:
            stdin = log.read_text() if "-" in arguments else None
            seen = on_terminal(geocli, *arguments, stdin=stdin, stdout=is_shown, bar=True)
            assert seen.code == 0, (arguments, seen)
            assert re.search(said, seen.err, re.DOTALL), (arguments, seen.err[-2000:])
            if "report" in arguments:
                assert re.match(rf"wrote {page}: 20,000 bans of 20,000 addresses, [\d,]+ bytes\n", seen.out)
            data_dir_of_cron = Impatient(tmp_path / "cron")
            quiet = data_dir_of_cron(*arguments, stdin=stdin)
            assert quiet.returncode == 0
            assert "%" not in quiet.stderr, arguments
            assert "\r" not in quiet.stderr, arguments
        server.shutdown()

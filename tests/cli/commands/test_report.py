"""``geocli report``: where its files go, what it reads, and what it says when it cannot."""

from __future__ import annotations

import gzip
import html
import os
import re
import resource
import shlex
import stat
import subprocess
import xml.etree.ElementTree as ET
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from tests.conftest import Geocli, MakeMmdb
from tests.output.report.conftest import PLACES, known_bans, write_bans, write_places
from tests.support.terminal import on_terminal

BANNED = (
    "[{'sshd': ['9.9.9.9', '1.1.1.1', '8.8.8.8', '192.0.2.7']}, "
    "{'web': ['8.8.8.8', 'alice']}, {'empty': []}]\n"
)


@pytest.fixture
def geocli(data_dir: Path) -> Geocli:
    return Geocli(data_dir, {"TZ": "UTC", "PATH": "/nonexistent"})


def draw(geocli: Geocli, *arguments: str | Path, stdin: str | bytes = BANNED, code: int = 0) -> str:
    """The page on stdout."""
    done = geocli("report", *arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    return done.stdout


def text_of(page: str) -> str:
    """What a page says, roughly."""
    body = re.sub(r"(?s)<(script|style|title).*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_it_is_silent_and_the_page_is_for_everybody(geocli: Geocli, tmp_path: Path) -> None:
    page = tmp_path / "bans.html"
    before = os.umask(0o077)
    try:
        done = geocli("report", "-o", page, stdin=BANNED)
    finally:
        os.umask(before)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert page.read_text().startswith("<!doctype html>")
    assert "6 bans of 5 addresses in 2 countries" in text_of(page.read_text())
    assert [file.name for file in tmp_path.iterdir() if file != geocli.data_dir] == ["bans.html"]


@pytest.mark.parametrize(("mode", "expected"), [("600", 0o600), ("0640", 0o640), ("444", 0o444)])
def test_the_mode_is_as_asked(geocli: Geocli, tmp_path: Path, mode: str, expected: int) -> None:
    page = tmp_path / "bans.html"
    page.write_text("old")
    page.chmod(0o666)
    assert geocli("report", "-o", page, "--mode", mode, stdin=BANNED).returncode == 0
    assert stat.S_IMODE(page.stat().st_mode) == expected


def test_without_a_place_it_goes_down_the_pipe(geocli: Geocli) -> None:
    assert draw(geocli).startswith("<!doctype html>")
    assert draw(geocli, "-o", "-").endswith("</html>\n")


def test_a_terminal_is_no_place_for_a_page(geocli: Geocli) -> None:
    assert on_terminal(geocli, "report", stdin=BANNED, stderr=False, columns=80) == (
        2,
        "",
        "geocli: say where the page goes: -o bans.html, or -o - for standard output\n",
    )
    code, seen, _ = on_terminal(geocli, "report", "-o", "-", stdin=BANNED, stderr=False, columns=80)
    assert (code, seen[:15]) == (0, "<!doctype html>")


def test_whoever_reads_the_old_page_has_all_of_it(geocli: Geocli, tmp_path: Path) -> None:
    page = tmp_path / "bans.html"
    page.write_text("old page")
    with page.open() as reader:
        assert geocli("report", "-o", page, stdin=BANNED).returncode == 0
        assert reader.read() == "old page"
    assert page.stat().st_size > 50_000


@pytest.mark.parametrize("kind", ["link", "broken link", "directory", "pipe"])
def test_what_is_no_file_is_not_replaced(geocli: Geocli, tmp_path: Path, kind: str) -> None:
    page, other = tmp_path / "bans.html", tmp_path / "other"
    if kind == "link":
        other.write_text("untouched")
    if "link" in kind:
        page.symlink_to(other)
    elif kind == "directory":
        page.mkdir()
    else:
        os.mkfifo(page)
    done = geocli("report", "-o", page, stdin=BANNED)
    assert done.returncode == 2
    assert re.fullmatch(rf"geocli: cannot write {page}: it is .*; - is standard output\n", done.stderr)
    assert not other.exists() or other.read_text() == "untouched"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        name for name in ("bans.html", "other") if (tmp_path / name).exists() or name == "bans.html"
    )


@pytest.mark.parametrize("place", ["no/such/bans.html", "file/bans.html", "x" * 300])
def test_a_place_that_cannot_be_is_named(geocli: Geocli, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    done = geocli("report", "-o", tmp_path / place, stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"geocli: cannot write {tmp_path}/")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_leaves_the_old_page(geocli: Geocli, tmp_path: Path) -> None:
    page = tmp_path / "bans.html"
    page.write_text("old page")
    script = f"ulimit -f 8; trap '' XFSZ; exec {shlex.join(geocli.command)} report --no-cache -o {page}"
    done = subprocess.run(
        ["/bin/bash", "-c", script], input=BANNED, env=geocli.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 75
    assert done.stderr == f"geocli: cannot write {page}: File too large; what was there is as it was\n"
    assert page.read_text() == "old page"
    assert [file.name for file in tmp_path.iterdir()] == ["bans.html"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--mode", "999"], "--mode: '999' is no mode"),
        (["--mode", "4644"], "--mode: '4644' is no mode"),
        (["--mode", "u+x"], "--mode: 'u+x' is no mode"),
        (["--map-by", "hits"], "--map-by takes bans, addresses, not 'hits'"),
        (["--period", "year"], "--period takes hour, day, week, month, not 'year'"),
        (["--log", "x", "--jail", "sshd"], "--log takes no option that is about bans"),
        (["--log", "x", "-i", "y"], "--log takes no option that is about bans"),
        (["--svg", "-", "-o", "-"], "only one of"),
        (["--since", "soon"], "--since: 'soon' is no time"),
        (["--top", "0"], ""),
    ],
)
def test_what_cannot_be_done_is_one_line(geocli: Geocli, options: list[str], complaint: str) -> None:
    done = geocli("report", *options, stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_empty_list_is_a_calm_page(geocli: Geocli) -> None:
    page = draw(geocli, stdin="[{'sshd': []}]\n")
    said = text_of(page)
    assert "Nobody is banned." in said
    assert "standard input" in said
    assert "<table" not in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("banned", "expected"),
    [
        ("[{'sshd': ['10.0.0.1', '192.0.2.1', 'fe80::1']}]", "3 private or otherwise reserved"),
        ("[{'sshd': ['240.0.0.1', 'alice']}]", "1 private or otherwise reserved, 1 unknown"),
        ("[{'sshd': ['alice']}]", "1 unknown"),
    ],
)
def test_a_list_of_nowhere_is_a_calm_page(geocli: Geocli, banned: str, expected: str) -> None:
    page = draw(geocli, stdin=banned)
    said = text_of(page)
    assert "None of them is known to be from any country." in said
    assert f"There is nothing to put on a map: {expected}." in said
    assert 'class="map"' not in page
    assert "sshd" in said


def test_a_list_that_cannot_be_read_is_not_an_empty_one(geocli: Geocli, tmp_path: Path) -> None:
    page = tmp_path / "bans.html"
    page.write_text("old page")
    for arguments in (
        ["-i", tmp_path / "missing"],
        ["--database", tmp_path / "missing"],
        ["--client"],
        ["--since", "1d"],
    ):
        done = geocli("report", "-o", page, *arguments, stdin=BANNED)
        assert done.returncode in {2, 75}, arguments
        assert done.stderr.startswith("geocli: ")
        assert page.read_text() == "old page", arguments


def test_what_is_missing_is_said_on_the_page(geocli: Geocli, tmp_path: Path) -> None:
    (tmp_path / "banned").write_text(BANNED)
    page = tmp_path / "bans.html"
    done = geocli("report", "-o", page, "-i", tmp_path / "banned", "-i", tmp_path / "missing")
    assert done.returncode == 2
    assert f"Not everything is in it: cannot read {tmp_path / 'missing'}" in text_of(page.read_text())
    assert "6 bans of 5 addresses" in text_of(page.read_text())


def test_any_log_counts_hits(geocli: Geocli, tmp_path: Path) -> None:
    log = tmp_path / "access.log.gz"
    log.write_bytes(gzip.compress(b"8.8.8.8 GET /\n" * 1234 + b"1.1.1.1 GET /\n\xff\x00 x\n"))
    said = text_of(draw(geocli, "--log", log))
    assert "Who is in the log, and from where" in said
    assert "1,235 hits from 2 addresses in 2 countries" in said
    assert "ban" not in said.replace("banned", "")
    assert "8.8.8.8" in said
    assert "1,234 hits from 1 address (99.9%)" in said
    assert text_of(draw(geocli, "--log", "-", stdin="nothing")).count("There is no address in it.") == 1
    only = text_of(draw(geocli, "--log", log, "--country", "AU"))
    assert "1 hit from 1 address, all from Australia" in only
    assert "Only country AU." in only


def test_filters_and_their_words(geocli: Geocli) -> None:
    said = text_of(draw(geocli, "--jail", "web"))
    assert "2 bans of 2 addresses" in said
    assert "Only jail web." in said
    said = text_of(draw(geocli, "--jail", "nobody"))
    assert "Nobody is banned. At least nobody that this report is about: jail nobody." in said


def test_anonymous_pages_show_no_address(geocli: Geocli, tmp_path: Path) -> None:
    mmdb = write_places(
        tmp_path / "p.mmdb", {"5.1.0.7/32": ("DE", 64500, "One"), "5.2.0.0/16": ("BR", 64501, "Two")}
    )
    bans = [("5.1.0.7", "sshd", 1), ("5.1.0.7", "web", 30), ("5.2.9.9", "sshd", 1), ("10.1.2.3", "sshd", 1)]
    database = write_bans(tmp_path / "f.sqlite3", bans)
    options = ("--mmdb", mmdb, "--database", database)
    addresses = {ip for ip, _, _ in bans}
    open_ = draw(geocli, *options)
    assert {ip for ip in addresses if ip in open_} == addresses
    closed = draw(geocli, *options, "--anonymize")
    assert not [ip for ip in addresses if ip in closed]
    assert "5.1.0.0/24" in closed
    assert "Addresses are left out" in text_of(closed)


def test_the_title_is_text_and_bounded(geocli: Geocli) -> None:
    page = draw(geocli, "--title", "Bans & \x1b[31m<b>more</b>" + "x" * 500)
    assert "<title>Bans &amp; \\x1b[31m&lt;b&gt;more&lt;/b&gt;xxx" in page
    assert max(map(len, re.findall("x+", page))) < 200


def test_the_page_has_no_way_out(geocli: Geocli) -> None:
    page = draw(geocli)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )
    assert not re.search(r"\s(?:src|style|on\w+|srcset|action)\s*=", page)
    assert not re.search(r"@import|url\(|<link|<iframe|<object|<embed|<img|<base|<form", page)
    assert page.count("<script") == page.count("<style") == 1
    links = set(re.findall(r'href="([^"#][^"]*)"', page))
    assert links == {
        "https://db-ip.com",
        "https://github.com/sapics/ip-location-db",
        "https://www.naturalearthdata.com",
    }


def test_ten_thousand_bans_make_a_small_page(geocli: Geocli, tmp_path: Path) -> None:
    bans = [
        (f"{1 + n * 7 % 222}.{n % 251}.{n // 251}.{n % 17}", f"jail{n % 9}", n % 2000) for n in range(10_000)
    ]
    page = draw(geocli, "--database", write_bans(tmp_path / "f.sqlite3", bans))
    assert "10,000 bans of 10,000 addresses" in text_of(page)
    assert len(page.encode()) < 700_000


def test_the_map_alone_is_svg(geocli: Geocli, tmp_path: Path) -> None:
    mmdb = write_places(tmp_path / "p.mmdb", PLACES)
    database = write_bans(tmp_path / "f.sqlite3", known_bans())
    svg = tmp_path / "map.svg"
    title = "Who & <what>"
    done = geocli("report", "--svg", svg, "--mmdb", mmdb, "--database", database, "--title", title)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    root = ET.fromstring(svg.read_text())  # noqa: S314 (our own)
    space = "{http://www.w3.org/2000/svg}"
    shapes = {element.get("id"): element for element in root.iter() if element.get("id")}
    assert {code: shapes[code].get("fill") for code in ("DE", "BR", "AU", "SG-dot", "FR")} == {
        "DE": "#4c117a", "BR": "#f2625d", "AU": "#fd9b6b", "SG-dot": "#fecf92", "FR": "#e4e7ec",
    }  # fmt: skip
    assert shapes["DE"].findtext(f"{space}title") == "Germany: 1,000 bans of 1,000 addresses (95.4%)"
    said = " ".join("".join(element.itertext()) for element in root.iter(f"{space}text"))
    assert said.startswith(title)
    assert "500–1,000" in said  # noqa: RUF001 (a dash)
    assert "Natural Earth" in said
    by_addresses = draw(geocli, "--svg", "-", "--map-by", "addresses", "--mmdb", mmdb, "--database", database)
    assert "Addresses by country" in by_addresses


def test_the_map_alone_is_png_where_there_is_a_converter(geocli: Geocli, tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    done = geocli("report", "--png", tmp_path / "map.png", "-o", tmp_path / "page.html", stdin=BANNED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    data = (tmp_path / "map.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20]) == 2000
    assert (tmp_path / "page.html").exists()


def test_without_a_converter_it_says_what_to_install(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "resvg_py.py").write_text("raise ImportError")
    geocli = Geocli(data_dir, {"PYTHONPATH": str(tmp_path)})
    done = geocli("report", "--png", tmp_path / "map.png", "-o", tmp_path / "page.html", stdin=BANNED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "geocli: a PNG needs one more package: pip install 'geocli[png]'\n"
    assert not (tmp_path / "page.html").exists()  # known before the work


def test_the_licences_of_the_databases_in_use_are_kept(geocli: Geocli, make_mmdb: MakeMmdb) -> None:
    content = {"country": {"iso_code": "US"}}
    for kind, licence, expected in (
        ("GeoLite2-Country", "", 'created by <a href="https://www.maxmind.com"'),
        ("DBIP-Country-Lite", "by DB-IP", '<a href="https://db-ip.com" rel="noopener noreferrer">IP Geol'),
        ("ipinfo-lite", "CC BY-SA 4.0", '<a href="https://ipinfo.io"'),
        ("mine", "secret <sauce>", "secret &lt;sauce&gt;"),
    ):  # fmt: skip
        mmdb = make_mmdb(kind, {"8.8.8.0/24": content}, kind, description={"x-licence": licence})
        page = draw(geocli, "--mmdb", mmdb)
        assert expected in page
        assert re.search(rf"{kind} \d{{4}}-\d\d(-\d\d)?, 0 days old", text_of(page))
        assert ("https://db-ip.com" in page) == (kind == "DBIP-Country-Lite")


def test_bans_from_the_page_are_remembered_like_any(geocli: Geocli) -> None:
    draw(geocli)
    assert '"dirty": 3' in geocli("stats", "-j").stdout
    draw(geocli, "--no-cache", "-p", "mmdb")
    draw(geocli, "--log", "-")
    assert '"dirty": 3' in geocli("stats", "-j").stdout


def test_five_thousand_bans_take_less_than_a_second(geocli: Geocli, tmp_path: Path) -> None:
    bans = [f"{1 + n * 7 % 222}.{n % 251}.{n // 251}.{n % 17}" for n in range(5000)]
    text = repr([{"sshd": bans}]) + "\n"
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        draw(geocli, "-o", tmp_path / "bans.html", stdin=text)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # The processor's time: what others do on this machine counts less.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if seconds[-1] < 1:
            return
    pytest.fail(f"it took {min(seconds)} s")


def test_any_bytes_on_stdin_make_a_page_or_nothing(geocli: Geocli) -> None:
    for stdin in (b"\x00\xff" * 5000, b"[{'" * 3000, b"\x1f\x8b broken", b"[{'sshd': ['1.1.1.1'"):
        done = geocli("report", stdin=stdin)
        assert done.returncode in {0, 2}
        assert done.stderr.count("\n") <= 1


def remember(geocli: Geocli, tmp_path: Path) -> tuple[str, ...]:
    """Bans of three weeks in the store, those of today in the journal; the options that name the database."""
    mmdb = write_places(tmp_path / "places.mmdb", PLACES)
    old = [
        ("5.1.0.1", "sshd", 500),
        ("5.1.0.2", "web", 400),
        ("5.2.0.1", "sshd", 30),
        ("5.5.0.1", "sshd", 450),
    ]
    new = [("5.1.0.3", "sshd", 2), ("5.3.0.1", "web", 1), ("5.5.0.1", "sshd", 3)]
    for name, bans in (("old", old), ("new", new)):
        database = write_bans(tmp_path / f"{name}.sqlite3", bans)
        assert (
            geocli("bans", "--record", "--mmdb", mmdb, "--host", "web1", "--database", database).returncode
            == 0
        )
        if name == "old":
            assert geocli("flush").returncode == 0
    return ("--mmdb", str(mmdb))


def test_the_history_is_drawn_from_store_and_journal(geocli: Geocli, tmp_path: Path) -> None:
    options = remember(geocli, tmp_path)
    said = text_of(draw(geocli, "--history", *options))
    assert "Who was banned, and from where" in said
    assert "7 bans of 6 addresses in 4 countries" in said
    assert "from the bans that were recorded" in said
    assert "3 bans in the 24 hours to" in said
    assert "1 new country Australia 1" in said
    counts = geocli("bans", "--history", "--by", "country", "-j", *options).stdout
    assert '"country_name": "Germany", "addresses": 3, "bans": 3' in counts  # the same, by another way
    assert "Germany: 3 bans of 3 addresses" in draw(geocli, "--history", *options)


def test_what_is_new_in_the_history_was_never_there_before(geocli: Geocli, tmp_path: Path) -> None:
    options = remember(geocli, tmp_path)
    said = text_of(draw(geocli, "--history", "--since", "2d", *options))
    assert "4 bans of 4 addresses in 4 countries" in said
    # Russia is not new: it was banned weeks before the time that was asked for.
    assert "1 new country Australia 1" in said
    assert "3 bans in the 24 hours" in said
    assert ", 1 in the 24 hours before (+200%)." in said
    closed = text_of(draw(geocli, "--history", "--since", "2d", "--anonymize", *options))
    assert "1 new country" in closed
    assert "1 new network 5.3.0.0/16" in closed
    assert "5.3.0.1" not in closed


def test_the_history_has_filters_of_its_own(geocli: Geocli, tmp_path: Path) -> None:
    options = remember(geocli, tmp_path)
    assert "2 bans of 2 addresses" in text_of(draw(geocli, "--history", "--jail", "web", *options))
    assert "3 bans of 3 addresses" in text_of(draw(geocli, "--history", "--until", "7d", *options))
    said = text_of(draw(geocli, "--history", "--host", "web2", *options))
    assert "No ban was recorded. At least nobody that this report is about: host web2." in said
    for wrong in (["--client"], ["-i", "x"], ["--no-cache"], ["--log", "x"]):
        done = geocli("report", "--history", *wrong)
        assert (done.returncode, done.stdout) == (2, "")
    assert geocli("report", "--host", "web1", stdin=BANNED).returncode == 2


def test_without_a_history_there_is_a_calm_page(geocli: Geocli) -> None:
    assert "No ban was recorded." in text_of(draw(geocli, "--history"))
    assert not geocli.data_dir.exists()  # reading makes nothing


def test_the_map_is_drawn_of_the_history_too(geocli: Geocli, tmp_path: Path) -> None:
    options = remember(geocli, tmp_path)
    done = geocli("bans", "--history", "--by", "country", "--map", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "· none  ░ 1  ▓ 2  █ 3" in done.stdout
    assert geocli("bans", "--history", "--by", "country", "--map", "--compare", "7d").returncode == 2


def clustered(tmp_path: Path) -> tuple[str, ...]:
    """Options that name bans of two dense networks and of some others, and a database of their holders."""
    mmdb = write_places(tmp_path / "places.mmdb", PLACES)
    bans = [(f"5.1.7.{n}", "sshd", 5 + n) for n in range(60)] + [(f"5.2.9.{n}", "web", 9) for n in range(40)]
    bans += [(f"5.3.{n}.1", "sshd", 40 + n) for n in range(20)]
    return "--mmdb", str(mmdb), "--database", str(write_bans(tmp_path / "f.sqlite3", bans))


def advised_on(page: str) -> list[str]:
    section = page.partition('aria-labelledby="now"')[2].partition("</section>")[0]
    return re.findall(r'<tr><th[^>]*><span class="address">([^<]*)', section)


def test_what_to_do_now_is_what_advise_says(geocli: Geocli, tmp_path: Path) -> None:
    options = clustered(tmp_path)
    page = draw(geocli, *options, "--budget", "2")
    (line,) = re.findall(r'<pre class="command"><code>(.*)</code>', page)
    words = shlex.split(html.unescape(line))
    assert words[:2] == ["geocli", "advise"]
    assert words[-2:] == ["--format", "nft"]
    said = geocli("advise", *words[2:-2], "-f", "network")
    assert said.returncode == 0
    assert advised_on(page) == said.stdout.split()
    assert len(advised_on(page)) == 2
    assert "To ban as a whole: 2 networks, " in text_of(page)
    spared = draw(geocli, *options, "--budget", "2", "--allow", "5.1.7.200")
    assert all(ip_address("5.1.7.200") not in ip_network(network) for network in advised_on(spared))
    assert "--allow 5.1.7.200" in spared
    assert geocli("report", *options, "--allow", "nobody at all", "-o", tmp_path / "no.html").returncode == 2
    assert not (tmp_path / "no.html").exists()


def test_no_advice_where_none_is_asked_for_or_fits(geocli: Geocli, tmp_path: Path) -> None:
    options = clustered(tmp_path)
    for others in (["--budget", "0"], ["--anonymize"]):
        assert "What to do now" not in text_of(draw(geocli, *options, *others))
    assert "What to do now" not in text_of(draw(geocli, "--log", "-", stdin="5.1.7.1\n5.1.7.1\n"))
    lone = text_of(draw(geocli, stdin="[{'sshd': ['9.9.9.9']}]\n"))
    assert "Nothing as a whole: no network holds enough bans for what it would block." in lone
    assert "… | geocli advise --budget 12 --format nft" in lone


def test_advice_out_of_the_history_is_about_its_last_month(geocli: Geocli, tmp_path: Path) -> None:
    mmdb = write_places(tmp_path / "places.mmdb", PLACES)
    bans = [(f"5.1.7.{n}", "sshd", 24 * 40) for n in range(60)] + [
        (f"5.2.9.{n}", "web", 9) for n in range(40)
    ]
    database = write_bans(tmp_path / "f.sqlite3", bans)
    assert (
        geocli("bans", "--record", "--mmdb", mmdb, "--host", "web1", "--database", database).returncode == 0
    )
    for _ in range(2):
        page = draw(geocli, "--history", "--mmdb", mmdb, "--host", "web1")
        assert all(network.startswith("5.2.9.") for network in advised_on(page))
        assert advised_on(page)
        assert "geocli advise --history --host web1 --since 30d --budget 12 --format nft" in page
        assert "100 bans of 100 addresses" in text_of(page)
        assert geocli("flush").returncode == 0


def test_hosts_are_told_apart_where_there_are_several(geocli: Geocli, tmp_path: Path) -> None:
    options = remember(geocli, tmp_path)
    assert "Hosts" not in text_of(draw(geocli, "--history", *options))
    database = write_bans(tmp_path / "more.sqlite3", [("5.1.0.1", "sshd", 3)])
    assert geocli("bans", "--record", *options, "--host", "web2", "--database", database).returncode == 0
    said = text_of(draw(geocli, "--history", *options))
    assert "Hosts host addresses bans share web1 6 7 87.5% web2 1 1 12.5%" in said
    assert re.search(r"5\.1\.0\.1 DE Hetzner Online GmbH \S+ \S+ Germany 2 \d{4}-\S+ \d\d:\d\d \d{4}", said)

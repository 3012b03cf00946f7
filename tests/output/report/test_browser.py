"""The page in a real browser: what it shows, what it asks for, what it does with hostile names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Keys

from geocli.output.report.summary import MOST_ADDRESSES
from geocli.output.report.tables import MOST_ROWS
from geocli.output.report.world import DARK, LIGHT, spread
from tests.conftest import Geocli
from tests.output.report.conftest import (
    CROWD,
    LONGEST,
    Browser,
    known_bans,
    write_bans,
    write_places,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    "</title></style><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt;&#x3c;i>",
    "<!-- --><a href=//evil.example>x</a>",
    "x" * 256,
)

CONTRASTS = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const poor = [];
let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("script, svg")) continue;
  if (!element.checkVisibility()) continue;
  let behind = element, background;
  do { background = parse(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
  while (behind && background.length === 4 && background[3] === 0);
  const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(background)];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  texts += 1;
  if (contrast < 4.5) poor.push([element.outerHTML.slice(0, 80), contrast]);
}
return [texts, poor];
"""


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour.removeprefix("#")))


def fill(browser: Browser, selector: str) -> str:
    found = browser.run("return getComputedStyle(document.querySelector(arguments[0])).fill", selector)
    return str(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1400])
def test_it_shows_without_a_request_or_a_complaint(
    browser: Browser, known_page: Path, artifacts: Path, width: int, scheme: str
) -> None:
    browser.show(known_page, width=width, scheme=scheme)
    browser.picture(artifacts / f"{width}-{scheme}.png")
    assert browser.requests() == [known_page.as_uri()]
    assert browser.complaints() == []
    assert browser.run("return document.documentElement.scrollWidth") == width  # nothing sticks out
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert background == rgb({"light": "#ffffff", "dark": "#111318"}[scheme])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_a_contrast_of_four_and_a_half(browser: Browser, known_page: Path, scheme: str) -> None:
    browser.show(known_page, scheme=scheme)
    browser.run("document.querySelector('details').open = true")
    texts, poor = browser.run(CONTRASTS)
    assert texts > 80
    assert poor == []


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_map_colours_the_right_countries(
    browser: Browser, known_page: Path, scheme: str, colours: tuple[str, ...]
) -> None:
    browser.show(known_page, scheme=scheme)
    said = browser.run("return [...document.querySelectorAll('.legend')][0].innerText").split()
    assert said[:1] + said[1::3] == ["none", "1–4", "5–19", "20–99", "100–499", "500–1,000"]  # noqa: RUF001
    classes = [rgb(colour) for colour in spread(colours, 5)]
    title = "return [...document.querySelectorAll('.a')].find(a => a.textContent.startsWith(arguments[0]))"
    for name, expected in (
        ("Germany: 1,000 bans of 1,000 addresses", classes[4]),
        ("Brazil: 40 bans of 40 addresses", classes[2]),
        ("Australia: 6 bans of 5 addresses (0.6%)", classes[1]),
        ("Singapore: 1 ban of 1 address (0.1%)", classes[0]),
    ):
        assert browser.run(f"{title} && getComputedStyle({title[7:]}).fill", name) == expected, name
    nothing = fill(browser, ".k0")
    assert nothing not in classes
    assert browser.run(f"return getComputedStyle({title[7:]}).fill", "France: none") == nothing
    # Germany is where Germany is: north-east of Brazil, north-west of Australia, and far smaller.
    boxes = [
        browser.run(f"const b = ({title[7:]}).getBoundingClientRect(); return [b.x, b.y, b.width]", name)
        for name in ("Germany", "Brazil", "Australia")
    ]
    assert boxes[1][0] < boxes[0][0] < boxes[2][0]
    assert boxes[0][1] < boxes[1][1] < boxes[2][1]
    assert boxes[0][2] * 4 < boxes[1][2]


def test_the_pointer_and_the_keyboard_tell_the_same(browser: Browser, known_page: Path) -> None:
    browser.show(known_page)
    readout = "return document.querySelector('.readout').innerText.replace(/\\s+/g, ' ')"
    assert browser.run(readout).startswith("Germany 1,000 bans of 1,000 addresses (95.")
    area = browser.run(
        "return [...document.querySelectorAll('path.a')].find(a => a.textContent.startsWith('Brazil'))"
    )
    ActionChains(browser.driver).move_to_element(area).perform()
    assert browser.run(readout).startswith("Brazil 40 bans of 40 addresses")
    ActionChains(browser.driver).move_to_element(browser.driver.find_element("css selector", "h1")).perform()
    assert browser.run(readout).startswith("Germany")

    reached = []
    for _ in range(5):  # the link that skips the map, then the countries, the largest first
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        reached.append(browser.run("const a = document.activeElement; return a.ariaLabel || a.innerText"))
    assert reached[0] == "Skip the map"
    assert [text.partition(":")[0] for text in reached[1:]] == ["Germany", "Brazil", "Australia", "Singapore"]
    assert browser.run(readout).startswith("Singapore 1 ban of 1 address")


def test_tables_sort_by_each_column_and_back(browser: Browser, known_page: Path) -> None:
    browser.show(known_page)
    names = (
        "return [...document.querySelectorAll('[aria-labelledby=countries] tbody th')].map(c => c.innerText)"
    )
    sort = "document.querySelectorAll('[aria-labelledby=countries] thead button')[arguments[0]].click()"
    state = (
        "return [...document.querySelectorAll('[aria-labelledby=countries] thead th')].map(c => c.ariaSort)"
    )
    by_bans = [name.split()[-1] for name in browser.run(names)]
    assert by_bans == ["Germany", "Brazil", "Australia", "Singapore"]
    browser.run(sort, 0)
    assert [name.split()[0] for name in browser.run(names)] == ["AU", "BR", "DE", "SG"]
    assert browser.run(state) == ["ascending", None, None, None]
    browser.run(sort, 2)
    assert [name.split()[-1] for name in browser.run(names)] == by_bans
    browser.run(sort, 2)
    assert [name.split()[-1] for name in browser.run(names)] == by_bans[::-1]
    assert browser.run(state) == [None, None, "ascending", None]


VISIBLE = (
    "return [...document.querySelectorAll(`[aria-labelledby=${arguments[0]}] tbody tr`)]"
    ".filter(row => row.checkVisibility()).map(row => row.cells[0].innerText.replace(/\\s+/g, ' '))"
)
TICK = "document.querySelector(`#all-${arguments[0]}`).click()"


def test_sorting_reaches_all_rows_and_the_rest_is_counted(browser: Browser, crowded_page: Path) -> None:
    browser.show(crowded_page)
    assert len(browser.run(VISIBLE, "asns")) == 12
    sort = "document.querySelector('[aria-labelledby=asns] thead button').click()"
    browser.run(sort)
    assert browser.run(VISIBLE, "asns")[0].startswith("AS64000 Holder 0 ")
    browser.run(sort)
    last = browser.run(VISIBLE, "asns")
    assert len(last) == 12
    assert last == sorted(last, reverse=True)
    browser.run(TICK, "asns")
    everything = browser.run(VISIBLE, "asns")
    assert len(everything) == MOST_ROWS
    assert everything[:12] == last
    said = browser.run("return document.querySelector('[aria-labelledby=asns]').innerText")
    left = CROWD + 1 - MOST_ROWS
    assert f"and {left} more with {left * 10 - 7:,} bans" in said


def test_rows_are_shown_without_a_script_too(browser: Browser, crowded_page: Path) -> None:
    browser.without_scripts(disabled=True)
    try:
        browser.driver.get(crowded_page.as_uri())
        label = browser.driver.find_element("css selector", "label[for=all-networks]")
        label.click()
    finally:
        browser.without_scripts(disabled=False)
    assert len(browser.run(VISIBLE, "networks")) == MOST_ROWS
    assert not browser.driver.find_element("id", "find").is_displayed()  # what could not work is not there


def test_an_address_is_found_that_is_in_no_table(browser: Browser, crowded_page: Path) -> None:
    browser.show(crowded_page)
    field = browser.driver.find_element("id", "find")
    output = "return document.querySelector('output').innerText"
    for asked, rows, said in (
        ("5.2.199.5", 1, f"1 of {MOST_ADDRESSES:,}"),
        ("5.2.199.", 8, f"8 of {MOST_ADDRESSES:,}"),
        (LONGEST[:9], 1, f"1 of {MOST_ADDRESSES:,}"),
        ("iceland", 1, f"1 of {MOST_ADDRESSES:,}"),
        ("is", 1, f"1 of {MOST_ADDRESSES:,}"),
        # 499 of these are in the table, and as many of the others as rows are made of.
        ("germany", 599, f"4,999 of {MOST_ADDRESSES:,}, 4,400 of them are not shown"),
        ("holder", 0, f"None of {MOST_ADDRESSES:,}"),
        ("192.0.2.1", 0, f"None of {MOST_ADDRESSES:,}"),
    ):
        field.clear()
        field.send_keys(asked)
        assert browser.run(output) == f"{said}; {CROWD * 10 + 1 - MOST_ADDRESSES:,} more are not on this page"
        found = browser.run(VISIBLE, "addresses")
        assert len(found) == rows, asked
        assert all(row.startswith(asked) for row in found) or asked.isalpha()
    field.clear()
    field.send_keys(Keys.SPACE, Keys.BACKSPACE)
    assert len(browser.run(VISIBLE, "addresses")) == 12


def test_a_telephone_cuts_no_address_and_what_is_cut_has_a_title(
    browser: Browser, crowded_page: Path
) -> None:
    browser.show(crowded_page, width=390)
    assert browser.run("return document.documentElement.scrollWidth") == 390
    cells = browser.run(
        "return [...document.querySelectorAll('.sortable tbody tr')].filter(r => r.checkVisibility())"
        ".map(row => { const [name, ...others] = [...row.cells].filter(cell => cell.checkVisibility());"
        " const range = document.createRange();"
        " const box = (node) => { range.selectNodeContents(node); return range.getBoundingClientRect(); };"
        " const address = name.querySelector('.address');"
        " const small = name.querySelector('small') || name;"
        " return {text: name.innerText, title: name.title, right: name.getBoundingClientRect().right,"
        "  address: address && box(address).right, table: row.getBoundingClientRect().width,"
        "  cut: name.scrollWidth > name.clientWidth || small.scrollWidth > small.clientWidth,"
        "  lefts: others.map(cell => box(cell).left), rights: others.map(cell => box(cell).right)}; })"
    )
    assert any(LONGEST in cell["text"] for cell in cells)
    assert any(cell["cut"] for cell in cells)
    for cell in cells:
        assert cell["table"] == 390 - 32, cell["text"]
        assert not cell["cut"] or cell["title"], cell["text"]
        assert cell["address"] is None or cell["address"] <= cell["right"] + 0.5, cell["text"]
        # No figure is on another one, or on the name.
        edges = [
            cell["right"],
            *(edge for pair in zip(cell["lefts"], cell["rights"], strict=True) for edge in pair),
        ]
        assert edges == sorted(edges), cell["text"]


def test_what_is_not_over_is_drawn_as_such(browser: Browser, known_page: Path) -> None:
    browser.show(known_page)
    bars = browser.run("return [...document.querySelectorAll('.period')].map(p => p.matches('.open'))")
    assert bars == [False] * (len(bars) - 1) + [True]
    opacity = "return getComputedStyle(document.querySelector(arguments[0])).fillOpacity"
    assert (
        float(browser.run(opacity, ".open .j0")) < 0.5 < float(browser.run(opacity, ".period:not(.open) .j0"))
    )
    assert ", so far: " in browser.run("return document.querySelector('.open title').textContent")
    assert "The last day is not over, and pale." in browser.run("return document.body.innerText")


def test_it_prints_on_one_page(browser: Browser, known_page: Path) -> None:
    browser.show(known_page, scheme="dark")
    assert browser.pages_on_paper() == 1


def test_people_who_cannot_see_it_find_their_way(browser: Browser, known_page: Path) -> None:
    browser.show(known_page)
    assert browser.run("return document.title") == "Who is banned, and from where"
    assert browser.run("return document.documentElement.lang") == "en"
    headings = browser.run("return [...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert browser.run("return document.querySelectorAll('table th:not([scope])').length") == 0
    assert browser.run("return document.querySelectorAll('table:not(:has(thead th))').length") == 0
    assert browser.run("return document.querySelector('svg.map > title').textContent").startswith(
        "World map of "
    )
    unnamed = "svg:not([aria-hidden]):not([aria-label]):not([aria-labelledby])"
    assert browser.run("return document.querySelectorAll(arguments[0]).length", unnamed) == 0
    ids = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    for reference in ("aria-labelledby", "aria-describedby"):
        named = browser.run(
            "const name = arguments[0];"
            "return [...document.querySelectorAll(`[${name}]`)].map(e => e.getAttribute(name))",
            reference,
        )
        assert named
        assert set(named) <= set(ids)


def test_hostile_names_stay_text(browser: Browser, tmp_path: Path, artifacts: Path, data_dir: Path) -> None:
    places = {f"5.{n}.0.0/16": ("DE", 64500 + n, text) for n, text in enumerate(HOSTILE)}
    mmdb = write_places(tmp_path / "hostile.mmdb", places, description={"en": "</script>" + HOSTILE[1]})
    bans = [(f"5.{n}.0.{age}", text, age) for n, text in enumerate(HOSTILE) for age in (1, 50)]
    database = write_bans(tmp_path / "<img src=x onerror=alert(1)>.sqlite3", bans)
    page = tmp_path / "page.html"
    title = HOSTILE[3] + HOSTILE[1] + "y" * 120
    done = Geocli(data_dir)(
        "report", "--mmdb", mmdb, "--database", database, "--title", title, "-o", page,
        "--jail", "no", "--jail", HOSTILE[0], *(part for text in HOSTILE[1:] for part in ("--jail", text)),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    browser.show(page, width=360)
    browser.picture(artifacts / "hostile.png")
    assert browser.run("return document.documentElement.scrollWidth") == 360
    assert browser.complaints() == []  # the policy had nothing to forbid
    assert browser.requests() == [page.as_uri()]
    assert browser.run("return document.title") == title
    assert browser.run("return document.querySelector('h1').textContent") == title
    jails = browser.run(
        "return [...document.querySelectorAll('[aria-labelledby=jails] tbody th')].map(c => c.textContent)"
    )
    assert sorted(jails) == sorted(HOSTILE)
    holders = browser.run("return document.querySelector('[aria-labelledby=asns]').textContent")
    assert all(text in holders for text in HOSTILE)
    assert (
        browser.run(
            "return document.querySelectorAll('img, script, svg [onload], [onerror], [onfocus]').length"
        )
        == 1
    )
    links = browser.run("return [...document.querySelectorAll('a')].map(a => a.href)")
    assert all(link.startswith(("https://www.naturalearthdata.com", "file:")) for link in links), links
    # A name that gets past the escaping some day still cannot do anything.
    browser.run(
        "document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])",
        HOSTILE[1] + HOSTILE[0],
    )
    browser.run(
        "const made = document.createElement('script'); made.textContent = 'window.ran = 1';"
        "document.body.append(made)"
    )
    assert browser.run("return window.ran") is None
    assert any("Content Security Policy" in text for text in browser.complaints())


class _Served(BaseHTTPRequestHandler):
    page = b""
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(known_page: Path) -> Iterator[str]:
    """Where a web server has the page, which is in no other way a special one."""
    _Served.page, _Served.asked = known_page.read_bytes(), []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/bans.html"
        server.shutdown()


def test_a_web_server_is_asked_for_the_page_alone(browser: Browser, known_page: Path, served: str) -> None:
    browser.show(known_page, url=served)
    assert browser.complaints() == []
    assert browser.requests() == [served]
    assert [path for path in _Served.asked if path != "/favicon.ico"] == [
        "/bans.html"
    ]  # browsers look for that


def test_bans_by_day_are_bars_with_their_jails(browser: Browser, known_page: Path) -> None:
    browser.show(known_page)
    bars = browser.run(
        "return [...document.querySelectorAll('.period')].map(p => [p.querySelector('title').textContent,"
        " [...p.querySelectorAll('rect:not(.room)')].map(r => r.getBoundingClientRect().height)])"
    )
    assert len(bars) in {18, 19}  # 430 hours
    heights = {title: sum(parts) for title, parts in bars}
    counts = {title: int(title.partition(": ")[2].split(" ban")[0].replace(",", "")) for title in heights}
    assert sum(counts.values()) == len(known_bans())
    tallest = max(counts, key=lambda title: counts[title])
    assert all(
        abs(heights[title] - heights[tallest] * counts[title] / counts[tallest]) < 1 for title in heights
    )
    assert any("(sshd " in title and "postfix " in title for title in heights)

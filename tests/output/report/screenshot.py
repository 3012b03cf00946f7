"""Makes the picture in the README, of made-up bans by made-up holders. Needs chromium and Pillow.

python -m tests.output.report.screenshot
"""

from __future__ import annotations

import random
import tempfile
from itertools import count
from pathlib import Path

from tests.conftest import Geocli
from tests.output.report.conftest import start_browser, write_bans, write_places

PLACE = Path(__file__).with_name("screenshot.png")

BANS = 5000
_MOST_FIRST = (
    "US CN IN BR RU VN DE ID KR NL GB FR SG TR MX JP AR IR ZA UA PK CA CO TH EG PL IT AU ES NG HK SE "
    "TW MY RO PH BD KZ MA CL CZ BG KE DZ PE VE SA AE IL GR HU BE FI CH AT PT DK NO IE LT LV EC TN UZ "
    "AZ GE RS IQ LK NP MM KH ET GH TZ UG CM CI SN AO MZ ZM ZW BO PY UY CR PA DO GT HN CU NZ MN KG BY "
    "MD HR SK SI EE MT CY IS LU MU "
)
COUNTRIES = _MOST_FIRST.split()
HOLDERS = (
    "Example Hosting",
    "Example Telecom",
    "Sample Cloud",
    "Sample Mobile",
    "Demo Networks",
    "Demo University",
)
JAILS = (
    ("sshd",) * 60 + ("postfix-sasl",) * 18 + ("nginx-http-auth",) * 13 + ("dovecot",) * 6 + ("recidive",) * 3
)
HEIGHT = 1430


def main() -> None:
    """Draw it."""
    chosen = random.Random(4)  # noqa: S311 (not a secret)
    weights = [1 / (rank + 1.5) ** 1.4 for rank in range(len(COUNTRIES))]
    places, networks = {}, {}
    for number, country in zip(count(256 * 5), COUNTRIES, strict=False):
        holder = f"{chosen.choice(HOLDERS)} {country}"
        networks[country] = f"{number // 256}.{number % 256}"
        places[f"{networks[country]}.0.0/16"] = (country, 64496 + number % 1000, holder)
    bans: dict[tuple[str, str], float] = {}
    while len(bans) < BANS:
        country = chosen.choices(COUNTRIES, weights)[0]
        if country in COUNTRIES[-3:]:
            age = chosen.uniform(0, 20)
        else:
            age = chosen.gauss(9.3 * 24, 9) if chosen.random() < 0.13 else chosen.uniform(0, 30 * 24)
        address = f"{networks[country]}.{chosen.randrange(60)}.{chosen.randrange(256)}"
        bans[address, chosen.choice(JAILS)] = age
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        mmdb = write_places(place / "places.mmdb", places)
        database = write_bans(
            place / "fail2ban.sqlite3", [(ip, jail, age) for (ip, jail), age in bans.items()]
        )
        geocli = Geocli(place / "data")
        page = place / "bans.html"
        done = geocli("report", "--mmdb", mmdb, "--database", database, "-o", page)
        assert done.returncode == 0, done.stderr
        with start_browser(place / "profile") as browser:
            browser.show(page, width=1280)
            browser.picture(place / "whole.png")
        from PIL import Image

        with Image.open(place / "whole.png") as whole:
            cut = whole.convert("RGB").crop((0, 0, 1280, HEIGHT))
            cut.quantize(128, dither=Image.Dither.NONE).save(PLACE, optimize=True)


if __name__ == "__main__":
    main()

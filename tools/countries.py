"""Makes ``geocli/model/country_names.py``: what countries are called in English, out of Unicode's CLDR.

Usage: ``python -m tools.countries CACHE > geocli/model/country_names.py``. CACHE is a folder to keep the npm
package in that ``npm pack`` fetches; that is all it needs. CLDR's names are those that people use: "South
Korea". Of two it calls one short; that is taken where it leaves out what nobody says ("Hong Kong SAR China"),
not where it is an abbreviation ("UK") or only half a name ("Bosnia"). All others are understood too.
"""

from __future__ import annotations

import json
import sys
import tarfile
from functools import partial
from pathlib import Path

from tools.npm import Package, fetch

CLDR = Package(
    "cldr-localenames-full",
    "48.2.0",
    "sha512-4o0paYDz0UXhfhChAVFkmVl2CP0YTSEqE6WrC0fNafaSC5u5DAXphxH3SZ1Ujczarikr8DToKZfiok6EqWLdNQ==",
)
_SHORT = frozenset({"HK", "MM", "MO", "PS"})
# Regions of CLDR's with two letters that are no country: exceptional reservations of ISO 3166, groups, tests.
_NO_COUNTRY = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


def names(territories: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what each country is called, by code, and the code for what else it is called."""
    called: dict[str, str] = {}
    others: dict[str, str] = {}
    for key in sorted(territories):
        code, _, kind = key.partition("-alt-")
        if len(code) != 2 or not code.isalpha() or code in _NO_COUNTRY:
            continue
        if kind == "":
            called.setdefault(code, territories[key])
        others[territories[key]] = code
    called |= {code: territories[f"{code}-alt-short"] for code in _SHORT}
    return called, {name: code for name, code in others.items() if called[code] != name}


def module(called: dict[str, str], others: dict[str, str]) -> str:
    """Return the Python module."""
    quoted = partial(json.dumps, ensure_ascii=False)
    lines = [
        '"""What countries are called: CLDR\'s English names. Made by ``python -m tools.countries``.',
        "",
        f"From {CLDR.name} {CLDR.version} (Unicode License V3, ``data/country-names.licence.txt``).",
        '"""',
        "",
        "NAMES = {",
        *(f"    {quoted(code)}: {quoted(name)}," for code, name in called.items()),
        "}",
        '"""By ISO 3166-1 alpha-2 code, with Kosovo\'s user-assigned XK."""',
        "",
        "OTHER_NAMES = {",
        *(f"    {quoted(name)}: {quoted(code)}," for name, code in others.items()),
        "}",
        '"""What else CLDR calls them."""',
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the module."""
    with tarfile.open(fetch(CLDR, Path(sys.argv[1]))) as archive:
        member = archive.extractfile("package/main/en/territories.json")
        assert member is not None  # noqa: S101 (the package is what its checksum says)
        found = json.load(member)
    sys.stdout.write(module(*names(found["main"]["en"]["localeDisplayNames"]["territories"])))


if __name__ == "__main__":
    main()

"""ISO 3166-1: which two letters are a country, what it is called, and which country a text means.

A country has one name, whatever a source calls it, so that it is one row in every table. The names are
Unicode CLDR's: those that people use. The list also has Kosovo's user-assigned ``XK``.
"""

from __future__ import annotations

import re
from functools import cache
from sys import intern

# What people write that is no name of CLDR's: abbreviations, ISO's names, older ones.
_SPOKEN = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "usa": "US", "america": "US", "united states of america": "US", "uae": "AE",
    "emirates": "AE", "russian federation": "RU", "korea": "KR", "republic of korea": "KR", "prc": "CN",
    "peoples republic of china": "CN", "republic of china": "TW", "viet nam": "VN", "brunei darussalam": "BN",
    "holy see": "VA", "vatican": "VA", "syrian arab republic": "SY", "burma": "MM", "holland": "NL",
    "the netherlands": "NL", "macau": "MO", "macedonia": "MK", "congo": "CG", "drc": "CD", "czechia": "CZ",
    "lao peoples democratic republic": "LA", "democratic peoples republic of korea": "KP", "dprk": "KP",
    "islamic republic of iran": "IR", "republic of moldova": "MD", "cote divoire": "CI",
    "democratic republic of the congo": "CD", "republic of the congo": "CG", "naoero": "NR",
}  # fmt: skip


@cache
def _names() -> dict[str, str]:
    from geocli.model.country_names import NAMES  # what is known already needs no list

    return NAMES


def country_code(text: str) -> str | None:
    """The upper-case alpha-2 code if ``text`` is one, else ``None`` (``ZZ``, ``EU``, ``-``, empty)."""
    code = text.upper()
    return intern(code) if text.isascii() and code in _names() else None


def country_name(code: str) -> str | None:
    """The English short name for an alpha-2 code in upper case, or ``None``."""
    return _names().get(code)


def parse_country(text: str) -> str:
    """Return the alpha-2 code for a code or a name, in any case: ``de``, ``Germany``, ``uk``, ``Türkiye``.

    Raises ``ValueError``, which names the nearest country there is.
    """
    known = country_code(text.strip()) or _by_name().get(_plain(text))
    if known is None:
        shown = ascii(text if len(text) <= 40 else f"{text[:40]}...")
        raise ValueError(f"{shown} is no country{_hint(text)}")
    return known


def _hint(text: str) -> str:
    from difflib import get_close_matches  # only for those who mistype

    near = get_close_matches(_plain(text[:60]), _by_name(), n=1, cutoff=0.75)
    if not near:
        return ": give a code of two letters (ISO 3166-1) or an English name"
    code = _by_name()[near[0]]
    return f": did you mean {code} ({_names()[code]})?"


@cache
def _by_name() -> dict[str, str]:
    from geocli.model.country_names import NAMES, OTHER_NAMES

    return (
        _SPOKEN
        | {_plain(name): code for name, code in OTHER_NAMES.items()}
        | {_plain(name): code for code, name in NAMES.items()}
    )


def _plain(text: str) -> str:
    """A name without accents, case and signs, so that spellings of it are equal."""
    import unicodedata  # a source's code is no name

    letters = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode().casefold()
    words = re.sub(r"[^a-z0-9 ]", "", re.sub(r"[-_/]", " ", letters.replace("&", " and "))).split()
    return " ".join({"saint": "st"}.get(word, word) for word in words)

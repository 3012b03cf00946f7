"""ISO 3166-1: which two letters are a country, and its English short name.

The list is the ``iso3166`` package's, which also knows Kosovo's user-assigned ``XK``. Where ISO's name
takes a side in a dispute, the package's neutral name is used.
"""

from __future__ import annotations

from functools import cache
from sys import intern


@cache
def _names() -> dict[str, str]:
    from iso3166 import countries_by_alpha2  # what is known already needs no list

    return {code: country.apolitical_name for code, country in countries_by_alpha2.items()}


def country_code(text: str) -> str | None:
    """The upper-case alpha-2 code if ``text`` is one, else ``None`` (``ZZ``, ``EU``, ``-``, empty)."""
    code = text.upper()
    return intern(code) if text.isascii() and code in _names() else None


def country_name(code: str) -> str | None:
    """The English short name for an alpha-2 code in upper case, or ``None``."""
    return _names().get(code)

"""What any source says about an address, and how its values are read.

Nothing that comes from a source is trusted to have the type, the length or the meaning it should have:
a value that cannot be used is ``None``.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern

from geocli.model import countries
from geocli.model.records import MAX_ASN, clean_text

_CODE = 2  # letters


def country(code: object) -> tuple[str | None, str | None]:
    """ISO 3166-1 alpha-2 code and English name; a code that is no country's (``ZZ``, ``-``) has neither.

    The name is geocli's, whatever the source calls the country: one country, one row.
    """
    return _country(code) if isinstance(code, str) and len(code) == _CODE else (None, None)


@lru_cache(1000)  # there are more answers than countries
def _country(code: str) -> tuple[str | None, str | None]:
    known = countries.country_code(code)
    return (None, None) if known is None else (known, countries.country_name(known))


def place(latitude: object, longitude: object) -> tuple[float | None, float | None]:
    """Degrees, WGS 84, as numbers or text. Half a place is none, nor is 0, 0: that is "nowhere"."""
    north, east = _degrees(latitude, 90), _degrees(longitude, 180)
    return (None, None) if north is None or east is None or north == east == 0 else (north, east)


def asn(value: object) -> int | None:
    """An AS number: 13335, "13335" or "AS13335"."""
    if isinstance(value, str):
        digits = value.upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ASN else None


def text(value: object) -> str | None:
    """Text, bounded and harmless; empty and ``-`` are nothing."""
    if not isinstance(value, str):
        return None
    cleaned = clean_text(value).strip()
    return None if cleaned in {"", "-"} else intern(cleaned)  # there are more answers than names


def _degrees(value: object, limit: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        degrees = float(value) + 0.0  # -0.0 is equal to 0.0, but another text
    except (ValueError, OverflowError):
        return None
    return degrees if -limit <= degrees <= limit else None  # false for NaN as well

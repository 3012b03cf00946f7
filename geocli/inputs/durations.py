"""How long something lasts, as firewalls and Go write it: ``3h59m42.5s``, ``9m55s660ms``, ``1d2h``."""

from __future__ import annotations

import re

_PARTS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|us|µs|ns|[wdhms])")
_WHOLE = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{1,12})?(?:ms|us|µs|ns|[wdhms])){1,9}")
_SECONDS = {
    "w": 604800,
    "d": 86400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}


def seconds_of(text: str) -> float | None:
    """Return the seconds of such a text, of a negative one less than nothing; ``None`` when it is none."""
    if _WHOLE.fullmatch(text) is None:
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
    return -seconds if text.startswith("-") else seconds

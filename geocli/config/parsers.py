"""Values as people write them: text in, a checked value out, and back to text.

Used for options, environment variables and the configuration file alike. Everything here raises
``ValueError`` with a reason that shows no secret; who asks knows which setting it was.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_MOST_OF_A_UNIT = 10**9
_LONGEST_TIMEOUT = 3600
_LONGEST_KEY = 200
_LONGEST_NAME = 200
_DURATION = re.compile(r"(\d{1,9})\s*(ms|[smhdwy]?)")


class Secret(str):
    """A key: like any text, except that it does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)"


def parse_duration(text: str) -> float:
    """``90``, ``300ms``, ``5m``, ``24h``, ``7d``, ``4w`` or ``1y`` as seconds. Raises ``ValueError``."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{ascii(text[:40])} is no duration: write 90s, 5m, 24h, 7d, 4w or 1y")
    return float(match[1]) * _UNITS[match[2] or "s"]


def duration_text(seconds: float) -> str:
    """The shortest text that ``parse_duration`` reads as this: whole seconds as ``90s``, ``5m``, ``30d``."""
    for unit in "dhmswy":  # people count in days; weeks and years are for what days cannot hold
        count, rest = divmod(seconds, _UNITS[unit])
        if not rest and 0 < count < _MOST_OF_A_UNIT:
            return f"{count:.0f}{unit}"
    return f"{seconds:g}s" if seconds == int(seconds) else f"{seconds * 1000:g}ms"


def parse_moment(text: str, now: float) -> float:
    """``24h`` ago, or an ISO 8601 time (local where it has no zone), as seconds since the epoch.

    Raises ``ValueError``.
    """
    shown = ascii(text[:40])
    if text.strip().isdecimal() and len(text.strip()) < 8:  # of eight digits, it is a day
        raise ValueError(f"{shown} has no unit: write {shown[1:-1].strip()}d for days, or h, m, s, w, y")
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{shown} is no time: write 24h, 7d, 2026-11-23 or 2026-11-23T12:00") from None


def parse_names(text: str) -> tuple[str, ...]:
    """A list of names separated by commas. Raises ``ValueError`` when it is empty."""
    return name_list(text.split(","))


def parse_name(text: str) -> str:
    """A name that can stand in a column as it is. Raises ``ValueError``."""
    name = text.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ValueError(f"a name has 1 to {_LONGEST_NAME} characters that can be shown")
    return name


def name_list(items: Sequence[str]) -> tuple[str, ...]:
    """Names without the blanks around them. Raises ``ValueError`` when there is none."""
    names = tuple(name for name in map(str.strip, items) if name)
    if not names:
        raise ValueError("the list is empty")
    return names


def path_list(items: Sequence[str]) -> tuple[Path, ...]:
    """Paths, with ``~`` as the home directory. Raises ``ValueError`` where there is none."""
    try:
        return tuple(Path(item).expanduser() for item in items if item)
    except RuntimeError as error:  # ~somebody who has no home directory
        raise ValueError(str(error)) from None


def parse_directory(text: str) -> Path:
    """An absolute path, with ``~`` as the home directory. Raises ``ValueError``."""
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if not path.is_absolute():  # what starts geocli decides where it starts
        raise ValueError(f"{ascii(text)[:80]} is no absolute path")
    return path


def parse_url(text: str) -> str:
    """The URL of an online source: ``http`` or ``https``, host, path. Raises ``ValueError``."""
    from urllib.parse import urlsplit  # only where there is a URL

    try:
        parts = urlsplit(text)
        has_password = parts.username is not None
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # its message would show what may be a key
        is_url = has_password = False
    if not is_url or not text.isprintable() or " " in text:
        raise ValueError("it is no URL: write http://host/path or https://host/path")
    if has_password or parts.query or parts.fragment:
        raise ValueError("give scheme, host and path only: a key has its own setting")
    return text


def parse_secret(text: str) -> Secret:
    """A key that can stand in a header or a URL. Raises ``ValueError``."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > _LONGEST_KEY:
        raise ValueError("that cannot be a key")
    return Secret(text)


def parse_account(text: str) -> str:
    """An account's number. Raises ``ValueError``."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError("that is no account's number")
    return text


def parse_timeout(text: str) -> float:
    """A duration that can be a timeout. Raises ``ValueError``."""
    seconds = parse_duration(text)
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ValueError(f"a timeout is between 1 and {_LONGEST_TIMEOUT} seconds")
    return seconds


def count_up_to(most: int) -> Callable[[str], int]:
    """A parser of numbers from 1 to ``most``; it raises ``ValueError``."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= most):
            raise ValueError(f"{ascii(text[:40])} is no number from 1 to {most}")
        return int(text)

    return parse

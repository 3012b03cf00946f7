"""The URL of a store's server: what it may be, and how it may be shown.

PostgreSQL's library reads it (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING), so it
is taken apart here only as far as a password could be in it.
"""

from __future__ import annotations

import re

from geocli.config.parsers import Secret

ENGINES = {
    "postgresql": "geocli.storage.store.postgres.store",
    "postgres": "geocli.storage.store.postgres.store",
}
"""The module of each kind of server, by the scheme of its URLs; it has ``create``."""

_LONGEST = 2000
_URL = re.compile(r"([a-z]+://)(?:([^@/?#:]*)(?::([^@/?#]*))?@)?([^@?#]*)(?:\?([^@#]*))?")
_SECRETS = re.compile(r"(?:^|&)(?:ssl)?password=", re.I)


def is_server(text: str) -> bool:
    """Whether this names a server, and not a file."""
    return scheme_of(text) in ENGINES


def scheme_of(url: str) -> str:
    """Return what stands before ``://``; nothing where there is no such."""
    scheme, separator, _ = url.partition("://")
    return scheme if separator else ""


def parse_server(text: str) -> str:
    """The URL, as a ``Secret`` where a password is in it. Raises ``ValueError``, which shows none."""
    if not (is_server(text) and text.isprintable() and " " not in text and len(text) <= _LONGEST):
        raise ValueError("it is no URL of a server: write postgresql://user@host/database")
    if _URL.fullmatch(text) is None:
        raise ValueError("it is no URL of a server: write @ as %40, # as %23, / as %2F and ? as %3F in names")
    return Secret(text) if has_password(text) else text


def has_password(url: str) -> bool:
    """Whether there is a password in it, in either of the places where the library looks for one."""
    match = _URL.fullmatch(url)
    if match is None:
        return True  # who knows
    from urllib.parse import unquote  # only where there is a server

    return bool(match[3]) or _SECRETS.search(unquote(match[5] or "")) is not None


def shown(url: str) -> str:
    """The URL as it may be shown: without a password, and without parameters, which may hold others."""
    match = _URL.fullmatch(url)
    if match is None:
        return "postgresql://***"
    scheme, user, _, place, _ = match.groups()
    return f"{scheme}{user}@{place}" if user else f"{scheme}{place}"

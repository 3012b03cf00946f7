"""Registrations: what registries say of addresses, networks and AS numbers, and the answers that are kept.

Each is a private file in ``whois`` of the data directory, for a week. What is read back is checked.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from geocli.model.normalize import text as text_of
from geocli.model.records import is_time
from geocli.system.files import make_private_directory, replacing
from geocli.system.presence import is_directory

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = 7 * 86400  # seconds
_LARGEST = 1 << 14  # bytes of a file
_MAIL = re.compile(r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_NOT_IN_NAME = re.compile("[^0-9a-f.]")


class Registration(NamedTuple):
    """What a registry says; what it does not is ``None``.

    ``range`` is the addresses or AS numbers from first to last, ``name`` what the registry calls them,
    ``holder`` who has them, ``abuse`` the mail address for complaints, ``registry`` the registry's server.
    ``asked_at`` is a record's time. All text is bounded and printable.
    """

    range: str | None
    name: str | None
    holder: str | None
    country: str | None
    abuse: str | None
    registry: str | None
    asked_at: str


def is_mail(text: str) -> bool:
    """Whether a text can be a mail address, and nothing else beside it (RFC 5321, without quotes)."""
    return _MAIL.fullmatch(text) is not None


class KeptRegistrations:
    """The answers that are kept in a data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "whois"

    def find(self, kind: str, name: str, now: float) -> Registration | None:
        """Return what was answered in the last week, ``None`` where there is none that can be believed."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(self._path(kind, name), flags), "rb") as file:
                found = Registration(*json.loads(file.read(_LARGEST)))
            *texts, asked_at = found
            is_text = all(text is None or (isinstance(text, str) and text_of(text) == text) for text in texts)
            if is_text and (found.abuse is None or is_mail(found.abuse)) and is_time(asked_at):
                age = now - datetime.fromisoformat(asked_at).timestamp()
                return found if 0 <= age < _KEPT else None
        return None

    def keep(self, kind: str, name: str, found: Registration, now: float) -> None:
        """Keep an answer, and forget those that are too old. Raises ``OSError`` and ``GeocliError``."""
        make_private_directory(self._directory)
        self.forget(now - _KEPT)
        with replacing(self._path(kind, name), durable=False) as file:
            file.write(json.dumps(found).encode())

    def forget(self, before: float) -> None:
        """Delete what was kept before a moment, in seconds since the epoch. Raises ``OSError``."""
        if is_directory(self._directory):
            for file in self._directory.iterdir():
                if file.stat(follow_symlinks=False).st_mtime < before:
                    file.unlink()

    def _path(self, kind: str, name: str) -> Path:
        return self._directory / f"{kind}-{_NOT_IN_NAME.sub('_', name)}.json"

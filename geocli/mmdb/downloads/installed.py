"""The databases that were downloaded: what lies in the data directory's ``mmdb``, and which of it is asked.

A file is called after its name, its edition and what it gives, ``dbip-city-2026-11-01.country+city.mmdb``, so
that a look-up knows from the directory alone what it would ask, and which stored answers are of that edition.
Beside it are its licence (``.licence.txt``) and where it is from (``.json``). Other names are left alone.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from geocli.mmdb.embedded import embedded_path
from geocli.model.value import Value
from geocli.system.ownership import check_trusted, os_error_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

KINDS = ("country", "city", "asn")
"""What a database can give, in the order in which it is named."""

_DAY = 86400  # seconds
_EMBEDDED_GIVES = ("country", "asn")

MUCH_NEWER = 60
"""Days by which a database that is newer than another answers in its place, whatever else that one gives."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_EDITION = r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?"
_FILE = rf"(?P<name>{_NAME})-(?P<edition>{_EDITION})\.(?P<gives>[a-z]+(?:\+[a-z]+)*)\.mmdb"


class Installed(Value):
    """One downloaded database. ``path`` may be gone by now: an update replaces it."""

    path: Path
    name: str
    edition: str
    gives: tuple[str, ...]

    @property
    def source(self) -> str:
        """What its records carry, after ``mmdb:``."""
        return f"{self.name}-{self.edition}"

    @property
    def day(self) -> int:
        """The edition's first day, counted from some day long ago; 0 for one that there never was."""
        try:
            return date.fromisoformat(
                self.edition if len(self.edition) > 7 else f"{self.edition}-01"
            ).toordinal()
        except ValueError:
            return 0


class InUse(Value):
    """A database that is asked, and for which of ``KINDS``. ``source`` is ``None`` until it is opened."""

    path: Path
    serves: tuple[str, ...] | None
    source: str | None


def is_name(text: str) -> bool:
    """Whether a downloaded database may be called so."""
    return re.fullmatch(_NAME, text) is not None and ".." not in text


def is_edition(text: str) -> bool:
    """Whether a database's edition can be in its file's name: a month or a day."""
    return re.fullmatch(_EDITION, text) is not None


def file_name(name: str, edition: str, gives: Iterable[str]) -> str:
    """What a database's file is called."""
    return f"{name}-{edition}.{'+'.join(gives)}.mmdb"


def names_in(directory: Path, name: str) -> list[str]:
    """The files of all editions of one database."""
    matches = map(re.compile(_FILE).fullmatch, os.listdir(directory))  # noqa: PTH208 (names are all that is needed)
    return [match[0] for match in matches if match is not None and match["name"] == name]


def installed(directory: Path) -> list[Installed]:
    """The newest edition of each, those that give most first, then the newest.

    Raises ``DamagedFileError`` when others than the user may write there, or the user may not look.
    """
    found: dict[str, Installed] = {}
    try:
        names = sorted(os.listdir(directory))  # noqa: PTH208 (names are all that is needed)
    except PermissionError as error:
        raise os_error_of(error, directory) from error
    except OSError:
        return []
    for file in names:
        if (match := re.fullmatch(_FILE, file)) is not None:
            gives = tuple(match["gives"].split("+"))
            one = Installed(directory / file, match["name"], match["edition"], gives)
            if set(gives) <= set(KINDS) and (one.name not in found or found[one.name].edition <= one.edition):
                found[one.name] = one
    if found:
        check_trusted([directory.parent, directory])
    return sorted(
        sorted(found.values(), key=lambda one: (one.edition, one.name), reverse=True),
        key=lambda one: ("city" not in one.gives, -len(one.gives)),
    )


def embedded() -> Installed:
    """The database that ships with geocli, as one of them."""
    path = embedded_path()
    name, _, edition = path.stem.partition("-")
    return Installed(path, name, edition, _EMBEDDED_GIVES)


def in_use(directory: Path | None, files: Sequence[Path] = ()) -> list[InUse]:
    """The databases that are asked, in order: ``files`` where the user named some, else the best there are.

    Opens nothing. Raises ``DamagedFileError``.
    """
    if files:
        return [InUse(path, None, None) for path in files]
    servers = _servers(_candidates(directory))
    # In this order: of what several give, the answer is the first one's.
    order = list(dict.fromkeys(servers[kind] for kind in ("country", "asn", "city") if kind in servers))
    return [
        InUse(one.path, tuple(kind for kind in KINDS if servers.get(kind) == one), one.source)
        for one in order
    ]


def oldest_in_use(directory: Path, files: Sequence[Path], now: float) -> int | None:
    """The age in days of the oldest database that is asked; ``None`` where none tells it.

    ``now``: seconds since the epoch. Opens only ``files``. Raises ``GeocliError``.
    """
    if files:
        from geocli.mmdb.reader import Database  # look-ups are content with names

        return max(int((now - Database(path).description.built) // _DAY) for path in files)
    today = datetime.fromtimestamp(now, UTC).toordinal()
    ages = [today - one.day for one in dict.fromkeys(_servers(_candidates(directory)).values()) if one.day]
    return max(ages, default=None)


def reasons(directory: Path) -> dict[Path, str]:
    """Say of each database, by its path, why it answers or does not. Raises ``DamagedFileError``."""
    candidates = _candidates(directory)
    servers = _servers(candidates)
    return {one.path: _reason(one, candidates, servers) for one in candidates}


def _candidates(directory: Path | None) -> list[Installed]:
    """All there are, those first that are preferred where none is much newer; the embedded one last."""
    return [*(installed(directory) if directory is not None else ()), embedded()]


def _servers(candidates: Sequence[Installed]) -> dict[str, Installed]:
    """Which database answers for each kind: the first that is not ``MUCH_NEWER`` older than another."""
    servers = {}
    for kind in KINDS:
        able = [one for one in candidates if kind in one.gives]
        newest = max((one.day for one in able), default=0)
        if current := [one for one in able if one.day > newest - MUCH_NEWER]:
            servers[kind] = current[0]
    return servers


def _served(one: Installed, servers: dict[str, Installed]) -> tuple[str, ...]:
    return tuple(kind for kind in KINDS if servers.get(kind) == one)


def _reason(one: Installed, candidates: Sequence[Installed], servers: dict[str, Installed]) -> str:
    serves = _served(one, servers)
    if serves:
        rivals = [other for other in candidates if other != one and set(serves) & set(other.gives)]
        if not rivals:
            return f"the only one with {' and '.join(serves)}"
        if all(other.day <= one.day - MUCH_NEWER for other in rivals):
            return f"newest, by {min(one.day - other.day for other in rivals)} days and more"
        return (
            "newest" if all(other.day <= one.day for other in rivals) else "gives most of those of its time"
        )
    better = [servers[kind] for kind in one.gives]
    newer = max(better, key=lambda other: other.day)
    if newer.day >= one.day + MUCH_NEWER:
        return f"{newer.source} is {newer.day - one.day} days newer"
    return f"behind {' and '.join(dict.fromkeys(other.source for other in better))}"

"""The databases that were downloaded: what lies in the data directory's ``mmdb``, and which of it is asked.

A file is called after its name, its edition and what it gives, ``dbip-city-2026-11-01.country+city.mmdb``, so
that a look-up knows from the directory alone what it would ask, and which stored answers are of that edition.
Beside it are its licence (``.licence.txt``) and where it is from (``.json``). Other names are left alone.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from geocli.mmdb.layouts import KINDS
from geocli.mmdb.reader import embedded_path, embedded_source
from geocli.system.ownership import check_trusted, os_error_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_BASIC = {"country", "asn"}  # what the embedded database gives
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_EDITION = r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?"
_FILE = re.compile(rf"(?P<name>{_NAME})-(?P<edition>{_EDITION})\.(?P<gives>[a-z]+(?:\+[a-z]+)*)\.mmdb")


class Installed(NamedTuple):
    """One downloaded database. ``path`` may be gone by now: an update replaces it."""

    path: Path
    name: str
    edition: str
    gives: tuple[str, ...]

    @property
    def source(self) -> str:
        """What its records carry, after ``mmdb:``."""
        return f"{self.name}-{self.edition}"


class InUse(NamedTuple):
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
    matches = map(_FILE.fullmatch, os.listdir(directory))  # noqa: PTH208 (names are all that is needed)
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
        if (match := _FILE.fullmatch(file)) is not None:
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


def in_use(directory: Path | None, files: Sequence[Path] = ()) -> list[InUse]:
    """The databases that are asked, in order: ``files`` where the user named some, else the downloaded ones.

    Of these, each that gives what none before it gives; the embedded one has the last word on what they lack.
    Opens nothing. Raises ``DamagedFileError``.
    """
    if files:
        return [InUse(path, None, None) for path in files]
    chosen, given = [], set[str]()
    for one in installed(directory) if directory is not None else ():
        if new := tuple(kind for kind in one.gives if kind not in given):
            given |= set(one.gives)
            chosen.append(InUse(one.path, new, one.source))
    if not given >= _BASIC:
        serves = tuple(kind for kind in KINDS if kind in _BASIC - given)
        chosen.append(InUse(embedded_path(), serves, embedded_source().removeprefix("mmdb:")))
    return chosen
